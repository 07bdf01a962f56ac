"""A saved stop in the terminal: the prompt, on what was read from a file."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

from fixcont.continuing.ways import Propagate, Way
from fixcont.errors import Quit, Refusal, Refused
from fixcont.postmortem.opening import open_stop
from fixcont.postmortem.reading import MAX_SIZE, read
from fixcont.postmortem.reopened import Reopened, Revived
from fixcont.postmortem.serving import serve_opened
from fixcont.session import Session
from fixcont_ui import opened_wording
from fixcont_ui.breakpoint_commands import BREAKPOINT_COMMANDS
from fixcont_ui.commands import Command, NotDone, live_frame
from fixcont_ui.prompt import Prompt
from fixcont_ui.saved_summary import summary
from fixcont_ui.saved_wording import opened_lines

if TYPE_CHECKING:
    from fixcont.stopping.stop import Stop

_MAY_LEAVE: Final = ("continue", "quit", "replay")
_NOT_HERE: Final = frozenset(each.name for each in BREAKPOINT_COMMANDS) | {"save", "rerun", "stale", "create", "window"}
_HINT: Final = (
    '"w", "up", "l", "p" look at what was saved; "fix" edits the file as it is now, "replay" runs the function on it; "q" leaves'
)


class OpenedPrompt(Prompt):
    """The prompt at a saved stop: everything that looks; and, once the present code of the program is loaded, what replays.

    Args:
        session: that in which the function is replayed.
        path: the name of the file.
    """

    def __init__(self, session: Session, reopened: Reopened, path: str, commands: Iterable[str] = ()) -> None:
        super().__init__(session, commands)
        self._reopened = reopened
        self._path = path

    def _is_saved(self) -> bool:
        """Whether the stop that is shown is the one that was read, on stand-ins."""
        return self._stop is not None and self._stop is self._reopened.opened.stop

    def _show_reason(self, stop: Stop) -> None:
        if self._is_saved():
            for line in opened_lines(self._path, self._reopened.opened.document):
                self.message(line)
            frame = self.frame
            located = self._reopened.code.files.get(frame.filename) if frame is not None else None
            if located is not None:
                self.message(opened_wording.present_line(located))
        super()._show_reason(stop)

    def _hint_once(self, hint: str) -> None:
        if not self._is_saved():
            super()._hint_once(hint)
        elif self.streams.is_terminal and not self.cmdqueue:
            self.message(_HINT)

    def _text_of(self, raw: FrameType) -> list[str]:
        frame = self._reopened.opened.frames.get(raw)
        return frame.text if frame is not None else super()._text_of(raw)

    def _is_obsolete(self, raw: FrameType) -> bool:
        frame = self._reopened.opened.frames.get(raw)
        return frame.is_obsolete if frame is not None else super()._is_obsolete(raw)

    def refuse_command(self, command: Command) -> bool:
        if self._is_saved() and ((command.goes_on and command.name not in _MAY_LEAVE) or command.name in _NOT_HERE):
            sentence = f'"{command.name}" needs a program, and this stop was read from a file'
            self.refuse(Refusal("post-mortem", sentence, '"replay" calls the function on the code that is here'))
            return True
        return super().refuse_command(command)

    def install(self, *, tell_unchanged: bool) -> None:
        """Install what changed, where something is loaded; else say what becomes of edits."""
        if not self._is_saved():
            super().install(tell_unchanged=tell_unchanged)
        elif tell_unchanged:
            self.say('the file is edited; "replay" loads it')

    def file_to_edit(self) -> str:
        saved = super().file_to_edit()
        if not self._is_saved():
            return saved
        located = self._reopened.code.files.get(saved)
        if located is not None and located.refusal is not None:
            self.refuse(located.refusal)
            raise NotDone
        return located.path if located is not None else saved

    def load_present(self) -> Revived | None:
        if not self._is_saved():
            is_ours = self._reopened.post is not None and self._stop is self._reopened.post.stop
            return self._reopened.post if is_ours else None
        frame = live_frame(self)
        for located in self._reopened.code.files.values():
            if located.refusal is None:
                self.say(opened_wording.loading_line(located))
        try:
            with self.interruptible():
                post = self._reopened.load(frame)
        except Refused as refused:
            self.refuse(refused.refusal)
            raise NotDone from None
        for refusal in self._reopened.code.refusals.values():
            self.say(f"not loaded: {refusal}")
        for line in opened_wording.loaded_lines(post):
            self.say(line)
        selected = self.selected
        self.look_away()
        self.look_at(post.stop, selected)
        return post


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
    unpickles: bool = False,
    max_size: int | None = None,
    roots: Sequence[str] = (),
    scope: Sequence[str] = (),
) -> int:
    """Show a saved stop, at the prompt or as JSON on standard output. Returns the exit status.

    Args:
        unpickles: load the pickles that the file may have, which runs whatever it says.
        roots: folders below which the present files of the program are looked for.
        scope: as for a session.

    Raises:
        fixcont.errors.Refused: it cannot be read.
    """
    document = read(path, MAX_SIZE if max_size is None else max_size)
    opened = open_stop(document, _unpickle if unpickles else None)
    if as_json:
        json.dump(summary(opened), sys.stdout, indent=2)
        sys.stdout.write("\n")
        return 0
    session = Session(_Nobody(), scope=scope or ("project",))
    reopened = Reopened(session, opened, roots)
    session.front_end = OpenedPrompt(session, reopened, path, commands)
    session.install()  # now: at a stop the prompt has Ctrl-C for itself, and gives it back as it was
    with suppress(Quit):  # at a stop of a replay
        serve_opened(session, reopened)
    return 0


def _unpickle(data: bytes) -> Any:
    import pickle

    return pickle.loads(data)
