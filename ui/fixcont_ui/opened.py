"""A saved stop in the terminal: the prompt, on what was read from a file."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, suppress
from types import FrameType
from typing import TYPE_CHECKING, Final

from fixcont.continuing.ways import Propagate, Way
from fixcont.errors import Quit, Refusal
from fixcont.postmortem.opening import open_stop
from fixcont.postmortem.present import open_with_pickles
from fixcont.postmortem.reading import MAX_SIZE, read
from fixcont.postmortem.reopened import Reopened
from fixcont.postmortem.serving import serve_opened
from fixcont.session import Session
from fixcont_ui import opened_wording, wording
from fixcont_ui.opened_console import NO_FRAMES, OpenedConsole
from fixcont_ui.present_files import PresentFiles, finder
from fixcont_ui.prompt import Prompt
from fixcont_ui.saved_summary import summary
from fixcont_ui.saved_wording import opened_lines

if TYPE_CHECKING:
    from fixcont.stopping.stop import Stop

_NO_TEXT: Final = "# The text of this frame was not saved.\n"
_HINT: Final = (
    '"w", "up", "l", "p" look at what was saved; "fix" edits the file as it is now, "replay" runs the function on it; "q" leaves'
)


class OpenedPrompt(OpenedConsole, Prompt):
    """The prompt at a saved stop: everything that looks; and, once the present code of the program is loaded, what replays.

    Args:
        session: that in which the function is replayed.
        path: the name of the file.
    """

    def __init__(
        self, session: Session, reopened: Reopened, path: str, commands: Iterable[str] = (), *, window: bool = False
    ) -> None:
        super().__init__(session, commands, window=window)
        self.reopened = reopened
        self._path = path
        self._present = PresentFiles(finder(reopened))

    def _show_reason(self, stop: Stop) -> None:
        if self.is_saved:
            for line in self.introduction():
                self.message(line)
        super()._show_reason(stop)

    def introduction(self) -> list[str]:
        if not self.is_saved:
            return super().introduction()
        lines = opened_lines(self._path, self.reopened.opened)
        frame = self.frame
        located = self.reopened.code.files.get(frame.filename) if frame is not None else None
        return [*lines, opened_wording.present_line(located)] if located is not None else lines

    def _hint_once(self, hint: str) -> None:
        if not self.is_saved:
            super()._hint_once(hint)
        elif self.streams.is_terminal and not self.cmdqueue:
            self.message(_HINT)

    def _text_of(self, raw: FrameType) -> list[str]:
        frame = self.reopened.opened.frames.get(raw)
        return frame.text if frame is not None else super()._text_of(raw)

    def text_of_selected(self) -> list[str]:
        return super().text_of_selected() or [_NO_TEXT]

    def is_users_file(self, filename: str) -> bool:
        if not self.is_saved:
            return super().is_users_file(filename)
        frames = self.reopened.opened.frames.values()
        return any(frame.is_user for frame in frames if filename in (frame.filename, self._present.find(frame.filename)))

    def _is_obsolete(self, raw: FrameType) -> bool:
        frame = self.reopened.opened.frames.get(raw)
        return frame.is_obsolete if frame is not None else super()._is_obsolete(raw)

    def loading(self) -> AbstractContextManager[None]:
        return self.interruptible()


def _write(text: str) -> int:
    """Write to standard output. Returns the exit status."""
    try:
        print(text, flush=True)
    except BrokenPipeError:  # who reads has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    except OSError as error:
        print(f"fixcont: the summary could not be written: {error.strerror}", file=sys.stderr)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1
    return 0


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
    roots: Sequence[str] = (),
    scope: Sequence[str] = (),
) -> int:
    """Show a saved stop, at the prompt, in the window, or as JSON on standard output. Returns the exit status.

    Args:
        window: show it in the window, where there is a terminal.
        unpickles: load the pickles that the file may have, which runs whatever it says.
        roots: folders below which the present files of the program are looked for.
        scope: as for a session.

    Raises:
        fixcont.errors.Refused: it cannot be read.
    """
    document = read(path, MAX_SIZE if max_size is None else max_size)
    opened = open_with_pickles(document, roots) if unpickles else open_stop(document)
    if as_json:
        return _write(json.dumps(summary(opened), indent=2))
    if not opened.stop.frames:
        error = opened.stop.exception
        told = wording.exception_lines(error) if error is not None else []
        print("\n".join([*opened_lines(path, opened), *told, NO_FRAMES.sentence]))
        return 0
    session = Session(_Nobody(), scope=scope or ("project",))
    reopened = Reopened(session, opened, roots)
    session.front_end = OpenedPrompt(session, reopened, path, commands, window=window)
    session.install()  # now: at a stop the prompt has Ctrl-C for itself, and gives it back as it was
    with suppress(Quit):  # at a stop of a replay
        serve_opened(session, reopened)
    return 0
