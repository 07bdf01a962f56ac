"""Classes whose objects a test must be able to build: each of them another way."""

from __future__ import annotations

import enum
from collections import OrderedDict, deque, namedtuple
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Colour(enum.Enum):
    RED = 1
    GREEN = "green"


class Access(enum.Flag):
    READ = enum.auto()
    WRITE = enum.auto()


Point = namedtuple("Point", "x y")


class Place(NamedTuple):
    name: str
    where: Any = None


@dataclass
class Item:
    name: Any
    price: Any = 0
    tags: list[Any] = field(default_factory=list)


@dataclass(frozen=True)
class Frozen:
    value: Any


@dataclass(slots=True)
class Slotted:
    left: Any
    right: Any = None


class Plain:
    """Made by its constructor, unless something was assigned later."""

    def __init__(self, value: Any, *, other: Any = None) -> None:
        self._value = value
        self.other = other


class Counted:
    """Its constructor does not tell what becomes of it."""

    made = 0

    def __init__(self) -> None:
        Counted.made += 1
        self.items: list[Any] = []
        self.total = 0


class Strict:
    """Refuses assignments, and does not like to be made."""

    def __init__(self, key: str) -> None:
        if key != "open":
            raise ValueError(key)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(name)


class Slots:
    __slots__ = ("_hidden", "first")


class Names(list[Any]):
    pass


class Table(dict[Any, Any]):
    pass


class Ordered(OrderedDict[Any, Any]):
    pass


class Queue(deque[Any]):
    pass


class Text(str):
    pass


class Number(int):
    pass


class Failure(Exception):
    def __init__(self, code: Any) -> None:
        super().__init__(f"code {code}")
        self.code = code


class Node:
    """Holds others, and itself."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.next: Any = None
        self.children: list[Any] = []

    def go(self) -> Any:
        return self.next


def double(value: Any) -> Any:
    return value * 2


def maker() -> Callable[[], None]:
    def made() -> None:
        """Cannot be imported."""

    return made


def with_attributes(made: Any, **attributes: Any) -> Any:
    """Set attributes past what a class does as they are set."""
    for name, value in attributes.items():
        object.__setattr__(made, name, value)
    return made
