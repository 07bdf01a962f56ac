"""The variables of a frame as a tree, of which only what is unfolded is looked at.

Nodes are found anew each time by the way to them, so that nothing holds on to the program's values.
"""

from __future__ import annotations

import operator
import types
from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from fixcont.errors import Refusal, Refused
from fixcont.postmortem.objects import is_a
from fixcont_ui.values.children import Child, Names, children, count_indexed, count_named
from fixcont_ui.values.looks import look, own_look

#: The steps from the roots to a node: names of variables and attributes, and numbers of items.
Path = tuple[str | int, ...]

_SHOWN: Final = 100
GLOBALS: Final = "globals"


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

    def _roots(self) -> Iterator[tuple[str, Child]]:
        for child in children(Names(self._names, self._assign, is_module=self._others is None)):
            yield child.name, child
        others = self._others
        if others is not None:
            assign = partial(operator.setitem, others) if isinstance(others, dict) else None
            yield GLOBALS, Child(GLOBALS, Names(others, assign, is_module=True))

    def _below(self, path: Path, child: Child, opened: Set[Path]) -> Iterator[VariableRow]:
        is_open = path in opened
        value = child.value
        if type(value) is Names:
            yield VariableRow(path, child.name, "", "", is_expandable=True, is_open=is_open, refusal=_refusal(child))
        else:
            yield VariableRow(path, child.name, look(value), type(value).__name__, _has_children(value), is_open, _refusal(child))
        if is_open:
            for number, each in enumerate(_listed(value)):
                yield from self._below((*path, number), each, opened)
            rest = count_indexed(value) - _SHOWN
            if rest > 0:
                yield VariableRow((*path, _SHOWN), "…", f"{rest} more", refusal=Refusal("not-assignable", "this is no variable"))

    def _find(self, path: Path) -> Child:
        child = next((child for step, child in self._roots() if step == path[0]), None)
        for step in path[1:]:
            assert isinstance(step, int)
            children = _listed(child.value) if child is not None else []
            child = children[step] if step < len(children) else None
        if child is None:
            raise Refused(Refusal("not-assignable", "this variable is not there any more"))
        return child


def _refusal(child: Child) -> Refusal | None:
    if child.replace is not None:
        return None
    return Refusal("not-assignable", f"{child.name} cannot have another value here", "assign what it is part of")


def _has_children(value: object) -> bool:
    return not is_a(value, types.ModuleType) and bool(count_indexed(value) or count_named(value))


def _listed(value: object) -> list[Child]:
    """Give what is shown below a value: its first items and attributes, and all of what a class or a module has."""
    has_all = type(value) is Names or is_a(value, type)
    return children(value, 0, _SHOWN, "indexed") + children(value, 0, None if has_all else _SHOWN, "named")
