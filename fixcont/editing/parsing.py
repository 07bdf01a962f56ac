"""Syntax trees of texts and of parts of texts, with all places as they are in the tree of the whole text.

A tree takes several times as long as compiling the text does, so no more is parsed than somebody looks at.
"""

from __future__ import annotations

import ast
import copy
import itertools
import warnings
from collections.abc import Sequence

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def parse(source: bytes | str, filename: str) -> ast.Module:
    """Parse a text. Raises `SyntaxError`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(source, filename)


def parse_lines(lines: Sequence[str], wanted: range, filename: str) -> ast.Module:
    """Parse some lines, with places as in the whole text."""
    return parse("\n" * (wanted.start - 1) + "".join(lines[wanted.start - 1 : wanted.stop - 1]), filename)


#: What lines begin with on which a `def` or `class` statement begins at the left margin.
STARTS = ("def ", "async ", "class ", "@")
#: With these no statement begins. Others may end the one before, or stand inside of a string or of brackets.
_GOES_ON = frozenset(" \t\f\r\n#)]}")
_MOST_TRIES = 4


def parse_statement(lines: Sequence[str], first: int, filename: str) -> ast.Module | None:
    """Parse the definition that begins on a line at the left margin, alone in a module; None where that cannot be told.

    Where it ends is tried: the next line at the margin ends it, unless that is inside of a string or of brackets. Then what is cut off
    there is no valid text.
    """
    if not lines[first - 1].startswith(STARTS):
        return None
    for end in _ends(lines, first):
        try:
            tree = parse_lines(lines, range(first, end + 1), filename)
        except SyntaxError:
            continue
        statement = tree.body[0]
        if not isinstance(statement, DEFINITIONS):
            return None
        return ast.Module([statement], []) if len(tree.body) > 1 else tree
    return None


def _ends(lines: Sequence[str], first: int) -> list[int]:
    """Give the last lines that the statement may have that begins on a line at the margin."""
    ends = itertools.islice((at for at in range(first, len(lines)) if lines[at][0] not in _GOES_ON), _MOST_TRIES - 1)
    return [*ends, len(lines)]


def parse_changed(tree: ast.Module, old: Sequence[str], new: Sequence[str], filename: str) -> ast.Module | None:
    """Parse a definition of which an older version has been parsed, from the first statement on that may have changed.

    What is in front of that has the same text, and so is the same. The statement before the first changed line may go on there
    (with an `else`, say), but those before it do not: it begins on a line that is the same in both texts, and where a line begins
    a statement is told by what is in front of it alone.

    Args:
        tree: of the older version; its nodes become part of the new tree.
        old, new: the lines of the two texts. The definition begins on the same line in both.

    Returns:
        The new tree, as a module; None where next to nothing would be saved, or the end cannot be told.
    """
    definition = tree.body[0]
    if len(tree.body) != 1 or not isinstance(definition, DEFINITIONS):
        return None
    begin = first_line(definition) - 1
    lines = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(old[begin:], new[begin:], strict=False))
    changed = begin + sum(1 for _ in lines) + 1
    body = definition.body
    count = sum(1 for each in body if first_line(each) < changed) - 1
    while count > 0 and (body[count - 1].end_lineno or 0) >= first_line(body[count]):
        count -= 1  # they share a line
    if count <= 0 or not new[first_line(body[count]) - 1].lstrip().startswith("@" if _is_decorated(body[count]) else ""):
        return None
    rest = _parse_rest(new, begin + 1, first_line(body[count]), filename)
    if not rest:
        return None
    made = copy.copy(definition)
    made.body = [*body[:count], *rest]
    made.end_lineno, made.end_col_offset = rest[-1].end_lineno, rest[-1].end_col_offset
    return ast.Module([made], [])


def _is_decorated(node: ast.stmt) -> bool:
    return isinstance(node, DEFINITIONS) and bool(node.decorator_list)


def first_line(node: ast.stmt) -> int:
    """Return the line that a statement begins on; the decorator's, where an @ stands in front of that on the same line."""
    return min([node.lineno, *(each.lineno for each in node.decorator_list)]) if isinstance(node, DEFINITIONS) else node.lineno


def _parse_rest(lines: Sequence[str], first: int, start: int, filename: str) -> list[ast.stmt]:
    """Parse the statements from line `start` on in the body of the definition that begins at line `first`; [] where that fails."""
    for end in _ends(lines, first):
        if end < start:
            continue
        try:
            tree = parse("\n" * (start - 2) + "if 1:\n" + "".join(lines[start - 1 : end]), filename)
        except SyntaxError:
            continue
        around = tree.body[0]
        return around.body if isinstance(around, ast.If) and not around.orelse else []
    return []
