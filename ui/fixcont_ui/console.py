"""What the commands of the table need of a front end: the protocol that each of them fulfils."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from types import CodeType

    from fixcont.continuing.ways import Way
    from fixcont.editing.history import History
    from fixcont.editing.result import UndoResult
    from fixcont.editing.sources import Rerun
    from fixcont.editing.stale import Stale
    from fixcont.editing.unrun import Unrun
    from fixcont.errors import Refusal
    from fixcont.postmortem.reopened import Revived
    from fixcont.postmortem.saving import Saved
    from fixcont.postmortem.wanted import Wanted
    from fixcont.stepping.engine import Stepping
    from fixcont.stopping.frames import Frame
    from fixcont.stopping.stop import Stop
    from fixcont.testcases.writing import Written


class Console(Protocol):
    """What a command needs of the front end that it is given in."""

    @property
    def stop(self) -> Stop: ...

    @property
    def frame(self) -> Frame | None:
        """The selected frame, or None where the selection is not a live frame of the stop."""

    @property
    def place(self) -> tuple[CodeType, int]:
        """The selection's code and the line that runs in it, whether it is live or not."""

    def file_to_edit(self) -> str:
        """The file of the selected frame's function, as it is here."""

    def version_of(self, frame: Frame) -> int:
        """The number of the newest version of the frame's function."""

    def stale(self) -> list[Stale]:
        """Find what still runs old code, or was computed by it."""

    def evaluate(self, expression: str) -> Any:
        """Evaluate in the selected frame. Shows the error and raises `NotDone` where that fails."""

    def call(self, function: Callable[[], Any]) -> Any:
        """Call what belongs to the user, with errors treated as in `evaluate`."""

    def install(self, *, tell_unchanged: bool) -> None:
        """Install what changed in the files, and show what came of it.

        Raises `NotDone` where something could not be installed; and, unless `tell_unchanged` says that nothing follows but
        to show it, where statements of a module were not run, as the user may want to run them first.
        """

    def edit_in_place(self, place: tuple[CodeType, int], path: str, *, is_wanted: bool) -> bool:
        """Let the user edit a function right here, if there is an editor here and no other one is set.

        Args:
            place: its code, and a line in it.
            path: its file, as it is here.
            is_wanted: it was asked for; then it is refused where it cannot be.

        Returns:
            False where another editor is to be started. Raises `NotDone` where nothing was saved.
        """

    def open_editor(self, path: str, line: int) -> None: ...

    def unrun(self) -> Sequence[Unrun]:
        """The statements of modules that are in the files and were not run."""

    def rerun(self, number: int) -> Rerun | None:
        """Run one of them, None where there is none of this number. Shows the error and raises `NotDone` where it fails."""

    @property
    def history(self) -> History:
        """The patches that were installed."""

    def undo(self) -> UndoResult:
        """Take the last patch back, without showing what came of it."""

    def held_back(self) -> list[str]:
        """The files that still say what was undone."""

    def write_back(self) -> list[tuple[str, Refusal | None]]:
        """Write what is installed into those files. Returns them, each with the reason why it is left alone, or None."""

    def confirm(self, question: str) -> bool | None:
        """Ask the user, yes or no. Returns None where nobody is there to be asked."""

    def say(self, text: str) -> None: ...

    def complain(self, text: str) -> None:
        """Show that the command as given makes no sense."""

    def refuse(self, refusal: Refusal, can: Callable[[Frame], bool] | None = None) -> None:
        """Show a refusal, and the nearest frame for which `can` is true."""

    def answer(self, way: Way) -> None:
        """Leave the stop by `way`."""

    @property
    def stepping(self) -> Stepping: ...

    def find_file(self, name: str) -> str | None:
        """Find a file or module of the program, as pdb does; None where there is none."""

    def lines_of(self, filename: str) -> list[str]:
        """The lines of a file as it is loaded, or as it lies on disk."""

    def look_up(self, expression: str) -> Any:
        """Evaluate in the selected frame; None where that fails, without a word."""

    def ask(self, question: str) -> str:
        """Ask the user; "" where there is no answer."""

    def define_commands(self, number: int) -> None:
        """Take the commands for a breakpoint from the lines that follow."""

    def open_window(self) -> None: ...

    def load_present(self) -> Revived | None:
        """Load the present code of a stop that was opened from a file, and give the stop on it; None at others. Raises `NotDone`."""

    def save_stop(self, path: str, wanted: Wanted) -> Saved:
        """Save the stop to a file. Raises `Refused` where that cannot be."""

    def write_testcase(self, frame: Frame, path: str, given: Mapping[str, Any], limit: float) -> Written:
        """Write a test of the call that a frame is the activation of. Raises `Refused` where that cannot be."""

    def chain(self) -> Sequence[BaseException]:
        """The exceptions that led to that of the stop, the earliest first, and that one."""

    def shown_exception(self) -> BaseException | None:
        """The one of them whose frames are looked at."""

    def look_at_exception(self, exception: BaseException) -> None:
        """Look at the frames of one of them. Raises `Refused` where that cannot be."""

    def show_selected(self) -> None:
        """Show the selected frame and its line."""
