"""`python -m fixcont.pdb`: run the program with traps, and stop at what nobody catches before anything of it unwinds.

The command line, the loop that starts the program again and all it says are the running interpreter's own. What differs is where the user is
asked when the program fails: pdb shows a traceback of frames that are gone, here they are alive.
"""

from __future__ import annotations

import io
import os
import pdb
import sys
import traceback
from _thread import get_ident
from collections.abc import Callable
from types import CodeType, FrameType, ModuleType, TracebackType
from typing import Any, Final

from fixcont.continuing.unwinding import is_ours, is_shell
from fixcont.continuing.ways import Propagate, QuitProgram, Way
from fixcont.errors import Quit
from fixcont.session import Session, active
from fixcont.stopping.policy import Policy, StopMode
from fixcont.stopping.prediction import Outcome, Verdict
from fixcont.stopping.stop import Stop
from fixcont_ui.drop_in.front_end import DropInFrontEnd

_MAIN: Final[CodeType] = pdb.main.__code__
#: Whether pdb says so when the post mortem is over, and starts the program again also after "quit" there. Later ones say nothing.
_SAYS_FINISHED: Final = any(isinstance(each, str) and each.startswith("Post mortem") for each in _MAIN.co_consts)
#: Whether pdb ends at a syntax error, without a post mortem.
_ENDS_AT_SYNTAX_ERRORS: Final = "SyntaxError" in _MAIN.co_names
_PLACEHOLDER: Final = "the code of the program"
#: Closes what pdb says, in the words of one who knows that nothing is over yet.
_HINT: Final = 'Nothing has unwound yet; "help fixcont" lists what repairs it'


class ProgramDebugger(pdb.Pdb):
    """A pdb that runs a whole program, for `main`."""

    _program: Program | None = None

    def _run(self, target: Any) -> None:
        if self._program is None:
            self._program = Program(self)
        base: Any = super()
        self._program.run(target, base._run)

    # What a program asks of the debugger, which others provide.

    def _answer_alive(self, stop: Stop, shown: Any) -> Way | None:
        raise NotImplementedError

    def _run_on(self) -> None:
        raise NotImplementedError

    def _pause(self) -> None:
        raise NotImplementedError


class Program:
    """The program that a debugger runs, as often as it is started again."""

    def __init__(self, debugger: ProgramDebugger) -> None:
        self._debugger = debugger
        self._thread = get_ident()
        self._shown: BaseException | None = None  # what the user was asked about, and has let go on
        self._restart: BaseException | None = None  # what starts the program again once it has unwound
        self._is_running = False
        self.session = active() or self._make_session()
        _stand_in(sys.modules["fixcont.pdb"])

    def _make_session(self) -> Session:
        front_end = _FrontEnd(self)
        session = front_end.session = Session(front_end, stop="unhandled")
        session.policy = _Uncaught(StopMode.UNHANDLED, ignore=["pdb.Restart"])
        session.install(loaded=True)
        return session

    def run(self, target: Any, run: Callable[[Any], None]) -> None:
        """Run the program once; where pdb starts it again without asking its caller, until that is over."""
        while True:
            self._restart = None
            self._is_running = True
            try:
                run(_Prepared(target, self.session))
                return
            except BaseException as error:
                if not self._was_expected(error):
                    raise
            finally:
                self._is_running = False
                self._shown = None
            if self._restart is not None:
                raise self._restart
            if not _SAYS_FINISHED or self._debugger._user_requested_quit:  # type: ignore[attr-defined] # pdb's own
                return
            print(f"Post mortem debugger finished. The {target} will be restarted")

    def _was_expected(self, error: BaseException) -> bool:
        """Tell whether the user has been asked about what the program ended with."""
        return error is self._shown or (isinstance(error, Quit) and (self._restart is not None or self._is_left()))

    def _is_left(self) -> bool:
        return bool(self._debugger._user_requested_quit)  # type: ignore[attr-defined] # pdb's own

    def stopped(self, stop: Stop) -> Way:
        """Ask the user about an exception that nobody will catch. Its frames are alive."""
        exception = stop.exception
        if exception is None or not self._is_running or get_ident() != self._thread:
            return Propagate()
        if _ENDS_AT_SYNTAX_ERRORS and isinstance(exception, SyntaxError):
            return Propagate()
        debugger = self._debugger
        debugger._pause()
        before = exception.__traceback__
        exception.__traceback__ = _whole_traceback(exception, stop)
        try:
            _show(exception)
            shown = exception if hasattr(pdb.Pdb, "_get_tb_and_exceptions") else exception.__traceback__
            way = debugger._answer_alive(stop, shown)
        except pdb.Restart as restart:
            self._restart = restart
            return QuitProgram()
        finally:
            exception.__traceback__ = before
        if way is not None:
            debugger._run_on()
            return way
        if self._is_left():
            return QuitProgram()
        self._shown = exception
        return Propagate()


class _FrontEnd(DropInFrontEnd):
    """Hands the stops to the program's debugger."""

    def __init__(self, program: Program) -> None:
        super().__init__()
        self._program = program

    def stopped(self, stop: Stop) -> Way:
        return self._program.stopped(stop) if stop.exception is not None else super().stopped(stop)


class _Uncaught(Policy):
    """Stops at what would end the program: what nobody catches but pdb's own main function."""

    def stops(self, kind: type[BaseException], verdict: Verdict, leaves_raiser: bool, is_last: bool) -> bool:
        if verdict.outcome is Outcome.UNHANDLED:
            if verdict.catcher is None:
                return verdict.cause == ""
            return verdict.catcher.f_code is _MAIN
        return super().stops(kind, verdict, leaves_raiser, is_last)


class _Prepared:
    """A target of pdb whose code has traps."""

    def __init__(self, target: Any, session: Session) -> None:
        self._target = target
        self._session = session

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, name)

    @property
    def code(self) -> Any:
        given = self._target.code
        if isinstance(given, CodeType):
            prepared = self._session.prepare(given, given.co_filename)
            self._session.on_loaded(given.co_filename, _read(given.co_filename), prepared)
            return prepared
        filename = self._target.filename
        source = _read(filename)
        try:
            if source is None:
                return given
            code = compile(source, filename, "exec", dont_inherit=True)
        except (SyntaxError, ValueError, OverflowError, MemoryError, RecursionError):
            return given  # it fails in its own way
        prepared = self._session.prepare(code, filename)
        self._session.on_loaded(filename, source, prepared)
        return _executing(prepared)


def _executing(code: CodeType) -> CodeType:
    """Return code that executes `code`, in a frame like the one in which pdb does that."""
    outer = compile(f"exec({_PLACEHOLDER!r})", "<string>", "exec")
    return outer.replace(co_consts=tuple(code if each == _PLACEHOLDER else each for each in outer.co_consts))


def _read(filename: str) -> bytes | None:
    try:
        with io.open_code(os.path.abspath(filename)) as stream:
            return stream.read()
    except OSError:
        return None


def _show(exception: BaseException) -> None:
    colorize = vars(pdb).get("_colorize")
    keywords: dict[str, Any] = {} if colorize is None else {"colorize": colorize.can_colorize()}
    traceback.print_exception(exception, **keywords)
    print("Uncaught exception. Entering post mortem debugging")
    print("Running 'cont' or 'step' will restart the program")
    print(_HINT)


def _whole_traceback(exception: BaseException, stop: Stop) -> TracebackType | None:
    """Return the traceback that the exception will have when it has left the program."""
    whole = exception.__traceback__
    frame: FrameType | None = whole.tb_frame.f_back if whole is not None else None
    while frame is not None:
        if not (is_ours(frame) or is_shell(frame)):
            whole = TracebackType(whole, frame, max(frame.f_lasti, 0), frame.f_lineno or frame.f_code.co_firstlineno)
        if frame.f_code is _MAIN:
            break
        frame = frame.f_back
    return whole


def _stand_in(module: ModuleType) -> None:
    """Let the program have a module of ours where it imports pdb: `breakpoint()` does so too."""
    if sys.modules.get("pdb") is not pdb:
        return
    found = type(module)("pdb", module.__doc__)
    own = {name: vars(pdb)[name] for name in ("__name__", "__spec__", "__loader__", "__file__", "__package__")}
    vars(found).update({**vars(module), **own})
    sys.modules["pdb"] = found
