"""The variables of a frame as a tree, of which only what is unfolded is looked at.

Nodes are found anew each time by the way to them, so that nothing holds on to the program's values.
"""

from __future__ import annotations

import itertools
import operator
import types
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from fixcont.errors import Refusal, Refused
from fixcont_ui.window.model.looks import fields, is_a, is_small, items, length, look, own_look, pairs

#: The steps from the roots to a node: names of variables and attributes, and numbers of items.
Path = tuple[str | int, ...]

_SHOWN: Final = 100
GLOBALS: Final = "globals"
_CODE: Final = (types.ModuleType, types.FunctionType, types.BuiltinFunctionType, type)


@dataclass(frozen=True)
class VariableRow:
    """One row.

    Attributes:
        path: the way to it.
        name: what it is called below its parent.
        look: its value in one line.
        kind: the name of its type.
        is_expandable: whether there is something below it.
        refusal: why it cannot be given another value, or None.
    """

    path: Path
    name: str
    look: str
    kind: str = ""
    is_expandable: bool = False
    is_open: bool = False
    refusal: Refusal | None = None

    @property
    def depth(self) -> int:
        return len(self.path) - 1


@dataclass(frozen=True)
class _Child:
    """A value below another one, and how it is replaced there; None where it cannot be."""

    name: str
    value: Any
    replace: Callable[[Any], None] | None = None


class Variables:
    """The variables of one frame.

    Args:
        names: its variables.
        others: those of its module; None where the frame is that of a module.
        assign: gives a variable another value.
    """

    def __init__(self, names: Mapping[str, Any], others: Mapping[str, Any] | None, assign: Callable[[str, Any], None]) -> None:
        self._names = names
        self._others = others
        self._assign = assign

    def rows(self, opened: Set[Path]) -> list[VariableRow]:
        """Give the rows, with those below the nodes that are open."""
        rows: list[VariableRow] = []
        for step, child in self._roots():
            rows += self._below((step,), child, opened)
        return rows

    def own_look(self, path: Path) -> str:
        """Give the `repr` of a value, which runs code of the user's."""
        return own_look(self._find(path).value)

    def set(self, path: Path, value: Any) -> None:
        """Give a node another value.

        Raises:
            Refused: it cannot have another one.
        """
        child = self._find(path)
        refusal = _refusal(child)
        if refusal is not None:
            raise Refused(refusal)
        assert child.replace is not None
        child.replace(value)

    def _roots(self) -> Iterator[tuple[str, _Child]]:
        names = [
            name for name in list(self._names) if not name.startswith(".") and (self._others is not None or not _is_special(name))
        ]
        if self._others is None:  # a module: what it works with in front of what it defines
            names.sort(key=lambda name: is_a(self._names.get(name), _CODE))
        for name in names:
            try:
                value = self._names[name]
            except KeyError:
                continue
            yield name, _Child(name, value, partial(self._assign, name))
        if self._others is not None:
            yield GLOBALS, _Child(GLOBALS, _Globals(self._others))

    def _below(self, path: Path, child: _Child, opened: Set[Path]) -> Iterator[VariableRow]:
        is_open = path in opened
        value = child.value
        if type(value) is _Globals:
            yield VariableRow(path, child.name, "", "", is_expandable=True, is_open=is_open, refusal=_refusal(child))
        else:
            yield VariableRow(path, child.name, look(value), type(value).__name__, _has_children(value), is_open, _refusal(child))
        if is_open:
            for number, each in enumerate(_listed(value)):
                yield from self._below((*path, number), each, opened)
            rest = _size(value) - _SHOWN
            if rest > 0:
                yield VariableRow((*path, _SHOWN), "…", f"{rest} more", refusal=Refusal("not-assignable", "this is no variable"))

    def _find(self, path: Path) -> _Child:
        child = next((child for step, child in self._roots() if step == path[0]), None)
        for step in path[1:]:
            assert isinstance(step, int)
            children = _listed(child.value) if child is not None else []
            child = children[step] if step < len(children) else None
        if child is None:
            raise Refused(Refusal("not-assignable", "this variable is not there any more"))
        return child


class _Globals:
    """Stands for the variables of the module."""

    def __init__(self, names: Mapping[str, Any]) -> None:
        self.names = names


def _refusal(child: _Child) -> Refusal | None:
    if child.replace is not None:
        return None
    return Refusal("not-assignable", f"{child.name} cannot have another value here", "assign what it is part of")


def _is_special(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _has_children(value: object) -> bool:
    if is_small(value) or is_a(value, types.ModuleType):
        return False
    return bool(_listed(value))


def _listed(value: object) -> list[_Child]:
    """Give what is below a value; nothing where that changes while it is looked at."""
    try:
        return list(_children(value))
    except Exception:
        return []


def _size(value: object) -> int:
    return length(value) if type(value) is not _Globals else 0


def _children(value: object) -> Iterator[_Child]:
    """Give what is below a value: items of containers, then attributes."""
    if type(value) is _Globals:
        named = ((name, value.names[name]) for name in list(value.names) if not _is_special(name))
        names = value.names
        for name, each in sorted(named, key=lambda pair: is_a(pair[1], _CODE)):
            yield _Child(name, each, partial(operator.setitem, names, name) if isinstance(names, dict) else None)
        return
    if is_a(value, type):
        yield from (_Child(name, each) for name, each in list(vars(value).items()) if not _is_special(name))
        return
    mapped, listed = pairs(value), items(value)
    for key, each in itertools.islice(mapped or (), _SHOWN):
        replace = partial(operator.setitem, value, key) if is_a(value, dict) else None
        yield _Child(f"[{look(key)}]", each, replace)
    for number, each in enumerate(itertools.islice(listed or (), _SHOWN)):
        replace = partial(operator.setitem, value, number) if is_a(value, list) else None
        yield _Child(f"[{number}]" if is_a(value, (list, tuple, deque)) else "-", each, replace)
    for name, each in itertools.islice(fields(value).items(), _SHOWN):
        yield _Child(f".{name}", each, partial(setattr, value, name))
