"""What stands for values of a saved stop that are not plain data: objects of the program's classes, functions, modules, and holes.

No code of the program is there, so methods cannot be called; attributes, items and the saved `repr` are there.
"""

from __future__ import annotations

import builtins
import keyword
import operator
import reprlib
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from typing import Any, Final, NoReturn

from fixcont.postmortem.objects import own_dictionary

#: Built-in types that a class of the program may derive from.
BASES: Final[dict[str, type]] = {
    "object": object, "dict": dict, "ordereddict": OrderedDict, "counter": Counter, "list": list, "tuple": tuple, "set": set,
    "frozenset": frozenset, "deque": deque, "int": int, "float": float, "complex": complex, "str": str, "bytes": bytes,
    "bytearray": bytearray,
}  # fmt: skip
_CONTAINERS: Final = (list, tuple, set, frozenset, deque, dict, OrderedDict, Counter)
_UNHASHABLE: Final = (dict, list, set, deque, bytearray)
_CLASSES: Final = 20_000  # different ones in one file
_SHOWN: Final = 6
_HOLES: Final = {
    "depth": "too deep", "count": "too many values", "items": "more items", "text": "cut", "size": "too large", "time": "took too long",
    "redacted": "redacted", "failed": "could not be read", "unknown": "of a kind that is not known here", "unbound": "not bound",
}  # fmt: skip


class Hole:
    """Stands for a value that was not saved. Assign something else to the variable to fill it in.

    Attributes:
        why: "depth", "count", "items", "text", "size", "time", "redacted", "failed", …; see docs/saved-stops.md.
        type_name: the name of its type.
        size: how long it was, or how many items are missing; None where that does not apply.
        text: what is there of a text, or what else is known of it; else "".
    """

    __slots__ = ("size", "text", "type_name", "why")

    def __init__(self, why: str, type_name: str = "", size: int | None = None, text: Any = "") -> None:
        self.why = why
        self.type_name = type_name
        self.size = size
        self.text = text

    def __repr__(self) -> str:
        told = _HOLES.get(self.why, self.why)
        if self.why == "items":
            return f"<not saved: {self.size} more items>"
        size = "" if self.size is None else f" of {self.size}"
        text = f": {self.text[:200]!r}" if self.text else ""
        return f"<not saved: {self.type_name}{size}, {told}{text}>"

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"this value was not saved: {self!r}")


class Facts:
    """What is known of a stand-in beside its attributes.

    Attributes:
        look: its own `repr` as it was, or "".
        message: of an exception, or None.
    """

    __slots__ = ("look", "message")

    def __init__(self, look: str = "", message: str | None = None) -> None:
        self.look = look
        self.message = message


class Saved:
    """A mark of the classes of stand-ins."""

    __slots__ = ()


class SavedFunction(Saved):
    """Stands for a function. Its code is not saved."""

    def __init__(self, module: str, qualname: str, place: str) -> None:
        self.__module__ = module
        self.__qualname__ = qualname
        self._place = place

    def __call__(self, *args: Any, **keywords: Any) -> NoReturn:
        raise TypeError(f"{self!r} cannot be called: code is not saved")

    def __repr__(self) -> str:
        return f"<saved function {self.__qualname__}{self._place}>"


class SavedMethod(Saved):
    """Stands for a bound method."""

    def __init__(self) -> None:
        self.__func__: Any = None
        self.__self__: Any = None

    def __call__(self, *args: Any, **keywords: Any) -> NoReturn:
        raise TypeError(f"{self!r} cannot be called: code is not saved")

    def __repr__(self) -> str:
        return f"<saved method {getattr(self.__func__, '__qualname__', '?')}>"


class SavedModule(Saved):
    """Stands for a module, of which nothing but the name is saved."""

    def __init__(self, name: str) -> None:
        self.__name__ = name

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{self!r} has no {name}: modules are not saved, import it to use it")

    def __repr__(self) -> str:
        return f"<saved module {self.__name__}>"


class Classes:
    """Makes classes of stand-ins: one for each class of the program that a file names.

    Args:
        facts: by id of a stand-in what is known of it.
    """

    def __init__(self, facts: dict[int, Facts]) -> None:
        self._facts = facts
        self._made: dict[tuple[object, ...], type] = {}

    def of(self, module: str, qualname: str, base: type, fields: tuple[str, ...] = ()) -> type:
        """Give the class of stand-ins for objects of a class that derives from a built-in type.

        Args:
            fields: the names of a named tuple's items.
        """
        key = module, qualname, base, fields
        found = self._made.get(key)
        if found is None:
            if len(self._made) >= _CLASSES:
                module, qualname, fields = "", "other", ()
            found = self._made[key] = self._make(module, qualname, base, fields)
        return found

    def _make(self, module: str, qualname: str, base: type, fields: tuple[str, ...]) -> type:
        facts = self._facts
        name = "".join(each if each.isprintable() else "?" for each in qualname) or "?"
        space: dict[str, Any] = {
            "__module__": module,
            "__qualname__": name,
            "__init__": _cannot_be_made,
            "__reduce_ex__": _cannot_be_pickled,
            "__getattr__": _has_no_more,
        }
        if issubclass(base, BaseException):
            space["__str__"] = _message_of(facts)
        else:
            space["__repr__"] = _look_of(facts, base)
        if base in _UNHASHABLE or issubclass(base, BaseException):
            space["__hash__"] = object.__hash__
        if fields:
            space["_fields"] = fields
            space.update(
                (field, property(operator.itemgetter(place)))
                for place, field in enumerate(fields)
                if field.isidentifier() and not field.startswith("_") and not keyword.iskeyword(field)
            )
        return type(name.rpartition(".")[2] or "?", (Saved, base) if base is not object else (Saved,), space)


def _cannot_be_made(self: object, *args: Any, **keywords: Any) -> None:
    raise TypeError(f"{type(self).__qualname__} cannot be called: code is not saved")


def _has_no_more(self: object, name: str) -> NoReturn:
    raise AttributeError(f"{type(self).__qualname__} has no saved attribute {name}, and code is not saved")


def _cannot_be_pickled(self: object, protocol: int) -> NoReturn:
    raise TypeError(f"{type(self).__qualname__} stands for an object of a saved stop")


def _message_of(facts: dict[int, Facts]) -> Callable[[BaseException], str]:
    def message(self: BaseException) -> str:
        known = facts.get(id(self))
        return BaseException.__str__(self) if known is None or known.message is None else known.message

    return message


def _look_of(facts: dict[int, Facts], base: Any) -> Callable[[Any], str]:
    looks = _Looks(facts)

    def look(self: Any) -> str:
        return looks.stand_in(self, base, looks.maxlevel)

    return look


class _Looks(reprlib.Repr):
    """How stand-ins look: with a few of their attributes, a few steps deep. What they hold may be shared, so that all of it has no end."""

    def __init__(self, facts: dict[int, Facts]) -> None:
        super().__init__()
        self._facts = facts
        self.maxlevel = 3
        self.maxstring = self.maxother = 200

    def repr1(self, x: Any, level: int) -> str:
        if isinstance(x, Saved):
            base = next((each for each in BASES.values() if each is not object and isinstance(x, each)), object)
            return self.stand_in(x, base, level)
        return super().repr1(x, level)

    def stand_in(self, value: Any, base: Any, level: int) -> str:
        known = self._facts.get(id(value))
        if known is not None and known.look:
            return known.look
        if isinstance(value, (SavedFunction, SavedMethod, SavedModule)):
            return repr(value)
        if isinstance(value, BaseException):
            return BaseException.__repr__(value)
        own = list(own_dictionary(value).items()) if level > 0 else []
        parts = [f"{name}={self.repr1(each, level - 1)}" for name, each in own[:_SHOWN]]
        if len(own) > _SHOWN:
            parts.append(f"… {len(own) - _SHOWN} more")
        if level <= 0:
            parts.append("…")
        elif base is not object:
            parts.insert(0, self._as(value, base, level))
        return f"<{' '.join([type(value).__qualname__, *parts])}>"

    def _as(self, value: Any, base: Any, level: int) -> str:
        """Say what a value is as an object of a built-in type."""
        name = "dict" if issubclass(base, dict) else base.__name__
        if base in _CONTAINERS:
            text: str = getattr(self, f"repr_{name}")(value, level)
            return text
        text = base.__repr__(value)
        return text if len(text) <= self.maxother else f"{text[: self.maxother]}…"

    def repr_int(self, x: int, level: int) -> str:
        try:
            return super().repr_int(x, level)
        except ValueError:  # more digits than the process allows
            return f"<int of {x.bit_length()} bits>"


def builtin_named(name: str) -> Any:
    """Give a class or function of the builtins by its name; None where there is none."""
    found = vars(builtins).get(name)
    return found if type(found) is type or type(found) is type(len) else None
