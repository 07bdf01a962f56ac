"""Where breakpoints are: setting them, in what is loaded and what is not yet, and following their statements through edits."""

from __future__ import annotations

import linecache
import os
from collections.abc import Callable, Iterable, Sequence
from types import CodeType
from typing import NamedTuple, Protocol

from fixcont import filenames
from fixcont.editing.moves import moved_line
from fixcont.editing.texts import Text
from fixcont.errors import Refusal, Refused
from fixcont.stepping.breakpoints import Breakpoint, Breakpoints, Point, Spot, compiled
from fixcont.stepping.places import Place, is_named, lines_of, named_places, owner_of, place_of_function, place_on, starts
from fixcont.stepping.templates import parse_hits, parse_log


class Texts(Protocol):
    """What is asked about the program's texts."""

    def text_for(self, code: CodeType) -> Text | None:
        """Return the text that a code object was made from."""

    def newest_text(self, filename: str) -> Text | None:
        """Return the installed text of a file."""

    def newest_texts(self) -> Sequence[Text]:
        """Return the installed texts of all files."""


class BreakpointSpec(NamedTuple):
    """A breakpoint that is wanted on a line of a file; see `Breakpoint`."""

    line: int
    condition: str = ""
    hit_condition: str = ""
    log: str = ""


class Options(NamedTuple):
    """What a breakpoint has beside its place; see `Breakpoint`."""

    condition: str = ""
    hit_condition: str = ""
    log: str = ""
    temporary: bool = False

    def check(self) -> None:
        """Raises Refused if a condition or the message has no meaning."""
        compiled(self.condition), parse_hits(self.hit_condition), parse_log(self.log)

    def put(self, point: Point) -> None:
        point.set_condition(self.condition)
        point.set_hit_condition(self.hit_condition)
        point.set_log(self.log)
        point.is_temporary = self.temporary


class PlacedBreakpoints:
    """The breakpoints of a session, and where they are.

    Args:
        texts: the program's texts.

    Attributes:
        breakpoints: to look at, change and delete them.
        version: changes with them.
    """

    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        self.version = 0
        self.breakpoints = Breakpoints(self._points_changed)
        self._by_file: dict[str, list[Point]] = {}  # real path -> enabled breakpoints
        self._by_name: list[Point] = []  # enabled ones on functions by name
        self._real: dict[str, str] = {}  # name of a file -> real path

    def _watch_refusal(self) -> Refusal | None:
        """Tell why the program cannot be watched."""
        raise NotImplementedError

    def _watch_anew(self) -> None:
        """Watch what is wanted now: breakpoints were changed."""
        raise NotImplementedError

    # -- setting breakpoints

    def add(
        self, filename: str, line: int, *, condition: str = "", temporary: bool = False, hit_condition: str = "", log: str = ""
    ) -> Breakpoint:
        """Set a breakpoint on a line of a file as it is installed, or as it lies on disk where it is not loaded.

        A line without code gives way to the start of the statement that it belongs to, or to the next line with code.

        Args:
            condition, hit_condition, log: see `Breakpoint`.
            temporary: it goes when it stops for the first time.

        Raises:
            Refused: there is no such file or no code there, a condition or the message has no meaning, or the program cannot be watched.
        """
        text = self._text(filename)
        return self._add(text, lambda: place_on(text, line), "", Options(condition, hit_condition, log, temporary))

    def add_function(
        self,
        filename: str,
        qualname: str,
        first_line: int | None = None,
        *,
        condition: str = "",
        temporary: bool = False,
        hit_condition: str = "",
        log: str = "",
    ) -> Breakpoint:
        """Set a breakpoint on the first line of the body of a function.

        Args:
            qualname: its qualified name.
            first_line: that of its code, where several have the name.

        Raises:
            Refused: as `add`.
        """
        text = self._text(filename)
        options = Options(condition, hit_condition, log, temporary)
        return self._add(text, lambda: place_of_function(text, qualname, first_line), qualname, options)

    def replace(self, filename: str, specs: Sequence[BreakpointSpec]) -> list[Breakpoint | Refusal]:
        """Make the breakpoints on lines of a file be these, at once; temporary ones and those on a function stay as they are.

        One that is where a wanted one is to be keeps its number and its counts.

        Returns:
            For each what it is now, or why it cannot be set.
        """
        points = [point for point in self._points_of(filename) if not point.function and not point.is_temporary]
        left = [point for point in points if not point.is_lost]
        gone = [point.number for point in points if point.is_lost]
        with self.breakpoints.batch():
            made = [self._put_one(filename, spec, left) for spec in specs]
            self.breakpoints.remove([*gone, *(point.number for point in left)])
        return [self.breakpoints.get(each) or _vanished(each) if isinstance(each, int) else each for each in made]

    def _put_one(self, filename: str, spec: BreakpointSpec, left: list[Point]) -> int | Refusal:
        """Take a breakpoint that is where a wanted one is to be out of `left`, or make one. Returns its number, or a refusal."""
        try:
            text = self._text(filename)
            place = _placed(text, lambda: place_on(text, spec.line))
            for point in left:
                if point.place.line == place.line:
                    self.breakpoints.change(
                        point.number, enabled=True, condition=spec.condition, hit_condition=spec.hit_condition, log=spec.log
                    )
                    left.remove(point)
                    return point.number
            return self.add(filename, spec.line, condition=spec.condition, hit_condition=spec.hit_condition, log=spec.log).number
        except Refused as refused:
            return refused.refusal

    def _add(self, text: Text, place: Callable[[], Place], function: str, options: Options) -> Breakpoint:
        self._check(options)
        found = _placed(text, place)

        def make(number: int) -> Point:
            point = Point(number, text.filename, function, text, found)
            options.put(point)
            point.is_bound = self._texts.newest_text(text.filename) is not None
            return point

        return self.breakpoints.put(make)

    def add_named(
        self, name: str, *, condition: str = "", temporary: bool = False, hit_condition: str = "", log: str = ""
    ) -> Breakpoint:
        """Set a breakpoint on the first line of the body of every function of that name, in all of the user's modules.

        Those that are loaded, or come by an edit, later count as well. As long as there is none, it is not bound; else the breakpoint
        says where the first one is.

        Args:
            name: a function's name, alone or with what it stands in: "total", "Shop.total", "mypkg.shop.Shop.total".

        Raises:
            Refused: it is no name; else as `add`.
        """
        if not all(part.isidentifier() or part == "<locals>" for part in name.split(".")):
            raise Refused(Refusal("no-function", f"{name!r} is no name of a function", "write it as total, or Shop.total"))
        options = Options(condition, hit_condition, log, temporary)
        self._check(options)

        def make(number: int) -> Point:
            nowhere = Text("", b"", is_certain=False)
            point = Point(number, "", name, nowhere, Place(0, frozenset(), 0))
            point.name = name
            options.put(point)
            self._bind(point, self._texts.newest_texts())
            return point

        return self.breakpoints.put(make)

    def loaded(self, filename: str) -> None:
        """A file of the user's is about to be executed for the first time: bind what waits for a function of it."""
        waiting = [point for point in self.breakpoints.points() if point.name and not point.is_bound]
        text = self._texts.newest_text(filename) if waiting else None
        for point in waiting:
            if text is not None and self._bind(point, [text]):
                self.breakpoints.tell(point)

    def _bind(self, point: Point, texts: Iterable[Text]) -> bool:
        """Note the first place of a breakpoint by name. Returns whether anything changed."""
        before = point.filename, point.place.line, point.is_bound
        found = next(((text, place) for text in texts for place in named_places(text, point.name)), None)
        point.is_bound = found is not None
        if found is not None:
            point.text, point.place = found
            point.filename, point.note = found[0].filename, ""
        elif before[2]:
            point.note = f"no function {point.name} is loaded any more"
        return before != (point.filename, point.place.line, point.is_bound)

    def _check(self, options: Options) -> None:
        refusal = self._watch_refusal()
        if refusal is not None:
            raise Refused(refusal)
        options.check()

    def _text(self, filename: str) -> Text:
        text = self._texts.newest_text(filename)
        if text is not None:
            return text
        try:
            with open(filename, "rb") as stream:
                return Text(filename, stream.read(), is_certain=False)
        except (OSError, ValueError) as error:
            lines = linecache.getlines(filename) if isinstance(error, OSError) else []
            if lines:  # from an archive, or made by the program
                return Text(filename, "".join(lines).encode(), is_certain=False)
            why = error.strerror if isinstance(error, OSError) else "no file can have this name"
            sentence = f"{filename} cannot be read: {why}"
            raise Refused(Refusal("file-unreadable", sentence, "name a file of the program")) from error

    def lines_in(self, code: CodeType) -> list[int]:
        """Return the lines of the enabled breakpoints in the text, maybe an older one, that a code object was made from."""
        text = self._texts.text_for(code)
        places = [self._place(point, text) for point in self._by_file.get(self._realpath(code.co_filename), ())]
        return [place.line for place in places if place is not None]

    # -- edits

    def installed(self, changes: Sequence[tuple[Text, Text]]) -> None:
        """Move the breakpoints to where their statements are after an install; disable those whose statements are gone.

        Args:
            changes: the texts before and after.
        """
        told = [point for old, new in changes for point in self._points_of(new.filename) if self._move(point, old, new)]
        named = [point for point in self.breakpoints.points() if point.name] if changes else []
        if named:
            texts = self._texts.newest_texts()
            told += [point for point in named if self._bind(point, texts)]
        if changes and self.breakpoints:
            self._points_changed()
        for point in told:
            self.breakpoints.tell(point)

    def _move(self, point: Point, old: Text, new: Text) -> bool:
        """Move one breakpoint; tell whether anybody would notice."""
        # A breakpoint that was set before the file was loaded has a text of its own, which is related to no other one.
        place = self._moved(point, old if point.text.source == old.source else point.text, new)
        before = point.place.line
        point.places[new] = place
        point.is_lost = place is None
        if place is None:
            was_enabled, point.is_enabled = point.is_enabled, False
            point.note = f"its statement is gone from {os.path.basename(new.filename)}"
            return was_enabled
        point.text, point.place = new, place
        return place.line != before

    def _moved(self, point: Point, old: Text, new: Text) -> Place | None:
        """Return where a breakpoint of one text is in another, None where it is not there."""
        try:
            if point.function:
                return place_of_function(new, point.function)
            line = moved_line(old, new, point.place.line)
            return None if line is None else place_on(new, line)
        except (Refused, SyntaxError):
            return None

    def _points_of(self, filename: str) -> list[Point]:
        real = self._realpath(filename)
        return [point for point in self.breakpoints.points() if not point.name and self._realpath(point.filename) == real]

    # -- what the mechanism asks

    @property
    def has_points(self) -> bool:
        """Whether a breakpoint is enabled."""
        return bool(self._by_file or self._by_name)

    def spots_in(self, code: CodeType) -> dict[int, Spot]:
        """Return the enabled breakpoints in a code object by line."""
        named = [point for point in self._by_name if is_named(code, point.name)] if self._by_name else []
        points = [*self._by_file.get(self._realpath(code.co_filename), ()), *named]
        if not points or (named and self._texts.newest_text(code.co_filename) is None and len(points) == len(named)):
            return {}  # what has a name in a library does not count
        text = self._texts.text_for(code)
        found: dict[int, Spot] = {}
        for point in points:
            place = self._place_in(point, code, text) if point.name else self._place(point, text)
            if place is None or not (owner_of(code) in place.owners or (text is None and place.line in lines_of(code))):
                continue
            for line, skips in starts(code, place).items():
                spot = found.get(line) or Spot((), skips)
                found[line] = Spot((*spot.points, point), spot.skips)
            if not point.is_bound and (not point.name or self._is_of_now(point, text)):
                point.is_bound = True
                self.breakpoints.tell(point)
        return found

    def _place(self, point: Point, text: Text | None) -> Place | None:
        if text is None or text is point.text or text.source == point.text.source:
            return point.place
        if text not in point.places:
            point.places[text] = self._moved(point, point.text, text)
        return point.places[text]

    def _is_of_now(self, point: Point, text: Text | None) -> bool:
        """Tell whether a text is installed, and not one that only older code is from; note where a breakpoint by name is in it."""
        if text is None or text is not self._texts.newest_text(text.filename):
            return False
        return self._bind(point, [text])

    def _place_in(self, point: Point, code: CodeType, text: Text | None) -> Place | None:
        """Return where a breakpoint by name is in the code of a function of that name."""
        try:
            if text is not None:
                return place_of_function(text, code.co_qualname, code.co_firstlineno)
        except (Refused, SyntaxError):
            pass
        line = min(lines_of(code), default=code.co_firstlineno)
        return Place(line, frozenset([owner_of(code)]), line)

    def _realpath(self, filename: str) -> str:
        real = self._real.get(filename)
        if real is None:
            real = self._real[filename] = filename if filename.startswith("<") else filenames.real(filename)
        return real

    def _points_changed(self) -> None:
        by_file: dict[str, list[Point]] = {}
        points = self.breakpoints.points()
        for point in points:
            if point.is_enabled and not point.name:
                by_file.setdefault(self._realpath(point.filename), []).append(point)
        self._by_file = by_file
        self._by_name = [point for point in points if point.is_enabled and point.name]
        self.version += 1
        self._watch_anew()


def _placed(text: Text, place: Callable[[], Place]) -> Place:
    """Return a place. Raises Refused where there is none, or the text does not compile."""
    try:
        return place()
    except SyntaxError as error:
        raise Refused(Refusal("cannot-compile", f"{text.filename} has a syntax error in line {error.lineno}")) from error


def _vanished(number: int) -> Refusal:
    return Refusal("no-breakpoint", f"breakpoint {number} was deleted meanwhile")
