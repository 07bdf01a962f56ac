"""The running interpreter's pdb as a console that looks at a stop: its frames, their text, their variables.

Nothing is traced. The stack is that of the stop, the text is the one that the frames run, and assignments take effect.
"""

from __future__ import annotations

import code as interactive
import linecache
import pdb
import reprlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import CodeType, FrameType, TracebackType
from typing import TYPE_CHECKING, Any, NoReturn

from fixcont.bytecode import interpreter
from fixcont.errors import Refused
from fixcont.stopping.chain import NOWHERE
from fixcont.stopping.frames import Frame
from fixcont.stopping.stop import Moment, Stop
from fixcont_ui import wording
from fixcont_ui.evaluating import assigning, stays_bound
from fixcont_ui.expressions import span_in_line
from fixcont_ui.text_in_place import text_in_place

if TYPE_CHECKING:
    from fixcont.session import Session
    from fixcont_ui.terminal.painter import Painter

#: The name under which pdb keeps the values of `$_frame` and the like among the globals of the frame.
_CONVENIENCE = "__pdb_convenience_variables"


if TYPE_CHECKING:
    PlainPdb = pdb.Pdb
else:  # kernels put a class of their own in its place
    PlainPdb = next(kind for kind in pdb.Pdb.__mro__ if kind.__module__ == "pdb")


class StopViewer(PlainPdb):
    """pdb, looking at one stop after the other. Between stops it holds on to no frame and no value of the program.

    Attributes set by `look_at` and cleared by `look_away`:
        _stop: the stop; None between stops.
        _frames: frame object -> its `Frame`, for the live frames.
        _earlier: the earlier exception of the chain whose stack is shown; None where that is the stop's.
        _texts: code object -> the lines of the text that it was made from.
    """

    def __init__(self, session: Session) -> None:
        super().__init__(nosigint=True, readrc=False)
        self._session = session
        self._marking = False
        self.painter: Painter | None = None  # where what is shown is to be coloured
        self.carets = False  # whether the failing expression is marked by a line below it
        # (file name, qualified name) -> expression -> how its value looked at the last stop
        self._displayed: dict[tuple[str, str], dict[str, str]] = {}
        self._clear()

    def _clear(self) -> None:
        self._stop: Stop | None = None
        self._frames: dict[FrameType, Frame] = {}
        self._start_index = 0
        self._texts: dict[CodeType, list[str]] = {}
        self._convenience: dict[str, Any] = {}
        self._earlier: BaseException | None = None
        self.displaying: dict[FrameType, dict[str, Any]] = {}
        self.lastcmd = ""  # an empty line repeats what was looked at, never a way to go on
        vars(self).pop("curframe_locals", None)

    def look_at(self, stop: Stop, selected: int) -> None:
        """Show `stop` from now on, beginning at the frame with the index `selected`."""
        self._stop = stop
        self._frames = {frame.raw: frame for frame in stop.frames}
        self.reset()
        self._start_index = len(stop.frames) - 1 - selected
        self.setup(None, None)
        for frame in stop.frames:
            shown = self._displayed.get((frame.filename, frame.function))
            if shown:
                self.displaying[frame.raw] = {expression: _Shown(text) for expression, text in shown.items()}

    def look_away(self) -> None:
        """Let go of all that belongs to the stop: what is kept here would live longer than without us."""
        for raw, shown in self.displaying.items():
            self._displayed[raw.f_code.co_filename, raw.f_code.co_qualname] = {
                name: _look(value) for name, value in shown.items()
            }
        for raw in self._frames:
            self._take_convenience_from(raw)
        self.forget()
        self._clear()

    def shown_exception(self) -> BaseException | None:
        """Give the exception whose frames are shown."""
        return self.stop.exception if self._earlier is None else self._earlier

    def look_at_unwound(self, exception: BaseException | None) -> None:
        """Show the frames that an earlier exception has left, while those of the stop are alive; for None show these. Raises `Refused`."""
        if exception is not None and exception.__traceback__ is None:
            raise Refused(NOWHERE)
        self._earlier = exception
        self.setup(None, exception.__traceback__ if exception is not None else None)

    def show_selected(self) -> None:
        """Show the selected frame and its line."""
        self.print_stack_entry(self.stack[self.curindex])

    def look_at_stop(self, stop: Stop, selected: int) -> None:
        """Show another stop in the place of the one that is shown."""
        self.look_away()
        self.look_at(stop, selected)

    @property
    def session(self) -> Session:
        return self._session

    @property
    def stop(self) -> Stop:
        assert self._stop is not None, "there is no stop"
        return self._stop

    @property
    def _is_live(self) -> bool:
        """Whether the stack shown is that of the stop."""
        return self._earlier is None

    @property
    def frame(self) -> Frame | None:
        return self.stop.frames[self.selected] if self._is_live else None

    @property
    def place(self) -> tuple[CodeType, int]:
        raw, line = self.stack[self.curindex]
        return raw.f_code, line or 1

    @property
    def selected(self) -> int:
        """The index of the selected frame in the frames of the stop, which has the innermost first."""
        return len(self.stop.frames) - 1 - self.curindex if self._is_live else self.stop.selected

    # Looking: the stack and the source come from the stop.

    def get_stack(self, f: FrameType | None, t: TracebackType | None) -> tuple[list[tuple[FrameType, int]], int]:
        """Give the stack of the stop, outermost frame first; or that of an earlier exception of the chain, by its traceback."""
        if not self._is_live:
            return super().get_stack(f, t)
        return [(frame.raw, frame.line) for frame in reversed(self.stop.frames)], self._start_index

    def format_stack_entry(self, frame_lineno: tuple[FrameType, int], lprefix: str = ": ") -> str:
        """Describe a frame as pdb does, in the text that it runs. Does not touch its variables, which would keep them alive."""
        raw, line = frame_lineno
        entry = f"{self.canonic(raw.f_code.co_filename)}({line}){raw.f_code.co_name}()"
        if self.stop.moment is Moment.RETURN and raw is self.stop.frames[0].raw:
            entry += f"->{reprlib.repr(self.stop.value)}"
        if self._marking:
            entry += "  " + self._mark(raw)
        elif self.painter is not None and self._is_obsolete(raw):
            entry += "  [old version]"
        text = self._text_of(raw)
        source = text[line - 1].strip() if line and line <= len(text) else ""
        return entry + lprefix + self._shown(raw, line, text, lprefix) if source else entry

    def _shown(self, raw: FrameType, line: int, text: list[str], prefix: str) -> str:
        """Give the line at which a frame stands, the expression that it is in marked as far as this terminal can show it."""
        whole = text[line - 1]
        span = self._span(raw, line, whole)
        if self.painter is not None:
            return self.painter.line(text, line, span, is_stripped=True)
        source = whole.strip()
        if span is None or not self.carets or "\n" not in prefix:
            return source
        margin = len(prefix.rpartition("\n")[2]) + span[0] - (len(whole) - len(whole.lstrip()))
        return f"{source}\n{' ' * margin}{'^' * (span[1] - span[0])}"

    def _span(self, raw: FrameType, line: int, text: str) -> tuple[int, int] | None:
        frame = self._frames.get(raw) if self._is_live else None
        if frame is None or frame.line != line or self.stop.moment is not Moment.LINE:
            return None
        if raw is self.stop.frames[0].raw and self.stop.exception is None:
            return None  # it is about to run the line, not in the middle of it
        return span_in_line(frame.span, line, text)

    def painted(self, error: str) -> str:
        """Give what is said of an exception, coloured where colours are."""
        return error if self.painter is None else "\n".join(map(self.painter.error, error.split("\n")))

    def print_stack_trace(self, *count: int | None) -> None:
        self._marking = True
        try:
            super().print_stack_trace(*count)
        finally:
            self._marking = False

    def do_list(self, arg: str) -> bool | None:
        if arg == "." or (not arg and self.lineno is None):
            # pdb asks the frame, which for the failing one gives a line of the machinery that holds it.
            first = max(1, self.place[1] - 5)
            arg = f"{first}, {first + 10}"
        with self._text_shown():
            return super().do_list(arg)

    do_list.__doc__ = pdb.Pdb.do_list.__doc__
    do_l = do_list

    def do_longlist(self, arg: str) -> bool | None:
        with self._text_shown():
            return super().do_longlist(arg)

    do_longlist.__doc__ = pdb.Pdb.do_longlist.__doc__
    do_ll = do_longlist

    def _print_lines(self, lines: Sequence[str], start: int, breaks: Sequence[int] = (), frame: FrameType | None = None) -> None:
        if self.painter is not None:
            self._print_painted(self.painter, lines, start, breaks, frame)
            return
        base: Any = super()
        base._print_lines(lines, start, breaks, None if frame is None else _At(self.place[1]))

    def _print_painted(
        self, painter: Painter, lines: Sequence[str], start: int, breaks: Sequence[int], frame: FrameType | None
    ) -> None:
        """Print lines as pdb does, in colour, the line at which the frame stands and the expression that it is in marked."""
        pdb_itself: Any = self
        text, first = (lines, start) if frame is None else (self._text_of(frame), 1)
        current = self.place[1] if frame is not None else -1
        failed = pdb_itself.tb_lineno.get(frame, -1)
        if frame is not None and self._is_obsolete(frame):
            self.message(painter.strong("[old version]"))
        for number in range(start, min(start + len(lines), first + len(text))):
            sign = "->" if number == current else ">>" if number == failed else ""
            head = f"{number:>3}".ljust(4) + ("B" if number in breaks else " ") + sign
            span = self._span(frame, number, text[number - 1]) if frame is not None and number == current else None
            head = painter.strong(head) if sign else painter.faint(head)
            self.message(f"{head}\t{painter.line(text, number - first + 1, span)}".rstrip())

    def _is_obsolete(self, raw: FrameType) -> bool:
        frame = self._frames.get(raw) if self._is_live else None
        return frame is not None and (frame.is_obsolete or bool(self.session.sources.is_obsolete(frame.code)))

    def _mark(self, raw: FrameType) -> str:
        frame = self._frames.get(raw) if self._is_live else None
        if frame is None:
            return "[post-mortem]"
        return wording.frame_mark(frame, is_obsolete=self._is_obsolete(raw))

    def _text_of(self, raw: FrameType) -> list[str]:
        """Give the lines that the frame runs: the text that was loaded or installed, not what is in the file meanwhile."""
        lines = self._texts.get(raw.f_code)
        if lines is None:
            lines = self.session.sources.text_of(raw.f_code)
            if lines is None:
                lines = linecache.getlines(raw.f_code.co_filename, raw.f_globals)
            self._texts[raw.f_code] = lines
        return lines

    @contextmanager
    def _text_shown(self) -> Iterator[None]:
        """Let pdb and `inspect` find the text that the selected frame runs, though the file may have changed since."""
        assert self.curframe is not None
        with text_in_place(self.place[0].co_filename, self._text_of(self.curframe)):
            yield

    # Evaluating: assignments take effect in the frame.

    def default(self, line: str) -> None:
        with self._assigning():
            super().default(line)

    def _getval(self, arg: str) -> Any:
        with self._assigning():
            return super()._getval(arg)

    def _getval_except(self, arg: str, frame: FrameType | None = None) -> Any:
        with self._assigning():
            return super()._getval_except(arg, frame)

    def _locals(self) -> Any:
        """Give the variables of the selected frame, as they are now."""
        assert self.curframe is not None
        if interpreter.LOCALS_WRITE_THROUGH:
            return self.curframe.f_locals
        self.curframe_locals = self.curframe.f_locals
        return self.curframe_locals

    @contextmanager
    def _assigning(self) -> Iterator[None]:
        """Make what the block assigns in the namespace of the selected frame take effect in the frame."""
        if self.curframe is None:
            yield
            return
        with assigning(self.curframe, lambda name: self.error(stays_bound(name))):
            self._locals()
            yield

    def do_interact(self, arg: str) -> None:
        """interact

        Start an interactive interpreter whose global namespace contains all the (global and local) names found in the
        current scope. It is a copy: assignments in it do not reach the program.
        """
        assert self.curframe is not None
        names = {"exit": _leave, "quit": _leave, **self.curframe.f_globals, **self._locals()}
        before = sys.stdin, sys.stdout, sys.displayhook
        sys.stdin, sys.stdout, sys.displayhook = self.stdin, self.stdout, self.displayhook
        try:
            _Interpreter(names, self).interact(banner="*interactive*", exitmsg="")
        except SystemExit:
            self.message("")
        finally:
            sys.stdin, sys.stdout, sys.displayhook = before

    # pdb's values behind `$`: only among the program's globals while such a value is asked for.

    def set_convenience_variable(self, frame: FrameType, name: str, value: Any) -> None:
        self._convenience[name] = value

    def precmd(self, line: str) -> str:
        replaced = super().precmd(line)
        if replaced != line and _CONVENIENCE in replaced and self.curframe is not None:
            self.curframe.f_globals[_CONVENIENCE] = self._convenience
        return replaced

    def postcmd(self, stop: bool, line: str) -> bool:
        if self.curframe is not None:
            self._take_convenience_from(self.curframe)
        return super().postcmd(stop, line)

    def _take_convenience_from(self, raw: FrameType) -> None:
        if raw.f_globals.get(_CONVENIENCE) is self._convenience:
            del raw.f_globals[_CONVENIENCE]

    # Plumbing.

    def message(self, msg: Any, end: str = "\n") -> None:
        text = f"{msg}{end}"
        try:
            self.stdout.write(text)
        except UnicodeEncodeError as error:
            self.stdout.write(text.encode(error.encoding, "backslashreplace").decode(error.encoding))

    def error(self, msg: Any) -> None:
        self.message(f"*** {msg}")

    def _validate_file_mtime(self) -> None:
        """Do not warn of edited files, as pdb does: edits are what this is for."""

    def _save_initial_file_mtime(self, frame: FrameType | None) -> None:
        """Nothing to save, since nothing is warned of."""


class _At:
    """Stands for a frame where only the current line is asked for."""

    def __init__(self, line: int) -> None:
        self.f_lineno = line


class _Shown(str):
    """How a displayed value looked at an earlier stop; the value itself is not kept."""

    def __repr__(self) -> str:
        return str(self)


def _look(value: object) -> str:
    try:
        return repr(value)
    except Exception as error:
        return f"*** repr failed: {type(error).__name__} ***"


class _Interpreter(interactive.InteractiveConsole):
    """The console of `interact`."""

    def __init__(self, names: dict[str, Any], viewer: StopViewer) -> None:
        super().__init__(names)
        self._viewer = viewer

    def write(self, data: str) -> None:
        self._viewer.message(data, end="")


def _leave(code: object = None) -> NoReturn:
    """Stand in for `exit` in `interact`: the real one closes standard input."""
    raise SystemExit(code)
