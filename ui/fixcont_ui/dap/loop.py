"""An event loop in a thread of its own, inside of the program that is debugged.

The thread is started by `_thread`, so that the program's `threading` does not count it, and everything that the loop uses is taken hold
of when this module is imported: a program that replaces sockets or locks later, as gevent does, changes nothing here.
"""

from __future__ import annotations

import collections
import contextlib
import heapq
import itertools
import selectors
import socket
from _thread import start_new_thread
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Final

from fixcont_ui.dap.clock import CLOCK

Action = Callable[[], None]

_READ, _WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
_MANY: Final = 64  # timers that are kept though they may be cancelled


class Timer:
    """Something to be done later, unless it is cancelled."""

    __slots__ = ("action",)

    def __init__(self, action: Action) -> None:
        self.action: Action | None = action

    def cancel(self) -> None:
        self.action = None


class Loop:
    """Calls actions when sockets are ready and when their time has come.

    `call_soon` and `stop` may be called from any thread and from signal handlers; the rest only in the loop's thread, or before it runs.

    Args:
        failed: told of what an action raises; the loop goes on.
        at_work: gives what the loop's thread is in while it runs.
    """

    def __init__(self, failed: Callable[[BaseException], None], at_work: Callable[[], AbstractContextManager[object]]) -> None:
        self._failed = failed
        self._at_work = at_work
        self._selector = selectors.DefaultSelector()
        self._soon: collections.deque[Action] = collections.deque()
        self._timers: list[tuple[float, int, Timer]] = []
        self._many = _MANY  # timers at which cancelled ones are looked for
        self._number = itertools.count()
        self._is_over = False
        self._woken, self._wake = socket.socketpair()
        self._woken.setblocking(False)
        self._wake.setblocking(False)
        self._selector.register(self._woken, _READ, self._drain)

    def start(self) -> None:
        """Run in a new thread."""
        start_new_thread(self.run, ())

    def run(self) -> None:
        """Run until `stop`."""
        with self._at_work():
            while not self._is_over:
                self._turn()
        self._selector.close()
        self._woken.close()
        self._wake.close()

    def _turn(self) -> None:
        for key, _ in self._selector.select(self._timeout()):
            self.perform(key.data)
        for _ in range(len(self._soon)):
            self.perform(self._soon.popleft())
        while self._timers and self._timers[0][0] <= CLOCK.monotonic():
            action = heapq.heappop(self._timers)[2].action
            if action is not None:
                self.perform(action)

    def stop(self) -> None:
        """End the loop after what it is doing."""

        def end() -> None:
            self._is_over = True

        self.call_soon(end)

    def call_soon(self, action: Action) -> None:
        """Have something done in the loop's thread."""
        self._soon.append(action)
        with contextlib.suppress(OSError):  # it is awake already, or over
            self._wake.send(b".")

    def call_later(self, seconds: float, action: Action) -> Timer:
        """Have something done after some time."""
        timer = Timer(action)
        if len(self._timers) >= self._many:
            self._forget_cancelled()
        heapq.heappush(self._timers, (CLOCK.monotonic() + seconds, next(self._number), timer))
        return timer

    def _forget_cancelled(self) -> None:
        """Let go of the timers that were cancelled: they would stay until their time."""
        self._timers = [each for each in self._timers if each[2].action is not None]
        heapq.heapify(self._timers)
        self._many = max(_MANY, 2 * len(self._timers))

    def watch(self, sock: socket.socket, action: Action, *, writes: bool = False) -> None:
        """Call `action` whenever there is something to be read from a socket; with `writes`, also when it takes more."""
        events = _READ | _WRITE if writes else _READ
        try:
            self._selector.modify(sock, events, action)
        except KeyError:
            self._selector.register(sock, events, action)

    def forget(self, sock: socket.socket) -> None:
        """Do not watch a socket any more."""
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(sock)

    def _timeout(self) -> float | None:
        if self._soon:
            return 0
        while self._timers and self._timers[0][2].action is None:
            heapq.heappop(self._timers)
        return max(0.0, self._timers[0][0] - CLOCK.monotonic()) if self._timers else None

    def _drain(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._woken.recv(4096):
                pass

    def perform(self, action: Action) -> None:
        """Do something now; what it raises is told, and goes no further."""
        try:
            action()
        except BaseException as error:
            self._failed(error)
