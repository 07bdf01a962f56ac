"""Leaving `with` blocks to go on outside of them: their exits run first, each once, where it belongs."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

from fixcont.bytecode import interpreter
from fixcont.continuing.ways import Landing, Resume, Skip, Way
from fixcont.stopping.stop import Stop
from support.front_end import Answer, LiveProgram, find_frame, fix, then

Live = Callable[..., LiveProgram]

keeps_loops_over_lists = pytest.mark.skipif(
    interpreter.LOOP_KEEPS_INDEX, reason="how far a loop over a list has come cannot be read"
)


def resume_at(text: str, function: str | None = None) -> Answer:
    """Go on at the line of the file, as it is, that has this text."""

    def answer(stop: Stop) -> Way:
        frame = find_frame(stop, function)
        with open(frame.filename, encoding="utf-8") as file:
            numbers = [number for number, line in enumerate(file, 1) if text in line]
        return Resume(frame, numbers[0])

    return answer


#: `{body}` is that of the coroutine `work`. A block's exit fails with what `failing` says for its name.
BLOCKS = """
import asyncio
import contextlib
import sys
log = []
failing = {}
class Block:
    def __init__(self, name):
        self.name = name
    def __enter__(self):
        log.append(f"enter {self.name}")
        return self
    def __exit__(self, *error):
        log.append(f"exit {self.name} {error[0] and error[0].__name__}")
        check(self.name)
def check(name):
    if name in failing:
        raise failing[name](name)
class AsyncBlock(Block):
    async def __aenter__(self):
        return self.__enter__()
    async def __aexit__(self, *error):
        log.append(f"wait {self.name}")
        await asyncio.sleep(0)
        self.__exit__(*error)
async def work():
{body}
def main():
    return asyncio.run(asyncio.wait_for(drive(), 20))
async def drive():
    if hasattr(work(), "__aiter__"):
        return [each async for each in work()]
    return await work()
"""


def blocks(body: str) -> str:
    """Give the program with a coroutine; its lines begin with a bar."""
    lines = [line.partition("|")[2] for line in body.splitlines() if "|" in line]
    text = "\n".join("    " + line for line in lines)
    return BLOCKS.replace("{body}", text).replace('hasattr(work(), "__aiter__")', str("yield" in body))


def test_an_async_with_is_left_by_awaiting_its_exit(live: Live) -> None:
    landings: list[Any] = []

    def answer(stop: Stop) -> Way:
        way = resume_at("return 'outside'")(stop)
        assert isinstance(way, Resume)
        landings.append(stop.landing_of(way))
        return way

    program = live(
        blocks(
            """
            |async with AsyncBlock("a") as block:
            |    log.append(block.name)
            |    1 // 0
            |    log.append("never")
            |return 'outside'
            """
        ),
        answer,
    )
    assert program.call("main") == "outside"
    assert program.log == ["enter a", "a", "wait a", "exit a None"]
    (landing,) = landings
    assert isinstance(landing, Landing)
    assert (landing.withs, len(landing.closes)) == (0, 1)


MIXED = """
    |kept = []
    |async with AsyncBlock("outer"):
    |    with Block("a"), Block("b"):
    |        async with AsyncBlock("c") as c, AsyncBlock("d"):
    |            for each in (1, 2):
    |                with Block("e"):
    |                    1 // 0
    |        log.append("in b")
    |    log.append("in outer")
    |log.append("outside")
    |return 'done'
"""


@pytest.mark.parametrize(
    ("target", "left", "more"),
    [
        ("in b", "edc", ["in b", "exit b None", "exit a None", "in outer"]),
        ("in outer", "edcba", ["in outer"]),
        ("outside", ["e", "d", "c", "b", "a", "outer"], []),
    ],
)
def test_blocks_of_both_kinds_are_left_innermost_first(live: Live, target: str, left: Any, more: list[str]) -> None:
    program = live(blocks(MIXED), resume_at(f'"{target}"'))
    assert program.call("main") == "done"
    entered = [f"enter {name}" for name in ("outer", "a", "b", "c", "d", "e")]
    exited = []
    for name in left:
        exited += [f"wait {name}"] * (name in ("c", "d", "outer")) + [f"exit {name} None"]
    behind = ["wait outer", "exit outer None"] * (target != "outside")
    assert program.log == [*entered, *exited, *more, *behind, "outside"]


FAILING = """
    |try:
    |    async with AsyncBlock("outer"):
    |        try:
    |            with Block("a"):
    |                async with AsyncBlock("b"), AsyncBlock("c"):
    |                    1 // 0
    |        except KeyError as inner:
    |            log.append(f"inner {inner}")
    |        log.append("between")
    |except KeyError as error:
    |    log.append(f"outer {error}")
    |log.append("outside")
    |return 'done'
"""


@pytest.mark.parametrize(
    ("failing", "log"),
    [
        ("c", ["wait c", "exit c None", "wait b", "exit b KeyError", "exit a KeyError", "inner 'c'", "between"]),
        ("b", ["wait c", "exit c None", "wait b", "exit b None", "exit a KeyError", "inner 'b'", "between"]),
        ("a", ["wait c", "exit c None", "wait b", "exit b None", "exit a None", "inner 'a'", "between"]),
    ],
)
def test_an_exit_that_fails_fails_where_its_block_ends(live: Live, failing: str, log: list[str]) -> None:
    program = live(blocks(FAILING), resume_at('"outside"'))
    program.names["failing"][failing] = KeyError
    assert program.call("main") == "done"
    assert program.log[4:] == [*log, "wait outer", "exit outer None", "outside"]
    assert len(program.stops) == 1


def test_the_outermost_exit_that_fails_is_handled_around_it(live: Live) -> None:
    program = live(blocks(FAILING), resume_at('"outside"'))
    program.names["failing"]["outer"] = KeyError
    assert program.call("main") == "done"
    assert program.log[-3:] == ["exit outer None", "outer 'outer'", "outside"]


@pytest.mark.parametrize("name", ["a", "b", "c", "outer"])
def test_what_nobody_handles_leaves_the_frame_with_the_line_of_its_block(live: Live, name: str) -> None:
    program = live(blocks(FAILING), resume_at('"outside"'))
    program.names["failing"][name] = OSError
    error = program.failure("main")
    assert type(error) is OSError
    assert error.__context__ is None
    trace = [line for line in program.trace(error) if line.startswith(("work", "__", "check"))]
    line = {"a": 'with Block("a")', "outer": 'async with AsyncBlock("outer")'}.get(
        name, 'async with AsyncBlock("b"), AsyncBlock("c")'
    )
    assert trace == [
        f"work: {line}:", *["__aexit__: self.__exit__(*error)"] * (name != "a"), "__exit__: check(self.name)", "check: raise failing[name](name)",
    ]  # fmt: skip
    # The program is edited, or not, and goes on behind the block.
    assert program.log.count(f"exit {name} None") == 1


def test_a_failing_exit_stops_where_it_fails_and_can_be_skipped(live: Live) -> None:
    program = live(
        blocks(FAILING),
        resume_at('"outside"'),
        lambda stop: Resume(find_frame(stop, "work")),
        lambda stop: Skip(find_frame(stop, "work")),
    )
    program.names["failing"]["b"] = OSError
    assert program.call("main") == "done"
    assert program.refused == ["exit-failed"]
    assert program.log[4:] == [
        "wait c", "exit c None", "wait b", "exit b None", "exit a None", "between", "wait outer", "exit outer None", "outside",
    ]  # fmt: skip
    assert program.stops[1] == "OSError: b"


def test_a_failing_exit_is_left_for_another_line(live: Live) -> None:
    program = live(blocks(FAILING), resume_at('"outside"'), resume_at('"outside"', "work"))
    program.names["failing"]["b"] = OSError
    assert program.call("main") == "done"
    assert program.log[4:] == [
        "wait c", "exit c None", "wait b", "exit b None", "exit a None", "wait outer", "exit outer None", "outside",
    ]  # fmt: skip


def test_on_edited_code_the_handlers_are_the_new_ones(live: Live) -> None:
    program = live(
        blocks(FAILING),
        fix({"except KeyError as inner": "except OSError as inner", "inner {": "edited {"}, resume_at('"outside"')),
    )
    program.names["failing"]["b"] = OSError
    assert program.call("main") == "done"
    assert program.log[-6:] == ["exit a OSError", "edited b", "between", "wait outer", "exit outer None", "outside"]


def test_a_block_that_the_edit_took_out_is_left_with_those_around_it(live: Live) -> None:
    program = live(
        blocks(MIXED),
        fix(
            {
                'async with AsyncBlock("c") as c, AsyncBlock("d"):': "if kept is not None:",
                'with Block("a"), Block("b"):': "if kept == []:",
            },
            resume_at('"in outer"'),
        ),
    )
    program.names["failing"]["d"] = KeyError
    error = program.failure("main")
    assert type(error) is KeyError
    assert program.log[6:] == [
        "exit e None", "wait d", "exit d None", "wait c", "exit c KeyError", "exit b KeyError", "exit a KeyError",
        "wait outer", "exit outer KeyError",
    ]  # fmt: skip


@keeps_loops_over_lists
def test_an_async_generator_leaves_its_blocks_between_two_items(live: Live) -> None:
    program = live(
        blocks(
            """
            |for each in (1, 2):
            |    async with AsyncBlock(each):
            |        yield each
            |        yield 2 // (each - 1)
            |    log.append("next")
            |yield "end"
            """
        ),
        resume_at('"next"'),
    )
    assert program.call("main") == [1, 2, 2, "end"]
    assert program.log == ["enter 1", "wait 1", "exit 1 None", "next", "enter 2", "wait 2", "exit 2 None", "next"]


def test_a_caller_leaves_its_block_when_what_it_awaits_has_failed(live: Live) -> None:
    program = live(
        blocks(
            """
            |async def inner():
            |    async with AsyncBlock("inner"):
            |        1 // 0
            |async with AsyncBlock("a"):
            |    await inner()
            |return "outside"
            """
        ),
        resume_at('return "outside"', "work"),
    )
    assert program.call("main") == "outside"
    assert program.log[-2:] == ["wait a", "exit a None"]


def test_a_task_is_cancelled_while_an_exit_is_awaited(live: Live) -> None:
    program = live(
        """
import asyncio
log = []
class Slow:
    async def __aenter__(self): pass
    async def __aexit__(self, *error):
        log.append("waiting")
        entered.set()
        try:
            await asyncio.Event().wait()
        finally:
            log.append("left")
async def work():
    try:
        async with Slow():
            1 // 0
    except asyncio.CancelledError:
        log.append("cancelled")
        raise
    log.append("never")
async def drive():
    global entered
    entered = asyncio.Event()
    task = asyncio.create_task(work())
    await asyncio.wait_for(entered.wait(), 20)
    log.append(task.get_coro().cr_await is not None)
    task.cancel()
    await asyncio.wait([task])
    return task.cancelled()
def main():
    return asyncio.run(drive())
""",
        resume_at('log.append("never")'),
    )
    assert program.call("main") is True
    assert program.log == ["waiting", True, "left", "cancelled"]


def test_a_coroutine_is_closed_while_an_exit_is_awaited(live: Live) -> None:
    program = live(
        """
log = []
class Pause:
    def __await__(self):
        yield "pause"
class Slow:
    async def __aenter__(self): pass
    async def __aexit__(self, *error):
        try:
            await Pause()
        finally:
            log.append("left")
async def work():
    try:
        async with Slow():
            1 // 0
    finally:
        log.append("finally")
    log.append("never")
def main():
    coroutine = work()
    log.append(coroutine.send(None))
    coroutine.close()
""",
        resume_at('log.append("never")'),
    )
    program.call("main")
    assert program.log == ["pause", "left", "finally"]


def test_in_an_except_body_the_exit_sees_what_is_handled(live: Live) -> None:
    program = live(
        blocks(
            """
            |try:
            |    raise KeyError("first")
            |except KeyError as error:
            |    async with AsyncBlock("a"):
            |        with Block("b"):
            |            1 // 0
            |    log.append(sys.exc_info()[1] is error)
            |log.append(sys.exc_info()[1])
            """
        ),
        resume_at("log.append(sys.exc_info()[1] is error)"),
    )
    program.call("main")
    assert program.log[2:] == ["exit b None", "wait a", "exit a None", True, None]
    assert sys.exc_info() == (None, None, None)


@keeps_loops_over_lists
def test_in_a_finally_body_the_right_copy_is_gone_on_in(live: Live) -> None:
    program = live(
        blocks(
            """
            |for each in [1, 2, 3]:
            |    try:
            |        if each == 1:
            |            continue
            |        if each == 2:
            |            raise KeyError(each)
            |    except KeyError:
            |        log.append("handled")
            |    finally:
            |        for more in [each]:
            |            async with AsyncBlock(more):
            |                1 // 0
            |        log.append(f"behind {more}")
            """
        ),
        *[resume_at("behind")] * 3,
    )
    program.call("main")
    expected = []
    for each in (1, 2, 3):
        expected += ["handled"] * (each == 2) + [f"enter {each}", f"wait {each}", f"exit {each} None", f"behind {each}"]
    assert program.log == expected


def test_a_sync_exit_that_fails_is_handled_where_its_block_ends(live: Live) -> None:
    program = live(
        """
log = []
class Block:
    def __enter__(self): pass
    def __exit__(self, *error):
        log.append("exit")
        fail()
def fail():
    raise KeyError("exit")
def job():
    try:
        with Block():
            1 // 0
    except KeyError as error:
        log.append(str(error))
    return "end"
""",
        resume_at('return "end"'),
    )
    assert program.call("job") == "end"
    assert program.log == ["exit", "'exit'"]


def test_a_value_is_used_and_the_block_entered_anew(live: Live) -> None:
    program = live(
        blocks(
            """
            |async with AsyncBlock("a") as block:
            |    log.append(1 // divisor)
            |return block.name
            """
        ).replace("failing = {}", "failing = {}\ndivisor = 0"),
        then(lambda: program.names.update(divisor=1), resume_at('async with AsyncBlock("a")')),
    )
    assert program.call("main") == "a"
    assert program.log == ["enter a", "wait a", "exit a None", "enter a", 1, "wait a", "exit a None"]


TARGETS = {
    "with": (
        """
        with Block("a"):
            log.append("target")
        """,
        "with block of line 3, which is not running",
        "resume 3 enters the with anew",
    ),
    "items": (
        """
        with Block("a"), Block("b"):
            log.append("target")
        """,
        "with block of line 3, which is not running",
        "resume 3 enters the with anew",
    ),
    "loop": (
        """
        for each in iter("x"):
            log.append("target")
        """,
        "loop of line 3, which is not running",
        "resume 3 begins the loop anew",
    ),
    "loop in a with": (
        """
        with Block("a"):
            for each in iter("x"):
                log.append("target")
        """,
        "with block of line 3, which is not running",
        "resume 3 begins the with anew",
    ),
    "handler": (
        """
        try:
            raise KeyError
        except KeyError:
            log.append("target")
        """,
        "except block of line 5, which is not running",
        "resume 3 begins the try statement anew",
    ),
    "group": (
        """
        try:
            raise KeyError
        except* KeyError:
            log.append("target")
        """,
        "except* block of line 5, which is not running",
        "resume 3 begins the try statement anew",
    ),
}


@pytest.mark.parametrize("name", TARGETS)
def test_a_block_that_is_not_live_is_named_and_where_it_can_be_entered(live: Live, name: str) -> None:
    body, sentence, instead = TARGETS[name]
    text = "def work():\n    1 // 0" + body.replace("\n    ", "\n") + BLOCKS[: BLOCKS.index("async def work")]

    def as_offered(stop: Stop) -> Way:
        frame = find_frame(stop)
        refusal = stop.refusal_of(resume_at('"target"')(stop))
        assert refusal is not None
        return Resume(frame, int(refusal.instead.split()[1]))

    program = live(text, resume_at('"target"'), as_offered)
    program.call("work")
    (refusal,) = program.front_end.refusals
    assert (refusal.code, refusal.instead) == ("blocks-differ", instead)
    assert refusal.sentence.endswith(sentence)
    assert "target" in program.log


def test_a_block_whose_exit_has_run_before_a_late_stop_is_entered_anew(live: Live) -> None:
    program = live(
        """
log = []
class Block:
    def __enter__(self): log.append("enter")
    def __exit__(self, kind, *error):
        log.append("exit")
        return log.count('exit') > 5
def work():
    with Block():
        log.append(1 // divisor)
    return "end"
def main():
    return work()
""",
        lambda stop: Resume(find_frame(stop)),
        then(lambda: program.names.update(divisor=1), resume_at("with Block()")),
    )
    program.names["divisor"] = 0
    assert program.call("main") == "end"
    (refusal,) = program.front_end.refusals
    assert refusal.sentence.endswith("which has been left already")
    assert refusal.instead == "resume 9 enters the with anew"
    assert program.log == ["enter", "exit", "enter", 1, "exit"]
