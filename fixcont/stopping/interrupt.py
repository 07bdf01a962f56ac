"""Ctrl-C in a running program is a stop."""

from __future__ import annotations

import _thread
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

from fixcont.bytecode import interpreter
from fixcont.continuing.unwinding import is_ours
from fixcont.errors import Quit

_is_ending = False


class InterruptHandler:
    """Stands in the place of Python's own SIGINT handler. Programs that install one of their own replace it, as they would Python's.

    Args:
        stop: called with the interrupted frame of the debuggee.
        is_busy: tells whether fixcont is at work in this thread; then Ctrl-C is a KeyboardInterrupt there.
    """

    def __init__(self, stop: Callable[[FrameType], None], is_busy: Callable[[], bool]) -> None:
        self._stop = stop
        self._is_busy = is_busy
        self._before: Any = None

    def install(self) -> None:
        """Take over from Python's own handler. Does nothing outside of the main thread, or where the program has its own."""
        if threading.current_thread() is not threading.main_thread():
            return
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            self._before = signal.signal(signal.SIGINT, self._arrived)

    def uninstall(self) -> None:
        """Put Python's own handler back, unless the program has put another one there meanwhile."""
        if self._before is not None and threading.current_thread() is threading.main_thread():
            if signal.getsignal(signal.SIGINT) == self._arrived:
                signal.signal(signal.SIGINT, self._before)
            self._before = None

    def _arrived(self, number: int, frame: FrameType | None) -> None:
        if _is_ending:
            raise Quit(1)
        while frame is not None and is_ours(frame):
            frame = frame.f_back
        if frame is None or self._is_busy():
            raise KeyboardInterrupt
        self._stop(frame)


def is_jump_back(frame: FrameType) -> bool:
    """Tell whether a frame stands at a jump backward: at the end of a loop's round."""
    return frame.f_lasti >= 0 and interpreter.DIRECTION[frame.f_code.co_code[frame.f_lasti]] < 0


def end_main_thread() -> None:
    """Make the main thread raise `Quit` at its next instruction."""
    global _is_ending
    _is_ending = True
    _thread.interrupt_main()
