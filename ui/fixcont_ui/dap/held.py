"""A thread that is held at a stop: what a client looks at, and where everything that concerns the program is done.

What a request wants of the program is done in the held thread itself: its thread-local and context variables are those that the user
means, and whatever the program's code does there, the loop that talks to the client goes on.
"""

from __future__ import annotations

import itertools
from _thread import allocate_lock
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

from fixcont.continuing.ways import Propagate, QuitProgram, Replay, Throw, Way
from fixcont.errors import Refused
from fixcont.stopping.stop import Stop, StopReason
from fixcont_ui.dap.failures import Failure, failure
from fixcont_ui.dap.workplace import Workplace

if TYPE_CHECKING:
    from fixcont.postmortem.replay import Replayed
    from fixcont_ui.dap.console import DebugConsole
    from fixcont_ui.dap.loop import Loop

_T = TypeVar("_T")
#: Ids of frames and of values are never given out twice, so one that is too old is known to be so.
_ids: Final = itertools.count(1)


class HeldThread(Workplace):
    """One thread at one stop. Made in the held thread.

    Args:
        loop: where answers are sent from.
        console: makes what carries commands out, once it is needed.
        quits_on_interrupt: leave the stop for the program's end when Ctrl-C comes that nobody here has sent.

    Attributes:
        stop: where it is held.
        shown_as: the reason to give to the client in place of the stop's own, "" for that.
        was_paused: whether it stopped because a client has asked for that.
        replayed: what the last replay in this thread gave, None where there was none.
        is_quiet: whether the client knows already, as it asked for it, that the thread goes on.
    """

    def __init__(
        self, stop: Stop, loop: Loop, console: Callable[[HeldThread], DebugConsole], *, quits_on_interrupt: bool = False
    ) -> None:
        super().__init__(loop)
        if quits_on_interrupt:
            self._limited.otherwise = lambda: self._leave(QuitProgram())
        self.stop = stop
        self.shown_as = ""
        self.is_quiet = False
        self.was_paused = False
        self.replayed: Replayed | None = None
        self._lock: Final = allocate_lock()
        self._told: object = None  # the client that knows of the stop
        self._make_console = console
        self._console: DebugConsole | None = None
        self._way: Way | None = None
        self._frames: dict[int, int] = {}  # id -> index of the frame in the stop that is looked at
        self._frame_ids: dict[int, int] = {}  # the other way round
        self._values: dict[int, Any] = {}  # id -> what it stands for

    # In the held thread.

    def serve(self) -> Way:
        """Do what is asked for until the stop is answered. Returns the answer."""
        self.work(lambda: self._loop.perform(lambda: self.stop.prepare_edits(self.stop)))
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
        self.close()

    def look_at(self, stop: Stop, *, same_frames: bool) -> None:
        """Look at another stop from now on: what was read from a file is there again, or another exception of the chain is looked at.

        The ids of values that were given so far stand for nothing any more, and neither do those of frames, unless these are the same.

        Args:
            same_frames: whether the frames are those of the stop before, one for one, so that clients may go on to name them by their ids.
        """
        self.stop = stop
        self._values.clear()  # an assignment would be evaluated in a frame of this stop, and go into one of the other
        if not same_frames:
            self._frames, self._frame_ids = {}, {}

    def frame_index(self, number: int) -> int:
        """Give the index of a frame in the stop that is looked at now. Raises `Failure` where the id is of another stop's."""
        index = self._frames.get(number)
        if index is None:
            raise stale("frame", "the stack")
        return index

    def refer(self, value: Any) -> int:
        """Give an id for something that the client may ask for as long as this stop is looked at."""
        number = next(_ids)
        self._values[number] = value
        return number

    def referred(self, number: int, kind: type[_T]) -> _T | None:
        """Give what an id stands for, None where it is nothing of this kind, or not of the stop that is looked at now."""
        found = self._values.get(number)
        return found if isinstance(found, kind) else None

    def console(self, index: int) -> DebugConsole:
        """Give what carries commands out, with a frame of the stop selected; in the held thread, and outside of `running_code`.

        The first call imports modules, and an interrupt that comes in the import machinery's own callbacks is lost.
        """
        if self._console is None:
            self._console = self._make_console(self)
        self._console.select(index)
        return self._console

    @property
    def keeps_replayed(self) -> bool:
        """Whether what the last replay in this thread gave is still to be shown: the stop was left by a replay, or has come in one."""
        return isinstance(self._way, Replay) or any(frame.is_live for frame in self.stop.frames[:1])

    # In the loop's thread.

    @property
    def is_left(self) -> bool:
        """Whether the stop is answered."""
        return self._way is not None

    def let_go(self, way: Way | None = None) -> None:
        """Leave the stop by a way that is never refused, whatever requests wait for; only the first call counts.

        Args:
            way: None to go on as if nobody had looked: there is nobody any more.
        """
        self.interrupt()
        self._leave(way)

    def _leave(self, way: Way | None) -> None:
        def leave() -> None:
            if self._way is None:
                self._way = unattended(self.stop, was_paused=self.was_paused) if way is None else way
                self.close()

        self._exchange.submit(leave)

    # In either thread.

    def is_to_be_told(self, client: object) -> bool:
        """Tell, once, whether a client has still to hear of the stop."""
        with self._lock:
            was_told, self._told = self._told is client, client
        return not was_told

    def frame_id(self, index: int) -> int:
        """Give the id of a frame of the stop."""
        known = self._frame_ids.get(index)
        if known is None:
            known = self._frame_ids[index] = next(_ids)
            self._frames[known] = index
        return known

    def has_frame(self, number: int) -> bool:
        """Tell whether an id is that of a frame here. What was asked for before may change that: `frame_index` has the last word."""
        return number in self._frames

    def has_value(self, number: int) -> bool:
        """Tell whether an id is that of a value here. What was asked for before may change that: `referred` has the last word."""
        return number in self._values


def unattended(stop: Stop, *, was_paused: bool) -> Way:
    """Return how a stop is left when nobody is there to answer: as if fixcont were not.

    Args:
        was_paused: whether a client has asked for it, so that there was no Ctrl-C.
    """
    if stop.reason is StopReason.INTERRUPT and stop.frames and not was_paused:
        return Throw(stop.frames[stop.selected], KeyboardInterrupt())
    return Propagate()


def stale(what: str, again: str) -> Failure:
    """Make the failure for an id that stands for nothing any more.

    Args:
        what: it was the id of.
        again: is to be asked for again.
    """
    return failure(
        "stale-reference", f"the stop that this {what} was of has ended, or another one is looked at", f"ask for {again} again"
    )
