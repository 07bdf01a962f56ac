"""Checked access to what lies in parsed JSON."""

from __future__ import annotations

from typing import Any, Final

_MAX_NUMBER: Final = 2**31 - 1


class BadShape(Exception):
    """Something is not there, or is not what it must be. The message says so, for people."""


class Shape:
    """An object of JSON, whose members are checked as they are asked for."""

    __slots__ = ("raw",)

    def __init__(self, raw: dict[str, Any]) -> None:
        self.raw = raw

    @classmethod
    def of(cls, value: object) -> Shape:
        if type(value) is not dict:
            raise BadShape("an object is missing")
        return cls(value)

    def _bad(self, name: str) -> BadShape:
        return BadShape(f'"{name}" is not what it must be')

    def text(self, name: str) -> str:
        found = self.raw.get(name)
        if type(found) is not str:
            raise self._bad(name)
        return found

    def number(self, name: str) -> int:
        """Give a whole number that is not negative."""
        found = self.raw.get(name)
        if type(found) is not int or not 0 <= found <= _MAX_NUMBER:
            raise self._bad(name)
        return found

    def line(self, name: str) -> int:
        """Give the number of a line; a module begins at line 0 in some versions of Python."""
        return self.number(name)

    def flag(self, name: str) -> bool:
        found = self.raw.get(name)
        if type(found) is not bool:
            raise self._bad(name)
        return found

    def index(self, name: str) -> int | None:
        """Give a place in a list, None where there is none."""
        return None if self.raw.get(name) is None else self.number(name)

    def array(self, name: str) -> list[Any]:
        found = self.raw.get(name)
        if type(found) is not list:
            raise self._bad(name)
        return found

    def mapping(self, name: str) -> dict[str, Any]:
        found = self.raw.get(name)
        if type(found) is not dict:
            raise self._bad(name)
        return found

    def inside(self, name: str) -> Shape | None:
        return None if self.raw.get(name) is None else Shape(self.mapping(name))

    def texts(self, name: str) -> tuple[str, ...]:
        found = self.array(name)
        if any(type(each) is not str for each in found):
            raise self._bad(name)
        return tuple(found)

    def indexes(self, name: str) -> tuple[int, ...]:
        found = self.raw.get(name, [])
        if type(found) is not list or any(type(each) is not int or not 0 <= each <= _MAX_NUMBER for each in found):
            raise self._bad(name)
        return tuple(found)

    def type(self, name: str) -> tuple[str, str]:
        """Give module and qualified name of a class."""
        found = self.texts(name)
        if len(found) != 2:
            raise self._bad(name)
        return found[0], found[1]

    def span(self, name: str) -> tuple[int, int, int, int] | None:
        if self.raw.get(name) is None:
            return None
        found = self.indexes(name)
        if len(found) != 4:
            raise self._bad(name)
        return found[0], found[1], found[2], found[3]
