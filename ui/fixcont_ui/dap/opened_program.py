"""A saved stop, as clients see it: its frames and values, on the text that ran; and the present code of its program, once that is loaded."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

from fixcont.errors import Refusal
from fixcont.postmortem.opening import OpenedFrame, whole_lines
from fixcont.postmortem.reopened import Reopened
from fixcont.session import Session
from fixcont.stopping.exceptions import ExceptionInfo, describe_exception
from fixcont.stopping.threads import ThreadInfo
from fixcont_ui.dap.console import DebugConsole
from fixcont_ui.dap.opened_console import OpenedDebugConsole
from fixcont_ui.dap.places import file_source, hint
from fixcont_ui.dap.program import Changed, Passing, RunningProgram
from fixcont_ui.opened_console import NO_INSTALL, refusal_of
from fixcont_ui.present_files import PresentFiles, finder
from fixcont_ui.text_in_place import text_in_place

if TYPE_CHECKING:
    from fixcont.continuing.ways import Replay
    from fixcont.stopping.frames import Frame
    from fixcont.stopping.stop import Stop
    from fixcont_ui.commands import Command
    from fixcont_ui.dap import protocol
    from fixcont_ui.dap.held import HeldThread

_NO_TEXT: Final = "# The text of this frame was not saved.\n"
#: From this number on texts are those of the saved stop: no program has as many of its own.
_FIRST: Final = 1 << 30


class OpenedProgram(RunningProgram):
    """What clients are shown of the program that a stop was saved in, and of this process as far as it runs that.

    Args:
        session: that in which its functions are replayed.
        changed: called when what clients have shown of a held thread is not so any more.

    Attributes:
        reopened: the saved stop, and the present code of its program.
    """

    def __init__(self, session: Session, reopened: Reopened, changed: Changed) -> None:
        super().__init__(session, changed)
        self.reopened = reopened
        self._opened = reopened.opened
        self._present = PresentFiles(finder(reopened))
        self._contents: list[str] = []  # by number, from _FIRST
        self._numbers: dict[int | str, int] = {}  # index of a text, or name of a file without one -> number of a content

    @property
    def no_install(self) -> Refusal | None:
        return None if self._is_loaded else NO_INSTALL

    @property
    def _is_loaded(self) -> bool:
        return self.reopened.post is not None

    def _is_saved(self, stop: Stop) -> bool:
        return self._opened.is_of(stop)

    # -- threads

    def threads(self) -> list[ThreadInfo]:
        document = self._opened.document
        main = ThreadInfo(threading.main_thread().ident or 0, document.thread, True)
        others = [ThreadInfo(_ident(number), each.name, False) for number, each in enumerate(document.threads)]
        return [*(super().threads() if self._is_loaded else [main]), *others]

    def stack_of(self, ident: int) -> list[Passing]:
        if ident >= 0:
            return super().stack_of(ident)
        frames = self._opened.document.threads[_ident(ident)].frames
        users = {frame.filename: frame.is_user for frame in self._opened.stop.frames}
        return [Passing(name, self._source_of(file), line, users.get(file, False)) for name, file, line in frames]

    def not_held(self, what: str, ident: int | None) -> Refusal:
        if self._is_loaded and ident is not None and ident >= 0:
            return super().not_held(what, ident)
        return Refusal(
            "post-mortem", f"{what} was not saved: of other threads only the stack was", "look at the frames of the stop"
        )

    def stops_all(self, held: set[int]) -> bool:
        return super().stops_all(held) if self._is_loaded else True

    # -- frames

    def place(self, frame: Frame) -> tuple[protocol.Source, int]:
        if not isinstance(frame, OpenedFrame):
            return super().place(frame)
        number = frame.saved.text
        if number is None:
            return self._without_text(frame.filename, is_user=frame.is_user), frame.line
        return self._with_text(number, is_user=frame.is_user), frame.line

    def is_obsolete(self, frame: Frame) -> bool:
        return frame.is_obsolete if isinstance(frame, OpenedFrame) else super().is_obsolete(frame)

    def _source_of(self, file: str) -> protocol.Source:
        """Describe a file by its name: a frame of the stop may have run it, so that its text was saved."""
        for frame in self._opened.frames.values():
            number = frame.saved.text
            if frame.filename == file and number is not None and self._opened.document.texts[number].is_whole:
                return self._with_text(number, is_user=frame.is_user)
        return self._without_text(file, is_user=False)

    def _with_text(self, number: int, *, is_user: bool) -> protocol.Source:
        text = self._opened.document.texts[number]
        path = self._present.with_text(text)
        present = file_source(path, is_user=is_user) if path is not None else None
        if present is not None:
            return present
        return {
            "name": f"{_base(text.file)} (as it ran)",
            "sourceReference": self._number(number, lambda: "".join(whole_lines(text))), "presentationHint": hint(is_user),
            "origin": "saved stop" if text.is_certain else "saved stop; the text is the file's at the time when it was saved",
        }  # fmt: skip

    def _without_text(self, file: str, *, is_user: bool) -> protocol.Source:
        """Describe a file of which nothing was saved. What it says now may be something else."""
        return {
            "name": f"{_base(file)} (not saved)", "sourceReference": self._number(file, lambda: f"{_NO_TEXT}# {file}\n"),
            "presentationHint": hint(is_user), "origin": "saved stop",
        }  # fmt: skip

    # -- the stop

    def describe(self, stop: Stop) -> str:
        return f"Saved stop: {type(stop.exception).__name__}" if self._is_saved(stop) else super().describe(stop)

    def exception(self, error: BaseException, stop: Stop) -> ExceptionInfo:
        if not self._is_saved(stop):
            return super().exception(error, stop)
        with ExitStack() as stack:  # the lines that ran, not those that are in the files now
            for frame in {each.filename: each for each in reversed(self._opened.frames.values())}.values():
                stack.enter_context(text_in_place(frame.filename, frame.text))
            return describe_exception(error, stop.frames)

    def refusal_of(self, command: Command, stop: Stop) -> Refusal | None:
        return refusal_of(command) if self._is_saved(stop) else super().refusal_of(command, stop)

    def refusal_of_replay(self, way: Replay, stop: Stop) -> Refusal | None:
        """As for every program; of a saved frame, whose code is not loaded yet, only whether it can be."""
        return self.reopened.refusal_of(way.frame) if self._is_saved(stop) else super().refusal_of_replay(way, stop)

    def console(self, held: HeldThread, say: Callable[[str], None]) -> DebugConsole:
        is_of_replay = held.stop is not self.reopened.stop and not self._is_saved(held.stop)
        if is_of_replay:
            return super().console(held, say)
        return OpenedDebugConsole(self._session, held, say, self.reopened, self._looking(held))

    # -- texts and modules

    def _number(self, key: int | str, content: Callable[[], str]) -> int:
        if key not in self._numbers:
            self._numbers[key] = _FIRST + len(self._contents)
            self._contents.append(content())
        return self._numbers[key]

    def text(self, number: int) -> protocol.SourceResponseBody | None:
        if number < _FIRST:
            return super().text(number)
        if number >= _FIRST + len(self._contents):
            return None
        return {"content": self._contents[number - _FIRST], "mimeType": "text/x-python"}

    def sources(self) -> list[protocol.Source]:
        if self._is_loaded:
            return super().sources()
        shown: dict[str, protocol.Source] = {}
        for frame in self._opened.stop.frames:
            if frame.is_user:
                shown.setdefault(frame.filename, self.place(frame)[0])
        return list(shown.values())

    def modules(self) -> list[protocol.Module]:
        return super().modules() if self._is_loaded else self._saved_modules()

    def _saved_modules(self) -> list[protocol.Module]:
        document = self._opened.document
        files = {
            frame.saved.module: frame for frame in self._opened.frames.values() if frame.saved.module is not None
        }  # index of a module -> one of its frames
        found: dict[str, protocol.Module] = {}
        for number, module in enumerate(document.modules):
            described: protocol.Module = {"id": module.name, "name": module.name}
            frame = files.get(number)
            if frame is not None:
                described["path"], described["isUserCode"] = frame.filename, frame.is_user
            found[module.name] = described
        packages = document.process.get("packages")
        for name, version in (packages if isinstance(packages, dict) else {}).items():
            found.setdefault(name, {"id": name, "name": name})["version"] = version
        return [found[name] for name in sorted(found)]


def _ident(number: int) -> int:
    """Give the ident of another thread of the file, none that a thread of this process can have; and the other way round."""
    return -1 - number


def _base(file: str) -> str:
    return re.split(r"[/\\]", file)[-1]
