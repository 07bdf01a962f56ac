"""The ways to go on from a stop, each in a real process."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from support.editor import ScriptedEditor
from support.programs import Program
from support.session import PROMPT, DebugSession, Ended, run_fixcont, run_python

SmallPrograms = Callable[[str], Program]

NESTED = """\
log = []

def inner(x):
    try:
        return 1 / x  # @inner
    finally:
        log.append("inner left")

def outer(x):
    try:
        y = inner(x)  # @outer
    except KeyError as error:
        return "outer caught " + repr(error)
    return y

try:
    print("result", outer(0))
finally:
    print("log", log)
"""


def without_margin(traceback: str) -> list[str]:
    return [line.rstrip() for line in traceback.splitlines()]


def same_end(ended: Ended, plain: Ended) -> bool:
    return ended.status == plain.status and without_margin(ended.errors) == without_margin(plain.errors)


def test_continue_lets_the_exception_go_on_as_in_plain_python(small_program: SmallPrograms) -> None:
    program = small_program(NESTED)
    with DebugSession(program) as session:
        session.stop()
        session.command("c")
        ended = session.finish()

    assert same_end(ended, run_python([program.path], folder=program.folder))
    assert ended.status == 1
    assert ended.output.endswith("log ['inner left']\n")


@pytest.mark.parametrize("kind", ["pipe", "terminal"])
def test_end_of_input_lets_the_exception_go_on(small_program: SmallPrograms, kind: str) -> None:
    program = small_program(NESTED)
    with DebugSession(program, kind=kind) as session:  # type: ignore[arg-type]
        session.stop()
        session.end_input()
        ended = session.finish()

    assert ended.status == 1
    assert ended.output.count(PROMPT) == 1
    if kind == "pipe":
        assert same_end(ended, run_python([program.path], folder=program.folder))


def test_continue_stops_only_once_for_one_exception(small_program: SmallPrograms) -> None:
    program = small_program("def a():\n    b()\ndef b():\n    c()\ndef c():\n    [][0]\na()\n")
    ended = run_fixcont([program.path], folder=program.folder, stdin="c\nc\nc\n")

    assert ended.output.count(PROMPT) == 1
    assert ended.status == 1


def test_continue_from_a_loop_gives_a_new_stop_for_a_new_exception(small_program: SmallPrograms) -> None:
    program = small_program("import unittest\n\ndef fail(n):\n    raise LookupError(n)\n\nclass T(unittest.TestCase):\n"
                            "    def test_a(self):\n        fail(1)\n    def test_b(self):\n        fail(2)\n\n"
                            "unittest.main(exit=False)\n")  # fmt: skip
    with DebugSession(program) as session:
        assert "LookupError: 1" in session.stop()
        assert "LookupError: 2" in session.command("c")
        session.command("c")
        ended = session.finish()

    assert "FAILED (errors=2)" in ended.errors
    assert ended.status == 0


def test_restart_on_unchanged_code_stops_again_at_the_same_depth(small_program: SmallPrograms) -> None:
    program = small_program(NESTED)
    with DebugSession(program) as session:
        session.stop()
        before = session.command("w")
        for _ in range(20):
            assert "ZeroDivisionError" in session.command("rf")
        assert session.command("w") == before
        program.edit({"return 1 / x": "return 'repaired'"})
        session.command("rf")
        ended = session.finish()

    assert "result repaired\n" in ended.output
    assert ended.status == 0


def test_edit_and_undo_and_edit_again(small_program: SmallPrograms) -> None:
    program = small_program(NESTED)
    original = program.text
    with DebugSession(program) as session:
        session.stop()
        program.edit({"return 1 / x": "return []['one']"})
        assert "TypeError" in session.command("rf")
        program.path.write_text(original)
        assert "ZeroDivisionError" in session.command("rf")
        program.edit({"return 1 / x": "return 3"})
        session.command("rf")
        ended = session.finish()

    assert "result 3\n" in ended.output


def test_a_class_body_goes_on_with_the_edit(small_program: SmallPrograms) -> None:
    program = small_program("class Sizes:\n    found = [1]\n    found.append(int('x'))\nprint('result', Sizes.found)\n")
    with DebugSession(program) as session:
        session.stop()
        program.edit({"int('x')": "2"})
        answer = session.command("retry")
        assert "the body of Sizes is running" in answer and "program is started again" not in answer
        ended = session.finish()

    assert "result [1, 2]" in ended.output and ended.status == 0


def test_lines_that_move_by_the_edit_are_shown_as_they_are_now(small_program: SmallPrograms) -> None:
    program = small_program(NESTED)
    with DebugSession(program) as session:
        session.stop()
        program.edit({"log = []\n": "log = []\n# one\n# two\n# three\n"})
        stop = session.command("rf")
        assert f"({program.line('inner')})inner()" in stop
        assert "-> return 1 / x" in stop
        session.command("q")
        session.finish()


def test_forcereturn_gives_the_value_to_the_caller(small_program: SmallPrograms) -> None:
    program = small_program(NESTED)
    with DebugSession(program) as session:
        session.stop()
        session.command("forcereturn x + 41")
        ended = session.finish()

    assert ended.output.endswith("result 41\nlog ['inner left']\n")
    assert (ended.status, ended.errors) == (0, "")


def test_forcereturn_from_a_caller(small_program: SmallPrograms) -> None:
    program = small_program(NESTED)
    with DebugSession(program) as session:
        session.stop()
        session.command("up")
        session.command("fr [x, 'mine']")
        ended = session.finish()

    assert ended.output.endswith("result [0, 'mine']\nlog ['inner left']\n")
    assert ended.status == 0


def test_forcereturn_of_a_wrong_expression_says_so_and_stays(small_program: SmallPrograms) -> None:
    program = small_program(NESTED)
    with DebugSession(program) as session:
        session.stop()
        assert "NameError" in session.command("fr nothing_of_that_name")
        session.command("fr 1")
        assert session.finish().status == 0


def test_throw_reaches_the_handlers_of_the_selected_frame(small_program: SmallPrograms) -> None:
    program = small_program(NESTED)
    with DebugSession(program) as session:
        session.stop()
        session.command("up")
        session.command("throw KeyError('mine')")
        ended = session.finish()

    assert ended.output.endswith("result outer caught KeyError('mine')\nlog ['inner left']\n")
    assert ended.status == 0


def test_throw_of_what_nobody_handles_is_a_new_stop(small_program: SmallPrograms) -> None:
    program = small_program(NESTED)
    with DebugSession(program) as session:
        session.stop()
        stop = session.command("throw ValueError('mine')")
        assert "ValueError: mine" in stop
        session.command("c")
        ended = session.finish()

    assert ended.status == 1
    assert ended.errors.rstrip().endswith("ValueError: mine")


@pytest.mark.parametrize("command", ["q", "quit"])
def test_quit_ends_the_program_through_its_own_handlers(small_program: SmallPrograms, command: str) -> None:
    program = small_program(
        "def work():\n    try:\n        raise LookupError('first')\n    finally:\n        print('left')\n\n"
        "def main():\n    try:\n        work()\n    except ValueError:\n        pass\n    except LookupError if False else OSError:\n"
        "        print('swallowed')\n\n\nmain()\nprint('went on')\n"
    )
    with DebugSession(program) as session:
        session.stop()
        session.command(command)
        ended = session.finish()

    assert "left\n" in ended.output
    assert "went on" not in ended.output
    assert "Traceback" not in ended.errors


def test_quit_is_not_swallowed_by_except_exception(small_program: SmallPrograms) -> None:
    program = small_program(
        "def work():\n    raise LookupError('first')\n\nfor _ in range(3):\n    try:\n        work()\n    except OSError:\n        pass\n"
        "    except Exception:\n        print('held up')\nprint('went on')\n"
    )
    with DebugSession(program, options=["--stop", "raised"]) as session:
        session.stop()
        session.command("q")
        ended = session.finish()

    assert "held up" not in ended.output
    assert "went on" not in ended.output


@pytest.mark.parametrize("ups", [0, 1])
def test_assignments_to_locals_take_effect(small_program: SmallPrograms, ups: int) -> None:
    program = small_program(
        "def inner(x):\n    try:\n        raise ValueError(x)\n    finally:\n        print('inner', x)\n\n"
        "def outer(x):\n    try:\n        inner(x)\n    except ImportError:\n        pass\n    finally:\n        print('outer', x)\n\nouter(1)\n"
    )
    with DebugSession(program) as session:
        session.stop()
        for _ in range(ups):
            session.command("up")
        session.command("x = 17")
        assert session.command("p x").strip() == "17"
        session.command("c")
        ended = session.finish()

    assert f"inner {1 if ups else 17}\nouter {17 if ups else 1}\n" in ended.output


def test_pdb_commands_for_looking_work(small_program: SmallPrograms) -> None:
    program = small_program(NESTED)
    with DebugSession(program) as session:
        session.stop()
        where = session.command("w")
        assert re.search(r"<module>.*outer\(\).*inner\(\)", where, re.DOTALL)
        assert "return 1 / x" in session.command("l")
        assert "finally:" in session.command("ll")
        assert session.command("a").strip() == "x = 0"
        assert session.command("p x + 1").strip() == "1"
        assert "[" in session.command("pp [x, x]")
        assert "int" in session.command("whatis x")
        assert "def inner" in session.command("source inner")
        assert "outer" in session.command("u")
        assert "inner" in session.command("d")
        session.command("!log.append('typed')")
        assert "NameError" in session.command("p unknown_name")
        session.command("fr 5")
        ended = session.finish()

    assert ended.output.endswith("result 5\nlog ['typed', 'inner left']\n")


def test_fix_opens_the_editor_at_the_function_and_says_what_it_installed(
    small_program: SmallPrograms, scripted_editor: Callable[..., ScriptedEditor]
) -> None:
    program = small_program(NESTED)
    editor = scripted_editor({"return 1 / x": "return 1 / (x or 2)"}, {"(x or 2)": "(x or 4)"}, name="vim")
    with DebugSession(program, environment=editor.environment) as session:
        session.stop()
        assert "installed: inner (version 2)" in session.command("fix")
        assert "installed: inner (version 3)" in session.command("fix")
        session.command("rf")
        ended = session.finish()

    assert editor.calls == [["+3", str(program.path)]] * 2
    assert "result 0.25\n" in ended.output


def test_visual_wins_over_editor(small_program: SmallPrograms, scripted_editor: Callable[..., ScriptedEditor]) -> None:
    program = small_program(NESTED)
    editor = scripted_editor({"return 1 / x": "return 8"})
    with DebugSession(program, environment={"VISUAL": str(editor.path), "EDITOR": "/no/such/editor"}) as session:
        session.stop()
        assert "installed: inner" in session.command("fix")
        session.command("rf")
        ended = session.finish()

    assert "result 8\n" in ended.output


def test_an_editor_that_cannot_be_started_is_told(small_program: SmallPrograms) -> None:
    program = small_program(NESTED)
    with DebugSession(program, environment={"VISUAL": "", "EDITOR": "/no/such/editor"}) as session:
        session.stop()
        assert "/no/such/editor" in session.command("fix")
        session.command("fr 1")
        assert session.finish().status == 0


def test_syntax_error_is_shown_with_line_and_caret_and_nothing_changes(
    small_program: SmallPrograms, scripted_editor: Callable[..., ScriptedEditor]
) -> None:
    program = small_program(NESTED)
    editor = scripted_editor({"return 1 / x": "return 1 / )"}, {"return 1 / )": "return 1 / (x + 1)"})
    with DebugSession(program, environment=editor.environment) as session:
        session.stop()
        answer = session.command("fix")
        assert "SyntaxError" in answer or "syntax-error" in answer
        assert str(program.line("inner")) in answer
        assert re.search(r"^\s*\^", answer, re.MULTILINE)
        assert "installed" not in answer
        refused = session.command("rf")
        assert "syntax" in refused.lower()
        assert "installed: inner (version 2)" in session.command("fix")
        session.command("rf")
        ended = session.finish()

    assert "result 1.0\n" in ended.output


def test_added_functions_and_methods_can_be_called(small_program: SmallPrograms) -> None:
    program = small_program("class C:\n    def m(self):\n        return self.n() + helper()\n\nc = C()\nprint('result', c.m())\n")
    with DebugSession(program) as session:
        assert "AttributeError" in session.stop()
        program.edit({"class C:\n": "def helper():\n    return 40\n\nclass C:\n    def n(self):\n        return 2\n\n"})
        session.command("rf")
        ended = session.finish()

    assert ended.output.endswith("result 42\n")
    assert ended.status == 0


@pytest.mark.parametrize(
    "source",
    [
        "f = lambda x: 1 / x\nprint('result', f(0))\n",
        "def f(x):\n    return [1 / y for y in x]\nprint('result', f([1, 0]))\n",
        "def f(x):\n    return list(1 / y for y in x)\nprint('result', f((1, 0)))\n",
        "def f(x):\n    return {y: 1 / y for y in x}\nprint('result', f([1, 0]))\n",
        "def outer(a):\n    def f(x):\n        return a / x\n    return f\nprint('result', outer(1)(0))\n",
    ],
    ids=["lambda", "list", "generator expression", "dict", "closure"],
)
def test_every_kind_of_function_stops_and_restarts(small_program: SmallPrograms, source: str) -> None:
    program = small_program(source)
    with DebugSession(program) as session:
        assert "ZeroDivisionError" in session.stop()
        program.path.write_text(re.sub(r"(\w) / (\w)", r"(\2 and \1 / \2)", source))
        for _ in range(3):
            answer = session.command("rf")
            if "result" in answer:
                break
            session.command("up")
        ended = session.finish()

    assert ended.status == 0
    assert "result" in ended.output


def test_one_frame_restarted_very_often_keeps_stack_and_memory(small_program: SmallPrograms) -> None:
    rounds = 300
    program = small_program(
        "import sys\ndef depth():\n    frame, count = sys._getframe(), 0\n    while frame:\n        frame, count = frame.f_back, count + 1\n"
        "    return count\ndepths = set()\ndef f(x):\n    depths.add(depth())\n    return 1 / x\nprint('result', f(0))\nprint('depths', len(depths))\n"
    )
    with DebugSession(program) as session:
        session.stop()
        for _ in range(rounds):
            session.command("rf")
        session.command("fr 5")
        ended = session.finish()

    assert ended.output.count(PROMPT) == rounds + 2 - 1
    assert int(ended.output.splitlines()[-1].split()[1]) <= 2


RETURNED = """\
import functools

def doubled(function):
    @functools.wraps(function)
    def wrapper(*args):
        return 2 * function(*args)
    return wrapper

@doubled
def price(count):
    return 7 + count

class Shop:
    def total(self, counts):
        return sum(map(price, counts))

shop = Shop()
assert shop.total([1, 2]) == 2 * 21, "wrong total"  # @checked
print("end")
"""


def test_a_function_that_has_returned_already_is_edited_by_its_name(small_program: SmallPrograms, tmp_path: Path) -> None:
    editor = ScriptedEditor(tmp_path / "editor", [{"7 + count": "7 * count"}])
    program = small_program(RETURNED)
    with DebugSession(program, environment=editor.environment) as session:
        session.stop()
        assert "refused: no-function: len is no function or class of a file" in session.command("fix len")
        assert "NameError" in session.command("fix nothing")
        assert "installed: price (version 2)" in session.command("fix price")
        assert "fix [-i] [name]" in session.command("help fix")
        session.command("fix shop.total")
        session.command("retry")
        assert session.finish().output.endswith("end\n")
    assert len(editor.calls) == 2 and {call[-1] for call in editor.calls} == {str(program.path)}
