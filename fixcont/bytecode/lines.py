"""Where a line is entered, and where it only goes on."""

from __future__ import annotations

from types import CodeType

from fixcont.bytecode.exceptiontable import parse
from fixcont.bytecode.interpreter import DIRECTION, OPCODE, UNITS


def goes_on(code: CodeType) -> frozenset[int]:
    """Return the instructions where jumps meet within a line that has begun before: their offsets in bytes, as `f_lasti` counts.

    3.12 takes some of them for the start of a line: that after `a and b` in a `finally` that an exception has led to.
    """
    raw = code.co_code
    lines = _lines(code)
    targets: dict[int, bool] = {}  # code unit -> all jumps to it are forward, and on its line
    at = argument = before = 0
    follows: dict[int, int] = {}  # code unit -> that of the instruction in front
    while at < len(lines):
        op = raw[2 * at]
        argument = argument << 8 | raw[2 * at + 1]
        follows[at] = before
        before, following = at, at + UNITS[op]
        if DIRECTION[op]:
            target = following + argument * DIRECTION[op]
            is_inside = DIRECTION[op] > 0 and lines[at] == lines[target]
            targets[target] = targets.get(target, True) and is_inside
        if op != OPCODE["EXTENDED_ARG"]:
            argument = 0
        at = following
    handlers = {row.target for row in parse(code.co_exceptiontable)}
    return frozenset(
        2 * target
        for target, is_inside in targets.items()
        if is_inside and target not in handlers and lines[follows[target]] == lines[target]
    )


def _lines(code: CodeType) -> list[int | None]:
    """Return the line of each code unit."""
    found: list[int | None] = []
    for start, end, line in code.co_lines():
        found += [line] * ((end - start) // 2)
    return found


def line_at(code: CodeType, offset: int) -> int | None:
    """Return the line of the instruction at a byte offset."""
    return next((line for start, end, line in code.co_lines() if start <= offset < end), None)
