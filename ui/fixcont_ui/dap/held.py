"""A thread that is held at a stop: what a client looks at, and where everything that concerns the program is done.

What a request wants of the program is done in the held thread itself: its thread-local and context variables are those that the user
means, and whatever the program's code does there, the loop that talks to the client goes on.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from fixcont.continuing.ways import Propagate, Throw, Way
from fixcont.errors import Refusal, Refused
from fixcont.stopping.frames import Frame
from fixcont.stopping.stop import Stop, StopReason
from fixcont_ui.dap.failures import Failure, failure
from fixcont_ui.dap.later import Body, Later
from fixcont_ui.dap.limits import Limited
from fixcont_ui.held_thread import Exchange

if TYPE_CHECKING:
    from fixcont_ui.dap.console import DebugConsole
    from fixcont_ui.dap.loop import Loop

_LOOK: Final = 0.1  # seconds between looks at what runs
#: Ids of frames and of values are never given out twice, so one that is too old is known to be so.
_ids: Final = itertools.count(1)


class HeldThread:
    """One thread at one stop. Made in the held thread.

    Args:
        loop: where answers are sent from.
        console: makes what carries commands out, once it is needed.

    Attributes:
        stop: where it is held.
        ident: of the thread.
        shown_as: the reason to give to the client in place of the stop's own, "" for that.
        is_quiet: whether the client knows already, as it asked for it, that the thread goes on.
    """

    def __init__(self, stop: Stop, loop: Loop, console: Callable[[HeldThread], DebugConsole]) -> None:
        self.stop = stop
        self.ident = threading.get_ident()
        self.shown_as = ""
        self.is_quiet = False
        self._loop = loop
        self._exchange = Exchange()
        self._limited = Limited()
        self._make_console = console
        self._console: DebugConsole | None = None
        self._way: Way | None = None
        self._is_watched = False  # parts of the request have time limits of their own
        self._frames: dict[int, int] = {}  # id -> index of the frame
        self._frame_ids: dict[int, int] = {}  # the other way round
        self._values: dict[int, Any] = {}  # id -> what it stands for

    # In the held thread.

    def serve(self) -> Way:
        """Do what is asked for until the stop is answered. Returns the answer."""
        with self._limited:
            self._exchange.serve()
        self._values.clear()  # here: what goes away with them belongs to this thread
        self._console = None
        assert self._way is not None
        return self._way

    def answer(self, way: Way) -> None:
        """Leave the stop; in the held thread.

        Raises:
            Refused: it cannot be left this way. Nothing was touched.
        """
        refusal = self.stop.refusal_of(way)
        if refusal is not None:
            raise Refused(refusal)
        self._way = way
        self._exchange.close()

    def console(self, index: int) -> DebugConsole:
        """Give what carries commands out, with a frame of the stop selected; in the held thread."""
        if self._console is None:
            self._console = self._make_console(self)
        self._console.select(index)
        return self._console

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

    @property
    def is_left(self) -> bool:
        """Whether the stop is answered."""
        return self._way is not None

    @property
    def is_busy(self) -> bool:
        return self._exchange.is_busy

    def submit(self, work: Callable[[], Body], seconds: float) -> Later:
        """Have something done in the held thread.

        Args:
            work: raises `Failure` or `Refused` where it cannot be done.
            seconds: after which the answer is a failure, and what runs in `running_code` is interrupted.
        """
        later = Later()

        def job() -> None:
            if not later.is_answered:  # else its time was over before it began
                self._limited.begin(later)
                try:
                    carry_out(work, later)
                finally:
                    self._limited.end()
                    self._is_watched = False

        def give_up() -> None:
            sentence = f"it takes longer than {seconds:g} seconds"
            if later.fail(failure("timed-out", sentence, "pause interrupts what runs; evaluateTimeout is the limit")):
                self._limited.interrupt(later)

        later.give_up = lambda: self._limited.interrupt(later)
        timer = self._loop.call_later(seconds, give_up)
        later.then(timer.cancel)
        self._exchange.submit(job)
        return later

    def _watch(self) -> None:
        """Interrupt parts of a request that take too long, until it is over."""
        if self._is_watched:
            self._limited.interrupt_part()
            self._loop.call_later(_LOOK, self._watch)

    def interrupt(self) -> bool:
        """Interrupt what a request has started in the held thread. Returns whether there was anything."""
        return self._limited.interrupt(None)

    def let_go(self) -> None:
        """Leave the stop as if nobody had looked: there is nobody any more."""

        def leave() -> None:
            if self._way is None:
                self._way = unattended(self.stop)
                self._exchange.close()

        self._limited.interrupt(None)
        self._exchange.submit(leave)

    # References, in either thread.

    def frame_id(self, index: int) -> int:
        """Give the id of a frame of the stop."""
        known = self._frame_ids.get(index)
        if known is None:
            known = self._frame_ids[index] = next(_ids)
            self._frames[known] = index
        return known

    def frame_index(self, number: int) -> int | None:
        """Find a frame by its id, None where it is not one of this stop."""
        return self._frames.get(number)

    def frame(self, number: int) -> Frame:
        return self.stop.frames[self._frames[number]]

    def refer(self, value: Any) -> int:
        """Give an id for something that the client may ask for until the stop ends."""
        number = next(_ids)
        self._values[number] = value
        return number

    def referred(self, number: int) -> Any:
        """Give what an id stands for, None where it is not one of this stop."""
        return self._values.get(number)


def carry_out(work: Callable[[], Body], later: Later) -> None:
    """Do something, and give what comes of it as an answer."""
    try:
        later.succeed(work())
    except Failure as failed:
        later.fail(failed)
    except Refused as refused:
        later.fail(Failure(refused.refusal))
    except KeyboardInterrupt:
        later.fail(failure("interrupted", "it was interrupted"))
    except Exception as error:
        place = error.__traceback__
        while place is not None and place.tb_next is not None:
            place = place.tb_next
        where = f" ({place.tb_frame.f_code.co_name}:{place.tb_lineno})" if place is not None else ""
        later.fail(Failure(Refusal("internal-error", f"a fault of fixcont itself: {type(error).__name__}: {error}{where}")))


def unattended(stop: Stop) -> Way:
    """Return how a stop is left when nobody is there to answer: as if fixcont were not."""
    if stop.reason is StopReason.INTERRUPT:
        return Throw(stop.frames[stop.selected], KeyboardInterrupt())
    return Propagate()
