"""Traps in every kind of code object: verified, plain data, taken out again without a trace."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import dataclasses
import decimal
import enum
import inspect
import itertools
import json
import logging
import marshal
import pickle
import subprocess
import sys
import tarfile
import textwrap
import typing
import unittest.mock
from collections.abc import Iterator
from types import CodeType, ModuleType

import pytest

from fixcont.bytecode import traps
from fixcont.bytecode.exceptiontable import parse
from fixcont.bytecode.interpreter import NAME
from fixcont.bytecode.original import is_trapped, kept_parameters, original_end, original_view, untrapped
from fixcont.bytecode.stack import symbolic_stacks
from fixcont.bytecode.traps import trap
from support.session import child_environment

MODULES = [
    argparse, asyncio.base_events, asyncio.tasks, contextlib, dataclasses, decimal, enum, inspect, json.decoder, logging, subprocess,
    tarfile, textwrap, typing, unittest.mock,
]  # fmt: skip

KINDS = {
    "module": "for x in [1]: 1 / 0",
    "function": "def f(a, *b, c=1, **d):\n    with a:\n        for x in b: c(x)\n",
    "lambda": "f = lambda a: 1 / a",
    "generator": "def f(a):\n    for x in a:\n        with x: yield x\n",
    "coroutine": "async def f(a):\n    async with a:\n        async for x in a: await x\n",
    "async generator": "async def f(a):\n    async with a:\n        async for x in a: yield x\n",
    "list comprehension": "def f(a): return [x / y for x in a for y in x]",
    "set comprehension": "def f(a): return {x / y for x in a for y in x}",
    "dict comprehension": "def f(a): return {x: y for x in a for y in x}",
    "generator expression": "def f(a): return (x / y for x in a for y in x)",
    "async comprehension": "async def f(a): return [await x async for x in a]",
    "class body": "class C:\n    for x in [1]:\n        def m(self): return __class__\n",
    "cells": "def f(a):\n    b = 1\n    def g():\n        nonlocal a, b\n        a = b = 2\n        return a + b\n    return g\n",
    "handlers": "def f(a):\n    try:\n        with a: a()\n    except (KeyError, ValueError) as e: a(e)\n    else: a()\n    finally: a()\n",
    "groups": "def f(a):\n    for x in a:\n        try: x()\n        except* KeyError as e: x(e)\n",
    "match": "def f(a):\n    match a:\n        case [x, *y] if x: return y\n        case {'k': v}: return v\n        case str(): return a\n",
    "return in finally": "def f(a):\n    for x in a:\n        try: return a()\n        finally: a.b()\n",
    "yield from": "def f(a):\n    try: x = yield from a\n    finally: a()\n    return x\n",
    "rebound arguments": "def f(a, b, *c, **d):\n    a = b\n    for b in c: d.pop(b)\n    c = d = 1\n    return a\n",
    "deleted": "def f(a):\n    x = 1\n    del x\n    for y in a: del y\n",
    "no constants": "def f(): f()\n",
}


def codes(code: CodeType) -> Iterator[CodeType]:
    """Give a code object and all that are nested in it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from codes(constant)


#: A row of the compiler's own goes on to the end of a generator expression, whose loop has left the stack by then.
RAISE_NOTHING = {"LOAD_COMMON_CONSTANT", "RETURN_VALUE"}


def verify(code: CodeType) -> None:
    """Run trapped code symbolically, all rows included: nothing is inconsistent, and the stack never gets too deep."""
    raw = code.co_code
    rows = parse(code.co_exceptiontable)
    for one, other in itertools.pairwise(rows):
        assert one.start < one.end <= other.start
    stacks = symbolic_stacks(raw[::2], raw[1::2], rows)
    deepest = max(len(stack) for stack in stacks if stack is not None)
    assert deepest <= code.co_stacksize, code.co_qualname
    for row in rows:
        for at in range(row.start, min(row.end, original_end(code) // 2)):
            stack = stacks[at]
            assert stack is None or len(stack) >= row.depth or NAME[raw[2 * at]] in RAISE_NOTHING, code.co_qualname


def compare_all_fields(one: CodeType, other: CodeType) -> None:
    assert one == other
    for name in dir(one):
        if name.startswith("co_") and name not in ("co_lines", "co_positions", "co_branches", "co_lnotab", "co_consts"):
            assert getattr(one, name) == getattr(other, name), name
    assert [*one.co_positions()] == [*other.co_positions()]
    assert [*one.co_lines()] == [*other.co_lines()]
    assert len(one.co_consts) == len(other.co_consts)


def trapped_whole(original: CodeType) -> CodeType:
    """Return the code with traps; none of its code objects may be left without."""
    traps.left_alone.clear()
    trapped = trap(original)
    assert not traps.left_alone
    return trapped


@pytest.mark.parametrize("source", KINDS.values(), ids=KINDS)
def test_every_kind_of_code_object(source: str) -> None:
    original = compile(source, "kinds.py", "exec")
    trapped = trapped_whole(original)
    for plain, changed in zip(codes(original), codes(trapped)):
        assert is_trapped(changed) and not is_trapped(plain)
        compare_all_fields(untrapped(changed), plain)
        view = original_view(changed)
        ops = plain.co_code[::2]
        assert view.ops[len(view.ops) - len(ops) :] == ops
        if not kept_parameters(changed):
            assert view.rows == parse(plain.co_exceptiontable)
    assert trap(trapped) is trapped
    assert untrapped(original) is original


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_the_standard_library_verifies(module: ModuleType) -> None:
    assert module.__file__ is not None
    with open(module.__file__, "rb") as file:
        original = compile(file.read(), module.__file__, "exec", dont_inherit=True)
    trapped = trapped_whole(original)
    for each in codes(trapped):
        if is_trapped(each):
            verify(each)
    for plain, back in zip(codes(original), codes(untrapped(trapped)), strict=True):
        compare_all_fields(back, plain)


def test_lines_and_positions_stay(tmp_path: object) -> None:
    source = "def f(a, b):\n    a = b\n    return (a +\n        b.c)\n"
    original = compile(source, "lines.py", "exec").co_consts[0]
    trapped = trap(original)
    prefix = len(original_view(trapped).ops) - len(original.co_code) // 2
    moved = [*trapped.co_positions()][prefix : prefix + len(original.co_code) // 2]
    assert moved == [*original.co_positions()]
    assert trapped.co_firstlineno == original.co_firstlineno


@pytest.mark.parametrize("version", [2, marshal.version])
def test_trapped_code_is_plain_data(version: int) -> None:
    trapped = trap(compile("def f(a):\n    return 1 / a\nresult = f(2)\n", "data.py", "exec"))
    names: dict[str, object] = {}
    exec(marshal.loads(marshal.dumps(trapped, version)), names)
    assert names["result"] == 0.5
    assert is_trapped(marshal.loads(marshal.dumps(trapped, version)))
    with pytest.raises(TypeError):
        pickle.dumps(trapped)  # as any code object


def test_a_process_without_a_hook_runs_trapped_code(tmp_path: object) -> None:
    source = "def f(a):\n    for x in [a]:\n        with open('/dev/null'):\n            return 1 / x\ntry: f(0)\nexcept ZeroDivisionError as e: print(e)\n"
    data = marshal.dumps(trap(compile(source, "child.py", "exec")))
    script = f"import marshal\nexec(marshal.loads({data!r}))\nimport sys\nprint([m for m in sys.modules if 'fixcont' in m])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=child_environment(), check=False)
    assert (done.stdout, done.stderr) == ("division by zero\n[]\n", "")


BIG = {
    "constants": "x = [\n" + "\n".join(f"'c{number}'," for number in range(70_000)) + "]\ndef f(a):\n    for x in a: 1 / x\n",
    "constants of a function": "def f(a):\n    x = [" + ",".join(f"a({number}.5)" for number in range(300)) + "]\n",
    "locals": "def f(a):\n" + "".join(f"    v{number} = a\n" for number in range(400)) + "    for x in a: 1 / x\n",
    "cells": "def f(a):\n"
    + "".join(f"    v{number} = a\n" for number in range(300))
    + "    def g():\n        for x in a: return " + " + ".join(f"v{number}" for number in range(300)) + " / 0\n    return g\n",
    "lines": "def f(a):\n    for x in a:\n" + "        if a: x = a\n" * 30_000,
    "loops": "def f(a):\n" + "".join("    " * (depth + 1) + f"for x{depth} in a:\n" for depth in range(15)) + "    " * 16 + "1 / a\n",
    "withs": "def f(a):\n" + "".join("    " * (depth + 1) + f"with a as x{depth}:\n" for depth in range(15)) + "    " * 16 + "1 / a\n",
}  # fmt: skip


@pytest.mark.parametrize("source", BIG.values(), ids=BIG)
def test_big_code(source: str) -> None:
    original = compile(source, "big.py", "exec")
    trapped = trapped_whole(original)
    for plain, changed in zip(codes(original), codes(trapped)):
        verify(changed)
        assert untrapped(changed) == plain


def test_what_cannot_carry_traps_is_on_record_and_stays_as_it_is() -> None:
    traps.left_alone.clear()
    good = compile("def f(a):\n    return 1 / a\n", "wrong.py", "exec").co_consts[0]
    wrong = good.replace(co_exceptiontable=b"\x80\x42\x41\x03")  # a handler outside of the code
    assert trap(wrong) == wrong
    assert list(traps.left_alone) == [("wrong.py", "f", 1)]
    traps.left_alone.clear()


def test_the_prefix_keeps_only_what_is_rebound() -> None:
    def kept(source: str) -> list[str]:
        code = trap(compile(source, "kept.py", "exec")).co_consts[0]
        return [code.co_varnames[slot] for slot in kept_parameters(code)]

    assert kept("def f(a, b): return a + b\n") == []
    assert kept("def f(a, b): a = b\n") == ["a"]
    assert kept("def f(a, *, b): b += 1\n") == ["b"]
    assert kept("def f(a, **b): b.pop(1)\n") == ["b"]


def test_the_names_of_a_body_stay_when_somebody_looks_at_them() -> None:
    """A comprehension that is never reached has a variable of the same name, which 3.12 would take for the body's own."""
    text = """
class C:
    v = 5
    try:
        raise ValueError
    except ValueError:
        pass
    else:
        n = [v for v in (1, 2)]
    look()
    z = v
"""
    names = {"look": lambda: sys._getframe(1).f_locals, "__name__": "bodies"}
    exec(trap(compile(text, "bodies.py", "exec")), names)
    assert names["C"].z == 5  # type: ignore[attr-defined]


def test_the_end_of_a_long_async_loop_in_an_expression_is_left_as_it_is() -> None:
    text = f"async def f(a): return [{' + '.join(['x'] * 300)} async for x in a]"
    plain = next(code for code in codes(compile(text, "long.py", "exec")) if "GET_ANEXT" in operations(code))
    ops = operations(plain)
    ends = [row for row in parse(plain.co_exceptiontable) if "END_ASYNC_FOR" in ops[row.target : row.target + 2]]
    assert ends
    kept = [(row.start, row.end, row.target) for row in parse(trap(plain).co_exceptiontable)]
    assert all((row.start, row.end, row.target) in kept for row in ends)


def operations(code: CodeType) -> list[str]:
    return [NAME[op] for op in code.co_code[::2]]
