"""The answer to a request that is not known yet."""

from __future__ import annotations

from _thread import allocate_lock
from collections.abc import Callable, Mapping
from typing import Any, Final

from fixcont_ui.dap.failures import Failure, failure

Body = Mapping[str, Any] | None
#: Called with the body, or with the failure.
Listener = Callable[[Body, Failure | None], None]


class Later:
    """An answer that comes once, from any thread. Whoever comes second is too late, and is told so.

    Attributes:
        give_up: stops what would give the answer, once nobody waits for it any more.
    """

    def __init__(self) -> None:
        self._lock: Final = allocate_lock()
        self._listener: Listener | None = None
        self.give_up: Callable[[], object] | None = None
        self._first: Callable[[], None] | None = None
        self._answer: tuple[Body, Failure | None] | None = None

    @property
    def is_answered(self) -> bool:
        return self._answer is not None

    def succeed(self, body: Body = None) -> bool:
        """Give the answer. Returns whether it was the first one."""
        return self.give(body, None)

    def fail(self, failure: Failure) -> bool:
        """Say why there is no answer. Returns whether it was the first one."""
        return self.give(None, failure)

    def tell(self, listener: Listener) -> None:
        """Have somebody told of the answer, at once where it is there."""
        with self._lock:
            if self._answer is None:
                self._listener = listener
                return
        listener(*self._answer)

    def cancel(self) -> None:
        """Give up on it: the client does not want it any more."""
        give_up = self.give_up
        if self.fail(failure("cancelled", "the client has cancelled it")) and give_up is not None:
            give_up()

    def then(self, action: Callable[[], None]) -> None:
        """Have something done, in whichever thread, when the answer is there, before anybody is told of it."""
        self._first = action

    def give(self, body: Body, failure: Failure | None) -> bool:
        """Give the answer, or say why there is none. Returns whether it was the first one."""
        with self._lock:
            if self._answer is not None:
                return False
            self._answer = body, failure
            listener, first = self._listener, self._first
            # They know this answer, and the stop: in a cycle all would live until the collector comes, with the values of the program.
            self._listener = self._first = self.give_up = None
        if first is not None:
            first()
        if listener is not None:
            listener(body, failure)
        return True
