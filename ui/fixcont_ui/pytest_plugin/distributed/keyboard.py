"""What is typed at the controller's terminal, or read from what stands in its place, while a stop of a worker is served.

The controller and its workers are one group of processes: a Ctrl-C that the terminal makes a signal of would end the tests in all of them. So
the terminal makes none meanwhile: the key ends the line that is typed, and whoever reads that takes it for what it is.
"""

from __future__ import annotations

import os
import termios
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

_CTRL_C: Final = b"\x03"
_LOCAL, _CHARACTERS = 3, 6  # indices into what `tcgetattr` gives


class Keyboard:
    """Standard input, line by line.

    Attributes:
        is_terminal: whether a person types.
        lines: those that were typed and not taken yet; "" is the end of the input, None a Ctrl-C.
        is_over: whether the input has ended.
    """

    def __init__(self) -> None:
        self.is_terminal = os.isatty(0)
        self.lines: Final[deque[str | None]] = deque()
        self.is_over = False
        self._waiting = b""
        self._before: list[Any] | None = None  # how the terminal was

    @contextmanager
    def held(self) -> Iterator[None]:
        """Read here, in a block; and let the terminal make no signals."""
        before = self._before = self._hold()
        try:
            yield
        finally:
            self._set(before)

    @contextmanager
    def free(self) -> Iterator[None]:
        """Leave the terminal as it was to another program in a block, inside of `held`."""
        self._set(self._before)
        try:
            yield
        finally:
            self._hold()

    def _hold(self) -> list[Any] | None:
        if not self.is_terminal:
            return None
        try:
            before = termios.tcgetattr(0)
            ours = termios.tcgetattr(0)
        except termios.error:
            return None
        ours[_LOCAL] &= ~termios.ISIG
        ours[_CHARACTERS][termios.VEOL] = _CTRL_C
        self._set(ours)
        return before

    def _set(self, attributes: list[Any] | None) -> None:
        if attributes is not None:
            with suppress(termios.error):
                termios.tcsetattr(0, termios.TCSANOW, attributes)

    def read(self) -> None:
        """Read what is there, or wait for it."""
        try:
            piece = os.read(0, 65536)
        except OSError:
            piece = b""
        if not piece:
            self._end()
            return
        self._waiting += piece
        while (end := self._end_of_line()) >= 0:
            line, self._waiting = self._waiting[: end + 1], self._waiting[end + 1 :]
            self.lines.append(None if line.endswith(_CTRL_C) else line.decode("utf-8", "replace"))

    def _end_of_line(self) -> int:
        ends = [self._waiting.find(b"\n")]
        if self.is_terminal:
            ends.append(self._waiting.find(_CTRL_C))
        return min((end for end in ends if end >= 0), default=-1)

    def _end(self) -> None:
        if self._waiting:
            self.lines.append(self._waiting.decode("utf-8", "replace"))
            self._waiting = b""
        self.lines.append("")
        self.is_over = not self.is_terminal  # at a terminal Ctrl-D ends one line
