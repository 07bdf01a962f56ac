"""The prompt's side of a terminal that can do more than lines: reading with all comfort, editing in place; and `await`."""

from __future__ import annotations

import shutil
import sys
from types import CodeType
from typing import TYPE_CHECKING, Any, TextIO

from fixcont.errors import Refused
from fixcont_ui import awaiting, capability, wording
from fixcont_ui.breakpoint_console import BreakpointConsole
from fixcont_ui.editing_in_place import EditingInPlace
from fixcont_ui.pasted import statements

if TYPE_CHECKING:
    from fixcont.session import Session
    from fixcont_ui.completion import Surroundings
    from fixcont_ui.streams import Streams
    from fixcont_ui.terminal.line_reader import LineReader


class TerminalConsole(BreakpointConsole):
    """A console that uses what its terminal can do. What that needs is imported at the first stop on such a terminal.

    Attributes:
        _terminal: the streams of the present stop.
        _lines: reads the lines, once there was a stop at which that could be, from the streams `_lines_on`; it is used where `_is_rich`.
    """

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._terminal: Streams | None = None
        self._lines: LineReader | None = None
        self._lines_on: tuple[TextIO, TextIO] | None = None
        self._is_rich = False
        self._has_failed = False
        self._in_place = EditingInPlace()

    def use(self, streams: Streams) -> None:
        """Talk through these from now on."""
        self._terminal = streams
        self._is_rich = not self._has_failed and capability.wants_colours(streams)
        self.painter = None
        if self._is_rich:
            self._prepare(streams)
        self.carets = streams.is_terminal and self.painter is None

    def _prepare(self, streams: Streams) -> None:
        try:
            from fixcont_ui.terminal.painter import Painter

            self.painter = Painter()
            if self._lines is None or self._lines_on != (streams.stdin, streams.stdout):
                self._lines, self._lines_on = self._make_lines(streams), (streams.stdin, streams.stdout)
        except Exception as error:
            self._fall_back(error)

    def _make_lines(self, streams: Streams) -> LineReader:
        from fixcont_ui.terminal.devices import devices
        from fixcont_ui.terminal.history import KeptHistory
        from fixcont_ui.terminal.keys import wants_vi
        from fixcont_ui.terminal.line_reader import LineReader

        keyboard, screen = devices(streams, is_sparing=True)
        return LineReader(keyboard, screen, history=KeptHistory(), is_vi=wants_vi(), at_work=self.session.at_work)

    def _fall_back(self, error: Exception) -> None:
        """Read plain lines from now on; where only no thread can be started, as at the end of the program, at this stop."""
        self._is_rich = False
        if type(error).__name__ == "CannotRun":  # what is missing may be prompt_toolkit itself, so that cannot be imported here
            return
        self._has_failed, self.painter = True, None
        print(f"fixcont: lines are read plainly from now on: {type(error).__name__}: {error}", file=sys.__stderr__, flush=True)

    @property
    def columns(self) -> int | None:
        """How many columns a line has; None where that is nobody's concern."""
        return shutil.get_terminal_size().columns if self._is_rich else None

    # Reading.

    def cmdloop(self, intro: Any = None) -> None:
        lines = self._lines
        if not self._is_rich or lines is None:
            super().cmdloop(intro)
            return
        stop: Any = None
        while not stop:
            if self.cmdqueue:
                line = self.cmdqueue.pop(0)
            else:
                try:
                    line = lines.read(self.prompt, self.surroundings())
                except EOFError:
                    line = "EOF"
                except Exception as error:
                    self._fall_back(error)
                    self.cmdloop(intro)
                    return
            line = self.precmd(line)
            stop = self.onecmd(line)
            stop = self.postcmd(stop, line)

    def surroundings(self) -> Surroundings:
        """Give what there is to complete from in the selected frame."""
        from fixcont_ui.completion import Surroundings

        raw = self.curframe
        assert raw is not None
        return Surroundings(
            commands=self.command_summaries(),
            words={"fix": ("-i",), "undo": ("-f", "files")},
            local_names=dict(self._locals()),
            global_names=raw.f_globals,
            breakpoints=tuple(each.number for each in self._known()),
        )

    def command_summaries(self) -> dict[str, str]:
        """Give what can be typed as a command: name -> what it does, in a few words."""
        return {name.removeprefix("do_"): "" for name in self.get_names() if name.startswith("do_") and name != "do_EOF"}

    def onecmd(self, line: str) -> bool:
        first, newline, rest = line.partition("\n")
        if not newline:
            return bool(super().onecmd(line))
        if first.split(" ", 1)[0] in self.command_summaries():  # several commands, pasted
            self.cmdqueue[:0] = [each for each in rest.split("\n") if each.strip()]
            return bool(super().onecmd(first))
        self.lastcmd = ""
        for statement in statements(line.lstrip().removeprefix("!")):
            self.default(statement)
        return False

    # Awaiting.

    def default(self, line: str) -> None:
        # In a function that waits for pdb's own way of awaiting, that is used.
        is_ours = getattr(self, "async_shim_frame", None) is None
        code = awaiting.compiled(line.removeprefix("!").lstrip()) if is_ours else None
        if code is None:
            super().default(line)
        else:
            self._await(code)

    def _await(self, code: CodeType) -> None:
        """Run a statement that awaits, as the others are run."""
        raw = self.curframe
        assert raw is not None
        before = sys.stdin, sys.stdout, sys.displayhook
        sys.stdin, sys.stdout, sys.displayhook = self.stdin, self.stdout, self.displayhook
        try:
            with self._assigning():
                awaiting.drive(eval(code, raw.f_globals, self._locals()), self.session.at_work)
        except Refused as refused:
            self.message(wording.refusal_line(refused.refusal))
        except BaseException:
            pdb_itself: Any = self
            pdb_itself._error_exc()
        finally:
            sys.stdin, sys.stdout, sys.displayhook = before

    # Editing in place.

    def edit_in_place(self, place: tuple[CodeType, int], path: str, *, is_wanted: bool) -> bool:
        def lines() -> list[str]:
            if place == self.place and self.curframe is not None:
                return self._text_of(self.curframe)
            return self.session.sources.text_of(place[0]) or []

        return self._in_place.edit(self._terminal, place, lines, self.session.at_work, self.message, is_wanted=is_wanted)
