"""Programs made of steps, of which one fails, and is mended: they must end as those that never failed."""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Callable
from typing import Any

from fixcont.continuing.ways import Propagate, Resume, UseValue
from fixcont.stopping.frames import Frame
from fixcont.stopping.stop import Stop
from support.front_end import Answer, LiveProgram, attempt, find_frame, fix, then, trace

#: How the frame goes on: at the statement, as it is or edited, with a value in place of the step, or the frame around the one that failed.
WAYS = ["retry", "edited", "use value", "caller"]


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


def at_failure(answer: Answer) -> Answer:
    """Answer the stops of steps; groups that nobody handles go on."""
    return lambda stop: answer(stop) if type(stop.exception) is Failure else Propagate()


def edited(source: str) -> Answer:
    """Install the program with blank lines at its beginning and in front of each `try` body, and retry."""
    return fix(
        {source: "\n" + source.replace("try:\n", "try:\n\n").replace("note(", "0 or note(")},
        lambda stop: Resume(find_frame(stop)),
    )


def _with_statements(stop: Stop) -> Frame:
    """Give the innermost frame that has statements: up to 3.11 a comprehension is a frame of its own, which has none."""
    return next(frame for frame in stop.frames[stop.selected :] if not frame.code.co_name.endswith("comp>"))


def without_lines(what: Any) -> Any:
    """Leave the lines of tracebacks out: they are those of the text that was run."""
    if isinstance(what, (tuple, list)):
        return [without_lines(each) for each in what if not (isinstance(each, str) and ": " in each)]
    return what


def steps_in(text: str) -> list[str]:
    """Give the names of the steps of a program."""
    return list(dict.fromkeys(re.findall(r'step\("([^"]+)"\)', text)))


def check_that_a_failure_leaves_no_trace(live: Callable[..., LiveProgram], text: str, failing: str, how: str) -> None:
    """Run a program whose step fails, mend it, go on, and compare that with the program run without traps in which it does not fail.

    Args:
        text: it calls `step` and `note`, has `Block` for a `with`, and defines `job`.
        failing: the name of the step.
        how: one of `WAYS`.
    """
    source = textwrap.dedent(text)
    if how == "caller":  # the frame around the one that fails goes on
        source = "def stepping(name):\n    return step(name)\n" + source.replace("step(", "stepping(")
    steps = Steps(failing)
    answers: dict[str, Answer] = {
        "retry": lambda stop: Resume(_with_statements(stop)),
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
