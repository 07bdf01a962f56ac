"""The fix-and-continue commands as commands of pdb.

They are in the table that the prompt reads. What pdb has itself (continue, step, breakpoints and so on) is left to it.
"""

from __future__ import annotations

import pdb
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, Final

from fixcont.bytecode import interpreter
from fixcont.session import active
from fixcont_ui.commands import COMMANDS, Argument, Command
from fixcont_ui.create_command import CREATE_COMMANDS
from fixcont_ui.drop_in.breaks import BreakpointsByMonitoring
from fixcont_ui.drop_in.console import StopConsole
from fixcont_ui.drop_in.edits import running_text
from fixcont_ui.postmortem_commands import POSTMORTEM_COMMANDS
from fixcont_ui.testcase_command import TESTCASE_COMMANDS

#: The commands that pdb does not have.
OURS: Final = tuple(
    command
    for command in (*COMMANDS, *POSTMORTEM_COMMANDS, *TESTCASE_COMMANDS, *CREATE_COMMANDS)
    if not hasattr(pdb.Pdb, f"do_{command.name}")
)
_BY_NAME: Final = {name: command for command in OURS for name in command.names}

_HELP: Final = "Fix and continue"
_IN_FRONT: Final = "fixcont"


class CommandsOfOurs(BreakpointsByMonitoring):
    """A pdb in which the commands of the table can be given, as far as the stop allows."""

    _console: StopConsole | None = None  # at a stop
    _lists_only_pdbs = False

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

    def _validate_file_mtime(self) -> None:
        """Warn of stale code, as newer ones of pdb do; in pytest only of files that are not the user's: edits of these are taken over."""
        session, raw = active(), self.curframe
        is_users = session is not None and raw is not None and session.scope.is_user(raw.f_code.co_filename)
        base: Any = super()
        if not (is_users and "_pytest.runner" in sys.modules):
            base._validate_file_mtime()

    # -- carrying commands out

    def _run_command(self, command: Command, argument: str) -> bool:
        """Carry a command out, or say why not. Returns whether the stop is answered, which ends the command loop."""
        console = self._console or StopConsole(self, None)  # breakpoints are pdb's, so what is for them is not in it
        console.carry_out(command, argument)
        if console.way is None:
            return False
        self.do_continue("")  # a way to go on is one to continue, for subclasses too
        return True

    def _is_statement(self, name: str, argument: str) -> bool:
        """Tell whether a line that begins with the word of a command means something in Python, as it does in pdb.

        `skip` shows the variable of that name where there is one; what looks like no argument of the command is a statement.
        """
        command = _BY_NAME[name]
        raw = self.curframe
        if raw is not None:
            variables = raw.f_locals if interpreter.LOCALS_WRITE_THROUGH else self.curframe_locals
            if name in raw.f_globals or name in variables:
                return True
        return argument.startswith("=") or (bool(argument) and command.argument is Argument.NONE)

    def do_fixcont(self, arg: str) -> Any:
        """fixcont command

        Give one of the commands to fix and continue, in a frame that has a variable of that name: fixcont skip
        """
        name, _, argument = arg.strip().partition(" ")
        if name not in _BY_NAME:
            return self.default(f"{_IN_FRONT} {arg}".strip())
        return self._run_command(_BY_NAME[name], argument.strip())

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


def _command_method(name: str, command: Command) -> Callable[[CommandsOfOurs, str], Any]:
    def do(self: CommandsOfOurs, arg: str) -> Any:
        argument = arg.strip()
        if self._is_statement(name, argument):
            return self.default(f"{name} {argument}".rstrip())
        return self._run_command(command, argument)

    do.__name__ = f"do_{name}"  # pdb asks for it
    do.__doc__ = command.full_help
    return do


for _name, _command in _BY_NAME.items():
    setattr(CommandsOfOurs, f"do_{_name}", _command_method(_name, _command))
    if _command.argument is Argument.EXPRESSION:
        setattr(CommandsOfOurs, f"complete_{_name}", pdb.Pdb._complete_expression)
#: What ends the commands of a breakpoint, where pdb asks for names.
_RESUMING: Final = [f"do_{name}" for name, command in _BY_NAME.items() if command.goes_on]
setattr(CommandsOfOurs, "commands_resuming", [*getattr(pdb.Pdb, "commands_resuming", ()), *_RESUMING])  # noqa: B010 - pdb's own
