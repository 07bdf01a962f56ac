"""What the commands of the table see of a session at a stop, whatever the front end they are given in."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, TypeVar

from fixcont.errors import Refusal, Refused
from fixcont.stopping.chain import chain_of
from fixcont_ui import editor, history_wording, wording
from fixcont_ui.commands import Command, NotDone

if TYPE_CHECKING:
    from types import CodeType

    from fixcont.editing.history import History
    from fixcont.editing.result import UndoResult
    from fixcont.editing.sources import Rerun
    from fixcont.editing.stale import Stale
    from fixcont.editing.unrun import Unrun
    from fixcont.postmortem.reopened import Revived
    from fixcont.postmortem.saving import Saved
    from fixcont.postmortem.wanted import Wanted
    from fixcont.session import Session
    from fixcont.stopping.frames import Frame
    from fixcont.stopping.stop import Stop
    from fixcont.testcases.writing import Written

Result = TypeVar("Result")


class SessionConsole(ABC):
    """The part of the protocol `Console` that is the same in every front end, on a session and a stop.

    A front end says how it shows a line, how it evaluates, and what guards a change of the process; and adds what is its own: the
    selected frame and place, editing, asking, the answer.
    """

    @property
    @abstractmethod
    def session(self) -> Session: ...

    @property
    @abstractmethod
    def stop(self) -> Stop: ...

    @property
    @abstractmethod
    def place(self) -> tuple[CodeType, int]: ...

    # -- what a front end says

    @abstractmethod
    def say(self, text: str) -> None:
        """Show a line."""

    @abstractmethod
    def complain(self, text: str) -> None:
        """Show that the command as given makes no sense."""

    @abstractmethod
    def evaluate_showing_errors(self, expression: str) -> Any:
        """Evaluate in the selected frame. Shows the error, and raises it, where that fails."""

    @abstractmethod
    def show_error(self) -> None:
        """Show the exception that is being handled."""

    @abstractmethod
    def report_fault(self, error: Exception) -> None:
        """Tell of a fault of fixcont's own: it must not become one of the program's."""

    @abstractmethod
    def frames_in_reach(self) -> tuple[Sequence[Frame], int | None]:
        """Give the frames that can be selected, innermost first, and the index of the one that is; None where that is no live frame."""

    def uninterrupted(self) -> AbstractContextManager[None]:
        """Let a block finish although Ctrl-C comes: for what must not be left half done. Here: nothing comes."""
        return nullcontext()

    def open_editor(self, path: str, line: int) -> None:
        """Open the user's editor and wait until it ends; see `editor.edit`."""
        editor.edit(path, line)

    def change(self, change: Callable[[], Result]) -> Result:
        """Change the process, while Ctrl-C has to wait."""
        with self.uninterrupted():
            return change()

    def show_notices(self) -> None:  # noqa: B027 - most front ends have none
        """Show what became of breakpoints with what was installed. Here: nothing."""

    def files_taken_over(self) -> None:  # noqa: B027 - the same
        """Hear that what is in the files is what runs. Here: no matter."""

    # -- what the commands see: the Console

    def version_of(self, frame: Frame) -> int:
        version: int = self.session.sources.newest(frame.code).version
        return version

    def file_to_edit(self) -> str:
        code, _ = self.place
        return code.co_filename

    def stale(self) -> list[Stale]:
        with self.uninterrupted():
            return self.session.sources.stale([frame.raw for frame in self.stop.frames])

    def evaluate(self, expression: str) -> Any:
        try:
            return self.evaluate_showing_errors(expression)
        except BaseException:
            raise NotDone from None

    def call(self, function: Callable[[], Any]) -> Any:
        try:
            return function()
        except BaseException:
            self.show_error()
            raise NotDone from None

    def install(self, *, tell_unchanged: bool) -> None:
        result = self.change(self.session.sources.install_changes)
        lines = wording.install_lines(result)
        if tell_unchanged and not lines:
            lines = [history_wording.unchanged_line(self.held_back())]
        for line in lines:
            self.say(line)
        self.show_notices()
        if not wording.is_current(result):
            raise NotDone
        self.files_taken_over()
        if result.unrun and not tell_unchanged:
            # Running one of them is likely what the user wants before the new code runs.
            self.say("give the command again to go on without that")
            raise NotDone

    def unrun(self) -> Sequence[Unrun]:
        return self.session.sources.unrun.all()

    def rerun(self, number: int) -> Rerun | None:
        rerun: Rerun | None = self.call(lambda: self.session.sources.rerun(number))
        return rerun

    @property
    def history(self) -> History:
        return self.session.sources.history

    def undo(self) -> UndoResult:
        return self.change(self.session.sources.undo)

    def held_back(self) -> list[str]:
        return self.session.sources.held_back()

    def write_back(self) -> list[tuple[str, Refusal | None]]:
        with self.uninterrupted():
            written = self.session.sources.write_back()
        self.files_taken_over()
        return written

    def refuse(self, refusal: Refusal, can: Callable[[Frame], bool] | None = None) -> None:
        self.say(wording.refusal_line(refusal))
        if can is None:
            return
        frames, selected = self.frames_in_reach()
        nearest = wording.nearest_line(frames, selected, can) if selected is not None else ""
        if nearest:
            self.say(nearest)

    def chain(self) -> list[BaseException]:
        """Give the exceptions that led to that of the stop, the earliest first, and that one."""
        known = self.stop.chain
        return list(known.exceptions) if known is not None else chain_of(self.stop.exception)

    def shown_exception(self) -> BaseException | None:
        """Give the one of the chain whose frames are looked at."""
        return self.stop.exception

    def look_at_exception(self, exception: BaseException) -> None:
        """Look at the frames of an exception of the chain. Raises `Refused` where that cannot be."""
        known = self.stop.chain
        if known is not None:
            stop = known.stop_of(exception)
            self.look_at_stop(stop, stop.selected)
        else:
            self.look_at_unwound(None if exception is self.stop.exception else exception)

    def look_at_unwound(self, exception: BaseException | None) -> None:
        """Look at the frames of an earlier exception while those of the stop are alive, or for None at these again.

        Raises `Refused`. Here: that cannot be.
        """
        if exception is None:
            return
        sentence = "the frames that an earlier exception has left are not shown while those of the stop are alive"
        raise Refused(Refusal("not-post-mortem", sentence, "look at the details of the exception"))

    def look_at_stop(self, stop: Stop, selected: int) -> None:
        """Look at another stop from now on: this one by another exception of its chain, or on the present code."""
        raise NotImplementedError

    def show_selected(self) -> None:  # noqa: B027 - front ends with a view of the frames show them there
        """Show the selected frame and its line."""

    def load_present(self) -> Revived | None:
        try:
            return self.revive()
        except Refused as refused:
            self.refuse(refused.refusal)
            raise NotDone from None

    def revive(self) -> Revived | None:
        """Load the present code of a saved stop, unless it is loaded, and look at the stop on it from then on.

        Returns:
            The stop on that code, None where this is no saved stop.

        Raises:
            Refused: the function of the selected frame cannot be loaded.
        """
        return None

    def save_stop(self, path: str, wanted: Wanted) -> Saved:
        from fixcont.saving import save_stop

        return save_stop(self.stop, path, wanted, self.session)

    def write_testcase(self, frame: Frame, path: str, given: Mapping[str, Any], limit: float) -> Written:
        from fixcont.testcase import write_testcase

        return write_testcase(self.stop, frame, path, given, self.session, limit)

    # -- carrying commands out

    def refusal_of_command(self, command: Command) -> Refusal | None:
        """Tell why a command cannot be given now, None where it can."""
        return command.refusal(self)  # type: ignore[arg-type]  # the front end makes it a whole `Console`

    def refuse_command(self, command: Command) -> bool:
        """Show why a command cannot be given now. Returns whether that is so."""
        refusal = self.refusal_of_command(command)
        if refusal is not None:
            self.refuse(refusal)
        return refusal is not None

    def carry_out(self, command: Command, argument: str) -> bool:
        """Carry a command out, or say why not. Returns whether it was done."""
        if not command.argument.accepts(argument):
            self.complain(f"Invalid argument: {argument}" if argument else "Argument is required for this command")
            self.say(f"          Usage: {command.usage}")
            return False
        try:
            if self.refuse_command(command):
                return False
            command.action(self, argument)  # type: ignore[arg-type]
            return True
        except NotDone:
            return False
        except Exception as error:
            self.report_fault(error)
            return False
