"""How values look in one line, without running code of the user's: no `__repr__`, no property, no iterator of theirs.

Built-in values look as their `repr`, cut short; objects look as their type with some of their fields. Whatever fails, or would
never end, or would be endless, is a short text too.
"""

from __future__ import annotations

import collections
import datetime
import decimal
import enum
import fractions
import itertools
import pathlib
import re
import types
import uuid
from collections.abc import Callable, Iterator
from typing import Any, Final

from fixcont.postmortem.objects import class_dictionary, classes, fields, is_a, items, length, own_dictionary, pairs
from fixcont.postmortem.standins import Hole, Saved
from fixcont_ui.static_attributes import attribute

#: Characters of a text, bytes of data, digits of a number that are shown.
_LENGTH: Final = 60
_ITEMS: Final = 6
_DEPTH: Final = 2
_WHOLE: Final = 240

#: Types whose `repr` runs nothing of the user's and is short.
_PLAIN: Final = frozenset([
    bool, float, complex, type(None), type(Ellipsis), type(NotImplemented), range, slice,
    datetime.date, datetime.time, datetime.datetime, datetime.timedelta, decimal.Decimal, fractions.Fraction, uuid.UUID, re.Pattern,
    pathlib.PurePosixPath, pathlib.PureWindowsPath, pathlib.PosixPath, pathlib.WindowsPath,
])  # fmt: skip
_OF_FUNCTIONS: Final = (types.FunctionType, types.BuiltinFunctionType, types.MethodDescriptorType, types.WrapperDescriptorType)
#: Type -> gives the value of an object of a subclass as one of the type itself, past what the subclass may do.
_BARE: Final[tuple[tuple[type, Callable[[Any], Any]], ...]] = (
    (int, int.__int__),
    (float, float.__float__),
    (str, str.__str__),
    (bytes, lambda value: bytes.__getitem__(value, slice(None))),
)


def look(value: object) -> str:
    """Describe a value in one line of a bounded length. Never raises, and never runs code of the user's."""
    try:
        text = _look(value, _DEPTH, ())
    except Exception as error:
        text = f"<{_name(type(value))}: {type(error).__name__} while looking at it>"
    text = "".join(each if each.isprintable() else f"\\x{ord(each):02x}" for each in text)
    return text if len(text) <= _WHOLE else text[: _WHOLE - 1] + "…"


def own_look(value: object) -> str:
    """Give the value's own `repr`, which is code of the user's: bounded, and what it raises is told."""
    try:
        text = repr(value)
    except Exception as error:
        return f"its repr failed: {type(error).__name__}: {_message(error)}"
    return text if len(text) <= 4000 else f"{text[:4000]}… ({len(text)} characters)"


def has_own_look(value: object) -> bool:
    """Tell whether a value has a `__repr__` that is neither of a built-in type nor the one that all objects have."""
    for cls in classes(type(value)):
        if "__repr__" in class_dictionary(cls):
            return cls.__module__ != "builtins" and cls not in _PLAIN and not is_small(value)
    return False


def is_small(value: object) -> bool:
    """Tell whether a look shows all that there is to a value."""
    return type(value) in _PLAIN or type(value) in (int, str, bytes) or is_a(value, _OF_FUNCTIONS)


def _look(value: Any, depth: int, around: tuple[int, ...]) -> str:
    kind = type(value)
    if kind is int:
        return _number(value)
    if kind is str or kind is bytes:
        return _text(value)
    if kind in _PLAIN:
        return _cut(repr(value), _LENGTH)
    if kind is Hole or (is_a(value, Saved) and not is_a(value, BaseException)):
        return _cut(repr(value), _WHOLE)  # ours: as its own `repr` was where the stop was saved, or why it was not saved
    if is_a(value, type):
        return f"<class {_name(value)}>"
    if is_a(value, _OF_FUNCTIONS):
        return f"<function {value.__qualname__}>"
    if is_a(value, types.MethodType):
        qualname = attribute(value.__func__, "__qualname__")
        return f"<method {qualname if type(qualname) is str else '?'}>"
    if is_a(value, types.ModuleType):
        return f"<module {own_dictionary(value).get('__name__')}>"
    if is_a(value, BaseException):
        arguments = ", ".join(_look(each, depth - 1, around) for each in BaseException.__dict__["args"].__get__(value)[:_ITEMS])
        return f"{_name(kind)}({arguments})"
    if id(value) in around:
        return "…"
    return _whole(value, kind, depth, (*around, id(value)))


def _whole(value: Any, kind: type, depth: int, around: tuple[int, ...]) -> str:
    """Describe a container or an object."""
    names = class_dictionary(kind).get("_fields") if is_a(value, tuple) else None
    if type(names) is tuple and len(names) == length(value):  # a named tuple
        shown = (f"{field}={_look(each, depth - 1, around)}" for field, each in zip(names, tuple.__iter__(value), strict=True))
        return f"{_name(kind)}({_joined(shown, len(names), _ITEMS)})"
    name = "" if kind in (list, tuple, dict, set) else _name(kind)
    if is_a(value, enum.Enum):
        return f"{_name(kind)}.{fields(value).get('_name_')}"
    for base, bare in _BARE:
        if is_a(value, base):  # of a subclass
            return f"{name}({_look(bare(value), depth, around)})"
    mapped, listed = pairs(value), items(value)
    if mapped is not None:
        shown = (f"{_look(key, depth - 1, around)}: {_look(each, depth - 1, around)}" for key, each in mapped)
        return _bracketed("{}", shown, length(value), depth, name)
    if listed is not None:
        brackets = "[]" if is_a(value, (list, collections.deque)) else "()" if is_a(value, tuple) else "{}"
        text = _bracketed(brackets, (_look(each, depth - 1, around) for each in listed), length(value), depth, name)
        if kind is set and text == "{}":
            return "set()"
        return text[:-1] + ",)" if kind is tuple and length(value) == 1 and depth else text
    own = fields(value)
    if not own or depth <= 0:
        return f"<{_name(kind)}>"
    shown = (f"{field}={_look(each, depth - 1, around)}" for field, each in own.items())
    inside = _joined(shown, len(own), 4)
    return f"<{_name(kind)} {inside}>"


def _bracketed(brackets: str, shown: Iterator[str], number: int, depth: int, name: str) -> str:
    if depth <= 0 and number:
        text = f"{brackets[0]}… {number}{brackets[1]}"
    else:
        text = f"{brackets[0]}{_joined(shown, number, _ITEMS)}{brackets[1]}"
    return f"{name}({text})" if name else text


def _joined(shown: Iterator[str], number: int, limit: int) -> str:
    parts = list(itertools.islice(shown, limit))
    if number > len(parts):
        parts.append(f"… {number - len(parts)} more")
    return ", ".join(parts)


def _number(value: int) -> str:
    bits = value.bit_length()
    if bits > 400:
        return f"<int of {bits} bits>"
    return repr(value)


def _text(value: str | bytes) -> str:
    if len(value) <= _LENGTH:
        return repr(value)
    what = "characters" if is_a(value, str) else "bytes"
    return f"{value[: _LENGTH - 20]!r}… ({len(value)} {what})"


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _name(kind: type) -> str:
    name: str = type.__dict__["__qualname__"].__get__(kind)
    return name.rpartition("<locals>.")[2]


def _message(error: BaseException) -> str:
    try:
        return _cut(str(error), 200)
    except Exception:
        return "(its message fails too)"
