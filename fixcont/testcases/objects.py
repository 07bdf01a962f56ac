"""The ways in which an object of a class may be built from its attributes."""

from __future__ import annotations

import dataclasses
import enum
import inspect
import keyword
import types
from collections.abc import Iterator, Mapping
from typing import Any

from fixcont.postmortem.values import Entry, Reference
from fixcont.testcases.layout import Doc, Led, Nested
from fixcont.testcases.leaves import quoted


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
    """Tell whether objects of a class have more to them than attributes: a file, a socket, a lock, a generator."""
    try:
        object.__new__(cls)
    except TypeError:
        return True
    return False


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
