"""The frames of a stop, or of a traceback, as lines of a saved stop: where they are, what they ran, and their variables."""

from __future__ import annotations

import linecache
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from types import CodeType, FrameType, MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from fixcont.bytecode import interpreter, original, parameters
from fixcont.continuing.unwinding import is_ours
from fixcont.postmortem import plain
from fixcont.postmortem.format import Line
from fixcont.postmortem.objects import is_a
from fixcont.postmortem.values import Recorder
from fixcont.postmortem.wanted import Limits

if TYPE_CHECKING:
    from fixcont.stopping.frames import Frame
    from fixcont.stopping.stop import Stop

_FRAMES: Final = 5_000  # of one stack
_LINE: Final = 2_000  # characters of a line of text
_LINES: Final = 20_000  # of one text
_RUNNER: Final = "fixcont.loading.runner"


class Place(NamedTuple):
    """A frame, and where it is."""

    raw: FrameType
    line: int
    lasti: int
    is_live: bool
    is_obsolete: bool = False
    given: Mapping[str, Any] = MappingProxyType({})


class Around(Protocol):
    """What is known of the program; see `fixcont.postmortem.saving.Surroundings`."""

    def is_user(self, filename: str, /) -> bool: ...
    def text_of(self, code: CodeType, /) -> list[str] | None: ...
    def versions_of(self, filename: str, /) -> Sequence[str]: ...


def places_of_stop(stop: Stop) -> list[Place]:
    """Give the frames of a stop, innermost first."""
    return [Place(frame.raw, frame.line, frame.lasti, _is_there(frame), frame.is_obsolete, frame.given) for frame in stop.frames]


def _is_there(frame: Frame) -> bool:
    """Tell whether a frame of a stop is still on the stack; at a stop that came late some have unwound."""
    return frame.is_live and (frame.restart_refusal is None or frame.restart_refusal.code != "unwound")


def places_of_traceback(traceback: TracebackType | None, *, with_callers: bool = False) -> list[Place]:
    """Give the frames of a traceback, innermost first, without ours.

    Args:
        with_callers: also those that are alive around the outermost one.
    """
    places: list[Place] = []
    if with_callers and traceback is not None:
        raw = traceback.tb_frame.f_back if _is_running(traceback.tb_frame) else None
        while raw is not None and raw.f_globals.get("__name__") != _RUNNER:
            if not is_ours(raw):
                places.append(Place(raw, raw.f_lineno or raw.f_code.co_firstlineno, raw.f_lasti, True))
            raw = raw.f_back
        places.reverse()
    while traceback is not None:
        raw = traceback.tb_frame
        if not is_ours(raw):
            line = traceback.tb_lineno or raw.f_code.co_firstlineno
            places.append(Place(raw, line, traceback.tb_lasti, False))
        traceback = traceback.tb_next
    places.reverse()
    return places


def _is_running(frame: FrameType) -> bool:
    """Tell whether a frame is on the stack of the present thread. One that has ended still names its caller."""
    raw: FrameType | None = sys._getframe()
    while raw is not None and raw is not frame:
        raw = raw.f_back
    return raw is not None


class Stacks:
    """Collects stacks, the texts that they run, and the global variables that they read."""

    def __init__(self, recorder: Recorder, limits: Limits, around: Around) -> None:
        self._recorder = recorder
        self._limits = limits
        self._around = around
        self._stacks = 0
        self._frames: list[Line] = []
        self._seen: dict[int, Line] = {}  # id of a frame object -> its line, whose variables others share
        self._activations: dict[int, int] = {}  # id of a frame object -> its number
        self._raws: list[FrameType] = []  # kept alive, so that ids stay theirs
        self._texts: list[Line] = []
        self._numbers: dict[tuple[str, int, str], int] = {}  # file, first line, text -> number in `_texts`
        self._of_code: dict[CodeType, int | None] = {}
        self._modules: list[Line] = []
        self._spaces: dict[int, int] = {}  # id of a module's dictionary -> number in `_modules`
        self._dictionaries: list[dict[str, Any]] = []

    def add(self, places: Sequence[Place]) -> int:
        """Note the frames of a stack, innermost first. Returns its number."""
        number = self._stacks
        self._stacks += 1
        shown = list(_ends(places, _FRAMES))
        full = {id(place) for place in _ends(shown, self._limits.frames)}
        for place in shown:
            self._frames.append(self._frame(place, number, has_variables=id(place) in full))
        if len(shown) < len(places):
            self._frames.append({"kind": "left out", "stack": number, "frames": len(places) - len(shown)})
        return number

    def lines(self) -> Iterator[Line]:
        """Give all lines."""
        yield from self._texts
        yield from self._modules
        yield from self._frames

    def variables(self) -> Iterator[dict[str, Any]]:
        """Give the variables of frames and modules, as references by name."""
        for line in self._frames:
            for names in ("locals", "given"):
                if line.get(names):
                    yield line[names]
        for line in self._modules:
            yield line["variables"]

    def change_texts(self, change: Callable[[str], str]) -> None:
        """Change the texts, keeping their lines."""
        for line in self._texts:
            line["text"] = change(line["text"])

    # -- one frame

    def _frame(self, place: Place, stack: int, *, has_variables: bool) -> Line:
        raw, code = place.raw, place.raw.f_code
        is_user = self._around.is_user(code.co_filename)
        line: Line = {
            "kind": "frame",
            "stack": stack,
            "function": _clean(code.co_qualname),
            "name": _clean(code.co_name),
            "file": _clean(code.co_filename),
            "line": place.line,
            "first_line": code.co_firstlineno,
            "span": _span(code, place.lasti),
            "is_user": is_user,
            "is_live": place.is_live,
            "is_obsolete": place.is_obsolete,
            "text": self._text_number(raw, is_user),
            "scope": _scope(code),
            "activation": self._activations.setdefault(id(raw), len(self._activations)),
        }
        self._raws.append(raw)
        if not has_variables:
            return line
        known = self._seen.get(id(raw))
        if known is not None:  # the exceptions of a chain often came through the same frames
            return line | {key: known[key] for key in _OF_VARIABLES if key in known}
        line |= self._parameters(code)
        line["module"] = self._module(raw, is_user)
        line["locals"] = {} if line["scope"] == "module" else self._recorder.variables(_locals(raw))
        if place.given:
            line["given"] = self._recorder.variables(place.given.items())
        self._seen[id(raw)] = line
        return line

    def _parameters(self, code: CodeType) -> Line:
        flags = code.co_flags
        view = original.original_view(code)
        first = original.prefix_units(code)  # what stands in front restores variables, which is no doing of the function
        changes = parameters.changes(code, view.ops[first:], view.args[first:])
        return {
            "parameters": {
                "names": list(code.co_varnames[: parameters.count(code)]),
                "positional_only": code.co_posonlyargcount,
                "positional": code.co_argcount,
                "keyword_only": code.co_kwonlyargcount,
                "collects_positional": bool(flags & interpreter.VARARGS),
                "collects_keywords": bool(flags & interpreter.VARKEYWORDS),
                "rebound": [code.co_varnames[slot] for slot in sorted(changes.bound | changes.dropped)],
            }
        }

    def _module(self, raw: FrameType, is_user: bool) -> int:
        """Note the global variables that a frame's code reads. Returns the number of its module."""
        space = raw.f_globals
        number = self._spaces.get(id(space))
        if number is None:
            number = self._spaces[id(space)] = len(self._modules)
            self._dictionaries.append(space)
            name = dict.get(space, "__name__")
            self._modules.append({"kind": "module", "name": _clean(name) if type(name) is str else "", "variables": {}})
        if is_user:
            wanted = _own_names(space) if raw.f_code.co_name == "<module>" else sorted(names_read(raw.f_code))
            known = self._modules[number]["variables"]
            found = [(name, space[name]) for name in wanted if name not in known and name in space]
            known.update(self._recorder.variables(found))
        return number

    # -- texts

    def _text_number(self, raw: FrameType, is_user: bool) -> int | None:
        code = raw.f_code
        if code not in self._of_code:
            self._of_code[code] = self._add_text(raw, is_user)
        return self._of_code[code]

    def _add_text(self, raw: FrameType, is_user: bool) -> int | None:
        code = raw.f_code
        lines = self._around.text_of(code) if is_user else None
        is_certain = lines is not None
        if lines is None:
            lines = linecache.getlines(code.co_filename, raw.f_globals)
        if not lines:
            return None
        first = 1
        if not is_user:  # of a library the function only
            first = max(1, code.co_firstlineno)
            lines = lines[first - 1 : _last_line(code)]
        number = self._put_text(code.co_filename, first, lines, is_certain=is_certain, is_whole=is_user)
        if is_user:
            for each in self._around.versions_of(code.co_filename):
                self._put_text(code.co_filename, 1, each.splitlines(keepends=True), is_certain=True, is_whole=True)
        return number

    def _put_text(self, filename: str, first: int, lines: Sequence[str], *, is_certain: bool, is_whole: bool) -> int:
        text = "".join(line if len(line) <= _LINE else f"{line[:_LINE]}…\n" for line in islice(lines, _LINES))
        key = filename, first, text
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self._texts)
            self._texts.append({
                "kind": "text", "file": _clean(filename), "first": first, "text": _clean(text),
                "is_certain": is_certain, "is_whole": is_whole,
            })  # fmt: skip
        return number


_OF_VARIABLES: Final = ("parameters", "module", "locals", "given")


def names_read(code: CodeType) -> set[str]:
    """Give the names that code, and code inside of it, may read from the module."""
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names |= names_read(constant)
    return names


def _own_names(space: dict[str, Any]) -> list[str]:
    return [name for name in list(space) if type(name) is str and not (name.startswith("__") and name.endswith("__"))]


def _locals(raw: FrameType) -> list[tuple[Any, Any]]:
    """Give the variables of a frame; nothing where a class body fills a mapping of the program's own."""
    found: Any = raw.f_locals
    if is_a(found, dict):
        return list(dict.items(found))
    if type(found).__module__ == "builtins":  # writes through to the frame
        return list(found.items())
    return []


def _scope(code: CodeType) -> str:
    if code.co_flags & interpreter.OPTIMIZED:
        return "function"
    return "module" if code.co_name == "<module>" else "class"


def _span(code: CodeType, lasti: int) -> list[int] | None:
    """Give line, column, end line and end column of the expression at an instruction."""
    if lasti < 0:
        return None
    line, end_line, column, end_column = next(islice(code.co_positions(), lasti // 2, None), (None,) * 4)
    if line is None or end_line is None or column is None or end_column is None:
        return None
    return [line, column, end_line, end_column]


def _last_line(code: CodeType) -> int:
    last = max((line for _, _, line in code.co_lines() if line is not None), default=code.co_firstlineno)
    return max(last, *(_last_line(each) for each in code.co_consts if isinstance(each, CodeType)), 0)


def _ends(places: Sequence[Place], number: int) -> Iterable[Place]:
    """Give the first and the last places, so many in all."""
    if len(places) <= number:
        return places
    half = number // 2
    return [*places[: number - half], *places[len(places) - half :]]


def _clean(text: str) -> str:
    return text if plain.is_unicode(text) else text.encode("utf-8", "backslashreplace").decode()
