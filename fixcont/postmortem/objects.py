"""What an object is made of, found without running any code of the program: no property, no iterator, no `__class__` of its own."""

from __future__ import annotations

import collections
import contextlib
import gc
import types
from collections.abc import Iterable, Mapping
from typing import Any, Final

_MRO: Final[Any] = type.__dict__["__mro__"]
_CLASS_DICT: Final[Any] = type.__dict__["__dict__"]
_MODULE: Final[Any] = type.__dict__["__module__"]
_QUALNAME: Final[Any] = type.__dict__["__qualname__"]
_CONTAINERS: Final = (list, tuple, set, frozenset, collections.deque)


def classes(kind: type) -> tuple[type, ...]:
    """Give a class and those above, in the order in which names are looked up."""
    found: tuple[type, ...] = _MRO.__get__(kind)
    return found


def class_dictionary(kind: type) -> Mapping[str, Any]:
    """Give what lies in a class itself."""
    space: Mapping[str, Any] = _CLASS_DICT.__get__(kind)
    return space


def name_of(kind: type) -> tuple[str, str]:
    """Give module and qualified name of a class, whatever its metaclass says of them; "" for what is no text."""
    module, qualname = _MODULE.__get__(kind), _QUALNAME.__get__(kind)
    return module if type(module) is str else "", qualname if type(qualname) is str else ""


def is_a(value: object, kinds: type | tuple[type, ...]) -> bool:
    """Tell whether a value is of a type or of a subclass. Unlike `isinstance` it does not ask the value for its `__class__`."""
    return issubclass(type(value), kinds)


def slots(kind: type) -> list[tuple[str, Any]]:
    """Give the slots of a class and of those above, the outermost first: name and descriptor."""
    return [
        (name, member)
        for cls in reversed(classes(kind))
        for name, member in list(class_dictionary(cls).items())
        if type(member) is types.MemberDescriptorType and name != "__dict__" and _MODULE.__get__(cls) != "builtins"
    ]


def fields(value: object, known: dict[type, list[tuple[str, Any]]] | None = None) -> dict[str, Any]:
    """Give the attributes that lie in an object itself: those of its `__dict__` and of its slots.

    Args:
        known: class -> its slots, filled as classes are met: many objects are of few classes.
    """
    kind = type(value)
    found: dict[str, Any] = {}
    inside = known.get(kind) if known is not None else None
    if inside is None:
        inside = slots(kind)
        if known is not None:
            known[kind] = inside
    for name, member in inside:
        with contextlib.suppress(AttributeError):  # a slot that is not filled
            found[name] = member.__get__(value, kind)
    own = own_dictionary(value)
    found.update((name, own[name]) for name in list(own) if type(name) is str)
    return found


def own_dictionary(value: object) -> dict[str, Any]:
    """Give an object's `__dict__`, unless its class has a property in the place of that."""
    for cls in classes(type(value)):
        member = class_dictionary(cls).get("__dict__")
        if member is not None:
            found = (
                member.__get__(value, type(value))
                if type(member) in (types.GetSetDescriptorType, types.MemberDescriptorType)
                else None
            )
            return found if type(found) is dict else {}
    return {}


def items(value: Any) -> Iterable[Any] | None:
    """Give the items of a container of a built-in type, or of a subclass, past what the subclass may do; else None."""
    for base in _CONTAINERS:
        if is_a(value, base):
            return base.__iter__(value)
    return None


def pairs(value: Any) -> Iterable[tuple[Any, Any]] | None:
    """Give the keys and values of a dictionary, past what a subclass may do; else None."""
    if is_a(value, dict):
        return dict.items(value)
    if type(value) is types.MappingProxyType:
        return pairs(_behind(value))
    return None


def _behind(value: types.MappingProxyType[Any, Any]) -> Any:
    """Give what a proxy stands for, which asked by the proxy might run code of the user's."""
    return next(iter(gc.get_referents(value)), None)


def length(value: Any) -> int:
    """Give how many items a container has."""
    if type(value) is types.MappingProxyType:
        return length(_behind(value))
    for base in (dict, *_CONTAINERS):
        if is_a(value, base):
            return base.__len__(value)
    return 0
