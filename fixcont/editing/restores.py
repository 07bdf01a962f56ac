"""What an install has taken the place of: values of names and attributes as they were before, to be put back by an undo.

The code of functions is not among them. It is compiled again from the text before, so that no old code is kept alive, and so that functions
that were made meanwhile get it too. Functions and classes are not kept alive either, only what they lost.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any, Final, NamedTuple, Union

MISSING: Final[Any] = object()
Place = Union[FunctionType, type, dict[str, Any]]  # a dict is the namespace of a module

_HEADER = frozenset({"__defaults__", "__kwdefaults__", "__annotations__", "__annotate__"})


class Restore(NamedTuple):
    """One name of a module, or attribute of a function or class, as it was.

    Attributes:
        value: `MISSING` where there was none.
    """

    where: Place
    name: str
    value: Any


class Kept:
    """A value that is held for an undo, and a reference to where it was.

    A type of its own, so that what holds old code for this reason only is told from what the program holds.
    """

    __slots__ = ("reference", "value")

    def __init__(self, reference: weakref.ref[Any] | dict[str, Any], value: Any) -> None:
        self.reference = reference
        self.value = value


class Restores:
    """All that one install has changed in the process, but for the code of functions."""

    def __init__(self) -> None:
        # (id of the place, name) -> what was there first
        self._noted: dict[tuple[int, str], Kept] = {}
        self.calls: list[
            tuple[Callable[[], object], Callable[[], object]]
        ] = []  # what takes something else back, and does it again

    def note(self, where: Place, name: str, value: Any) -> None:
        """Note what a name or attribute is before the install changes it. To be called while the install holds on to `where`."""
        if type(where) is FunctionType and name == "__code__":
            return
        reference = weakref.ref(where) if isinstance(where, (type, FunctionType)) else where
        self._noted.setdefault((id(where), name), Kept(reference, value))

    def note_call(self, undo: Callable[[], object], redo: Callable[[], object]) -> None:
        """Note something else that was done."""
        self.calls.append((undo, redo))

    def __iter__(self) -> Iterator[Restore]:
        """Give them, last first, without those whose place is gone."""
        for (_, name), kept in reversed(self._noted.items()):
            where = kept.reference() if isinstance(kept.reference, weakref.ref) else kept.reference
            if where is not None:
                yield Restore(where, name, kept.value)

    def has_header(self, function: FunctionType) -> bool:
        """Tell whether the default values or annotations of a function are among them."""
        return any((id(function), name) in self._noted for name in _HEADER)
