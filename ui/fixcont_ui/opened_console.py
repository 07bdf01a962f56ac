"""What the commands are told at a saved stop, in whichever front end: everything that looks works; what replays loads the present code first."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Final

from fixcont.errors import Refusal
from fixcont_ui import opened_wording
from fixcont_ui.breakpoint_commands import BREAKPOINT_COMMANDS
from fixcont_ui.commands import Command, live_frame
from fixcont_ui.session_console import SessionConsole

if TYPE_CHECKING:
    from fixcont.postmortem.reopened import Reopened, Revived

_MAY_LEAVE: Final = ("continue", "quit", "replay")
_NOT_HERE: Final = frozenset(each.name for each in BREAKPOINT_COMMANDS) | {"save", "rerun", "stale", "create"}
#: Why nothing can be set, changed or let run at a saved stop.
NO_PROGRAM: Final = "this stop was read from a file, so there is no program"
NO_INSTALL: Final = Refusal(
    "post-mortem", f"{NO_PROGRAM} that an edit could be installed in", "look, evaluate, and edit the file"
)
#: Why there is nothing to evaluate in.
NO_FRAMES: Final = Refusal(
    "post-mortem", "there are no frames: the exception was saved before it was raised", "look at the exception"
)


def refusal_of(command: Command) -> Refusal | None:
    """Tell why a command cannot be given at a saved stop, None where it can."""
    if (command.goes_on and command.name not in _MAY_LEAVE) or command.name in _NOT_HERE:
        sentence = f'"{command.name}" needs a program, and this stop was read from a file'
        instead = '"replay" calls the function on the code that is here'
        return Refusal("post-mortem", sentence, "copy the file" if command.name == "save" else instead)
    return None


class OpenedConsole(SessionConsole):
    """The part of a console that is the same at saved stops. It comes in front of the front end's own class.

    Attributes:
        reopened: the saved stop, and the present code of its program once that is loaded.
    """

    reopened: Reopened

    @property
    def is_saved(self) -> bool:
        """Whether the stop that is shown is the one that was read, on stand-ins."""
        return self.reopened.opened.is_of(self.stop)

    def file_to_edit(self) -> str:
        saved = super().file_to_edit()
        return (self.reopened.present_file(saved) if self.is_saved else None) or saved

    def refusal_of_command(self, command: Command) -> Refusal | None:
        if self.is_saved:
            refusal = refusal_of(command) or (self._not_here() if command.name == "fix" else None)
            if refusal is not None:
                return refusal
        return super().refusal_of_command(command)

    def _not_here(self) -> Refusal | None:
        """Tell why there is no file to be edited, where that is so."""
        located = self.reopened.code.files.get(super().file_to_edit())
        return located.refusal if located is not None else None

    def install(self, *, tell_unchanged: bool) -> None:
        """Install what changed, where something is loaded; else say what becomes of edits."""
        if not self.is_saved:
            super().install(tell_unchanged=tell_unchanged)
        elif tell_unchanged:
            self.say('the file is edited; "replay" loads it')

    def revive(self) -> Revived | None:
        frame = live_frame(self)  # type: ignore[arg-type]  # the front end makes it a whole `Console`
        shown = None if self.is_saved or self.reopened.post is None else self.reopened.post.showing(self.stop)
        if not self.is_saved and (shown is None or not shown.lacks(frame)):
            return shown
        opened = frame if shown is None else shown.predecessor(frame)
        for located in self.reopened.code.files.values():
            if located.refusal is None:
                self.say(opened_wording.loading_line(located))
        with self.loading():
            post = self.reopened.load(frame, self.stop)
        post = post if shown is None else shown
        for refusal in self.reopened.code.refusals.values():
            self.say(f"not loaded: {refusal}")
        for line in opened_wording.loaded_lines(post):
            self.say(line)
        self.look_at_stop(post.stop, post.index_of(opened))
        return post

    def loading(self) -> AbstractContextManager[None]:
        """Let the user interrupt what is loaded in this block. Here: nothing to do for it."""
        return nullcontext()
