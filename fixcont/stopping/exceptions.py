"""An exception told as plain data: names, texts, the chain, the members of a group. Whatever the objects do, it is told."""

from __future__ import annotations

import traceback as tracebacks
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING

from fixcont.stopping.chain import MOST, came_from

if TYPE_CHECKING:
    from fixcont.stopping.frames import Frame

_DEPTH = 50
# Not by attribute: a class of the program may have ideas of its own.
_dict_of = type.__dict__["__dict__"].__get__
_qualname_of = type.__dict__["__qualname__"].__get__
_members_of = BaseExceptionGroup.__dict__["exceptions"].__get__

_UNTOLD = "<it cannot be told: {}>"


@dataclass(frozen=True)
class ExceptionInfo:
    """What an exception is. It holds none of the program's objects.

    Attributes:
        type_name: the name of its type.
        full_type_name: the same with the module, but for built-in ones.
        message: what `str` gives.
        notes: what `add_note` has added.
        cause: the exception that was named by `raise … from`.
        context: the one that was being handled, unless that is suppressed or it is the cause.
        members: those of a group.
        traceback: it with its chain, as Python would print it.
        is_cut: whether more hangs on it than is told: the chain has a cycle, or is too long.
    """

    type_name: str
    full_type_name: str
    message: str
    notes: tuple[str, ...] = ()
    cause: ExceptionInfo | None = None
    context: ExceptionInfo | None = None
    members: tuple[ExceptionInfo, ...] = ()
    traceback: str = ""
    is_cut: bool = False


def describe_exception(exception: BaseException, frames: Sequence[Frame] = ()) -> ExceptionInfo:
    """Tell what an exception is.

    `str` of it is the program's own code. It is called in this thread, so call this with nothing stopping (`Session.at_work`).

    Args:
        exception: any.
        frames: those of the stop, innermost first, if its traceback is to begin where the thread does and not where the exception is.
    """
    return _Describing().describe(exception, 0, _outer(exception, frames))


def told_with(exception: BaseException) -> list[BaseException]:
    """Return an exception and those that are told with it, it first: its chain, the members of groups, and what these came from.

    `MOST` of them at most.
    """
    found: list[BaseException] = []
    seen: set[int] = set()
    waiting = deque([exception])
    while waiting and len(found) < MOST:
        each = waiting.popleft()
        if id(each) in seen:
            continue
        seen.add(id(each))
        found.append(each)
        waiting.extend(other for other in came_from(each) if other is not None)
        if isinstance(each, BaseExceptionGroup):
            waiting.extend(_members_of(each))
    return found


def _outer(exception: BaseException, frames: Sequence[Frame]) -> list[str]:
    """Return the lines of the traceback for the frames that the exception has not come to yet, outermost first."""
    inside = set()
    traceback = exception.__traceback__
    while traceback is not None:
        inside.add(id(traceback.tb_frame))
        traceback = traceback.tb_next
    pairs = [(frame.raw, frame.line) for frame in reversed(frames) if id(frame.raw) not in inside]
    return tracebacks.StackSummary.extract(iter(pairs), lookup_lines=True).format()


class _Describing:
    """One description, and the exceptions that it has met."""

    def __init__(self) -> None:
        self._met: set[int] = set()
        self._is_cut = False

    def describe(self, exception: BaseException, depth: int, outer: list[str] | None = None) -> ExceptionInfo:
        self._met.add(id(exception))
        kind = type(exception)
        name, module = _qualname_of(kind), _dict_of(kind).get("__module__")
        cause, context = came_from(exception)
        before = self._is_cut
        self._is_cut = False
        info = ExceptionInfo(
            type_name=name,
            full_type_name=name if module == "builtins" or type(module) is not str else f"{module}.{name}",
            message=_text(exception),
            notes=_notes(exception),
            cause=self._further(cause, depth),
            context=self._further(context, depth),
            members=self._members(exception, depth),
            traceback=_formatted(exception, outer) if outer is not None else "",
            is_cut=self._is_cut,
        )
        self._is_cut = before
        return info

    def _further(self, exception: BaseException | None, depth: int) -> ExceptionInfo | None:
        if exception is None:
            return None
        if id(exception) in self._met or depth >= _DEPTH or len(self._met) >= MOST:
            self._is_cut = True
            return None
        return self.describe(exception, depth + 1)

    def _members(self, exception: BaseException, depth: int) -> tuple[ExceptionInfo, ...]:
        if not isinstance(exception, BaseExceptionGroup):
            return ()
        told = [self._further(member, depth) for member in _members_of(exception)]
        return tuple(each for each in told if each is not None)


def _text(value: object) -> str:
    try:
        return str(value)
    except Exception as error:
        return _UNTOLD.format(type(error).__name__)


def _notes(exception: BaseException) -> tuple[str, ...]:
    try:
        notes = exception.__dict__.get("__notes__", ())
        return tuple(_text(note) for note in notes) if isinstance(notes, (list, tuple)) else ()
    except Exception:
        return ()


def _formatted(exception: BaseException, outer: list[str]) -> str:
    try:
        lines = list(tracebacks.TracebackException(type(exception), exception, exception.__traceback__, compact=True).format())
    except Exception as error:
        return _plainly(exception, exception.__traceback__, error)
    if not outer:
        return "".join(lines)
    header = "Traceback (most recent call last):\n"
    last = next((at for at in range(len(lines) - 1, -1, -1) if lines[at] == header), None)
    if last is None:  # a group is drawn in a box, and what was never raised has no traceback
        return "".join([header, *outer, *lines])
    return "".join([*lines[: last + 1], *outer, *lines[last + 1 :]])


def _plainly(exception: BaseException, traceback: TracebackType | None, fault: Exception) -> str:
    """Return a traceback without what the exception has to say of itself."""
    lines = tracebacks.format_tb(traceback)
    return "".join([*lines, f"{type(exception).__qualname__}: {_UNTOLD.format(type(fault).__name__)}\n"])
