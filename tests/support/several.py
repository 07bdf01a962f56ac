"""A front end that holds several threads at once."""

from __future__ import annotations

import queue
import threading

from fixcont.continuing.ways import Way
from fixcont.errors import Refusal
from fixcont.stopping.stop import Stop
from support.front_end import Answer

WAIT = 20  #: seconds until a test fails that waits in vain


class Several:
    """Holds several threads at once; the test answers each when it likes.

    Attributes:
        held: name of a thread -> its stop.
    """

    holds_several = True

    def __init__(self) -> None:
        self.held: dict[str, Stop] = {}
        self.refusals: list[str] = []
        self.messages: list[str] = []
        self._answers: dict[str, queue.SimpleQueue[Answer]] = {}
        self._changed = threading.Condition()

    def stopped(self, stop: Stop) -> Way:
        with self._changed:
            self.held[stop.thread_name] = stop
            self._changed.notify_all()
        answer = self._queue(stop.thread_name).get(timeout=WAIT)
        with self._changed:
            del self.held[stop.thread_name]
        return answer(stop)

    def refused(self, refusal: Refusal) -> None:
        self.refusals.append(refusal.code)

    def report(self, message: str) -> None:
        self.messages.append(message)

    def wait_for(self, *names: str, other_than: Stop | None = None) -> list[Stop]:
        """Wait until threads are held, at other stops than that one, and return the stops."""

        def are_held() -> bool:
            return all(self.held.get(name, other_than) is not other_than for name in names)

        with self._changed:
            assert self._changed.wait_for(are_held, WAIT), f"{names} are not held: {self.held}"
            return [self.held[name] for name in names]

    def answer(self, name: str, answer: Answer) -> None:
        self._queue(name).put(answer)

    def _queue(self, name: str) -> queue.SimpleQueue[Answer]:
        with self._changed:
            return self._answers.setdefault(name, queue.SimpleQueue())
