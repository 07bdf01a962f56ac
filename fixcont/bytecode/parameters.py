"""Which arguments a function rebinds, so that a restart must be able to find what they were at entry."""

from __future__ import annotations

import re
from types import CodeType
from typing import NamedTuple

from fixcont.bytecode import interpreter
from fixcont.bytecode.interpreter import NAME, OPCODE

_EXTENDED_ARG = OPCODE["EXTENDED_ARG"]
_LOAD_CONST = OPCODE["LOAD_CONST"]
_LOAD_COMMON_CONSTANT = OPCODE.get("LOAD_COMMON_CONSTANT", -1)
#: A function that works with these cares how long its arguments live.
_LIFETIMES = {"weakref", "ref", "proxy", "finalize", "getrefcount"}
_DICT_CHANGES = {"clear", "pop", "popitem", "setdefault", "update"}


def count(code: CodeType) -> int:
    """Return how many of the first local variables of a function are its parameters."""
    flags = code.co_flags
    return code.co_argcount + code.co_kwonlyargcount + bool(flags & interpreter.VARARGS) + bool(flags & interpreter.VARKEYWORDS)


class Changes(NamedTuple):
    """What a function does to its parameters, as slots.

    Attributes:
        bound: those that get another object, in its own body or in a nested function.
        dropped: those that it deletes or sets to None: who does so wants the argument freed.
    """

    bound: frozenset[int]
    dropped: frozenset[int]


def changes(code: CodeType, ops: bytes, args: bytes) -> Changes:
    """Return which of its parameters a function binds anew or drops."""
    parameters = count(code)
    if not parameters or not code.co_flags & interpreter.OPTIMIZED:
        return _NO_CHANGES
    bound, dropped = stored_slots(code, ops, args)
    cells = set(code.co_cellvars)
    for slot, name in enumerate(code.co_varnames[:parameters]):
        if name in cells and any(stores_free(constant, name) for constant in code.co_consts):
            bound.add(slot)
    return Changes(
        frozenset(slot for slot in bound if slot < parameters), frozenset(slot for slot in dropped if slot < parameters)
    )


_NO_CHANGES = Changes(frozenset(), frozenset())


def kept(code: CodeType, ops: bytes, args: bytes) -> tuple[int, ...]:
    """Return the slots of the parameters whose objects are to be kept from the entry on, for a restart.

    Those are the ones that the function binds anew. Who drops an argument wants it freed, and who makes weak references
    cares when: those functions keep none, and so cannot be restarted once they have changed an argument.
    """
    bound, dropped = changes(code, ops, args)
    if not bound or not _LIFETIMES.isdisjoint(code.co_names):
        return ()
    return tuple(sorted(bound - dropped))


def changed_keywords(code: CodeType, ops: bytes) -> int | None:
    """Return the slot of a `**keywords` parameter whose dict the function seems to change, else None.

    The dict belongs to the call alone, so what the function takes out of it would be missing in a second call.
    """
    if not code.co_flags & interpreter.VARKEYWORDS or not code.co_flags & interpreter.OPTIMIZED:
        return None
    seems_changed = not _DICT_CHANGES.isdisjoint(code.co_names)
    seems_changed = seems_changed or any(op in ops for op in (OPCODE["STORE_SUBSCR"], OPCODE["DELETE_SUBSCR"]))
    return count(code) - 1 if seems_changed else None


def stored_slots(code: CodeType, ops: bytes, args: bytes) -> tuple[set[int], set[int]]:
    """Return the local slots that code stores an object into, and those that it deletes or sets to None."""
    stored: set[int] = set()
    dropped: set[int] = set()
    for found in _STORE.finditer(ops):  # caches are zeros, so what is found is an instruction
        at = found.start()
        name = NAME[ops[at]]
        arg = args[at]
        extension = at - 1
        while extension >= 0 and ops[extension] == _EXTENDED_ARG:
            arg |= args[extension] << 8 * (at - extension)
            extension -= 1
        to_none = at > 0 and _loads_none(code, ops[at - 1], args[at - 1])
        if name in ("STORE_FAST", "STORE_DEREF"):
            (dropped if to_none else stored).add(arg)
        elif name in ("DELETE_FAST", "DELETE_DEREF"):
            dropped.add(arg)
        elif name == "STORE_FAST_STORE_FAST":
            stored.update((arg >> 4, arg & 15))
        elif name == "STORE_FAST_LOAD_FAST":
            (dropped if to_none else stored).add(arg >> 4)
    return stored, dropped


def _loads_none(code: CodeType, op: int, arg: int) -> bool:
    if op == _LOAD_CONST:
        return code.co_consts[arg] is None
    return op == _LOAD_COMMON_CONSTANT and arg == interpreter.COMMON_NONE


_STORES = bytes(
    op for op, name in enumerate(NAME) if name.startswith(("STORE_FAST", "STORE_DEREF", "DELETE_FAST", "DELETE_DEREF"))
)
_STORE = re.compile(b"[" + re.escape(_STORES) + b"]", re.DOTALL)


def stores_free(constant: object, name: str) -> bool:
    """Tell whether a nested function, or one nested in it, assigns to the captured variable `name`."""
    if not isinstance(constant, CodeType) or name not in constant.co_freevars:
        return False
    slots = len(constant.co_varnames) + sum(cell not in constant.co_varnames for cell in constant.co_cellvars)
    slot = slots + constant.co_freevars.index(name)
    raw = constant.co_code
    stored, _ = stored_slots(constant, raw[::2], raw[1::2])
    return slot in stored or any(stores_free(nested, name) for nested in constant.co_consts)
