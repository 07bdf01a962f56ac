"""Where a line of one text of a file is in another."""

from __future__ import annotations

import ast

from fixcont.editing.matching import match
from fixcont.editing.statements import Scope, find_scope, place_on_line, places
from fixcont.editing.texts import Node, Text


def moved_line(old: Text, new: Text, line: int) -> int | None:
    """Return the line of `new` on which the statement of line `line` of `old` stands; None where it is gone, or cannot be told.

    `new` may be the older one: it is enough that an install has related the two.

    Raises:
        SyntaxError: one of the texts does not compile.
    """
    if old.source == new.source:
        return line
    same = _same_line(old.lines, new.lines, line)
    if same is not None:
        return same
    node = scope_on(old, line)
    partner = next((each for each in new.module.walk() if each.definition is node.definition), None)
    scopes = [find_scope(each.text.tree, each.qualname, each.line) if each is not None else None for each in (node, partner)]
    if scopes[0] is None or scopes[1] is None:
        return None
    return _in_scope(scopes[0], scopes[1], line)


def line_of_statement(text: Text, line: int) -> int | None:
    """Return the first line of the statement, or header of a compound one, that goes on in a line, else that of the next one there."""
    node = scope_on(text, line)
    scope = find_scope(text.tree, node.qualname, node.line)
    place = place_on_line(scope, line) if scope is not None else None
    return place.node.lineno if place is not None else None


def _same_line(old: list[str], new: list[str], line: int) -> int | None:
    """Return where a line is that lies in what the beginnings, or the ends, of two texts have in common."""
    shorter = min(len(old), len(new))
    head = next((at for at in range(shorter) if old[at] != new[at]), shorter)
    if line <= head:
        return line
    tail = next((at for at in range(shorter - head) if old[-1 - at] != new[-1 - at]), shorter - head)
    return line + len(new) - len(old) if line > len(old) - tail else None


def scope_on(text: Text, line: int) -> Node:
    """Return the function, class or module whose own statement the line belongs to."""
    found = text.module
    for node in text.module.walk():
        scope = find_scope(text.tree, node.qualname, node.line)
        if scope is None or isinstance(scope, ast.Module):
            continue
        if scope.body[0].lineno <= line <= (scope.end_lineno or 0):
            found = node
    return found


def _in_scope(old: Scope, new: Scope, line: int) -> int | None:
    matches = match(old, new)
    around = [place.node for place in places(old) if place.node.lineno <= line <= (place.node.end_lineno or 0)]
    if not around:
        return None
    node = around[-1]
    partner = matches.get(node)
    if not isinstance(partner, ast.stmt):
        return None
    behind = line - node.lineno  # on a further line of the statement
    return min(partner.lineno + behind, partner.end_lineno or partner.lineno)
