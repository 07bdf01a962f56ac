"""Statements of a module that an edit changes are listed at the prompt, and run on demand."""

from __future__ import annotations

from collections.abc import Callable

from support.programs import Program
from support.session import DebugSession

SmallPrograms = Callable[[str], Program]

TEXT = "RATE = 0\n\ndef f(x):\n    return x / RATE\n\nprint('result', f(6))\n"


def test_a_command_that_goes_on_waits_until_the_user_has_seen_them(small_program: SmallPrograms) -> None:
    program = small_program(TEXT)
    with DebugSession(program) as session:
        session.stop()
        program.edit({"RATE = 0": "RATE = 2"})
        answer = session.command("retry")
        assert "  1  " in answer and ":1  RATE = 2" in answer and "give the command again" in answer
        assert "there is no statement 2" in session.command("rerun 2")
        assert session.command("rerun 1").strip() == "run: RATE = 2"
        assert session.command("rerun").strip() == "there is no statement that was not run"
        session.command("retry")
        ended = session.finish()

    assert ended.output.endswith("result 3.0\n") and ended.status == 0


def test_a_statement_that_raises_is_shown_and_stays(small_program: SmallPrograms) -> None:
    program = small_program(TEXT)
    with DebugSession(program) as session:
        session.stop()
        program.edit({"RATE = 0": "RATE = int('two')", "x / RATE": "x"})
        session.command("rf")
        assert "ValueError" in session.command("rerun 1")
        assert "RATE = int('two')" in session.command("rerun")
        session.command("rf")
        ended = session.finish()

    assert ended.output.endswith("result 6\n") and ended.status == 0


def test_statements_that_lie_ahead_of_a_running_module_are_not_listed(small_program: SmallPrograms) -> None:
    program = small_program("RATE = 0\n\nfor x in iter([6]):\n    print('result', x / RATE)\n\nprint('end')\n")
    with DebugSession(program) as session:
        session.stop()
        program.edit({"RATE = 0": "RATE = 2", "x / RATE": "x / RATE + 1", "print('end')": "print('over')"})
        answer = session.command("retry")
        assert "1  " in answer and "RATE = 2" in answer and "print" not in answer
        session.command("rerun 1")
        session.command("retry")
        ended = session.finish()

    assert ended.output.endswith("result 4.0\nover\n") and ended.status == 0
