"""Steps: where each of them leads, in all kinds of functions; and that nothing stays watched."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from fixcont.bytecode import interpreter
from fixcont.continuing.ways import RestartFrame, Resume, Skip, StepKind, Way
from fixcont.stopping.stop import Stop
from support.front_end import Answer, LiveProgram, find_frame, fix, give_back, then, throw
from support.steps import INTO, OUT, OVER, UNTIL, Walk, go, is_instrumented, step, walk

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
        [
            (OVER, "@for"),
            (OVER, "@body"),
            (INTO, "@def call"),
            (INTO, "@double"),
            (INTO, "@back"),
            (INTO, "@back return 0"),
            (INTO, "@for"),
        ],
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
        [
            ("break", "@start"),
            (OVER, "@first"),
            (OVER, "@second"),
            (OVER, "@wait"),
            (OVER, "@end"),
            (OVER, "@end return 3"),
            (OVER, "@ran"),
        ],
        [
            ("break", "@first"),
            (INTO, "@def call"),
            (INTO, "@inner"),
            (INTO, "@back"),
            (INTO, "@back return 1"),
            (INTO, "@second"),
        ],
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


THREADS = """
import threading
log = []
both = threading.Barrier(2)

def work(name):
    both.wait()  # @wait
    log.append(name)  # @log
    both.wait()  # @again
    return name  # @end

def run():
    thread = threading.Thread(target=work, args=("other",))  # @start
    thread.start()
    work("main")  # @call
    thread.join()  # @join
    return log  # @done
"""


def test_a_step_concerns_its_own_thread_only(live: Live) -> None:
    made = walk(
        live, THREADS, ("run",),
        [("break", "@call"), (INTO, "line 6 call"), (OVER, "@wait"), (OVER, "@log"), (OVER, "@again"), (OVER, "@end"),
         (OVER, "@end return 'main'"), (OVER, "@join"), (OVER, "@done")],
    )  # fmt: skip
    assert sorted(made.program.log) == ["main", "other"]


LIBRARY = """
import bisect, functools, textwrap

def key(value):  # @def
    return value  # @key

def run():
    text = textwrap.dedent("  a")  # @dedent
    items = sorted([2, 1], key=key)  # @sorted
    return text, items  # @end
"""


def test_a_step_goes_into_callbacks_of_libraries_but_not_into_libraries(live: Live) -> None:
    walk(
        live, LIBRARY, ("run",),
        [("break", "@dedent"), (INTO, "@sorted"), (INTO, "@def call"), (INTO, "@key"), (INTO, "@key return 2"), (INTO, "@def call"),
         (OUT, "@key return 1"), (OVER, "@end")],
    )  # fmt: skip


def test_a_step_goes_into_libraries_if_that_is_asked_for(live: Live) -> None:
    made = Walk(live, LIBRARY)
    places: list[tuple[str, str]] = []

    def note(answer: Answer) -> Answer:
        def both(stop: Stop) -> Way:
            places.append((stop.frames[0].function, stop.moment.value))
            return answer(stop)

        return both

    made.at("dedent", temporary=True)
    everywhere = step(StepKind.INTO, everywhere=True)
    made.answers = [note(everywhere), note(everywhere), note(OVER), note(go)]
    made.program.call("run")
    assert places == [("run", "line"), ("dedent", "call"), ("dedent", "line"), ("dedent", "line")]


into, over, out = (step(kind, at_edges=False) for kind in (StepKind.INTO, StepKind.OVER, StepKind.OUT))


@pytest.mark.parametrize(
    "rows",
    [
        # without edges a step goes to lines only
        [("break", "@body"), (into, "@double"), (over, "@back"), (over, "@for"), (over, "@end")],
        [("break", "@double"), (out, "@for")],
        # a step of a frame further out counts the lines of that frame
        [("break", "@double"), (step(StepKind.OVER, "outer"), "@for"), (OVER, "@end")],
        [("break", "@double"), (step(StepKind.OUT, "outer"), "@end return 0")],
    ],
)
def test_other_steps(live: Live, rows: list[Any]) -> None:
    walk(live, FUNCTIONS, ("outer", 1), rows)


RECURSION = """
def down(n):
    if n:  # @if
        down(n - 1)  # @down
    return n  # @end
"""


def test_a_step_over_a_recursive_call_stays_in_its_activation(live: Live) -> None:
    walk(live, RECURSION, ("down", 3), [("break", "@if"), (OVER, "@down"), (OVER, "@end"), (OVER, "@end return 3")])


# The ways to go on, from breakpoints and steps as from exceptions

JOB = """
log = []
class Block:
    def __enter__(self):
        log.append("enter")
    def __exit__(self, *error):
        log.append(f"exit {error[0] and error[0].__name__}")

def helper(value):  # @def
    log.append(value)  # @helper
    return value  # @value

def job(items):  # @job
    total = 0  # @start
    with Block():  # @with
        for item in iter(items):  # @for
            total += helper(item)  # @body
            log.append(total)  # @log
    return total  # @end

def run():
    result = job([1, 2])  # @run
    return result  # @ran
"""


def line_of(stop: Stop, text: str) -> int:
    with open(stop.frames[stop.selected].filename, encoding="utf-8") as file:
        return next(number for number, line in enumerate(file, 1) if text in line)


def resume_at(text: str, function: str | None = None, halts: bool = False) -> Answer:
    return lambda stop: Resume(find_frame(stop, function), line_of(stop, text), halts)


def retry(stop: Stop) -> Way:
    return Resume(find_frame(stop))


def skip(stop: Stop) -> Way:
    return Skip(find_frame(stop))


def restart(function: str | None = None, halts: bool = False) -> Answer:
    return lambda stop: RestartFrame(find_frame(stop, function), halts)


def in_loop(*values: Any) -> Any:
    """A case in which a loop is kept, though no trap has its items."""
    reason = "how far a loop has come can be read in a trap only"
    return pytest.param(*values, marks=pytest.mark.skipif(interpreter.LOOP_KEEPS_INDEX, reason=reason))


ENTERED, LEFT, GIVEN_UP = "enter", "exit None", "exit Signal"


@pytest.mark.parametrize(
    ("label", "answers", "saw", "result", "log"),
    [
        ("log", [restart()], ["@log"] * 3, 3, [ENTERED, 1, GIVEN_UP, ENTERED, 1, 1, 2, 3, LEFT]),
        in_loop("log", [retry], ["@log"] * 2, 3, [ENTERED, 1, 1, 2, 3, LEFT]),
        in_loop("log", [resume_at("@body")], ["@log"] * 3, 4, [ENTERED, 1, 1, 2, 2, 4, LEFT]),
        ("log", [resume_at("@end")], ["@log"], 1, [ENTERED, 1, LEFT]),
        in_loop("log", [skip], ["@log"] * 2, 3, [ENTERED, 1, 2, 3, LEFT]),
        ("log", [give_back(7)], ["@log"], 7, [ENTERED, 1, GIVEN_UP]),
        ("helper", [give_back(7)], ["@helper"] * 2, 9, [ENTERED, 7, 2, 9, LEFT]),
        ("helper", [restart("job")], ["@helper"] * 3, 3, [ENTERED, GIVEN_UP, ENTERED, 1, 1, 2, 3, LEFT]),
        ("helper", [throw(KeyError(1)), go], ["@helper", "@helper KeyError"], KeyError, [ENTERED, "exit KeyError"]),
        ("helper", [throw(KeyError(1)), give_back(5)], ["@helper", "@helper KeyError", "@helper"], 7, [ENTERED, 5, 2, 7, LEFT]),
        # at a stop after a step it is all the same
        ("body", [INTO, give_back(7)], ["@body", "@def call", "@body"], 9, [ENTERED, 7, 2, 9, LEFT]),
        ("body", [INTO, restart(), OVER], ["@body", "@def call", "@body", "@log"], 3, [ENTERED, 1, 1, 2, 3, LEFT]),
        ("with", [OVER, OVER, resume_at("@end")], ["@with", "@for", "@body"], 0, [ENTERED, LEFT]),
        in_loop("body", [OVER, retry, OVER], ["@body", "@log", "@body", "@log"], 3, [ENTERED, 1, 1, 2, 3, LEFT]),
        # restarted or resumed, and held again at once
        ("log", [restart(halts=True), OVER, OVER, go], ["@log", "@start", "@with", "@for", "@log", "@log"], 3,
         [ENTERED, 1, GIVEN_UP, ENTERED, 1, 1, 2, 3, LEFT]),
        in_loop("log", [resume_at("@body", halts=True), OVER, OVER, OVER, go], ["@log", "@body", "@log", "@for", "@body", "@log"], 4,
         [ENTERED, 1, 1, 2, 2, 4, LEFT]),
        ("helper", [resume_at("@end", "job", halts=True), OVER, OVER], ["@helper", "@end", "@end return 0"], 0, [ENTERED, LEFT]),
    ],
)  # fmt: skip
def test_ways_to_go_on(live: Live, label: str, answers: list[Answer], saw: list[str], result: Any, log: list[Any]) -> None:
    made = Walk(live, JOB)
    made.at(label)
    made.answers = list(answers)
    outcome = made.program.attempt("job", [1, 2])
    assert made.saw == saw
    assert (type(outcome.error) if outcome.error else outcome.value) == result
    assert made.program.log == log


@pytest.mark.parametrize("kind", ["function", "generator", "coroutine"])
def test_a_step_that_would_lose_the_stop_is_refused(live: Live, kind: str) -> None:
    text = {
        "function": "def run():\n    return 1 / 0  # @fails\n",
        "generator": "def numbers():\n    yield 1 / 0  # @fails\ndef run():\n    return list(numbers())\n",
        "coroutine": "async def work():\n    return 1 / 0  # @fails\ndef run():\n    return work().send(None)\n",
    }[kind]
    made = Walk(live, text)
    made.answers = [OVER, INTO, give_back(5)]
    made.program.attempt("run")
    assert made.saw == ["@fails ZeroDivisionError"]
    assert made.program.refused == ["nothing-to-step-to"] * 2


def test_an_unhandled_exception_in_a_step_is_stopped_at_and_the_restarted_frame_can_be_stepped_through(live: Live) -> None:
    text = FUNCTIONS.replace("doubled = value * 2", "doubled = value / divisor")
    made = Walk(live, text)
    made.program.names["divisor"] = 0
    made.at("body", temporary=True)
    made.at("back")
    made.answers = [OVER, then(lambda: made.program.names.update(divisor=1), retry), OVER, OVER, OVER]
    assert made.program.call("outer", 1) == 0
    assert made.saw == ["@body", "@double ZeroDivisionError", "@back", "@back return 0.0", "@for", "@end"]


def test_a_frame_that_goes_on_in_edited_code_is_stepped_through_as_the_old_one(live: Live) -> None:
    text = FUNCTIONS.replace("return doubled", "return doubled / 0")
    made = Walk(live, text)
    edit = {"    return doubled / 0  # @back": "    more = doubled + 1  # @more\n    return more  # @back"}
    made.answers = [fix(edit, resume_at("@more", halts=True)), OVER, OVER, OVER, OVER]
    assert made.program.call("outer", 1) == 1
    assert made.saw == ["@back ZeroDivisionError", "@more", "@back", "@back return 1", "@for", "@end"]


@pytest.mark.parametrize(
    ("answers", "saw"),
    [([INTO], ["@body", "@def call"]), ([INTO, OUT], ["@body", "@def call", "@back return 0"])],
)
def test_a_caller_can_be_restarted_as_a_function_begins_or_returns(live: Live, answers: list[Answer], saw: list[str]) -> None:
    made = Walk(live, FUNCTIONS)
    made.at("body", temporary=True)
    made.answers = [*answers, restart("outer")]
    assert made.program.call("outer", 2) == 2
    assert made.saw == saw


def test_a_function_that_returns(live: Live) -> None:
    """What is raised then meets the function's own traps, but on 3.11, where it is refused."""
    made = Walk(live, FUNCTIONS)
    made.at("double", temporary=True)
    made.answers = [OUT, give_back(10), go]
    result = made.program.call("outer", 1)
    assert made.saw == ["@double", "@back return 0"]
    assert (result, made.program.refused) == ((10, []) if interpreter.RETURN_IS_INSIDE else (0, ["returning"]))


@pytest.mark.parametrize(
    ("way", "result", "saw"),
    [
        (restart(), 3, []),
        (give_back(5), 0, []),
        (throw(KeyError(1)), KeyError, ["@one KeyError"]),
        (go, 3, []),
        (OVER, 3, ["@one"]),
    ],
)
def test_a_generator_that_begins(live: Live, way: Answer, result: Any, saw: list[str]) -> None:
    """What is raised as a generator begins would leave it at once; it waits for the first line."""
    made = Walk(live, GENERATORS)
    made.at("for", temporary=True)
    made.answers = [INTO, way, go]
    outcome = made.program.attempt("consume")
    assert made.saw == ["@for", "@def call", *saw]
    assert (type(outcome.error) if outcome.error else outcome.value) == result


def test_where_exceptions_never_stop_decisions_arrive_all_the_same(live: Live) -> None:
    made = Walk(live, JOB, stop="never")
    made.at("helper", temporary=True)
    made.answers = [give_back(10)]
    assert made.program.call("job", [1, 2]) == 12
    assert made.saw == ["@helper"]


# What stays


def monitored() -> list[str]:
    """Return the tools that the interpreter knows."""
    api = getattr(sys, "monitoring", None)
    return [] if api is None else [name for number in range(6) if (name := api.get_tool(number)) is not None]


def test_nothing_stays_watched(live: Live) -> None:
    made = Walk(live, FUNCTIONS)
    number = made.at("double")
    seen: list[bool] = []

    def clear() -> None:
        seen.append(is_instrumented(made.program.names["inner"].__code__))
        made.stepping.breakpoints.remove([number])

    made.answers = [OVER, then(clear, OVER), OVER, go]
    assert made.program.call("outer", 1) == 0
    assert made.saw == ["@double", "@back", "@back return 0", "@for"]
    assert seen == [interpreter.HAS_MONITORING]
    assert monitored() == [] and sys.gettrace() is None and threading.gettrace() is None and sys.getprofile() is None
    assert made.program.call("outer", 1) == 0
    for name in ("outer", "inner"):
        code = made.program.names[name].__code__
        assert not is_instrumented(code)
        if interpreter.HAS_MONITORING:
            assert sys.monitoring.get_local_events(0, code) == 0


def test_nothing_stays_watched_after_uninstall(live: Live) -> None:
    made = Walk(live, FUNCTIONS)
    made.at("double")
    made.answers = [OVER]
    made.program.call("outer", 1)
    made.program.session.uninstall()
    assert monitored() == [] and sys.gettrace() is None and threading.gettrace() is None
    assert made.program.call("outer", 1) == 0
    assert len(made.saw) == 2


HELD_AGAIN = {
    "generator": """
def work():
    first = 1  # @first
    yield first  # @yield
    last = 2  # @last
    yield last

def run():
    return list(work())
""",
    "coroutine": """
async def work():
    first = 1  # @first
    await pause()  # @yield
    last = 2  # @last
    return [first, last]

class pause:
    def __await__(self):
        yield

def run():
    made = work()
    made.send(None)
    try:
        made.send(None)
    except StopIteration as stop:
        return stop.value
""",
    "async generator": """
async def work():
    first = 1  # @first
    yield first  # @yield
    last = 2  # @last
    yield last

async def collect():
    return [each async for each in work()]

def run():
    try:
        collect().send(None)
    except StopIteration as stop:
        return stop.value
""",
    "module function with a rebound argument": """
def work(first):
    first = first + 0  # @first
    second = 1  # @yield
    last = 2  # @last
    return [first, last]

def run():
    return work(1)
""",
}


@pytest.mark.parametrize("kind", HELD_AGAIN)
def test_all_kinds_of_frames_are_held_and_stepped_through_after_they_were_restarted_and_resumed(live: Live, kind: str) -> None:
    made = Walk(live, HELD_AGAIN[kind])
    made.at("yield", temporary=True)
    made.answers = [restart(halts=True), OVER, resume_at("@first", halts=True), OVER, OVER, retry]
    assert made.program.call("run") == [1, 2]
    assert made.saw == ["@yield", "@first", "@yield", "@first", "@yield", "@last"]
