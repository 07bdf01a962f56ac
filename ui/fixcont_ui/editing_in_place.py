"""`fix` without another editor: the function is edited in the terminal, for whichever console asks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from types import CodeType
from typing import TYPE_CHECKING

from fixcont.errors import Refusal
from fixcont_ui import capability, editor, wording
from fixcont_ui.commands import NotDone
from fixcont_ui.streams import Streams

if TYPE_CHECKING:
    from fixcont_ui.terminal.fix_editor import Draft


class EditingInPlace:
    """Lets the user edit functions in the terminal, and keeps what was typed and not saved."""

    def __init__(self) -> None:
        self._drafts: dict[tuple[str, str], Draft] = {}  # (file, function) -> what was typed there and not saved

    def edit(
        self,
        streams: Streams | None,
        place: tuple[CodeType, int],
        lines: Callable[[], Sequence[str]],
        at_work: Callable[[], AbstractContextManager[None]],
        say: Callable[[str], None],
        *,
        is_wanted: bool,
    ) -> bool:
        """Let the user edit one function, if there is a terminal for it and no other editor is set.

        Args:
            place: the code of the function, and the line where it stands.
            lines: gives the text of its file that runs.
            at_work: see `fixcont_ui.terminal.apart.run`.
            say: shows a line.
            is_wanted: it was asked for; then it is refused where it cannot be.

        Returns:
            False where another editor is to be started. Raises `NotDone` where nothing was saved.
        """
        if not is_wanted and editor.is_set():
            return False
        if streams is None or not capability.can_edit(streams):
            if not is_wanted:
                return False
            instead = "set $VISUAL or $EDITOR, or save the file otherwise"
            say(wording.refusal_line(Refusal("no-terminal", "this is no terminal to edit in", instead)))
            raise NotDone
        from fixcont_ui.terminal.in_place import edit  # imports prompt_toolkit

        code, line = place
        edited = edit(streams, code, line, "".join(lines()[line - 1 : line]), self._drafts, at_work)
        if edited.refusal is not None:
            say(wording.refusal_line(edited.refusal))
        elif edited.message:
            say(edited.message)
        if not edited.is_saved:
            raise NotDone
        return True
