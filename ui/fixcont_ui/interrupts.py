"""Ctrl-C while a prompt is open: it clears the line and harms nothing else."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


class Interrupts:
    """Turns Ctrl-C into `KeyboardInterrupt` only where that can be borne.

    Used as a context manager around the whole of a stop; there the program's own way with Ctrl-C is set aside. Within
    it, Ctrl-C raises inside `allowed` blocks only. Inside a `held` block it is remembered, and raised when the block
    ends; elsewhere it is dropped. In a thread other than the main one nothing is done: Ctrl-C never arrives there.
    """

    def __init__(self) -> None:
        self._allowed = False
        self._pending = False
        self._is_over = False
        self._before: Callable[[int, FrameType | None], Any] | int | None = None
        self._is_ours = False

    def __enter__(self) -> Interrupts:
        self._is_over = False
        before = signal.getsignal(signal.SIGINT)
        # None is a handler of C code, which cannot be put back. Where the signal is ignored it stays so.
        if threading.current_thread() is threading.main_thread() and before not in (None, signal.SIG_IGN):
            self._before = signal.signal(signal.SIGINT, self._arrived)
            self._is_ours = True
        return self

    def __exit__(self, *exception: object) -> None:
        self._allowed = False
        if self._is_ours:
            signal.signal(signal.SIGINT, self._before)
            self._is_ours = False

    @contextmanager
    def allowed(self) -> Iterator[None]:
        """Let Ctrl-C raise `KeyboardInterrupt` in this block."""
        self._pending = False
        self._allowed = True
        try:
            yield
        finally:
            self._allowed = False

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let this block finish first: for what must not be left half done."""
        before, self._allowed = self._allowed, False
        try:
            yield
        finally:
            self._allowed = before
        if self._allowed and self._pending:
            self._pending = False
            raise KeyboardInterrupt

    def end(self) -> None:
        """Drop Ctrl-C from now on, as the answer is given and must not be lost. To be called inside of `held`."""
        self._is_over = True
        self._pending = False

    def _arrived(self, number: int, frame: FrameType | None) -> None:
        if self._is_over:
            return
        self._pending = True
        if self._allowed:
            self._pending = False
            raise KeyboardInterrupt
