"""The prompt at stops that are made of live frames, without an engine: what it shows, and what it answers."""

from __future__ import annotations

import contextlib
import io
import pdb
import re
import signal
import sys
import weakref
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import CodeType, FrameType, SimpleNamespace
from typing import Any, cast

import pytest

from fixcont.continuing.ways import (
    Landing,
    Propagate,
    QuitProgram,
    RestartFrame,
    Resume,
    ReturnFromFrame,
    Skip,
    Throw,
    UseValue,
    Way,
)
from fixcont.editing.result import Installed, InstallResult, InstallStatus
from fixcont.errors import Refusal
from fixcont.stopping.frames import Frame
from fixcont.stopping.stop import Stop, StopReason
from fixcont_ui.commands import COMMANDS
from fixcont_ui.prompt import Prompt
from fixcont_ui.streams import Streams, choose_streams
from fixcont_ui.unavailable import NOT_AVAILABLE
from support.editor import ScriptedEditor

PROMPT = "(fixcont) "
BEFORE = Refusal("entered-before", "the frame began before the traps came", "restart a frame further in")


class Sources:
    """Stands for the texts of the program: gives the prepared results of installs, one after the other."""

    def __init__(self, results: Sequence[InstallResult | Exception] = ()) -> None:
        self.results = list(results)
        self.obsolete: set[CodeType] = set()
        self.texts: dict[CodeType, list[str]] = {}
        self.installs = 0

    def install_changes(self) -> InstallResult:
        self.installs += 1
        result = self.results.pop(0) if self.results else InstallResult(InstallStatus.UNCHANGED)
        if isinstance(result, Exception):
            raise result
        return result

    def held_back(self) -> list[str]:
        return []

    def text_of(self, code: CodeType) -> list[str] | None:
        return self.texts.get(code)

    def is_obsolete(self, code: CodeType) -> bool:
        return code in self.obsolete

    def newest(self, code: CodeType) -> SimpleNamespace:
        return SimpleNamespace(version=2)


class Desk:
    """A prompt with prepared commands, and all that it has shown.

    `stop()` is called by the function under test: it makes a stop of the frames from its caller out to the test.
    """

    def __init__(self, commands: str, results: Sequence[InstallResult | Exception] = (), startup: Sequence[str] = ()) -> None:
        self.sources = Sources(results)
        self.output = io.StringIO()
        streams = Streams(io.StringIO(commands), self.output, is_terminal=False)
        session = cast(Any, SimpleNamespace(sources=self.sources, known_steps=None, at_work=contextlib.nullcontext))
        self.prompt = Prompt(session, startup, folder="/no/such/folder", streams=streams)
        self.refused: dict[str, Refusal] = {}  # name of a function -> why its frame cannot be restarted
        self.landings: dict[str, Landing | Refusal] = {}  # name of a function -> where its frame would go on
        self.answers: list[Way] = []

    @property
    def shown(self) -> str:
        return self.output.getvalue()

    @property
    def replies(self) -> list[str]:
        """What was shown after each prompt."""
        return self.shown.split(PROMPT)[1:]

    def frames(self, innermost: FrameType | None) -> list[Frame]:
        found: list[Frame] = []
        raw = innermost
        while raw is not None and not raw.f_code.co_name.startswith("test_"):
            refusal = self.refused.get(raw.f_code.co_name)
            found.append(Frame(raw, raw.f_lineno, raw.f_lasti, is_user=True, is_obsolete=False, restart_refusal=refusal))
            raw = raw.f_back
        return found

    def make_stop(self, exception: BaseException | None, depth: int = 2, **attributes: Any) -> Stop:
        def refusal_of(way: Way) -> Refusal | None:
            return way.frame.restart_refusal if isinstance(way, (RestartFrame, ReturnFromFrame, Throw)) else None

        def landing_of(way: Resume | UseValue | Skip) -> Landing | Refusal:
            function, line = way.frame.function, way.frame.line
            return self.landings.get(function) or Landing(function, line, line, 0, 0)

        values: dict[str, Any] = {
            "reason": StopReason.EXCEPTION if exception is not None else StopReason.ENTRY,
            "exception": exception,
            "frames": self.frames(sys._getframe(depth)),
            "selected": 0,
            "thread_name": "MainThread",
            "refusal_of": refusal_of,
            "landing_of": landing_of,
        }
        return Stop(**{**values, **attributes})

    def stop(self, exception: BaseException | None = None, **attributes: Any) -> Way:
        stop = self.make_stop(exception, **attributes)
        way = self.prompt.stopped(stop)
        self.answers.append(way)
        return way


@pytest.fixture(autouse=True)
def _no_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))


def unit_price(desk: Desk, total: int, count: int) -> Any:
    try:
        return total / count
    except ZeroDivisionError as error:
        desk.stop(error)
    return total, count


def load(desk: Desk, rows: list[int]) -> Any:
    price = unit_price(desk, rows[0], 0)
    return rows, price


def installed(*items: Installed, warnings: Sequence[Refusal] = ()) -> InstallResult:
    return InstallResult(InstallStatus.INSTALLED, items, tuple(warnings))


# What a stop shows


def test_the_first_lines() -> None:
    desk = Desk("")
    failing: Callable[[], Way] = lambda: desk.stop(ZeroDivisionError("division by zero"))  # noqa: E731
    failing()

    lines = desk.shown.splitlines()
    assert lines[0] == "ZeroDivisionError: division by zero"
    assert lines[1].startswith(f"> {__file__}(") and lines[1].endswith(")<lambda>()")
    assert lines[2] == '-> failing: Callable[[], Way] = lambda: desk.stop(ZeroDivisionError("division by zero"))  # noqa: E731'
    assert lines[3] == PROMPT


def test_notes_and_the_members_of_a_group_are_shown() -> None:
    desk = Desk("")
    group = ExceptionGroup("several", [ValueError(number) for number in range(12)])
    group.add_note("a note")
    (lambda: desk.stop(group))()

    assert desk.shown.startswith("ExceptionGroup: several (12 sub-exceptions)\na note\n  1: ValueError: 0\n  2: ValueError: 1\n")
    assert "  10: ValueError: 9\n  and 2 more\n> " in desk.shown


def test_a_late_stop_and_another_thread_are_told_first() -> None:
    desk = Desk("")
    (lambda: desk.stop(ValueError("x"), late="two frames have unwound", thread_name="worker-1"))()

    assert desk.shown.startswith("two frames have unwound\nin thread worker-1:\nValueError: x\n> ")


def test_a_stop_without_an_exception() -> None:
    desk = Desk("")
    (lambda: desk.stop(None))()
    (lambda: desk.stop(None))()

    assert desk.shown.startswith("> ")


def test_an_interrupt_is_named() -> None:
    desk = Desk("")
    (lambda: desk.stop(None, reason=StopReason.INTERRUPT))()

    assert desk.shown.startswith("\nProgram interrupted\n> ")


def test_what_cannot_be_encoded_is_shown_escaped() -> None:
    desk = Desk("")
    binary = io.BytesIO()
    ascii_only = io.TextIOWrapper(binary, "ascii", write_through=True)
    desk.prompt._given_streams = Streams(io.StringIO(), ascii_only, is_terminal=False)
    (lambda: desk.stop(ValueError("\u20ac")))()

    assert binary.getvalue().startswith(b"ValueError: \\u20ac\n> ")


# Looking


def test_where_marks_each_frame() -> None:
    desk = Desk("where\n")
    desk.refused["load"] = BEFORE
    desk.sources.obsolete.add(unit_price.__code__)
    load(desk, [1])

    where = desk.replies[0].splitlines()
    assert where[0].endswith(")load()  [entered-before]")
    assert where[2].startswith("> ") and where[2].endswith(")unit_price()  [restartable] [old version]")


def test_up_and_down_select_frames() -> None:
    desk = Desk("up\np rows\ndown\np count\n")
    load(desk, [7])

    assert desk.replies[0].splitlines()[0].endswith(")load()")
    assert [desk.replies[1], desk.replies[3]] == ["[7]\n", "0\n"]


@pytest.mark.parametrize("command", ["list", "list .", "l", "longlist", "ll"])
def test_listings_point_at_the_line_of_the_stop(command: str) -> None:
    desk = Desk(f"{command}\n")
    load(desk, [7])

    arrows = [line for line in desk.replies[0].splitlines() if re.match(r" *\d+ +->", line)]
    assert len(arrows) == 1
    assert arrows[0].endswith("desk.stop(error)")


def test_frames_show_the_text_that_they_run() -> None:
    lines = Path(__file__).read_text(encoding="utf-8").splitlines(keepends=True)
    first = unit_price.__code__.co_firstlineno
    desk = Desk("ll\nw\n")
    desk.sources.texts[unit_price.__code__] = [line.replace("desk.stop(error)", "the_text_of_then()") for line in lines]
    load(desk, [7])

    assert "-> the_text_of_then()\n(fixcont) " in desk.shown
    assert desk.replies[0].splitlines()[0].startswith(str(first).rjust(3))
    assert "the_text_of_then()" in desk.replies[0]
    assert "-> price = unit_price(desk, rows[0], 0)" in desk.replies[1]


def test_pdbs_commands_for_looking_work() -> None:
    desk = Desk(
        "a\np total + 1\npp [total]\nwhatis total\nsource unit_price\ndisplay total\nundisplay total\nalias x p %1\nx total\n"
    )
    load(desk, [7])

    assert desk.replies[0].endswith("total = 7\ncount = 0\n")
    assert desk.replies[1:4] == ["8\n", "[7]\n", "<class 'int'>\n"]
    assert "def unit_price" in desk.replies[4]
    assert desk.replies[5] == "display total: 7\n"
    assert desk.replies[8] == "7\n"


def test_displayed_expressions_are_shown_at_the_next_stop() -> None:
    desk = Desk("display total\nc\n")
    load(desk, [7])
    load(desk, [8])

    assert "display total: 8  [old: 7]\n" in desk.shown


def test_an_error_is_shown_and_the_prompt_goes_on() -> None:
    desk = Desk("p 1/0\n!no_such_name\np total\n")
    load(desk, [7])

    assert desk.replies[:3] == [
        "*** ZeroDivisionError: division by zero\n",
        "*** NameError: name 'no_such_name' is not defined\n",
        "7\n",
    ]


def test_interact_is_left_by_exit_and_closes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk("")
    stdin = io.StringIO("interact\nprint(total * 6)\nexit()\np total\n")
    desk.prompt._given_streams = Streams(stdin, desk.output, is_terminal=False)
    load(desk, [7])

    assert "42\n" in desk.shown
    assert desk.replies[-2] == "7\n"
    assert not stdin.closed


def test_earlier_exceptions_of_the_chain_can_be_looked_at_but_not_restarted() -> None:
    def first() -> None:
        raise KeyError("first")

    def second() -> None:
        try:
            first()
        except KeyError as error:
            try:
                raise ValueError("second") from error
            except ValueError as later:
                desk.stop(later)

    desk = Desk("exceptions 0\nrf\nw\nexceptions 1\nrf\n")
    second()

    assert "first()" in desk.replies[0]
    assert desk.replies[1].startswith("refused: post-mortem: ")
    assert "[post-mortem]" in desk.replies[2]
    assert isinstance(desk.answers[0], RestartFrame)
    assert desk.answers[0].frame.function.endswith("second")


def test_values_behind_the_dollar_leave_nothing_among_the_globals() -> None:
    desk = Desk("$x = 5\np $x\nup\np $x\nc\n")
    load(desk, [7])

    if sys.version_info >= (3, 12):  # before, pdb has none
        assert [desk.replies[1], desk.replies[3]] == ["5\n", "5\n"]
    assert "__pdb_convenience_variables" not in globals()


# Assigning


def test_assignments_take_effect_in_every_frame() -> None:
    desk = Desk("count = 5; total = 6\nup\nrows = [rows, 'typed']\ndown\ntotal += 1\np total, count\nc\n")

    assert load(desk, [1]) == ([[1], "typed"], (7, 5))
    assert desk.replies[5] == "(7, 5)\n"


def test_assignments_reach_closures_and_do_not_undo_what_these_do() -> None:
    def outer() -> tuple[int, int, int]:
        number, other = 1, 10

        def bump() -> int:
            nonlocal number
            number += 1
            return number

        desk.stop(ValueError())
        return number, bump(), other

    desk = Desk("bump()\nbump()\np number\nother = 11; bump()\nc\n")

    assert outer() == (4, 5, 11)
    assert desk.replies[:3] == ["2\n", "3\n", "3\n"]


def test_an_expression_may_assign() -> None:
    desk = Desk("p (count := 9)\nc\n")

    assert load(desk, [1]) == ([1], (1, 9))


def test_names_that_are_no_variables_of_the_function_stay_at_the_prompt() -> None:
    desk = Desk("fresh = 3\nup\ndown\np fresh + total\nc\n")
    load(desk, [1])

    assert desk.replies[3] == "4\n"


def test_a_variable_that_cannot_be_deleted_stays_and_that_is_told() -> None:
    desk = Desk("del total\np total\nc\n")

    assert load(desk, [1]) == ([1], (1, 0))
    assert desk.replies[0].startswith("*** ")
    assert desk.replies[1] == "1\n"


def test_assignments_in_class_bodies_and_modules() -> None:
    desk = Desk("x = 2\nc\nx = 3\nc\n")

    class Body:
        x = 1
        desk.stop(ValueError())

    names: dict[str, Any] = {"desk": desk}
    exec("x = 1\ndesk.stop(ValueError())", names)

    assert (Body.x, names["x"]) == (2, 3)


# Going on


def test_restartframe_installs_first_and_says_what_it_does() -> None:
    desk = Desk("rf\n", [installed(Installed("unit_price", "p.py", 2), Installed("helper", "p.py", 1, added=True))])
    load(desk, [1])

    assert desk.replies[0] == (
        "installed: unit_price (version 2), helper (new)\nrestart unit_price (version 2); what it has done so far is not undone\n"
    )
    way = desk.answers[0]
    assert isinstance(way, RestartFrame)
    assert way.frame.function == "unit_price"


def test_a_refusal_names_the_nearest_frame_that_can() -> None:
    desk = Desk("rf\nfr 1\nthrow ValueError\nup\nrf\n")
    desk.refused["unit_price"] = BEFORE
    load(desk, [1])

    for reply in desk.replies[:3]:
        assert reply.splitlines()[0] == f"refused: {BEFORE}"
        assert reply.splitlines()[1].startswith("nearest that can: load() at test_prompt.py:")
        assert reply.splitlines()[1].endswith('(use "up 1")')
    assert isinstance(desk.answers[0], RestartFrame)


def test_the_nearest_frame_may_be_further_in() -> None:
    desk = Desk("up\nrestartframe\n")
    desk.refused["load"] = BEFORE
    load(desk, [1])

    assert '(use "down 1")' in desk.replies[1]


@pytest.mark.parametrize("command", ["rf", "retry", "resume 3", "uv 1", "skip", "fr 1", "throw ValueError", "c"])
def test_a_syntax_error_in_a_file_is_shown_and_the_command_not_carried_out(command: str) -> None:
    error = SyntaxError("invalid syntax", ("/x/prices.py", 3, 9, "    x = )\n", 3, 10))
    desk = Desk(f"{command}\np total\n", [InstallResult(InstallStatus.SYNTAX_ERROR, error=error)])
    load(desk, [1])

    assert desk.replies[0] == '  File "/x/prices.py", line 3\n    x = )\n        ^\nSyntaxError: invalid syntax\n'
    assert desk.replies[1] == "1\n"


def test_an_install_that_is_refused_is_told_and_the_command_not_carried_out() -> None:
    refusal = Refusal("closure-changed", "f takes other variables", "restart g")
    desk = Desk("rf\np total\n", [InstallResult(InstallStatus.REFUSED, refusal=refusal)])
    load(desk, [1])

    assert desk.replies[:2] == ["refused: closure-changed: f takes other variables; restart g\n", "1\n"]


def test_warnings_are_told() -> None:
    warning = Refusal("module-level", "LIMIT = 2 is not run again", "assign it at the prompt")
    desk = Desk("c\n", [installed(Installed("f", "p.py", 3), warnings=[warning])])
    load(desk, [1])

    assert desk.replies[0] == (
        "installed: f (version 3)\nwarning: module-level: LIMIT = 2 is not run again; assign it at the prompt\n"
    )


def test_forcereturn_gives_the_value() -> None:
    desk = Desk("fr\nforcereturn no_such\nfr [total, count]\n")
    load(desk, [1])

    assert desk.replies[0].startswith("*** Argument is required")
    assert desk.replies[1].startswith("*** NameError")
    way = desk.answers[0]
    assert isinstance(way, ReturnFromFrame)
    assert (way.frame.function, way.value) == ("unit_price", [1, 0])


@pytest.mark.parametrize(
    ("argument", "kind", "args"),
    [("KeyError", KeyError, ()), ("KeyError(total)", KeyError, (1,)), ("ValueError('a;b') from KeyError", ValueError, ("a;b",))],
)
def test_throw_makes_what_raise_would(argument: str, kind: type[BaseException], args: tuple[Any, ...]) -> None:
    desk = Desk(f"throw {argument}\n")
    load(desk, [1])

    way = desk.answers[0]
    assert isinstance(way, Throw)
    assert (type(way.exception), way.exception.args) == (kind, args)
    assert isinstance(way.exception.__cause__, KeyError) == ("from" in argument)
    assert desk.replies[0] == f"throw {kind.__name__} in unit_price\n"


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("", "*** Argument is required"),
        ("5", "*** TypeError: exceptions must derive from BaseException"),
        ("int", "*** TypeError: exceptions must derive from BaseException"),
        ("KeyError from 5", "*** TypeError: exception causes must derive from BaseException"),
        ("= 5", "*** SyntaxError: "),
        ("UnicodeDecodeError", "*** TypeError: "),
        ("no_such", "*** NameError: "),
    ],
)
def test_throw_takes_exceptions_only(argument: str, message: str) -> None:
    desk = Desk(f"throw {argument}\n")
    load(desk, [1])

    assert desk.replies[0].startswith(message)
    assert [type(way) for way in desk.answers] == [Propagate]


@pytest.mark.parametrize(
    ("command", "kind", "rest"),
    [
        ("retry", Resume, (None, False)),
        ("resume 214", Resume, (214, False)),
        ("usevalue [total, count]", UseValue, ([1, 0],)),
        ("uv total", UseValue, (1,)),
        ("skip", Skip, ()),
    ],
)
def test_going_on_in_the_middle_installs_first_and_says_where(command: str, kind: type[Way], rest: tuple[Any, ...]) -> None:
    desk = Desk(f"{command}\n", [installed(Installed("unit_price", "p.py", 2))])
    desk.landings["unit_price"] = Landing("unit_price", 214, 209, 2, 1)
    load(desk, [1])

    where = "after" if kind is Skip else "at"
    assert desk.replies[0] == (
        f"installed: unit_price (version 2)\nresume unit_price {where} line 214 (was 209), inside 2 loops and 1 with block\n"
    )
    way = desk.answers[0]
    assert type(way) is kind
    assert isinstance(way, (Resume, UseValue, Skip))
    assert way.frame.function == "unit_price"
    assert tuple(way[1:]) == rest


@pytest.mark.parametrize(
    ("landing", "lines"),
    [
        (Landing("job", 9, 9, 0, 0), ["resume job at line 9"]),
        (Landing("job", 9, 9, 1, 0), ["resume job at line 9, inside 1 loop"]),
        (Landing("A.job", 9, 8, 0, 2), ["resume A.job at line 9 (was 8), inside 2 with blocks"]),
        (Landing("job", 9, 9, 0, 0, (12,)), ["resume job at line 9, closing the with of line 12"]),
        (
            Landing("job", 9, 9, 1, 1, (12, 7)),
            ["resume job at line 9, inside 1 loop and 1 with block, closing the with of line 12 and of line 7"],
        ),
        (
            Landing("job", 9, 9, 0, 0, (), ("fetch()", "self.store(…)")),
            ["resume job at line 9", "this calls fetch() again", "this calls self.store(…) again"],
        ),
        (
            Landing("job", 9, 9, 0, 0, (), ("int()", "fetch()", "int()")),
            ["resume job at line 9", "this calls int() again", "this calls fetch() again"],
        ),
    ],
)
def test_where_a_frame_goes_on_in_words(landing: Landing, lines: list[str]) -> None:
    desk = Desk("retry\n")
    desk.landings["unit_price"] = landing
    load(desk, [1])

    assert desk.replies[0].splitlines() == lines


@pytest.mark.parametrize("command", ["retry", "resume 3", "uv 1", "skip"])
def test_a_refusal_to_go_on_in_the_middle_names_the_nearest_frame_that_can(command: str) -> None:
    desk = Desk(f"{command}\np total\nup\n{command}\n")
    gone = desk.landings["unit_price"] = Refusal("statement-gone", "the statement of line 3 is gone", 'use "resume 5"')
    load(desk, [1])

    first, nearest = desk.replies[0].splitlines()
    assert first == f"refused: {gone}"
    assert nearest.startswith("nearest that can: load() at test_prompt.py:")
    assert nearest.endswith('(use "up 1")')
    assert desk.replies[1] == "1\n"
    assert desk.replies[3].startswith("resume load ")
    way = desk.answers[0]
    assert isinstance(way, (Resume, UseValue, Skip))
    assert way.frame.function == "load"


@pytest.mark.parametrize("command", ["resume", "resume here", "resume 3 4", "resume -1", "resume = 3", "retry 3", "skip = 3"])
def test_what_makes_no_sense_shows_the_usage(command: str) -> None:
    desk = Desk(f"{command}\np total\n")
    load(desk, [1])

    said, usage = desk.replies[0].splitlines()
    assert said.startswith("*** ")
    assert usage.strip().startswith(f"Usage: {command.split()[0]}")
    assert desk.replies[1] == "1\n"
    assert desk.sources.installs == 0


@pytest.mark.parametrize(
    ("argument", "message"), [("", "*** Argument is required"), ("no_such", "*** NameError: "), ("= 5", "*** Syn")]
)
def test_usevalue_needs_a_value(argument: str, message: str) -> None:
    desk = Desk(f"uv {argument}\np total\n")
    load(desk, [1])

    assert desk.replies[0].startswith(message)
    assert desk.replies[1] == "1\n"
    assert [type(way) for way in desk.answers] == [Propagate]


@pytest.mark.parametrize("command", ["q", "quit", "exit"])
def test_quit(command: str) -> None:
    desk = Desk(f"{command}\n")
    load(desk, [1])

    assert [type(way) for way in desk.answers] == [QuitProgram]
    assert desk.sources.installs == 0


@pytest.mark.parametrize("command", ["c", "cont", "continue"])
def test_continue_installs_and_propagates(command: str) -> None:
    desk = Desk(f"{command}\n")
    load(desk, [1])

    assert [type(way) for way in desk.answers] == [Propagate]
    assert desk.sources.installs == 1


@pytest.mark.parametrize("command", ["c = 3", "q = 3", "rf = 3", "continue 4", "fix = 3"])
def test_what_looks_like_an_assignment_does_not_leave_the_stop(command: str) -> None:
    desk = Desk(f"{command}\np 1\n")
    load(desk, [1])

    assert desk.replies[0].startswith("*** Invalid argument: ")
    assert desk.replies[1] == "1\n"


def test_an_empty_line_repeats_looking_but_never_going_on() -> None:
    desk = Desk("p total\n\nrf\n\n")
    load(desk, [1])
    load(desk, [2])

    assert desk.replies[:2] == ["1\n", "1\n"]
    assert [type(way) for way in desk.answers] == [RestartFrame, Propagate]


def test_the_end_of_the_input_lets_this_and_every_later_exception_go_on() -> None:
    desk = Desk("p total\n")
    load(desk, [1])
    shown = desk.shown
    load(desk, [2])

    assert [type(way) for way in desk.answers] == [Propagate, Propagate]
    assert desk.shown == shown
    assert desk.sources.installs == 0


def test_the_end_of_the_input_at_a_terminal_ends_the_program() -> None:
    desk = Desk("")
    desk.prompt._given_streams = Streams(io.StringIO(), desk.output, is_terminal=True)
    load(desk, [1])

    assert [type(way) for way in desk.answers] == [QuitProgram]


def test_an_answer_that_is_refused_comes_back_to_the_same_place() -> None:
    desk = Desk("up\nrf\np rows\nc\n")

    def stopping() -> None:
        rows = [4]

        def inner() -> None:
            stop = desk.make_stop(ValueError("once"))
            desk.answers.append(desk.prompt.stopped(stop))
            desk.prompt.refused(Refusal("c-frame-swallowed", "C code on the way would swallow it"))
            desk.answers.append(desk.prompt.stopped(stop))

        (lambda: inner())()
        assert rows

    stopping()

    assert desk.shown.count("ValueError: once") == 1
    assert "refused: c-frame-swallowed: C code on the way would swallow it\n(fixcont) " in desk.shown
    assert [type(way) for way in desk.answers] == [RestartFrame, Propagate]


def test_a_stop_in_what_is_evaluated_is_none() -> None:
    desk = Desk("p load(desk, [3])\np total\nc\n")
    load(desk, [1])

    assert [type(way) for way in desk.answers] == [Propagate, Propagate]
    assert desk.replies[0] == "([3], (3, 0))\n"
    assert desk.replies[1] == "1\n"


def test_a_fault_of_ours_is_reported_and_the_stop_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk("rf\np total\nrf\n", [RuntimeError("broken")])
    stderr = io.StringIO()
    monkeypatch.setattr(sys, "__stderr__", stderr)
    load(desk, [1])

    assert "fixcont: a fault of fixcont itself: RuntimeError: broken" in stderr.getvalue()
    assert desk.replies[1] == "1\n"
    assert isinstance(desk.answers[0], RestartFrame)


def test_a_broken_output_lets_the_program_go_on() -> None:
    class Broken(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError("nobody reads")

    desk = Desk("")
    desk.prompt._given_streams = Streams(io.StringIO(), Broken(), is_terminal=False)
    load(desk, [1])

    assert [type(way) for way in desk.answers] == [Propagate]


# The table of commands


@pytest.mark.parametrize("name", [name for group in NOT_AVAILABLE for name in group.names])
def test_commands_without_a_mechanism_are_refused_by_name(name: str) -> None:
    desk = Desk(f"{name} 1\nhelp {name}\np total\n")
    load(desk, [1])

    assert desk.replies[0].startswith(f'refused: not-available: "{name}" ')
    assert desk.replies[1].startswith("refused: not-available: ")
    assert desk.replies[2] == "1\n"


def test_help_lists_what_works_and_nothing_else() -> None:
    desk = Desk("help\n")
    load(desk, [1])

    listed, _, ours = desk.replies[0].partition("Breakpoints:")
    words = listed.partition("====\n")[2].split()
    assert {name for command in COMMANDS for name in command.names} <= set(words)
    assert {"where", "list", "interact"} <= set(words)
    assert {name for group in NOT_AVAILABLE for name in group.names} & set(words) == set()
    for command in COMMANDS:
        assert command.summary in ours


def test_help_ends_with_what_repairs() -> None:
    desk = Desk("help\n")
    load(desk, [1])

    last = desk.replies[0].rstrip("\n").rpartition("\n")[2]
    assert '"fix"' in last and '"rf"' in last and len(last) < 80
    assert desk.replies[0].index("Stepping:") < desk.replies[0].index("Fix and continue:")


@pytest.mark.parametrize(("is_terminal", "shown"), [(True, 1), (False, 0)])
def test_a_person_is_told_once_how_a_repair_begins(is_terminal: bool, shown: int) -> None:
    desk = Desk("")
    for _ in range(2):
        desk.prompt._given_streams = Streams(io.StringIO("c\n"), desk.output, is_terminal=is_terminal)
        (lambda: desk.stop(ValueError()))()

    assert desk.shown.count('"fix" edits') == shown
    assert [type(way) for way in desk.answers] == [Propagate, Propagate]


@pytest.mark.parametrize("name", [name for command in COMMANDS for name in command.names])
def test_each_command_has_help(name: str) -> None:
    desk = Desk(f"help {name}\n")
    load(desk, [1])

    command = next(command for command in COMMANDS if name in command.names)
    assert desk.replies[0] == f"{command.usage}\n\n{command.help}\n"


def test_only_what_leaves_a_stop_takes_the_place_of_a_command_of_pdb() -> None:
    ours = [name for command in COMMANDS for name in command.names if hasattr(pdb.Pdb, f"do_{name}")]

    assert ours == ["continue", "cont", "c", "quit", "q", "exit"]


def test_completion_knows_the_commands_and_the_variables() -> None:
    offered: list[Any] = []

    def look() -> None:
        some_value = 1
        desk.stop(ValueError())
        assert some_value

    desk = Desk("restart\n")
    original = desk.prompt.default

    def spy(line: str) -> None:
        offered.append(desk.prompt.completenames("restartf", "restartf", 0, 8))
        offered.append(desk.prompt.completenames("st", "st", 0, 2))
        for complete in (desk.prompt.complete_fr, desk.prompt.complete_uv):  # type: ignore[attr-defined]
            offered.append(complete("some_v", "fr some_v", 3, 9))
        original(line)

    desk.prompt.default = spy  # type: ignore[method-assign]
    desk.prompt._given_streams = Streams(io.StringIO("1 + 1\n"), desk.output, is_terminal=False)
    look()

    assert offered[0] == ["restartframe"]
    assert offered[1] == ["stale", "step"]
    assert offered[2:] == [["some_value"], ["some_value"]]


# Beginning, and leaving nothing behind


def test_startup_lines_and_commands_come_before_what_is_typed(tmp_path: Path) -> None:
    (tmp_path / ".pdbrc").write_text("# a comment\np 'home'\n\n")
    project = tmp_path / "project"
    project.mkdir()
    (project / ".pdbrc").write_text("alias twice p 2 * %1\n")
    desk = Desk("twice total\n")
    session = cast(Any, SimpleNamespace(sources=desk.sources, known_steps=None))
    streams = Streams(io.StringIO("twice total\n"), desk.output, is_terminal=False)
    desk.prompt = Prompt(session, ["p 'option'"], folder=str(project), streams=streams)
    load(desk, [21])

    assert "\n'home'\n'option'\n(fixcont) 42\n" in desk.shown


def test_commands_that_are_left_over_are_given_at_the_next_stop() -> None:
    desk = Desk("", startup=["rf ;; p total", "c"])
    load(desk, [1])
    load(desk, [2])

    assert [type(way) for way in desk.answers] == [RestartFrame, Propagate]
    assert desk.shown.endswith("\n2\n")


def test_nothing_of_the_program_is_kept_alive() -> None:
    class Value:
        pass

    def hold() -> weakref.ref[Value]:
        value = Value()
        reference = weakref.ref(value)
        desk.stop(None)
        return reference

    desk = Desk("w\nu\nd\np value\ndisplay reference\nrf\n")
    reference = hold()
    desk.answers.clear()  # the answer itself names a frame

    assert reference() is None


def test_the_prompt_traces_nothing() -> None:
    desk = Desk("w\nc\n")
    load(desk, [1])

    assert sys.gettrace() is None
    assert sys._getframe().f_trace is None


@contextlib.contextmanager
def interrupt_handler(handler: Any) -> Iterator[None]:
    before = signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def test_ctrl_c_clears_the_line_and_the_programs_handler_comes_back() -> None:
    def own(number: int, frame: FrameType | None) -> None:
        raise AssertionError("the program was interrupted")

    class Interrupted(io.StringIO):
        def readline(self, size: int = -1, /) -> str:  # type: ignore[override]
            line = super().readline(size)
            if line == "interrupt\n":
                signal.raise_signal(signal.SIGINT)
            return line

    desk = Desk("")
    stdin = Interrupted("interrupt\n!import signal; signal.raise_signal(2)\np total\nrf\n")
    desk.prompt._given_streams = Streams(stdin, desk.output, is_terminal=False)
    with interrupt_handler(own):
        load(desk, [1])
        assert signal.getsignal(signal.SIGINT) is own

    assert desk.replies[0] == "--KeyboardInterrupt--\n"
    assert desk.replies[1] == "*** KeyboardInterrupt\n"
    assert desk.replies[2] == "1\n"
    assert isinstance(desk.answers[0], RestartFrame)


def test_ctrl_c_while_installing_waits_until_that_is_done() -> None:
    class Slow(Sources):
        finished = 0

        def install_changes(self) -> InstallResult:
            signal.raise_signal(signal.SIGINT)
            self.finished += 1
            return InstallResult(InstallStatus.UNCHANGED)

    desk = Desk("rf\np total\n")
    slow = Slow()
    cast(Any, desk.prompt).session.sources = slow
    with interrupt_handler(signal.default_int_handler):
        load(desk, [1])

    assert slow.finished == 1
    assert desk.replies[0] == "--KeyboardInterrupt--\n"
    assert desk.replies[1] == "1\n"


def test_the_programs_stand_ins_are_never_talked_through() -> None:
    collected, given = io.StringIO(), io.StringIO("rf\n")
    before = sys.stdin
    sys.stdin = given
    try:
        with contextlib.redirect_stdout(collected):
            streams = choose_streams()
    finally:
        sys.stdin = before

    assert streams.stdin is not given
    assert streams.stdout is not collected
    assert not streams.are_the_programs


# fix


def edited_function(desk: Desk, x: int) -> Any:
    desk.stop(ValueError())
    return x


def test_fix_edits_installs_and_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scripted_editor: Callable[..., ScriptedEditor]
) -> None:
    path = tmp_path / "prices.py"
    path.write_text("def f(desk, x):\n    desk.stop(ValueError())\n    return x\n")
    editor = scripted_editor({"return x": "return x + 1"}, {}, name="vim")
    for name, value in editor.environment.items():
        monkeypatch.setenv(name, value)
    names: dict[str, Any] = {}
    exec(compile("\n" + path.read_text(), str(path), "exec"), names)
    desk = Desk("fix\nfix\nc\n", [installed(Installed("f", str(path), 2)), InstallResult(InstallStatus.UNCHANGED)])
    names["f"](desk, 1)

    assert desk.replies[:2] == ["installed: f (version 2)\n", "nothing changed\n"]
    assert path.read_text().endswith("return x + 1\n")
    assert editor.calls == [["+1", str(path)]] * 2, "the line is that of the file, not that of the older text"


def test_fix_refuses_what_is_no_file() -> None:
    names: dict[str, Any] = {}
    exec("def f(desk):\n    desk.stop(ValueError())", names)
    desk = Desk("fix\nc\n")
    names["f"](desk)

    assert desk.replies[0] == "refused: no-file: <string> is no file that can be edited\n"


def test_fix_with_an_editor_that_fails_installs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISUAL", "")
    monkeypatch.setenv("EDITOR", "/no/such/editor")
    desk = Desk("fix\n")
    edited_function(desk, 1)

    assert desk.replies[0].startswith("refused: editor-failed: the editor '/no/such/editor' was not found; ")
    assert desk.sources.installs == 0
