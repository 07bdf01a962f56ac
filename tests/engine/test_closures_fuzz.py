"""Random edits of what nested functions of all kinds capture: each function gives what the newest text says, or is named in a warning.

FIXCONT_CLOSURE_PROGRAMS sets how many programs are tried (8 if it is not set).
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Callable
from typing import Any

import pytest

from fixcont.editing.result import InstallStatus
from support.front_end import LiveProgram

Live = Callable[..., LiveProgram]

PROGRAMS = int(os.environ.get("FIXCONT_CLOSURE_PROGRAMS", "8"))
VARIABLES = "abcde"
#: What each function of the program is: its definition, with VALUE for what it gives, and how it is got hold of, as F.
KINDS = {
    "plain": ("def F():\n    return VALUE", "F"),
    "lambda": ("F = lambda: VALUE", "F"),
    "generator": ("def F():\n    yield VALUE", "F"),
    "coroutine": ("async def F():\n    return VALUE", "F"),
    "asynchronous generator": ("async def F():\n    yield VALUE", "F"),
    "decorated": ("@wrapped\ndef F():\n    return VALUE", "F"),
    "partial": ("def F(x):\n    return VALUE", "functools.partial(F, 1)"),
    "rebinds an argument": ("def F(x=0):\n    x = VALUE\n    return x", "F"),
    "has cells of its own": ("def F():\n    x = VALUE\n    return (lambda: x)()", "F"),
    "further in": ("def F():\n    def G():\n        return VALUE\n    return G", "F()"),
    "comprehension": ("def F():\n    return [VALUE for x in [1]][0]", "F"),
    "method": ("class F(Base):\n    def f(self):\n        return VALUE", "F().f"),
    "class method": ("class F(Base):\n    @classmethod\n    def f(cls):\n        return VALUE", "F.f"),
    "static method": ("class F(Base):\n    @staticmethod\n    def f():\n        return VALUE", "F.f"),
    "property": ("class F(Base):\n    @property\n    def f(self):\n        return VALUE", "(lambda o: lambda: o.f)(F())"),
    "method of an inner class": ("class F:\n    class G(Base):\n        def f(self):\n            return VALUE", "F.G().f"),
}
_METHODS = ("method", "class method", "property", "method of an inner class")
HEAD = """
import functools
class Base:
    who = "base"
def wrapped(function):
    @functools.wraps(function)
    def wrapper(*args): return function(*args)
    return wrapper
"""


class Version:
    """What each function captures in one text."""

    def __init__(self, kinds: list[str], captured: list[str], *, stays: bool) -> None:
        self.kinds, self.captured, self.stays = kinds, captured, stays

    @property
    def text(self) -> str:
        lines = ["def outer(n):", *(f"    {name} = n, {name!r}" for name in VARIABLES)]
        held = []
        for index, (kind, captured) in enumerate(zip(self.kinds, self.captured, strict=True)):
            definition, getting = KINDS[kind]
            value = "[" + ", ".join({"s": "super().who", "k": "__class__.__name__"}.get(each, each) for each in captured) + "]"
            lines += ["    " + line for line in definition.replace("VALUE", value).replace("F", f"f{index}").splitlines()]
            held.append(getting.replace("F", f"f{index}"))
        # It captures a variable, so that there is one to assign to from outside, and a trace of the activation.
        lines += ["    def assign(value):", "        nonlocal a", "        a = value", "        return a"]
        lines += [f"    {'yield' if self.stays else 'return'} [{', '.join(held)}], assign"]
        return HEAD + "\n".join(lines) + "\n"

    def expected(self, index: int, values: dict[str, Any]) -> list[Any]:
        name = "G" if self.kinds[index] == "method of an inner class" else f"f{index}"
        return [{"s": "base", "k": name}.get(each) or values[each] for each in self.captured[index]]


def random_version(kinds: list[str], numbers: random.Random, *, stays: bool) -> Version:
    captured = []
    for kind in kinds:
        more = (
            numbers.choice(["", "s", "k"]) if kind in _METHODS else numbers.choice(["", "k"]) if kind == "static method" else ""
        )
        captured.append("".join(sorted(numbers.sample(VARIABLES, numbers.randrange(4)))) + more)
    return Version(kinds, captured, stays=stays)


def called(function: Callable[[], Any]) -> Any:
    """Call a function of any kind to its end, and give its one value."""
    made = function()
    if hasattr(made, "__anext__"):

        async def collect() -> list[Any]:
            return [each async for each in made]

        return asyncio.run(collect())[0]
    if hasattr(made, "__await__"):

        async def wait() -> Any:
            return await made

        return asyncio.run(wait())
    return next(made) if hasattr(made, "__next__") else made


@pytest.mark.parametrize("stays", [True, False], ids=["suspended", "returned"])
@pytest.mark.parametrize("seed", range(PROGRAMS))
def test_every_function_is_of_the_newest_text_or_named(live: Live, seed: int, stays: bool) -> None:
    numbers = random.Random(seed)
    kinds = numbers.sample(list(KINDS), 6)
    first, second, third = (random_version(kinds, numbers, stays=stays) for _ in range(3))
    program = live(first.text)
    frames = []

    def activate(n: int) -> tuple[list[Any], Any]:
        made = program.names["outer"](n)
        frames.append(made)
        result: tuple[list[Any], Any] = next(made) if stays else made
        return result

    made = {n: activate(n) for n in (1, 2)}
    values: dict[int, dict[str, Any]] = {n: {name: (n, name) for name in VARIABLES} for n in made}
    running = {(n, index): first for n in made for index in range(len(kinds))}
    named = ""
    for version in (second, third, second, first, first, third):
        program.program.path.write_text(version.text)
        result = program.session.sources.install_changes()
        if result.status is not InstallStatus.UNCHANGED:  # else what was said before is still so
            assert result.status is InstallStatus.INSTALLED
            named = " ".join(each.sentence for each in result.warnings)
        assert {each.code for each in result.warnings} <= {"closure-changed"}
        if (
            stays
        ):  # The frame has all variables. Where a function comes from that has none of them, and no name there, cannot be told.
            assert all("<locals>.G now" in each.sentence or "<lambda>" in each.sentence for each in result.warnings), named
        for n, (functions, assign) in made.items():
            values[n]["a"] = assign((n, str(version)))
            for index, function in enumerate(functions):
                got = called(function)
                if got == version.expected(index, values[n]):
                    running[n, index] = version
                else:
                    assert (f"f{index}" if kinds[index] != "lambda" else "<lambda>") in named, (version.text, got)
                    assert got == running[n, index].expected(index, values[n])
        fresh = activate(5)[0]
        expected = {name: (5, name) for name in VARIABLES}
        assert [called(each) for each in fresh] == [version.expected(index, expected) for index in range(len(kinds))]
