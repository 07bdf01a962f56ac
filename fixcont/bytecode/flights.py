"""The way of an exception through the handlers and traps of one activation.

An exception that a handler raises again may come to several traps of the same frame. Here it is told from the code alone whether a trap is
the first on that way: exceptions are known by their ids, which other exceptions get later, in frames that get the ids of earlier frames.
"""

from __future__ import annotations

from types import CodeType

from fixcont.bytecode.exceptiontable import Row, parse
from fixcont.bytecode.handlers import RAISES_BY_ITSELF, WRAPS_STOPITERATION, first_operation, reachable
from fixcont.bytecode.interpreter import OPCODE
from fixcont.bytecode.original import original_end, original_view

_RERAISE = OPCODE["RERAISE"]
_RAISE_VARARGS = OPCODE["RAISE_VARARGS"]

#: (id of trapped code, offset of the failing instruction, offset in a trap) -> (the code, the answer). Bounded.
_known: dict[tuple[int, int, int], tuple[CodeType, bool]] = {}


def has_met_a_trap(code: CodeType, failed_at: int, trapped_at: int) -> bool:
    """Tell whether an exception has been in another trap of its activation before.

    Args:
        code: with traps.
        failed_at: byte offset of the instruction at which the exception came up in, or into, the frame.
        trapped_at: byte offset of an instruction of the trap that it is in now.
    """
    key = id(code), failed_at, trapped_at
    known = _known.get(key)
    if known is None or known[0] is not code:
        if len(_known) >= 2000:
            _known.clear()
        known = _known[key] = code, _find(code, failed_at // 2, trapped_at // 2)
    return known[1]


def forget_ways() -> None:
    """Drop what was worked out, and the code objects with it."""
    _known.clear()


def _find(code: CodeType, failed_at: int, trapped_at: int) -> bool:
    rows = parse(code.co_exceptiontable)
    end = original_end(code) // 2
    raw = code.co_code
    ops, args = raw[::2], raw[1::2]
    here = max((row.target for row in rows if end <= row.target <= trapped_at), default=-1)
    work = [failed_at]
    seen = set()
    while work:
        at = work.pop()
        row = next((row for row in rows if row.start <= at < row.end), None)
        if at in seen or row is None:
            continue
        seen.add(at)
        if row.target < end:  # a handler without a trap in front
            work += _raised_again(ops, args, row)
        elif row.target != here:
            return True
    return False


def handlers_passed(code: CodeType, failed_at: int, handler: int) -> tuple[Row, ...]:
    """Return rows of the handlers in which an exception has been before it came to a trap, in their order.

    Args:
        code: with traps.
        failed_at: byte offset of the instruction at which the exception came up in the frame.
        handler: byte offset of the handler in front of which the trap stands, -1 where the exception leaves the frame.
    """
    ops, args, rows = original_view(code)
    work: list[tuple[int, tuple[Row, ...]]] = [(failed_at // 2, ())]
    seen: set[int] = set()
    for at, way in work:  # the nearest first
        row = next((row for row in rows if row.start <= at < row.end), None)
        if row is None or ops[row.target] == WRAPS_STOPITERATION:
            if handler < 0:
                return way
        elif 2 * row.target == handler:
            return way
        elif row.target not in seen:
            seen.add(row.target)
            work += [(again, (*way, row)) for again in _raised_again(ops, args, row)]
    return ()


def _raised_again(ops: bytes, args: bytes, row: Row) -> list[int]:
    """Return where the handler that a row leads to may raise its exception again."""
    if first_operation(ops, row.target) in RAISES_BY_ITSELF:
        return [row.target]
    return [at for at in reachable(ops, args, row.target) if ops[at] == _RERAISE or (ops[at] == _RAISE_VARARGS and not args[at])]
