"""What is typed into an IDE's debug console, at real stops in this process."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fixcont.continuing.ways import (
    Propagate,
    QuitProgram,
    RestartFrame,
    Resume,
    ReturnFromFrame,
    Skip,
    Step,
    StepKind,
    Throw,
    UseValue,
    Way,
)
from fixcont.session import active
from fixcont.stopping.stop import Stop
from fixcont_ui.dap.console import DebugConsole, Outcome
from fixcont_ui.values.children import child_named, children
from support.front_end import live_program, propagate
from support.programs import Program
from support.session import child_environment

PROGRAM = """
log = []
count = 3

class Cart:
    def __init__(self, items):
        self.items = items

def total(cart, n, rate=2):
    part = [each * rate for each in cart.items]
    kept = lambda: n
    if n > 1:
        raise ValueError("too many")  # @fails
    log.append((part, n, kept()))
    return n

def run(n=5):
    outer = "outer"
    result = total(Cart([1, 2]), n)
    log.append(result)
    return result
"""

CHECK = PROGRAM.split("\n").index("    if n > 1:") + 1


class Typed:
    """Answers a stop by what is typed into a console there.

    Attributes:
        said: the lines that it said.
        outcomes: of what was typed, in order.
    """

    def __init__(self, *typed: str | Callable[[DebugConsole], object]) -> None:
        self._typed = typed
        self.said: list[str] = []
        self.outcomes: list[Outcome] = []

    def __call__(self, stop: Stop) -> Way:
        session = active()
        assert session is not None
        console = DebugConsole(session, stop, self.said.append)
        for each in self._typed:
            if callable(each):
                each(console)
            else:
                self.outcomes.append(console.run(each))
        return console.way or Propagate()

    @property
    def failures(self) -> list[str]:
        return [outcome.failure for outcome in self.outcomes]

    @property
    def values(self) -> list[Any]:
        assert self.failures == [""] * len(self.outcomes)
        return [outcome.value if outcome.has_value else None for outcome in self.outcomes]


def at_stop(folder: Path, *typed: str | Callable[[DebugConsole], object], text: str = PROGRAM) -> Typed:
    """Type at the stop of `run`, which then fails as without us."""
    given = Typed(*typed)
    with live_program(folder, text, given) as program:
        program.failure("run")
    return given


# -- Python


def test_an_expression_gives_its_value_for_the_caller_to_present(tmp_path: Path) -> None:
    given = at_stop(tmp_path, "n + rate", "cart.items", "None", "count", "(n,\n rate)")

    assert given.values == [7, [1, 2], None, 3, (5, 2)]
    assert [outcome.has_value for outcome in given.outcomes] == [True] * 5
    assert given.said == []


def test_statements_of_several_lines_run_one_after_the_other(tmp_path: Path) -> None:
    given = at_stop(
        tmp_path, "made = []\nfor each in part:\n    made.append(each + n)\nmade", "  x = 1\n  'first'\n  x + 1", "import math"
    )

    assert given.values == [[7, 9], 2, None]
    assert [outcome.has_value for outcome in given.outcomes] == [True, True, False]
    assert given.said == ["'first'"]


def test_assignments_to_variables_take_effect_in_the_frame(tmp_path: Path) -> None:
    given = Typed("!n = 1", "count = 9; part.append(n)", "cart.items = n", f"resume {CHECK}")
    with live_program(tmp_path, PROGRAM, given) as program:
        assert program.call("run") == 1
        assert program.log == [([2, 4, 1], 1, 1), 1]
        assert program.names["count"] == 3  # a variable of that name in the frame is another one
    assert given.failures == [""] * 4


def test_what_is_evaluated_sees_the_selected_frame(tmp_path: Path) -> None:
    given = at_stop(tmp_path, lambda console: console.select(1), "outer", "outer = 'new'", "outer", "part")

    assert given.outcomes[0].value == "outer" and given.outcomes[2].value == "new"
    assert given.outcomes[3].failure == "NameError: name 'part' is not defined"


def test_functions_and_comprehensions_see_the_variables_of_the_frame(tmp_path: Path) -> None:
    given = at_stop(
        tmp_path,
        "[n + each for each in part]",
        "sorted(part, key=lambda each: -each * n)",
        "sum(each * rate for each in part)",
        "{n: [rate for _ in range(n)] for _ in part}",
        "def fall(x):\n    return x if x < n else fall(x - n)",
        "fall(17)",
        "class Made:\n    limit = n\n    def over(self): return rate + 1",
        "Made.limit, Made().over()",
        "found = []\nfor i in part:\n    found.append(sum(i * j for j in part))\n    later = lambda: i + n\nfound, later()",
        "[i for i in [[i for i in part]]]",
        "for part_of in [part_of for part_of in part]: pass\npart_of",
        "sorted(map(lambda n: n + rate, (n for n in [n])))",
        "f'{[n + each for each in part]}'",
    )

    assert [outcome.value for outcome in given.outcomes] == [
        [7, 9], [4, 2], 12, {5: [2] * 5}, None, 2, None, (5, 3), ([12, 24], 9), [[2, 4]], 4, [7], "[7, 9]",
    ]  # fmt: skip


def test_what_fails_is_told_with_a_traceback_where_it_went_through_the_program(tmp_path: Path) -> None:
    given = at_stop(tmp_path, "1 / 0", "x = = 1", "total(cart, 9)", "eval('1 +')", "raise SystemExit")

    lines = given.failures[2].split("\n")
    assert given.failures[0] == "ZeroDivisionError: division by zero"
    assert given.failures[1] == "SyntaxError: invalid syntax"
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[1].startswith('  File "<debug console>", line 1')
    assert lines[-1] == "ValueError: too many"
    assert given.failures[3].endswith("SyntaxError: invalid syntax")
    assert given.failures[4] == "SystemExit"


def test_an_expression_that_fails_runs_once(tmp_path: Path) -> None:
    given = at_stop(tmp_path, "[log.append(1), eval('1 +')]", "len(log)")

    assert given.outcomes[1].value == 1


def test_the_programs_exception_stays_as_it_is_though_it_is_raised_anew(tmp_path: Path) -> None:
    text = PROGRAM.replace("        raise ValueError", "        error = ValueError('kept')\n        raise error")
    with live_program(tmp_path, text, propagate) as program:
        plain = program.trace(program.failure("run"))
    given = Typed(
        "raise error", "uv 1 if error is None else (_ for _ in ()).throw(error)", lambda console: console.try_in_frame("fail()")
    )
    with live_program(tmp_path, text.replace("count = 3", "def fail(): raise log[0]"), given) as program:
        assert program.trace(program.failure("run")) == plain
    assert given.failures[0] == "ValueError: kept"


def test_what_cannot_be_deleted_is_told(tmp_path: Path) -> None:
    given = at_stop(tmp_path, "del part[0]\npart", "del part[0], rate", "rate", "part")

    assert [outcome.value for outcome in given.outcomes] == [[4], None, 2, [4]]
    refusal = given.outcomes[1].refusal
    assert refusal is not None and refusal.code == "stays-bound"


def test_what_would_be_assigned_to_the_module_is_refused(tmp_path: Path) -> None:
    given = at_stop(
        tmp_path,
        "[y := n for _ in part]",
        "(lambda: [y := n for _ in part] and y)()",
        "(z := n) + z",
        "z",
        "{'y', 'z'} & {*globals()}",
    )

    refusal = given.outcomes[0].refusal
    assert refusal is not None and refusal.code == "assigns-elsewhere"
    assert [outcome.value for outcome in given.outcomes[1:]] == [5, 10, 5, set()]


def test_what_is_said_to_be_global_is_assigned_to_the_module(tmp_path: Path) -> None:
    text = """
limit = found = 1

def run():
    global found
    part, found = 0, 2
    raise ValueError(part)
"""
    typed = ("global limit; limit = 5", "found = 7", "(globals()['limit'], globals()['found'])", "sorted(locals())")
    given = at_stop(tmp_path, *typed, text=text)
    assert [outcome.value for outcome in given.outcomes[2:]] == [(5, 7), ["part"]]


def test_awaiting_works_as_far_as_nothing_waits(tmp_path: Path) -> None:
    text = """
import asyncio

async def give(value):
    return value

async def main():
    n = 4
    raise ValueError(n)

def run():
    asyncio.run(main())
"""
    given = at_stop(tmp_path, "await give(n)", "m = await give(n + 1)\nm", "await asyncio.sleep(10)", text=text)

    assert [outcome.value for outcome in given.outcomes[:2]] == [4, 5]
    refusal = given.outcomes[2].refusal
    assert refusal is not None and refusal.code == "needs-the-loop"
    assert given.failures[2].startswith("refused: ")


def test_an_expression_can_be_evaluated_for_others(tmp_path: Path) -> None:
    seen: list[Any] = []

    def evaluate(console: DebugConsole) -> None:
        seen.append(console.evaluate_in_frame(" n + 1 "))
        with pytest.raises(NameError):
            console.evaluate_in_frame("missing")
        seen.append(console.try_in_frame("missing").failure)
        seen.append(console.try_in_frame("n").value)

    at_stop(tmp_path, evaluate)

    assert seen == [6, "NameError: name 'missing' is not defined", 5]


# -- commands


CALLING = PROGRAM.replace('raise ValueError("too many")', 'int("too many")')
JUMP = PROGRAM.split("\n").index("    part = [each * rate for each in cart.items]") + 1
WAYS: list[tuple[str, type[Way]]] = [
    ("c", Propagate),
    ("continue", Propagate),
    ("q", QuitProgram),
    ("exit()", QuitProgram),
    ("rf", RestartFrame),
    (f"j {JUMP}", Resume),
    (f"resume {JUMP}", Resume),
    ("retry", Resume),
    ("skip", Skip),
    ("uv 3", UseValue),
    ("usevalue(n)", UseValue),
    ("throw KeyError(n)", Throw),
    ("fr [n for _ in part]", ReturnFromFrame),
    ("b 3\nskip", Skip),
]


@pytest.mark.parametrize(("text", "kind"), WAYS, ids=[text for text, _ in WAYS])
def test_a_command_that_goes_on_gives_the_way(tmp_path: Path, text: str, kind: type[Way]) -> None:
    outcomes: list[Outcome] = []

    def type_it(stop: Stop) -> Way:
        session = active()
        assert session is not None
        outcomes.append(DebugConsole(session, stop, lambda line: None).run(text))
        return Propagate()

    with live_program(tmp_path, CALLING, type_it) as program:
        program.failure("run")
    assert outcomes[0].failure == ""
    assert type(outcomes[0].way) is kind


@pytest.mark.parametrize(("text", "kind"), [("s", "INTO"), ("next", "OVER"), ("r", "OUT"), ("until", "UNTIL")])
def test_steps_are_ways_too(tmp_path: Path, text: str, kind: str) -> None:
    given = Typed(text)
    handling = f"{PROGRAM}\ndef outer():\n    try:\n        run()\n    except ValueError:\n        return 1\n"
    with live_program(tmp_path, handling, given, stop="raised") as program:
        assert program.call("outer") == 1
    way = given.outcomes[0].way
    assert isinstance(way, Step) and way.kind is StepKind[kind]


def test_a_way_is_gone(tmp_path: Path) -> None:
    given = Typed("fr n * 2")
    with live_program(tmp_path, PROGRAM, given) as program:
        assert program.call("run") == 10
    assert given.said == ["return from total"]


def test_variables_come_before_commands_of_their_name(tmp_path: Path) -> None:
    text = """
class Thing:
    size = 1
    def __call__(self, *values): return values

def run():
    s, b, p, c, n, undo, throw, f, window = [4, 5], 2, 3, Thing(), 6, 8, Thing(), -1, "w"
    raise ValueError
"""
    python = [
        "s[0]",
        "c.size",
        "n + 1",
        "n == 6",
        "n not in s",
        "b == 2",
        "p",
        "p, n",
        "throw(1)",
        "c(2)",
        "!n",
        "! b",
        "window",
    ]
    given = at_stop(tmp_path, *python, text=text)
    assert given.values == [4, 1, 7, True, True, True, 3, (3, 6), (1,), (2,), 6, 2, "w"]

    assigned = ["n = 1", "b += 1", "s: list = []", "c //= 1 if False else Never", "(n, b, s)"]
    given = at_stop(tmp_path, *assigned, text=text)
    assert given.outcomes[4].value == (1, 3, [])
    assert given.failures[3].startswith("NameError")

    both = ["b", "undo", "n", "p n", "pp s"]
    given = at_stop(tmp_path, *both, text=text)
    assert given.values == [2, 8, 6, 6, [4, 5]]

    commands = ["fixcont b", "fixcont undo", "fixcont n"]
    given = at_stop(tmp_path, *commands, text=text)
    assert [outcome.value for outcome in given.outcomes] == [None, None, None]
    assert not given.outcomes[1].is_done and given.said[-1].startswith("refused: nothing-to-undo")
    assert given.outcomes[2].refusal is not None and given.outcomes[2].refusal.code == "nothing-to-step-to"


def test_a_command_with_a_wrong_argument_is_told_how_it_is_used(tmp_path: Path) -> None:
    given = at_stop(tmp_path, "retry now", "resume", "uv", "b 999", "throw 3", "uv missing")

    assert given.failures == [
        "Invalid argument: now",
        "Argument is required for this command",
        "Argument is required for this command",
        "End of file",
        "TypeError: exceptions must derive from BaseException",
        "NameError: name 'missing' is not defined",
    ]
    assert given.said[0].strip() == "Usage: retry"


def test_what_was_saved_is_installed_by_fix_and_by_what_goes_on(tmp_path: Path) -> None:
    saved: list[str] = []

    def save(console: DebugConsole) -> None:
        Program(Path(console.frame.filename)).edit({"n > 1": "n > 9"})
        saved.append(console.frame.filename)

    given = Typed("fix", save, "fix", "retry")
    with live_program(tmp_path, PROGRAM, given) as program:
        assert program.call("run") == 5
    line = PROGRAM.split("\n").index("def total(cart, n, rate=2):") + 1
    assert given.failures == [""] * 3
    assert given.said[0] == given.said[2] == f"edit {saved[0]}:{line} in the IDE, and save it"
    assert given.said[3].startswith("installed: total (version 2)")


def test_undo_leaves_the_files_alone_where_nobody_can_be_asked(tmp_path: Path) -> None:
    def save(console: DebugConsole) -> None:
        Program(Path(console.frame.filename)).edit({"n > 1": "n > 9"})

    given = at_stop(tmp_path, save, "fix", "undo", "versions", "patches", "undo files")

    assert given.failures == [""] * 5
    assert given.said[2] == "undone: patch 1: total (version 1)"
    assert "still says what was undone" in given.said[3]
    assert given.said[-1].startswith("written: ")


def test_a_refusal_names_the_frame_that_can(tmp_path: Path) -> None:
    given = at_stop(tmp_path, lambda console: console.select(2), "rf", lambda console: console.select(0), "resume 999")

    run = PROGRAM.split("\n").index("    result = total(Cart([1, 2]), n)") + 1
    refusals = [outcome.refusal.code for outcome in given.outcomes if outcome.refusal is not None]
    assert refusals == ["not-trapped", "no-such-line"]
    assert given.failures[0].endswith(f"\nnearest that can: run() at program.py:{run} (select it in the call stack)")


def test_there_are_no_other_frames_than_those_of_the_stop(tmp_path: Path) -> None:
    def select(console: DebugConsole) -> None:
        for index in (-1, len(console.stop.frames)):
            with pytest.raises(IndexError):
                console.select(index)

    at_stop(tmp_path, select)


def test_variables_are_given_and_assigned(tmp_path: Path) -> None:
    seen: list[Any] = []

    def assign(console: DebugConsole) -> None:
        own, module = console.variables(), console.module_variables()
        seen.append([(each.name, each.expression()) for each in children(own)])
        for value, name in ((own, "n"), (module, "count")):
            child = child_named(value, name)
            assert child is not None and child.replace is not None
            child.replace(1)
        console.run("total = None")
        hidden = child_named(console.module_variables(), "total")
        assert hidden is not None and hidden.expression() is None

    given = Typed(assign, f"resume {CHECK}")
    with live_program(tmp_path, PROGRAM, given) as program:
        assert program.call("run") == 1
        assert program.names["count"] == 1
    assert [sorted(each) for each in seen] == [[(name, name) for name in ("cart", "kept", "n", "part", "rate")]]


def test_what_needs_a_terminal_or_an_answer_is_refused(tmp_path: Path) -> None:
    given = at_stop(tmp_path, "window", "commands", "commands 1", "clear", "help window")

    assert [outcome.refusal.code for outcome in given.outcomes if outcome.refusal is not None] == [
        "not-available", "not-available", "not-available", "no-answer", "not-available",
    ]  # fmt: skip


def test_breakpoints_are_set_and_listed(tmp_path: Path) -> None:
    given = at_stop(
        tmp_path, f"b {JUMP}, n > 2", "b total", "tbreak run", "disable 1", "b", "clear 1 2", "b glob:no_such", "clear 3"
    )

    assert given.failures == [""] * 6 + [
        "The specified object 'glob:no_such' is not a function or was not found along sys.path.",
        "",
    ]
    assert given.said[0].startswith("Breakpoint 1 at ") and given.said[0].endswith(f"program.py:{JUMP}")
    assert "\tstop only if n > 2" in given.said
    assert given.said[-1].startswith("Deleted breakpoint 3 at ")


def test_several_commands_end_where_one_goes_on_or_fails(tmp_path: Path) -> None:
    given = at_stop(tmp_path, "b 999\nc\nb", "c\nprint(1)")

    assert given.outcomes[0].way is None and given.failures[0] == "End of file"
    assert isinstance(given.outcomes[1].way, Propagate)
    assert given.said == ["not run: c; b", "not run: print(1)"]


def test_help_lists_what_can_be_typed_here(tmp_path: Path) -> None:
    given = at_stop(tmp_path, "help", "? retry", "h fix", "help nothing")

    assert given.failures[:3] == ["", "", ""] and "nothing" in given.failures[3]
    listed = [line.partition("  ")[0] for line in given.said]
    assert {"retry", "fix [name]", "h(elp) [command]", "s(tep)", "b(reak) [([file:]line | function) [, condition]]"} <= set(
        listed
    )
    assert not any(line.startswith(("window", "commands")) for line in given.said)
    assert not any("EDITOR" in line for line in given.said)


# -- completion


def test_completion_knows_commands_names_and_attributes(tmp_path: Path) -> None:
    found: dict[str, list[tuple[Any, ...]]] = {}

    def complete(console: DebugConsole) -> None:
        for text in ("ret", "x = [par", "cart.it", "cart.items.app", "print(1)\ncar", "undo f", "tota", "ra"):
            found[text] = [tuple(each) for each in console.complete(text + "zzz", len(text))]

    at_stop(tmp_path, complete)

    assert [each[0] for each in found["ret"]][:2] == ["retry", "return"]
    assert found["ret"][0] == ("retry", 0, 3, "text", "go on at the failing statement of the selected frame, on the newest code")
    assert found["x = [par"] == [("part", 5, 3, "variable", "list")]
    assert found["cart.it"] == [("items", 5, 2, "field", "list")]
    assert found["cart.items.app"] == [("append", 11, 3, "field", "")]
    assert found["print(1)\ncar"] == [("cart", 9, 3, "variable", "Cart")]
    assert found["undo f"] == [("files", 5, 1, "value", "")]
    assert found["tota"] == [("total", 0, 4, "function", "function")]
    assert {each[0] for each in found["ra"]} == {"raise", "rate", "range"}


def test_neither_pdb_nor_a_terminal_is_needed() -> None:
    code = "import sys, fixcont_ui.dap.console; print([name for name in ('pdb', 'prompt_toolkit', 'readline', 'pygments') if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=child_environment(), check=True, timeout=60
    )

    assert done.stdout == "[]\n"
