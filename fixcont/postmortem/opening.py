"""A saved stop that was read, as a `Stop`: frames that can be looked at and evaluated in, on values that are rebuilt.

A frame of it is a real frame object, that of a generator which is never started: so all that works on frames works on it. Its variables can be
assigned, which fills in holes; it cannot go on.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from types import CodeType, FrameType, FunctionType, GeneratorType, TracebackType
from typing import Any, Final

from fixcont.bytecode import interpreter
from fixcont.bytecode.closures import NEVER_CALLED
from fixcont.continuing.ways import Landing, Propagate, QuitProgram, Replay, Resume, Skip, UseValue, Way
from fixcont.errors import Refusal, Refused
from fixcont.postmortem.reading import Document, SavedException, SavedFrame, SavedText, Unreadable
from fixcont.postmortem.rebuilding import Rebuilder
from fixcont.postmortem.shapes import BadShape
from fixcont.postmortem.standins import Facts, Hole, builtin_named
from fixcont.stopping.chain import NOWHERE, chain_of, further_out, once
from fixcont.stopping.frames import Frame, write_locals
from fixcont.stopping.stop import Moment, Stop, StopReason

_NO_WAY: Final = Refusal(
    "post-mortem",
    "this stop was read from a file, so there is no program that could go on",
    "replay a frame on the code that is here",
)
_GROUPS: Final = 50  # exceptions in groups in groups
_SHOWN: Final = 10_000  # exceptions in a group, those that are in several groups as often
_BLANK_LINES: Final = 1_000_000  # in front of the text of a function


class OpenedFrame(Frame):
    """A frame of a saved stop.

    Attributes:
        saved: what the file says of it.
        module_name: the name of its module, "" where that is not known.
        text: the lines that ran, as a whole file; empty where they were not saved.
        variables: as they were saved, whatever the user has assigned since.
        space: its global variables.
    """

    def __init__(
        self,
        generator: GeneratorType[Any, Any, Any],
        saved: SavedFrame,
        module_name: str,
        text: list[str],
        variables: dict[str, Any],
    ) -> None:
        raw: Any = generator.gi_frame
        super().__init__(
            raw,
            saved.line,
            -1,  # its instructions are not those that ran
            is_user=saved.is_user,
            is_obsolete=saved.is_obsolete,
            restart_refusal=_NO_WAY,
            is_live=False,
        )
        self._generator = generator  # the frame is its own
        self.saved = saved
        self.module_name = module_name
        self.text = text
        self.variables = variables
        self.space = raw.f_globals

    def release(self) -> None:
        """Let go of the frame object, which looks as if it ran the program's code; it must not be looked into any more."""
        del self._generator

    @property
    def span(self) -> tuple[int, int, int, int] | None:
        return self.saved.span


def call_of(frame: Frame) -> Hashable:
    """Give what is equal for frames of a saved stop that are of one call, None where that is not known."""
    saved = frame.saved if isinstance(frame, OpenedFrame) else None
    return None if saved is None or saved.activation is None else (saved.activation, saved.function, saved.file)


def _is_call_of(frame: Frame, other: Frame | None) -> bool:
    return other is not None and call_of(frame) is not None and call_of(frame) == call_of(other)


class Opened:
    """A saved stop.

    Attributes:
        document: what was in the file.
        stop: its stop. Every way to go on from it is refused.
        failed_pickles: type and error of each pickle that could not be loaded: what is there in its place was saved beside it.
        exceptions: that of the stop, behind those that led to it.
        frames: by frame object, those of exceptions further back in the chain too.
    """

    def __init__(
        self, document: Document, stop: Stop, frames: dict[FrameType, OpenedFrame], failed_pickles: Sequence[str] = ()
    ) -> None:
        self.document = document
        self.failed_pickles = failed_pickles
        self.frames = frames
        self.exceptions: Final = chain_of(stop.exception)
        self.stop = replace(stop, chain=self)
        self._through: dict[int, list[Frame]] = {}  # id of a traceback, which many exceptions may have -> its frames
        self._stops = {id(stop.exception): self.stop}  # id of an exception of the chain -> the stop at its frames

    def stop_of(self, exception: BaseException) -> Stop:
        """As of every `Chain`."""
        if id(exception) not in self._stops:
            frames = [*self.came_through(exception), *further_out(exception, self.exceptions, self.came_through, call_of)]
            if not frames:
                raise Refused(NOWHERE)
            selected = next((at for at, frame in enumerate(frames) if frame.is_user), 0)
            self._stops[id(exception)] = replace(
                self.stop, reason=StopReason.EXCEPTION, moment=Moment.LINE, value=None, late="",
                exception=exception, frames=frames, selected=selected,
            )  # fmt: skip
        return self._stops[id(exception)]

    def came_through(self, exception: BaseException) -> list[Frame]:
        """Give the frames of the traceback of an exception, the innermost first."""
        traceback = exception.__traceback__
        known = self._through.get(id(traceback))
        if known is None:
            frames: list[Frame] = []
            first = traceback
            while traceback is not None:
                frames.append(self.frames[traceback.tb_frame])
                traceback = traceback.tb_next
            known = self._through[id(first)] = once(reversed(frames), call_of)
        return known

    def is_of(self, stop: Stop) -> bool:
        """Tell whether a stop is this one, or one of the chain of its exception."""
        return any(each is stop for each in self._stops.values())


def open_stop(document: Document, unpickle: Callable[[bytes], Any] | None = None) -> Opened:
    """Make a stop of what was read.

    Args:
        unpickle: gives objects from the pickles that the file may have. That runs whatever the file says: only for files that are trusted.

    Raises:
        Unreadable: "damaged": the values make no sense.
    """
    try:
        return _Opening(document, unpickle).open()
    except BadShape as error:
        raise Unreadable(
            Refusal("damaged", f"the file is damaged: {error}", "save the stop again, or copy the file again")
        ) from None


def load_pickle(data: bytes) -> Any:
    """Give an object from its pickle. That runs whatever the pickle says."""
    import pickle  # only where it was asked for

    return pickle.loads(data)


class _Opening:
    def __init__(self, document: Document, unpickle: Callable[[bytes], Any] | None) -> None:
        self._document = document
        self._rebuilder = Rebuilder(document.values, unpickle)
        self._spaces = [{"__name__": each.name} | self._rebuilder.variables(each.variables) for each in document.modules]
        self._frames: dict[FrameType, OpenedFrame] = {}
        self._texts: dict[int, list[str]] = {}
        self._exceptions: dict[int, BaseException] = {}
        self._shown: dict[int, int] = {}  # number of a group -> how many exceptions are shown where it is
        self._tracebacks: dict[int, TracebackType | None] = {}

    def open(self) -> Opened:
        document = self._document
        stacks = {number: [self._frame(each) for each in frames] for number, frames in document.stacks.items()}
        exceptions = [self._exception(number) for number in range(len(document.exceptions))]
        for saved, exception in zip(document.exceptions, exceptions, strict=True):
            self._link(saved, exception, exceptions, stacks)
        frames = once(stacks.get(0, []), call_of)
        selected = stacks[0][document.selected] if frames else None
        stop = Stop(
            reason=_member(StopReason, document.reason, StopReason.EXCEPTION),
            exception=None if document.exception is None else exceptions[document.exception],
            frames=frames,
            selected=next((at for at, each in enumerate(frames) if each is selected or _is_call_of(each, selected)), 0),
            thread_name=document.thread,
            refusal_of=_refusal_of,
            landing_of=_landing_of,
            late=document.late,
            moment=_member(Moment, document.moment, Moment.LINE),
            value=None if document.value is None else self._rebuilder.value(document.value[0]),
        )
        return Opened(document, stop, self._frames, self._rebuilder.failures)

    # -- frames

    def _frame(self, saved: SavedFrame) -> OpenedFrame:
        space = {"__name__": ""} if saved.module is None else self._spaces[saved.module]
        variables = self._rebuilder.variables(saved.variables or {})
        generator = generator_with(_code(saved, list(variables)), space, variables)
        frame = OpenedFrame(generator, saved, str(space["__name__"]), self._text(saved.text), variables)
        frame.given = self._rebuilder.variables(saved.given)
        self._frames[frame.raw] = frame
        return frame

    def _text(self, number: int | None) -> list[str]:
        if number is None:
            return []
        if number not in self._texts:
            self._texts[number] = whole_lines(self._document.texts[number])
        return self._texts[number]

    # -- exceptions

    def _exception(self, number: int, depth: int = 0) -> BaseException:
        """Give an exception, not yet linked with the others."""
        known = self._exceptions.get(number)
        if known is not None:
            return known
        saved = self._document.exceptions[number]
        if depth >= _GROUPS:
            raise BadShape("groups of exceptions lie too deep in each other")
        if saved.members and "BaseExceptionGroup" in saved.builtin:
            if number in saved.members:
                raise BadShape("a group of exceptions is part of itself")
            made = self._group(saved, [self._exception(each, depth + 1) for each in saved.members])
            self._shown[number] = 1 + sum(self._shown.get(each, 1) for each in saved.members)
            if self._shown[number] > _SHOWN:
                raise BadShape("groups of exceptions share too many members")
        else:
            found = self._rebuilder.value(saved.value)
            made = found if isinstance(found, BaseException) else self._stand_in(saved)
        self._rebuilder.facts[id(made)] = Facts(message=saved.message)
        return self._exceptions.setdefault(number, made)

    def _stand_in(self, saved: SavedException) -> BaseException:
        """Make an exception whose value is not among the saved ones."""
        bases = [found for each in saved.builtin if isinstance(found := builtin_named(each), type)]
        plain = [each for each in bases if issubclass(each, BaseException) and not issubclass(each, BaseExceptionGroup)]
        above: Any = plain[0] if plain else Exception
        made: BaseException = above.__new__(self._rebuilder.classes.of(*saved.type, above))
        return made

    def _group(self, saved: SavedException, members: list[BaseException]) -> BaseException:
        above: Any = BaseExceptionGroup
        if "Exception" in saved.builtin and all(isinstance(each, Exception) for each in members):
            above = ExceptionGroup
        cls: Any = self._rebuilder.classes.of(*saved.type, above)
        made: BaseException = cls.__new__(cls, saved.message or "", members)
        return made

    def _link(
        self,
        saved: SavedException,
        exception: BaseException,
        exceptions: list[BaseException],
        stacks: dict[int, list[OpenedFrame]],
    ) -> None:
        exception.__cause__ = None if saved.cause is None else exceptions[saved.cause]
        exception.__context__ = None if saved.context is None else exceptions[saved.context]
        exception.__suppress_context__ = saved.suppresses_context
        if saved.notes:
            exception.__notes__ = list(saved.notes)
        exception.__traceback__ = self._traceback(saved.stack, stacks)

    def _traceback(self, stack: int | None, stacks: dict[int, list[OpenedFrame]]) -> TracebackType | None:
        """Give the traceback for a stack, once: a file may have many exceptions with the same large one."""
        if stack is None:
            return None
        if stack not in self._tracebacks:
            self._tracebacks[stack] = _traceback(stacks.get(stack, []))
        return self._tracebacks[stack]


def _traceback(frames: list[OpenedFrame]) -> TracebackType | None:
    found: TracebackType | None = None
    for frame in frames:
        found = TracebackType(found, frame.raw, -1, frame.line)
    return found


def whole_lines(text: SavedText) -> list[str]:
    """Give the lines of a text under the numbers that they have in their file."""
    lines = text.text.splitlines(keepends=True)
    return ["\n"] * min(text.first - 1, _BLANK_LINES) + lines


# -- frame objects


def _template() -> Any:
    yield


def _code(saved: SavedFrame, names: list[str]) -> CodeType:
    """Make code that has the names of a frame's, to be looked at, never to be run."""
    template: Any = _template.__code__
    parameters = saved.parameters
    described = {
        "co_name": saved.name,
        "co_qualname": saved.function,
        "co_filename": saved.file.replace("\0", "?"),
        "co_firstlineno": saved.first_line,
    }
    code: CodeType
    if saved.scope == "module":
        code = template.replace(co_flags=template.co_flags & ~(interpreter.OPTIMIZED | _NEW_LOCALS), **described)
        return code
    given = list(parameters.names) if parameters is not None else []
    variables = tuple(dict.fromkeys([*given, *names]))
    flags = template.co_flags
    counts = {}
    if parameters is not None:
        flags |= interpreter.VARARGS if parameters.collects_positional else 0
        flags |= interpreter.VARKEYWORDS if parameters.collects_keywords else 0
        counts = {
            "co_argcount": parameters.positional,
            "co_posonlyargcount": parameters.positional_only,
            "co_kwonlyargcount": parameters.keyword_only,
        }
    code = template.replace(co_flags=flags, co_varnames=variables, co_nlocals=len(variables), **described, **counts)
    return code


_NEW_LOCALS: Final = 2


def generator_with(code: CodeType, space: dict[str, Any], variables: dict[str, Any]) -> GeneratorType[Any, Any, Any]:
    """Give a generator, never started, whose frame runs `code` and has these variables."""
    function: Any = FunctionType(code, space)
    function.__dict__[NEVER_CALLED] = True
    unbound = Hole("unbound")
    keywords = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    made: Any = function(*[unbound] * code.co_argcount, **dict.fromkeys(keywords, unbound))
    if code.co_flags & interpreter.OPTIMIZED:
        names = made.gi_frame.f_locals
        names.update(variables)
        write_locals(made.gi_frame, names)
    generator: GeneratorType[Any, Any, Any] = made
    return generator


def _refusal_of(way: Way) -> Refusal | None:
    return None if isinstance(way, (Propagate, QuitProgram)) else _NO_WAY


def _landing_of(way: Resume | UseValue | Skip | Replay) -> Landing | Refusal:
    return _NO_WAY


def _member(kind: Any, value: str, default: Any) -> Any:
    try:
        return kind(value)
    except ValueError:  # of a later version
        return default
