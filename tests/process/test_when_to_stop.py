"""Which exceptions stop a program, and where: every rule on a real program."""

from __future__ import annotations

import ast
from collections.abc import Callable

import pytest

from support.programs import PROGRAMS, Program
from support.session import PROMPT, DebugSession, run_fixcont, run_python

Programs = Callable[[str], Program]
SmallPrograms = Callable[[str], Program]


def rules(program: str) -> list[str]:
    """The functions of a program of rules, in its order: each takes nothing and stands for one rule."""
    tree = ast.parse((PROGRAMS / f"{program}.py").read_text())
    return [node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name not in {"fail", "wanted"}]


@pytest.mark.parametrize("stop", ["unhandled", "uncaught", "never"])
def test_every_rule_for_handled_exceptions_is_tried(program: Programs, stop: str) -> None:
    """All in one process first: cheap, and it shows that one rule does not disturb the next."""
    handled = program("handled")
    handled.edit(
        {"print(sys.argv[1], globals()[sys.argv[1]]())": "for name in sys.argv[1:]:\n    print(name, globals()[name]())"}
    )
    names = rules("handled")
    ended = run_fixcont(["--stop", stop, handled.path, *names], folder=handled.folder)
    plain = run_python([handled.path, *names], folder=handled.folder)

    assert (ended.output, ended.errors, ended.status) == (plain.output, plain.errors, plain.status)
    assert plain.status == 0


@pytest.mark.parametrize("rule", rules("handled"))
def test_handled_exceptions_do_not_stop(program: Programs, rule: str) -> None:
    handled = program("handled")
    ended = run_fixcont([handled.path, rule], folder=handled.folder)

    assert PROMPT not in ended.output, ended.output
    assert ended.output.startswith(f"{rule} ")
    assert (ended.status, ended.errors) == (0, "")


def test_a_finally_that_swallows_does_not_stop(program: Programs) -> None:
    swallows = program("finally_swallows")
    ended = run_fixcont([swallows.path], folder=swallows.folder, environment={"PYTHONWARNINGS": "ignore"})

    assert (ended.output, ended.errors, ended.status) == ("result swallowed\n", "", 0)


@pytest.mark.parametrize("rule", rules("unhandled"))
def test_unhandled_exceptions_stop_before_anything_unwinds(program: Programs, rule: str) -> None:
    unhandled = program("unhandled")
    with DebugSession(unhandled, [rule]) as session:
        stop = session.stop()
        assert "LookupError: on purpose" in stop
        assert f"unhandled.py({unhandled.line('raised')})fail()" in stop
        assert session.command("p exits").strip() == "[]"
        session.command("fr 'repaired'")
        ended = session.finish()

    assert ended.output.count(PROMPT) == 3 - 1
    assert "result" in ended.output
    assert "Traceback" not in ended.errors


@pytest.mark.parametrize("rule", ["event_loop_callback", "task_that_nobody_awaits", "unit_test"])
def test_handlers_of_libraries_count_in_mode_uncaught(program: Programs, rule: str) -> None:
    unhandled = program("unhandled")
    ended = run_fixcont(["--stop", "uncaught", unhandled.path, rule], folder=unhandled.folder)
    plain = run_python([unhandled.path, rule], folder=unhandled.folder)

    assert PROMPT not in ended.output
    assert (ended.output, ended.status) == (plain.output, plain.status)


@pytest.mark.parametrize("rule", rules("wrong_prediction"))
def test_a_wrong_prediction_stops_later_but_stops(program: Programs, rule: str) -> None:
    wrong = program("wrong_prediction")
    with DebugSession(wrong, [rule]) as session:
        stop = session.stop()
        assert "LookupError: on purpose" in stop
        assert "wrong_prediction.py(" in stop
        session.command("c")
        ended = session.finish()
    plain = run_python([wrong.path, rule], folder=wrong.folder)

    assert ended.output.count(PROMPT) == 1
    assert (ended.status, ended.errors) == (plain.status, plain.errors)


def test_a_wrong_prediction_can_still_be_repaired(program: Programs) -> None:
    wrong = program("wrong_prediction")
    with DebugSession(wrong, ["computed_handler"]) as session:
        session.stop()
        wrong.edit({"    return ValueError\n": "    return LookupError\n"})
        session.command("rf")
        ended = session.finish()

    assert ended.status == 0
    assert ended.output.endswith("result never\n")


CAUGHT = "def f():\n    raise KeyError('caught')\n\ntry:\n    f()\nexcept KeyError:\n    print('handled')\n"


def test_mode_raised_stops_at_every_exception_that_leaves_its_function(small_program: Callable[[str], Program]) -> None:
    program = small_program(CAUGHT + "try:\n    [][0]\nexcept IndexError:\n    print('at home')\n")
    with DebugSession(program, options=["--stop", "raised"]) as session:
        assert "KeyError: 'caught'" in session.stop()
        session.command("c")
        ended = session.finish()

    assert ended.output.endswith("handled\nat home\n")
    assert ended.output.count(PROMPT) == 1
    assert ended.status == 0


def test_mode_never_does_not_stop(small_program: Callable[[str], Program]) -> None:
    program = small_program("def f():\n    raise KeyError('nobody')\n\nf()\n")
    ended = run_fixcont(["--stop", "never", program.path], folder=program.folder)
    plain = run_python([program.path], folder=program.folder)

    assert (ended.output, ended.errors, ended.status) == (plain.output, plain.errors, plain.status)


def test_catch_stops_at_a_type_that_is_handled(small_program: Callable[[str], Program]) -> None:
    program = small_program(CAUGHT)
    ended = run_fixcont(["--catch", "KeyError", program.path], folder=program.folder, stdin="c\n")

    assert ended.output.count(PROMPT) == 1
    assert ended.output.endswith("handled\n")
    assert run_fixcont(["--catch", "OSError", program.path], folder=program.folder).output == "handled\n"


def test_ignore_does_not_stop_at_a_type_that_nobody_handles(small_program: Callable[[str], Program]) -> None:
    program = small_program("def f():\n    raise KeyError('nobody')\n\nf()\n")
    ended = run_fixcont(["--ignore", "LookupError", program.path], folder=program.folder)
    plain = run_python([program.path], folder=program.folder)

    assert (ended.output, ended.errors, ended.status) == (plain.output, plain.errors, plain.status)


def test_stop_at_entry(small_program: Callable[[str], Program]) -> None:
    program = small_program("x = 1\nprint('ran', x)\n")
    with DebugSession(program, options=["--stop-at-entry"]) as session:
        stop = session.stop()
        assert "program.py(1)<module>()" in stop
        assert "ran" not in stop
        session.command("c")
        ended = session.finish()

    assert ended.output.endswith("ran 1\n")
    assert ended.status == 0


def test_commands_from_the_command_line_run_at_the_first_stop(small_program: Callable[[str], Program]) -> None:
    program = small_program("def f(x):\n    return 1 / x\n\nprint('result', f(0))\n")
    ended = run_fixcont(["-c", "p x + 100", "-c", "fr 7", program.path], folder=program.folder)

    assert "100\n" in ended.output
    assert ended.output.endswith("result 7\n")
    assert ended.status == 0


def test_scope_decides_which_files_get_traps(small_program: Callable[[str], Program]) -> None:
    program = small_program("import calendar\nprint('result', calendar.monthrange(2020, 13))\n")
    project = run_fixcont([program.path], folder=program.folder, stdin="c\n")
    everything = run_fixcont(["--scope", "everything", program.path], folder=program.folder, stdin="c\n")

    assert "program.py(2)<module>()" in project.output
    assert "calendar.py(" not in project.output
    assert "calendar.py(" in everything.output


def test_a_program_that_mocks_a_builtin(small_program: Callable[[str], Program]) -> None:
    """What fixcont does at an exception must not depend on it, not even where the mock's own code is in scope."""
    program = small_program(
        """
import unittest.mock

with unittest.mock.patch("builtins.int") as mock:
    breakpoint("7")
    mock.assert_called_once_with("7")
print("called")
"""
    )
    ended = run_fixcont(["--scope", "everything", program.path], environment={"PYTHONBREAKPOINT": "int"})
    assert (ended.status, ended.output) == (0, "called\n"), ended.errors
