"""What is typed into the debug console of an IDE: the commands of the table, and Python that runs in the selected frame."""

from __future__ import annotations

import ast
import dataclasses
import re
import sys
import warnings
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from types import CodeType, TracebackType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn

from fixcont.errors import Refusal, Refused
from fixcont_ui import editor, help_text, wording
from fixcont_ui.breakpoint_commands import BREAKPOINT_COMMANDS
from fixcont_ui.commands import COMMANDS, AppliesTo, Argument, Command, NotDone
from fixcont_ui.completion import Surroundings, proposals
from fixcont_ui.console import Console
from fixcont_ui.create_command import CREATE_COMMANDS
from fixcont_ui.evaluating import Evaluation, assigning, error_text
from fixcont_ui.exceptions_command import EXCEPTIONS_COMMAND
from fixcont_ui.finding_files import find_file, newest_lines
from fixcont_ui.postmortem_commands import POSTMORTEM_COMMANDS
from fixcont_ui.session_console import SessionConsole
from fixcont_ui.stepping_commands import STEPPING_COMMANDS
from fixcont_ui.testcase_command import TESTCASE_COMMANDS
from fixcont_ui.values.children import Names

if TYPE_CHECKING:
    from fixcont.continuing.ways import Way
    from fixcont.session import Session
    from fixcont.stepping.engine import Stepping
    from fixcont.stopping.frames import Frame
    from fixcont.stopping.stop import Stop


def _help(console: Console, argument: str) -> None:
    command = _BY_NAME.get(argument)
    if argument in _REFUSED:
        console.refuse(_REFUSED[argument])
        raise NotDone
    if argument and command is None:
        console.complain(f'there is no command "{argument}"; "help" lists those that there are')
        raise NotDone
    for line in command.full_help.split("\n") if command is not None else [*help_text.command_list(_SECTIONS), _HINT]:
        console.say(line)


_HELP_COMMAND: Final = Command(
    "help",
    ("h",),
    "h(elp) [command]",
    "list the commands, or describe one",
    "List the commands that can be typed here, or describe one. All else is Python, which runs in the selected frame;\n"
    'where it begins with the name of a command, put "!" in front of it. Where a variable has the name of a command, the\n'
    'word is the variable; "fixcont WORD" is the command.',
    Argument.NAME,
    AppliesTo.STOP,
    _help,
    goes_on=False,
)
_MEANT: Final = "fixcont "
_HINT: Final = 'All else is Python, which runs in the selected frame; "!c" is the variable c.'
_FIX: Final = {
    "usage": "fix [name]",
    "summary": "say where to edit the selected function, or another one, and install what was saved",
    "help": "Edit the file in the IDE and save it. What was saved is installed by this command, and by each one that goes on.\n"
    "Calls that begin from then on run the new code; the frames of this stop go on with the old one until\n"
    'they take it up where they are ("retry", "resume") or are restarted ("restartframe").',
}
_FIX_AND_CONTINUE: Final = tuple(
    dataclasses.replace(command, **_FIX) if command.name == "fix" else command  # type: ignore[arg-type]
    for command in (*TESTCASE_COMMANDS, *COMMANDS, *CREATE_COMMANDS)
)
_SECTIONS: Final = (
    ("Breakpoints", tuple(command for command in BREAKPOINT_COMMANDS if command.name != "commands")),
    ("Stepping", STEPPING_COMMANDS),
    ("Fix and continue", (EXCEPTIONS_COMMAND, *POSTMORTEM_COMMANDS, *_FIX_AND_CONTINUE, _HELP_COMMAND)),
)
_BY_NAME: Final = {name: command for _, commands in _SECTIONS for command in commands for name in command.names}
#: Commands of the prompt that are none here -> why not.
_REFUSED: Final = {
    "window": Refusal(
        "not-available", "there is no terminal here for the window", "the IDE shows the stack, the source and the variables"
    ),
    "commands": Refusal(
        "not-available", "the commands of a breakpoint are kept by the prompt only", "give the breakpoint a log message"
    ),
}
#: As pdb's: the value of what stands behind them.
_PRINTING: Final = frozenset(["p", "pp"])
_FIRST_WORD: Final = re.compile(r"([^\W\d]\w*)(.*)\Z", re.DOTALL)
_ASSIGNED: Final = re.compile(r"(?:[-+*/%@&|^]|//|\*\*|<<|>>)?=")
#: Kind of a proposal -> type of a completion item in the protocol.
_ITEM_TYPES: Final = {"command": "text", "word": "value", "number": "value", "folder": "file"}


@dataclass(frozen=True)
class Outcome:
    """What came of something typed.

    Attributes:
        has_value: whether it was an expression; `value` is to be presented then.
        is_done: whether it did what it was to do.
        failure: what to say of that in lines where it did not; "" where it did, or where all of it was said already.
        refusal: what was refused last, if anything.
        way: the answer to the stop, where it gave one.
    """

    has_value: bool = False
    value: Any = None
    is_done: bool = True
    failure: str = ""
    refusal: Refusal | None = None
    way: Way | None = None


class Item(NamedTuple):
    """A completion: `label` comes in the place of the `length` characters from `start` on; `kind` is a type of the protocol's items."""

    label: str
    start: int
    length: int
    kind: str
    detail: str


class DebugConsole(SessionConsole):
    """The debug console at one stop. All of it runs in the held thread.

    Args:
        say: takes a line of text.
        uninterrupted: lets a block finish although the user interrupts what runs.
        look_at: called where another stop is looked at from then on, which is this one by another exception of its chain, or by the present
            code; and with whether the frames are the same ones all the same.

    Attributes:
        selected: index of the selected frame in those of the stop.
        way: the answer, once there is one.
    """

    def __init__(
        self,
        session: Session,
        stop: Stop,
        say: Callable[[str], None],
        *,
        uninterrupted: Callable[[], AbstractContextManager[None]] = nullcontext,
        look_at: Callable[[Stop, bool], None] = lambda stop, same_frames: None,
    ) -> None:
        self._look_at = look_at
        self._session = session
        self._stop = stop
        self._say = say
        self._uninterrupted = uninterrupted
        self._failures: list[str] = []
        self._refusal: Refusal | None = None
        self._traceback: TracebackType | None = None  # of the program's exception, before something was evaluated
        self.selected = stop.selected
        self.way: Way | None = None

    # -- what the IDE asks for

    def select(self, index: int) -> None:
        """Select a frame of the stop by its index."""
        if not 0 <= index < len(self._stop.frames):
            raise IndexError(f"the stop has {len(self._stop.frames)} frames")
        self.selected = index

    def look_at_stop(self, stop: Stop, selected: int) -> None:
        same_frames = self.has_same_frames(stop)
        self._stop, self.selected = stop, selected
        self._look_at(stop, same_frames)

    def has_same_frames(self, stop: Stop) -> bool:
        """Tell whether the frames of another stop that is to be looked at are those of this one, one for one. Here: it is another exception's."""
        return False

    def run(self, text: str) -> Outcome:
        """Carry out what was typed: a command, several of them in lines, or Python of any number of lines."""
        lines = [line.strip() for line in text.split("\n") if line.strip()]
        if len(lines) > 1 and self._command_in(lines[0]) is not None:
            return self._run_lines(lines)
        return self._run(text)

    def evaluate_in_frame(self, expression: str) -> Any:
        """Evaluate an expression in the selected frame.

        Raises what that raises, and `Refused` where it awaits what cannot come while the program is held.
        """
        return self._evaluation().value_of(expression)

    def try_in_frame(self, expression: str) -> Outcome:
        """Evaluate an expression in the selected frame, with what it raises told as for what was typed."""
        self._begin()
        try:
            return Outcome(True, self.evaluate_in_frame(expression))
        except BaseException:
            self.show_error()
            return self._outcome(is_done=False)

    def variables(self) -> Names:
        """Give the variables of the selected frame; what is put in their place takes effect there."""
        raw = self.frame.raw
        return Names(raw.f_locals, self.assign, is_module=raw.f_locals is raw.f_globals)

    def module_variables(self) -> Names:
        """Give the variables of the module of the selected frame."""
        raw = self.frame.raw
        names = raw.f_globals
        return Names(names, names.__setitem__, is_module=True, hidden_by=() if raw.f_locals is names else raw.f_locals)

    def assign(self, name: str, value: Any) -> None:
        """Give a variable of the selected frame another value."""
        with assigning(self.frame.raw, self.say) as names:
            names[name] = value

    def complete(self, text: str, column: int) -> list[Item]:
        """Find what completes a text at a column, counted from 0, without running any of the program's code."""
        raw = self.frame.raw
        steps = self._session.known_steps
        around = Surroundings(
            commands={name: command.summary for name, command in _BY_NAME.items()},
            words={"undo": ("-f", "files")},
            local_names=dict(raw.f_locals),
            global_names=raw.f_globals,
            breakpoints=() if steps is None else tuple(each.number for each in steps.breakpoints.all()),
        )
        return [
            Item(each.text, column - each.length, each.length, _ITEM_TYPES.get(each.kind, each.kind), each.about)
            for each in proposals(text[:column], around)
        ]

    # -- carrying out

    def _run_lines(self, lines: list[str]) -> Outcome:
        outcome = Outcome()
        for number, line in enumerate(lines, 1):
            outcome = self._run(line)
            if not outcome.is_done or outcome.way is not None:
                if number < len(lines):
                    self.say(f"not run: {'; '.join(lines[number:])}")
                break
        return outcome

    def _run(self, text: str) -> Outcome:
        self._begin()
        line = text.strip()
        meant = self._command_in(line)
        if meant is not None:
            is_done = self.carry_out(*meant)
            return self._outcome(is_done=is_done)
        if not line:
            return Outcome()
        if not self._is_refused(line):
            try:
                return Outcome(*self._evaluation().run(self._python_in(text)))
            except BaseException:
                self.show_error()
        return self._outcome(is_done=False)

    def _begin(self) -> None:
        self._failures, self._refusal = [], None
        self._traceback = self._stop.exception.__traceback__ if self._stop.exception is not None else None

    def _outcome(self, *, is_done: bool) -> Outcome:
        return Outcome(is_done=is_done, failure="\n".join(self._failures), refusal=self._refusal, way=self.way)

    def _command_in(self, line: str) -> tuple[Command, str] | None:
        """Give the command that a line means, and its argument.

        A line is Python all the same where it begins with a variable of that name and can be Python: who types `n` in an IDE wants to see
        it. It also is where an operator or a bracket follows the word at once, and where it assigns to it. Behind "fixcont" stands a command.
        """
        if line.startswith("?"):
            line = f"help {line[1:]}"
        meant = _FIRST_WORD.match(line.removeprefix(_MEANT).lstrip()) if line.startswith(_MEANT) else None
        if meant is not None and meant[1] in _BY_NAME and not self._is_variable(_MEANT.strip()):
            return _BY_NAME[meant[1]], meant[2].strip()
        found = _FIRST_WORD.match(line)
        command = _BY_NAME.get(found[1]) if found is not None else None
        if found is None or command is None:
            return None
        rest, argument = found[2], found[2].strip()
        is_variable = self._is_variable(found[1])
        if _ASSIGNED.match(argument) or (is_variable and _is_python(line)):
            return None
        if rest and not rest[0].isspace():
            takes_value = command.argument is Argument.EXPRESSION and rest[0] == "("
            if is_variable or not (takes_value or (argument == "()" and command.argument.accepts(""))):
                return None
            return command, argument if takes_value else ""
        return command, argument

    def _is_variable(self, name: str) -> bool:
        raw = self.frame.raw
        return name in raw.f_locals or name in raw.f_globals

    def _is_refused(self, text: str) -> bool:
        word = text.partition(" ")[0]
        if word in _REFUSED and not self._is_variable(word) and not _ASSIGNED.match(text.removeprefix(word).lstrip()):
            self.refuse(_REFUSED[word])
            return True
        return False

    def _python_in(self, text: str) -> str:
        line = text.strip()
        if line.startswith("!"):
            return line[1:]
        word, _, rest = line.partition(" ")
        is_printing = word in _PRINTING and rest and not _ASSIGNED.match(rest.lstrip())
        return rest if is_printing and not (self._is_variable(word) and _is_python(line)) else text

    def _evaluation(self) -> Evaluation:
        return Evaluation(self.frame.raw, self._session.at_work, self.say)

    # -- what the commands see: the Console

    @property
    def session(self) -> Session:
        return self._session

    @property
    def stop(self) -> Stop:
        return self._stop

    @property
    def frame(self) -> Frame:
        return self._stop.frames[self.selected]

    @property
    def place(self) -> tuple[CodeType, int]:
        return self.frame.code, self.frame.line

    def say(self, text: str) -> None:
        self._say(text)

    def complain(self, text: str) -> None:
        self._failures.append(text)

    def refuse(self, refusal: Refusal, can: Callable[[Frame], bool] | None = None) -> None:
        self._refusal = refusal
        self._failures.append(wording.refusal_line(refusal))
        nearest = None if can is None else wording.nearest_frame(self._stop.frames, self.selected, can)
        if nearest is not None:
            self._failures.append(
                f"nearest that can: {wording.frame_place(self._stop.frames[nearest])} (select it in the call stack)"
            )

    def evaluate_showing_errors(self, expression: str) -> Any:
        try:
            return self.evaluate_in_frame(expression)
        except BaseException:
            self.show_error()
            raise NotDone from None

    def show_error(self) -> None:
        error = sys.exception()
        if isinstance(error, Refused):
            self.refuse(error.refusal)
        elif error is not None:
            self.complain(error_text(error))
            if error is self._stop.exception:  # raised anew by what was evaluated: it goes on as it was
                error.__traceback__ = self._traceback

    def report_fault(self, error: Exception) -> None:
        fault = wording.fault_line(error)
        self.complain(fault)
        self._session.front_end.report(fault)

    def uninterrupted(self) -> AbstractContextManager[None]:
        return self._uninterrupted()

    def frames_in_reach(self) -> tuple[Sequence[Frame], int]:
        return self._stop.frames, self.selected

    def edit_in_place(self, place: tuple[CodeType, int], path: str, *, is_wanted: bool) -> bool:
        """Say where to edit in the IDE. Returns True: what was saved there is to be installed."""
        code, line = place
        if code.co_name != "<module>":
            line = editor.line_to_edit(path, code.co_qualname, code.co_firstlineno)
        self.say(f"edit {path}:{line} in the IDE, and save it")
        return True

    def confirm(self, question: str) -> bool | None:
        return None

    def answer(self, way: Way) -> None:
        with self.uninterrupted():
            self.way = way

    # -- for breakpoints

    @property
    def stepping(self) -> Stepping:
        stepping: Stepping = self._session.stepping
        return stepping

    def find_file(self, name: str) -> str | None:
        return find_file(name)

    def lines_of(self, filename: str) -> list[str]:
        return newest_lines(self._session, filename, self.frame.raw.f_globals)

    def look_up(self, expression: str) -> Any:
        try:
            return self.evaluate_in_frame(expression)
        except Exception:
            return None

    def ask(self, question: str) -> str:
        self._not_done(Refusal("no-answer", "nobody can be asked here", "name the breakpoints by their numbers"))

    def define_commands(self, number: int) -> None:
        self._not_done(_REFUSED["commands"])

    def open_window(self) -> None:
        self._not_done(_REFUSED["window"])

    def _not_done(self, refusal: Refusal) -> NoReturn:
        self.refuse(refusal)
        raise NotDone


def _is_python(text: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, "<text>", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
