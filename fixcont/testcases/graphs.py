"""Values as plain data, that stand on their own: as `fixcont.postmortem.values` notes them, with what is asked of such a table.

A graph is made where the values are, without running any code of the program, and is read in another process, where code for them is made.
"""

from __future__ import annotations

import sys
import types
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import BuiltinFunctionType, FunctionType, MethodWrapperType, ModuleType
from typing import Any, Final

from fixcont.errors import Refusal, Refused
from fixcont.postmortem.objects import class_dictionary, is_a, name_of, own_dictionary
from fixcont.postmortem.redaction import Redaction
from fixcont.postmortem.values import Entry, Recorder, Reference
from fixcont.postmortem.wanted import Limits

#: A test with more in it is none that anybody reads.
LIMITS: Final = Limits(depth=60, count=4_000, items=2_000, text=50_000, size=4_000_000, seconds=5.0, repr_seconds=0)

_IN_ALL: Final = 20_000  # references, those to small values included

_TOO_MUCH: Final = frozenset({"depth", "count", "items", "text", "size", "time"})
_MODULE_SPACE: Final[Any] = vars(types.ModuleType)["__dict__"]


@dataclass(frozen=True)
class Graph:
    """Values that may share parts and hold themselves.

    Attributes:
        entries: the table; see docs/saved-stops.md.
        named: reference to each value that has a name.
        positional: references to those that have none.
        keywords: and to those whose names were collected.
    """

    entries: list[Entry]
    named: dict[str, Reference]
    positional: list[Reference] = field(default_factory=list)
    keywords: dict[str, Reference] = field(default_factory=dict)

    def roots(self) -> Iterator[tuple[str, Reference]]:
        """Give all references from outside, each with the way that leads to it."""
        yield from self.named.items()
        yield from ((f"*[{number}]", each) for number, each in enumerate(self.positional))
        yield from self.keywords.items()

    def indexes(self) -> Iterator[tuple[int, str]]:
        """Give the index of each entry that is reached, once, with a way that leads to it; what lies near first."""
        seen: set[int] = set()
        waiting = deque(self.roots())
        while waiting:
            path, reference = waiting.popleft()
            number = index_of(reference)
            if number is None or number in seen:
                continue
            seen.add(number)
            yield number, path
            waiting.extend((path + step, each) for step, each in children(self.entries[number]))

    def path_to(self, wanted: int) -> str:
        """Give a way that leads to an entry."""
        return next((path for number, path in self.indexes() if number == wanted), "?")

    def as_json(self) -> dict[str, Any]:
        return {"entries": self.entries, "named": self.named, "positional": self.positional, "keywords": self.keywords}


def index_of(reference: Reference) -> int | None:
    """Give the index of the entry that a reference leads to, None where it is the value itself."""
    return reference[0] if type(reference) is list else None


def children(entry: Entry) -> Iterator[tuple[str, Reference]]:
    """Give the references in an entry, each with the step that leads there from it: "[2]", ".name"."""
    for name, each in entry.get("attributes", {}).items():
        yield f".{name}", each
    if "base" in entry:
        yield from children(entry["base"])
    kind = entry["t"]
    if "k" in entry:
        for number, (key, value) in enumerate(zip(entry["k"], entry["v"], strict=True)):
            look = repr(key) if type(key) in (str, int, bool) else f"key {number}"
            yield f"[{look}]", value
            yield f".keys()[{number}]", key
    elif kind in ("method", "function"):
        yield from ((f".__{part}__", entry[part]) for part in ("self", "function") if part in entry)
    elif kind in ("list", "tuple", "deque"):
        yield from ((f"[{number}]", each) for number, each in enumerate(entry["v"]))
    elif kind in ("set", "frozenset"):
        yield from ((f"{{item {number}}}", each) for number, each in enumerate(entry["v"]))
    elif kind == "exception":
        yield from ((f".args[{number}]", each) for number, each in enumerate(entry["v"]))
    elif kind in ("complex", "slice", "range"):
        yield from (("", each) for each in entry["v"])
    elif kind in ("enum", "atom", "pattern"):
        yield ".value", entry["v"]
    if "zone" in entry:
        yield ".tzinfo", entry["zone"]


def describe(
    named: Mapping[str, Any], positional: tuple[Any, ...] = (), keywords: Mapping[str, Any] | None = None, what: str = "argument"
) -> Graph:
    """Note values. Runs no code of the program.

    Args:
        what: what a value is called in a refusal.

    Raises:
        Refused: one of them cannot be noted in full.
    """
    recorder = _Exact(LIMITS, _Nothing())
    graph = Graph(
        recorder.table,
        {name: recorder.reference(value, 0) for name, value in named.items()},
        [recorder.reference(value, 0) for value in positional],
        {name: recorder.reference(value, 0) for name, value in (keywords or {}).items()},
    )
    recorder.run()
    check(graph, what)
    return graph


def check(graph: Graph, what: str = "argument") -> None:
    """Raise `Refused` where something in a graph was left out."""
    for path, hole in _holes(graph):
        why = hole.get("why", hole.get("hole"))
        raise Refused(refusal_of(what, path, _WHY.get(str(why), "was left out as it was saved"), hole.get("type")))


def refusal_of(what: str, path: str, is_what: str, kind: Any = None) -> Refusal:
    """Say that a value cannot be built: which one, and what it is."""
    name = kind[1] if isinstance(kind, list) else ""
    sentence = f"{what} {path}".strip() + f" {is_what.format(a=with_article(name))}"
    return Refusal(f"{what}-not-plain", sentence, "select a frame that has plain values" if what == "argument" else "")


def with_article(name: str) -> str:
    """Give the name of a type with an article, "something" for none."""
    return f"{'an' if name[:1].lower() in tuple('aeiou') else 'a'} {name}" if name else "something"


_WHY: Final = {
    **dict.fromkeys(_TOO_MUCH, "holds more than is readable in a test"),
    "failed": "changed while it was read",
    "class": "is {a}, whose class cannot be imported by its name",
    "made": "is a function or class that cannot be imported by its name",
    "bound": "is a method of an object of a built-in type",
    "redacted": "was left out as a secret",
    "unbound": "was not there any more",
}


def _holes(graph: Graph) -> Iterator[tuple[str, Entry]]:
    for path, reference in graph.roots():
        if type(reference) is dict and "hole" in reference:
            yield path, reference
    in_all = 0
    for number, path in graph.indexes():
        entry = graph.entries[number]
        if entry["t"] == "hole":
            yield path, entry
            continue
        if "length" in entry or any(type(each) is str and len(each) > LIMITS.text for each in entry.values()):
            yield path, {"why": "items"}
        for step, reference in children(entry):
            in_all += 1
            if in_all > _IN_ALL:
                yield path, {"why": "count"}
            if type(reference) is dict and "hole" in reference:
                yield path + step, reference


class _Nothing(Redaction):
    """Nothing is a secret: a test needs what was given."""

    def is_secret(self, name: str) -> bool:
        return False

    def note(self, value: object) -> None:
        """Remember nothing."""

    def note_address(self, text: str) -> None:
        """Remember nothing."""


class _Exact(Recorder):
    """Notes what must be exact as a hole where it would not be."""

    def of_tuple(self, value: Any, depth: int) -> Entry:
        return self._items("tuple", value, tuple.__iter__(value), depth)

    def _other(self, value: Any, number: int, depth: int) -> Entry:
        kind = type(value)
        if kind in (BuiltinFunctionType, MethodWrapperType) and not isinstance(value.__self__, (ModuleType, type(None))):
            return self._missing("bound", value)
        entry = super()._other(value, number, depth)
        if entry["t"] in ("class", "function") and not is_found(value, *(entry.get("type") or entry["name"])):
            return self._missing("made", value)
        if entry["t"] in ("object", "enum") and not is_found(kind, *entry["type"]):
            return self._missing("class", value)
        if len(entry.get("attributes", ())) >= LIMITS.items:
            return self._missing("items", value)
        if kind is FunctionType:
            entry["code"] = value.__code__.co_qualname
        if is_a(value, ModuleType) and sys.modules.get(entry["name"]) is not value:
            return self._missing("made", value)
        return entry

    def _missing(self, why: str, value: Any) -> Entry:
        return {"t": "hole", "why": why, "type": list(name_of(type(value)))}


def is_found(value: Any, module: str, qualname: str) -> bool:
    """Tell whether what a module has under a name is a value. Runs no code: looks into dictionaries only."""
    found: Any = sys.modules.get(module or "builtins")
    for name in qualname.split("."):
        if is_a(found, ModuleType):
            space: Any = _MODULE_SPACE.__get__(found)
        elif is_a(found, type):
            space = class_dictionary(found)
        else:
            return False
        found = space.get(name)
        if type(found) in (staticmethod, classmethod):
            found = own_dictionary(found).get("__wrapped__", found.__func__)
    return found is value
