"""Where in a code object an expression is evaluated: for a frame of which only the text is known, perhaps from another Python."""

from __future__ import annotations

from types import CodeType
from typing import Final

from fixcont.bytecode import interpreter

#: (line, column, end line, end column), columns in bytes of UTF-8.
Span = tuple[int, int, int, int]

#: What an instruction is called that stands in the span of an expression, and is not what fails in it.
_NEVER_FAILS: Final = (
    "CACHE", "CLEANUP_THROW", "COPY", "END_", "JUMP", "LOAD_CONST", "LOAD_FAST_BORROW", "NOP", "NOT_TAKEN", "POP_", "PRECALL", "PUSH_", "RESUME",
    "RETURN_", "STORE_DEREF", "STORE_FAST", "STORE_GLOBAL", "STORE_NAME", "SWAP", "YIELD_VALUE",
)  # fmt: skip


def unit_with(code: CodeType, span: Span | None, line: int) -> int:
    """Find the instruction that evaluates an expression.

    Of several with this span it is the last that can fail, of the first place where there are any: bodies of `finally` and conditions
    of `while` are compiled twice. Where none has it, as with code of another version of Python, it is the first of the line that can.

    Returns:
        Its place in code units; -1 where the code has no such line.
    """
    found = _in_span(code, span) if span is not None else -1
    if found >= 0:
        return found
    units = _units_that_may_fail(code)
    return next((unit for unit, position in units if position[0] == line), -1)


def _in_span(code: CodeType, span: Span) -> int:
    found = -1
    is_inside = False
    wanted = span[0], span[2], span[1], span[3]
    may_fail = {unit for unit, _ in _units_that_may_fail(code)}
    for unit, position in enumerate(code.co_positions()):
        if position == wanted:
            is_inside = True
            if unit in may_fail:
                found = unit
        elif is_inside and found >= 0:
            return found
    return found


def _units_that_may_fail(code: CodeType) -> list[tuple[int, tuple[int | None, int | None, int | None, int | None]]]:
    names = [interpreter.NAME[each] for each in code.co_code[::2]]
    return [(unit, at) for unit, at in enumerate(code.co_positions()) if not names[unit].startswith(_NEVER_FAILS)]
