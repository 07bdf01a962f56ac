"""Whether two graphs are the same values: types, contents, order, and which parts are shared."""

from __future__ import annotations

import json
from typing import Any, Final

from fixcont.postmortem.values import Entry, Reference
from fixcont.testcases.graphs import Graph, index_of

#: Kinds of entries of which it matters whether two of them are the same object: they can change, or are compared by identity.
WITH_IDENTITY: Final = frozenset(
    {"list", "set", "dict", "ordereddict", "counter", "deque", "bytearray", "object", "mappingproxy"}
)
_UNORDERED: Final = ("set", "frozenset")
_SINGLE: Final = ("enum", "atom", "pattern")  # whose value is one reference
_NESTED: Final = ("v", "k", "self", "function", "zone", "attributes", "base", "maxlen")
_IRRELEVANT: Final = frozenset({"file", "line", "repr", "no_repr", "pickle", "no_pickle", "code"})


class Differs(Exception):
    """Two graphs are not the same.

    Attributes:
        owners: indexes of the entries on the way to where they differ, the nearest last.
    """

    def __init__(self, owners: list[int]) -> None:
        super().__init__(owners)
        self.owners = owners


def match(wanted: Graph, found: Graph) -> None:
    """Compare two graphs.

    Raises:
        Differs: they are not the same.
    """
    matcher = _Matcher(wanted, found)
    if list(wanted.named) != list(found.named) or list(wanted.keywords) != list(found.keywords):
        raise Differs([])
    for (_, one), (_, other) in zip(wanted.roots(), found.roots(), strict=True):
        matcher.same(one, other)


class _Matcher:
    def __init__(self, wanted: Graph, found: Graph) -> None:
        self._wanted, self._found = wanted.entries, found.entries
        self._pairs: dict[int, int] = {}
        self._back: dict[int, int] = {}
        self._path: list[int] = []

    def same(self, one: Reference, other: Reference) -> None:
        first, second = index_of(one), index_of(other)
        if first is None or second is None:
            if first is not second or not _same_atom(one, other):
                raise Differs(self._path)
            return
        entry, its = self._wanted[first], self._found[second]
        if first in self._pairs or (second in self._back and entry["t"] in WITH_IDENTITY):
            if self._pairs.get(first) != second and (entry["t"] in WITH_IDENTITY or first in self._path):
                raise Differs(self._path)
            if self._pairs.get(first) == second:
                return
        self._pairs[first], self._back[second] = second, first
        self._path.append(first)
        self._entries(entry, its)
        self._path.pop()

    def _entries(self, entry: Entry, its: Entry) -> None:
        keys = entry.keys() - _IRRELEVANT
        if keys != its.keys() - _IRRELEVANT:
            raise Differs(self._path)
        for key in keys:
            mine, other = entry[key], its[key]
            if key not in _NESTED or type(mine) is str:
                if mine != other or type(mine) is not type(other):
                    raise Differs(self._path)
            elif key == "attributes":
                self._attributes(mine, other)
            elif key == "base":
                self._entries(mine, other)
            elif entry["t"] in _UNORDERED:
                self._all(_sorted(self._wanted, mine), _sorted(self._found, other))
            elif key in ("v", "k") and entry["t"] not in _SINGLE:
                self._all(mine, other)
            else:
                self.same(mine, other)

    def _attributes(self, mine: dict[str, Reference], other: dict[str, Reference]) -> None:
        if mine.keys() != other.keys():
            raise Differs(self._path)
        for name, each in mine.items():
            self.same(each, other[name])

    def _all(self, mine: list[Any], other: list[Any]) -> None:
        if len(mine) != len(other):
            raise Differs(self._path)
        for one, each in zip(mine, other, strict=True):
            self.same(one, each)


def _same_atom(one: Reference, other: Reference) -> bool:
    return type(one) is type(other) and json.dumps(one) == json.dumps(other)  # 0.0 is not -0.0


def _sorted(entries: list[Entry], references: list[Reference]) -> list[Reference]:
    return sorted(references, key=lambda each: _told(entries, each, ()))


def _told(entries: list[Entry], reference: Reference, above: tuple[int, ...]) -> str:
    """Tell a value in a text that is the same for equal ones, whatever the order in which a set gives its items."""
    number = index_of(reference)
    if number is None:
        return json.dumps(reference)
    if number in above:
        return f"^{above.index(number)}"
    return _told_entry(entries, entries[number], (*above, number))


def _told_entry(entries: list[Entry], entry: Entry, above: tuple[int, ...]) -> str:
    parts = [f"{key}={_told_part(entries, entry, key, above)}" for key in sorted(entry.keys() - _IRRELEVANT)]
    return "{" + ",".join(parts) + "}"


def _told_part(entries: list[Entry], entry: Entry, key: str, above: tuple[int, ...]) -> str:
    part = entry[key]
    if key not in _NESTED or type(part) is str:
        return json.dumps(part)
    if key == "attributes":
        return ",".join(f"{name}:{_told(entries, each, above)}" for name, each in sorted(part.items()))
    if key == "base":
        return _told_entry(entries, part, above)
    if key in ("v", "k") and entry["t"] not in _SINGLE:
        told = [_told(entries, each, above) for each in part]
        return ",".join(sorted(told) if entry["t"] in _UNORDERED else told)
    return _told(entries, part, above)
