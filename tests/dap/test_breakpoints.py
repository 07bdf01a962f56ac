"""Breakpoints, steps and exception filters in an IDE."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import pytest

from support.dap_client import Client
from support.dap_session import Debugging, launched
from support.programs import Program

Make = Callable[[str], Program]
Configure = Callable[[Client], object]

LOOP: Final = """
def helper(n):
    return n * 2  # @helper

def work(count):
    total = 0  # @first
    for n in range(count):  # @for
        total += helper(n)  # @loop
    return total  # @last

print(work(5))  # @call
print("behind")  # @behind
"""


def breaks(program: Program, *wanted: dict[str, Any]) -> Configure:
    """Set breakpoints in the program; "at" is the label of the line."""

    def configure(client: Client) -> None:
        made = [
            {"line": program.line(each["at"]), **{name: value for name, value in each.items() if name != "at"}} for each in wanted
        ]
        found = client.request("setBreakpoints", source={"path": str(program.path)}, breakpoints=made)["breakpoints"]
        assert len(found) == len(wanted)

    return configure


def stops(session: Debugging, reason: str, labels: Sequence[str]) -> None:
    """Run from stop to stop, which are at these labels, and to the end."""
    for label in labels:
        session.stopped(reason, label)
        session.run_on()


def test_breakpoints_with_conditions_and_counts(small_program: Make) -> None:
    made = small_program(LOOP)
    wanted = (
        {"at": "loop", "condition": "n == 3"},
        {"at": "helper", "hitCondition": "2"},
        {"at": "last", "condition": "total < 0"},
        {"at": "behind"},
    )
    with launched(made, breaks(made, *wanted)) as session:
        stops(session, "breakpoint", ["helper", "loop", "behind"])
        assert session.over() == "20\nbehind\n"


def test_a_breakpoint_is_told_when_its_file_is_loaded_and_moves_to_code(small_program: Make) -> None:
    made = small_program(LOOP)
    line = made.line("helper") + 1  # an empty line

    def configure(client: Client) -> None:
        client.request("setBreakpoints", source={"path": str(made.path)}, breakpoints=[{"line": line}, {"line": 1000}])

    with launched(made, configure) as session:
        told = session.client.wait_for_event("breakpoint", lambda body: body["breakpoint"]["verified"])
        assert told["breakpoint"]["line"] in (made.line("first") - 1, made.line("first"))
        session.stopped("breakpoint")
        session.run_on()
        session.over()


def test_log_points_print_and_do_not_stop(small_program: Make) -> None:
    made = small_program(LOOP)
    with launched(made, breaks(made, {"at": "loop", "logMessage": "n is {n}, total {total + 1}, {{}}"})) as session:
        assert session.over() == "20\nbehind\n"
        logged = "".join(body["output"] for body in session.client.events("output") if body.get("category") == "console")
        assert "n is 3, total 7, {}\n" in logged
        assert logged.count("n is") == 5


def test_function_breakpoints(small_program: Make) -> None:
    made = small_program(LOOP)

    def configure(client: Client) -> None:
        client.request("setFunctionBreakpoints", breakpoints=[{"name": "helper", "condition": "n == 4"}, {"name": "work"}])

    with launched(made, configure) as session:
        stops(session, "breakpoint", ["first", "helper"])
        session.over()


def test_a_condition_that_fails_stops_and_one_that_is_no_expression_is_refused(small_program: Make) -> None:
    made = small_program(LOOP)
    answers: list[dict[str, Any]] = []

    def configure(client: Client) -> None:
        wanted = [{"line": made.line("loop"), "condition": "n ==="}, {"line": made.line("last"), "condition": "nothing > 1"}]
        answers.extend(client.request("setBreakpoints", source={"path": str(made.path)}, breakpoints=wanted)["breakpoints"])

    with launched(made, configure) as session:
        assert not answers[0]["verified"]
        assert answers[0]["message"]
        stops(session, "breakpoint", ["last"])
        session.over()


def test_breakpoints_that_are_changed_while_the_program_is_held(small_program: Make) -> None:
    made = small_program(LOOP)
    with launched(made, breaks(made, {"at": "first"})) as session:
        session.stopped("breakpoint", "first")
        breaks(made, {"at": "last"})(session.client)
        session.run_on()
        session.stopped("breakpoint", "last")
        breaks(made)(session.client)
        session.run_on()
        session.over()


def test_steps(small_program: Make) -> None:
    made = small_program(LOOP)
    with launched(made, breaks(made, {"at": "first"})) as session:
        session.stopped("breakpoint", "first")
        client = session.client
        # what each step does, and where it leads
        for command, label in (("next", "for"), ("next", "loop"), ("stepIn", "helper"), ("stepOut", "for")):
            client.request(command, threadId=session.thread)
            session.stopped("step", label)
        assert session.client.variables(session.frames()[0]["id"])["n"] == "0"
        client.request("stepOut", threadId=session.thread)
        session.stopped("step", "behind")
        client.request("next", threadId=session.thread)
        assert session.over() == "20\nbehind\n"


def test_a_restart_at_a_breakpoint_and_steps_in_the_new_code(small_program: Make) -> None:
    made = small_program(LOOP)
    with launched(made, breaks(made, {"at": "loop", "condition": "n == 2"})) as session:
        session.stopped("breakpoint", "loop")
        session.save({"total = 0  # @first": "total = 100  # @first"})
        session.go("restartFrame")
        session.stopped("restart", "first")
        session.client.request("next", threadId=session.thread)
        session.stopped("step")
        assert session.evaluate("total", "watch") == "100"
        session.run_on()
        session.stopped("breakpoint", "loop")
        session.run_on()
        assert session.over() == "120\nbehind\n"


FILTERS: Final = """
import fractions
def handled():
    try:
        raise KeyError("handled")  # @handled
    except KeyError:
        return 1
def inner():
    raise ValueError("leaves")  # @leaves
def outer():
    try:
        inner()
    except ValueError:
        return 2
handled()
outer()
raise OSError("nobody")  # @nobody
"""


@pytest.mark.parametrize(
    ("filters", "labels"),
    [
        ({"filters": []}, []),
        ({"filters": ["unhandled"]}, ["nobody"]),
        ({"filters": ["uncaught"]}, ["nobody"]),
        ({"filters": ["raised", "unhandled"]}, ["leaves", "nobody"]),
        ({"filters": [], "filterOptions": [{"filterId": "raised", "condition": "ValueError"}]}, ["leaves"]),
        ({"filters": [], "filterOptions": [{"filterId": "unhandled", "condition": "!OSError"}]}, []),
    ],
)
def test_exception_filters(small_program: Make, filters: dict[str, Any], labels: list[str]) -> None:
    with launched(small_program(FILTERS), lambda client: client.request("setExceptionBreakpoints", **filters)) as session:
        stops(session, "exception", labels)
        session.over(1)


def test_only_one_stop_for_an_exception_on_its_way_out(small_program: Make) -> None:
    text = """
import contextlib
exits = []
def inner():
    with contextlib.ExitStack() as stack:
        stack.callback(exits.append, "inner")
        raise ValueError("once")  # @raised
def outer():
    try:
        inner()
    finally:
        exits.append("outer")
outer()
"""
    with launched(small_program(text)) as session:
        session.stopped(at="raised")
        assert session.evaluate("exits", "watch") == "[]"  # before anything unwinds
        session.run_on()
        session.over(1)


def test_the_lines_of_a_file_that_breakpoints_can_be_on(small_program: Make) -> None:
    made = small_program(LOOP)
    with launched(made, breaks(made, {"at": "first"})) as session:
        session.stopped("breakpoint")
        found = session.client.request(
            "breakpointLocations", source={"path": str(made.path)}, line=made.line("first"), endLine=made.line("last")
        )["breakpoints"]
        assert [each["line"] for each in found] == list(range(made.line("first"), made.line("last") + 1))
        session.run_on()
        session.over()


def test_modules_sources_and_the_source_of_code_without_a_file(small_program: Make) -> None:
    made = small_program(
        "namespace = {}\nexec(compile('def f():\\n    1 / 0\\n', '<made>', 'exec'), namespace)\nnamespace['f']()  # @call\n"
    )
    with launched(made) as session:
        session.stopped()
        client = session.client
        modules = client.request("modules", startModule=0)["modules"]
        assert str(made.path) in [each.get("path") for each in modules]
        assert str(made.path) in [each["path"] for each in client.request("loadedSources")["sources"]]
        for frame in session.frames():
            if frame["source"].get("sourceReference"):
                client.request("source", source=frame["source"], sourceReference=frame["source"]["sourceReference"])
        session.run_on()
        session.over(1)


def test_the_stack_comes_in_pages(program: Make) -> None:
    with launched(program("recursion")) as session:
        session.stopped(at="fails")
        client = session.client
        whole = session.frames()
        page = client.request("stackTrace", threadId=session.thread, startFrame=10, levels=5)
        assert page["totalFrames"] == len(whole) > 50
        assert page["stackFrames"] == whole[10:15]
        session.run_on()
        session.over(1)
