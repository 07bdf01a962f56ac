"""The streams that a prompt talks through, whatever the program has done to its own."""

from __future__ import annotations

import io
import os
import sys
from dataclasses import dataclass
from typing import TextIO


@dataclass(frozen=True)
class Streams:
    """Where a prompt reads and writes.

    Attributes:
        is_terminal: whether a person types at `stdin`.
    """

    stdin: TextIO
    stdout: TextIO
    is_terminal: bool

    @property
    def are_the_programs(self) -> bool:
        """Whether they are what `input()` uses now, which alone gives line editing."""
        return self.stdin is sys.stdin and self.stdout is sys.stdout


def choose_streams() -> Streams:
    """Give the process's real standard streams, never a stand-in that the program reads or collects its own data with.

    Where a person sits at the terminal but standard output leads elsewhere, or where standard input is closed, the
    controlling terminal is used. Where there is nothing at all to read from, the input is empty.
    """
    stdin = _usable(sys.__stdin__, 0) or _usable(sys.stdin, 0)
    stdout = _free(_usable(sys.__stdout__, 1) or _usable(sys.stdout, 1))
    if stdin is not None and not stdin.isatty():
        return Streams(stdin, stdout or _other_output(), is_terminal=False)
    if stdin is not None and stdout is not None and stdout.isatty():
        return Streams(stdin, stdout, is_terminal=True)
    terminal = _terminal()
    if terminal is not None:
        return Streams(stdin or terminal.stdin, terminal.stdout, is_terminal=True)
    if stdin is not None:
        return Streams(stdin, stdout or _other_output(), is_terminal=True)
    return Streams(io.StringIO(), stdout or _other_output(), is_terminal=False)


def _usable(stream: TextIO | None, descriptor: int) -> TextIO | None:
    """Give `stream` where it is an open stream on this very descriptor, else None."""
    try:
        if stream is None or stream.closed or stream.fileno() != descriptor:
            return None
        os.fstat(descriptor)
    except (OSError, ValueError, AttributeError):
        return None
    return stream


def _free(stream: TextIO | None) -> TextIO | None:
    """Give `stream`, or, if it is in the middle of a write that Ctrl-C has interrupted, another one to the same place."""
    global _second
    try:
        if stream is not None:
            stream.flush()
    except RuntimeError:  # a reentrant call
        assert stream is not None
        if _second is None:  # it stays open for the next time
            _second = open(os.dup(stream.fileno()), "w", buffering=1, encoding=stream.encoding, errors="backslashreplace")
        return _second
    except (OSError, ValueError):
        pass  # whoever writes to it will be told
    return stream


_second: TextIO | None = None


def _other_output() -> TextIO:
    return _usable(sys.__stderr__, 2) or _usable(sys.stderr, 2) or io.StringIO()


def _terminal() -> Streams | None:
    """Give the controlling terminal, or None where there is none. It is opened once and stays open."""
    global _opened
    if _opened is None:
        try:
            stdin = open("/dev/tty", encoding="utf-8", errors="replace")
        except OSError:
            return None
        try:
            stdout = open("/dev/tty", "w", encoding="utf-8", errors="backslashreplace")
        except OSError:
            stdin.close()
            return None
        _opened = Streams(stdin, stdout, is_terminal=True)
    return _opened


_opened: Streams | None = None
