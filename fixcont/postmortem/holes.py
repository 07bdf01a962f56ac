"""Holes among the values with which a saved stop is replayed: what stands there, and where they are."""

from __future__ import annotations

import ast
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from types import MemberDescriptorType, MethodType
from typing import Any, Final, NamedTuple, NoReturn

from fixcont.postmortem.objects import class_dictionary, classes, fields, is_a, items, own_dictionary, pairs
from fixcont.postmortem.standins import Hole

_MOST: Final = 200_000  # values that are gone through
PLAIN: Final = (list, tuple, dict, set, frozenset, deque)


class HoleUsed(Exception):
    """The program has used a value that was not saved, or could not be made here."""


class NotSaved:
    """Stands for such a value in what the program gets. Using it raises `HoleUsed`; comparing it by `is` cannot be seen.

    Its attributes have names that no program uses.

    Attributes:
        _fixcont_hole: what is known of the value.
        _fixcont_path: where it was found, "" as long as nobody has looked.
        _fixcont_why: why it could not be made here, "" where it was not saved.
    """

    __slots__ = ("_fixcont_hole", "_fixcont_path", "_fixcont_why")
    _fixcont_hole: Hole
    _fixcont_path: str
    _fixcont_why: str

    def __init__(self, hole: Hole, why: str = "") -> None:
        object.__setattr__(self, "_fixcont_hole", hole)
        object.__setattr__(self, "_fixcont_path", "")
        object.__setattr__(self, "_fixcont_why", why)

    def __repr__(self) -> str:
        return (
            f"<not here: {self._fixcont_hole.type_name}, {self._fixcont_why}>" if self._fixcont_why else repr(self._fixcont_hole)
        )

    def __getattr__(self, name: str) -> NoReturn:
        _raise(self)

    __hash__ = object.__hash__  # it may have been a key


def _raise(self: Any, *args: object, **keywords: object) -> NoReturn:
    path = self._fixcont_path
    raise HoleUsed(f"{path or 'a value'} is not there: {self!r}")


for _name in (
    "abs add aenter aexit aiter and anext await bool bytes call ceil complex contains delattr delitem divmod enter eq exit float floor floordiv "
    "format ge getitem gt iadd iand ifloordiv ilshift imatmul imod imul index int invert ior ipow irshift isub iter itruediv ixor le len "
    "length_hint lshift lt matmul mod mul ne neg next or pos pow radd rand rdivmod reversed rfloordiv rlshift rmatmul rmod rmul ror "
    "round rpow rrshift rshift rsub rtruediv rxor setattr setitem str sub truediv trunc xor fspath reduce_ex copy deepcopy"
).split():
    setattr(NotSaved, f"__{_name}__", _raise)


class SavedException(BaseException):
    """Above what takes the place of exceptions whose class is not there. They have the saved text, arguments and attributes, and count as holes."""

    _fixcont_hole: NotSaved
    _fixcont_message: str

    def __str__(self) -> str:
        return self._fixcont_message


def hole_at(value: Any) -> NotSaved | None:
    """Give the hole that a value is, None for values that are there."""
    if type(value) is NotSaved:
        return value
    found = own_dictionary(value).get("_fixcont_hole") if is_a(value, SavedException) else None
    return found if type(found) is NotSaved else None


def is_items(value: object) -> bool:
    """Tell whether a hole stands for items of a container, not for a value."""
    return type(value) is NotSaved and bool(value._fixcont_hole.why == "items")


class Found(NamedTuple):
    """A hole, and the expression that leads to it."""

    path: str
    hole: NotSaved

    @property
    def is_more(self) -> bool:
        """Whether it stands for items of a container, not for a value."""
        return is_items(self.hole)


def find_holes(variables: Mapping[str, Any], is_made: Callable[[object], bool]) -> list[Found]:
    """Find the holes that can be reached from variables, those that lie nearest first, each once.

    Runs none of the program's code. Objects are gone into where they were made of saved ones: not what the user has put there.

    Args:
        is_made: tells that.
    """
    found: list[Found] = []
    seen: set[int] = set()
    waiting: deque[tuple[str, Any]] = deque(variables.items())
    while waiting and len(seen) < _MOST:
        path, value = waiting.popleft()
        if id(value) in seen:
            continue
        seen.add(id(value))
        hole = hole_at(value)
        if hole is not None:
            if not hole._fixcont_path:
                object.__setattr__(hole, "_fixcont_path", path)
            found.append(Found(path, hole))
        elif type(value) in PLAIN or is_made(value):
            waiting += _inside(path, value)
    return found


def _inside(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Give what lies in a value, with the expressions that lead there."""
    if type(value) is MethodType:
        yield f"{path}.__self__", value.__self__
        return
    inside = pairs(value)
    if inside is not None:
        for number, (key, each) in enumerate(inside):
            if type(key) is NotSaved:
                yield (f"{path}[...]" if key._fixcont_hole.why == "items" else f"list({path})[{number}]"), key
                continue
            yield f"{path}[{_shown(key)}]", each
            yield f"list({path})[{number}]", key
    elif is_a(value, (set, frozenset)):
        for number, each in enumerate(items(value) or ()):
            yield (f"{path}[...]" if is_items(each) else f"list({path})[{number}]"), each
    else:
        names = type(value).__dict__.get("_fields") if is_a(value, tuple) else None
        for number, each in enumerate(items(value) or ()):
            named = f".{names[number]}" if type(names) is tuple and number < len(names) else f"[{number}]"
            yield path + (f"[{number}:]" if is_items(each) else named), each
    if type(value) not in PLAIN:
        for name, each in fields(value).items():
            yield f"{path}.{name}", each
    if is_a(value, BaseException):
        for number, each in enumerate(arguments_of(value)):
            yield f"{path}.args[{number}]", each


def _shown(key: object) -> str:
    return repr(key) if type(key) in (str, int, bool, bytes, float, type(None)) else f"<{type(key).__name__}>"


def same_path(one: str, other: str) -> bool:
    """Tell whether two expressions are written alike, but for blanks and the like."""
    try:
        return ast.dump(ast.parse(one, mode="eval")) == ast.dump(ast.parse(other, mode="eval"))
    except (SyntaxError, ValueError, RecursionError):
        return one.strip() == other.strip()


def arguments_of(exception: BaseException) -> tuple[Any, ...]:
    """Give the arguments of an exception, past what its class makes of `args`."""
    found: tuple[Any, ...] = _ARGUMENTS.__get__(exception)
    return found


def put_arguments(exception: BaseException, values: tuple[Any, ...]) -> None:
    """Set the arguments of an exception, past what its class makes of assignments."""
    _ARGUMENTS.__set__(exception, values)


_ARGUMENTS: Final[Any] = BaseException.__dict__["args"]


def put_slot(owner: Any, name: str, value: Any) -> bool:
    """Set an attribute that lies in a slot, past what the class makes of assignments. Returns whether there is one."""
    for cls in classes(type(owner)):
        member = class_dictionary(cls).get(name)
        if type(member) is MemberDescriptorType:
            try:
                member.__set__(owner, value)
            except (AttributeError, TypeError):  # it cannot be written
                return False
            return True
    return False


def names_of(found: Collection[Found]) -> str:
    """Name holes for a sentence."""
    shown = [f"{each.path} ({each.hole._fixcont_hole.type_name or each.hole._fixcont_hole.why})" for each in found]
    return ", ".join(shown[:8]) + (f" and {len(shown) - 8} more" if len(shown) > 8 else "")
