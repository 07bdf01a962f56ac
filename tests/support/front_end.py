"""Stops in this process: programs that are loaded here, and a front end that answers from a list and records what it saw."""

from __future__ import annotations

import contextlib
import gc
import itertools
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import FrameType
from typing import Any

from fixcont.continuing.ways import Propagate, QuitProgram, RestartFrame, ReturnFromFrame, Throw, Way
from fixcont.editing.result import InstallStatus
from fixcont.errors import Refusal
from fixcont.session import Session, active
from fixcont.stopping.frames import Frame
from fixcont.stopping.stop import Stop
from support.programs import Program, write_program

#: What a scripted front end does at a stop.
Answer = Callable[[Stop], Way]

_HERE = __file__
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Seen:
    """What a front end saw of one stop. Holds none of the debuggee's objects.

    Attributes:
        error: "ValueError: text", or "" where there was no exception.
        where: the function of the selected frame.
        line: the text of the line at which it is held, stripped, without a comment.
        frames: the functions of all frames of the program, innermost first.
        reason: the value of the `StopReason`.
        thread: the name of the thread.
        late: as in the stop.
        depth: how many Python frames lay below the front end.
        context: the types of the exceptions in the chain of `__context__`.
    """

    error: str
    where: str
    line: str
    frames: tuple[str, ...]
    reason: str
    thread: str
    late: str
    depth: int
    context: tuple[str, ...]


class ScriptedUser:
    """Answers each stop with the next of the answers, and lets the exception go on when they are used up.

    Args:
        file: of the program.

    Attributes:
        saw: the stops, in order; one that was refused and shown again is there once.
        refusals: what was refused, in order.
        messages: what was reported that belongs to no stop.
    """

    def __init__(self, answers: Iterable[Answer], file: str) -> None:
        self._answers = iter(answers)
        self._file = file
        self.saw: list[Seen] = []
        self.refusals: list[Refusal] = []
        self.messages: list[str] = []

    def session(self, **options: Any) -> AbstractContextManager[Session]:
        """Be asked by a session that is active meanwhile.

        Args:
            options: for the `Session`.
        """
        raise NotImplementedError

    def _next_answer(self) -> Answer:
        return next(self._answers, propagate)

    def _refused(self, refusal: Refusal) -> None:
        self.refusals.append(refusal)
        if len(self.refusals) > 20:
            self._answers = iter(())  # an endless answer that is always refused


class ScriptedFrontEnd(ScriptedUser):
    """The same as the engine's front end."""

    def __init__(self, answers: Iterable[Answer], file: str) -> None:
        super().__init__(answers, file)
        self._shown: Stop | None = None

    @contextlib.contextmanager
    def session(self, **options: Any) -> Iterator[Session]:
        session = Session(options.pop("front_end", self), **options)
        session.install()
        try:
            yield session
        finally:
            session.uninstall()

    def stopped(self, stop: Stop) -> Way:
        if stop is not self._shown:
            self.saw.append(self._seen(stop))
        way = self._next_answer()(stop)
        self._shown = stop if stop.refusal_of(way) is not None else None
        return way

    def refused(self, refusal: Refusal) -> None:
        self._refused(refusal)

    def report(self, message: str) -> None:
        self.messages.append(message)

    def _seen(self, stop: Stop) -> Seen:
        frame = stop.frames[stop.selected]
        return Seen(
            error=described(stop.exception) if stop.exception is not None else "",
            where=frame.function,
            line=source_line(frame.filename, frame.line),
            frames=tuple(each.function for each in stop.frames if each.filename == self._file),
            reason=stop.reason.value,
            thread=stop.thread_name,
            late=stop.late,
            depth=stack_depth(sys._getframe()),
            context=tuple(context_chain(stop.exception)),
        )


# -- answers


def propagate(stop: Stop) -> Way:
    """Let the exception go on."""
    return Propagate()


def quit_program(stop: Stop) -> Way:
    """End the program."""
    return QuitProgram()


def restart(function: str | None = None, which: int = 0) -> Answer:
    """Restart the selected frame, or of the frames of a function the one with index `which`, innermost first."""
    return lambda stop: RestartFrame(find_frame(stop, function, which))


def give_back(value: Any, function: str | None = None, which: int = 0) -> Answer:
    """Let a frame return a value."""
    return lambda stop: ReturnFromFrame(find_frame(stop, function, which), value)


def throw(exception: BaseException, function: str | None = None, which: int = 0) -> Answer:
    """Raise an exception in a frame."""
    return lambda stop: Throw(find_frame(stop, function, which), exception)


def then(action: Callable[[], object], answer: Answer) -> Answer:
    """Do something at the stop, and then answer it."""

    def both(stop: Stop) -> Way:
        action()
        return answer(stop)

    return both


def fix(replace: Mapping[str, str], answer: Answer) -> Answer:
    """Save the selected frame's file with each key of `replace` turned into its value, install it, and then answer."""

    def save_and_install(stop: Stop) -> Way:
        Program(Path(stop.frames[stop.selected].filename)).edit(replace)
        install_what_was_saved()
        return answer(stop)

    return save_and_install


def install_what_was_saved() -> None:
    """Install what has changed in the files, by the means of the user who is asked."""
    session = active()
    assert session is not None
    install: Callable[[], None] | None = getattr(session.front_end, "install_what_was_saved", None)
    if install is not None:
        install()
        return
    result = session.sources.install_changes()
    assert result.status is InstallStatus.INSTALLED, result


def find_frame(stop: Stop, function: str | None = None, which: int = 0) -> Frame:
    """Give the selected frame, or the frame with index `which` of those whose function has this name or qualified name."""
    if function is None:
        return stop.frames[stop.selected]
    found = [frame for frame in stop.frames if function in (frame.function, frame.code.co_name)]
    assert found, f"no frame of {function} among {[frame.function for frame in stop.frames]}"
    return found[which]


# -- programs


@dataclass(frozen=True)
class Outcome:
    """How a call ended: its result, or what it raised."""

    value: Any
    error: BaseException | None


class LiveProgram:
    """A program that is loaded into this process under a session, so that a test can call its functions.

    Only the program's own file is in scope; what calls it from here is library code that catches everything, and so handles nothing.

    Attributes:
        front_end: what the stops were answered by.
        names: the globals of the program.
    """

    def __init__(self, program: Program, session: Session, front_end: ScriptedUser) -> None:
        self.program = program
        self.session = session
        self.front_end = front_end
        spec = spec_from_file_location(f"live_program_{next(_numbers)}", program.path)
        assert spec is not None
        self.module = module_from_spec(spec)  # with all that a module has: `warnings` asks for its loader, for one
        self.names: dict[str, Any] = self.module.__dict__

    def load(self) -> None:
        """Run the module's code."""
        filename = str(self.program.path)
        data = self.program.path.read_bytes()
        code = compile(data, filename, "exec", dont_inherit=True)
        prepared = self.session.prepare(code, filename)
        self.session.on_loaded(filename, data, prepared)
        sys.modules[self.module.__name__] = self.module
        exec(prepared, self.names)

    def call(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """Call a function of the program and return its result. What it raises is a failure of the test."""
        outcome = self.attempt(name, *args, **kwargs)
        if outcome.error is not None:
            raise AssertionError(f"{name} raised") from outcome.error
        return outcome.value

    def failure(self, name: str, *args: Any, **kwargs: Any) -> BaseException:
        """Call a function of the program that must raise, and return what it raised."""
        outcome = self.attempt(name, *args, **kwargs)
        assert outcome.error is not None, f"{name} returned {outcome.value!r}"
        return outcome.error

    def attempt(self, name: str, *args: Any, **kwargs: Any) -> Outcome:
        """Call a function of the program and see how it ends."""
        outcome = attempt(self.names[name], *args, **kwargs)
        assert sys.exc_info() == (None, None, None), "an exception is still being handled after the call"
        return outcome

    def trace(self, error: BaseException) -> list[str]:
        """Give the traceback of an exception as "function: text of the line", without what lies in this file."""
        return trace(error)

    @property
    def log(self) -> list[Any]:
        """Give what the program has put into its global list `log`."""
        log: list[Any] = self.names["log"]
        return log

    @property
    def saw(self) -> list[Seen]:
        return self.front_end.saw

    @property
    def stops(self) -> list[str]:
        """Give the errors of the stops."""
        return [seen.error for seen in self.front_end.saw]

    @property
    def refused(self) -> list[str]:
        """Give the codes of the refusals."""
        return [refusal.code for refusal in self.front_end.refusals]


@contextlib.contextmanager
def live_program(
    folder: Path,
    text: str,
    *answers: Answer,
    endless: Answer | None = None,
    load: bool = True,
    user: Callable[[Iterable[Answer], str], ScriptedUser] = ScriptedFrontEnd,
    **options: Any,
) -> Iterator[LiveProgram]:
    """Load a program under a session of its own; at the end uninstall it, and fail if fixcont reported a fault of its own.

    Args:
        folder: where its file is written.
        text: its source.
        answers: what the stops are answered with, in order.
        endless: the answer to all later stops; without it the exception goes on.
        load: whether to run the module's code; else the test does so.
        user: makes who answers.
        options: for the `Session`, with a front end in the place of the scripted one, if it is given; its scope is the folder if nothing else is said.
    """
    program = write_program(folder / f"program{next(_numbers)}", text)
    front_end = user(itertools.chain(answers, itertools.repeat(endless) if endless else ()), str(program.path))
    options.setdefault("scope", (str(program.folder),))
    with front_end.session(**options) as session:
        live = LiveProgram(program, session, front_end)
        try:
            if load:
                live.load()
            yield live
        finally:
            sys.modules.pop(live.module.__name__, None)
    assert front_end.messages == []


def attempt(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Outcome:
    """Call a function and see how it ends."""
    try:
        return Outcome(function(*args, **kwargs), None)
    except BaseException as error:
        return Outcome(None, error)


# -- looking


def described(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def source_line(filename: str, number: int | None) -> str:
    """Give a line of a file, stripped, without a comment; "" where there is none."""
    try:
        lines = Path(filename).read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return lines[number - 1].split("  #")[0].strip() if number and number <= len(lines) else ""


def trace(error: BaseException) -> list[str]:
    """Give the traceback of an exception as "function: text of the line", without what lies in this file."""
    found = []
    for frame, number in traceback.walk_tb(error.__traceback__):
        filename = frame.f_code.co_filename
        if filename != _HERE:
            found.append(f"{frame.f_code.co_name}: {source_line(filename, number)}")
    return found


def context_chain(error: BaseException | None) -> Iterator[str]:
    """Give the names of the types of the exceptions in the context of one, nearest first."""
    while error is not None and error.__context__ is not None:
        error = error.__context__
        yield type(error).__name__


def stack_depth(frame: FrameType | None) -> int:
    depth = 0
    while frame is not None:
        depth += 1
        frame = frame.f_back
    return depth


def run_in_thread(name: str, function: Callable[[], object]) -> threading.Thread:
    """Start a thread whose last exception is shown to nobody."""

    def quietly() -> None:
        attempt(function)

    thread = threading.Thread(target=quietly, name=name, daemon=True)
    thread.start()
    return thread


def collect() -> None:
    """Let garbage go that only the collector finds."""
    gc.collect()
