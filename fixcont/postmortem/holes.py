"""Holes among the values with which a saved stop is replayed: what stands there, where they are, and filling them in."""

from __future__ import annotations

import ast
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from types import MappingProxyType, MemberDescriptorType, MethodType
from typing import Any, Final, NamedTuple, NoReturn

from fixcont.postmortem.objects import class_dictionary, classes, fields, is_a, items, own_dictionary, pairs
from fixcont.postmortem.standins import Hole

_MOST: Final = 200_000  # values that are gone through
_PLAIN: Final = (list, tuple, dict, set, frozenset, deque)


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


class Found(NamedTuple):
    """A hole, and the expression that leads to it."""

    path: str
    hole: NotSaved

    @property
    def is_more(self) -> bool:
        """Whether it stands for items of a container, not for a value."""
        return bool(self.hole._fixcont_hole.why == "items")


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
        if type(value) is NotSaved:
            if not value._fixcont_path:
                object.__setattr__(value, "_fixcont_path", path)
            found.append(Found(path, value))
        elif type(value) in _PLAIN or is_made(value):
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
            yield (f"{path}[...]" if _is_more(each) else f"list({path})[{number}]"), each
    else:
        names = type(value).__dict__.get("_fields") if is_a(value, tuple) else None
        for number, each in enumerate(items(value) or ()):
            named = f".{names[number]}" if type(names) is tuple and number < len(names) else f"[{number}]"
            yield path + (f"[{number}:]" if _is_more(each) else named), each
    if type(value) not in _PLAIN:
        for name, each in fields(value).items():
            yield f"{path}.{name}", each
    if is_a(value, BaseException):
        for number, each in enumerate(value.args):
            yield f"{path}.args[{number}]", each


def _is_more(value: object) -> bool:
    return type(value) is NotSaved and value._fixcont_hole.why == "items"


def _shown(key: object) -> str:
    return repr(key) if type(key) in (str, int, bool, bytes, float, type(None)) else f"<{type(key).__name__}>"


def same_path(one: str, other: str) -> bool:
    """Tell whether two expressions are written alike, but for blanks and the like."""
    try:
        return ast.dump(ast.parse(one, mode="eval")) == ast.dump(ast.parse(other, mode="eval"))
    except (SyntaxError, ValueError, RecursionError):
        return one.strip() == other.strip()


class Filling:
    """Puts a value into the place of a hole, wherever that is.

    What cannot be changed, as a tuple, is made anew. Runs of the program's code only what comparing keys and items of sets runs.

    Args:
        hole: it.
        value: for `Found.is_more` what is put in there is what it gives when it is gone through, or its items for a dictionary.
        is_made: as for `find_holes`.
    """

    def __init__(self, hole: NotSaved, value: Any, is_made: Callable[[object], bool], noted: Callable[[object], None]) -> None:
        self._hole = hole
        self._is_more = _is_more(hole)
        self._value = value
        self._is_made = is_made
        self._noted = noted  # told of what is made anew
        self._done: dict[int, tuple[Any, Any]] = {}  # id -> what it was, and what is in its place

    def variables(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        """Return those variables that have another value now."""
        found = {name: (each, self._in(each)) for name, each in variables.items()}
        return {name: now for name, (was, now) in found.items() if now is not was}

    def _in(self, value: Any) -> Any:
        if value is self._hole:
            return self._value
        if type(value) not in (*_PLAIN, MethodType, MappingProxyType) and not self._is_made(value):
            return value
        known = self._done.get(id(value))
        if known is not None:
            return known[1]
        self._done[id(value)] = value, value
        made = self._changed(value)
        self._done[id(value)] = value, made
        if made is not value and self._is_made(value):
            self._noted(made)
        if type(value) not in _PLAIN:
            self._in_attributes(made)
        return made

    def _changed(self, value: Any) -> Any:
        if type(value) is MethodType:
            owner = self._in(value.__self__)
            return value if owner is value.__self__ else MethodType(value.__func__, owner)
        if is_a(value, dict):
            self._in_dictionary(value)
        elif is_a(value, (list, deque)):
            base: Any = list if is_a(value, list) else deque
            now = self._several(base.__iter__(value))
            if now is not None:
                base.clear(value)
                base.extend(value, now)
        elif is_a(value, set):
            now = self._several(set.__iter__(value))
            if now is not None:
                set.clear(value)
                set.update(value, now)
        elif is_a(value, (tuple, frozenset)):
            base = tuple if is_a(value, tuple) else frozenset
            now = self._several(base.__iter__(value))
            if now is not None:
                return base.__new__(type(value), now)
        return value

    def _several(self, inside: Iterator[Any]) -> list[Any] | None:
        """Give the items that there are now, None where they are the same."""
        before = list(inside)
        now: list[Any] = []
        for each in before:
            if each is self._hole and self._is_more:
                now += self._value
            else:
                now.append(self._in(each))
        is_same = len(before) == len(now) and all(one is other for one, other in zip(before, now, strict=True))
        return None if is_same else now

    def _in_dictionary(self, value: dict[Any, Any]) -> None:
        before = list(dict.items(value))
        now: list[tuple[Any, Any]] = []
        for key, each in before:
            if key is self._hole and self._is_more:
                now += dict(self._value).items()
            else:
                now.append((self._in(key), self._in(each)))
        if len(now) != len(before) or any(a is not c or b is not d for (a, b), (c, d) in zip(before, now, strict=True)):
            dict.clear(value)
            for key, each in now:
                dict.__setitem__(value, key, each)

    def _in_attributes(self, owner: Any) -> None:
        own = own_dictionary(owner)
        for name, each in fields(owner).items():
            now = self._in(each)
            if now is each:
                continue
            if name in own:
                own[name] = now
            else:
                put_slot(owner, name, now)
        if is_a(owner, BaseException):
            owner.args = self._in(owner.args)


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
