"""A thread in which requests have something done: a held one, or the one that stands in where none is held.

What is done there may run code of the program's, which may never end: so each request has a time, and can be interrupted.
"""

from __future__ import annotations

from _thread import allocate_lock, get_ident, start_new_thread
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Final

from fixcont.errors import Refusal, Refused
from fixcont_ui.dap.failures import Failure, failure
from fixcont_ui.dap.later import Body, Later
from fixcont_ui.dap.limits import Limited
from fixcont_ui.held_thread import Exchange

if TYPE_CHECKING:
    from fixcont_ui.dap.loop import Loop

_LOOK: Final = 0.1  # seconds between looks at what runs


class Workplace:
    """See the module. Made in its thread.

    Args:
        loop: where requests come from and answers are sent from.

    Attributes:
        ident: of the thread.
    """

    def __init__(self, loop: Loop) -> None:
        self.ident: Final = get_ident()
        self._loop = loop
        self._exchange: Final = Exchange()
        self._limited: Final = Limited()
        self._waiting: set[Later] = set()  # answers that nobody has given yet
        self._is_watched = False  # parts of the request have time limits of their own

    # In its thread.

    def work(self, at_leisure: Callable[[], None] | None = None) -> None:
        """Do what is asked for until `close`; `at_leisure` once when nothing was asked for a while."""
        with self._limited:
            self._exchange.serve(at_leisure)
        for later in list(self._waiting):
            later.fail(failure("stale-reference", "the stop has ended", "ask for the stack again"))

    def close(self) -> None:
        """Let `work` return after what is being done."""
        self._exchange.close()

    @contextmanager
    def running_code(self, seconds: float | None = None) -> Iterator[None]:
        """Let a time limit, and a pause, end what runs in this block: code of the program's.

        Args:
            seconds: after which this block alone is interrupted; None for the limit of the request.
        """
        if seconds is not None and not self._is_watched:
            self._is_watched = True
            self._loop.call_soon(self._watch)
        with self._limited.allowed(seconds):
            yield

    @contextmanager
    def uninterrupted(self) -> Iterator[None]:
        """Let this block finish, though what runs is interrupted."""
        with self._limited.held():
            yield

    # In the loop's thread.

    def submit(self, work: Callable[[], Body], seconds: float) -> Later:
        """Have something done there.

        Args:
            work: raises `Failure` or `Refused` where it cannot be done.
            seconds: after which the answer is a failure, and what runs in `running_code` is interrupted.
        """
        later = Later()

        def job() -> None:
            self._limited.begin(later)
            found: tuple[Body, Failure | None] | None = None
            try:
                if not later.is_answered:  # else its time was over before it began
                    found = carry_out(work)
            finally:
                self._limited.end()
                self._is_watched = False
            if found is not None:  # only now: a pause that follows the answer is not meant for this any more
                later.give(*found)

        def give_up() -> None:
            sentence = f"it takes longer than {seconds:g} seconds"
            if later.fail(failure("timed-out", sentence, "pause interrupts what runs; evaluateTimeout is the limit")):
                self._limited.interrupt(later)

        def answered() -> None:
            timer.cancel()
            self._waiting.discard(later)

        timer = self._loop.call_later(seconds, give_up)
        later.give_up = lambda: self._limited.interrupt(later)
        later.then(answered)
        self._waiting.add(later)
        self._exchange.submit(job)
        return later

    def interrupt(self) -> bool:
        """Interrupt what a request has started, or is about to. Returns whether there was anything."""
        waiting = list(self._waiting)
        running = next((later for later in waiting if self._limited.interrupt(later)), None)
        if running is not None and not self._limited.is_put_off:
            return True
        # What runs is none of the program's code, or was given up already: then the pause is meant for what comes next, too.
        is_busy = running is not None or self._limited.interrupt(None)
        for later in waiting:
            if later is not running and later.fail(failure("interrupted", "it was interrupted")):
                self._limited.interrupt(later)  # it may have begun just now
        return is_busy or bool(waiting)

    def _watch(self) -> None:
        """Interrupt parts of a request that take too long, until it is over."""
        if self._is_watched:
            self._limited.interrupt_part()
            self._loop.call_later(_LOOK, self._watch)


def start_workplace(loop: Loop, surroundings: Callable[[], AbstractContextManager[object]]) -> Workplace:
    """Make a workplace in a thread of its own, which the program's `threading` does not know of.

    Args:
        surroundings: gives what that thread is in.
    """
    made: list[Workplace] = []
    is_made = allocate_lock()
    is_made.acquire()

    def run() -> None:
        made.append(Workplace(loop))
        is_made.release()
        with surroundings():
            made[0].work()

    start_new_thread(run, ())
    is_made.acquire()
    return made[0]


def carry_out(work: Callable[[], Body]) -> tuple[Body, Failure | None]:
    """Do something. Returns what is to be answered."""
    try:
        return work(), None
    except Failure as failed:
        return None, failed
    except Refused as refused:
        return None, Failure(refused.refusal)
    except KeyboardInterrupt:
        return None, failure("interrupted", "it was interrupted")
    except Exception as error:
        place = error.__traceback__
        while place is not None and place.tb_next is not None:
            place = place.tb_next
        where = f" ({place.tb_frame.f_code.co_name}:{place.tb_lineno})" if place is not None else ""
        return None, Failure(Refusal("internal-error", f"a fault of fixcont itself: {type(error).__name__}: {error}{where}"))
