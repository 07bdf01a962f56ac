"""Let pdb, `inspect` and tracebacks find another text than a file has by now."""

from __future__ import annotations

import linecache
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def text_in_place(filename: str, lines: list[str]) -> Iterator[None]:
    """Let `linecache` say that a file has these lines; nothing is changed where there are none."""
    before = linecache.cache.get(filename)
    if lines:
        linecache.cache[filename] = (sum(map(len, lines)), None, lines, filename)
    try:
        yield
    finally:
        if before is not None:
            linecache.cache[filename] = before
        elif lines:
            linecache.cache.pop(filename, None)
