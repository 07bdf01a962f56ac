"""`Propagate`: the exception goes on as if we were not there, the same one never stops twice, and the next one stops anew."""

from __future__ import annotations

import asyncio
import gc
import sys
import textwrap
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from support.front_end import LiveProgram, attempt, collect, context_chain, propagate, then, trace

Live = Callable[..., LiveProgram]

#: Bodies of a function `fail(n)` that raises ZeroDivisionError for 0, on the way through blocks of all kinds.
BODIES = {
    "plain": "return 1 / n",
    "finally": "try:\n    return 1 / n\nfinally:\n    done()",
    "with": "with Manager():\n    return 1 / n",
    "two withs": "with Manager(), Manager():\n    return 1 / n",
    "other type": "try:\n    return 1 / n\nexcept KeyError:\n    done()",
    "other types": "try:\n    try:\n        return 1 / n\n    except KeyError:\n        done()\nexcept (OSError, LookupError):\n    done()",
    "other type and finally": "try:\n    return 1 / n\nexcept KeyError:\n    done()\nfinally:\n    done()",
    "other type in a loop": "for each in [n]:\n    try:\n        1 / each\n    except KeyError:\n        done()",
    "loop in other type": "try:\n    for each in [n]:\n        1 / each\nexcept KeyError:\n    done()",
    "loop or not in other type": "try:\n    for each in []: pass\n    1 / n\nexcept KeyError:\n    done()",
    "raise": "try:\n    return 1 / n\nexcept ZeroDivisionError:\n    done()\n    raise",
    "raise as": "try:\n    return 1 / n\nexcept ZeroDivisionError as error:\n    done(error)\n    raise",
    "raise error": "try:\n    return 1 / n\nexcept ZeroDivisionError as error:\n    raise error",
    "raise in a loop": "for each in [n]:\n    try:\n        return 1 / n\n    except ZeroDivisionError:\n        raise",
    "bare except": "try:\n    return 1 / n\nexcept:\n    done()\n    raise",
    "with in finally": "try:\n    return 1 / n\nfinally:\n    with Manager():\n        done()",
    "nested finally": "try:\n    try:\n        return 1 / n\n    finally:\n        done()\nfinally:\n    done()",
    "typed in finally": "try:\n    try:\n        return 1 / n\n    finally:\n        done()\nexcept KeyError:\n    done()",
    "finally around raise": "try:\n    try:\n        return 1 / n\n    except ZeroDivisionError:\n        raise\nfinally:\n    done()",
    "group": "try:\n    return 1 / n\nexcept* KeyError:\n    done()",
    "group in a loop": "for each in [n]:\n    try:\n        for inner in [n]: 1 / n\n    except* KeyError:\n        done()",
    "comprehension": "return [1 / each for each in [n]]",
    "generator expression": "return list(1 / each for each in [n])",
    "callback": "return sorted([n], key=lambda each: 1 / each)",
    "nested call": "def inner():\n    try:\n        return 1 / n\n    finally:\n        done()\nreturn inner()",
    "library frames": "return functools.reduce(lambda a, b: json.loads('[0]', parse_int=lambda text: 1 / int(text)), [n, n])",
    "generator": "def inner():\n    yield 1 / n\nreturn [*inner()]",
    "yield from": "def inner():\n    yield 1 / n\ndef outer():\n    try:\n        yield from inner()\n    finally:\n        done()\nreturn [*outer()]",
    "context manager": "with contextlib.closing(Manager()):\n    return 1 / n",
    "generator manager": "with managed():\n    return 1 / n",
    "generator manager that raises again": "with reraising():\n    return 1 / n",
    "exit stack": "with contextlib.ExitStack() as stack:\n    stack.enter_context(managed())\n    return 1 / n",
    "coroutine": "async def inner():\n    async with AsyncManager():\n        return 1 / n\nreturn asyncio.run(inner())",
    "async for": "async def each():\n    yield 1 / n\nasync def inner():\n    async for it in each(): pass\nreturn asyncio.run(inner())",
    "while": "while True:\n    try:\n        1 / n\n    except KeyError:\n        break",
    "match": "match n:\n    case 0:\n        1 / n",
    "class body": "class Inner:\n    1 / n",
    "del as": "try:\n    {}[n]\nexcept KeyError as error:\n    1 / n",
}

PROGRAM = """
import asyncio, contextlib, functools, json
def done(*args): pass
class Manager:
    def __enter__(self): return self
    def __exit__(self, *exc_info): pass
    def close(self): pass
class AsyncManager:
    async def __aenter__(self): return self
    async def __aexit__(self, *exc_info): pass
@contextlib.contextmanager
def managed():
    try: yield
    finally: done()
@contextlib.contextmanager
def reraising():
    try: yield
    except ZeroDivisionError as error:
        if error.args: raise
def fail(n):
{body}
def main(n):
    return fail(n)
"""


def source(body: str) -> str:
    return PROGRAM.replace("{body}", textwrap.indent(body, "    "))


def plainly(text: str) -> BaseException:
    """Run `main(0)` of a program without fixcont and return what it raises."""
    names: dict[str, Any] = {"__name__": "plain"}
    exec(compile(text, "plain.py", "exec"), names)
    error = attempt(names["main"], 0).error
    assert error is not None
    return error


@pytest.mark.parametrize("function", ["fail", "main"])
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_one_exception_is_one_stop_and_each_exception_stops(live: Live, body: str, function: str) -> None:
    program = live(source(body), endless=propagate)
    for _ in range(4):  # the exceptions and the frames get the ids of those before
        error = program.failure(function, 0)
        assert isinstance(error, (ZeroDivisionError, ExceptionGroup))
        del error
        collect()
    assert program.stops == ["ZeroDivisionError: division by zero"] * 4


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_what_goes_on_is_as_in_plain_python(live: Live, body: str) -> None:
    expected = plainly(source(body))
    program = live(source(body))
    got = program.failure("main", 0)
    assert type(got) is type(expected)
    assert str(got) == str(expected)
    assert list(context_chain(got)) == list(context_chain(expected))
    assert got.__suppress_context__ == expected.__suppress_context__
    assert [where for where, _, _ in places(got)] == [where for where, _, _ in places(expected)]
    assert places(got) == places(expected)


def places(error: BaseException) -> list[tuple[str, int | None, int]]:
    """Give function, line and instruction (by its positions, as traps may move instructions) of a traceback."""
    found: list[tuple[str, int | None, int]] = []
    at = error.__traceback__
    while at is not None:
        code = at.tb_frame.f_code
        if code.co_name != "attempt":
            positions = [*code.co_positions()][at.tb_lasti // 2]
            found.append((code.co_name, at.tb_lineno, positions[2] or 0))
        at = at.tb_next
    return found


def test_an_exception_that_is_raised_again_later_is_the_same(live: Live) -> None:
    program = live(
        """
kept = []
def fail():
    raise ValueError("kept")
def keep():
    try:
        fail()
    finally:
        pass
def again():
    raise kept[0]
"""
    )
    error = program.failure("keep")
    program.names["kept"].append(error)
    assert program.failure("again") is error
    assert program.stops == ["ValueError: kept"]


def test_a_second_exception_in_a_handler_of_the_first_stops(live: Live) -> None:
    program = live(
        """
def fail():
    raise ValueError("first")
def fail_again():
    raise LookupError("second")
def main():
    try:
        fail()
    finally:
        fail_again()
"""
    )
    error = program.failure("main")
    assert program.stops == ["ValueError: first", "LookupError: second"]
    assert list(context_chain(error)) == ["ValueError"]


@pytest.mark.parametrize("end", ["raise", "raise error", "raise error from None", "raise error from LookupError()"])
def test_an_exception_raised_again_through_several_functions_stops_once(live: Live, end: str) -> None:
    program = live(
        f"""
def one(): raise ValueError("it")
def two():
    try: one()
    except ValueError as error: {end}
def three():
    try: two()
    except Exception as error: {end}
def main():
    try: three()
    finally: pass
"""
    )
    for _ in range(3):
        program.failure("main")
    assert program.stops == ["ValueError: it"] * 3


def test_an_exception_that_changes_into_another_stops_for_the_other_where_it_is_raised(live: Live) -> None:
    program = live(
        """
def one(): raise ValueError("it")
def two():
    try: one()
    except ValueError as error: raise LookupError("other") from error
def main(): return two()
"""
    )
    error = program.failure("main")
    assert program.saw[-1].error == "LookupError: other"
    assert program.saw[-1].where == "two"
    assert isinstance(error.__cause__, ValueError)
    assert len(program.saw) <= 2


# -- life times and state


LIFETIMES = """
import weakref
class Thing: pass
things = []
def fail(n):
    thing = Thing()
    things.append(weakref.ref(thing))
    return 1 / n
def caught(n):
    try:
        fail(n)
    except ZeroDivisionError:
        pass
    return [thing() is None for thing in things]
def main(n):
    return fail(n)
"""


def test_a_handled_exception_dies_as_in_plain_python(live: Live) -> None:
    program = live(LIFETIMES)
    gc.disable()
    try:
        for _ in range(3):
            assert all(program.call("caught", 0))
    finally:
        gc.enable()
    assert program.saw == []


def test_an_exception_that_stopped_dies_as_in_plain_python(live: Live) -> None:
    program = live(LIFETIMES, endless=propagate)
    gc.disable()
    try:
        for _ in range(3):
            try:
                program.names["main"](0)
            except BaseException:
                assert program.names["things"][-1]() is not None
            assert program.names["things"][-1]() is None
    finally:
        gc.enable()
    assert len(program.saw) == 3


@pytest.mark.parametrize("exception", ["StopIteration(5)", "StopAsyncIteration()", "GeneratorExit()", "SystemExit(3)"])
def test_exceptions_that_are_no_failures_pass(live: Live, exception: str) -> None:
    program = live(f"def main(): raise {exception}\n")
    assert repr(program.failure("main")).startswith(exception[:8])
    assert program.saw == []


def test_what_close_and_throw_raise_inside_generators(live: Live) -> None:
    program = live(
        """
log = []
def numbers():
    try:
        yield 1
    except GeneratorExit:
        log.append("closed")
        raise
    except KeyError as error:
        log.append("thrown")
        yield 2
    finally:
        log.append("finally")
"""
    )
    numbers = program.names["numbers"]
    generator = numbers()
    next(generator)
    generator.close()
    generator = numbers()
    next(generator)
    assert generator.throw(KeyError()) == 2
    del generator
    generator = numbers()
    next(generator)
    with pytest.raises(ValueError, match="mine"):
        generator.throw(ValueError("mine"))
    assert program.log == ["closed", "finally", "thrown", "finally", "finally"]


def test_an_exception_in_a_destructor_changes_nothing(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "unraisablehook", lambda unraisable: None)
    program = live(
        """
class Thing:
    def __del__(self): raise ValueError("in a destructor")
def main():
    Thing()
    return "went on"
"""
    )
    assert program.call("main") == "went on"


def test_stop_iteration_inside_a_generator_becomes_a_runtime_error(live: Live) -> None:
    program = live("def numbers():\n    yield next(iter([]))\ndef main():\n    return [*numbers()]\n")
    error = program.failure("main")
    assert repr(error) == "RuntimeError('generator raised StopIteration')"
    assert program.stops == ["RuntimeError: generator raised StopIteration"]
    assert trace(error) == ["main: return [*numbers()]"], "as in plain Python"


def test_a_task_that_is_cancelled_does_not_stop(live: Live) -> None:
    program = live(
        """
import asyncio
log = []
async def wait():
    try:
        await asyncio.sleep(1000)
    finally:
        log.append("finally")
async def main():
    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        log.append("cancelled")
"""
    )
    asyncio.run(program.names["main"]())
    assert program.log == ["finally", "cancelled"]
    assert program.saw == []


def test_an_exception_object_with_locals_is_not_kept_by_the_stop(live: Live) -> None:
    program = live("def main(thing):\n    raise ValueError\n", endless=propagate)

    class Thing:
        pass

    thing = Thing()
    reference = weakref.ref(thing)
    program.failure("main", thing)
    del thing
    gc.collect()
    assert reference() is None


@pytest.mark.parametrize("rounds", [3, 50])
def test_a_kept_exception_that_nobody_handles_stops_after_many_that_were_handled_on_the_same_way(live: Live, rounds: int) -> None:
    program = live(
        f"""
def attempt(number):
    try:
        if number % 2: raise ValueError(number)
    except ValueError as error:
        return error
    raise ValueError(number)
def through(number):
    return attempt(number)
def handled(number):
    try: return through(number)
    except ValueError: return None
def again(error):
    raise error
def main():
    for number in range({2 * rounds}):
        last = handled(number) or last if number else handled(number)
    again(last)
"""
    )
    program.failure("main")
    assert program.stops == [f"ValueError: {2 * rounds - 1}"]


def test_what_was_handled_on_a_way_stops_there_once_the_handler_takes_it_no_more(live: Live) -> None:
    program = live(
        """
TAKEN = ValueError
def fail():
    raise ValueError("it")
def through():
    fail()
def main():
    global TAKEN
    for number in range(6):
        if number == 5: TAKEN = KeyError
        try: through()
        except TAKEN: pass
"""
    )
    program.failure("main")
    assert program.stops == ["ValueError: it"]


def test_what_a_manager_swallowed_stops_once_the_name_refers_to_another(live: Live) -> None:
    program = live(
        """
class Swallows:
    def __enter__(self): pass
    def __exit__(self, *error): return True
class Passes:
    def __enter__(self): pass
    def __exit__(self, *error): return False
manager = Passes()
def fail():
    raise ValueError("it")
def through():
    with manager: fail()
def handles():
    try: through()
    except ValueError: pass
def main():
    for number in range(5): handles()
    globals()["manager"] = Swallows()
    for number in range(5): handles(); through()
    globals()["manager"] = Passes()
    through()
"""
    )
    program.failure("main")
    assert program.stops[-1:] == ["ValueError: it"]


def test_what_is_thrown_into_a_generator_stops_once_before_its_blocks_are_left(live: Live) -> None:
    program = live(
        """
log = []
class Block:
    def __enter__(self):
        pass
    def __exit__(self, *error):
        log.append("exit")
def numbers():
    with Block():
        try:
            for each in (1, 2):
                log.append((yield each))
        finally:
            log.append("finally")
def outer():
    yield from numbers()
def direct():
    generator = numbers()
    next(generator)
    generator.throw(KeyError())
def through():
    generator = outer()
    next(generator)
    generator.throw(KeyError())
""",
        endless=lambda stop: then(lambda: program.log.append("stop"), propagate)(stop),
    )
    for name in ("direct", "through"):
        program.log.clear()
        program.failure(name)
        assert program.log == ["stop", "finally", "exit"]
