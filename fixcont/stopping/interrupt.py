"""Ctrl-C in a running program is a stop."""

from __future__ import annotations

import _thread
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from fixcont.bytecode import interpreter
from fixcont.continuing.unwinding import is_ours
from fixcont.errors import Quit
from fixcont.stopping.threads import is_main

_is_ending = False

_DELAYS = (0.02, 0.05, 0.2)  # seconds after which a signal that is not noticed is sent again
_LATE = 1.0  # seconds in which one that was sent again arrives


class InterruptHandler:
    """Stands in the place of Python's own SIGINT handler. Programs that install one of their own replace it, as they would Python's.

    Args:
        stop: called with the interrupted frame of the debuggee.
        is_busy: tells whether fixcont is at work in this thread; then Ctrl-C is a KeyboardInterrupt there.
        woken: called in the main thread once it was woken for a pause, and told whether it is busy; it returns whether to stop there.
    """

    def __init__(
        self, stop: Callable[[FrameType], None], is_busy: Callable[[], bool], woken: Callable[[bool], bool] = lambda _: False
    ) -> None:
        self._stop = stop
        self._is_busy = is_busy
        self._woken = woken
        self._ignored_until = 0.0  # until when a signal may be one that was sent again
        self._is_waking = False  # a signal of ours is on its way: one at a time, so that it can be told from Ctrl-C
        self._is_preparing = False  # a stop is on its way already, and what it needs is being loaded
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

    @contextmanager
    def preparing(self) -> Iterator[None]:
        """Let no signal come in this block, if it runs in the main thread: a stop is on its way, and loads what it needs."""
        if self._is_preparing or not is_main(_thread.get_ident()):
            yield
            return
        self._is_preparing = True
        try:
            yield
        finally:
            self._is_preparing = False

    def wake(self) -> bool:
        """Wake the main thread out of a sleep or a wait, so that `woken` is asked there. Returns whether it can be woken.

        It cannot where the program has a handler of its own: that would take the signal to be Ctrl-C.
        """
        if self._before is None or signal.getsignal(signal.SIGINT) != self._arrived:
            return False
        if not self._is_waking:
            self._is_waking = True
            _send()
            if not is_main(_thread.get_ident()):
                self._send_again()
        return True

    def _send_again(self) -> None:
        """Send the signal again, a few times, as long as it is not noticed: one that comes just before a sleep begins does not end it."""
        for delay in _DELAYS:
            end = time.monotonic() + delay
            while self._is_waking and time.monotonic() < end:
                time.sleep(delay / 10)
            if not self._is_waking:
                return
            self._ignored_until = time.monotonic() + _LATE
            _send()

    def _arrived(self, number: int, frame: FrameType | None) -> None:
        is_pause, self._is_waking = self._is_waking, False
        if self._ignored_until and not is_pause:
            until, self._ignored_until = self._ignored_until, 0.0
            if time.monotonic() < until:
                return  # sent again although the first one was being noticed
        if self._is_preparing:
            return
        if _is_ending:
            raise Quit(1)
        while frame is not None and is_ours(frame):
            frame = frame.f_back
        if is_pause and not (self._woken(frame is None or self._is_busy()) and frame is not None):
            return
        if frame is None or self._is_busy():
            raise KeyboardInterrupt
        self._stop(frame)


def _send() -> None:
    """Send the main thread what Ctrl-C sends."""
    main = threading.main_thread().ident
    if hasattr(signal, "pthread_kill") and main is not None:
        signal.pthread_kill(main, signal.SIGINT)
    else:
        _thread.interrupt_main()


def is_jump_back(frame: FrameType) -> bool:
    """Tell whether a frame stands at a jump backward: at the end of a loop's round."""
    return frame.f_lasti >= 0 and interpreter.DIRECTION[frame.f_code.co_code[frame.f_lasti]] < 0


def end_main_thread() -> None:
    """Make the main thread raise `Quit` at its next instruction."""
    global _is_ending
    _is_ending = True
    _thread.interrupt_main()
