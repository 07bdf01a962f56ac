"""Places in code: where a marker is, which source an instruction comes from, and what instructions around a place tell of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import compress, count
from types import CodeType

from fixcont.bytecode.interpreter import NAME, UNITS
from fixcont.bytecode.location import Location
from fixcont.editing.markers import Span

#: The column of the marker: no line is as long as this, and the line is that of the statement. Those at exits have the next ones.
COLUMN = 1 << 20
#: For `bytes.translate`: opcodes to 1, where they are such, or 0; without an instruction of Python for each.
IS_CALL = bytes(name in ("CALL", "CALL_KW", "CALL_FUNCTION_EX") for name in NAME)
_IS_BORROW = bytes(name == "LOAD_FAST_AND_CLEAR" for name in NAME)
_IS_BUILD = bytes(name == "BUILD_LIST" for name in NAME)


def spots_of(code: CodeType, number: int = 0) -> tuple[int, ...]:
    """Return where the marker with this number is."""
    builds = code.co_code[::2].translate(_IS_BUILD)
    places = zip(compress(count(), builds), compress(code.co_positions(), builds), strict=False)
    column = COLUMN + number
    return tuple(at for at, place in places if place[2] == column == place[3])


Positions = Sequence[tuple[int | None, int | None, int | None, int | None]]


def span_at(positions: Positions, unit: int) -> Span | None:
    """Return where the source of an instruction is, of all in a code object. Those without a place belong to what is before them."""
    for at in range(unit, -1, -1):
        line, end_line, column, end_column = positions[at]
        if line is not None and end_line is not None and column is not None and end_column is not None:
            return line, end_line, column, end_column
    return None


def calls_exit(location: Location, unit: int, open_kinds: str) -> bool:
    """Tell whether an instruction of a `with` statement calls or awaits an exit."""
    before = [instruction for instruction in instructions(location.code) if instruction[0] <= unit]
    name = before[-1][1]
    if name in _AWAITS:
        return next((argument == _AWAITS_EXIT for _, name, argument in reversed(before) if name == "GET_AWAITABLE"), False)
    if name in ("CALL", "PRECALL"):
        nones = [name for _, name, _ in before[-5:-1] if name != "PRECALL"][-3:]
        has_exit = location.stacks.block_kinds_at(unit).count("w") > open_kinds.count("w")
        return has_exit and all(name in ("LOAD_CONST", "LOAD_COMMON_CONSTANT") for name in nones)
    return name == "WITH_EXCEPT_START"


def instructions(code: CodeType) -> Iterator[tuple[int, str, int]]:
    """Give each instruction's code unit, name and argument, of which the low byte does here."""
    raw = code.co_code
    at = 0
    while 2 * at < len(raw):
        yield at, NAME[raw[2 * at]], raw[2 * at + 1]
        at += UNITS[raw[2 * at]]


_AWAITS = ("GET_AWAITABLE", "SEND", "YIELD_VALUE", "RESUME", "JUMP_BACKWARD_NO_INTERRUPT", "CLEANUP_THROW", "END_SEND")
_AWAITS_EXIT = 2  # GET_AWAITABLE's argument


def borrowed_names(code: CodeType) -> set[str]:
    """Return the names of variables that inlined comprehensions use for their own."""
    raw, names = code.co_code, code.co_varnames
    if len(names) > 256:
        return set(names)
    slots = set(compress(raw[1::2], raw[::2].translate(_IS_BORROW)))
    return {names[slot] for slot in slots if slot < len(names)}


def with_nested(code: CodeType) -> Iterator[CodeType]:
    """Give a code object and all those in it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from with_nested(constant)
