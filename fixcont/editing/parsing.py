"""Syntax trees of texts and of parts of texts, with all places as they are in the tree of the whole text.

A tree takes several times as long as compiling the text does, so no more is parsed than somebody looks at.
"""

from __future__ import annotations

import ast
import copy
import itertools
import warnings
from collections.abc import Sequence
from typing import Union

Definition = Union[ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef]
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
    """Parse a definition of which an older version has been parsed: only those statements of its body that may have changed.

    What stands on the same lines with the same text is the same: whether a statement begins where a line does is told by what is in front of
    it alone. The statement in front of a changed line may go on there (with an `else`, say), so it is parsed as well.

    Args:
        tree: of the older version; its nodes become part of the new tree.
        old, new: the lines of the two texts. The definition begins on the same line in both.

    Returns:
        The new tree, as a module; None where nothing would be saved, or what is the same cannot be told.
    """
    definition = tree.body[0]
    if len(tree.body) != 1 or not isinstance(definition, DEFINITIONS):
        return None
    body, dirty = definition.body, _dirty(definition, old, new)
    if all(dirty):
        return None
    made: list[ast.stmt] = []
    for is_dirty, group in itertools.groupby(range(len(body)), dirty.__getitem__):
        members = list(group)
        first, last = members[0], members[-1]
        if not is_dirty:
            made += body[first : last + 1]
            continue
        start = first_line(body[first])
        if last + 1 < len(body):
            parsed = _parse_between(new, start, first_line(body[last + 1]) - 1, filename)
        else:
            parsed = _parse_rest(new, first_line(definition), start, filename)
        if not parsed:
            return None
        made += parsed
    changed = copy.copy(definition)
    changed.body = made
    changed.end_lineno, changed.end_col_offset = made[-1].end_lineno, made[-1].end_col_offset
    return ast.Module([changed], [])


def _dirty(definition: Definition, old: Sequence[str], new: Sequence[str]) -> list[bool]:
    """Tell which statements of the body of a definition may have changed; all of them where that cannot be told."""
    body = definition.body
    starts = [first_line(each) for each in body]
    if not _begins_line(body[0], old):
        return [True]  # it stands behind the header
    if not all(_begins_line(each, old) for each in body if _is_decorated(each)):
        return [True]
    # What ends it: the next line at the margin. Where that has stayed, the last statement ends where it did.
    end = next((at + 2 for at in range(definition.end_lineno or 0, len(old)) if old[at][0] not in _GOES_ON), len(old) + 1)
    spans = itertools.pairwise([first_line(definition), *starts, end])
    is_same = [old[first - 1 : max(stop - 1, first)] == new[first - 1 : max(stop - 1, first)] for first, stop in spans]
    if end > len(old):
        is_same[-1] &= len(old) == len(new)
    if not is_same[0]:
        return [True]
    dirty = [not (one and following) for one, following in itertools.pairwise([*is_same[1:], True])]
    shares_line = [(one.end_lineno or 0) >= start for one, start in zip(body, starts[1:], strict=False)]
    for at, shared in enumerate(shares_line):
        dirty[at + 1] |= shared and dirty[at]
    for at, shared in reversed([*enumerate(shares_line)]):
        dirty[at] |= shared and dirty[at + 1]
    return dirty


def _begins_line(node: ast.stmt, lines: Sequence[str]) -> bool:
    """Tell whether a statement is the first thing on the line that it begins on."""
    line = lines[first_line(node) - 1]
    return line.lstrip().startswith("@") if _is_decorated(node) else not line.encode()[: node.col_offset].strip()


def _is_decorated(node: ast.stmt) -> bool:
    return isinstance(node, DEFINITIONS) and bool(node.decorator_list)


def first_line(node: ast.stmt) -> int:
    """Return the line that a statement begins on; the decorator's, where an @ stands in front of that on the same line."""
    return min([node.lineno, *(each.lineno for each in node.decorator_list)]) if isinstance(node, DEFINITIONS) else node.lineno


def _parse_between(lines: Sequence[str], start: int, end: int, filename: str) -> list[ast.stmt]:
    """Parse lines that are whole statements in the body of a definition; [] where they are none."""
    around, *further = _parse_block(lines, start, end, filename)
    return around.body if isinstance(around, ast.If) and not around.orelse and not further else []


def _parse_rest(lines: Sequence[str], first: int, start: int, filename: str) -> list[ast.stmt]:
    """Parse the statements from line `start` on in the body of the definition that begins at line `first`; [] where that fails."""
    for end in _ends(lines, first):
        around = _parse_block(lines, start, end, filename)[0] if end >= start else None
        if around is not None:
            return around.body if isinstance(around, ast.If) and not around.orelse else []
    return []


def _parse_block(lines: Sequence[str], start: int, end: int, filename: str) -> list[ast.stmt | None]:
    """Parse lines as a block of an `if`, with places as in the whole text. Gives the `if` and what follows it, [None] where that fails."""
    try:
        return [*parse("\n" * (start - 2) + "if 1:\n" + "".join(lines[start - 1 : end]), filename).body]
    except SyntaxError:
        return [None]
