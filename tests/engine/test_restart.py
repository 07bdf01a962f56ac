"""`RestartFrame`: a frame of any kind begins anew, on the newest version, and its caller gets the result."""

from __future__ import annotations

import asyncio
import gc
import sys
import weakref
from collections.abc import AsyncGenerator, Callable
from typing import Any

import pytest

from support.front_end import LiveProgram, fix, propagate, restart, then, trace

Live = Callable[..., LiveProgram]


def test_the_failing_frame_begins_anew_on_new_code_and_its_caller_goes_on(live: Live) -> None:
    program = live(
        """
log = []
def divide(a, b):
    log.append("divide")
    return a / b
def main():
    log.append("main")
    return [divide(1, 0)]
""",
        fix({"return a / b": "return b and a / b"}, restart()),
    )
    assert program.call("main") == [0]
    assert program.log == ["main", "divide", "divide"]
    assert program.stops == ["ZeroDivisionError: division by zero"]


CHAIN = """
import contextlib, threading
log = []
lock = threading.Lock()
@contextlib.contextmanager
def noted(name):
    log.append(f"enter {name}")
    try:
        yield
    finally:
        log.append(f"exit {name}")
def inner(n):
    log.append("inner")
    try:
        with noted("b"):
            return 1 / n
    finally:
        log.append("finally inner")
def middle(n):
    log.append("middle")
    with lock:
        with noted("a"):
            for each in [n, n]:
                inner(each)
def outer(n):
    log.append("outer")
    result = middle(n)
    return "done", result
"""
INNER = ["inner", "enter b", "exit b", "finally inner"]
MIDDLE = ["middle", "enter a"]


@pytest.mark.parametrize(
    ("function", "again"),
    [
        ("inner", [*INNER, *INNER]),
        ("middle", ["exit a", *MIDDLE, *INNER, *INNER]),
        ("outer", ["exit a", "outer", *MIDDLE, *INNER, *INNER]),
    ],
)
def test_frames_further_out_unwind_through_their_blocks(live: Live, function: str, again: list[str]) -> None:
    program = live(CHAIN, fix({"return 1 / n": "return n"}, restart(function)))
    assert program.call("outer", 0) == ("done", None)
    assert program.log == ["outer", *MIDDLE, *INNER, *again, "exit a"]
    assert not program.names["lock"].locked()
    assert program.saw[0].frames == ("inner", "middle", "outer")


@pytest.mark.parametrize(
    "through",
    [
        "sorted([3, 1], key=fail)",
        "list(map(fail, [3, 1]))",
        "re.sub('[0-9]', lambda match: str(fail(match[0])), '31')",
        "max([3, 1], key=fail)",
        "sum(fail(x) for x in [3, 1])",
        "functools.reduce(lambda a, b: fail(a), [3, 1])",
        "json.loads('[3, 1]', parse_int=fail)",
        "[*filter(fail, [3, 1])]",
        "functools.partial(fail, 3)()",
        "weird[3]",
        "hash(weird)",
        "3 in weird",
    ],
)
def test_signals_pass_through_c_code(live: Live, through: str) -> None:
    program: LiveProgram = live(
        f"""
import functools, json, re
broken = True
log = []
def fail(value):
    if broken: raise LookupError(value)
    return value
class Weird:
    def __getitem__(self, key): return fail(key)
    def __hash__(self): return fail(7)
    def __contains__(self, key): return fail(key)
weird = Weird()
def main():
    log.append("main")
    return {through}
""",
        then(lambda: program.names.update(broken=False), restart("main")),
    )
    program.call("main")
    assert program.log == ["main", "main"]
    assert len(program.saw) == 1


def test_each_activation_of_a_recursive_function_can_be_restarted(live: Live) -> None:
    source = """
log = []
def descend(n):
    log.append(n)
    if n == 0:
        raise ValueError("bottom")
    return [n, descend(n - 1)]
"""
    for which, entered in [(0, [0]), (1, [1, 0]), (2, [2, 1, 0]), (3, [3, 2, 1, 0])]:
        program = live(source, fix({'raise ValueError("bottom")': "return None"}, restart("descend", which)))
        assert program.call("descend", 3) == [3, [2, [1, None]]]
        assert program.log == [3, 2, 1, 0, *entered]
        program.session.uninstall()


def test_frames_restarted_again_and_again_grow_no_stack(live: Live) -> None:
    program = live(
        """
count = 0
def fail():
    global count
    count += 1
    if count <= 2000:
        raise ValueError
    return "enough"
def main():
    return fail()
""",
        endless=restart(),
    )
    assert program.call("main") == "enough"
    assert len(program.saw) == 2000
    assert {seen.depth for seen in program.saw[1:]} == {program.saw[1].depth}
    assert program.saw[1].frames == ("fail", "main")


def test_inner_and_outer_frames_restarted_in_turns_grow_no_stack(live: Live) -> None:
    turns = iter(["fail", "main", "middle", "fail", "fail", "main"] * 50)
    program = live(
        """
count = 0
def fail(count_to):
    global count
    count += 1
    if count <= count_to:
        raise ValueError
    return "enough"
def middle(count_to):
    try:
        with open(__file__):
            return fail(count_to)
    finally:
        pass
def main(count_to):
    for each in "a":
        return middle(count_to)
""",
        endless=lambda stop: restart(next(turns))(stop),
    )
    assert program.call("main", 300) == "enough"
    assert {seen.frames for seen in program.saw} == {("fail", "middle", "main")}
    assert max(seen.depth for seen in program.saw[6:]) <= max(seen.depth for seen in program.saw[:12])


def test_repeated_restarts_keep_no_memory(live: Live) -> None:
    program = live(
        """
count = 0
def fail():
    global count
    block = bytearray(100_000)
    count += 1
    if count <= 200:
        raise ValueError
    return "enough"
""",
        endless=restart(),
    )
    import tracemalloc

    gc.collect()
    tracemalloc.start()
    try:
        assert program.call("fail") == "enough"
        gc.collect()
        kept, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 500_000
    assert peak < 2_000_000


# -- kinds of frames


def test_a_generator_consumed_elsewhere_stays_the_same_object(live: Live) -> None:
    program = live(
        """
log = []
def numbers(n):
    log.append("begin")
    got = yield 1
    log.append(got)
    yield 10 / n
    return "end"
""",
        fix({"yield 10 / n": "yield n"}, restart()),
    )
    generator = program.names["numbers"](0)
    assert next(generator) == 1
    assert generator.send("a") == 1, "it begins anew"
    assert generator.send("b") == 0
    with pytest.raises(StopIteration) as ended:
        next(generator)
    assert ended.value.value == "end"
    assert program.log == ["begin", "a", "begin", "b"]
    assert generator.gi_frame is None


def test_a_restarted_generator_takes_throw_and_close(live: Live) -> None:
    program = live(
        """
log = []
def numbers(n):
    try:
        if n == 0:
            raise LookupError("first")
        yield 1
    except KeyError as error:
        log.append(repr(error))
        yield 2
    finally:
        log.append("finally")
""",
        fix({'raise LookupError("first")': "pass"}, restart()),
    )
    generator = program.names["numbers"](0)
    assert next(generator) == 1
    assert generator.throw(KeyError("mine")) == 2
    generator.close()
    assert program.log == ["finally", "KeyError('mine')", "finally"]
    with pytest.raises(StopIteration):
        next(generator)


def test_a_generator_below_yield_from_restarts_alone_or_with_the_outer_one(live: Live) -> None:
    source = """
log = []
def inner(n):
    log.append("inner")
    yield "a"
    if n: raise ValueError("inner")
    return "result"
def outer(n):
    log.append("outer")
    got = yield from inner(n)
    yield got
"""
    for function, begun in [("inner", ["inner"]), ("outer", ["outer", "inner"])]:
        program = live(source, fix({'if n: raise ValueError("inner")': "pass"}, restart(function)))
        generator = program.names["outer"](1)
        assert [next(generator), next(generator), next(generator)] == ["a", "a", "result"]
        assert program.log == ["outer", "inner", *begun]
        program.session.uninstall()


def test_a_coroutine_restarts_below_its_awaiter(live: Live) -> None:
    program = live(
        """
import asyncio
log = []
async def step(n):
    log.append("step")
    await asyncio.sleep(0)
    async with asyncio.Lock():
        return 10 / n
async def work(n):
    log.append("work")
    return await step(n)
async def main():
    return await asyncio.gather(work(0), work(5))
""",
        fix({"return 10 / n": "return n"}, restart("step")),
    )
    assert asyncio.run(program.names["main"]()) == [0, 2.0]
    assert sorted(program.log) == ["step", "step", "step", "work", "work"]


def test_a_task_restarts_from_its_outermost_coroutine(live: Live) -> None:
    program = live(
        """
import asyncio
log = []
async def step(n):
    await asyncio.sleep(0)
    return 10 / n
async def work(n):
    log.append("work")
    try:
        return await step(n)
    finally:
        log.append("finally")
async def main():
    task = asyncio.create_task(work(0))
    return await task
""",
        fix({"return 10 / n": "return n"}, restart("work")),
    )
    assert asyncio.run(program.names["main"]()) == 0
    assert program.log == ["work", "finally", "work", "finally"]


ASYNC_GENERATOR = """
import asyncio
log = []
async def numbers(n):
    log.append("begin")
    try:
        await asyncio.sleep(0)
        got = yield 1
        log.append(got)
        if n: raise LookupError("here")
        got = yield 2
        log.append(got)
    except KeyError as error:
        log.append(repr(error))
        yield 3
    finally:
        await asyncio.sleep(0)
        log.append("finally")
"""


def test_a_restarted_async_generator_takes_asend_athrow_and_aclose(live: Live) -> None:
    program = live(ASYNC_GENERATOR, fix({'if n: raise LookupError("here")': "pass"}, restart()))
    generator: AsyncGenerator[int, Any] = program.names["numbers"](1)

    async def consume() -> list[int]:
        got = [await anext(generator), await generator.asend("a"), await generator.asend("b")]
        got.append(await generator.athrow(KeyError("mine")))
        await generator.aclose()
        with pytest.raises(StopAsyncIteration):
            await anext(generator)
        return got

    assert asyncio.run(consume()) == [1, 1, 2, 3]
    assert program.log == ["begin", "a", "finally", "begin", "b", "KeyError('mine')", "finally"]


def test_a_restarted_async_generator_runs_to_its_end_in_a_loop(live: Live) -> None:
    program = live(ASYNC_GENERATOR, fix({'if n: raise LookupError("here")': "pass"}, restart()))

    async def consume() -> list[int]:
        return [number async for number in program.names["numbers"](1)]

    assert asyncio.run(consume()) == [1, 1, 2]
    assert program.log == ["begin", None, "finally", "begin", None, None, "finally"]


def test_a_restarted_async_generator_that_fails_again_stops_again(live: Live) -> None:
    program = live(ASYNC_GENERATOR, restart(), restart(), fix({'if n: raise LookupError("here")': "pass"}, restart()))

    async def consume() -> list[int]:
        return [number async for number in program.names["numbers"](1)]

    assert asyncio.run(consume()) == [1, 1, 1, 1, 2]
    assert program.stops == ["LookupError: here"] * 3


def test_an_async_generator_without_variables_restarts(live: Live) -> None:
    program = live(
        """
broken = [1]
async def numbers():
    yield 1
    if broken and broken.pop(): raise LookupError
    yield 2
""",
        restart(),
    )

    async def consume() -> list[int]:
        return [number async for number in program.names["numbers"]()]

    assert asyncio.run(consume()) == [1, 1, 2]


def test_comprehensions_restart_with_the_function_around_them(live: Live) -> None:
    program = live(
        """
log = []
def main(n):
    log.append("main")
    return [10 / x for x in [n]], {10 / x for x in [n]}, {x: 10 / x for x in [n]}, list(10 / x for x in [n])
""",
        *[fix({f"{kind}10 / x for x in [n]": f"{kind}x for x in [n]"}, restart("main")) for kind in "[{"],
        fix({"{x: 10 / x for": "{x: x for"}, restart("main")),
        fix({"list(10 / x for": "list(x for"}, restart("main")),
    )
    assert program.call("main", 0) == ([0], {0}, {0: 0}, [0])
    assert program.log == ["main"] * 5


@pytest.mark.parametrize(
    "comprehension", ["[1 / x for x in [n]]", "{1 / x for x in [n]}", "{x: 1 / x for x in [n]}", "list(1 / x for x in [n])"]
)
def test_each_failure_of_a_comprehension_stops(live: Live, comprehension: str) -> None:
    program = live(f"def main(n):\n    return {comprehension}\n", endless=propagate)
    for _ in range(5):
        program.failure("main", 0)
    assert len(program.saw) == 5


def test_a_lambda_restarts(live: Live) -> None:
    program = live(
        """
values = []
divide = lambda a, b=0: values.append(a) or a / len(values[1:])
""",
        restart(),
    )
    assert program.call("divide", 3) == 3
    assert program.names["values"] == [3, 3]


def test_methods_keep_super_and_their_class(live: Live) -> None:
    program = live(
        """
class Base:
    def area(self, n):
        return 10 / n
class Square(Base):
    def area(self, n):
        return ["square", __class__.__name__, super().area(n)]
    @classmethod
    def make(cls, n):
        return cls, super().__name__ if n else 1 / n
    @staticmethod
    def loose(n): return 1 / n
    @property
    def size(self): return 1 / self.n
    n = 0
def main(which):
    square = Square()
    if which == "area": return square.area(0)
    if which == "make": return Square.make(0)
    if which == "loose": return Square.loose(0)
    return square.size
""",
        fix({"return 10 / n": "return 10"}, restart("Square.area")),
        fix({"else 1 / n": "else 3"}, restart("Square.make")),
        fix({"loose(n): return 1 / n": "loose(n): return 4"}, restart("Square.loose")),
        fix({"return 1 / self.n": "return self.n"}, restart("Square.size")),
    )
    assert program.call("main", "area") == ["square", "Square", 10]
    assert program.call("main", "make") == (program.names["Square"], 3)
    assert program.call("main", "loose") == 4
    assert program.call("main", "size") == 0


def test_nested_functions_keep_their_cells(live: Live) -> None:
    program = live(
        """
def outer():
    count = 0
    def inner(step):
        nonlocal count
        count += step
        if count < 3:
            raise ValueError(count)
        return count
    result = inner(1)
    return result, count
""",
        restart("outer.<locals>.inner"),
        restart("outer.<locals>.inner"),
    )
    assert program.call("outer") == (3, 3)
    assert program.stops == ["ValueError: 1", "ValueError: 2"]


def test_a_function_whose_variables_are_captured_gets_new_cells(live: Live) -> None:
    program = live(
        """
made = []
def outer(n):
    total = n
    def add():
        nonlocal total, n
        total += 1
        n += 10
        return total, n
    made.append(add)
    add()
    if len(made) < 2:
        raise ValueError
    return add()
""",
        restart("outer"),
    )
    assert program.call("outer", 0) == (2, 20)
    first, second = program.names["made"]
    assert first() == (2, 20)
    assert second() == (3, 30)


def test_decorated_functions_restart_inside_their_wrapper(live: Live) -> None:
    program = live(
        """
import functools
log = []
def traced(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        log.append("wrapper")
        return function(*args, **kwargs)
    return wrapper
@traced
@functools.lru_cache
def divide(a, b):
    log.append("divide")
    return a / b
""",
        fix({"return a / b": "return 0"}, restart("divide")),
    )
    assert program.call("divide", 1, b=0) == 0
    assert program.call("divide", 1, b=0) == 0
    assert program.log == ["wrapper", "divide", "divide", "wrapper"]


def test_a_class_body_restarts_in_an_emptied_namespace(live: Live) -> None:
    program = live(
        """
log = []
broken = [True]
def make(base):
    captured = "captured"
    class Made(base):
        log.append(sorted(name for name in vars() if name[0] != "_"))
        first = 1
        def own(self): return __class__, super().__repr__ is not None, captured
        if broken: broken.pop() / 0  # the second time it is empty
        second = first + 1
    return Made
""",
        restart("make.<locals>.Made"),
    )
    made = program.call("make", object)
    assert program.log == [[], []]
    assert made.second == 2
    assert made().own() == (made, True, "captured")
    assert made.__qualname__ == "make.<locals>.Made"
    assert made.__module__ == program.module.__name__


def test_a_module_restarts_in_its_globals_as_they_are(live: Live) -> None:
    program = live(
        """
try: tries += 1
except NameError: tries = 1
if tries < 3: raise ValueError(tries)
after = "there"
""",
        restart(),
        restart(),
        load=False,
    )
    program.load()
    assert program.names["tries"] == 3
    assert program.names["after"] == "there"
    assert program.stops == ["ValueError: 1", "ValueError: 2"]


def test_an_importer_is_not_restarted_by_the_restart_of_the_module(live: Live, tmp_path: Any, monkeypatch: Any) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "imported_by_restart.py").write_text("value = 1 / zero\n")
    program = live(
        """
log = []
def main():
    log.append("main")
    import imported_by_restart
    return imported_by_restart.value
""",
        fix({"1 / zero": "5"}, restart()),
        scope=(str(tmp_path),),
    )
    assert program.call("main") == 5
    assert program.log == ["main"]
    sys.modules.pop("imported_by_restart")


# -- what else happens on the way


def test_an_exception_in_a_finally_on_the_way_is_an_ordinary_stop(live: Live) -> None:
    program = live(
        """
log = []
broken = [1]
def inner(n):
    try:
        return 1 / n
    finally:
        if broken: raise LookupError(broken.pop())
def outer(n):
    log.append("outer")
    return inner(n)
""",
        restart("outer"),
        fix({"return 1 / n": "return n"}, restart("outer")),
    )
    assert program.call("outer", 0) == 0
    assert program.stops == ["ZeroDivisionError: division by zero", "LookupError: 1"]
    assert program.saw[1].context == ("ZeroDivisionError",), "the signal never shows"
    assert program.log == ["outer", "outer"]


def test_the_signal_never_shows_in_the_context_of_what_goes_on(live: Live) -> None:
    program = live(
        """
def inner(n):
    try:
        return 1 / n
    finally:
        raise LookupError("finally")
def outer(n):
    try:
        return inner(n)
    except LookupError as error:
        return error.__context__
""",
        restart("outer"),
    )
    assert isinstance(program.call("outer", 0), ZeroDivisionError)


def test_an_exit_that_fails_on_the_way_is_an_ordinary_stop(live: Live) -> None:
    program = live(
        """
broken = [1]
def close():
    if broken: raise LookupError(broken.pop())
class Manager:
    def __enter__(self): pass
    def __exit__(self, *exc_info):
        close()
def inner(n):
    with Manager():
        return 1 / n
def outer(n):
    return inner(n)
""",
        restart("outer"),
        fix({"return 1 / n": "return n"}, restart("outer")),
    )
    assert program.call("outer", 0) == 0
    assert program.stops == ["ZeroDivisionError: division by zero", "LookupError: 1"]
    assert program.saw[1].context == ("ZeroDivisionError",)


def test_an_exception_handled_inside_a_finally_on_the_way_changes_nothing(live: Live) -> None:
    program = live(
        """
log = []
def inner(n):
    try:
        return 1 / n
    finally:
        try:
            {}["missing"]
        except KeyError as error:
            log.append(type(error.__context__).__name__)
def outer(n):
    log.append("outer")
    return inner(n)
""",
        fix({"return 1 / n": "return n"}, restart("outer")),
    )
    assert program.call("outer", 0) == 0
    assert len(program.saw) == 1
    assert program.log[0] == program.log[2] == "outer"


def test_except_exception_on_the_way_does_not_take_the_signal(live: Live) -> None:
    program = live(
        """
log = []
def inner(n):
    return 1 / n
def library(n):
    try:
        return inner(n)
    except LookupError:
        log.append("wrong")
    except ArithmeticError if n else OSError:
        log.append("wrong")
def outer(n):
    log.append("outer")
    try:
        return library(n)
    except LookupError:
        log.append("wrong")
""",
        fix({"return 1 / n": "return n"}, restart("outer")),
    )
    assert program.call("outer", 0) == 0
    assert program.log == ["outer", "outer"]


def test_a_recursion_error_stops_and_restarts(live: Live) -> None:
    program = live(
        """
def forever(n):
    return forever(n + 1)
def main():
    return forever(0)
""",
        fix({"return forever(n + 1)": "return n"}, restart("forever", -1)),
    )
    assert program.call("main") == 0
    assert len(program.saw) == 1
    assert program.stops[0].startswith("RecursionError")


def test_an_obsolete_frame_restarts_on_the_newest_version(live: Live) -> None:
    program = live(
        """
log = []
def inner():
    raise ValueError
def outer():
    log.append("old")
    inner()
    return "old"
""",
        fix({'log.append("old")': 'log.append("new")', 'return "old"': 'return "new"'}, restart("inner")),
        fix({"raise ValueError": "pass"}, restart("outer")),
    )
    assert program.call("outer") == "new"
    assert program.log == ["old", "new"]


# -- what is left behind


def test_nothing_is_being_handled_after_a_restart(live: Live) -> None:
    program = live(
        """
import sys
log = []
def inner(n):
    log.append(sys.exc_info()[1])
    try:
        raise KeyError
    except KeyError:
        for each in [1]:
            1 / n
def outer(n):
    try:
        raise OSError("being handled")
    except OSError:
        inner(n)
        log.append(repr(sys.exc_info()[1]))
    log.append(sys.exc_info()[1])
""",
        fix({"            1 / n": "            pass"}, restart()),
    )
    program.call("outer", 0)
    assert [repr(each) for each in program.log] == ["OSError('being handled')"] * 2 + ["\"OSError('being handled')\"", "None"]


def test_exceptions_after_a_restart_have_plain_tracebacks_and_contexts(live: Live) -> None:
    program = live(
        """
state = [1]
def inner():
    if state: raise ValueError(state.pop())
    raise LookupError("second")
def outer():
    return inner()
def main():
    return outer()
""",
        restart("outer"),
        propagate,
    )
    error = program.failure("main")
    assert repr(error) == "LookupError('second')"
    assert error.__context__ is None
    assert trace(error) == ["main: return outer()", "outer: return inner()", 'inner: raise LookupError("second")']


@pytest.mark.xfail(sys.version_info >= (3, 14), reason="the interpreter itself keeps what `f_locals` overwrites", strict=True)
def test_objects_of_the_frames_that_unwound_are_freed(live: Live) -> None:
    program = live(
        """
class Thing: pass
things = []
state = [1]
import weakref
def inner(n):
    thing = Thing()
    things.append(weakref.ref(thing))
    if state: raise ValueError(state.pop())
    return [reference() is None for reference in things]
def outer(n):
    thing = Thing()
    things.append(weakref.ref(thing))
    for each in iter([thing]):
        return inner(n)
""",
        restart("outer"),
    )
    gc.disable()
    try:
        assert program.call("outer", 0) == [True, True, False, False]
    finally:
        gc.enable()


def test_what_the_frame_was_called_with_is_freed_with_it(live: Live) -> None:
    program = live(
        """
state = [1]
def fail(thing):
    if state: raise ValueError(state.pop())
    return "done"
""",
        restart(),
    )

    class Thing:
        pass

    thing = Thing()
    reference = weakref.ref(thing)
    gc.disable()
    try:
        assert program.call("fail", thing) == "done"
        del thing
        assert reference() is None
    finally:
        gc.enable()
