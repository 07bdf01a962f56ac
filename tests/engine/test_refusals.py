"""What cannot be done is refused by a code, touches nothing, and the stop can still be answered otherwise."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fixcont.bytecode import original
from fixcont.continuing.ways import RestartFrame, Resume, Way
from fixcont.stopping.stop import Stop
from support.front_end import LiveProgram, fix, give_back, propagate, restart, throw

Live = Callable[..., LiveProgram]

SWALLOWING = """
log = []
def inner(n):
    return 1 / n
def swallowing(n):
    log.append("swallowing")
    try:
        return inner(n)
    {handler}:
        log.append("caught")
def outer(n):
    log.append("outer")
    return swallowing(n)
"""


@pytest.mark.parametrize("handler", ["except", "except BaseException", "except (OSError, BaseException) as error"])
def test_a_handler_that_would_take_the_signal(live: Live, handler: str) -> None:
    program = live(
        SWALLOWING.replace("{handler}", handler),
        restart("outer"),
        give_back(1, "outer"),
        throw(OSError(), "outer"),
        restart("swallowing"),
        fix({"return 1 / n": "return n"}, restart("inner")),
        stop="raised",
    )
    assert program.call("outer", 0) == 0
    assert program.refused == ["would-be-caught"] * 4
    assert program.log == ["outer", "swallowing"]


def test_an_exit_of_the_failing_frame_that_would_take_the_signal(live: Live) -> None:
    program = live(
        """
log = []
class Swallowing:
    def __enter__(self): pass
    def __exit__(self, *exception):
        log.append("exit")
        return True
def make(): return Swallowing()
def outer(n):
    for n in range(2):
        with make():
            log.append(1 / n)
""",
        restart("outer"),
        give_back(1, "outer"),
        fix({"1 / n": "n"}, lambda stop: Resume(stop.frames[stop.selected])),
        catch=("ZeroDivisionError",),
    )
    program.call("outer", 0)
    assert program.refused == ["would-be-caught"] * 2
    assert program.log == [0, "exit", 1, "exit"]


def test_a_handler_around_another_statement_is_no_obstacle(live: Live) -> None:
    program = live(
        """
log = []
def inner(n): return 1 / n
def outer(n):
    try: log.append("try")
    except: pass
    return inner(n)
def main(n): return outer(n)
""",
        fix({"return 1 / n": "return n"}, restart("main")),
    )
    assert program.call("main", 0) == 0
    assert program.refused == []


def test_a_generator_expression(live: Live) -> None:
    program = live("def main():\n    return sum(1 / x for x in [0])\n", restart("main.<locals>.<genexpr>"), propagate)
    program.failure("main")
    assert program.refused == ["comprehension"]


def test_a_frame_outside_of_the_scope(live: Live) -> None:
    program = live(
        "import functools\ndef main():\n    return functools.cmp_to_key(lambda a, b: 1 / 0)(1) < 2 and json()\n"
        "def json():\n    import json\n    return json.loads('1', parse_int=lambda text: 1 / 0)\n",
        lambda stop: RestartFrame(next(frame for frame in stop.frames if frame.filename.endswith("decoder.py"))),
        propagate,
    )
    program.failure("json")
    assert program.refused == ["not-trapped"]


def test_a_frame_that_was_entered_before(live: Live) -> None:
    program = live("def main(callback):\n    return callback()\ndef fail():\n    raise ValueError\n", restart("main"), propagate)

    main = program.names["main"]
    main.__code__ = original.untrapped(main.__code__)
    program.failure("main", program.names["fail"])
    assert program.refused == ["entered-before"]


def test_a_function_that_is_gone(live: Live) -> None:
    program = live(
        "def main():\n    return fail()\n\n\ndef fail():\n    raise ValueError\n",
        fix({"def fail():\n    raise ValueError\n": ""}, restart("fail")),
        propagate,
    )
    program.failure("main")
    assert program.refused == ["function-gone"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("    raise ValueError\n    return", "    raise ValueError\n    yield"),
        ("def fail", "async def fail"),
    ],
)
def test_a_function_of_another_kind(live: Live, before: str, after: str) -> None:
    program = live(
        "def fail():\n    raise ValueError\n    return\n\n\ndef main():\n    return fail()\n",
        fix(
            {f"{before}" if before != "def fail" else "def fail():": after if before != "def fail" else "async def fail():"},
            restart(),
        ),
        propagate,
    )
    program.failure("main")
    assert program.refused == ["kind-changed"]


def test_a_frame_that_has_unwound(live: Live) -> None:
    kept = []

    def keep(stop: Stop) -> Way:
        kept.append(stop.frames[0])
        return propagate(stop)

    program = live(
        "def fail():\n    raise ValueError\ndef main():\n    try:\n        fail()\n    finally:\n        again()\n"
        "def again():\n    raise LookupError\n",
        keep,
        lambda stop: RestartFrame(kept[0]),
        propagate,
    )
    program.failure("main")
    kept.clear()
    assert program.refused == ["unwound"]


def test_an_enum_body(live: Live) -> None:
    program = live(
        "import enum\ndef main():\n    class Colour(enum.Enum):\n        RED = 1\n        BLUE = 1 / 0\n",
        restart("main.<locals>.Colour"),
        propagate,
    )
    program.failure("main")
    assert program.refused == ["class-namespace"]


def test_each_refusal_says_what_can_be_done_instead(live: Live) -> None:
    program = live("def main():\n    return sum(1 / x for x in [0])\n", restart("main.<locals>.<genexpr>"), propagate)
    program.failure("main")
    (refusal,) = program.front_end.refusals
    assert refusal.sentence[-1] != "."
    assert "main" in refusal.sentence or "generator expression" in refusal.sentence
    assert refusal.instead
