"""What clients are shown of a program beside the variables of its held frames: where frames stand, threads, texts, modules.

The handlers of requests know this interface only. A program that runs here is one that has it, a stop that was read from a file is another.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from traceback import walk_tb
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from fixcont.errors import Refusal
from fixcont_ui.dap.places import Texts, file_source, place_of
from fixcont_ui.text_in_place import text_in_place

if TYPE_CHECKING:
    from types import CodeType

    from fixcont.continuing.ways import Replay
    from fixcont.session import Session
    from fixcont.stopping.exceptions import ExceptionInfo
    from fixcont.stopping.frames import Frame
    from fixcont.stopping.stop import Stop
    from fixcont.stopping.threads import ThreadInfo
    from fixcont_ui.commands import Command
    from fixcont_ui.dap import protocol
    from fixcont_ui.dap.console import DebugConsole
    from fixcont_ui.dap.held import HeldThread


class Passing(NamedTuple):
    """Where a thread that is not held is, or was: for looking only.

    Attributes:
        function: its qualified name.
        source, line: where it stands.
        is_user: whether the file is one of the user's own.
    """

    function: str
    source: protocol.Source
    line: int
    is_user: bool


class Program(Protocol):
    """See the module.

    Attributes:
        no_install: why nothing can be installed, None where it can.
    """

    @property
    def no_install(self) -> Refusal | None: ...

    def threads(self) -> list[ThreadInfo]:
        """Give the threads, the main one first."""

    def stack_of(self, ident: int) -> list[Passing]:
        """Give the stack of a thread that is not held, innermost first."""

    def not_held(self, what: str, ident: int | None) -> Refusal:
        """Tell why nothing can be done with a thread, or with a frame of one, that is in no stop.

        Args:
            what: says which one, as the subject of a sentence.
            ident: of the thread, None where that is not known.
        """

    def stops_all(self, held: set[int]) -> bool:
        """Tell whether no thread runs. Some clients show a pause only then.

        Args:
            held: idents of the threads that are held.
        """

    def place(self, frame: Frame) -> tuple[protocol.Source, int]:
        """Give the source that a frame is shown in, and its line there."""

    def is_obsolete(self, frame: Frame) -> bool:
        """Tell whether a frame runs an older version of its function than the newest."""

    def describe(self, stop: Stop) -> str:
        """Say in a line what kind of stop at an exception it is."""

    def exception(self, error: BaseException, stop: Stop) -> ExceptionInfo:
        """Describe the exception that a thread is held for, in that thread."""

    def text(self, number: int) -> protocol.SourceResponseBody | None:
        """Give a text that is in no file, by the number that `place` has given for it; None where there is none."""

    def sources(self) -> list[protocol.Source]:
        """Give the user's own files."""

    def modules(self) -> list[protocol.Module]:
        """Give the modules, by their names."""

    def refusal_of(self, command: Command, stop: Stop) -> Refusal | None:
        """Tell why a command makes no sense at a stop of this program, None where it does."""

    def refusal_of_replay(self, way: Replay, stop: Stop) -> Refusal | None:
        """Tell why a frame of a stop that has unwound cannot be replayed, None where it can. Nothing is touched."""

    def console(self, held: HeldThread, say: Callable[[str], None]) -> DebugConsole:
        """Make what carries out what is typed at a stop."""


class Changed(Protocol):
    """Is called when a held thread is looked at at another stop, in that thread."""

    def __call__(self, held: HeldThread, *, same_frames: bool) -> None: ...


class RunningProgram:
    """The program that runs in this process.

    Args:
        changed: called when what clients have shown of a held thread is not so any more.
    """

    def __init__(self, session: Session, changed: Changed) -> None:
        self._session = session
        self._changed = changed
        self._texts: Final = Texts()

    @property
    def no_install(self) -> Refusal | None:
        return None

    def threads(self) -> list[ThreadInfo]:
        return self._session.threads()

    def stack_of(self, ident: int) -> list[Passing]:
        return [
            Passing(code.co_qualname, *place_of(self._session, self._texts, code, line), is_user)
            for code, line, is_user in self._session.running_frames(ident)
        ]

    def not_held(self, what: str, ident: int | None) -> Refusal:
        return Refusal("not-stopped", f"{what} runs", "pause it first")

    def stops_all(self, held: set[int]) -> bool:
        return all(each.ident in held for each in self._session.threads())

    def place(self, frame: Frame) -> tuple[protocol.Source, int]:
        return place_of(self._session, self._texts, frame.code, frame.line)

    def is_obsolete(self, frame: Frame) -> bool:
        return frame.is_user and bool(self._session.sources.is_obsolete(frame.code))

    def describe(self, stop: Stop) -> str:
        name = type(stop.exception).__name__
        if stop.frames[stop.selected].is_live:
            return f"Stopped at {name}, before anything unwinds"
        return f"Post-mortem of {name}: the frames have unwound, and can be replayed"

    def exception(self, error: BaseException, stop: Stop) -> ExceptionInfo:
        from fixcont.stopping.exceptions import describe_exception, told_with  # where it is asked for

        with ExitStack() as stack:  # the lines that ran, not those that are in the files now
            for code in self._codes_of(told_with(error), stop).values():
                stack.enter_context(text_in_place(code.co_filename, self._session.sources.text_of(code) or []))
            return describe_exception(error, stop.frames)

    def _codes_of(self, told: Sequence[BaseException], stop: Stop) -> dict[str, CodeType]:
        """Give code that ran, by the user's file that it is of: of the innermost frame of the stop in it, else of a frame that one of the
        exceptions was in, the first of these before the others."""
        found: dict[str, CodeType] = {}
        for each in reversed(told):
            for raw, _ in walk_tb(each.__traceback__):
                if self._session.is_user(raw):
                    found[raw.f_code.co_filename] = raw.f_code
        found.update((frame.filename, frame.code) for frame in reversed(stop.frames) if frame.is_user)
        return found

    def text(self, number: int) -> protocol.SourceResponseBody | None:
        return self._texts.get(number)

    def sources(self) -> list[protocol.Source]:
        found = [file_source(each, is_user=True) for each in self._session.filenames()]
        return [each for each in found if each is not None]

    def modules(self) -> list[protocol.Module]:
        known = sorted(name for name, module in list(sys.modules.items()) if type(name) is str and module is not None)
        return [self._module(name) for name in known]

    def _module(self, name: str) -> protocol.Module:
        described: protocol.Module = {"id": name, "name": name}
        try:
            names = object.__getattribute__(sys.modules[name], "__dict__")
        except (KeyError, AttributeError):
            return described
        path = names.get("__file__")
        if type(path) is str:
            described["path"] = os.path.abspath(path)
            described["isUserCode"] = self._session.scope.is_user(path)
        version = names.get("__version__")
        if type(version) is str:
            described["version"] = version
        return described

    def refusal_of(self, command: Command, stop: Stop) -> Refusal | None:
        return None

    def refusal_of_replay(self, way: Replay, stop: Stop) -> Refusal | None:
        return stop.refusal_of(way)

    def console(self, held: HeldThread, say: Callable[[str], None]) -> DebugConsole:
        from fixcont_ui.dap.console import DebugConsole

        return DebugConsole(self._session, held.stop, say, uninterrupted=held.uninterrupted, look_at=self._looking(held))

    def _looking(self, held: HeldThread) -> Callable[[Stop, bool], None]:
        """Give what lets a held thread be looked at at another stop, and clients ask for all of it anew."""

        def look_at(stop: Stop, same_frames: bool) -> None:
            held.look_at(stop, same_frames=same_frames)
            self._changed(held, same_frames=same_frames)

        return look_at
