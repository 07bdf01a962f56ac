"""Code that builds the values of a graph: expressions, and statements for what is shared, holds itself, or has no constructor that fits.

For objects of the program's classes there are several ways, from the nicest to the surest. Which one builds the very same value is found out by
trying, where the classes are (`fixcont.testcases.making`).
"""

from __future__ import annotations

import keyword
import re
import types
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from fixcont.postmortem.values import Entry, Reference
from fixcont.testcases import leaves
from fixcont.testcases.graphs import Graph, children, index_of
from fixcont.testcases.imports import Imports, resolve
from fixcont.testcases.layout import Doc, Led, Nested, flat, lines_of
from fixcont.testcases.matching import WITH_IDENTITY
from fixcont.testcases.objects import Way, attribute_statements, by_constructor, has_state_of_its_own, ways_of

_BASES: Final[dict[str, type]] = {
    "list": list, "tuple": tuple, "set": set, "frozenset": frozenset, "deque": deque, "dict": dict, "ordereddict": OrderedDict,
    "counter": Counter,
}  # fmt: skip
_FILL: Final = {
    "list": "extend", "deque": "extend", "set": "update", "dict": "update", "ordereddict": "update", "counter": "update",
}  # fmt: skip
_LONG: Final = 40  # columns of an expression that stands where it is used, though it is used more than once


class Unbuildable(Exception):
    """There is no code for a value.

    Attributes:
        index: of its entry.
        is_what: what it is, as `refusal_of` takes it.
        kind: its type, as entries have it.
    """

    def __init__(self, index: int, is_what: str, kind: Any = None) -> None:
        super().__init__(index, is_what, kind)
        self.index, self.is_what, self.kind = index, is_what, kind


class Builder:
    """Makes code for the values of one graph.

    Args:
        tried: class -> how many of the ways to build its objects have failed.
    """

    def __init__(self, graph: Graph, imports: Imports, tried: dict[type, int]) -> None:
        self.statements: list[str] = []
        self._graph = graph
        self._imports = imports
        self._tried = tried
        self._uses = _uses(graph)
        self._in_cycles = _in_cycles(graph)
        self._variables: dict[int, str] = {}
        self._wanted: dict[int, str] = {}  # index -> what a variable for it should be called
        self._later: deque[Callable[[], None]] = deque()

    def build(self, reference: Reference, wanted: str = "") -> Doc:
        """Give the expression for a value. What must stand before it is in `statements`.

        Args:
            wanted: the name for a variable, should there be one.
        """
        number = index_of(reference)
        if number is not None and wanted:
            self._wanted.setdefault(number, self.name_for(reference, wanted))
        return self._part(reference)

    def name_for(self, reference: Reference, wanted: str) -> str:
        """Give the name that a variable for a value should have: another one than that of an object inside of its methods."""
        number = index_of(reference)
        return _common_name(self._graph.entries[number]) if number is not None and wanted in ("", "self", "cls") else wanted

    def fill(self) -> None:
        """Make the statements that fill what holds itself. To be called once, when all values have their expressions."""
        while self._later:
            self._later.popleft()()

    def assign(self, wanted: str, doc: Doc) -> str:
        """Assign an expression to a variable, and give its name."""
        name = self._imports.variable(wanted)
        self.statements += lines_of(doc, f"{name} = ")
        return name

    def _part(self, reference: Reference) -> Doc:
        number = index_of(reference)
        if number is None:
            return leaves.atom(reference)
        if number in self._variables:
            return self._variables[number]
        entry = self._graph.entries[number]
        if number in self._in_cycles and entry["t"] in WITH_IDENTITY - {"bytearray", "mappingproxy"}:
            return self._begun(number, entry)
        doc = self._whole(number, entry)
        if number in self._variables:  # it was made by statements
            return self._variables[number]
        if self._uses[number] > 1 and (self._has_identity(number) or len(flat(doc)) > _LONG):
            return self._named(number, entry, doc)
        return doc

    def _named(self, number: int, entry: Entry, doc: Doc) -> str:
        name = self._variables[number] = self.assign(self._wanted.get(number) or _common_name(entry), doc)
        return name

    def _has_identity(self, number: int) -> bool:
        """Tell whether it matters that an entry is built once only: for itself, or for something in it."""
        if self._graph.entries[number]["t"] in WITH_IDENTITY or number in self._in_cycles:
            return True
        inside = (index_of(each) for _, each in children(self._graph.entries[number]))
        return any(at is not None and self._has_identity(at) for at in inside)

    def _whole(self, number: int, entry: Entry) -> Doc:
        kind = entry["t"]
        if kind in leaves.KINDS:
            return leaves.leaf(entry, self._part, self._imports)
        if kind in _BASES:
            return self._container(entry, self._imports)
        if kind == "mappingproxy":
            inside = self._container(entry | {"t": "dict"}, self._imports)
            return Nested(f"{self._imports.name('types', 'MappingProxyType')}(", [inside], ")")
        if kind == "method":
            return self._method(number, entry)
        if kind == "enum":
            return self._enum(number, entry)
        if kind == "function":
            self._check_function(number, entry)
            return self._imports.name(*entry["name"])
        if kind == "class":
            return self._imports.name(*entry["type"])
        if kind == "module":
            return self._imports.module(entry["name"])
        if kind == "object":
            return self._object(number, entry)
        raise Unbuildable(number, "is something that this version cannot write")

    # -- containers

    def _container(self, entry: Entry, imports: Imports) -> Doc:
        kind = entry["t"]
        items = self._items(entry)
        if kind == "list":
            return Nested("[", items, "]")
        if kind == "tuple":
            return Nested("(", items, ")", needs_comma=True)
        if kind == "set":
            return Nested("{", items, "}") if items else "set()"
        if kind == "frozenset":
            return Nested("frozenset({", items, "})") if items else "frozenset()"
        if kind == "dict":
            return Nested("{", items, "}")
        name = imports.name("collections", _BASES[kind].__name__)
        if kind == "deque":
            limit = [f"maxlen={entry['maxlen']}"] if "maxlen" in entry else []
            return Nested(f"{name}(", [Nested("[", items, "]"), *limit], ")")
        return Nested(f"{name}(", [Nested("{", items, "}")] if items else [], ")")

    def _items(self, entry: Entry) -> list[Doc]:
        if "k" not in entry:
            return [self._part(each) for each in entry["v"]]
        return [Led(self._part(key), ": ", self._part(value)) for key, value in zip(entry["k"], entry["v"], strict=True)]

    def _begun(self, number: int, entry: Entry) -> str:
        """Make what holds itself, empty, and fill it later."""
        kind = entry["t"]
        if kind == "object":
            return self._begun_object(number, entry)
        empty = self._container(
            {key: each for key, each in entry.items() if key == "maxlen"}
            | {"t": kind, "v": [], **({"k": []} if "k" in entry else {})},
            self._imports,
        )
        name = self._named(number, entry, empty)
        self._later.append(lambda: self._fill(name, entry, f"{name}.{_FILL[kind]}("))
        return name

    def _fill(self, name: str, entry: Entry, call: str) -> None:
        if "k" in entry and entry["t"] != "counter":  # an update of a counter adds
            items: Doc = Nested("{", self._items(entry), "}")
        elif "k" in entry:
            for key, value in zip(entry["k"], entry["v"], strict=True):
                self.statements += lines_of(self._part(value), f"{name}[{flat(self._part(key))}] = ")
            return
        else:
            items = Nested("[", self._items(entry), "]")
        if entry["v"]:
            self.statements += lines_of(Nested(call, [items], ")"))

    # -- what has a name

    def _method(self, number: int, entry: Entry) -> Doc:
        owner, function = self._part(entry["self"]), index_of(entry["function"])
        made = self._graph.entries[function] if function is not None else {"t": ""}
        if made["t"] != "function":
            raise Unbuildable(number, "is a method of something that is no function")
        name = str(made["name"][1]).rpartition(".")[2]
        if not name.isidentifier():
            raise Unbuildable(number, "is a method without a name")
        return f"{flat(owner)}.{name}"

    def _check_function(self, number: int, entry: Entry) -> None:
        found = resolve(*entry["name"])
        code = getattr(found, "__code__", None)
        if "code" in entry and getattr(code, "co_qualname", None) != entry["code"]:
            raise Unbuildable(number, "is a function that cannot be imported by its name")

    def _enum(self, number: int, entry: Entry) -> Doc:
        cls = resolve(*entry["type"])
        name = self._imports.name(*entry["type"])
        if entry["name"] in getattr(cls, "__members__", {}):
            return f"{name}.{entry['name']}"
        return Nested(f"{name}(", [self._part(entry["v"])], ")")

    # -- objects

    def _object(self, number: int, entry: Entry) -> Doc:
        cls = resolve(*entry["type"])
        special = self._special(cls, entry)
        if special is not None:
            return special
        if has_state_of_its_own(cls):
            raise Unbuildable(number, "is {a}", entry["type"])
        ways = ways_of(cls, entry)
        tried = self._tried.get(cls, 0)
        if tried >= len(ways):
            raise Unbuildable(number, "is {a} that cannot be built from its attributes", entry["type"])
        way = ways[tried]
        name = self._imports.name(*entry["type"])
        if way is Way.CONSTRUCTOR:
            arguments = by_constructor(cls, entry)
            assert arguments is not None
            parts: list[Doc] = []
            for word, each in arguments:
                part = self._part(each)
                parts.append(Led(word, "=", part) if word else part)
            return Nested(f"{name}(", parts, ")")
        if way is Way.BASE:
            return Nested(f"{name}(", self._base(entry), ")")
        made: Doc = (
            Nested(f"{name}(", self._base(entry), ")") if way is Way.BASE_AND_ATTRIBUTES else self._raw(number, cls, entry)
        )
        variable = self._named(number, entry, made)
        if way is Way.RAW and "base" in entry and entry["base"]["t"] in _FILL:
            self._fill_base(variable, entry)
        self._set_attributes(variable, cls, entry)
        return variable

    def _begun_object(self, number: int, entry: Entry) -> str:
        cls = resolve(*entry["type"])
        variable = self._named(number, entry, self._raw(number, cls, entry))
        if "base" in entry and entry["base"]["t"] in _FILL:
            self._later.append(lambda: self._fill_base(variable, entry))
        self._later.append(lambda: self._set_attributes(variable, cls, entry))
        return variable

    def _fill_base(self, variable: str, entry: Entry) -> None:
        base = entry["base"]
        kind = _BASES[base["t"]].__name__
        self._fill(
            variable,
            base,
            f"{kind if base['t'] in ('list', 'set', 'dict') else self._imports.name('collections', kind)}.{_FILL[base['t']]}({variable}, ",
        )

    def _set_attributes(self, variable: str, cls: type, entry: Entry) -> None:
        parts = {name: self._part(each) for name, each in entry["attributes"].items()}
        for statement in attribute_statements(variable, cls, parts):
            self.statements += lines_of(statement)

    def _raw(self, number: int, cls: type, entry: Entry) -> Doc:
        """Make an object without its attributes, past its constructor."""
        if has_state_of_its_own(cls):
            raise Unbuildable(number, "is {a}", entry["type"])
        name = self._imports.name(*entry["type"])
        base = entry.get("base")
        if base is None:
            return f"object.__new__({name})"
        kind = base["t"]
        if kind == "exception":
            return Nested(f"{name}.__new__(", [name, *self._base(entry)], ")")
        if kind in _FILL:
            above = _BASES[kind].__name__
            above = above if kind in ("list", "set", "dict") else self._imports.name("collections", above)
            return f"{above}.__new__({name})"
        above = _BASES[kind].__name__ if kind in _BASES else type(resolve_atom(base)).__name__
        return Nested(f"{above}.__new__(", [name, *self._base(entry)], ")")

    def _base(self, entry: Entry) -> list[Doc]:
        """Give the arguments that make what an object is as one of a built-in type."""
        base = entry["base"]
        if base["t"] == "exception":
            return [self._part(each) for each in base["v"]]
        if base["t"] == "atom":
            return [self._part(base["v"])]
        if base["t"] in leaves.KINDS:
            return [leaves.leaf(base, self._part, self._imports)]
        kind = {"ordereddict": "dict", "counter": "dict", "deque": "list"}.get(base["t"], base["t"])
        limit = [f"maxlen={base['maxlen']}"] if "maxlen" in base else []
        return [self._container(base | {"t": kind}, self._imports), *limit]

    def _special(self, cls: type, entry: Entry) -> Doc | None:
        """Give the expression for an object of one of Python's own types that no general way makes."""
        if cls is object:
            return "object()"
        attributes = entry["attributes"]
        name = self._imports.name(*entry["type"])
        if cls is types.SimpleNamespace and all(map(_is_word, attributes)):
            return Nested(f"{name}(", [Led(word, "=", self._part(each)) for word, each in attributes.items()], ")")
        if issubclass(cls, defaultdict) and self._tried.get(cls, 0) == 0 and set(attributes) == {"default_factory"}:
            factory = self._part(attributes["default_factory"])
            items = self._container(entry["base"], self._imports)
            return Nested(f"{name}(", [factory, *([items] if entry["base"]["v"] else [])], ")")
        if cls is partial and {"func", "args", "keywords"} <= attributes.keys():
            return self._partial(name, attributes)
        return None

    def _partial(self, name: str, attributes: dict[str, Reference]) -> Doc:
        entries = self._graph.entries
        positional, words = (entries[index_of(attributes[each]) or 0] for each in ("args", "keywords"))
        parts: list[Doc] = [self._part(attributes["func"]), *(self._part(each) for each in positional["v"])]
        parts += [Led(key, "=", self._part(each)) for key, each in zip(words["k"], words["v"], strict=True)]
        return Nested(f"{name}(", parts, ")")


def resolve_atom(base: Entry) -> Any:
    """Give a value of the built-in type of an entry for what an object is as one."""
    if base["t"] == "atom":
        return 0.0 if type(base["v"]) is dict else base["v"]
    return {"int": 0, "str": "", "bytes": b"", "bytearray": bytearray(), "complex": 0j}[base["t"]]


def _is_word(name: str) -> bool:
    return name.isidentifier() and not keyword.iskeyword(name)


def _common_name(entry: Entry) -> str:
    kind = str(entry["type"][1]).rpartition(".")[2] if entry["t"] == "object" else str(entry["t"])
    plain = {"list": "items", "dict": "mapping", "tuple": "items", "set": "group", "str": "text", "bytes": "data"}.get(kind, kind)
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", plain).lower().strip("_") or "value"


def _uses(graph: Graph) -> Counter[int]:
    """Count how often each entry is referred to."""
    found: Counter[int] = Counter()
    for _, reference in graph.roots():
        found[index_of(reference) if index_of(reference) is not None else -1] += 1  # type: ignore[index]
    for number, _ in graph.indexes():
        for _, reference in children(graph.entries[number]):
            at = index_of(reference)
            if at is not None:
                found[at] += 1
    return found


def _in_cycles(graph: Graph) -> set[int]:
    """Find the entries that can be reached from themselves."""
    following = {
        number: [at for _, each in children(graph.entries[number]) if (at := index_of(each)) is not None]
        for number, _ in graph.indexes()
    }
    # What nothing leads to, or leads nowhere, again and again, is in no cycle; the rest is asked one by one.
    rest = dict(following)
    while True:
        leads = {number for number, to in rest.items() if any(each in rest for each in to)}
        reached = {each for number in rest for each in rest[number]}
        kept = {number: to for number, to in rest.items() if number in leads and number in reached}
        if len(kept) == len(rest):
            break
        rest = kept
    return {number for number in rest if _reaches(rest, number)}


def _reaches(following: dict[int, list[int]], start: int) -> bool:
    seen: set[int] = set()
    waiting = list(following[start])
    while waiting:
        at = waiting.pop()
        if at == start:
            return True
        if at in following and at not in seen:
            seen.add(at)
            waiting += following[at]
    return False
