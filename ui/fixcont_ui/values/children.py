"""What lies below a value: items of containers, attributes, variables; page by page, without running code of the user's.

Children are found anew each time, so that nothing holds on to the program's values.
"""

from __future__ import annotations

import ast
import collections
import keyword
import math
import operator
import types
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import islice
from typing import Any, Final, Literal

from fixcont.postmortem.objects import class_dictionary, fields, is_a, items, length, own_dictionary, pairs
from fixcont.postmortem.standins import Hole
from fixcont_ui.static_attributes import UNKNOWN, class_attribute
from fixcont_ui.values.looks import is_small, look

#: Items of a container are found by their place, attributes and variables by their name.
Kind = Literal["indexed", "named"]

_CODE: Final = (types.ModuleType, types.FunctionType, types.BuiltinFunctionType, type)
#: Containers whose items have numbers that lead to them.
_NUMBERED: Final = (list, tuple, collections.deque)
#: Characters of a key that is written into an expression.
_KEY: Final = 200


@dataclass(frozen=True)
class Child:
    """A value below another one.

    Attributes:
        name: what it is called there: "[3]", "['key']", ".attribute", "variable", and "-" for the item of a set.
        replace: puts another value in its place, which may run code of the user's; None where it cannot be.
        step: what leads to it, behind an expression for its parent; for a variable the whole expression. None where there is none.
        is_variable: whether its parent is `Names`.
    """

    name: str
    value: Any
    replace: Callable[[Any], None] | None = None
    step: str | None = None
    is_variable: bool = False

    def expression(self, parent: str = "") -> str | None:
        """Give an expression for it, from one for its parent; None where there is none."""
        if self.is_variable or self.step is None:
            return self.step
        return f"{_primary(parent)}{self.step}" if parent else None


class Names:
    """Stands for the variables of a frame or of a module, as a value whose named children they are.

    Args:
        names: the variables.
        assign: gives one of them another value; None where they cannot have one.
        is_module: what a module works with comes in front of what it defines, and what the interpreter has put there is left out.
        hidden_by: names that mean something else in the frame, so that they do not lead here.
    """

    def __init__(
        self,
        names: Mapping[str, Any],
        assign: Callable[[str, Any], None] | None,
        *,
        is_module: bool = False,
        hidden_by: Container[str] = (),
    ) -> None:
        self.names = names
        self.assign = assign
        self.is_module = is_module
        self.hidden_by = hidden_by


def count_indexed(value: object) -> int:
    """Give how many items a value has."""
    return 0 if type(value) is Names or is_small(value) else length(value)


def count_named(value: object) -> int:
    """Give how many attributes or variables a value has."""
    try:
        return len(_named(value))
    except Exception:
        return 0


def children(value: object, start: int = 0, count: int | None = None, kind: Kind | None = None) -> list[Child]:
    """Give the children of a value from the one with the number `start`, at most `count`; items come before attributes.

    Args:
        kind: items only, or attributes and variables only; both where it is None.

    Returns:
        Nothing where the value changes while it is looked at.
    """
    stop = None if count is None else start + count
    try:
        if kind == "indexed":
            return _indexed(value, start, stop)
        if kind == "named":
            return _named(value)[start:stop]
        number = count_indexed(value)
        found = _indexed(value, start, stop) if start < number else []
        return found + _named(value)[max(0, start - number) : None if stop is None else max(0, stop - number)]
    except Exception:
        return []


def child_named(value: object, name: str) -> Child | None:
    """Find a child by its name. None where there is none of that name, or more than one."""
    try:
        if not name.startswith("["):
            named = [each for each in _named(value) if each.name == name]
        else:
            found = _item_named(value, name)
            if found is not None or pairs(value) is None:
                return found
            named = [each for each in _indexed(value, 0, None) if each.name == name]  # a key that cannot be read back
    except Exception:
        return None
    return named[0] if len(named) == 1 else None


# -- items


def _indexed(value: Any, start: int, stop: int | None) -> list[Child]:
    if not count_indexed(value):
        return []
    mapped = pairs(value)
    if mapped is not None:
        is_plain = _is_of_base(value, "__getitem__", dict, types.MappingProxyType)
        return [_entry(value, key, each, is_plain=is_plain) for key, each in list(islice(mapped, start, stop))]
    page = _page(value, start, stop)
    if not is_a(value, _NUMBERED):
        return [Child("-", each) for each in page]
    is_plain = _is_of_base(value, "__getitem__", *_NUMBERED)
    return [_item(value, start + number, each, is_plain=is_plain) for number, each in enumerate(page)]


def _page(value: Any, start: int, stop: int | None) -> list[Any]:
    """Give some items; where they have numbers, without walking to the first of them."""
    for base in (list, tuple):
        if is_a(value, base):
            return list(base.__getitem__(value, slice(start, stop)))
    return list(islice(items(value) or (), start, stop))


def _item(value: Any, number: int, each: Any, *, is_plain: bool) -> Child:
    replace = None if is_a(value, tuple) else partial(operator.setitem, value, number)
    return Child(f"[{number}]", each, replace, f"[{number}]" if is_plain else None)


def _entry(value: Any, key: object, each: Any, *, is_plain: bool) -> Child:
    replace = partial(operator.setitem, value, key) if is_a(value, dict) else None
    text = _literal(key) if is_plain else None
    return Child(f"[{look(key)}]", each, replace, None if text is None else f"[{text}]")


def _item_named(value: Any, name: str) -> Child | None:
    """Find an item by its name, without giving a name to all the others. None where that cannot be."""
    inside = name[1:-1]
    if is_a(value, _NUMBERED):
        number = int(inside) if inside.isdecimal() else -1
        return _indexed(value, number, number + 1)[0] if 0 <= number < length(value) and inside == str(number) else None
    mapped = pairs(value)
    try:
        key = ast.literal_eval(inside)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return None
    if mapped is None or type(key) not in (str, int, bytes, bool, type(None)):
        return None
    is_plain = _is_of_base(value, "__getitem__", dict, types.MappingProxyType)
    # Not by hashing: another key's `__eq__` might be the program's.
    found = next(((each, item) for each, item in list(mapped) if type(each) is type(key) and each == key), None)
    return None if found is None else _entry(value, *found, is_plain=is_plain)


def _literal(key: object) -> str | None:
    """Write a key as an expression; None where it has none that means the same everywhere."""
    if type(key) is float and not math.isfinite(key):
        return None
    if type(key) is int and key.bit_length() > 3 * _KEY:
        return None
    if type(key) in (str, bytes, int, float, bool, type(None)):
        text = repr(key) if not isinstance(key, (str, bytes)) or len(key) <= _KEY else ""
    elif type(key) is tuple:
        parts = [_literal(each) for each in key[:_KEY]]
        known = [part for part in parts if part is not None]
        text = f"({', '.join(known)}{',' * (len(key) == 1)})" if len(known) == len(key) else ""
    else:
        return None
    return text if 0 < len(text) <= 2 * _KEY else None


# -- attributes and variables


def _named(value: Any) -> list[Child]:
    if type(value) is Names:
        return _variables(value)
    if is_a(value, type):
        space = class_dictionary(value)
        return [_of_class(value, name, each) for name, each in list(space.items()) if type(name) is str and not is_special(name)]
    if is_small(value) or type(value) is Hole:
        return []
    own = own_dictionary(value)
    leads = type(class_attribute(type(value), "__getattribute__")) is types.WrapperDescriptorType
    hides_special = is_a(value, types.ModuleType)
    return [
        Child(f".{name}", each, partial(setattr, value, name), _dotted(name) if leads and _is_reached(value, own, name) else None)
        for name, each in fields(value).items()
        if not (hides_special and is_special(name))
    ]


def _variables(value: Names) -> list[Child]:
    found: list[Child] = []
    for name in list(value.names):
        if name.startswith(".") or (value.is_module and is_special(name)):
            continue
        try:
            each = value.names[name]
        except KeyError:
            continue
        assign = None if value.assign is None else partial(value.assign, name)
        step = name if _is_name(name) and name not in value.hidden_by else None
        found.append(Child(name, each, assign, step, is_variable=True))
    return sorted(found, key=lambda child: is_a(child.value, _CODE)) if value.is_module else found


def _of_class(value: type, name: str, each: object) -> Child:
    kind = type(value)
    is_given_as_it_is = type(each) is types.FunctionType or class_attribute(type(each), "__get__") is UNKNOWN
    is_found = class_attribute(kind, name) is UNKNOWN and class_attribute(kind, "__getattribute__") is type.__getattribute__
    return Child(name, each, None, _dotted(name) if is_given_as_it_is and is_found else None)


def _is_reached(value: object, own: Mapping[str, Any], name: str) -> bool:
    """Tell whether an attribute that lies in an object is what its name gives there, and not what the class has under it."""
    found = class_attribute(type(value), name)
    if type(found) is types.MemberDescriptorType:
        return True
    is_data = found is not UNKNOWN and any(
        class_attribute(type(found), each) is not UNKNOWN for each in ("__set__", "__delete__")
    )
    return name in own and not is_data


def is_special(name: str) -> bool:
    """Tell whether a name is one of those that belong to the interpreter."""
    return name.startswith("__") and name.endswith("__")


# -- expressions


def _is_of_base(value: object, name: str, *bases: type) -> bool:
    """Tell whether a method is that of a built-in type, and no subclass has put its own in the place."""
    found = class_attribute(type(value), name)
    return any(found is class_dictionary(base).get(name) for base in bases if is_a(value, base))


def _is_name(name: str) -> bool:
    return name.isidentifier() and not keyword.iskeyword(name)


def _dotted(name: str) -> str | None:
    return f".{name}" if _is_name(name) else None


@lru_cache(maxsize=64)
def _primary(expression: str) -> str:
    """Give an expression as one that can be followed by a step."""
    try:
        node = ast.parse(expression.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return f"({expression})"
    return expression if isinstance(node, (ast.Name, ast.Attribute, ast.Subscript, ast.Call)) else f"({expression})"
