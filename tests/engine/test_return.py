"""`ReturnFromFrame`: a frame of any kind gives a value to its caller."""

from __future__ import annotations

import asyncio
import gc
import sys
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from support.front_end import LiveProgram, attempt, give_back, restart, trace

Live = Callable[..., LiveProgram]

CHAIN = """
import sys
log = []
class Manager:
    def __enter__(self): log.append("enter")
    def __exit__(self, *exc_info): log.append("exit")
def inner(n):
    with Manager():
        for each in [n]:
            return 1 / each
def middle(n):
    try:
        return ["middle", inner(n)]
    finally:
        log.append("finally")
def outer(n):
    result = ["outer", middle(n)]
    log.append(sys.exc_info())
    return result
"""


@pytest.mark.parametrize(
    ("function", "result", "log"),
    [
        ("inner", ["outer", ["middle", 7]], ["enter", "exit", "finally"]),
        ("middle", ["outer", 7], ["enter", "exit", "finally"]),
        ("outer", 7, ["enter", "exit", "finally"]),
    ],
)
def test_each_frame_can_return_a_value(live: Live, function: str, result: Any, log: list[str]) -> None:
    program = live(CHAIN, give_back(7, function))
    assert program.call("outer", 0) == result
    assert program.log[:3] == log
    assert program.log[3:] in ([], [(None, None, None)])
    assert len(program.saw) == 1


def test_the_very_object_is_returned_and_not_kept(live: Live) -> None:
    class Thing:
        pass

    values = [Thing()]
    reference = weakref.ref(values[0])
    program = live("def main():\n    raise ValueError\n", lambda stop: give_back(values.pop())(stop))
    gc.disable()
    try:
        got = program.call("main")
        assert got is reference()
        del got
        assert reference() is None
    finally:
        gc.enable()


def test_a_generator_ends_with_the_value(live: Live) -> None:
    program = live("def numbers():\n    yield 1\n    raise ValueError\n", give_back("end"))
    generator = program.names["numbers"]()
    assert next(generator) == 1
    with pytest.raises(StopIteration) as ended:
        next(generator)
    assert ended.value.value == "end"


def test_yield_from_gets_the_value(live: Live) -> None:
    program = live(
        "def inner():\n    yield 1\n    raise ValueError\ndef outer():\n    yield (yield from inner())\n",
        give_back("end", "inner"),
    )
    assert [*program.names["outer"]()] == [1, "end"]


def test_a_coroutine_gives_the_value_to_its_awaiter(live: Live) -> None:
    program = live(
        """
import asyncio
async def inner():
    await asyncio.sleep(0)
    raise ValueError
async def main():
    return await asyncio.gather(inner(), asyncio.sleep(0, "other"))
""",
        give_back("value"),
    )
    assert asyncio.run(program.names["main"]()) == ["value", "other"]


def test_an_async_generator_ends(live: Live) -> None:
    program = live("async def numbers():\n    yield 1\n    raise ValueError\n", give_back(None))

    async def consume() -> list[int]:
        return [number async for number in program.names["numbers"]()]

    assert asyncio.run(consume()) == [1]


def test_init_can_return_none_only(live: Live) -> None:
    program = live(
        "class Thing:\n    def __init__(self): raise ValueError\ndef main(): return Thing()\n",
        give_back(None),
        give_back(5),
    )
    assert type(program.call("main")) is program.names["Thing"]
    error = program.failure("main")
    assert isinstance(error, TypeError)


def test_a_restarted_frame_can_return_a_value(live: Live) -> None:
    program = live("def main():\n    return inner()\ndef inner():\n    raise ValueError\n", restart(), restart(), give_back(3))
    assert program.call("main") == 3
    assert len(program.saw) == 3


def test_a_comprehension_frame_returns_with_its_function(live: Live) -> None:
    program = live("def main():\n    return sum(1 / x for x in [0])\n", give_back(8, "main"))
    assert program.call("main") == 8


@pytest.mark.parametrize(("source", "function"), [("1 / 0\n", "<module>"), ("class Made:\n    1 / 0\n", "Made")])
def test_a_module_and_a_class_body_have_no_value_to_return(live: Live, source: str, function: str) -> None:
    program = live(source, give_back(1, function), load=False)
    attempt(program.load)
    assert program.refused == ["no-caller-for-value"]


def test_a_later_exception_has_a_plain_traceback(live: Live) -> None:
    program = live(
        """
def inner():
    raise ValueError
def outer():
    inner()
    raise LookupError("later")
""",
        give_back(1, "inner"),
    )
    error = program.failure("outer")
    assert trace(error) == ['outer: raise LookupError("later")']
    assert error.__context__ is None
    assert sys.exc_info() == (None, None, None)
