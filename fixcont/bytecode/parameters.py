"""Which arguments a function rebinds, so that a restart must be able to find what they were at entry."""

from __future__ import annotations

from types import CodeType

from fixcont.bytecode import interpreter
from fixcont.bytecode.interpreter import NAME, OPCODE

_EXTENDED_ARG = OPCODE["EXTENDED_ARG"]
_DICT_CHANGES = {"clear", "pop", "popitem", "setdefault", "update"}


def count(code: CodeType) -> int:
    """Return how many of the first local variables of a function are its parameters."""
    flags = code.co_flags
    return (
        code.co_argcount
        + code.co_kwonlyargcount
        + bool(flags & interpreter.VARARGS)
        + bool(flags & interpreter.VARKEYWORDS)
    )


def rebound(code: CodeType, ops: bytes, args: bytes) -> tuple[int, ...]:
    """Return the slots of the parameters that a function may bind anew, in its own body or in a nested function.

    Parameters that it deletes are left out: who deletes an argument wants it freed.
    """
    parameters = count(code)
    if not parameters or not code.co_flags & interpreter.OPTIMIZED:
        return ()
    stored, deleted = _stored_slots(ops, args)
    cells = set(code.co_cellvars)
    for slot, name in enumerate(code.co_varnames[:parameters]):
        if name in cells and any(_stores_free(constant, name) for constant in code.co_consts):
            stored.add(slot)
    return tuple(sorted(slot for slot in stored - deleted if slot < parameters))


def changed_keywords(code: CodeType, ops: bytes) -> int | None:
    """Return the slot of a `**keywords` parameter whose dict the function seems to change, else None.

    The dict belongs to the call alone, so what the function takes out of it would be missing in a second call.
    """
    if not code.co_flags & interpreter.VARKEYWORDS or not code.co_flags & interpreter.OPTIMIZED:
        return None
    changes = not _DICT_CHANGES.isdisjoint(code.co_names)
    changes = changes or any(op in ops for op in (OPCODE["STORE_SUBSCR"], OPCODE["DELETE_SUBSCR"]))
    return count(code) - 1 if changes else None


def _stored_slots(ops: bytes, args: bytes) -> tuple[set[int], set[int]]:
    """Return the local slots that code stores into, and those that it deletes."""
    stored: set[int] = set()
    deleted: set[int] = set()
    at = 0
    arg = 0
    while at < len(ops):
        op = ops[at]
        arg |= args[at]
        if op == _EXTENDED_ARG:
            arg <<= 8
            at += 1
            continue
        if _STORES[op]:
            name = NAME[op]
            if name in ("STORE_FAST", "STORE_DEREF"):
                stored.add(arg)
            elif name in ("DELETE_FAST", "DELETE_DEREF"):
                deleted.add(arg)
            elif name == "STORE_FAST_STORE_FAST":
                stored.update((arg >> 4, arg & 15))
            elif name == "STORE_FAST_LOAD_FAST":
                stored.add(arg >> 4)
        arg = 0
        at += interpreter.UNITS[op]
    return stored, deleted


_STORES = [name.startswith(("STORE_FAST", "STORE_DEREF", "DELETE_FAST", "DELETE_DEREF")) for name in NAME]


def _stores_free(constant: object, name: str) -> bool:
    """Tell whether a nested function, or one nested in it, assigns to the captured variable `name`."""
    if not isinstance(constant, CodeType) or name not in constant.co_freevars:
        return False
    slots = len(constant.co_varnames) + sum(cell not in constant.co_varnames for cell in constant.co_cellvars)
    slot = slots + constant.co_freevars.index(name)
    raw = constant.co_code
    stored, _ = _stored_slots(raw[::2], raw[1::2])
    return slot in stored or any(_stores_free(nested, name) for nested in constant.co_consts)
