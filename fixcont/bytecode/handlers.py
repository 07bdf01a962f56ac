"""What the handlers of a code object are: which of them a trap stands in front of.

A trap in front of a handler sees the exception while the loops and `with` blocks of the `try` body are still on the stack.
That is wanted where the handler lets the exception pass (`finally`, `with`, clean-ups), and where it may not match by type and
the body holds a block that would be lost. A handler that catches costs nothing: no trap, or a check of the types in line.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from fixcont.bytecode.exceptiontable import Row
from fixcont.bytecode.interpreter import DIRECTION, NAME, OPCODE, UNITS


class HandlerKind(enum.Enum):
    """What a handler does with an exception."""

    PASSES = enum.auto()  #: `finally`, a `with` exit, a clean-up, an `except` that always raises again, an `except*`
    TYPED = enum.auto()  #: takes it if the type matches
    CATCHES = enum.auto()  #: takes everything
    WITHIN = enum.auto()  #: tidies up inside an expression or an await: not a place of its own


class Handler(NamedTuple):
    """A handler of a code object.

    Attributes:
        kind: what it does.
        checks: the instructions of each `except` clause that put its type on the stack and compare, if they can be run twice: for
            TYPED its own, for a `with` those of the handler around it in the same function.
        is_cleanup: whether all that it does is to restore and raise again.
        is_wrapper: whether it is the row that turns a generator's StopIteration into a RuntimeError.
        no_match: for TYPED, the code unit of the RERAISE that is reached if no clause matches; -1 if it is not found.
    """

    kind: HandlerKind
    checks: tuple[bytes, ...] = ()
    is_cleanup: bool = False
    is_wrapper: bool = False
    no_match: int = -1


#: The handler around a generator that turns StopIteration into a RuntimeError.
WRAPPER = Handler(HandlerKind.PASSES, is_wrapper=True)

_PUSH_EXC_INFO = OPCODE["PUSH_EXC_INFO"]
_WITH_EXCEPT_START = OPCODE["WITH_EXCEPT_START"]
_POP_TOP = OPCODE["POP_TOP"]
_POP_EXCEPT = OPCODE["POP_EXCEPT"]
_RERAISE = OPCODE["RERAISE"]
_COPY = OPCODE["COPY"]
_EXTENDED_ARG = OPCODE["EXTENDED_ARG"]
_LOAD_CONST = OPCODE["LOAD_CONST"]
_CHECK_EXC_MATCH = OPCODE["CHECK_EXC_MATCH"]
_CHECK_EG_MATCH = OPCODE["CHECK_EG_MATCH"]
WRAPS_STOPITERATION = OPCODE.get("CALL_INTRINSIC_1", -1)
#: First instructions of handlers within an expression or a loop that raise what they do not take.
RAISES_BY_ITSELF = {OPCODE[name] for name in ("CLEANUP_THROW", "END_ASYNC_FOR") if name in OPCODE}
_RESTORES_NAMES = {OPCODE[name] for name in ("SWAP", "POP_TOP", "STORE_FAST", "STORE_DEREF") if name in OPCODE}
_ENDS = {OPCODE[name] for name in ("RERAISE", "RAISE_VARARGS", "RETURN_VALUE", "RETURN_CONST") if name in OPCODE}
_LEAVES = {OPCODE[name] for name in ("RETURN_VALUE", "RETURN_CONST", "YIELD_VALUE") if name in OPCODE}
#: Loads that have no effect and give the same when they are run again; they may follow a method or NULL bit only where it is clear.
_PURE_LOADS = {
    "LOAD_GLOBAL", "LOAD_NAME", "LOAD_FAST", "LOAD_FAST_BORROW", "LOAD_FAST_CHECK", "LOAD_DEREF", "LOAD_ATTR", "BUILD_TUPLE",
    "LOAD_CLASSDEREF",
}  # fmt: skip
_IS_PURE_LOAD = [name in _PURE_LOADS for name in NAME]


def classify(ops: bytes, args: bytes, stacks: Sequence[str | None], row: Row) -> Handler:
    """Tell what the handler that `row` leads to does."""
    target = row.target
    op = first_operation(ops, target)
    if op in RAISES_BY_ITSELF:
        return Handler(HandlerKind.WITHIN)
    if op == WRAPS_STOPITERATION:
        return WRAPPER
    if op != _PUSH_EXC_INFO:
        if op in _RESTORES_NAMES and not row.lasti:
            return Handler(HandlerKind.WITHIN)  # an inlined comprehension's
        return Handler(HandlerKind.PASSES, is_cleanup=True)
    following = ops[target + 1]
    if following == _WITH_EXCEPT_START:
        return Handler(HandlerKind.PASSES)
    if following == _POP_TOP:
        return Handler(HandlerKind.PASSES if _always_raises_again(ops, args, target) else HandlerKind.CATCHES)
    match = _first_match(ops, stacks, target)
    if match is None:
        return Handler(HandlerKind.PASSES)
    if ops[match] == _CHECK_EG_MATCH:  # loses what is around it, whatever it takes
        return Handler(HandlerKind.PASSES)
    if _always_raises_again(ops, args, target):
        return Handler(HandlerKind.PASSES)
    checks, catches_all = _checks(ops, args, target)
    if catches_all:
        return Handler(HandlerKind.CATCHES, checks)
    return Handler(HandlerKind.TYPED, checks, no_match=_no_match(ops, args, match))


def first_operation(ops: bytes, at: int) -> int:
    """Return the opcode of the instruction at a code unit: a long loop's END_ASYNC_FOR begins with an EXTENDED_ARG from 3.14 on."""
    while ops[at] == _EXTENDED_ARG:
        at += 1
    return ops[at]


def _no_match(ops: bytes, args: bytes, match: int) -> int:
    """Return where an exception is raised again that none of the `except` clauses from the one at `match` on takes; -1 if not found."""
    while match >= 0:
        at = match + UNITS[ops[match]]
        arg = 0
        while ops[at] == _EXTENDED_ARG:
            arg = (arg | args[at]) << 8
            at += 1
        if DIRECTION[ops[at]] <= 0:
            return -1
        at += UNITS[ops[at]] + (arg | args[at])
        if ops[at] == _RERAISE:
            return at
        match = ops.find(_CHECK_EXC_MATCH, at)
    return -1


def through_with(ops: bytes, rows: Sequence[Row], known: dict[int, Handler], target: int) -> Handler:
    """Return what a handler does together with the one that gets what it lets pass, if it is the exit of a `with` block.

    A `with` in the body of a `try` costs little then: what the function itself takes need not be looked at.

    Args:
        known: target -> handler, from `classify`.
        target: where the handler begins.
    """
    handler = known[target]
    raises_again = _end_of_exit(ops, target)
    while raises_again is not None:
        row = next((row for row in rows if row.start <= raises_again < row.end), None)
        outer = known.get(row.target) if row else None
        if row is None or outer is None:
            break
        if outer.kind is HandlerKind.CATCHES or (outer.kind is HandlerKind.TYPED and outer.checks):
            return Handler(HandlerKind.CATCHES if outer.kind is HandlerKind.CATCHES else HandlerKind.PASSES, outer.checks)
        raises_again = ops.find(_RERAISE, row.target) if outer.is_cleanup else _end_of_exit(ops, row.target)
    return handler


def _end_of_exit(ops: bytes, target: int) -> int | None:
    """Return where the exit of a `with` block raises again, or None where a handler is something else (`async with` too)."""
    if ops[target] != _PUSH_EXC_INFO or ops[target + 1] != _WITH_EXCEPT_START:
        return None
    at = target + 2
    while DIRECTION[ops[at]] > 0 or NAME[ops[at]] in ("TO_BOOL", "NOT_TAKEN", "EXTENDED_ARG"):
        at += UNITS[ops[at]]
    return at if ops[at] == _RERAISE else None


def _first_match(ops: bytes, stacks: Sequence[str | None], target: int) -> int | None:
    """Return where a handler compares the type, or None where it is a `finally` body."""
    at = target + 1
    on_top = stacks[at]
    size = len(ops)
    while at < size and on_top is not None:
        if ops[at] in (_CHECK_EXC_MATCH, _CHECK_EG_MATCH):
            return at
        at += UNITS[ops[at]]
        stack = stacks[at] if at < size else None
        if stack is None or len(stack) <= len(on_top):  # a statement has ended: this is a body
            return None
    return None


def _checks(ops: bytes, args: bytes, target: int) -> tuple[tuple[bytes, ...], bool]:
    """Return the comparisons of the `except` clauses, () where one is not plain, and whether the last clause is a bare one."""
    out: list[bytes] = []
    at = target + 1
    while True:
        start = at
        while _IS_PURE_LOAD[ops[at]] or ops[at] == _EXTENDED_ARG:
            if NAME[ops[at]] in ("LOAD_GLOBAL", "LOAD_ATTR") and _has_extra_bit(ops[at], args[at]):
                return (), False
            at += UNITS[ops[at]]
        if at == start:  # no more clauses: raise again, or a bare `except`
            return tuple(out), ops[at] == _POP_TOP
        if ops[at] != _CHECK_EXC_MATCH:
            return (), False
        check = b"".join(bytes((ops[unit], args[unit])) for unit in range(start, at + UNITS[ops[at]]))
        out.append(check)
        at += UNITS[ops[at]]
        arg = 0
        while ops[at] == _EXTENDED_ARG:
            arg = (arg | args[at]) << 8
            at += 1
        if DIRECTION[ops[at]] <= 0:
            return (), False
        at = at + UNITS[ops[at]] + (arg | args[at])


def _has_extra_bit(op: int, arg: int) -> bool:
    """Whether a load also pushes NULL or a method's self (from 3.12 on LOAD_ATTR has such a bit)."""
    if NAME[op] == "LOAD_ATTR" and "LOAD_METHOD" in OPCODE:
        return False
    return bool(arg & 1)


def _always_raises_again(ops: bytes, args: bytes, target: int) -> bool:
    """Tell whether no path through a handler takes the exception: none ends it but by raising."""
    return not any(
        ops[at] in _LEAVES or (ops[at] == _POP_EXCEPT and ops[at + 1] != _RERAISE) for at in reachable(ops, args, target)
    )


def reachable(ops: bytes, args: bytes, start: int) -> Iterator[int]:
    """Give the place of every instruction that may run from `start` on, up to where code raises or returns; exceptions apart."""
    seen = set()
    work = [start]
    while work:
        at = work.pop()
        arg = 0
        while at not in seen and at < len(ops):
            seen.add(at)
            op = ops[at]
            if op == _EXTENDED_ARG:
                arg = (arg | args[at]) << 8
                at += 1
                continue
            yield at
            if op in _ENDS:
                break
            following = at + UNITS[op]
            if DIRECTION[op]:
                jump = following + (arg | args[at]) * DIRECTION[op]
                if NAME[op].startswith("JUMP_") and "_IF_" not in NAME[op]:
                    following = jump
                else:
                    work.append(jump)
            arg = 0
            at = following
