"""Facts about the running interpreter, named by behaviour. The only module that compares versions of Python.

Each fact was tried on 3.11.7, 3.12.1, 3.13.0, 3.14.8 and 3.15.0 (tests/engine/test_interpreter.py tries them again).
"""

from __future__ import annotations

import opcode
import sys
from typing import Final

_VERSION: Final = sys.version_info[:2]

#: Whether this interpreter is one that the engine was tried on; elsewhere no code object gets traps.
IS_KNOWN: Final = (3, 11) <= _VERSION <= (3, 15) and sys.implementation.name == "cpython"

OPCODE: Final[dict[str, int]] = {name: number for name, number in opcode.opmap.items() if number < 256}
NAME: Final[list[str]] = [opcode.opname[number] for number in range(256)]

# -- code flags (stable since 3.6, see Include/cpython/code.h)
OPTIMIZED: Final = 0x01
VARARGS: Final = 0x04
VARKEYWORDS: Final = 0x08
GENERATOR: Final = 0x20
COROUTINE: Final = 0x80
ITERABLE_COROUTINE: Final = 0x100
ASYNC_GENERATOR: Final = 0x200


def _cache_units(number: int) -> int:
    """Code units of inline cache behind an instruction. The table is keyed by number to 3.12, by name since."""
    table = opcode._inline_cache_entries  # type: ignore[attr-defined]
    if hasattr(table, "get"):
        return int(table.get(NAME[number], 0))
    return int(table[number]) if number < len(table) else 0


def _has_argument(number: int) -> bool:
    return number in opcode.hasarg if hasattr(opcode, "hasarg") else number >= opcode.HAVE_ARGUMENT


#: Code units of an instruction with its caches, by opcode.
UNITS: Final[list[int]] = [1 + _cache_units(number) for number in range(256)]
HAS_ARGUMENT: Final[list[bool]] = [_has_argument(number) for number in range(256)]
#: END_ASYNC_FOR has a jump-like argument from 3.14 on, but it does not jump.
JUMPS: Final = frozenset(number for number in opcode.hasjrel if number < 256 and NAME[number] != "END_ASYNC_FOR")
#: +1 for jumps forward, -1 for jumps backward, 0 for what does not jump; by opcode. All jumps are relative since 3.11.
DIRECTION: Final[list[int]] = [(-1 if "BACKWARD" in NAME[number] else 1) if number in JUMPS else 0 for number in range(256)]

# -- names that changed
JUMP_IF_NOT_NONE: Final = "POP_JUMP_FORWARD_IF_NOT_NONE" if _VERSION == (3, 11) else "POP_JUMP_IF_NOT_NONE"
JUMP_IF_NONE: Final = "POP_JUMP_FORWARD_IF_NONE" if _VERSION == (3, 11) else "POP_JUMP_IF_NONE"
JUMP_IF_TRUE: Final = "POP_JUMP_FORWARD_IF_TRUE" if _VERSION == (3, 11) else "POP_JUMP_IF_TRUE"
#: The instruction that puts the cell itself, not what it holds, on the stack.
LOAD_CELL: Final = "LOAD_CLOSURE" if _VERSION <= (3, 12) else "LOAD_FAST"

# -- calls: 3.11 and 3.12 push NULL before the callable, later ones behind it; 3.11 has PRECALL
NULL_BEFORE_CALLABLE: Final = _VERSION <= (3, 12)
HAS_PRECALL: Final = _VERSION == (3, 11)
#: The argument of LOAD_COMMON_CONSTANT that loads None; -1 where LOAD_CONST does that, up to 3.14.
COMMON_NONE: Final = next((at for at, value in enumerate(getattr(opcode, "_common_constants", ())) if value is None), -1)
#: MAKE_FUNCTION takes flags as its argument up to 3.12.
MAKE_FUNCTION_HAS_FLAGS: Final = _VERSION <= (3, 12)
#: A conditional jump is followed by NOT_TAKEN (for the events of sys.monitoring).
HAS_NOT_TAKEN: Final = "NOT_TAKEN" in OPCODE

# -- what blocks keep on the stack
#: `with` keeps the exit and its self, which may be NULL; before 3.14 a bound exit only.
WITH_KEEPS_SELF: Final = _VERSION >= (3, 14)
#: `for` keeps an index (a tagged int) or NULL beside the iterator.
LOOP_KEEPS_INDEX: Final = _VERSION >= (3, 15)

# -- where an exception may find a generator
#: Values of RESUME's argument (its low two bits): 0 at a function's start, 1 after yield, 2 after yield from, 3 after await.
RESUME_KIND_MASK: Final = 3
#: The kinds of RESUME at which an exception comes up: at a function's start that of a signal's handler, and behind a yield what is thrown
#: into a generator. Up to 3.12 that comes up at the YIELD_VALUE.
RAISING_RESUMES: Final = (0, 1) if _VERSION >= (3, 13) else (0,)

# -- watching a program
#: There is `sys.monitoring`.
HAS_MONITORING: Final = hasattr(sys, "monitoring")
#: An exception that is raised as a function returns, or begins, finds a handler of the function itself. Where only `sys.settrace` tells of it,
#: it leaves the function.
RETURN_IS_INSIDE: Final = HAS_MONITORING

# -- frames
#: `frame.f_locals` of a function writes through to the frame (PEP 667).
LOCALS_WRITE_THROUGH: Final = _VERSION >= (3, 13)
#: Copying a snapshot of the locals back can unbind those that are not in it. 3.12 gives them None.
SNAPSHOT_UNBINDS: Final = _VERSION < (3, 12)
#: Reading a local by LOAD_FAST is not checked: an unbound one crashes. 3.11 checks each read.
LOAD_FAST_IS_UNCHECKED: Final = _VERSION >= (3, 12)

#: Identifies the exact interpreter: code templates come from its own compiler.
FINGERPRINT: Final = (sys.implementation.name, tuple(sys.version_info), sys.hexversion)

stack_effect = opcode.stack_effect

# -- the module `__main__`, as `python SCRIPT` and `python -m MODULE` make it (seen in its `globals()` on each version)
#: It starts with an empty `__annotations__`; later ones compute it when it is asked for.
MAIN_HAS_ANNOTATIONS: Final = _VERSION <= (3, 13)
#: It has `__cached__`, None for a script.
MAIN_HAS_CACHED: Final = _VERSION <= (3, 14)
#: The interpreter leaves the uncaught exception in `sys.last_exc`, and not only in `sys.last_value` and its two neighbours.
KEEPS_LAST_EXC: Final = _VERSION >= (3, 12)
#: A script that ends by SystemExit keeps `__file__` in `__main__` for exit handlers; else it is gone by then.
EXIT_KEEPS_MAIN_FILE: Final = _VERSION <= (3, 13)

# -- the collector
#: At most so many objects are hidden from it (`gc.get_freeze_count`) where the program has called no `gc.freeze`, which hides more: 375 on
#: 3.12.1, where the interpreter's start leaves them so, none on others.
FROZEN_AT_START: Final = 1000 if _VERSION == (3, 12) else 0
