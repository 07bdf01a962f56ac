"""The class `Pdb` of the drop-in: the running interpreter's, which carries out fix-and-continue commands at its stops.

bdb stops a thread by not returning from a trace function. What a command decides is carried out where that returns: by raising, in the
frame that was stopped, what takes it where the user wants it. Everything else is pdb's own.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

from fixcont.bytecode import interpreter
from fixcont.bytecode.original import is_trapped, original_end, prefix_units
from fixcont.bytecode.stubs import HOOK_NAME
from fixcont.continuing.unwinding import is_ours, is_shell
from fixcont.continuing.ways import Landing, Resume, UseValue
from fixcont.session import active
from fixcont.stopping.frames import write_locals
from fixcont.stopping.stop import Moment
from fixcont_ui.drop_in.commands import CommandsOfOurs
from fixcont_ui.drop_in.console import StopConsole
from fixcont_ui.drop_in.front_end import look_after_test_modules, report_fault, session_of_ours
from fixcont_ui.drop_in.program import ProgramDebugger

if TYPE_CHECKING:
    from types import TracebackType

    from fixcont.continuing.ways import Way
    from fixcont.stopping.serving import Hold
    from fixcont.stopping.stop import Stop

_MOMENTS: Final = {"call": Moment.CALL, "return": Moment.RETURN}


class Pdb(ProgramDebugger, CommandsOfOurs):
    """The interpreter's pdb, with the fix-and-continue commands. `help fixcont` lists them."""

    # The event that is being handled; what is to be raised when it was; and in a frame that begins, on its first line.
    _event: tuple[FrameType, str, Any] | None = None
    _to_raise: BaseException | None = None
    _delayed: tuple[FrameType, BaseException] | None = None

    # -- where bdb comes in

    def run(self, *args: Any, **keywords: Any) -> None:
        session_of_ours()  # what is called from now on can be repaired in the middle
        super().run(*args, **keywords)

    def runeval(self, *args: Any, **keywords: Any) -> Any:
        session_of_ours()
        return super().runeval(*args, **keywords)

    def runcall(self, *args: Any, **keywords: Any) -> Any:
        session_of_ours()
        return super().runcall(*args, **keywords)

    def trace_dispatch(self, frame: FrameType, event: str, arg: Any) -> Any:
        if self._delayed is not None and event == "line" and self._delayed[0] is frame:
            raised, self._delayed = self._delayed[1], None
            self._run_on()
            raise raised
        outer, self._event = self._event, (frame, event, arg)
        try:
            local = super().trace_dispatch(frame, event, arg)
        finally:
            self._event = outer
        if self._to_raise is None:
            return local
        raised, self._to_raise = self._to_raise, None
        if event == "call":  # the frame's own traps see only what is raised on its lines
            self._delayed = frame, raised
            self._end_watch()
            self.set_step()
            self._trace()
            return self.trace_dispatch
        self._run_on()
        raise raised

    def set_trace(self, frame: FrameType | None = None, **keywords: Any) -> None:
        if "_last_pdb_instance" in vars(Pdb):
            delattr(Pdb, "_last_pdb_instance")  # it was cleared in this class; pdb's own has the new one
        super().set_trace(frame or sys._getframe(1), **keywords)

    def _run_on(self) -> None:
        """Let the program run to the next breakpoint, when something is raised: a trace function that raises is turned off."""
        self.set_continue()
        if self.breaks and self._watch is None and sys.getprofile() is None:
            sys.setprofile(self._on_again)

    def break_here(self, frame: FrameType) -> bool:
        if self._landing is not None:
            landing, self._landing = self._landing, None
            if landing == (self.canonic(frame.f_code.co_filename), frame.f_lineno):
                return False  # the user stands there already
        return _is_programs_own(frame) and super().break_here(frame)

    def stop_here(self, frame: FrameType) -> bool:
        return super().stop_here(frame) and _is_programs_own(frame)

    def dispatch_call(self, frame: FrameType, arg: Any) -> Any:
        if _is_hidden(frame):
            return None
        return super().dispatch_call(frame, arg)

    def dispatch_return(self, frame: FrameType, arg: Any) -> Any:
        local = super().dispatch_return(frame, arg)
        caller = frame.f_back
        if caller is not None and (is_ours(caller) or is_shell(caller)) and self.stoplineno != -1:
            # A step out of what has taken a frame over leads to the caller of that.
            _visible(caller).f_trace = self.trace_dispatch
        return local

    def _on_again(self, frame: FrameType, event: str, arg: Any) -> None:
        sys.setprofile(None)
        self._trace()

    # -- a stop

    def interaction(self, frame: FrameType | None, tb_or_exc: Any) -> None:
        if self._to_raise is not None:
            return  # the commands of a breakpoint have decided
        self._is_stopping()
        with self._asking(StopConsole(self, frame, hold=self._hold, dead=tb_or_exc if frame is None else None)):
            super().interaction(frame, tb_or_exc)
        if self._event is None and self._to_raise is not None:
            raised, self._to_raise = self._to_raise, None
            raise raised

    def bp_commands(self, frame: FrameType) -> Any:
        self._is_stopping()
        with self._asking(StopConsole(self, frame, hold=self._hold)):
            return super().bp_commands(frame)

    @contextmanager
    def _asking(self, console: StopConsole) -> Iterator[None]:
        """Ask the user at a stop; note what is to be raised for the answer."""
        look_after_test_modules()
        if console.innermost is not None:
            session_of_ours()  # now: what is called from here on can be repaired in the middle
        session = active()
        outer, self._console = self._console, console
        try:
            with session.at_work() if session is not None else nullcontext():
                yield
            if console.way is not None:
                try:
                    self._note_landing(console, console.way)
                    self._to_raise = console.exception_for_way()
                except Exception as error:  # the program goes on as if nothing had been said
                    report_fault(error)
        finally:
            console.end()
            self._console = outer

    def _hold(self, frame: FrameType) -> Hold:
        server = session_of_ours().server()
        if self._event is None or self._event[0] is not frame:
            return server.hold(frame, None)
        _, event, arg = self._event
        exception = arg[1] if event == "exception" else None
        value = arg if event == "return" else None
        return server.hold(frame, exception, _MOMENTS.get(event, Moment.LINE), value)

    # -- an uncaught exception of a program

    def _pause(self) -> None:
        """Trace nothing, as inside of a trace function."""
        self._end_watch()
        self._stop_tracing()

    def _answer_alive(self, stop: Stop, shown: Any) -> Way | None:
        console = StopConsole(self, stop.frames[stop.selected].raw, stop)
        with self._asking(console):
            super().interaction(None, shown)
        return console.way

    def _note_landing(self, console: StopConsole, way: Way) -> None:
        if isinstance(way, (Resume, UseValue)):
            landing = console.stop.landing_of(way)
            if isinstance(landing, Landing):
                self._landing = self.canonic(way.frame.filename), landing.line

    # -- what is shown

    def get_stack(self, f: FrameType | None, t: TracebackType | None) -> tuple[list[tuple[FrameType, int]], int]:
        """Give the stack without frames of fixcont, and without those that others have taken over."""
        stack, index = super().get_stack(f, t)
        if active() is None:
            return stack, index
        shown = [entry for at, entry in enumerate(stack) if at == index or not (is_ours(entry[0]) or is_shell(entry[0]))]
        return shown, shown.index(stack[index])

    # -- assignments, where pdb alone would lose them

    def default(self, line: str) -> Any:
        raw = self.curframe
        if raw is None or interpreter.LOCALS_WRITE_THROUGH or not raw.f_code.co_flags & interpreter.OPTIMIZED:
            return super().default(line)
        before = dict(self.curframe_locals)
        try:
            return super().default(line)
        finally:
            if self._console is not None and self._console.innermost is not None and self.curframe is raw:
                self._write(raw, {n: v for n, v in self.curframe_locals.items() if n not in before or v is not before[n]})

    def _write(self, raw: FrameType, assigned: dict[str, Any]) -> None:
        """Make assignments take effect in a live frame, whichever is selected. Nothing else is set back to what it was."""
        if assigned:
            self.curframe_locals = raw.f_locals
            self.curframe_locals.update(assigned)
            write_locals(raw, self.curframe_locals)


def _is_programs_own(frame: FrameType) -> bool:
    """Tell whether a frame is at an instruction of the program: not in a trap, nor in what prepares it to go on in the middle."""
    if is_ours(frame):
        return False
    code = frame.f_code
    return not is_trapped(code) or 2 * prefix_units(code) <= max(frame.f_lasti, 0) < original_end(code)


def _is_hidden(frame: FrameType) -> bool:
    """Tell whether a frame that begins is one of fixcont, or of what a trap has called."""
    if active() is None:
        return False
    if is_ours(frame):
        return True
    outer: FrameType | None = frame
    while outer is not None and not is_trapped(outer.f_code):
        if outer.f_code.co_name == HOOK_NAME:
            return True
        outer = outer.f_back
    return False


def _visible(frame: FrameType) -> FrameType:
    """Return the nearest frame further out that is the program's, and has not handed over."""
    outer = frame
    while outer.f_back is not None and (is_ours(outer) or is_shell(outer)):
        outer = outer.f_back
    return outer
