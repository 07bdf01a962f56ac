"""The numbers that threads have for a client. They are small, and those of threads that have ended are not given to others."""

from __future__ import annotations

import threading
from _thread import allocate_lock
from typing import Final


class Threads:
    """Numbers for threads, from 1, the main thread's, on."""

    def __init__(self) -> None:
        self._lock: Final = allocate_lock()
        main = threading.main_thread().ident
        self._numbers: dict[int, int] = {} if main is None else {main: 1}
        self._last = 1

    def number(self, ident: int) -> int:
        """Give the number of a thread."""
        with self._lock:
            found = self._numbers.get(ident)
            if found is None:
                self._last += 1
                found = self._numbers[ident] = self._last
            return found

    def ident(self, number: int) -> int | None:
        """Find a thread by its number."""
        with self._lock:
            return next((ident for ident, each in self._numbers.items() if each == number), None)

    def forget_others(self, alive: set[int]) -> None:
        """Forget the threads that have ended: the system may give their idents to new ones."""
        with self._lock:
            self._numbers = {ident: number for ident, number in self._numbers.items() if ident in alive or number == 1}
