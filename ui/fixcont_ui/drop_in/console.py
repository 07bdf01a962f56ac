"""What the commands of the table see of a pdb: the `Console`, and the commands as methods of pdb.

The commands are in the table that the prompt reads. What pdb has itself (continue, step, breakpoints and so on) is left to it.
"""

from __future__ import annotations

import os
import pdb
import threading
from collections.abc import Callable, Sequence
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any, Final

from fixcont.continuing.ways import Way
from fixcont.editing.sources import Rerun
from fixcont.editing.unrun import Unrun
from fixcont.errors import Refusal
from fixcont.session import Session, active
from fixcont.stopping.frames import Frame
from fixcont.stopping.stop import Stop, StopReason
from fixcont_ui import history_wording, wording
from fixcont_ui.commands import COMMANDS, AppliesTo, Argument, Command, NotDone
from fixcont_ui.drop_in.breaks import BreakpointsByMonitoring
from fixcont_ui.drop_in.edits import Result, changing, move_breakpoints, running_text

if TYPE_CHECKING:
    from fixcont.editing.history import History
    from fixcont.editing.result import UndoResult
    from fixcont.editing.stale import Stale
    from fixcont.stopping.serving import Hold

#: The commands that pdb does not have.
OURS: Final = tuple(command for command in COMMANDS if not hasattr(pdb.Pdb, f"do_{command.name}"))
_BY_NAME: Final = {name: command for command in OURS for name in command.names}

_HELP: Final = "Fix and continue"
_IN_FRONT: Final = "fixcont"

_DEAD_INSTEAD: Final = (
    'what is fixed ("fix") runs when the function is called again; "python -m fixcont.pdb", or fixcont.install() at the start, '
    "stop before anything unwinds"
)


class DropInConsole(BreakpointsByMonitoring):
    """A pdb in which the commands of the table can be given, as far as the stop allows."""

    # The stop, once a command has asked for it; what it is held by, where we hold it; the answer.
    _stop: Stop | None = None
    _hold: Hold | None = None
    _stopped_frame: FrameType | None = None
    _way: Way | None = None
    _told: Sequence[str] = ()  # what became of breakpoints, to be told with what was installed
    _lists_only_pdbs = False

    # -- the stop

    @property
    def session(self) -> Session:
        session = active()
        return session if session is not None else self._make_active()

    def _make_active(self) -> Session:
        """Make fixcont active. It stops nowhere by itself: where to stop is pdb's business here."""
        from fixcont_ui.drop_in.front_end import DropInFrontEnd

        session = Session(DropInFrontEnd(), stop="never")
        session.install(loaded=True)
        return session

    @property
    def stop(self) -> Stop:
        if self._stop is None:
            if self._stopped_frame is None:
                self._stop = _nothing_alive()
            else:
                self._hold = self._make_hold(self._stopped_frame)
                self._stop = self._hold.stop
        return self._stop

    def _make_hold(self, frame: FrameType) -> Hold:
        return self.session.server().hold(frame, None)

    def _end_stop(self) -> None:
        """Let go of the stop."""
        if self._hold is not None:
            self._hold.end()
        self._stop = self._hold = self._stopped_frame = self._way = None

    @property
    def frame(self) -> Frame | None:
        return next((frame for frame in self.stop.frames if frame.raw is self.curframe and not _is_dead(frame)), None)

    @property
    def place(self) -> tuple[CodeType, int]:
        raw, line = self.stack[self.curindex]
        return raw.f_code, line or 1

    # -- what the commands see: the Console

    def version_of(self, frame: Frame) -> int:
        version: int = self.session.sources.newest(frame.code).version
        return version

    def stale(self) -> list[Stale]:
        return self.session.sources.stale([frame.raw for frame in self.stop.frames])

    def evaluate(self, expression: str) -> Any:
        try:
            return self._getval(expression)
        except BaseException:
            raise NotDone from None  # _getval has shown the error

    def call(self, function: Callable[[], Any]) -> Any:
        try:
            return function()
        except BaseException:
            pdb_itself: Any = self
            pdb_itself._error_exc()
            raise NotDone from None

    def install(self, *, tell_unchanged: bool) -> None:
        result = self._changing(self.session.sources.install_changes)
        lines = wording.install_lines(result)
        if tell_unchanged and not lines:
            held_back = self.held_back()
            lines = [history_wording.held_back_line(held_back) if held_back else "nothing changed"]
        for line in [*lines, *self._told]:
            self.message(line)
        if not wording.is_current(result):
            raise NotDone
        self._is_up_to_date()
        if result.unrun and not tell_unchanged:
            self.message("give the command again to go on without that")
            raise NotDone

    def _changing(self, change: Callable[[], Result]) -> Result:
        """Change the process, and take the breakpoints along."""
        result, changes = changing(self.session.sources, change)
        self._told = list(move_breakpoints(self, changes))
        return result

    def _is_up_to_date(self) -> None:
        """Take what is in the files for what runs: pdb warns of files that have changed."""
        times: dict[str, float] = getattr(self, "_file_mtime_table", {})
        for filename in list(times):
            try:
                times[filename] = os.path.getmtime(filename)
            except OSError:
                pass

    def unrun(self) -> Sequence[Unrun]:
        return self.session.sources.unrun.all()

    def rerun(self, number: int) -> Rerun | None:
        rerun: Rerun | None = self.call(lambda: self.session.sources.rerun(number))
        return rerun

    @property
    def history(self) -> History:
        return self.session.sources.history

    def undo(self) -> UndoResult:
        result = self._changing(self.session.sources.undo)
        for line in self._told:
            self.message(line)
        return result

    def held_back(self) -> list[str]:
        return self.session.sources.held_back()

    def write_back(self) -> list[tuple[str, Refusal | None]]:
        written = self.session.sources.write_back()
        self._is_up_to_date()
        return written

    def confirm(self, question: str) -> bool | None:
        try:
            if not self.stdin.isatty():
                return None
            self.stdout.write(question)
            self.stdout.flush()
            return self.stdin.readline().strip().lower() in ("y", "yes")
        except (AttributeError, OSError, ValueError):
            return None

    def say(self, text: str) -> None:
        self.message(text)

    def complain(self, text: str) -> None:
        self.error(text)

    def refuse(self, refusal: Refusal, can: Callable[[Frame], bool] | None = None) -> None:
        self.message(wording.refusal_line(refusal))
        by_raw = {each.raw: each for each in self.stop.frames}
        frames = [by_raw[raw] for raw, _ in reversed(self.stack) if raw in by_raw]
        selected = next((at for at, each in enumerate(frames) if each.raw is self.curframe), None)
        nearest = wording.nearest_line(frames, selected, can) if can is not None and selected is not None else ""
        if nearest:
            self.message(nearest)

    def answer(self, way: Way) -> None:
        self._way = way

    # -- frames show the text that they run

    def format_stack_entry(self, frame_lineno: tuple[FrameType, int], lprefix: str = ": ") -> str:
        with running_text(frame_lineno[0]):
            return super().format_stack_entry(frame_lineno, lprefix)

    def do_list(self, arg: str) -> Any:
        with running_text(self.curframe):
            return super().do_list(arg)

    def do_longlist(self, arg: str) -> Any:
        with running_text(self.curframe):
            return super().do_longlist(arg)

    do_list.__doc__ = pdb.Pdb.do_list.__doc__
    do_longlist.__doc__ = pdb.Pdb.do_longlist.__doc__
    do_l, do_ll = do_list, do_longlist

    # -- carrying commands out

    def run_command(self, command: Command, argument: str) -> bool:
        """Carry a command out, or say why not. Returns whether the stop is answered, which ends the command loop."""
        if not command.argument.accepts(argument):
            self.error(f"Invalid argument: {argument}" if argument else "Argument is required for this command")
            self.message(f"          Usage: {command.usage}")
            return False
        try:
            refusal = self._refusal_of(command)
            if refusal is not None:
                self.refuse(refusal, lambda frame: frame.can_restart)
            else:
                command.action(self, argument)  # type: ignore[arg-type] # breakpoints are pdb's, so what is for them is not here
        except NotDone:
            pass
        if self._way is None:
            return False
        self.do_continue("")  # a way to go on is one to continue, for subclasses too
        return True

    def _refusal_of(self, command: Command) -> Refusal | None:
        if command.applies_to is not AppliesTo.FRAME or self.frame is not None:
            return None
        name = self.curframe.f_code.co_qualname if self.curframe is not None else "the program"
        if self.stop.frames and any(each.raw is self.curframe for each in self.stop.frames):
            return Refusal("unwound", f"{name} has unwound already", "select a frame that is still there")
        return Refusal("post-mortem", f"{name} has unwound already: what is shown is what it left behind", _DEAD_INSTEAD)

    def _is_statement(self, name: str, argument: str) -> bool:
        """Tell whether a line that begins with the word of a command means something in Python, as it does in pdb.

        `skip` shows the variable of that name where there is one; what looks like no argument of the command is a statement.
        """
        command = _BY_NAME[name]
        raw = self.curframe
        if raw is not None and (name in raw.f_globals or name in raw.f_locals):
            return True
        return argument.startswith("=") or (bool(argument) and command.argument is Argument.NONE)

    def do_fixcont(self, arg: str) -> Any:
        """fixcont command

        Give one of the commands to fix and continue, in a frame that has a variable of that name: fixcont skip
        """
        name, _, argument = arg.strip().partition(" ")
        if name not in _BY_NAME:
            return self.default(f"{_IN_FRONT} {arg}".strip())
        return self.run_command(_BY_NAME[name], argument.strip())

    def help_fixcont(self) -> None:
        """List the commands to fix and continue."""
        width = max(len(command.usage) for command in OURS)
        for command in OURS:
            self.message(f"{command.usage:{width}}  {command.summary}")
        self.message(f'Where a variable has the name of a command, "{_IN_FRONT} COMMAND" gives the command.')

    def do_help(self, arg: str) -> Any:
        if arg:
            return super().do_help(arg)
        self._lists_only_pdbs = True
        try:
            super().do_help(arg)
        finally:
            self._lists_only_pdbs = False
        self.print_topics(f"{_HELP} (type help fixcont):", sorted(_BY_NAME), 15, 80)
        return None

    do_help.__doc__ = pdb.Pdb.do_help.__doc__
    do_h = do_help

    def get_names(self) -> list[str]:
        names = super().get_names()
        if not self._lists_only_pdbs:
            return names
        return [name for name in names if name.partition("_")[2] not in (*_BY_NAME, _IN_FRONT)]


def _nothing_alive() -> Stop:
    """Return what is held where nothing is: a traceback is looked at."""

    def refusal(way: Any) -> Refusal:
        return Refusal("post-mortem", "what is shown has unwound already", _DEAD_INSTEAD)

    return Stop(StopReason.EXCEPTION, None, (), 0, threading.current_thread().name, refusal, refusal)


def _is_dead(frame: Frame) -> bool:
    return frame.restart_refusal is not None and frame.restart_refusal.code == "unwound"


def _command_method(name: str, command: Command) -> Callable[[DropInConsole, str], Any]:
    def do(self: DropInConsole, arg: str) -> Any:
        argument = arg.strip()
        if self._is_statement(name, argument):
            return self.default(f"{name} {argument}".rstrip())
        return self.run_command(command, argument)

    do.__name__ = f"do_{name}"  # pdb asks for it
    do.__doc__ = command.full_help
    return do


for _name, _command in _BY_NAME.items():
    setattr(DropInConsole, f"do_{_name}", _command_method(_name, _command))
    if _command.argument is Argument.EXPRESSION:
        setattr(DropInConsole, f"complete_{_name}", pdb.Pdb._complete_expression)
#: What ends the commands of a breakpoint, where pdb asks for names.
_RESUMING: Final = [f"do_{name}" for name, command in _BY_NAME.items() if command.goes_on]
setattr(DropInConsole, "commands_resuming", [*getattr(pdb.Pdb, "commands_resuming", ()), *_RESUMING])  # noqa: B010 - pdb's own
