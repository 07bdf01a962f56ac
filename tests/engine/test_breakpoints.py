"""Breakpoints: where they can be, when they stop, where they are after an edit; and that they leave everything else alone."""

from __future__ import annotations

import gc
import sys
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fixcont.bytecode import interpreter
from fixcont.continuing.ways import Way
from fixcont.errors import Refused
from fixcont.stepping.breakpoints import Breakpoint
from fixcont.stopping.stop import Stop
from support.front_end import Answer, LiveProgram, fix, then
from support.steps import Walk, go, is_instrumented

Live = Callable[..., LiveProgram]

LOOP = '''
log = []

def run(n):  # @def
    """Text."""

    # a comment
    for each in range(n):  # @for
        log.append(  # @call
            each,  # @argument
        )  # @close
    return n  # @end

def other():
    pairs = [(a, b)  # @comprehension
             for a in (1, 2)
             for b in (1, 2)]
    return pairs  # @pairs
'''


def number_of(made: Walk, label: str) -> int:
    return made.program.program.line(label)


def noting(notes: list[Any], what: Callable[[Stop], Any]) -> Answer:
    """Note something of a stop, and let the program run on."""

    def answer(stop: Stop) -> Way:
        notes.append(what(stop))
        return go(stop)

    return answer


@pytest.mark.parametrize("fault", [RuntimeError("a fault"), RecursionError("no room")], ids=["error", "no room"])
def test_a_fault_of_the_front_end_is_told_once_and_the_program_goes_on(live: Live, fault: Exception) -> None:
    def fail(stop: Stop) -> Way:
        raise fault

    program = live(LOOP, endless=fail)
    program.session.stepping.add(str(program.program.path), program.program.line("end"))
    assert [program.call("run", 3) for _ in range(2)] == [3, 3]
    assert len(program.saw) == 2
    [message] = program.front_end.messages
    assert message.startswith("a fault of fixcont itself; the program goes on without a stop here\n")
    assert message.endswith(str(fault))
    program.front_end.messages.clear()  # else it is a fault of this test


def where(made: Walk, number: int) -> str:
    """Tell where a breakpoint is, and whether it is enabled."""
    found = made.stepping.breakpoints.get(number)
    assert found is not None
    return made.label(found.line) + ("" if found.is_enabled else " disabled")


@pytest.mark.parametrize(
    ("asked", "placed"),
    [("for", "@for"), ("call", "@call"), ("argument", "@argument"), ("close", "@call"), ("end", "@end"), ("def", "@def")],
)
def test_a_line_without_code_gives_way_to_its_statement(live: Live, asked: str, placed: str) -> None:
    made = Walk(live, LOOP)
    assert where(made, made.at(asked)) == placed


def test_a_blank_line_gives_way_to_the_next_one_and_behind_the_end_there_is_nothing(live: Live) -> None:
    made = Walk(live, LOOP)
    path = str(made.program.program.path)
    for line in (number_of(made, "def") + 1, number_of(made, "for") - 1):
        assert made.label(made.stepping.add(path, line).line) == "@for"
    with pytest.raises(Refused, match="no-code"):
        made.stepping.add(path, 500)
    with pytest.raises(Refused, match="file-unreadable"):
        made.stepping.add(path + "x", 1)
    with pytest.raises(Refused, match="no-function"):
        made.stepping.add_function(path, "nothing")
    with pytest.raises(Refused, match="bad-condition"):
        made.at("for", condition="each ==")
    assert [each.number for each in made.stepping.breakpoints.all()] == [1, 2]


def test_a_statement_with_a_comprehension_stops_once(live: Live) -> None:
    made = Walk(live, LOOP)
    made.at("comprehension")
    made.program.call("other")
    assert len(made.saw) == 1


FINALLY = """
def job(numbers):
    class Summed:
        try:
            raise ValueError
        except ValueError:
            raise KeyError from None
        finally:
            total = numbers(1) and numbers(2)  # @sum
"""


def test_a_statement_that_an_exception_leads_to_stops_once(live: Live) -> None:
    """3.12 tells its line again after the `and`."""
    made = Walk(live, FINALLY)
    made.at("sum")
    made.program.failure("job", lambda each: each)
    assert made.saw == ["line 7 KeyError", "@sum"]


def test_by_function(live: Live) -> None:
    made = Walk(live, LOOP)
    found = made.stepping.add_function(str(made.program.program.path), "run")
    assert (made.label(found.line), found.function, found.number) == ("@for", "run", 1)
    made.program.call("run", 0)
    made.program.call("run", 0)
    assert made.saw == ["@for", "@for"]


@pytest.mark.parametrize(
    ("options", "changes", "stops", "hits"),
    [
        ({}, {}, [0, 1, 2, 3], 4),
        ({"temporary": True}, {}, [0], None),
        ({"condition": "each % 2"}, {}, [1, 3], 4),
        ({"condition": "each == limit"}, {}, [2], 4),
        ({"condition": "no_such_name"}, {}, [0, 1, 2, 3], 4),
        ({"condition": "each and 1 / 0"}, {}, [1, 2, 3], 4),
        ({}, {"ignore": 2}, [2, 3], 4),
        ({"condition": "each > 0"}, {"ignore": 2}, [3], 4),
        ({}, {"enabled": False}, [], 0),
        ({"condition": "each == 1"}, {"condition": ""}, [0, 1, 2, 3], 4),
        ({"condition": "each > 1", "temporary": True}, {}, [2], None),
    ],
)
def test_when_it_stops(live: Live, options: dict[str, Any], changes: dict[str, Any], stops: list[int], hits: int | None) -> None:
    made = Walk(live, LOOP.replace("log = []", "log = []\nlimit = 2"))
    number = made.at("call", **options)
    if changes:
        made.stepping.breakpoints.change(number, **changes)
    seen: list[int] = []

    def note(stop: Stop) -> Any:
        assert stop.breakpoints == (number,)
        seen.append(stop.frames[0].raw.f_locals["each"])
        return go(stop)

    made.answers = [note] * 10
    made.program.call("run", 4)
    assert seen == stops
    left = made.stepping.breakpoints.get(number)
    assert (left.hits if left is not None else None) == hits
    assert made.program.log == [0, 1, 2, 3]


def test_a_condition_does_not_keep_what_variables_hold_alive(live: Live) -> None:
    made = Walk(
        live,
        """
def run(make):
    thing, flag = make(), 0
    flag = 1  # @flag
    del thing
    return flag, gone()
""",
    )

    class Thing:
        pass

    references: list[weakref.ref[Thing]] = []

    def make() -> Thing:
        thing = Thing()
        references.append(weakref.ref(thing))
        return thing

    made.program.names["gone"] = lambda: references[0]() is None
    made.at("flag", condition="flag == 5")
    if interpreter.HAS_MONITORING:  # a trace function is always given a snapshot
        assert made.program.call("run", make) == (1, True)
    assert made.saw == []


def test_two_on_one_line_are_told_together_and_one_that_is_enabled_later_stops(live: Live) -> None:
    made = Walk(live, LOOP)
    numbers = [made.at("end"), made.at("end", condition="n == 0"), made.at("end", condition="n == 1")]
    told: list[tuple[int, ...]] = []
    made.answers = [noting(told, lambda stop: stop.breakpoints)] * 3
    made.program.call("run", 0)
    made.stepping.breakpoints.change(numbers[0], enabled=False)
    made.program.call("run", 0)
    made.program.call("run", 1)
    assert told == [(1, 2), (2,), (3,)]


def test_one_that_is_set_in_a_running_loop_stops_in_it(live: Live) -> None:
    made = Walk(live, LOOP)
    made.at("for", temporary=True)
    made.answers = [then(lambda: made.at("call"), go)]
    made.program.call("run", 2)
    assert made.saw == ["@for", "@call", "@call"]


def test_one_that_is_set_for_a_caller_stops_in_it(live: Live) -> None:
    made = Walk(live, "def outer():\n    inner()  # @call\n    return 1  # @after\ndef inner():\n    return 2  # @inner\n")
    made.at("inner")
    made.answers = [then(lambda: made.at("after"), go)]
    made.program.call("outer")
    assert made.saw == ["@inner", "@after"]


def test_in_a_generator_that_waits_already(live: Live) -> None:
    made = Walk(live, "def numbers():\n    yield 1\n    yield 2  # @two\n")
    waiting = made.program.call("numbers")
    next(waiting)
    made.at("two")
    assert next(waiting) == 2
    assert made.saw == ["@two"]


def test_in_a_module_that_is_imported_later(live: Live, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Walk(live, "import importlib\ndef run():\n    import later_module\n    return later_module.work()\n")
    folder = made.program.program.folder
    (folder / "later_module.py").write_text("value = 1\n\ndef work():\n    return value\n")
    monkeypatch.syspath_prepend(str(folder))
    told: list[Breakpoint] = []
    made.stepping.breakpoints.listeners.append(told.append)
    path = str(folder / "later_module.py")
    first, second = made.stepping.add(path, 1), made.stepping.add(path, 4)
    assert not first.is_bound
    seen: list[str] = []
    made.answers = [noting(seen, lambda stop: stop.frames[0].function)] * 2
    try:
        assert made.program.call("run") == 1
    finally:
        sys.modules.pop("later_module", None)
    assert seen == ["<module>", "work"]
    assert [each.number for each in told] == [first.number, second.number] and all(each.is_bound for each in told)


def test_in_a_library(live: Live) -> None:
    import textwrap

    made = Walk(live, "import textwrap\ndef run():\n    return textwrap.indent('a', '-')\n")
    made.stepping.add_function(textwrap.__file__, "indent", temporary=True)
    assert made.program.call("run") == "-a"
    assert made.saw == ["indent"]


def test_threads_that_begin_later_stop_too(live: Live) -> None:
    made = Walk(
        live,
        """
import threading
def work():
    return 1  # @work
def run():
    thread = threading.Thread(target=work, name="worker")
    thread.start()
    thread.join()
""",
    )
    names: list[str] = []
    made.at("work")
    made.answers = [noting(names, lambda stop: stop.thread_name)]
    made.program.call("run")
    assert names == ["worker"]


def test_what_is_evaluated_at_a_stop_does_not_stop(live: Live) -> None:
    made = Walk(live, LOOP + "\ndef fails():\n    return 1 / 0\n")
    made.at("end")
    made.answers = [then(lambda: made.program.names["run"](1), go)]
    made.program.call("run", 0)
    made.program.attempt("fails")
    made.answers = [then(lambda: made.program.names["run"](1), go)]  # also where a trap holds the thread
    made.program.attempt("fails")
    assert [each for each in made.saw if each == "@end"] == ["@end"]


# Edits

EDITED = """
def run(n):
    total = 0  # @total
    for each in range(n):  # @for
        total += each  # @add
    total = total + 1  # @more
    return total  # @end

def fails():
    return 1 / 0  # @fails
"""


@pytest.mark.parametrize(
    ("label", "replace", "then_at"),
    [
        ("add", {"    total = 0  # @total": "    total = 0  # @total\n    unused = 1"}, "@add"),
        ("add", {"total += each  # @add": "total += 2 * each  # @add"}, "@add"),
        ("add", {"        total += each  # @add\n": "        if each:\n            total += each  # @add\n"}, "@add"),
        ("end", {"    total = total + 1  # @more\n": ""}, "@end"),
        ("more", {"    total = total + 1  # @more\n": ""}, "@more disabled"),
        ("for", {"    for each in range(n):  # @for": "    for each in list(range(n)):  # @for"}, "@for"),
        ("total", {"def run(n):": "import os\n\n\ndef run(n, unused=0):"}, "@total"),
    ],
)
def test_they_follow_their_statements_through_an_edit(live: Live, label: str, replace: dict[str, str], then_at: str) -> None:
    made = Walk(live, EDITED)
    number = made.at(label)
    told: list[Breakpoint] = []
    made.stepping.breakpoints.listeners.append(told.append)
    made.answers = [fix(replace, go)]
    made.program.attempt("fails")
    if then_at.endswith("disabled"):
        found = made.stepping.breakpoints.get(number)
        assert found is not None and not found.is_enabled and "is gone" in found.note
        assert [each.note for each in told] == [found.note]
        made.program.call("run", 1)
        assert made.saw == ["@fails ZeroDivisionError"]
    else:
        assert where(made, number) == then_at
        made.program.call("run", 2)
        assert set(made.saw[1:]) == {then_at}


def test_a_frame_that_still_runs_the_old_text_stops_at_the_statement_there(live: Live) -> None:
    made = Walk(live, EDITED)
    number = made.at("add")
    moved = {"    total = 0  # @total": "    total = 0  # @total\n    unused = 1"}
    seen: list[int] = []

    def note(stop: Stop) -> Any:
        seen.append(stop.frames[0].line)
        return go(stop)

    before = number_of(made, "add")
    made.answers = [then(lambda: seen.append(before), fix(moved, go)), note, note]
    made.program.call("run", 2)
    assert seen == [before, before]  # its own numbering
    assert where(made, number) == "@add"
    made.program.call("run", 1)
    assert seen == [before, before, before + 1]


def test_a_breakpoint_by_function_stays_on_its_first_line(live: Live) -> None:
    made = Walk(live, EDITED)
    found = made.stepping.add_function(str(made.program.program.path), "run")
    made.answers = [fix({"    total = 0  # @total": "    first = 1  # @first\n    total = 0"}, go)]
    made.program.attempt("fails")
    assert where(made, found.number) == "@first"
    made.program.call("run", 0)
    assert made.saw[-1] == "@first"


# What others do


def test_other_tools_and_trace_functions_are_left_alone(live: Live) -> None:
    made = Walk(live, LOOP)
    made.at("end")
    lines: list[int] = []
    if not interpreter.HAS_MONITORING:
        pytest.skip("there is one trace function only; see the next test")
    api: Any = sys.monitoring
    api.use_tool_id(1, "coverage")
    api.register_callback(1, api.events.LINE, lambda code, line: lines.append(line))
    traced: list[str] = []

    def trace(frame: Any, event: str, argument: Any) -> Any:
        if frame.f_code.co_filename == str(made.program.program.path):
            traced.append(event)
            return trace
        return None

    code = made.program.names["run"].__code__
    api.set_local_events(1, code, api.events.LINE)
    sys.settrace(trace)
    try:
        made.program.names["run"](1)
        assert sys.gettrace() is trace
    finally:
        sys.settrace(None)
        api.set_local_events(1, code, 0)
        api.free_tool_id(1)
    assert made.saw == ["@end"]
    expected = [number_of(made, label) for label in ("for", "call", "argument", "call", "for", "end")]
    assert lines == expected
    assert traced == ["call", *["line"] * len(expected), "return"]


def test_where_only_one_can_trace_the_program_comes_first(live: Live) -> None:
    if interpreter.HAS_MONITORING:
        pytest.skip("several can")
    made = Walk(live, LOOP)

    def trace(frame: Any, event: str, argument: Any) -> Any:
        return None

    sys.settrace(trace)
    try:
        with pytest.raises(Refused, match="trace-taken"):
            made.at("end")
        made.program.call("run", 0)
        assert sys.gettrace() is trace
    finally:
        sys.settrace(None)
    assert made.saw == []


def test_a_tool_that_holds_the_id_of_debuggers_keeps_it(live: Live) -> None:
    if not interpreter.HAS_MONITORING:
        pytest.skip("there are no tool ids")
    api: Any = sys.monitoring
    api.use_tool_id(api.DEBUGGER_ID, "another")
    try:
        made = Walk(live, LOOP)
        made.at("end")
        made.program.call("run", 0)
        assert made.saw == ["@end"]
        assert api.get_tool(api.DEBUGGER_ID) == "another"
        assert "tool 3" in made.stepping.mechanism.reason
    finally:
        api.free_tool_id(api.DEBUGGER_ID)


def test_code_without_breakpoints_runs_as_it_did(live: Live) -> None:
    """The target for the benchmark of breakpoints that are not hit."""
    made = Walk(live, LOOP)
    made.at("end")
    run, other = (made.program.names[name].__code__ for name in ("run", "other"))
    for _ in range(2):
        made.program.call("run", 1)
        made.program.call("other")
    assert (is_instrumented(run), is_instrumented(other)) == (interpreter.HAS_MONITORING, False)


def test_code_that_is_gone_is_not_kept(live: Live) -> None:
    made = Walk(live, "def make():\n    def inner():\n        return 1  # @inner\n    return inner\n")
    made.at("inner")
    names: dict[str, Any] = {}
    text = made.program.program.text
    code = made.program.session.prepare(compile(text, str(made.program.program.path), "exec"), str(made.program.program.path))
    exec(code, names)
    names["make"]()()
    reference = weakref.ref(names["make"].__code__)
    del code
    names.clear()
    gc.collect()
    assert made.saw == ["@inner"]
    assert reference() is None
