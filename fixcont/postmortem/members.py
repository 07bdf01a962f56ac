"""Members of enums: exactly as entries of a saved stop, and back to the members of the class, where that is at hand.

A member is found by its name, and has to have the value that was saved: an enum of another version of the program may differ. Only classes
are looked at whose module is loaded already, or is one of a few of the standard library; what the class itself says is not asked.
"""

from __future__ import annotations

import importlib
import sys
import types
from collections.abc import Callable
from typing import Any, Final

from fixcont.postmortem import plain
from fixcont.postmortem.objects import class_dictionary, classes, name_of

#: Modules of the standard library that have enums, and do nothing as they are loaded.
_HARMLESS: Final = frozenset(["enum", "http", "inspect", "re", "signal", "socket", "ssl", "uuid"])
_ATOMS: Final = (type(None), bool, int, float, complex, str, bytes)
#: Larger numbers are no flags, and would take long to be taken apart.
_FLAGS: Final = 1 << 64
#: What every member has.
_OWN: Final = ("_name_", "_value_", "_sort_order_", "__objclass__")


def entry(kind: type, own: dict[str, Any], reference: Callable[[Any], Any], named: Callable[[str, Any], Any]) -> dict[str, Any]:
    """Make an entry of a member, but for what it is as an object of a built-in type.

    Args:
        kind: its class.
        own: its attributes.
        reference: gives a reference to a value.
        named: does so for what has a name.
    """
    name = own.get("_name_")
    found: dict[str, Any] = {
        "t": "enum",
        "type": list(name_of(kind)),
        "name": name if type(name) is str and plain.is_unicode(name) else "",
        "v": reference(own.get("_value_")),
    }
    more = {each: named(each, value) for each, value in own.items() if each not in _OWN and plain.is_unicode(each)}
    return found | {"attributes": more} if more else found


def look_of(qualname: str, name: str) -> str:
    """Give what a program writes to name a member: `Colour.RED`, or `Access.READ|WRITE` of flags."""
    return f"{qualname.rpartition('<locals>.')[2]}.{name or '?'}"


def is_plain(value: object) -> bool:
    """Tell whether comparing a value runs no code but that of built-in types."""
    return type(value) in _ATOMS or (type(value) is tuple and all(map(is_plain, value)))


def found(module: str, qualname: str, name: str, value: Any, *, imports: bool) -> Any:
    """Give the member of a class of this process; None where there is none with this name and this value.

    Args:
        value: `is_plain`.
        imports: load the module, which runs its code.
    """
    kind = _class(module, qualname, imports=imports)
    if kind is None or not all(_is_inherited(kind, method) for method in ("__eq__", "__hash__")):  # it may become a key
        return None
    enum = sys.modules["enum"]
    members = class_dictionary(kind).get("_member_map_")
    member = members.get(name) if type(members) is dict else None
    if member is None and issubclass(kind, enum.Flag) and type(value) is int:
        member = _of_flags(kind, value, enum)
    if type(member) is not kind:
        return None
    saved = vars(member).get("_value_")
    return member if type(saved) is type(value) and is_plain(saved) and saved == value else None


def _of_flags(kind: Any, value: int, enum: Any) -> Any:
    """Give the member that is several flags at once; None where that would run code of the class's own."""
    if not _is_inherited(kind, "_missing_") or class_dictionary(kind).get("_member_type_") not in (int, object):
        return None
    if abs(value) >= _FLAGS:
        return None
    try:
        return kind(value)
    except ValueError:  # flags that this class does not have
        return None


def _is_inherited(kind: type, method: str) -> bool:
    """Tell whether what a class does is what `enum` or the built-in type does."""
    return next(each for each in classes(kind) if method in class_dictionary(each)).__module__ in ("enum", "builtins")


def _class(module: str, qualname: str, *, imports: bool) -> Any:
    if module in _HARMLESS or imports:
        try:
            importlib.import_module(module)
        except BaseException:  # whatever it does: then the class is not at hand
            return None
    at: Any = sys.modules.get(module)
    enum = sys.modules.get("enum")
    if enum is None or type(at) is not types.ModuleType:
        return None
    space: Any = vars(at)
    for part in qualname.split("."):
        at = space.get(part)
        if not isinstance(at, type):
            return None
        space = class_dictionary(at)
    return at if type(at) is enum.EnumMeta and issubclass(at, enum.Enum) else None
