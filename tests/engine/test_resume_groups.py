"""Going on in the body of an `except*` clause, and in blocks around one, as if nothing had failed there."""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Callable
from typing import Any

import pytest

from fixcont.bytecode import interpreter
from fixcont.continuing.ways import Propagate, Resume, Skip, UseValue, Way
from fixcont.stopping.stop import Stop
from support.front_end import Answer, LiveProgram, attempt, find_frame, fix, restart, then, trace

Live = Callable[..., LiveProgram]

pytestmark = pytest.mark.skipif(interpreter.LOOP_KEEPS_INDEX, reason="how far a loop over a list has come cannot be read")


def skip(stop: Stop) -> Way:
    return Skip(find_frame(stop))


class Failure(Exception):
    """What a step fails with. No program handles it."""


class Steps:
    """What a program calls: each step is noted, with what is being handled. One fails as long as it is told to.

    Attributes:
        failing: the name of the step that fails.
        log: what the steps saw, in order.
    """

    def __init__(self, failing: str = "") -> None:
        self.failing = failing
        self.log: list[Any] = []

    def __call__(self, name: str) -> str:
        if name == self.failing:
            raise Failure(name)
        self.log.append((name, described(sys.exc_info()[1])))
        return name

    def mend(self) -> None:
        self.failing = ""


def described(error: BaseException | None) -> Any:
    """Give an exception as plain values: of a group what is in it, of each its context and the lines of its traceback."""
    if error is None:
        return None
    what = [described(each) for each in error.exceptions] if isinstance(error, BaseExceptionGroup) else str(error)
    context = described(error.__context__) if error.__context__ is not None else None
    lines = [line for line in trace(error) if not line.startswith("__call__")]
    return type(error).__name__, what, context, lines


def ending(steps: Steps, function: Callable[[], Any]) -> tuple[Any, ...]:
    outcome = attempt(function)
    assert sys.exc_info() == (None, None, None), "an exception is still being handled after the call"
    return outcome.value, described(outcome.error), steps.log


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


def names_for(steps: Steps) -> dict[str, Any]:
    class Block:
        def __init__(self, name: object) -> None:
            self.name = name

        def __enter__(self) -> None:
            steps.log.append(f"enter {self.name}")

        def __exit__(self, *error: object) -> None:
            steps.log.append(f"exit {self.name} {error[0]}")

    def note(what: Any) -> None:
        steps.log.append(described(what) if isinstance(what, BaseException) else what)

    return {"step": steps, "note": note, "Block": Block}


def plain_ending(source: str, filename: str) -> tuple[Any, ...]:
    """Run a program without traps."""
    steps = Steps()
    names = {"__name__": "plain", **names_for(steps)}
    exec(compile(source, filename, "exec", dont_inherit=True), names)
    return ending(steps, names["job"])


CASES = [(name, step) for name, text in PROGRAMS.items() for step in dict.fromkeys(re.findall(r'step\("([^"]+)"\)', text))]


@pytest.mark.parametrize(("name", "failing"), CASES)
@pytest.mark.parametrize("how", ["retry", "edited", "use value", "caller"])
def test_a_step_that_failed_once_leaves_no_trace(live: Live, name: str, failing: str, how: str) -> None:
    source = textwrap.dedent(PROGRAMS[name])
    if how == "caller":  # the frame around the one that fails goes on
        source = source.replace("step(", "call(") + "def call(name):\n    return step(name)\n"
    steps = Steps(failing)
    answers: dict[str, Answer] = {
        "retry": lambda stop: Resume(find_frame(stop)),
        "edited": edited(source),
        "use value": lambda stop: UseValue(find_frame(stop), failing),
        "caller": lambda stop: Resume(stop.frames[stop.selected + 1]),
    }
    program = live(source, endless=at_failure(then(steps.mend, answers[how])), load=False)
    expected = plain_ending(source, str(program.program.path))
    if how == "use value":  # then the step itself is not done
        done = [entry for entry in expected[2] if type(entry) is tuple and entry[0] == failing]
        expected[2].remove(done[0])
    program.names.update(names_for(steps))
    program.load()
    got = ending(steps, program.names["job"])
    program.program.path.write_text(source, encoding="utf-8")
    assert program.refused == []
    assert got[2:] == expected[2:] if how != "edited" else without_lines(got[2:]) == without_lines(expected[2:])
    assert got == expected if how != "edited" else without_lines(got) == without_lines(expected)
    assert "Failure: " + failing in program.stops


def at_failure(answer: Answer) -> Answer:
    """Answer the stops of steps; groups that nobody handles go on."""
    return lambda stop: answer(stop) if type(stop.exception) is Failure else Propagate()


def edited(source: str) -> Answer:
    """Install the program with a blank line in front of each `try` body, and retry."""
    return fix(
        {source: source.replace("try:\n", "try:\n\n").replace("note(", "0 or note(")}, lambda stop: Resume(find_frame(stop))
    )


def without_lines(what: Any) -> Any:
    """Leave the lines of tracebacks out: they are those of the text that was run."""
    if isinstance(what, (tuple, list)):
        return [without_lines(each) for each in what if not (isinstance(each, str) and ": " in each)]
    return what


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
