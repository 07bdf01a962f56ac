"""A saved stop in the terminal: the prompt, on what was read from a file."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from types import FrameType
from typing import TYPE_CHECKING, Final

from fixcont.continuing.ways import Propagate, Way
from fixcont.errors import Refusal
from fixcont.postmortem.opening import Opened, load_pickle, open_stop
from fixcont.postmortem.reading import MAX_SIZE, read
from fixcont.session import Session
from fixcont_ui import wording
from fixcont_ui.opened_console import NO_FRAMES, OpenedConsole
from fixcont_ui.present_files import PresentFiles, finder
from fixcont_ui.prompt import Prompt
from fixcont_ui.saved_summary import summary
from fixcont_ui.saved_wording import opened_lines

if TYPE_CHECKING:
    from fixcont.stopping.stop import Stop

_NO_TEXT: Final = "# The text of this frame was not saved.\n"
_HINT: Final = '"w", "up", "l", "p" look at what was saved; "fix" edits the file as it is now; "q" leaves'


class OpenedPrompt(OpenedConsole, Prompt):
    """The prompt at a saved stop: everything that looks, nothing that goes on.

    Args:
        session: one that is not active; the prompt asks it about files.
        path: the name of the file.
    """

    def __init__(
        self, session: Session, opened: Opened, path: str, commands: Iterable[str] = (), *, window: bool = False
    ) -> None:
        super().__init__(session, commands, window=window)
        self._opened = opened
        self._path = path
        self.present = PresentFiles(finder(opened.document))

    is_saved = True

    def _show_reason(self, stop: Stop) -> None:
        for line in self.introduction():
            self.message(line)
        super()._show_reason(stop)

    def _hint_once(self, hint: str) -> None:
        if self.streams.is_terminal and not self.cmdqueue:
            self.message(_HINT)

    def _text_of(self, raw: FrameType) -> list[str]:
        frame = self._opened.frames.get(raw)
        return frame.text if frame is not None else []

    def introduction(self) -> list[str]:
        return opened_lines(self._path, self._opened.document)

    def text_of_selected(self) -> list[str]:
        return super().text_of_selected() or [_NO_TEXT]

    def is_users_file(self, filename: str) -> bool:
        frames = self._opened.frames.values()
        return any(frame.is_user for frame in frames if filename in (frame.filename, self.present.find(frame.filename)))

    def _is_obsolete(self, raw: FrameType) -> bool:
        frame = self._opened.frames.get(raw)
        return frame is not None and frame.is_obsolete


class _Nobody:
    """The front end of a session that never stops."""

    takes_interrupts = False

    def stopped(self, stop: Stop) -> Way:
        return Propagate()

    def refused(self, refusal: Refusal) -> None:
        """Nobody is there."""

    def report(self, message: str) -> None:
        print(f"fixcont: {message}", file=sys.__stderr__)


def open_file(
    path: str,
    *,
    commands: Iterable[str] = (),
    as_json: bool = False,
    window: bool = False,
    unpickles: bool = False,
    max_size: int | None = None,
) -> int:
    """Show a saved stop, at the prompt, in the window, or as JSON on standard output. Returns the exit status.

    Args:
        window: show it in the window, where there is a terminal.
        unpickles: load the pickles that the file may have, which runs whatever it says.

    Raises:
        fixcont.errors.Refused: it cannot be read.
    """
    document = read(path, MAX_SIZE if max_size is None else max_size)
    opened = open_stop(document, load_pickle if unpickles else None)
    if as_json:
        json.dump(summary(opened), sys.stdout, indent=2)
        sys.stdout.write("\n")
        return 0
    if not opened.stop.frames:
        error = opened.stop.exception
        told = wording.exception_lines(error) if error is not None else []
        print("\n".join([*opened_lines(path, document), *told, NO_FRAMES.sentence]))
        return 0
    session = Session(_Nobody(), stop="never")
    OpenedPrompt(session, opened, path, commands, window=window).stopped(opened.stop)
    return 0
