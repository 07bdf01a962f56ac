"""Instructions that await what is on top of the stack, cut out of a template that this interpreter compiles itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from fixcont.bytecode.assembler import Assembler, Label
from fixcont.bytecode.exceptiontable import parse
from fixcont.bytecode.interpreter import DIRECTION, HAS_ARGUMENT, NAME, OPCODE, UNITS
from fixcont.errors import DoesNotVerify

#: The argument of GET_AWAITABLE that says that it is what `__aexit__` has returned.
_FROM_EXIT = 2


class Covered(NamedTuple):
    """A row of the exception table inside of an await.

    Attributes:
        start, end, target: the places.
        depth: how many items it keeps on top of what lies below the awaited object.
        lasti: as in `exceptiontable.Row`.
    """

    start: Label
    end: Label
    target: Label
    depth: int
    lasti: int


def _compiled() -> Any:
    namespace: dict[str, Any] = {}
    exec(compile("async def template(x):\n return await x", "<fixcont>", "exec", dont_inherit=True), namespace)
    return namespace["template"].__code__


_TEMPLATE = _compiled()


def append_await(asm: Assembler, load_none: Callable[[], None]) -> list[Covered]:
    """Append the await of what an `__aexit__` has returned, which is on top of the stack: its result is there afterwards.

    Args:
        load_none: appends what puts None on the stack.

    Returns:
        The rows that must cover it, in order; what they leave out is covered by what is around.
    """
    ops, args = _TEMPLATE.co_code[::2], _TEMPLATE.co_code[1::2]
    wrapper = OPCODE.get("CALL_INTRINSIC_1", -1)  # what turns a StopIteration that leaves a coroutine into a RuntimeError
    rows = parse(_TEMPLATE.co_exceptiontable)
    last = min((row.target for row in rows if ops[row.target] == wrapper), default=len(ops))
    first = next(at for at in range(len(ops)) if NAME[ops[at]].startswith("LOAD_FAST")) + 1
    labels = {at: Label() for at in range(first, last + 1)}
    end = Label()
    at = first
    while at < last:
        asm.place(labels[at])
        _append(asm, ops[at], args[at], labels.get(at + UNITS[ops[at]] + args[at] * DIRECTION[ops[at]], end), end, load_none)
        at += UNITS[ops[at]]
    asm.place(labels[last])
    asm.place(end)
    return [
        Covered(labels[row.start], labels[row.end], labels[row.target], row.depth, row.lasti)
        for row in rows
        if ops[row.target] != wrapper
    ]


def _append(asm: Assembler, op: int, arg: int, target: Label, end: Label, load_none: Callable[[], None]) -> None:
    name = NAME[op]
    if DIRECTION[op]:
        asm.op(name, target)
    elif name == "LOAD_CONST":
        if _TEMPLATE.co_consts[arg] is not None:
            raise DoesNotVerify("the interpreter's template has an unknown constant")
        load_none()
    elif name == "RETURN_VALUE":
        asm.op("JUMP_FORWARD", end)
    else:
        asm.op(name, _FROM_EXIT if name == "GET_AWAITABLE" else arg if HAS_ARGUMENT[op] else 0)
