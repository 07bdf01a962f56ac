"""Going on in the body of an `except*` clause, and in blocks around one, as if nothing had failed there."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fixcont.bytecode import interpreter
from fixcont.continuing.ways import Skip, Way
from fixcont.stopping.stop import Stop
from support.front_end import LiveProgram, find_frame, restart
from support.mended_steps import WAYS, check_that_a_failure_leaves_no_trace, steps_in

Live = Callable[..., LiveProgram]

pytestmark = pytest.mark.skipif(interpreter.LOOP_KEEPS_INDEX, reason="how far a loop over a list has come cannot be read")


def skip(stop: Stop) -> Way:
    return Skip(find_frame(stop))


PROGRAMS = {
    "clauses": """
        def job():
            try:
                raise ExceptionGroup("all", [ValueError(1), KeyError(2), ExceptionGroup("in", [ValueError(4), OSError(5)])])
            except* ValueError as error:
                step("value")
                note(error)
                step("again")
            except* KeyError:
                step("key")
            except* TypeError:
                note("never")
        """,
    "all of it is taken": """
        def job():
            try:
                raise ExceptionGroup("all", [ValueError(1), KeyError(2)])
            except* ValueError as error:
                kept = error
                step("value")
            except* KeyError as error:
                step("key")
                del error
            else:
                note("never")
            finally:
                step("finally")
            try: error
            except NameError: step("unbound")
            return step("end"), note(kept)
        """,
    "no group": """
        def job():
            try:
                raise ValueError(1)
            except* ValueError as error:
                step("value"); note(error)
            return step("end")
        """,
    "raise again": """
        def job():
            try:
                raise ExceptionGroup("all", [ValueError(1), KeyError(2), OSError(3), ExceptionGroup("in", [KeyError(4)])])
            except* ValueError:
                step("value")
                raise
            except* KeyError as error:
                step("key")
                raise error
        """,
    "raise others": """
        def job():
            try:
                raise ExceptionGroup("all", [ValueError(1), KeyError(2), OSError(3)])
            except* ValueError:
                step("value")
                raise RuntimeError("value")
            except* KeyError as error:
                step("key")
                raise RuntimeError("key") from error
            except* OSError as error:
                step("os")
        """,
    "blocks inside": """
        def job():
            try:
                raise ExceptionGroup("all", [ValueError(1), KeyError(2)])
            except* ValueError as error:
                for each in [1, 2]:
                    with Block(each):
                        step("loop")
                        if each == 2:
                            continue
                        step("behind")
                try:
                    raise KeyError("inner")
                except KeyError as inner:
                    step("inner")
                    note(inner.__context__)
                finally:
                    step("finally")
                step("outer")
        """,
    "one in the other": """
        def job():
            try:
                raise ExceptionGroup("all", [ValueError(1), KeyError(2)])
            except* ValueError as error:
                try:
                    raise ExceptionGroup("more", [OSError(1), KeyError(2)])
                except* OSError as error:
                    step("inner")
                    note(error)
                note("never")
            except* KeyError:
                step("key")
        """,
    "in except and finally": """
        def job():
            for each in [1, 2]:
                try:
                    step("first")
                    raise OSError("outer")
                except OSError as outer:
                    step("in except")
                    for more in [3, 4]:
                        try:
                            step("try")
                            raise ExceptionGroup("all", [ValueError(each), ValueError(5)])
                        except* ValueError as error:
                            step("value")
                    note(outer)
                    step("behind")
                finally:
                    try:
                        step("try in finally")
                        raise KeyError(each)
                    except* KeyError:
                        step("key")
                    step("end of finally")
        """,
    "in a finally body that an exception led to": """
        def job():
            try:
                raise OSError("outer")
            finally:
                for each in [1, 2]:
                    try:
                        step("try")
                        raise ExceptionGroup("all", [ValueError(each)])
                    except* ValueError as error:
                        step("value")
                        note(error)
                    step("behind")
        """,
    "in a block": """
        def job():
            with Block("outer") as block:
                while step("loop"):
                    try:
                        with Block("inner"):
                            step("body")
                            raise ExceptionGroup("all", [ValueError(1), KeyError(2)])
                    except* (ValueError, KeyError) as error:
                        step("value")
                    break
        """,
    "captured": """
        def job():
            def look():
                return note(error), total
            total = 0
            try:
                raise ExceptionGroup("all", [ValueError(1), KeyError(2)])
            except* ValueError as error:
                total += len(step("value"))
                look()
            finally:
                step("behind")
            return total
        """,
    "generator": """
        def numbers():
            try:
                raise ExceptionGroup("all", [ValueError(1), KeyError(2)])
            except* ValueError as error:
                step("value")
                step((yield 1))
                note(error)
                yield step("yielded")
            except* KeyError:
                yield from [step("key")]
            step("end")
        def job():
            made = numbers()
            return [next(made), made.send("sent"), *made]
        """,
    "coroutine": """
        import asyncio
        async def wait():
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(fail(1))
                    group.create_task(fail(2))
            except* ValueError as error:
                step("value")
                await asyncio.sleep(0)
                async with asyncio.Lock():
                    step("lock")
                note(len(error.exceptions))
            return step("end")
        async def fail(number):
            raise ValueError(number)
        def job():
            return asyncio.run(wait())
        """,
    "async generator": """
        import asyncio
        async def ticks():
            try:
                raise ExceptionGroup("all", [ValueError(1), KeyError(2)])
            except* ValueError as error:
                yield step("value")
                await asyncio.sleep(0)
                step("waited")
            except* KeyError:
                yield step("key")
        async def collect():
            return [each async for each in ticks()]
        def job():
            return asyncio.run(collect())
        """,
    "class body": """
        def job():
            class Table:
                try:
                    raise ExceptionGroup("all", [ValueError(1), KeyError(2)])
                except* ValueError as error:
                    rows = [step("value")]
                    note(error)
                except* KeyError:
                    rows += step("key")
            return Table.rows, hasattr(Table, "error")
        """,
}


CASES = [(name, step) for name, text in PROGRAMS.items() for step in steps_in(text)]


@pytest.mark.parametrize(("name", "failing"), CASES)
@pytest.mark.parametrize("how", WAYS)
def test_a_step_that_failed_once_leaves_no_trace(live: Live, name: str, failing: str, how: str) -> None:
    check_that_a_failure_leaves_no_trace(live, PROGRAMS[name], failing, how)


def test_what_was_shown_in_a_clause_does_not_stop_again_as_a_member_of_a_group(live: Live) -> None:
    program = live(
        """
def job(*others):
    try:
        raise ExceptionGroup("all", [ValueError(1), KeyError(2), *others])
    except* ValueError:
        1 // 0
    except* KeyError:
        2 // 0
def main(*others):
    job(*others)
"""
    )
    error = program.failure("main")
    assert isinstance(error, ExceptionGroup)
    assert [type(each) for each in error.exceptions] == [ZeroDivisionError, ZeroDivisionError]
    assert len(program.stops) == 2
    program.failure("main", OSError(3))
    assert len(program.stops) == 5  # nobody has seen that member yet


def test_what_cannot_leave_a_clause_is_refused(live: Live) -> None:
    program = live(
        """
def job():
    try:
        raise ExceptionGroup("all", [ValueError(1)])
    except* ValueError:
        inner()
def inner():
    1 // 0
""",
        restart("job"),
        skip,
    )
    assert program.call("job") is None
    (refusal,) = program.front_end.refusals
    assert refusal.code == "would-be-caught"
    assert "except*" in refusal.sentence
