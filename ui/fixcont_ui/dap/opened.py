"""A saved stop, shown to clients: its frames and values, on the text that ran. No program runs."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final

from fixcont.continuing.ways import Propagate
from fixcont.errors import Refusal
from fixcont.postmortem.opening import Opened, OpenedFrame, load_pickle, open_stop, whole_lines
from fixcont.postmortem.reading import MAX_SIZE, read
from fixcont.postmortem.reopened import Reopened
from fixcont.session import Session
from fixcont.stopping.exceptions import ExceptionInfo, describe_exception
from fixcont.stopping.threads import ThreadInfo
from fixcont_ui.dap import starting
from fixcont_ui.dap.console import DebugConsole
from fixcont_ui.dap.places import file_source, hint
from fixcont_ui.dap.program import Passing
from fixcont_ui.opened_console import NO_INSTALL, NO_PROGRAM, OpenedConsole, refusal_of
from fixcont_ui.present_files import PresentFiles, finder
from fixcont_ui.saved_wording import opened_lines
from fixcont_ui.text_in_place import text_in_place

if TYPE_CHECKING:
    from fixcont.stopping.frames import Frame
    from fixcont.stopping.stop import Stop
    from fixcont_ui.commands import Command
    from fixcont_ui.dap import protocol
    from fixcont_ui.dap.debuggee import Debuggee
    from fixcont_ui.dap.held import HeldThread

_NO_REPLAY: Final = Refusal(
    "post-mortem", "a stop that was read from a file is not replayed in an IDE", "open it in a terminal: fixcont --open FILE"
)
_NOTHING_GOES_ON: Final = "the saved stop is closed: it was read from a file, so there is nothing that goes on"
_NO_TEXT: Final = "# The text of this frame was not saved.\n"


class OpenedProgram:
    """What clients are shown of the program that a stop was saved in; see `fixcont_ui.dap.program.Program`.

    Args:
        session: one that is not active.
    """

    no_breakpoints: Final = NO_PROGRAM
    no_install: Final = NO_INSTALL

    def __init__(self, session: Session, reopened: Reopened) -> None:
        self._session = session
        self._reopened = reopened
        self._opened = reopened.opened
        self._present = PresentFiles(finder(reopened))
        self._contents: list[str] = []  # by number, from 1
        self._numbers: dict[int | str, int] = {}  # index of a text, or name of a file without one -> number of a content

    # -- threads

    def threads(self) -> list[ThreadInfo]:
        document = self._opened.document
        others = [ThreadInfo(_ident(number), each.name, False) for number, each in enumerate(document.threads)]
        return [ThreadInfo(threading.main_thread().ident or 0, document.thread, True), *others]

    def stack_of(self, ident: int) -> list[Passing]:
        threads = self._opened.document.threads
        frames = next((each.frames for number, each in enumerate(threads) if _ident(number) == ident), ())
        users = {frame.filename: frame.is_user for frame in self._opened.stop.frames}
        return [Passing(name, self._source_of(file), line, users.get(file, False)) for name, file, line in frames]

    def not_held(self, what: str) -> Refusal:
        return Refusal(
            "post-mortem", f"{what} was not saved: of other threads only the stack was", "look at the frames of the stop"
        )

    def stops_all(self, held: set[int]) -> bool:
        return True

    # -- frames

    def place(self, frame: Frame) -> tuple[protocol.Source, int]:
        assert isinstance(frame, OpenedFrame)
        number = frame.saved.text
        if number is None:
            return self._without_text(frame.filename, is_user=frame.is_user), frame.line
        return self._with_text(number, is_user=frame.is_user), frame.line

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

    def is_obsolete(self, frame: Frame) -> bool:
        return frame.is_obsolete

    def describe(self, stop: Stop) -> str:
        return f"Saved stop: {type(stop.exception).__name__}"

    def _without_text(self, file: str, *, is_user: bool) -> protocol.Source:
        """Describe a file of which nothing was saved. What it says now may be something else."""
        return {
            "name": f"{_base(file)} (not saved)", "sourceReference": self._number(file, lambda: f"{_NO_TEXT}# {file}\n"),
            "presentationHint": hint(is_user), "origin": "saved stop",
        }  # fmt: skip

    # -- texts and modules

    def _number(self, key: int | str, content: Callable[[], str]) -> int:
        if key not in self._numbers:
            self._contents.append(content())
            self._numbers[key] = len(self._contents)
        return self._numbers[key]

    def text(self, number: int) -> protocol.SourceResponseBody | None:
        if not 0 < number <= len(self._contents):
            return None
        return {"content": self._contents[number - 1], "mimeType": "text/x-python"}

    def sources(self) -> list[protocol.Source]:
        shown: dict[str, protocol.Source] = {}
        for frame in self._opened.stop.frames:
            if frame.is_user:
                shown.setdefault(frame.filename, self.place(frame)[0])
        return list(shown.values())

    def modules(self) -> list[protocol.Module]:
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

    def exception(self, error: BaseException, stop: Stop) -> ExceptionInfo:
        with ExitStack() as stack:  # the lines that ran, not those that are in the files now
            for frame in {each.filename: each for each in reversed(self._opened.frames.values())}.values():
                stack.enter_context(text_in_place(frame.filename, frame.text))
            return describe_exception(error, stop.frames)

    def refusal_of(self, command: Command) -> Refusal | None:
        return refusal_of(command)

    def console(self, held: HeldThread, say: Callable[[str], None]) -> DebugConsole:
        return OpenedDebugConsole(self._session, held.stop, say, self._reopened, uninterrupted=held.uninterrupted)


class OpenedDebugConsole(OpenedConsole, DebugConsole):
    """The debug console at a saved stop."""

    def __init__(self, session: Session, stop: Stop, say: Callable[[str], None], reopened: Reopened, **more: Any) -> None:
        super().__init__(session, stop, say, **more)
        self.reopened = reopened

    def refusal_of_command(self, command: Command) -> Refusal | None:
        return _NO_REPLAY if command.name in ("replay", "holes", "fill") else super().refusal_of_command(command)

    def look_at_present(self, stop: Stop) -> None:
        raise AssertionError("nothing is replayed here")

    def install(self, *, tell_unchanged: bool) -> None:
        if tell_unchanged:
            self.say("what is saved there is not run here")


def open_file(path: str, *, connect: str = "", listen: str = "", unpickles: bool = False, max_size: int | None = None) -> int:
    """Let clients look at a saved stop, in this thread, until one of them leaves it. Returns the exit status.

    Args:
        connect: where the adapter is that has started this process; "" where none has.
        listen: where to listen for clients, where it was started by nobody.
        unpickles: load the pickles that the file may have, which runs whatever it says.

    Raises:
        fixcont.errors.Refused: it cannot be read, or clients cannot come there.
    """
    opened = open_stop(read(path, MAX_SIZE if max_size is None else max_size), load_pickle if unpickles else None)

    def make(debuggee: Debuggee) -> Session:
        session = Session(debuggee, stop="never")
        debuggee.program = OpenedProgram(session, Reopened(session, opened))
        debuggee.quits_on_interrupt = True
        debuggee.greeting = "\n".join([*opened_lines(path, opened.document), ""])
        return session

    if connect:
        debuggee = starting.connect(make, connect, path, installs=False)
    else:
        debuggee = starting.listen_for(make, listen, waits=False, name=path, installs=False)
    _show(debuggee, opened)
    return 0


def _show(debuggee: Debuggee, opened: Opened) -> None:
    # Every answer that is not refused leaves it. Once saved frames can be replayed that is done here, and the stop is shown again.
    way = debuggee.stopped(opened.stop)
    if isinstance(way, Propagate) and debuggee.client is not None:
        debuggee.say(_NOTHING_GOES_ON)


def _ident(number: int) -> int:
    """Give the ident of another thread of the file: none that a thread of this process can have."""
    return -1 - number


def _base(file: str) -> str:
    return re.split(r"[/\\]", file)[-1]
