"""Interrupting what a request has started in a held thread, and nothing else.

In the main thread a signal does it, so that also what waits in the system ends. In another thread an exception is set for it, which comes
at the next instruction. Either may come late, when the code that it was meant for has ended: then the signal is waited for and dropped, the
exception is taken back.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from _thread import allocate_lock, get_ident
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final

from fixcont_ui.dap.clock import CLOCK


class Limited:
    """What can be interrupted in one thread. Made in that thread, and used around all that is done in it.

    Attributes:
        otherwise: called in the main thread for a signal that nobody here has sent, and that is to interrupt nothing.
    """

    def __init__(self) -> None:
        self._ident: Final = get_ident()
        self._is_main: Final = threading.main_thread().ident == self._ident
        self._lock: Final = allocate_lock()
        self._task: object = None  # what is being done
        self._is_allowed = False  # code of the program's runs
        self._is_wanted = False  # it was interrupted before that began
        self._until: float | None = None  # what runs has time until then
        self._is_sent = False  # an interrupt is on its way
        self._before: Any = None
        self._is_ours = False
        self.otherwise: Callable[[], None] | None = None

    def __enter__(self) -> Limited:
        # A handler that is None is of C code, and cannot be put back.
        if self._is_main and signal.getsignal(signal.SIGINT) is not None:
            self._before = signal.signal(signal.SIGINT, self._arrived)
            self._is_ours = True
        return self

    def __exit__(self, *exception: object) -> None:
        if self._is_ours:
            signal.signal(signal.SIGINT, self._before)
            self._is_ours = False

    # In the held thread.

    def begin(self, task: object) -> None:
        """Note what is being done."""
        with self._lock:
            self._task, self._is_wanted = task, False

    def end(self) -> None:
        """Note that it is done."""
        self._settle()
        with self._lock:
            self._task, self._is_wanted = None, False

    @contextmanager
    def allowed(self, seconds: float | None = None) -> Iterator[None]:
        """Let an interrupt raise `KeyboardInterrupt` in this block.

        Args:
            seconds: after which `interrupt_part` interrupts it; None where that has no limit of its own.
        """
        with self._lock:
            is_wanted, self._is_wanted = self._is_wanted, False
            self._is_allowed = not is_wanted
            self._until = None if seconds is None else CLOCK.monotonic() + seconds
        if is_wanted:
            raise KeyboardInterrupt
        try:
            yield
        finally:
            self._settle()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let this block finish first, within one in which interrupts raise."""
        was_allowed = self._is_allowed
        self._settle()
        try:
            yield
        finally:
            with self._lock:
                is_wanted, self._is_wanted = self._is_wanted and was_allowed, False
                self._is_allowed = was_allowed and not is_wanted
        if is_wanted:
            raise KeyboardInterrupt

    def _settle(self) -> None:
        """Let nothing be interrupted any more, and wait for what is on its way."""
        while True:
            try:
                with self._lock:
                    self._is_allowed, self._until = False, None
                if self._is_sent and not self._is_main:
                    self._take_back()
                while self._is_sent:
                    CLOCK.sleep(0.001)
                return
            except KeyboardInterrupt:
                self._is_sent = False

    def _take_back(self) -> None:
        """Forget an exception that was set for this thread: it has come and nobody says so, or it would come late."""
        _set_exception(self._ident, None)
        self._is_sent = False

    def _arrived(self, number: int, frame: FrameType | None) -> None:
        """A signal has come: ours, or the user's Ctrl-C in the program's terminal."""
        was_sent, self._is_sent = self._is_sent, False
        if self._is_allowed or was_sent:
            raise KeyboardInterrupt
        if self.otherwise is not None:
            self.otherwise()

    # In another thread.

    def interrupt(self, task: object) -> bool:
        """Interrupt what is being done, where it is `task` or that is None. Returns whether it is being done."""
        with self._lock:
            if self._task is None or (task is not None and task is not self._task):
                return False
            if not self._is_allowed:
                self._is_wanted = True
            elif not self._is_sent:
                self._send()
            return True

    @property
    def is_put_off(self) -> bool:
        """Whether an interrupt waits for code of the program's to begin, which what is being done may never come to."""
        return self._is_wanted

    def interrupt_part(self) -> None:
        """Interrupt what runs, where that has a limit of its own and has gone beyond it."""
        with self._lock:
            if self._is_allowed and self._until is not None and CLOCK.monotonic() > self._until and not self._is_sent:
                self._send()

    def _send(self) -> None:
        """Send an interrupt. It is noted first: it may have come before this thread runs again."""
        self._is_sent = True
        if not self._has_sent():
            self._is_sent = False

    def _has_sent(self) -> bool:
        if self._is_main:
            if not self._is_ours:
                return False
            with contextlib.suppress(OSError, ValueError):
                signal.pthread_kill(self._ident, signal.SIGINT)
                return True
            return False
        return _set_exception(self._ident, KeyboardInterrupt)


def _set_exception(ident: int, kind: type[BaseException] | None) -> bool:
    """Set the exception that comes in a thread at its next instruction; None takes it back. Returns whether there is such a thread."""
    import ctypes  # only once something has to be interrupted: it is slow to load

    given = ctypes.py_object() if kind is None else ctypes.py_object(kind)
    return bool(ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident), given))
