"""What the commands are told at a saved stop, in whichever front end: everything that looks works, nothing that goes on."""

from __future__ import annotations

from typing import Final

from fixcont.errors import Refusal
from fixcont_ui.breakpoint_commands import BREAKPOINT_COMMANDS
from fixcont_ui.commands import Command
from fixcont_ui.present_files import PresentFiles
from fixcont_ui.session_console import SessionConsole

_INSTEAD: Final = "look, evaluate, and edit the file"
_LEAVING: Final = ("continue", "quit")
_NOT_HERE: Final = frozenset(each.name for each in BREAKPOINT_COMMANDS) | {
    "save",
    "rerun",
    "stale",
    "create",
    "testcase",
}
#: Why nothing can be set, changed or let run at a saved stop.
NO_PROGRAM: Final = "this stop was read from a file, so there is no program"
NO_INSTALL: Final = Refusal("post-mortem", f"{NO_PROGRAM} that an edit could be installed in", _INSTEAD)
#: Why there is nothing to evaluate in.
NO_FRAMES: Final = Refusal(
    "post-mortem", "there are no frames: the exception was saved before it was raised", "look at the exception"
)


def refusal_of(command: Command) -> Refusal | None:
    """Tell why a command cannot be given at a saved stop, None where it can."""
    if (command.goes_on and command.name not in _LEAVING) or command.name in _NOT_HERE:
        return Refusal("post-mortem", f'"{command.name}" needs a program, and this stop was read from a file', _INSTEAD)
    return None


class OpenedConsole(SessionConsole):
    """The part of a console that is the same at saved stops. It comes in front of the front end's own class.

    Attributes:
        present: the files that are here now.
    """

    present: PresentFiles

    def file_to_edit(self) -> str:
        saved = super().file_to_edit()
        return self.present.find(saved) or saved

    def refusal_of_command(self, command: Command) -> Refusal | None:
        return refusal_of(command) or super().refusal_of_command(command)

    def install(self, *, tell_unchanged: bool) -> None:
        """Say what becomes of edits: there is nothing to install them in."""
        if tell_unchanged:
            self.say("the file is edited; nothing runs it here")
