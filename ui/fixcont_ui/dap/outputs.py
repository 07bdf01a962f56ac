"""Where the held thread prints to while something runs that was typed into the debug console."""

from __future__ import annotations

import io
from _thread import get_ident
from collections.abc import Callable
from typing import TextIO


class ThreadOutput(io.TextIOBase):
    """A stream that shows what one thread writes; what others write goes where it always does. Made in that thread.

    Args:
        others: where it always goes.
        show: takes a text.
    """

    def __init__(self, others: TextIO | None, show: Callable[[str], None]) -> None:
        self._others = others
        self._show = show
        self._thread = get_ident()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return "utf-8"

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if get_ident() != self._thread:
            return self._others.write(text) if self._others is not None else len(text)
        self._show(text)
        return len(text)
