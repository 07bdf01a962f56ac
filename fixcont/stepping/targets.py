"""The calls that a held frame is about to make, to step into one of them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from types import CodeType
from typing import NamedTuple

from fixcont.bytecode.interpreter import NAME, UNITS
from fixcont.editing.moves import line_of_statement
from fixcont.editing.texts import Text
from fixcont.stepping.places import last_line

_LONGEST = 60
#: Where an expression ends: line and column in bytes.
_Place = tuple[int | None, int | None]


class StepTarget(NamedTuple):
    """A call in the statement at which a frame is held.

    Attributes:
        name: what is called, as the source has it: "shop.total".
        line, column, end_line, end_column: where the call is in the text that the frame runs; lines from 1, columns, in characters, from 0.
        lines: the first and the last line of the statement.
        offsets: the bytes of the instructions that make the call; a `finally` body is compiled several times.
    """

    name: str
    line: int
    column: int
    end_line: int
    end_column: int
    lines: tuple[int, int]
    offsets: frozenset[int]


def step_targets(code: CodeType, lasti: int, line: int, text: Text) -> list[StepTarget]:
    """Return the calls of the statement on a line that lie behind an instruction, in the order in which they are made.

    Args:
        code: what the frame runs.
        lasti: the byte offset of the instruction at which it is.
        line: the one at which it is.
        text: what the code was made from.
    """
    start = line_of_statement(text, line) or line
    lines = range(start, last_line(text, start) + 1)
    calls: dict[_Place, ast.Call] = {
        (node.end_lineno, node.end_col_offset): node
        for node in ast.walk(text.tree)
        if isinstance(node, ast.Call) and node.end_lineno is not None and node.end_lineno in lines
    }
    found: dict[_Place, set[int]] = {}
    for offset, place in _calls(code):
        if place in calls and offset > lasti:
            found.setdefault(place, set()).update(range(offset, offset + 2 * UNITS[code.co_code[offset]], 2))
    span = lines.start, lines.stop - 1
    return [_target(calls[place], span, frozenset(offsets), text) for place, offsets in found.items()]


def _calls(code: CodeType) -> Iterator[tuple[int, _Place]]:
    """Yield the instructions that call something, each with where its expression ends: where it begins is told as something else for
    methods on lines of their own.
    """
    raw = code.co_code
    ends = [(end_line, end_column) for _, end_line, _, end_column in code.co_positions()]
    at = 0
    while at < len(ends):
        if NAME[raw[2 * at]].startswith("CALL") and not NAME[raw[2 * at]].startswith("CALL_INTRINSIC"):
            yield 2 * at, ends[at]
        at += UNITS[raw[2 * at]]


def _target(node: ast.Call, lines: tuple[int, int], offsets: frozenset[int], text: Text) -> StepTarget:
    name = " ".join(ast.unparse(node.func).split())
    shown = name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"
    end_line, end_column = node.end_lineno or node.lineno, node.end_col_offset or 0
    return StepTarget(
        shown,
        node.lineno,
        _column(text, node.lineno, node.col_offset),
        end_line,
        _column(text, end_line, end_column),
        lines,
        offsets,
    )


def _column(text: Text, line: int, offset: int) -> int:
    """Return a column in characters, of one in bytes."""
    lines = text.lines
    return len(lines[line - 1].encode()[:offset].decode(errors="replace")) if line <= len(lines) else offset
