"""Random commands at random programs: `python -m fixcont.pdb` says what `python -m pdb` says."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

import pytest

from support.programs import Program
from support.session import run_python

pytestmark = pytest.mark.slow

PROGRAMS = (
    """\
def f(n):
    if n <= 0:
        return 0
    total = 0
    for i in range(n): total += i
    return total + g(n - 1)

def g(n):
    try:
        if n == 2:
            raise KeyError(n)
        return f(n - 1)
    except KeyError as e:
        return -1
    finally:
        x = n

class C:
    def m(self, a):
        return [self.h(b) for b in a]
    def h(self, b):
        return b * 2

def gen(n):
    for i in range(n):
        y = yield i
        if y:
            return y

for k in range(4):
    f(k)
c = C(); c.m([1, 2])
for v in gen(3):
    c.h(v)
w = lambda q: q + 1
w(1)
print("end")
""",
    """\
import asyncio
async def f(n):
    await asyncio.sleep(0)
    if n:
        return await f(n - 1)
    return n
async def g():
    for i in range(3):
        yield i
async def main():
    async for i in g():
        await f(i)
    try:
        await asyncio.gather(f(1), f(2))
    finally:
        z = 1
    with open(__file__) as s:
        line = s.readline()
    return z
asyncio.run(main())
x = 0
while x < 3: x += 1
def deco(fn):
    def inner(*args):
        return fn(*args)
    return inner
@deco
def h(n):
    return n
h(1)
h(2)
print("end", x)
""",
)
PLAIN_WORDS = "c c c n n s s r unt up down w b".split()
LINES = "b {n}", "b {n}", "tbreak {n}", "b {n}, k == 2", "unt {n}", "b f", "b g", "b h"
NUMBERS = "cl 1", "cl 2", "disable 1", "enable 1", "ignore 1 1", "condition 2 n > 1", "l .", "p n if 'n' in dir() else 0"

_HINT = re.compile(r"^Nothing has unwound yet.*\n", re.MULTILINE)


def commands(chance: random.Random, lines: int) -> list[str]:
    choices = [*PLAIN_WORDS, *LINES, *NUMBERS]
    return [chance.choice(choices).format(n=chance.randint(1, lines)) for _ in range(chance.randint(8, 25))]


def said(launcher: str, program: Program, typed: list[str]) -> str:
    """Return what is said up to where the program's last line is shown: behind that, pdb steps through itself on 3.14."""
    ended = run_python(
        ["-m", launcher, program.path],
        folder=program.folder,
        environment={"HOME": str(program.folder)},
        stdin="".join(f"{line}\n" for line in [*typed, "q", "q", "q"]),
    )
    text = re.sub(r"_genera\.\.\.\w+|0x[0-9a-f]+", "0x", _HINT.sub("", ended.output))
    return text.partition('-> print("end"')[0]


@pytest.mark.parametrize("seed", range(12))
def test_it_says_what_pdb_says(seed: int, small_program: Callable[[str], Program]) -> None:
    chance = random.Random(seed)
    text = chance.choice(PROGRAMS)
    program = small_program(text)
    typed = commands(chance, text.count("\n"))

    assert said("fixcont.pdb", program, typed) == said("pdb", program, typed), typed
