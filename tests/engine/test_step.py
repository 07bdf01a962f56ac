"""Steps: where each of them leads, in all kinds of functions; and that nothing stays watched."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from support.front_end import LiveProgram
from support.steps import INTO, OUT, OVER, UNTIL, walk

Live = Callable[..., LiveProgram]

FUNCTIONS = """
def outer(n):
    total = 0  # @start
    for each in range(n):  # @for
        total += inner(each)  # @body
    return total  # @end

def inner(value):  # @def
    doubled = value * 2  # @double
    return doubled  # @back
"""


@pytest.mark.parametrize(
    "rows",
    [
        [(OVER, "@for"), (OVER, "@body"), (OVER, "@for"), (OVER, "@end"), (OVER, "@end return 0")],
        [(OVER, "@for"), (OVER, "@body"), (INTO, "@def call"), (INTO, "@double"), (INTO, "@back"), (INTO, "@back return 0"), (INTO, "@for")],
        [(OVER, "@for"), (OVER, "@body"), (INTO, "@def call"), (OUT, "@back return 0"), (OVER, "@for"), (OVER, "@end")],
        [(OVER, "@for"), (OVER, "@body"), (UNTIL, "@end")],
        [(UNTIL, "@for"), (UNTIL, "@body"), (UNTIL, "@end")],
        [(OUT, "@end return 0")],
    ],
)
def test_functions(live: Live, rows: list[Any]) -> None:
    walk(live, FUNCTIONS, ("outer", 1), [("break", "@start"), *rows])


GENERATORS = """
def numbers():  # @def
    yield 1  # @one
    yield 2  # @two

def consume():
    total = 0  # @start
    for each in numbers():  # @for
        total += each  # @body
    return total  # @end

def delegate():
    yield from numbers()  # @from
    yield 3  # @three

def consume_delegate():
    items = list(delegate())  # @list
    return items  # @listed
"""


@pytest.mark.parametrize(
    ("call", "rows"),
    [
        # stepping over stays with the consumer
        ("consume", [("break", "@start"), (OVER, "@for"), (OVER, "@body"), (OVER, "@for"), (OVER, "@body"), (OVER, "@for"), (OVER, "@end")]),
        # stepping into goes between the two
        (
            "consume",
            [
                ("break", "@for"), (INTO, "@def call"), (INTO, "@one"), (INTO, "@body"), (INTO, "@for"),
                (INTO, "@two"), (INTO, "@body"), (INTO, "@for"), (INTO, "@two return None"), (INTO, "@end"),
            ],
        ),
        # stepping over a yield stays in the generator
        ("consume", [("break", "@one"), (OVER, "@two"), (OVER, "@two return None"), (OVER, "@end")]),
        ("consume", [("break", "@one"), (OUT, "@two return None"), (OVER, "@end")]),
        ("consume_delegate", [("break", "@from"), (OVER, "@three"), (OVER, "@three return None"), (OVER, "@listed")]),
        ("consume_delegate", [("break", "@two"), (OVER, "@two return None"), (OVER, "@three")]),
    ],
)  # fmt: skip
def test_generators(live: Live, call: str, rows: list[Any]) -> None:
    walk(live, GENERATORS, (call,), rows)


COROUTINES = """
import asyncio
log = []

async def other():
    for _ in range(5):
        log.append("other")  # @other
        await asyncio.sleep(0)

async def inner(value):  # @def
    await asyncio.sleep(0)  # @inner
    return value  # @back

async def main():
    task = asyncio.create_task(other())  # @start
    first = await inner(1)  # @first
    second = await inner(2)  # @second
    await task  # @wait
    return first + second  # @end

def run():
    result = asyncio.run(main())  # @run
    return result  # @ran
"""


@pytest.mark.parametrize(
    "rows",
    [
        # other tasks run meanwhile
        [("break", "@start"), (OVER, "@first"), (OVER, "@second"), (OVER, "@wait"), (OVER, "@end"), (OVER, "@end return 3"), (OVER, "@ran")],
        [("break", "@first"), (INTO, "@def call"), (INTO, "@inner"), (INTO, "@back"), (INTO, "@back return 1"), (INTO, "@second")],
        [("break", "@inner"), (OVER, "@back"), (OVER, "@back return 1"), (OVER, "@second")],
        [("break", "@inner"), (OUT, "@back return 1"), (OVER, "@second"), (UNTIL, "@wait"), (UNTIL, "@end")],
        [("break", "@run"), (OVER, "@ran")],
    ],
)
def test_coroutines_while_other_tasks_run(live: Live, rows: list[Any]) -> None:
    made = walk(live, COROUTINES, ("run",), rows)
    assert made.program.log == ["other"] * 5


ASYNC_GENERATORS = """
import asyncio

async def numbers():  # @def
    yield 1  # @one
    await asyncio.sleep(0)  # @sleep
    yield 2  # @two

async def main():
    total = 0  # @start
    async for each in numbers():  # @for
        total += each  # @body
    async with manager():  # @with
        total += 1  # @inside
    return total  # @end

class manager:
    async def __aenter__(self):
        await asyncio.sleep(0)
    async def __aexit__(self, *error):  # @exit
        await asyncio.sleep(0)

def run():
    return asyncio.run(main())
"""


@pytest.mark.parametrize(
    "rows",
    [
        [("break", "@start"), (OVER, "@for"), (OVER, "@body"), (OVER, "@for"), (OVER, "@body"), (OVER, "@for"), (OVER, "@with"),
         (OVER, "@inside"), (OVER, "@with"), (OVER, "@end")],
        [("break", "@for"), (INTO, "@def call"), (INTO, "@one"), (INTO, "@body"), (INTO, "@for"), (INTO, "@sleep"),
         (INTO, "@two"), (INTO, "@body")],
        [("break", "@one"), (OVER, "@sleep"), (OVER, "@two"), (OVER, "@two return None"), (OVER, "@with")],
    ],
)  # fmt: skip
def test_async_generators_and_blocks(live: Live, rows: list[Any]) -> None:
    walk(live, ASYNC_GENERATORS, ("run",), rows)


EXCEPTIONS = """
def fails():  # @def
    raise KeyError("x")  # @raise

def passes():
    try:
        fails()  # @pass
    finally:
        ends = 1  # @finally

def catches():
    done = 0  # @start
    try:  # @try
        passes()  # @call
    except KeyError:  # @except
        done = 1  # @body
    return done  # @end

def unhandled():
    passes()  # @unhandled
    return 1
"""


@pytest.mark.parametrize(
    ("call", "rows"),
    [
        ("catches", [("break", "@start"), (OVER, "@try"), (OVER, "@call"), (OVER, "@except"), (OVER, "@body"), (OVER, "@end")]),
        ("catches", [("break", "@raise"), (OVER, "@finally"), (OVER, "@except"), (OVER, "@body")]),
        ("catches", [("break", "@raise"), (OUT, "@finally")]),
        ("catches", [("break", "@pass"), (OUT, "@except")]),
        # an exception that nobody handles is a stop of its own, and ends the step
        ("unhandled", [("break", "@unhandled"), (OVER, "@raise KeyError"), (OVER, "@finally")]),
    ],
)
def test_exceptions(live: Live, call: str, rows: list[Any]) -> None:
    walk(live, EXCEPTIONS, (call,), rows)
