"""What the prompt knows of breakpoints: their commands, what became of them, and how pdb looks things up."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from fixcont.stepping.breakpoints import Breakpoint
from fixcont.stopping.stop import Stop
from fixcont_ui.breakpoint_commands import described
from fixcont_ui.finding_files import newest_lines
from fixcont_ui.viewer import StopViewer

if TYPE_CHECKING:
    from fixcont.session import Session
    from fixcont.stepping.engine import Stepping


class BreakpointConsole(StopViewer):
    """A viewer at whose prompt breakpoints are set, and which runs their commands."""

    #: Names of the commands that go on; set by who knows the table.
    resuming: frozenset[str] = frozenset()

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._lists: dict[int, list[str]] = {}  # number of a breakpoint -> its commands
        self._defining: list[str] | None = None  # the commands that are being typed
        self._places: dict[int, int] = {}  # number of a breakpoint -> the line that was shown last
        self._notices: list[str] = []  # what became of breakpoints, to be shown at the next stop
        self._listens = False

    @property
    def stepping(self) -> Stepping:
        stepping: Stepping = self.session.stepping
        if not self._listens:
            stepping.breakpoints.listeners.append(self._changed)
            self._listens = True
        self._places = {each.number: each.line for each in stepping.breakpoints.all()}
        return stepping

    def _known(self) -> list[Breakpoint]:
        """Give the breakpoints, without loading what they need where there are none."""
        stepping = self.session.known_steps
        return [] if stepping is None else stepping.breakpoints.all()

    def _changed(self, found: Breakpoint) -> None:
        """Hear of a breakpoint that an edit has moved or disabled, or that has deleted itself."""
        number = found.number
        if all(each.number != number for each in self._known()):
            text = f"Deleted {described(found)}"
        elif found.note:
            text = f"Disabled {described(found)}: {found.note}"
        elif self._places.get(number, found.line) != found.line:
            text = f"Breakpoint {number} is at {found.filename}:{found.line} now"
        else:
            return
        self._places[number] = found.line
        self._notices.append(text)

    def show_notices(self) -> None:
        """Show what became of breakpoints since they were shown."""
        for text in self._notices:
            self.message(text)
        self._notices.clear()

    # What the commands see.

    def find_file(self, name: str) -> str | None:
        base: Any = super()
        found: str | None = base.lookupmodule(name)
        return found

    def lines_of(self, filename: str) -> list[str]:
        assert self.curframe is not None
        return newest_lines(self.session, filename, self.curframe.f_globals)

    def look_up(self, expression: str) -> Any:
        raw = self.curframe
        assert raw is not None
        try:
            return eval(expression, raw.f_globals, self._locals())
        except Exception:
            return None

    def ask(self, question: str) -> str:
        self.stdout.write(question)
        self.stdout.flush()
        return self.stdin.readline()

    def define_commands(self, number: int) -> None:
        before, prompt = self._lists.get(number), self.prompt
        lines: list[str] = []
        self._defining = lines
        self.prompt = "(com) "
        try:
            self.cmdloop()
            self._lists[number] = lines
        except KeyboardInterrupt:
            if before is not None:
                self._lists[number] = before
            self.error("command definition aborted, old commands restored")
        finally:
            self._defining = None
            self.prompt = prompt
        if not self._lists.get(number):
            self._lists.pop(number, None)

    def onecmd(self, line: str) -> bool:
        """Carry a line out, or take it for the commands of a breakpoint."""
        if self._defining is None:
            return super().onecmd(line)
        name, _, whole = self.parseline(line)
        if not name:
            return False
        if name not in ("end", "EOF"):
            self._defining.append(whole)
        return name in ("end", "EOF") or name in self.resuming

    # Their commands at a stop.

    def commands_at(self, stop: Stop) -> list[str]:
        """Give the commands of the breakpoints of a stop."""
        gone = self._lists.keys() - {each.number for each in self._known()} - set(stop.breakpoints)
        for number in gone:
            del self._lists[number]
        return [line for number in stop.breakpoints for line in self._lists.get(number, ())]

    def run_commands(self, lines: Iterable[str]) -> bool:
        """Run the commands of a breakpoint. Returns whether one of them went on."""
        last = self.lastcmd
        for line in lines:
            if line != "silent" and self.onecmd(self.precmd(line)):
                return True
        self.lastcmd = last
        return False

    # What pdb asks.

    def get_file_breaks(self, filename: str) -> list[int]:
        """Give the lines that `list` marks with a B: of the text that the selected frame runs."""
        stepping = self.session.known_steps
        return [] if stepping is None else stepping.lines_in(self.place[0])

    def _complete_bpnumber(self, text: str, line: str, begidx: int, endidx: int) -> list[str]:
        return [str(each.number) for each in self._known() if str(each.number).startswith(text)]
