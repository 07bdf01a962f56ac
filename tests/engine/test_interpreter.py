"""The facts about the running interpreter, each tried."""

from __future__ import annotations

import dis
import subprocess
import sys
from types import CodeType, FunctionType

import pytest

from fixcont.bytecode import interpreter
from fixcont.bytecode.interpreter import DIRECTION, HAS_ARGUMENT, NAME, OPCODE, UNITS
from support import heap


def code_of(source: str) -> CodeType:
    """Give the code of the first function of a text."""
    return next(constant for constant in compile(source, "fact.py", "exec").co_consts if isinstance(constant, CodeType))


def names(code: CodeType) -> list[str]:
    """Give the names of the instructions as they lie in `co_code`."""
    ops = code.co_code[::2]
    found = []
    at = 0
    while at < len(ops):
        found.append(NAME[ops[at]])
        at += UNITS[ops[at]]
    assert at == len(ops)
    return found


SOURCES = [
    "def f(a, b):\n    for x in a:\n        with b as c:\n            if x is None: continue\n            if x is not None: c(x)\n            while not a: b.x(y=2)\n",
    "async def f(a):\n    async for x in a:\n        async with x: await x\n    return [y async for y in a]\n",
    "def f(a):\n    try: a.b[1] += 2\n    except* KeyError: pass\n    yield from a\n",
]


@pytest.mark.parametrize("source", SOURCES)
def test_units_and_jumps(source: str) -> None:
    code = code_of(source)
    ops, args = code.co_code[::2], code.co_code[1::2]
    expected = {each.offset: each for each in dis.get_instructions(code, show_caches=False)}
    at = 0
    extended = 0
    while at < len(ops):
        op = ops[at]
        assert expected[2 * at].opcode == op
        extended = extended << 8 | args[at]
        if NAME[op] == "EXTENDED_ARG":
            at += 1
            continue
        if DIRECTION[op]:
            assert expected[2 * at].argval == 2 * (at + UNITS[op] + extended * DIRECTION[op])
        assert HAS_ARGUMENT[op] == (expected[2 * at].arg is not None)
        extended = 0
        at += UNITS[op]


def test_flags() -> None:
    assert code_of("def f(): pass").co_flags & interpreter.OPTIMIZED
    assert not compile("", "fact.py", "exec").co_flags & interpreter.OPTIMIZED
    assert code_of("def f(*a): pass").co_flags & interpreter.VARARGS
    assert code_of("def f(**a): pass").co_flags & interpreter.VARKEYWORDS
    assert code_of("def f(): yield").co_flags & interpreter.GENERATOR
    assert code_of("async def f(): pass").co_flags & interpreter.COROUTINE
    assert code_of("async def f(): yield").co_flags & interpreter.ASYNC_GENERATOR
    import types

    made = types.coroutine(FunctionType(code_of("def f(): yield"), {}))
    assert made.__code__.co_flags & interpreter.ITERABLE_COROUTINE


def test_conditional_jumps() -> None:
    found = names(code_of("def f(a):\n    if a is None: return 1\n    if a is not None: return 2\n    return a or 3\n"))
    assert interpreter.JUMP_IF_NOT_NONE in found
    assert interpreter.JUMP_IF_NONE in found
    assert interpreter.JUMP_IF_TRUE in OPCODE
    at = found.index(interpreter.JUMP_IF_NONE)
    assert (found[at + 1] == "NOT_TAKEN") == interpreter.HAS_NOT_TAKEN


def test_calls() -> None:
    found = names(code_of("def f(a):\n    return a()\n"))
    null, call = found.index("PUSH_NULL"), next(at for at, name in enumerate(found) if name.startswith("LOAD_FAST"))
    assert (null < call) == interpreter.NULL_BEFORE_CALLABLE
    assert ("PRECALL" in found) == interpreter.HAS_PRECALL
    assert (OPCODE["MAKE_FUNCTION"] in dis.hasarg if hasattr(dis, "hasarg") else True) == interpreter.MAKE_FUNCTION_HAS_FLAGS


def test_cells_are_loaded() -> None:
    code = code_of("def f(a):\n    return lambda: a\n")
    assert any(name.startswith(interpreter.LOAD_CELL) for name in names(code)), "or one that borrows"


def test_blocks() -> None:
    found = names(code_of("def f(a):\n    with a: pass\n"))
    assert ("LOAD_SPECIAL" in found) == interpreter.WITH_KEEPS_SELF
    assert (
        dis.stack_effect(OPCODE["GET_ITER"], 0 if HAS_ARGUMENT[OPCODE["GET_ITER"]] else None) == 1
    ) == interpreter.LOOP_KEEPS_INDEX


def test_how_none_is_loaded() -> None:
    code = code_of("def f(a):\n    a = None\n    return a\n")
    loads = [(NAME[op], arg) for op, arg in zip(code.co_code[::2], code.co_code[1::2]) if NAME[op].startswith("LOAD_CO")]
    if interpreter.COMMON_NONE < 0:
        assert loads == [("LOAD_CONST", code.co_consts.index(None))]
    else:
        assert loads == [("LOAD_COMMON_CONSTANT", interpreter.COMMON_NONE)]


def test_kinds_of_resume() -> None:
    code = code_of("async def f(a):\n    await a\n    yield 1\n")
    kinds = [arg & interpreter.RESUME_KIND_MASK for op, arg in zip(code.co_code[::2], code.co_code[1::2]) if NAME[op] == "RESUME"]
    assert kinds[0] == 0
    assert set(kinds[1:]) <= {1, 2, 3}
    assert {1, 3} <= set(kinds)


def test_locals_write_through() -> None:
    def change() -> int:
        value = 1
        sys._getframe().f_locals["value"] = 2
        return value

    assert (change() == 2) == interpreter.LOCALS_WRITE_THROUGH


def test_reading_an_unbound_local_is_checked_by_an_instruction_of_its_own() -> None:
    found = names(code_of("def f(a):\n    if a: b = 1\n    return b\n"))
    assert ("LOAD_FAST_CHECK" in found) == interpreter.LOAD_FAST_IS_UNCHECKED


def test_a_program_that_freezes_hides_more_than_the_interpreter() -> None:
    source = "import gc; before = gc.get_freeze_count(); gc.freeze(); print(before, gc.get_freeze_count())"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", source], capture_output=True, text=True, check=True, timeout=60)
    before, after = map(int, done.stdout.split())
    assert before <= heap.FROZEN_AT_START < after


def test_the_fingerprint_names_this_interpreter() -> None:
    assert interpreter.FINGERPRINT[-1] == sys.hexversion
    assert interpreter.IS_KNOWN


def test_every_opcode_is_known_by_number_and_name() -> None:
    assert all(NAME[number] == name for name, number in OPCODE.items())
    assert all(units >= 1 for units in UNITS)
    assert len(UNITS) == len(NAME) == len(HAS_ARGUMENT) == len(DIRECTION) == 256
