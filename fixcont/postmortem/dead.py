"""A stop made of a traceback: frames that have unwound, to be looked at, assigned in, and replayed."""

from __future__ import annotations

import ast
import linecache
import threading
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from types import CodeType, FrameType, FunctionType, TracebackType
from typing import Any, ClassVar, Final, Protocol, Self

from fixcont.bytecode import original, parameters
from fixcont.continuing.arguments import Arguments, changed_parameters
from fixcont.continuing.checks import Versions
from fixcont.continuing.unwinding import is_ours, is_shell
from fixcont.continuing.ways import Landing, Propagate, QuitProgram, Replay, Resume, Skip, UseValue, Way
from fixcont.editing.known import is_cell
from fixcont.errors import Refusal, Refused
from fixcont.postmortem import rebuild
from fixcont.postmortem.activations import function_of, is_on_a_stack
from fixcont.postmortem.arguments import arguments_for, original_arguments
from fixcont.postmortem.touching import Program
from fixcont.postmortem.typed import show_typed
from fixcont.stopping.chain import chain_of, further_out
from fixcont.stopping.frames import Frame
from fixcont.stopping.stop import Stop, StopReason

_Entry = tuple[FrameType, int, int]  # frame, line, byte offset of the instruction


class Texts(Protocol):
    """What is known of the texts of the user's files."""

    def text_of(self, code: CodeType) -> list[str] | None: ...
    def all_texts(self) -> Iterable[str]: ...
    def remember_dead(self, frames: Iterable[FrameType]) -> None: ...


class Context(Protocol):
    """What a post-mortem needs to know of the session."""

    @property
    def versions(self) -> Versions: ...
    @property
    def sources(self) -> Texts: ...
    def is_user(self, frame: FrameType) -> bool: ...
    def is_obsolete(self, frame: FrameType) -> bool: ...


class PostMortem:
    """The frames of a traceback.

    Args:
        context: the session.
        exception: what was raised; None where only the traceback is known.
        traceback: where it has been.

    Attributes:
        exceptions: the exception, behind those that led to it.
        stop: as front ends see it. Its frames are those of the traceback, the innermost first.
        at_death: frame -> the values that its changed parameters had when this was made: what differs later was assigned by the user.
            Of all frames that the exceptions of the chain have been in.

    Raises:
        Refused: the traceback is empty.
    """

    keeps_sets: ClassVar[bool] = True  # whether sets have the order that they had

    def __init__(self, context: Context, exception: BaseException | None, traceback: TracebackType | None) -> None:
        self.context = context
        self._trees: dict[CodeType, ast.Module | None] = {}
        self._program: tuple[tuple[str, ...], Program] | None = None  # the texts, and what they tell
        self.exceptions: Final = chain_of(exception)
        self._of: dict[int, Any] = {id(exception): self}  # id of an exception of the chain -> the frames of its traceback
        self.at_death: Final[dict[FrameType, dict[str, Any]]] = {}
        self._note_values([traceback, *(each.__traceback__ for each in self.exceptions)])
        self._look_at(exception, traceback)

    def _note_values(self, tracebacks: Iterable[TracebackType | None]) -> None:
        """Note the values that changed parameters have, in frames of which they are not noted."""
        for traceback in {id(each): each for each in tracebacks}.values():
            for raw, _, _ in _entries(traceback):
                if raw not in self.at_death:
                    self.at_death[raw] = _values(raw, changed_parameters(raw))

    def _look_at(self, exception: BaseException | None, traceback: TracebackType | None) -> None:
        context = self.context
        entries = [*_entries(traceback), *further_out(exception, self.exceptions, _came_through, _call)]
        if not entries:
            raise Refused(Refusal("no-traceback", "there is no traceback to look at", "give an exception that was raised"))
        show_typed()
        context.sources.remember_dead([entry[0] for entry in entries])
        # Filename -> lines that the interpreter knows, of code that is of no text that is known. Now: kernels forget cells.
        self._shown = {
            raw.f_code.co_filename: linecache.getlines(raw.f_code.co_filename)
            for raw, _, _ in entries
            if context.sources.text_of(raw.f_code) is None
        }
        self.exception = exception
        frames = [self._frame(*entry) for entry in entries]
        self.stop = Stop(
            reason=StopReason.EXCEPTION,
            exception=exception,
            frames=frames,
            selected=next((at for at, frame in enumerate(frames) if self.is_users(frame)), 0),
            thread_name=threading.current_thread().name,
            refusal_of=self.refusal_of,
            landing_of=self.landing_of,
            arguments_of=self.arguments_of,
            chain=self,
        )

    # -- the chain

    def stop_of(self, exception: BaseException) -> Stop:
        """As of every `Chain`."""
        return self.of(exception).stop

    def of(self, exception: BaseException) -> Self:
        """Give the same for an exception of the chain; what is known of frames is known in common. Raises `Refused` as `stop_of`."""
        if id(exception) not in self._of:
            other = copy(self)
            other._look_at(exception, exception.__traceback__)
            self._of[id(exception)] = other
        found: Self = self._of[id(exception)]
        return found

    def showing(self, stop: Stop) -> Self | None:
        """Give the one of the chain that a stop is of, None where it is another one's."""
        return next((each for each in self._of.values() if each.stop is stop), None)

    def holding(self, frame: Frame) -> Self:
        """Give the one of the chain that a frame is of."""
        return next((each for each in self._of.values() if any(frame is other for other in each.stop.frames)), self)

    # -- frames

    def _frame(self, raw: FrameType, line: int, lasti: int) -> Frame:
        sentence = f"{raw.f_code.co_qualname} has unwound already: what is shown is what it left behind"
        instead = '"replay" calls it anew, "replay --retry" goes on at the failing statement'
        return Frame(
            raw, line, lasti, is_user=self.context.is_user(raw), is_obsolete=self.context.is_obsolete(raw),
            restart_refusal=Refusal("post-mortem", sentence, instead), is_live=False,
        )  # fmt: skip

    # -- what may be done

    def refusal_of(self, way: Way) -> Refusal | None:
        """Tell why a way cannot be gone, or give None; it touches nothing."""
        if isinstance(way, (Propagate, QuitProgram)):
            return None
        if not isinstance(way, Replay):
            return way.frame.restart_refusal
        try:
            if way.in_the_middle:
                self.plan(Resume(way.frame, way.line), with_holes=way.with_holes)
            else:
                arguments_for(self, way.frame, way.arguments)
        except Refused as refused:
            return refused.refusal
        return None

    def landing_of(self, way: Resume | UseValue | Skip | Replay) -> Landing | Refusal:
        """Tell where a replay in the middle of a frame would go on, or why not; it touches nothing."""
        if not isinstance(way, Replay):
            assert way.frame.restart_refusal is not None
            return way.frame.restart_refusal
        try:
            return self.plan(Resume(way.frame, way.line), with_holes=way.with_holes).plan.landing
        except Refused as refused:
            return refused.refusal

    def arguments_of(self, frame: Frame, given: Mapping[str, Any]) -> Arguments:
        """Give what a frame was called with; see `Stop`."""
        return original_arguments(self, frame, given)

    def plan(self, way: Resume | UseValue, *, with_holes: bool = False) -> rebuild.Rebuilding:
        """Work out how a dead frame can go on; nothing is touched. Raises `Refused`.

        Args:
            with_holes: as of a `Replay`. Here nothing is missing.
        """
        return rebuild.plan(self, way)

    def check_frame(self, frame: Frame) -> None:
        """See that there is something to replay a frame with. Raises `Refused`. Here: all that is there."""

    # -- what is known of frames

    def function_of(self, frame: Frame) -> FunctionType | None:
        """Return the function object that a frame is a call of, None where it cannot be told."""
        return function_of(frame.raw)

    def index(self, frame: Frame) -> int:
        """Return the place of a frame in the stop."""
        return next(at for at, each in enumerate(self.stop.frames) if each is frame)

    def caller_of(self, frame: Frame) -> Frame | None:
        """Return the frame that has called another one, None where the exception did not come there."""
        return next(iter(self.stop.frames[self.index(frame) + 1 :]), None)

    def callee_of(self, frame: Frame) -> Frame | None:
        """Return the frame that another one had called, None for the innermost."""
        at = self.index(frame)
        return self.stop.frames[at - 1] if at else None

    def tree_of(self, code: CodeType) -> ast.Module | None:
        """Return the syntax tree of the text that code was made from, None where that is not known."""
        if code not in self._trees:
            lines = self.context.sources.text_of(code) or self._shown.get(code.co_filename)
            self._trees[code] = _parsed(lines) if lines else None
        return self._trees[code]

    @property
    def program(self) -> Program:
        """What the texts of the user's files, and what was typed, tell of what may run."""
        texts = tuple(self.context.sources.all_texts())
        spaces = {id(frame.raw.f_globals): frame.raw.f_globals for frame in self.stop.frames if self.is_users(frame)}.values()
        if self._program is None or self._program[0] != texts:
            self._program = (
                texts,
                Program([*texts, *map("".join, self._shown.values()), *_typed(spaces)], keeps_sets=self.keeps_sets),
            )
        return self._program[1]

    @staticmethod
    def is_users(frame: Frame) -> bool:
        """Tell whether a frame runs the user's own code: that of a file of his, or what he has typed."""
        return frame.is_user or is_cell(frame.filename)

    @staticmethod
    def is_running(frame: Frame) -> bool:
        """Tell whether a frame is on the stack still: what it called has unwound, it itself has handled the exception."""
        return is_on_a_stack(frame.raw)


def _typed(spaces: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the texts of cells, and of what was typed, that functions of some modules were made from."""
    found: dict[str, str] = {}
    for value in (each for space in spaces for each in list(space.values())):
        for function in (value, *list(vars(value).values())) if isinstance(value, type) else (value,):
            name = function.__code__.co_filename if isinstance(function, FunctionType) else ""
            if name not in found and is_cell(name):
                found[name] = "".join(linecache.getlines(name))
    return list(found.values())


def _parsed(lines: Iterable[str]) -> ast.Module | None:
    try:
        return ast.parse("\n".join(line.rstrip("\n") for line in lines))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _came_through(exception: BaseException) -> list[_Entry]:
    return _entries(exception.__traceback__)


def _call(entry: _Entry) -> FrameType:
    return entry[0]


def _entries(traceback: TracebackType | None) -> list[_Entry]:
    """Return frame, line and instruction of each entry, the innermost first. Of a frame that has raised again, where it failed first."""
    found: dict[FrameType, _Entry] = {}
    while traceback is not None:
        raw = traceback.tb_frame
        if not is_ours(raw) and not (is_shell(raw) and original.unit_at(raw.f_code, traceback.tb_lasti // 2) < 0):
            found.pop(raw, None)
            found[raw] = raw, traceback.tb_lineno or raw.f_code.co_firstlineno, traceback.tb_lasti
        traceback = traceback.tb_next
    return list(reversed(found.values()))


def _values(raw: FrameType, names: Sequence[str]) -> dict[str, Any]:
    return {name: raw.f_locals[name] for name in names if name in raw.f_locals} if parameters.count(raw.f_code) else {}
