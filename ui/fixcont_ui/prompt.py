"""The prompt: the running interpreter's pdb as a console at a stop, with commands of our own for all that goes on.

pdb is used for looking only. Nothing is traced: the stack comes from the stop, and every command of pdb that would set
the program going is replaced, so that a stop is left by an answer to the engine and in no other way.
"""

from __future__ import annotations

import os
import pdb
import sys
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

from fixcont.continuing.ways import Propagate, Replay, Step, Throw, Way
from fixcont.errors import Refusal
from fixcont.stopping.frames import Frame
from fixcont.stopping.stop import Moment, Stop, StopReason
from fixcont_ui import help_text, wording, wording_of_replays
from fixcont_ui.breakpoint_commands import BREAKPOINT_COMMANDS
from fixcont_ui.commands import COMMANDS, Argument, Command
from fixcont_ui.create_command import CREATE_COMMANDS
from fixcont_ui.exceptions_command import EXCEPTIONS_COMMAND
from fixcont_ui.interrupts import Interrupts
from fixcont_ui.postmortem_commands import POSTMORTEM_COMMANDS
from fixcont_ui.session_console import SessionConsole
from fixcont_ui.stepping_commands import STEPPING_COMMANDS
from fixcont_ui.streams import Streams, choose_streams
from fixcont_ui.testcase_command import TESTCASE_COMMANDS
from fixcont_ui.unavailable import NOT_AVAILABLE, NotAvailable
from fixcont_ui.window_command import WINDOW_COMMANDS
from fixcont_ui.window_host import WindowHost

if TYPE_CHECKING:
    from fixcont.postmortem.replay import Replayed
    from fixcont.session import Session

#: What `help` lists together: what is looked for most comes last, where it is still on the screen.
_SECTIONS = (
    ("Breakpoints", BREAKPOINT_COMMANDS),
    ("Stepping", STEPPING_COMMANDS),
    ("Saved stops, dead frames, tests", (EXCEPTIONS_COMMAND, *POSTMORTEM_COMMANDS, *TESTCASE_COMMANDS)),
    ("Fix and continue", (*COMMANDS, *CREATE_COMMANDS, *WINDOW_COMMANDS)),
)
#: What one who knows pdb only needs to begin.
_HINT = '"fix" edits the code, then "rf" restarts or "retry" goes on; "help" lists all'
_HINT_DEAD = '"fix" edits the code, then "replay" calls the function again; "help replay" tells more'
_BY_NAME = {name: command for _, commands in _SECTIONS for command in commands for name in command.names}
_NOT_AVAILABLE = {name: group for group in NOT_AVAILABLE for name in group.names}

#: The word completion of readline splits at these; as pdb sets them, but only while a prompt is open.
_DELIMITERS = " \t\n`@#%^&*()=+[{]}\\|;:'\",<>?"


class Prompt(WindowHost, SessionConsole):
    """A front end that talks in lines, and the `Console` of its commands.

    One prompt serves all stops of a process, one after the other.
    """

    resuming = frozenset(name for name, command in _BY_NAME.items() if command.goes_on)

    def __init__(
        self,
        session: Session,
        commands: Iterable[str] = (),
        folder: str | None = None,
        streams: Streams | None = None,
        window: bool = False,
    ) -> None:
        """Make a prompt whose first stop begins with the lines of ~/.pdbrc, of .pdbrc in `folder`, and with `commands`.

        `folder` is the current one unless given; `streams` are chosen anew at every stop unless given. With `window` stops are shown in
        the window.
        """
        with _readline_kept():
            super().__init__(session)
        self.prompt = "(fixcont) "
        self.is_windowed = window
        self.cmdqueue = [*_startup_lines(folder or os.getcwd()), *commands]
        self._given_streams = streams
        self._streams: Streams | None = None
        self._interrupts = Interrupts()
        self._serving: int | None = None  # identifier of the thread that is at the prompt
        self._is_hinted = False  # the hint was shown
        self._is_over = False  # no more commands come: every stop is left at once
        self._last: tuple[weakref.ref[Stop], int] | None = None  # the stop served last, and what was selected in it
        self._way: Way | None = None  # the answer to the present stop, once there is one
        self._stepped = ""  # the command of the last step: an empty line repeats it
        self._replayed: tuple[Any, ...] = ()  # the value of the last replay, if it gave one

    # The front end that the engine knows.

    def stopped(self, stop: Stop) -> Way:
        """Show the stop and take commands until one of them is an answer.

        A stop inside of what the user evaluates at the prompt is none: the error is shown like any other.
        """
        if self._is_over or self._serving == threading.get_ident():
            return _unattended(stop)
        self._serving = threading.get_ident()
        try:
            with self._interrupts, self._talking(), _readline_kept():
                return self._ask(stop)
        except Exception as error:
            # A fault here must not become one of the program's: it goes on as if nobody had looked.
            self.report_fault(error)
            return Propagate()
        finally:
            # A Ctrl-C that has ended what was evaluated here would be taken for the end of the program by the interpreter, which then ends
            # by the signal whatever the exit status is. It forgets that as it evaluates a string.
            eval("None")
            self.look_away()
            self._way = self._serving = None

    def refused(self, refusal: Refusal) -> None:
        with self._talking():
            self.refuse(refusal)

    def report(self, message: str) -> None:
        report(message)

    def use_streams(self, streams: Streams) -> None:
        """Talk through these at the stops to come."""
        self._given_streams = streams

    def replayed(self, outcome: Replayed) -> None:
        """Show what came of a replay. Its value is `$_` at the stops that follow."""
        self._replayed = (outcome.value,) if outcome.error is None else ()
        with self._talking():
            for line in wording_of_replays.outcome_lines(outcome):
                self.message(line)

    # One stop.

    def _ask(self, stop: Stop) -> Way:
        again = self._last is not None and self._last[0]() is stop
        self.look_at(stop, self._last[1] if again and self._last is not None else stop.selected)
        for value in self._replayed:
            self.set_convenience_variable(stop.frames[stop.selected].raw, "_", value)
        if not again:
            self._begin(stop)
        while self._way is None:
            if self.is_windowed and not self.cmdqueue and self.show_window(stop):
                continue
            try:
                with self._interrupts.allowed():
                    self.cmdloop()
            except KeyboardInterrupt:
                self.message("--KeyboardInterrupt--")
        self._last = (weakref.ref(self.stop), self.selected)  # the one that is shown by now
        if not (stop.frames[stop.selected].is_live or isinstance(self._way, Replay)):
            self._replayed = ()  # nobody asks for it any more
        return self._way

    def _begin(self, stop: Stop) -> None:
        """Show a stop, and run the commands of its breakpoints."""
        commands = self.commands_at(stop)
        self._show_reason(stop)
        if stop.moment is Moment.RETURN:
            self.set_convenience_variable(stop.frames[0].raw, "_retval", stop.value)
        went_on = self.run_commands(commands)
        if "silent" not in commands:
            self.print_stack_entry(self.stack[self.curindex])
        if stop.exception is not None and not went_on:
            self._hint_once(_HINT if stop.frames[stop.selected].is_live else _HINT_DEAD)
        if hasattr(self, "_show_display") and not went_on:
            self._show_display()
        if stop.reason in (StopReason.STEP, StopReason.BREAKPOINT) and not went_on:
            self.lastcmd = self._stepped
        self._stepped = ""

    def _show_reason(self, stop: Stop) -> None:
        if stop.late:
            self.message(stop.late)
        if stop.thread_name != "MainThread":
            self.message(f"in thread {stop.thread_name}:")
        self.show_notices()
        if stop.exception is not None:
            self.message(self.painted("\n".join(wording.exception_lines(stop.exception))))
        elif stop.reason is StopReason.INTERRUPT:
            self.message("\nProgram interrupted")
        elif stop.moment is not Moment.LINE:
            self.message("--Call--" if stop.moment is Moment.CALL else "--Return--")

    def _hint_once(self, hint: str) -> None:
        """Tell how a repair begins, to a person who has to type the next command in lines."""
        if self.streams.is_terminal and not (self._is_hinted or self.is_windowed or self.cmdqueue):
            self._is_hinted = True
            self.message(hint)

    @contextmanager
    def _talking(self) -> Iterator[None]:
        """Talk through the streams that are right at the moment."""
        streams = self._streams = self._given_streams or choose_streams()
        self.stdin, self.stdout = streams.stdin, streams.stdout
        self.use_rawinput = streams.are_the_programs
        self.use(streams)
        if sys.stdout is not None and sys.stdout is not streams.stdout:
            with _broken_streams_forgiven():
                sys.stdout.flush()
        try:
            yield
        finally:
            with _broken_streams_forgiven():
                self.stdout.flush()

    # What the commands see: the Console.

    def evaluate_showing_errors(self, expression: str) -> Any:
        return self._getval(expression)

    def show_error(self) -> None:
        """Show the exception that is being handled, as pdb does."""
        pdb_itself: Any = self
        pdb_itself._error_exc()

    def uninterrupted(self) -> AbstractContextManager[None]:
        return self._interrupts.held()

    def frames_in_reach(self) -> tuple[Sequence[Frame], int]:
        return self.stop.frames, self.selected

    def open_window(self) -> None:
        self.is_windowed = True

    def confirm(self, question: str) -> bool | None:
        if self._streams is None or not self._streams.is_terminal:
            return None
        if self.use_rawinput:
            try:
                answer = input(question)
            except EOFError:
                answer = ""
                self.message("")
        else:
            self.message(question, end="")
            self.stdout.flush()
            answer = self.stdin.readline()
        return answer.strip().lower() in ("y", "yes")

    def say(self, text: str) -> None:
        self.message(text)

    def complain(self, text: str) -> None:
        self.error(text)

    def answer(self, way: Way) -> None:
        with self._interrupts.held():
            self._way = way
            self._stepped = self.lastcmd if isinstance(way, Step) else ""
            self._interrupts.end()

    @property
    def streams(self) -> Streams:
        """The streams that it talks through at this stop."""
        assert self._streams is not None
        return self._streams

    @property
    def is_answered(self) -> bool:
        """Whether a command has answered the stop."""
        return self._way is not None

    def command_named(self, name: str) -> Command:
        """Give a command of the table."""
        return _BY_NAME[name]

    def interruptible(self) -> AbstractContextManager[None]:
        """Let Ctrl-C end what runs in a block."""
        return self._interrupts.allowed()

    # Carrying commands out.

    def run_command(self, command: Command, argument: str) -> bool:
        """Carry a command out, or say why not. Returns whether the stop is answered, which ends the command loop."""
        self.carry_out(command, argument)
        return self._way is not None or (self.is_windowed and not self.cmdqueue)

    def precmd(self, line: str) -> str:
        """Expand aliases and split at `;;`; what stands behind it comes before the lines that wait already."""
        waiting, self.cmdqueue = self.cmdqueue, []
        line = super().precmd(line)
        self.cmdqueue.extend(waiting)
        return line

    def do_EOF(self, arg: str) -> bool:
        """EOF

        The end of the input. At a terminal it ends the program; elsewhere the exception goes on, now and at every later stop.
        """
        self.message("")
        assert self._streams is not None
        if self._streams.is_terminal:
            return self.run_command(_BY_NAME["quit"], "")
        self._is_over = True
        self.cmdqueue.clear()
        self.answer(_unattended(self.stop))
        return True

    def do_help(self, arg: str) -> bool | None:
        """h(elp)

        Without argument, print the list of available commands.
        With a command name as argument, print help about that command.
        "help pdb" shows the documentation of pdb, whose commands for looking work here.
        "help exec" gives help on the ! command.
        """
        if arg in _BY_NAME:
            self.message(_BY_NAME[arg].full_help)
        elif arg in _NOT_AVAILABLE:
            self.message(wording.refusal_line(_NOT_AVAILABLE[arg].refusal(arg)))
        else:
            super().do_help(arg)
        if not arg:
            for line in help_text.command_list(_SECTIONS, self.columns):
                self.message(line)
            is_live = self._stop is None or self.frame is None or self.frame.is_live
            self.message(_HINT if is_live else _HINT_DEAD)
        return None

    do_h = do_help

    def do_retval(self, arg: str) -> None:
        """retval

        Print the return value for the last return of a function.
        """
        if self.stop.moment is Moment.RETURN:
            self.message(repr(self.stop.value))
        else:
            self.error("Not yet returned!")

    do_rv = do_retval

    def command_summaries(self) -> dict[str, str]:
        summaries = super().command_summaries()
        return {name: _BY_NAME[name].summary if name in _BY_NAME else "" for name in summaries}

    def get_names(self) -> list[str]:
        """Give the names that help and completion offer: without the commands that cannot do their work here."""
        return [name for name in super().get_names() if name.partition("_")[2] not in _NOT_AVAILABLE]

    def report_fault(self, error: Exception) -> None:
        report(wording.fault_line(error))


def _unattended(stop: Stop) -> Way:
    """Return how a stop is left when nobody is there to answer: as if fixcont were not."""
    if stop.reason is StopReason.INTERRUPT:
        return Throw(stop.frames[stop.selected], KeyboardInterrupt())
    return Propagate()


def report(message: str) -> None:
    """Write a message that belongs to no stop to the process's standard error."""
    with _broken_streams_forgiven():
        print(f"fixcont: {message}", file=sys.__stderr__, flush=True)


@contextmanager
def _broken_streams_forgiven() -> Iterator[None]:
    """Ignore that a stream is closed, or that nobody reads from it: there is no one left to tell."""
    try:
        yield
    except (OSError, ValueError, AttributeError, RuntimeError):  # the last: Ctrl-C came in the middle of a write
        pass


@contextmanager
def _readline_kept() -> Iterator[None]:
    """Set up readline's completion for the prompt, and give it back to the program as it was."""
    try:
        import readline
    except ImportError:
        yield
        return
    before = readline.get_completer_delims()
    readline.set_completer_delims(_DELIMITERS)
    try:
        yield
    finally:
        readline.set_completer_delims(before)


def _startup_lines(folder: str) -> list[str]:
    """Read the commands of ~/.pdbrc and of .pdbrc in `folder`, without comments."""
    lines: list[str] = []
    for path in (os.path.expanduser("~/.pdbrc"), os.path.join(folder, ".pdbrc")):
        try:
            with open(path, encoding="utf-8") as file:
                lines.extend(line.strip() for line in file)
        except (OSError, UnicodeError):
            pass
    return [line for line in lines if line and not line.startswith("#")]


def _command_method(command: Command) -> Callable[[Prompt, str], bool]:
    def do(self: Prompt, arg: str) -> bool:
        return self.run_command(command, arg.strip())

    do.__doc__ = command.full_help
    return do


def _refusing_method(name: str, group: NotAvailable) -> Callable[[Prompt, str], None]:
    def do(self: Prompt, arg: str) -> None:
        self.refuse(group.refusal(name))

    do.__doc__ = wording.refusal_line(group.refusal(name))
    return do


for _name, _command in _BY_NAME.items():
    setattr(Prompt, f"do_{_name}", _command_method(_command))
    if _command.argument in (Argument.EXPRESSION, Argument.FUNCTION):
        setattr(Prompt, f"complete_{_name}", pdb.Pdb._complete_expression)
for _name, _group in _NOT_AVAILABLE.items():
    setattr(Prompt, f"do_{_name}", _refusing_method(_name, _group))
