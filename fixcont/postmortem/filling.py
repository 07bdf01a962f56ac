"""Filling a hole in, wherever it stands: in all places, or, where that cannot be, in none.

First what will change is worked out, and nothing is touched; then lists and attributes are changed, so that keys can be asked for their hashes as
they will be; then dictionaries and sets are made aside. Only when all of them are there do those of the program get what is in them.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MethodType
from typing import Any, Final

from fixcont.postmortem.holes import PLAIN, NotSaved, arguments_of, hole_at, is_items, put_arguments, put_slot
from fixcont.postmortem.objects import fields, is_a, items, own_dictionary

_FIXED: Final = (tuple, frozenset, MethodType)  # made anew
_ATOMS: Final = (str, int, float, bool, bytes, complex, type(None))  # whose hashes stay what they are


class Filling:
    """Puts a value into the place of a hole.

    What cannot be changed, as a tuple, is made anew. Runs of the program's code only what going through the value, and comparing keys and items of
    sets, runs.

    Args:
        hole: it.
        value: for `Found.is_more` what is put in there is what it gives when it is gone through, or its items for a dictionary.
        is_made: as for `find_holes`.
        noted: told of what is made anew.
    """

    def __init__(self, hole: NotSaved, value: Any, is_made: Callable[[object], bool], noted: Callable[[object], None]) -> None:
        self._hole = hole
        self._value = value
        self._is_made = is_made
        self._noted = noted
        self._reached: dict[int, Any] = {}  # id -> what is gone into
        self._instead: dict[int, Any] = {}  # id -> what takes its place, of what is made anew
        self._items: dict[type, list[Any]] = {}  # for items: what is put there, of the value as a list or as a dictionary
        self._undo: list[Callable[[], None]] = []
        self._aside: list[tuple[Any, Any]] = []  # dictionaries and sets, each with what it will be

    def everywhere(self, spaces: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return, for each space of variables, those that have another value now. What the variables hold is changed.

        Raises:
            ValueError: the value cannot stand there. Nothing is changed.
        """
        try:
            self._reach(each for space in spaces for each in space.values())
            self._make_anew()
            self._change()
            self._set_aside()
        except BaseException as error:
            while self._undo:
                self._undo.pop()()
            if isinstance(error, Exception):  # whatever the program's own code has raised
                raise ValueError(_told(error)) from None
            raise
        self._put()
        found = [{name: (each, self._now(each)) for name, each in space.items()} for space in spaces]
        return [{name: now for name, (was, now) in each.items() if now is not was} for each in found]

    # -- working it out

    def _reach(self, values: Iterable[Any]) -> None:
        waiting = list(values)
        while waiting:
            value = waiting.pop()
            if id(value) in self._reached or hole_at(value) is not None:
                continue
            if type(value) in (*PLAIN, MethodType) or self._is_made(value):
                self._reached[id(value)] = value
                waiting += _held(value)
                waiting += _attributes(value).values()

    def _make_anew(self) -> None:
        """Make what cannot be changed anew, what it holds first. Such things cannot hold each other in a circle, but by what can be changed."""
        left: set[int] = set()
        for start in [each for each in self._reached.values() if is_a(each, _FIXED)]:
            waiting = [(start, False)]
            while waiting:
                value, is_left = waiting.pop()
                if is_left:
                    self._make(value)
                elif id(value) not in left:
                    left.add(id(value))
                    waiting.append((value, True))
                    waiting += [(each, False) for each in _held(value) if id(each) in self._reached and is_a(each, _FIXED)]

    def _make(self, value: Any) -> None:
        if type(value) is MethodType:
            owner = self._now(value.__self__)
            if owner is not value.__self__:
                self._instead[id(value)] = MethodType(value.__func__, owner)
        else:
            base: Any = tuple if is_a(value, tuple) else frozenset
            now = self._several(base.__iter__(value))
            if now is None:
                return
            made = base.__new__(type(value), now)
            if base is frozenset:
                _check_apart(len(made), now, self._hole)
            self._instead[id(value)] = made
            for name, each in fields(value).items():
                _put_attribute(made, name, each)
        if self._is_made(value):
            self._noted(self._instead[id(value)])

    def _now(self, value: Any) -> Any:
        if hole_at(value) is self._hole:
            return self._value
        return self._instead.get(id(value), value)

    def _several(self, inside: Iterator[Any]) -> list[Any] | None:
        """Give the items that there are now, None where they are the same."""
        before = list(inside)
        now: list[Any] = []
        for each in before:
            if each is self._hole and is_items(each):
                now += self._more(list)
            else:
                now.append(self._now(each))
        is_same = len(before) == len(now) and all(one is other for one, other in zip(before, now, strict=True))
        return None if is_same else now

    def _more(self, kind: type) -> list[Any]:
        """Give the items that are put in; asked for once, as the value may be an iterator."""
        if kind not in self._items:
            self._items[kind] = list(dict(self._value).items()) if kind is dict else list(self._value)
        return self._items[kind]

    # -- lists and attributes

    def _change(self) -> None:
        for value in list(self._reached.values()):
            if is_a(value, (list, deque)):
                self._change_list(value)
            if type(value) not in PLAIN and type(value) is not MethodType:
                self._change_attributes(self._instead.get(id(value), value))

    def _change_list(self, value: Any) -> None:
        base: Any = list if is_a(value, list) else deque
        before = list(base.__iter__(value))
        now = self._several(iter(before))
        if now is None:
            return
        if base is deque and value.maxlen is not None and len(now) > value.maxlen:
            raise ValueError(f"the deque holds {value.maxlen} items at most, not {len(now)}")

        def put(several: list[Any]) -> None:
            base.clear(value)
            base.extend(value, several)

        self._undo.append(lambda: put(before))
        put(now)

    def _change_attributes(self, owner: Any) -> None:
        for name, each in fields(owner).items():
            now = self._now(each)
            if now is not each:
                self._undo.append(lambda name=name, each=each: _put_attribute(owner, name, each))  # type: ignore[misc]
                _put_attribute(owner, name, now)
        if is_a(owner, BaseException):
            before = arguments_of(owner)
            if self._now(before) is not before:
                self._undo.append(lambda: put_arguments(owner, before))
                put_arguments(owner, self._now(before))

    # -- dictionaries and sets

    def _set_aside(self) -> None:
        for value in self._reached.values():
            if is_a(value, dict):
                self._set_dictionary_aside(value)
            elif is_a(value, set):
                before = list(set.__iter__(value))
                self._keep_aside(value, self._several(iter(before)), before, set)

    def _set_dictionary_aside(self, value: Any) -> None:
        before = list(dict.items(value))
        now: list[tuple[Any, Any]] = []
        for key, each in before:
            if key is self._hole and is_items(key):
                now += self._more(dict)
            else:
                now.append((self._now(key), self._now(each)))
        is_same = len(now) == len(before) and all(a is c and b is d for (a, b), (c, d) in zip(before, now, strict=True))
        self._keep_aside(value, None if is_same else now, before, OrderedDict if is_a(value, OrderedDict) else dict)

    def _keep_aside(self, value: Any, now: list[Any] | None, before: list[Any], base: Any) -> None:
        """Make what a dictionary or set will be. The hash of a key may be another one, as something in it was changed."""
        if now is not None:
            made = base(now)
            _check_apart(len(made), now, self._hole)
            self._aside.append((value, made))
        elif any(type(each[0] if base is not set else each) not in _ATOMS for each in before):
            try:
                made = base(before)
            except Exception:  # as before, then: nothing was to be put in here
                return
            if len(made) == len(before):
                self._aside.append((value, made))

    def _put(self) -> None:
        """Give dictionaries and sets what was made for them; but for `OrderedDict` that asks no key any more."""
        for value, made in self._aside:
            if type(made) is OrderedDict:
                OrderedDict.clear(value)
                for key, each in made.items():
                    OrderedDict.__setitem__(value, key, each)
            else:
                type(made).clear(value)
                type(made).update(value, made)


def _held(value: Any) -> list[Any]:
    """Give what lies in a container."""
    if type(value) is MethodType:
        return [value.__self__]
    if is_a(value, dict):
        return [each for pair in dict.items(value) for each in pair]
    return list(items(value) or ())


def _attributes(value: Any) -> dict[str, Any]:
    if type(value) in PLAIN or type(value) is MethodType:
        return {}
    return fields(value) | ({"args": arguments_of(value)} if is_a(value, BaseException) else {})


def _put_attribute(owner: Any, name: str, value: Any) -> None:
    own = own_dictionary(owner)
    if name in own or not put_slot(owner, name, value):
        own[name] = value


def _check_apart(size: int, now: list[Any], hole: NotSaved) -> None:
    """See that nothing is lost, as it equals what is there. Where several items are given, those that are there may be among them."""
    if size < len(now) and not is_items(hole):
        raise ValueError("it equals what is there already, as a key or in a set")


def _told(error: Exception) -> str:
    try:
        text = str(error)
    except Exception:
        text = ""
    return text if type(error) in (TypeError, ValueError) else f"{type(error).__name__}: {text}"
