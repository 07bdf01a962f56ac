"""Which statements of the newest text correspond to those of the older one that matter for a frame.

The whole of both is compared (`matching.match`) only where the edit is near.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any, NamedTuple

from fixcont.editing.matching import match
from fixcont.editing.statements import Place, Scope
from fixcont.editing.texts import Node


class Side(NamedTuple):
    """A function in one of two texts.

    Attributes:
        node: its version.
        scope: its tree.
        places: its statements.
    """

    node: Node
    scope: Scope
    places: Sequence[Place]


class Partners(NamedTuple):
    """What corresponds to what.

    Attributes:
        found: old statement or handler -> new one; of those that were looked for, and maybe of others.
        is_changed_near: whether the edit changed one of those that were looked for or the lines around it.
    """

    found: dict[ast.AST, ast.AST]
    is_changed_near: bool


def partners_of(wanted: Sequence[Any], failed: ast.stmt, old: Side, new: Side) -> Partners:
    """Find the new statements and handlers that old ones correspond to.

    Args:
        wanted: the old ones.
        failed: that of them of which all lines must be the same, not only the first.
        old, new: the two texts.
    """
    lines = _same_lines(_text_of(old), _text_of(new), _first_line(old.scope), _first_line(new.scope))
    moved = [_moved_place(node, lines, node.end_lineno if node is failed else None) for node in wanted]
    on_lines = {same[1] for same in moved if same is not None}
    here = [node for node in (place.node for place in new.places) if node.lineno in on_lines or type(node) in _TRIES]
    known = {_place_of(each): each for node in here for each in (node, *handlers_of(node))}
    found: dict[ast.AST, ast.AST] = {}
    for node, same in zip(wanted, moved, strict=True):
        partner = known.get(same) if same is not None else _only_change(node, lines, old, new)
        if partner is None:
            return Partners(match(old.scope, new.scope, (old.node.text.lines, new.node.text.lines)), True)
        found[node] = partner
    return Partners(found, False)


def handlers_of(node: ast.stmt) -> list[ast.ExceptHandler]:
    """Return the `except` clauses of a statement, if it has such."""
    return getattr(node, "handlers", [])


_TRIES = (ast.Try, ast.TryStar)


def _only_change(node: ast.AST, lines: dict[int, int], old: Side, new: Side) -> ast.AST | None:
    """Return the one statement of the new text that takes the place of the only old one that was edited, if that is it."""
    edited = [place.node for place in old.places if place.node.lineno not in lines]
    same = set(lines.values())
    made = [place.node for place in new.places if place.node.lineno not in same]
    if edited != [node] or len(made) != 1 or _place_of(made[0])[::2] != _place_of(node)[::2]:
        return None
    return made[0]


def _first_line(scope: Scope) -> int:
    if isinstance(scope, ast.Module):
        return 1
    return min([scope.lineno, *(each.lineno for each in scope.decorator_list)])


def _text_of(side: Side) -> list[str]:
    last = None if isinstance(side.scope, ast.Module) else side.scope.end_lineno
    return side.node.text.lines[_first_line(side.scope) - 1 : last]


def _same_lines(old: list[str], new: list[str], old_first: int, new_first: int) -> dict[int, int]:
    """Return the lines at the beginning and the end of a text that are the same in another: number there -> number here."""
    shorter = min(len(old), len(new))
    first = next((at for at in range(shorter) if old[at] != new[at]), shorter)
    last = next((at for at in range(shorter - first) if old[-1 - at] != new[-1 - at]), shorter - first)
    lines = {old_first + at: new_first + at for at in range(first)}
    lines.update((old_first + len(old) - 1 - at, new_first + len(new) - 1 - at) for at in range(last))
    return lines


_Position = tuple[type, int, int]


def _place_of(node: ast.AST) -> _Position:
    return type(node), node.lineno, node.col_offset  # type: ignore[attr-defined]


def _moved_place(node: Any, lines: dict[int, int], end: int | None) -> _Position | None:
    """Return where a statement is in the new text if its first line, or all its lines up to `end`, are the same there."""
    first = lines.get(node.lineno)
    if first is None or any(
        lines.get(line) != first + line - node.lineno for line in range(node.lineno, (end or node.lineno) + 1)
    ):
        return None
    return type(node), first, node.col_offset
