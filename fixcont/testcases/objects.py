"""The ways in which an object of a class may be built from its attributes."""

from __future__ import annotations

import dataclasses
import enum
import inspect
import keyword
import struct
import types
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Iterator, Mapping
from typing import Any, Final

from fixcont.postmortem.values import Entry, Reference
from fixcont.testcases.layout import Doc, Led, Nested
from fixcont.testcases.leaves import quoted

_IS_MADE_AT_RUN_TIME: Final = 1 << 9
_CANNOT_BE_CHANGED: Final = 1 << 8
_POINTER: Final = struct.calcsize("P")
#: Classes in C of which everything is noted.
_KNOWN: Final = frozenset([
    object, list, tuple, set, frozenset, dict, int, float, complex, str, bytes, bytearray, deque, OrderedDict, defaultdict, Counter,
])  # fmt: skip


class Way(enum.Enum):
    """How an object is built."""

    CONSTRUCTOR = "its class is called with attributes"
    BASE = "its class is called with what it is as an object of a built-in type"
    BASE_AND_ATTRIBUTES = "as BASE; then attributes are set"
    RAW = "it is made without its constructor, and attributes are set"


def ways_of(cls: type, entry: Entry) -> list[Way]:
    """Give the ways that may build an object, the nicest first."""
    if "base" in entry:
        first = [Way.CONSTRUCTOR] if by_constructor(cls, entry) is not None else []
        return [*first, Way.BASE, Way.BASE_AND_ATTRIBUTES, Way.RAW]
    return [Way.CONSTRUCTOR, Way.RAW] if by_constructor(cls, entry) is not None else [Way.RAW]


def by_constructor(cls: type, entry: Entry) -> list[tuple[str, Reference]] | None:
    """Give what a class is to be called with so that it may make an object with these attributes, each with its word or ""; None where
    the names of its parameters do not tell."""
    if "fields" in entry:
        names, values = entry["fields"], entry["base"]["v"]
        is_plain = all(_is_word(name) for name in names)
        return [(name if is_plain else "", each) for name, each in zip(names, values, strict=True)]
    attributes = entry["attributes"]
    if dataclasses.is_dataclass(cls):
        wanted = [each.name for each in dataclasses.fields(cls) if each.init]
        return [(name, attributes[name]) for name in wanted] if set(wanted) <= attributes.keys() else None
    if "base" in entry:
        return None
    return _by_parameters(cls, attributes)


def _by_parameters(cls: type, attributes: Mapping[str, Reference]) -> list[tuple[str, Reference]] | None:
    init: Any = cls.__init__  # type: ignore[misc]  # looked at only
    make: Any = cls.__new__
    if not isinstance(init, types.FunctionType):
        return [] if init is object.__init__ and make is object.__new__ and not attributes else None
    found = []
    for parameter in list(inspect.signature(init).parameters.values())[1:]:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        name = next(
            (
                each
                for each in (parameter.name, f"_{parameter.name}", f"_{cls.__name__.lstrip('_')}__{parameter.name}")
                if each in attributes
            ),
            None,
        )
        if name is not None:
            found.append(("" if parameter.kind is parameter.POSITIONAL_ONLY else parameter.name, attributes[name]))
        elif parameter.default is parameter.empty:
            return None
        elif parameter.kind is parameter.POSITIONAL_ONLY:
            break
    return found


def has_state_of_its_own(cls: type) -> bool:
    """Tell whether objects of a class have more to them than attributes and items: a file, a socket, a lock, a generator."""
    return any(_is_made_in_c(each) for each in cls.__mro__ if each not in _KNOWN and not issubclass(each, BaseException))


def _is_made_in_c(cls: type) -> bool:
    """Tell whether a class was not made by a class statement: it may then have what only its own code can see."""
    if not cls.__flags__ & _IS_MADE_AT_RUN_TIME or cls.__flags__ & _CANNOT_BE_CHANGED:
        return True
    slots = sum(type(member) is types.MemberDescriptorType for member in vars(cls).values())
    above = cls.__base__.__basicsize__ if cls.__base__ is not None else 0
    return cls.__basicsize__ - above > _POINTER * (slots + 2)  # two for the dictionary and the weak references


def attribute_statements(variable: str, cls: type, attributes: Mapping[str, Doc]) -> Iterator[Doc]:
    """Give the statements that set the attributes of an object, past what its class does as they are set."""
    slots = {name for each in cls.__mro__ for name, member in vars(each).items() if type(member) is types.MemberDescriptorType}
    own = {name: doc for name, doc in attributes.items() if name not in slots}
    for name, doc in attributes.items():
        if name in slots:
            yield Nested("object.__setattr__(", [variable, quoted(name), doc], ")")
    if own and all(map(_is_word, own)):
        yield Nested(f"vars({variable}).update(", [Led(name, "=", doc) for name, doc in own.items()], ")")
    elif own:
        items: list[Doc] = [Led(quoted(name), ": ", doc) for name, doc in own.items()]
        yield Nested(f"vars({variable}).update(", [Nested("{", items, "}")], ")")


def _is_word(name: str) -> bool:
    return name.isidentifier() and not keyword.iskeyword(name)
