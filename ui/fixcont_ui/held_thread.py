"""Work that another thread has for the held one.

Everything that concerns the program happens in the thread that is held: its thread-local variables, its context variables and its event loop
are those that the user means. The window, or whoever else talks to the user, runs in a thread of its own and only shows what it is given.
"""

from __future__ import annotations

import _thread
import contextlib
import signal
import threading
from _queue import Empty, SimpleQueue  # those of `queue` and `threading` may be the program's own by now
from _thread import get_ident
from collections.abc import Callable
from typing import Final

#: Seconds of one wait: a signal that another thread has taken is handled between two of them only.
_LISTEN: Final = 0.2

Job = Callable[[], None]


class Exchange:
    """Jobs for the thread that makes it. `serve` runs them there until `close`.

    Attributes:
        submitted, done: how many jobs there were, and how many of them have ended.
        is_waiting: whether it waits for what the user types.
    """

    def __init__(self) -> None:
        self._held: Final = get_ident()
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._answers: SimpleQueue[str | None] = SimpleQueue()
        self._is_closed = False
        self.submitted = self.done = 0
        self.is_waiting = False

    def submit(self, job: Job) -> None:
        """Have something done in the held thread."""
        self.submitted += 1
        self._jobs.put(job)

    @property
    def is_busy(self) -> bool:
        """Whether there is something to do."""
        return self.submitted > self.done

    def close(self) -> None:
        """Let `serve` return after the job that runs, and whoever waits for an answer give up."""
        self._is_closed = True
        self._jobs.put(None)
        self._answers.put(None)

    def serve(self, at_leisure: Job | None = None) -> None:
        """Run jobs, in the held thread, until the exchange is closed.

        Args:
            at_leisure: done once when there has been nothing to do for a while; must not raise.
        """
        while True:
            try:
                job = self._jobs.get(timeout=_LISTEN)
            except Empty:
                if at_leisure is not None:
                    at_leisure()
                    at_leisure = None
                continue
            if job is None or self._is_closed:
                return
            try:
                job()
            finally:
                self.done += 1

    def wait_for_answer(self) -> str:
        """Wait, in the held thread, for what the user types.

        Raises:
            KeyboardInterrupt: the user does not want to, or there is nobody any more.
        """
        self.is_waiting = True
        try:
            while True:
                with contextlib.suppress(Empty):
                    answer = self._answers.get(timeout=_LISTEN)
                    break
        finally:
            self.is_waiting = False
        if answer is None:
            raise KeyboardInterrupt
        return answer

    def answer(self, text: str) -> None:
        """Give what the user typed to the held thread."""
        self._answers.put(text)

    def give_up(self) -> None:
        """Let the held thread not wait for what the user types any more."""
        self._answers.put(None)

    def interrupt(self) -> bool:
        """Interrupt what runs in the held thread, as Ctrl-C does. Returns whether that can be."""
        if self._held != threading.main_thread().ident:
            return False
        with contextlib.suppress(OSError, ValueError):
            signal.pthread_kill(self._held, signal.SIGINT)  # so that it also ends what waits
            return True
        _thread.interrupt_main()
        return True
