"""What the commands of the table see of a pdb at one stop: the `Console`."""

from __future__ import annotations

import linecache
import os
import sys
import threading
from collections.abc import Callable, Sequence
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any, Final

from fixcont.continuing.ways import Replay, Way
from fixcont.errors import Quit, Refusal, Refused
from fixcont.session import Session
from fixcont.stopping.frames import Frame
from fixcont.stopping.stop import Stop, StopReason
from fixcont_ui.commands import AppliesTo, Command, NotDone
from fixcont_ui.drop_in.edits import changing, move_breakpoints
from fixcont_ui.drop_in.front_end import report_fault, session_of_ours
from fixcont_ui.editing_in_place import EditingInPlace
from fixcont_ui.postmortem_commands import POSTMORTEM_COMMANDS
from fixcont_ui.session_console import Result, SessionConsole
from fixcont_ui.streams import Streams
from fixcont_ui.testcase_command import TESTCASE_COMMANDS

if TYPE_CHECKING:
    from types import TracebackType

    from fixcont.editing.result import UndoResult
    from fixcont.postmortem.dead import PostMortem
    from fixcont.stopping.serving import Hold

_in_place = EditingInPlace()  # of all stops, so that what was typed and not saved is there at the next one
_DEAD_INSTEAD: Final = 'what is fixed ("fix") runs when the function is called again, as "replay" does; '
_ALIVE: Final = '"python -m fixcont.pdb", or fixcont.install() at the start, stop before anything unwinds'
_ALIVE_IN_PYTEST: Final = '"pytest --fixcont" stops before anything unwinds'


class StopConsole(SessionConsole):
    """A pdb at one stop. It is an object beside the pdb, whose subclasses may call their own attributes as they like.

    Args:
        debugger: the pdb.
        frame: the innermost frame, where that is alive; None where a traceback is looked at.
        stop: the stop, where it is one of the session's own.
        hold: makes the stop otherwise; not called before a command asks for it.
        dead: the exception or traceback that is looked at, where nothing is alive.

    Attributes:
        way: the answer, once there is one.
    """

    def __init__(
        self,
        debugger: Any,
        frame: FrameType | None,
        stop: Stop | None = None,
        hold: Callable[[FrameType], Hold] | None = None,
        dead: BaseException | TracebackType | None = None,
    ) -> None:
        self._debugger = debugger
        self._stop = stop
        self._make_hold = hold
        self._hold: Hold | None = None
        self._dead = dead
        self._post_mortem: PostMortem | None = None
        self._told: Sequence[str] = ()  # what became of breakpoints, to be told with what was installed
        self.innermost = frame
        self.way: Way | None = None

    # -- the stop

    @property
    def session(self) -> Session:
        return session_of_ours()

    @property
    def stop(self) -> Stop:
        if self._stop is None:
            if self.innermost is None or self._make_hold is None:
                self._stop = self._stop_of_the_dead()
            else:
                self._hold = self._make_hold(self.innermost)
                self._stop = self._hold.stop
        return self._stop

    def _stop_of_the_dead(self) -> Stop:
        from fixcont.postmortem.dead import PostMortem

        exception = self._dead if isinstance(self._dead, BaseException) else None
        try:
            traceback = exception.__traceback__ if exception is not None else self._dead
            assert not isinstance(traceback, BaseException)
            self._post_mortem = PostMortem(self.session, exception, traceback)
        except Refused:
            return _nothing_alive()
        return self._post_mortem.stop

    def exception_for_way(self) -> BaseException | None:
        """Return what is to be raised in the innermost frame for the answer."""
        return self._hold.exception_for(self.way) if self._hold is not None and self.way is not None else None

    def end(self) -> None:
        """Let go of the stop."""
        if self._hold is not None:
            self._hold.end()
        self._stop = self._hold = self.innermost = self._dead = self._post_mortem = None

    @property
    def frame(self) -> Frame | None:
        return next((frame for frame in self.stop.frames if frame.raw is self._debugger.curframe and not _is_dead(frame)), None)

    @property
    def place(self) -> tuple[CodeType, int]:
        raw, line = self._debugger.stack[self._debugger.curindex]
        return raw.f_code, line or 1

    # -- what the commands see: the Console

    def say(self, text: str) -> None:
        self._debugger.message(text)

    def complain(self, text: str) -> None:
        self._debugger.error(text)

    def evaluate_showing_errors(self, expression: str) -> Any:
        return self._debugger._getval(expression)

    def show_error(self) -> None:
        self._debugger._error_exc()

    def report_fault(self, error: Exception) -> None:
        report_fault(error)

    def frames_in_reach(self) -> tuple[list[Frame], int | None]:
        by_raw = {each.raw: each for each in self.stop.frames}
        frames = [by_raw[raw] for raw, _ in reversed(self._debugger.stack) if raw in by_raw]
        return frames, next((at for at, each in enumerate(frames) if each.raw is self._debugger.curframe), None)

    def edit_in_place(self, place: tuple[CodeType, int], path: str, *, is_wanted: bool) -> bool:
        streams = Streams(self._debugger.stdin, self._debugger.stdout, is_terminal=self._is_terminal())

        def lines() -> list[str]:
            code = place[0]
            return self.session.sources.text_of(code) or linecache.getlines(code.co_filename)

        return _in_place.edit(streams, place, lines, self.session.at_work, self.say, is_wanted=is_wanted)

    def _is_terminal(self) -> bool:
        try:
            return bool(self._debugger.stdin.isatty())
        except (AttributeError, OSError, ValueError):
            return False

    def change(self, change: Callable[[], Result]) -> Result:
        """Change the process, and take the breakpoints along."""
        result, changes = changing(self.session.sources, change)
        self._told = list(move_breakpoints(self._debugger, changes))
        return result

    def show_notices(self) -> None:
        for line in self._told:
            self._debugger.message(line)

    def files_taken_over(self) -> None:
        """Take what is in the files for what runs: pdb warns of files that have changed."""
        times: dict[str, float] = getattr(self._debugger, "_file_mtime_table", {})
        for filename in list(times):
            try:
                times[filename] = os.path.getmtime(filename)
            except OSError:
                pass

    def undo(self) -> UndoResult:
        result = super().undo()
        self.show_notices()
        return result

    def confirm(self, question: str) -> bool | None:
        if not self._is_terminal():
            return None
        try:
            self._debugger.stdout.write(question)
            self._debugger.stdout.flush()
            return self._debugger.stdin.readline().strip().lower() in ("y", "yes")
        except (AttributeError, OSError, ValueError):
            return None

    def answer(self, way: Way) -> None:
        if isinstance(way, Replay):
            self._replay(way)
        else:
            self.way = way

    def _replay(self, way: Replay) -> None:
        """Replay a dead frame, and stay where it is looked at."""
        from fixcont.postmortem.serving import carry_out
        from fixcont_ui.wording_of_replays import outcome_lines

        assert self._post_mortem is not None  # else it is refused
        try:
            outcome = carry_out(self.session, self._post_mortem, way)
        except Refused as refused:
            self.refuse(refused.refusal)
            raise NotDone from None
        except Quit:  # at a stop of the replay: what is dead is looked at still
            raise NotDone from None
        if outcome.error is None and hasattr(self._debugger, "set_convenience_variable"):
            self._debugger.set_convenience_variable(way.frame.raw, "_", outcome.value)
        for line in outcome_lines(outcome):
            self.say(line)

    def refuse_command(self, command: Command) -> bool:
        refusal = self._refusal_of(command)
        if refusal is not None:
            self.refuse(refusal, lambda frame: frame.can_restart)
        return refusal is not None

    def _refusal_of(self, command: Command) -> Refusal | None:
        if command.applies_to is not AppliesTo.FRAME:
            return None
        frame = self.frame
        if frame is not None and (frame.is_live or command in (*POSTMORTEM_COMMANDS, *TESTCASE_COMMANDS)):
            return None
        name = self._debugger.curframe.f_code.co_qualname if self._debugger.curframe is not None else "the program"
        if frame is None and any(each.raw is self._debugger.curframe for each in self.stop.frames):
            return Refusal("unwound", f"{name} has unwound already", "select a frame that is still there")
        return Refusal("post-mortem", f"{name} has unwound already: what is shown is what it left behind", _dead_instead())


def _nothing_alive() -> Stop:
    """Return what is held where nothing is: a traceback is looked at."""

    def refusal(way: Any) -> Refusal:
        return Refusal("post-mortem", "what is shown has unwound already", _dead_instead())

    return Stop(StopReason.EXCEPTION, None, (), 0, threading.current_thread().name, refusal, refusal)


def _dead_instead() -> str:
    frame: FrameType | None = sys._getframe()
    while frame is not None and frame.f_globals.get("__name__") != "_pytest.runner":
        frame = frame.f_back
    return _DEAD_INSTEAD + (_ALIVE if frame is None else _ALIVE_IN_PYTEST)


def _is_dead(frame: Frame) -> bool:
    return frame.restart_refusal is not None and frame.restart_refusal.code == "unwound"
