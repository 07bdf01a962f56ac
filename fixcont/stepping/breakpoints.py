"""Breakpoints: as values for whoever shows them, and as what a thread that comes by is measured against."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Any, NamedTuple

from fixcont.bytecode import interpreter
from fixcont.editing.texts import Text
from fixcont.errors import Refusal, Refused
from fixcont.stepping.places import Place
from fixcont.stepping.templates import Template, fill_in, parse_hits, parse_log


@dataclass(frozen=True)
class Breakpoint:
    """What a breakpoint is at one moment. It does not change; ask for it again by its number.

    Attributes:
        number: from 1 on, never used twice.
        filename: of the file, as its code objects name it, or as it was given.
        line: where it is in the newest text.
        function: the qualified name of the function that it was set by; else "".
        condition: an expression that must be true in the frame; "" for none. One that raises counts as true.
        is_temporary: whether it goes when it stops for the first time.
        is_enabled: whether it stops.
        ignore: how many times more it is passed by.
        hits: how often a thread has come by while it was enabled, whether its condition was true or not.
        is_bound: whether some code that is loaded has it.
        note: what an edit did to it: a sentence, or "".
        hit_condition: how often it must have been reached with its condition true, as `templates.parse_hits` takes it; "" for none.
        log: a message that is logged in the place of a stop, as `templates.parse_log` takes it; "" for none.
        matches: how often it was reached with its condition true.
        name: the name of functions that it was set on, wherever they are, in the place of a file and a line; else "".
    """

    number: int
    filename: str
    line: int
    function: str
    condition: str
    is_temporary: bool
    is_enabled: bool
    ignore: int
    hits: int
    is_bound: bool
    note: str
    hit_condition: str = ""
    log: str = ""
    matches: int = 0
    name: str = ""


#: Told of a breakpoint that got bound, was moved or disabled by an edit, or deleted itself.
Listener = Callable[[Breakpoint], None]
#: Told what a breakpoint that logs has to say, in the thread that has reached it.
LogListener = Callable[[Breakpoint, str], None]


class Point:
    """A breakpoint as the engine works with it.

    Attributes:
        places: text -> where it is in it, or None where its statement is not there.
        text: the newest text that it was placed in.
        test: the compiled condition, or None.
        is_due: tells whether the nth match stops, or None.
        template: what is logged, in parts; empty where it stops.
        is_lost: whether its statement is gone from the newest text.
        is_gone: whether it was deleted; a thread may come by with an old table.
    The others are those of `Breakpoint`.
    """

    __slots__ = (
        "condition", "filename", "function", "hit_condition", "hits", "ignore", "is_bound", "is_due", "is_enabled", "is_gone", "is_lost", "is_temporary",
        "log", "matches", "name", "note", "number", "place", "places", "template", "test", "text",
    )  # fmt: skip

    def __init__(self, number: int, filename: str, function: str, text: Text, place: Place) -> None:
        self.number = number
        self.filename = filename
        self.function = function
        self.condition = ""
        self.test: CodeType | None = None
        self.hit_condition = ""
        self.is_due: Callable[[int], bool] | None = None
        self.matches = 0
        self.log = ""
        self.template: Template = ()
        self.name = ""
        self.is_temporary = False
        self.is_enabled = True
        self.ignore = 0
        self.hits = 0
        self.is_bound = False
        self.is_gone = False
        self.is_lost = False
        self.note = ""
        self.text = text
        self.place = place
        self.places: weakref.WeakKeyDictionary[Text, Place | None] = weakref.WeakKeyDictionary({text: place})

    def value(self) -> Breakpoint:
        return Breakpoint(
            self.number, self.filename, self.place.line, self.function, self.condition, self.is_temporary, self.is_enabled,
            self.ignore, self.hits, self.is_bound, self.note, self.hit_condition, self.log, self.matches, self.name,
        )  # fmt: skip

    def set_condition(self, condition: str) -> None:
        """Raises Refused if the condition is no expression; then nothing was changed."""
        self.test = compiled(condition)
        self.condition = condition

    def set_hit_condition(self, condition: str) -> None:
        """Raises Refused if it has no meaning; then nothing was changed."""
        self.is_due = parse_hits(condition)
        self.hit_condition = condition

    def set_log(self, message: str) -> None:
        """Raises Refused if it is no message; then nothing was changed."""
        self.template = parse_log(message)
        self.log = message


class Spot(NamedTuple):
    """The breakpoints on a line of one code object.

    Attributes:
        points: they.
        skips: byte offsets at which the line begins, but no statement does.
    """

    points: tuple[Point, ...]
    skips: frozenset[int]


def compiled(condition: str) -> CodeType | None:
    """Compile a condition. Raises `Refused`."""
    if not condition.strip():
        return None
    try:
        return compile(condition.strip(), "<condition>", "eval", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        sentence = f"{condition!r} is no expression: {getattr(error, 'msg', error)}"
        raise Refused(Refusal("bad-condition", sentence)) from error


#: References to the snapshot of a frame's variables that nobody but its frame has: its own, that of the variable, and that of the argument.
_UNSHARED = 3


def reached(spot: Spot, frame: FrameType) -> list[Point] | None:
    """Count that a thread has come by, and return the breakpoints that stop it, or log; None for none.

    This is all that a breakpoint costs whose condition is false, so it does as little as can be.
    """
    stops: list[Point] | None = None
    if spot.skips and frame.f_lasti in spot.skips:
        return None
    for point in spot.points:
        point.hits += 1
        test = point.test
        if test is not None:
            variables = frame.f_locals
            try:
                is_true = eval(test, frame.f_globals, variables)
                if not is_true:
                    continue
            except Exception:
                is_true = True  # as pdb does: it stops where its condition cannot be told
            finally:
                if not interpreter.LOCALS_WRITE_THROUGH:
                    _forget(frame, variables)
                del variables
        point.matches += 1
        if point.is_due is not None and not point.is_due(point.matches):
            continue
        if point.ignore > 0:
            point.ignore -= 1
        elif not point.is_gone:
            stops = [point] if stops is None else [*stops, point]
    return stops


def logged(point: Point, frame: FrameType) -> str:
    """Return what a breakpoint that logs has to say in a frame."""
    variables = frame.f_locals
    try:
        return fill_in(point.template, frame, variables)
    finally:
        if not interpreter.LOCALS_WRITE_THROUGH:
            _forget(frame, variables)
        del variables


def _forget(frame: FrameType, variables: Any) -> None:
    """Empty a snapshot that was made for a condition: it would keep what the variables hold alive until the frame ends."""
    if frame.f_code.co_flags & interpreter.OPTIMIZED and sys.gettrace() is None and sys.getrefcount(variables) <= _UNSHARED + 1:
        variables.clear()


class Breakpoints:
    """The breakpoints of a session by their numbers.

    Args:
        changed: called after every change of what may stop.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._points: dict[int, Point] = {}
        self._last = 0
        self.listeners: list[Listener] = []
        self.log_listeners: list[LogListener] = []
        self._is_batch = False

    def __bool__(self) -> bool:
        return bool(self._points)

    @property
    def last_number(self) -> int:
        """The number that was given out last, 0 if none was."""
        return self._last

    def points(self) -> list[Point]:
        return list(self._points.values())

    def all(self) -> list[Breakpoint]:
        """Return all breakpoints, in the order of their numbers."""
        return [point.value() for point in self._points.values()]

    def get(self, number: int) -> Breakpoint | None:
        """Return a breakpoint, None if there is none of that number (any more)."""
        point = self._points.get(number)
        return None if point is None else point.value()

    def put(self, make: Callable[[int], Point]) -> Breakpoint:
        """Add what `make` makes for the next number."""
        point = make(self._last + 1)
        self._last += 1
        self._points[point.number] = point
        self._tell_changed()
        return point.value()

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Let several changes take effect at once, at the end."""
        self._is_batch = True
        try:
            yield
        finally:
            self._is_batch = False
            self._changed()

    def _tell_changed(self) -> None:
        if not self._is_batch:
            self._changed()

    def change(
        self,
        number: int,
        *,
        enabled: bool | None = None,
        condition: str | None = None,
        ignore: int | None = None,
        hit_condition: str | None = None,
        log: str | None = None,
    ) -> Breakpoint:
        """Change what is given of a breakpoint, and return it.

        Raises:
            Refused: there is no such breakpoint, a condition or the message has no meaning, or the statement is gone; nothing was changed.
        """
        point = self._points.get(number)
        if point is None:
            raise Refused(Refusal("no-breakpoint", f"there is no breakpoint {number}"))
        if enabled and point.is_lost:
            raise Refused(Refusal("statement-gone", f"the statement of breakpoint {number} is gone", "set another one"))
        compiled(condition or ""), parse_hits(hit_condition or ""), parse_log(log or "")
        if condition is not None:
            point.set_condition(condition)
        if hit_condition is not None:
            point.set_hit_condition(hit_condition)
        if log is not None:
            point.set_log(log)
        if enabled is not None:
            point.is_enabled = enabled
            point.note = ""
        if ignore is not None:
            point.ignore = max(0, ignore)
        self._tell_changed()
        return point.value()

    def remove(self, numbers: Iterable[int]) -> list[Breakpoint]:
        """Delete breakpoints, and return those that were there."""
        gone = [self._points.pop(number) for number in list(numbers) if number in self._points]
        for point in gone:
            point.is_gone = True
        if gone:
            self._tell_changed()
        return [point.value() for point in gone]

    def tell_logged(self, point: Point, text: str) -> None:
        """Tell what a breakpoint has to say. A listener that raises is dropped."""
        for listener in list(self.log_listeners):
            try:
                listener(point.value(), text)
            except Exception:
                self.log_listeners.remove(listener)

    def tell(self, point: Point) -> None:
        """Tell the listeners of a breakpoint. One that raises is dropped."""
        for listener in list(self.listeners):
            try:
                listener(point.value())
            except Exception:
                self.listeners.remove(listener)
