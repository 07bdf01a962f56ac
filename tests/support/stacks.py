"""Where processes hang that do not do what a test waits for."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path


def tell_children(ident: int) -> None:
    """Have the processes that a process has started tell where they are, on standard error, and end. Theirs come first.

    They do so where `faulthandler` is active in them; on systems without /proc nothing happens.
    """
    for child in _children(ident):
        tell_children(child)
        tell(child)


def tell(ident: int) -> None:
    """Have a process tell where it is, on standard error, and end."""
    with contextlib.suppress(OSError):
        os.kill(ident, signal.SIGABRT)


def _children(ident: int) -> Iterator[int]:
    for listed in Path(f"/proc/{ident}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            yield from map(int, listed.read_text().split())
