"""What an object has, found without running any code of the program: no property, no `__getattr__`, no `__dir__`, no `__eq__`."""

from __future__ import annotations

import ast
import types
from collections.abc import Iterator, Mapping
from typing import Any, Final

_MRO: Final[Any] = type.__dict__["__mro__"]
_CLASS_DICT: Final[Any] = type.__dict__["__dict__"]
_NAME: Final[Any] = type.__dict__["__name__"]
#: Descriptors that C code has made, which look a value up and do nothing else.
_PLAIN: Final = (types.MemberDescriptorType, types.GetSetDescriptorType)

#: Stands for a value that only code of the program could tell.
UNKNOWN: Final = object()


def type_name(value: object) -> str:
    """Give the name of an object's type."""
    return str(_NAME.__get__(type(value)))


def class_attribute(kind: type, name: str) -> Any:
    """Look a name up in a class and those above, as it lies there; `UNKNOWN` where it does not."""
    for klass in _MRO.__get__(kind):
        space = _CLASS_DICT.__get__(klass)
        if name in space:
            return space[name]
    return UNKNOWN


def _is(value: object, *types: type) -> bool:
    """Whether the type of an object is one of some, and no other: `isinstance` and `==` may ask the program."""
    kind = type(value)
    return any(kind is each for each in types)


def _is_class(value: object) -> bool:
    return any(klass is type for klass in _MRO.__get__(type(value)))


def attribute_names(value: object) -> set[str]:
    """Give the names of the attributes that lie in the object, its class and the classes above."""
    names: set[str] = set()
    for space in _spaces(value):
        names.update(name for name in list(space) if type(name) is str)
    return names


def attribute(value: object, name: str) -> Any:
    """Look an attribute up; `UNKNOWN` where there is none, or where it would have to be worked out."""
    for klass in _MRO.__get__(type(value)):
        space = _CLASS_DICT.__get__(klass)
        if name in space and _is(space[name], *_PLAIN):
            try:
                return space[name].__get__(value)
            except Exception:
                return UNKNOWN
    for space in _spaces(value):
        if name in space:
            found = space[name]
            if _is(found, types.FunctionType, staticmethod, classmethod):
                return found
            worked_out = any("__get__" in _CLASS_DICT.__get__(klass) for klass in _MRO.__get__(type(found)))
            return UNKNOWN if worked_out and space is not _own_space(value) else found
    return UNKNOWN


def resolve(expression: str, spaces: list[Mapping[str, Any]]) -> Any:
    """Give the value of names, attributes and items with constant keys; `UNKNOWN` for any other expression.

    Args:
        spaces: where names are looked up, the first that has one counts.
    """
    try:
        node = ast.parse(expression.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return UNKNOWN
    return _value(node, spaces)


def _value(node: ast.expr, spaces: list[Mapping[str, Any]]) -> Any:
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        return next((space[node.id] for space in spaces if node.id in space), UNKNOWN)
    if isinstance(node, ast.Attribute):
        value = _value(node.value, spaces)
        return UNKNOWN if value is UNKNOWN else attribute(value, node.attr)
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        return _item(_value(node.value, spaces), node.slice.value)
    return UNKNOWN


def _item(value: object, key: object) -> Any:
    if _is(value, list, tuple) and _is(key, int):
        assert isinstance(value, (list, tuple)) and isinstance(key, int)
        return value[key] if -len(value) <= key < len(value) else UNKNOWN
    if _is(value, dict) and _is(key, int, str):
        assert isinstance(value, dict)
        # Not by hashing: another key's `__eq__` might be the program's.
        return next((item for each, item in list(value.items()) if type(each) is type(key) and each == key), UNKNOWN)
    return UNKNOWN


def _spaces(value: object) -> Iterator[Mapping[str, Any]]:
    own = _own_space(value)
    if own is not None:
        yield own
    if _is_class(value):
        for klass in _MRO.__get__(value):
            yield _CLASS_DICT.__get__(klass)
    for klass in _MRO.__get__(type(value)):
        yield _CLASS_DICT.__get__(klass)


def _own_space(value: object) -> Mapping[str, Any] | None:
    """Give the object's own dictionary, where its class has an ordinary one."""
    if _is_class(value):
        return None
    for klass in _MRO.__get__(type(value)):
        found = _CLASS_DICT.__get__(klass).get("__dict__")
        if found is not None:
            space = found.__get__(value) if _is(found, *_PLAIN) else None
            return space if type(space) is dict else None
    return None
