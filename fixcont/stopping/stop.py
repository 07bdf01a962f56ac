"""A stop: a thread held with its stack alive, and the front end's side of it."""

from __future__ import annotations

import enum
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from fixcont.continuing.arguments import Arguments
    from fixcont.continuing.ways import Landing, Replay, Resume, Skip, UseValue, Way
    from fixcont.errors import Refusal
    from fixcont.stopping.chain import Chain
    from fixcont.stopping.frames import Frame


class StopReason(enum.Enum):
    """Why a thread is held."""

    EXCEPTION = "exception"
    BREAKPOINT = "breakpoint"
    ENTRY = "entry"
    INTERRUPT = "interrupt"
    STEP = "step"


class Moment(enum.Enum):
    """What the frame at which a thread is held was about to do."""

    LINE = "line"  #: to run a line, or the rest of one
    CALL = "call"  #: to begin
    RETURN = "return"  #: to return a value


class Occasion(NamedTuple):
    """Why a thread is held where no exception is in flight. For the attributes see `Stop`."""

    reason: StopReason
    moment: Moment = Moment.LINE
    value: Any = None
    breakpoints: tuple[int, ...] = ()
    returned: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True)
class Stop:
    """One thread, held.

    Attributes:
        reason: why it is held.
        exception: the exception in flight, or None where the reason is another.
        frames: the live Python frames, innermost first, without those of fixcont and of the runner that started the program.
        selected: index into `frames` of the frame to show first: the innermost one of the user's own code.
        thread_name: the name of the held thread.
        thread_ident: its ident, as `threading.get_ident` gives it in that thread.
        refusal_of: tells why a way cannot be gone from here, or gives None where it can; it touches nothing.
        landing_of: tells where `Resume`, `UseValue`, `Skip` or, in the middle of a frame, `Replay` would go on, or why not; it touches nothing.
        moment: what the innermost frame was about to do.
        value: at `Moment.RETURN` what it returns. None once the stop has ended.
        breakpoints: the numbers of the breakpoints that were hit.
        returned: after a step that `collects`, the qualified names of the user's functions that were stepped over or out of, with what they
            returned, the last one last. Empty once the stop has ended.
        prepare_edits: called with the stop, in the held thread, does what makes an install and a resume faster. Front ends that do not ask
            late need not call it.
        arguments_of: gives what a frame was called with, some of it as given, by parameter; None where nothing of it is left. It raises
            `Refused` ("argument-rebound") where an argument is not kept.
        chain: of a stop at frames that have unwound: the exceptions that led to its own, and the stops at those; else None.
        began: when, in seconds since the epoch.
        late: a sentence where the stop comes later than it should (a prediction was wrong and frames have unwound), else "".
    """

    reason: StopReason
    exception: BaseException | None
    frames: Sequence[Frame]
    selected: int
    thread_name: str
    refusal_of: Callable[[Way], Refusal | None]
    landing_of: Callable[[Resume | UseValue | Skip | Replay], Landing | Refusal]
    prepare_edits: Callable[[Stop], None] = lambda stop: None
    late: str = ""
    moment: Moment = Moment.LINE
    value: Any = None
    breakpoints: tuple[int, ...] = ()
    thread_ident: int = 0
    returned: tuple[tuple[str, Any], ...] = ()
    arguments_of: Callable[[Frame, Mapping[str, Any]], Arguments] | None = None
    chain: Chain | None = None
    began: float = field(default_factory=time.time)

    def forget_values(self) -> None:
        """Let go of the values of the program that it has; called when it ends."""
        object.__setattr__(self, "value", None)
        object.__setattr__(self, "returned", ())


Flight = tuple[int, type, int]


def flight_of(exception: BaseException) -> Flight:
    """Return what tells an exception in flight from others, and does not keep it alive: its identity, and that of where it was raised."""
    place = exception.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    return id(exception), type(exception), id(place)


class FrontEnd(Protocol):
    """What talks to the user. It gets a stop and answers with a way to go on; the engine knows nothing else of it.

    One that has an attribute `takes_interrupts`, and it is false, gets no stops for Ctrl-C, which then is what it is without fixcont.
    One that has an attribute `holds_several`, and it is true, may be called in several threads at once.
    One that has an attribute `asks_late`, and it is true, asks frames whether they can be restarted in the held thread only, and calls
    `prepare_edits` when it has nothing else to do there. For others all that is done before `stopped` is called.
    One that has a method `ended(summary, patch_file)` is told at the end of the process what was repaired in it, if anything (a
    `fixcont.editing.diffs.Summary`), and the name of the file that the diff was written to, or None.
    One that has a method `lets_go(exception, frame)` is asked by it, in the frame that would be held, whether an exception goes on without a
    stop, before anything is worked out for one.
    One that has a method `replayed(outcome)` is told what came of a replay (a `fixcont.postmortem.replay.Replayed`); then the same stop is
    shown again.
    """

    def stopped(self, stop: Stop) -> Way:
        """Show the stop and wait for an answer.

        Called in the held thread; stops of several threads are served one after the other, unless it `holds_several`. An answer that is
        refused comes back through `refused`, and then `stopped` is called again with the same stop.
        """

    def refused(self, refusal: Refusal) -> None:
        """Show why the last answer cannot be carried out. Nothing was touched."""

    def report(self, message: str) -> None:
        """Show a message that belongs to no stop, such as a fault of fixcont itself."""
