"""What cannot be done is refused by name, with a sentence, and touches nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from support.programs import Program
from support.session import DebugSession, run_python

SmallPrograms = Callable[[str], Program]

LIBRARY = """\
import textwrap

class Text(str):
    def expandtabs(self, size):
        raise ValueError("mine")

print("result", textwrap.TextWrapper().wrap(Text("a")))
"""


def test_a_frame_of_a_library_is_not_trapped(small_program: SmallPrograms) -> None:
    program = small_program(LIBRARY)
    with DebugSession(program) as session:
        session.stop()
        assert "textwrap.py" in session.command("up")
        refused = session.command("rf")
        assert "not-trapped" in refused
        assert "textwrap.py" in session.command("p __file__"), "the selected frame is still the same"
        assert "not-trapped" in session.command("fr 1")
        session.command("down")
        session.command("fr 'a'")
        ended = session.finish()

    assert ended.output.endswith("result ['a']\n")
    assert ended.status == 0


def test_where_shows_which_frames_can_be_restarted(small_program: SmallPrograms) -> None:
    program = small_program(LIBRARY)
    with DebugSession(program) as session:
        session.stop()
        where = session.command("w")
        session.command("q")
        session.finish()

    marked = [line for line in where.splitlines() if "not-trapped" in line or "cannot be restarted" in line]
    assert len(marked) >= 1


ENTERED_BEFORE = """\
import fixcont

def inner():
    raise ValueError("mine")

def started_before():
    fixcont.install()
    return inner()

print("result", started_before())
"""


def test_a_frame_that_was_entered_before_the_traps_came(small_program: SmallPrograms) -> None:
    program = small_program(ENTERED_BEFORE)
    with DebugSession(program, launcher=()) as session:
        stop = session.stop()
        assert "ValueError: mine" in stop
        assert "inner()" in stop
        assert "started_before()" in session.command("up")
        assert "entered-before" in session.command("rf")
        session.command("down")
        session.command("fr 9")
        ended = session.finish()

    assert ended.output.endswith("result 9\n")
    assert (ended.status, ended.errors) == (0, "")


SWALLOWED = """\
import ctypes

def callback(x):
    raise ValueError("mine")

def caller():
    return ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)(callback)(3)

print("result", caller())
"""


def test_a_frame_below_c_code_that_swallows(small_program: SmallPrograms) -> None:
    program = small_program(SWALLOWED)
    with DebugSession(program) as session:
        session.stop()
        assert "caller()" in session.command("up")
        assert "c-frame-swallow" in session.command("rf")
        session.command("down")
        session.command("fr 5")
        ended = session.finish()

    assert ended.output.endswith("result 5\n")
    assert ended.status == 0


@pytest.mark.parametrize("command", ["rf", "fr 1"])
def test_the_file_cannot_be_compiled(small_program: SmallPrograms, command: str) -> None:
    program = small_program("def f(x):\n    return 1 / x\n\nprint('result', f(0))\n")
    original = program.text
    with DebugSession(program) as session:
        session.stop()
        program.path.write_text(original + "def (\n")
        refused = session.command(command)
        assert "line 5" in refused or "5" in refused
        assert "syntax" in refused.lower()
        program.path.write_text(original)
        session.command("fr 1")
        ended = session.finish()

    assert ended.output.endswith("result 1\n")


def test_the_file_is_gone(small_program: SmallPrograms) -> None:
    program = small_program("def f(x):\n    return 1 / x\n\nprint('result', f(0))\n")
    original = program.text
    with DebugSession(program) as session:
        session.stop()
        program.path.unlink()
        session.command("rf")
        program.path.write_text(original.replace("1 / x", "2"))
        session.command("rf")
        ended = session.finish()

    assert ended.output.endswith("result 2\n")
    assert ended.status == 0


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("LIMIT = 1", "LIMIT = 2", "warning: "),
        ("@plain\n", "", "warning: "),
        ("(x, y=1)", "(x, y=2)", "installed: f (version 2)"),
    ],
    ids=["module-level code", "decorator", "default value"],
)
def test_an_edit_that_has_no_effect_or_another_is_told(small_program: SmallPrograms, old: str, new: str, told: str) -> None:
    program = small_program(
        "def plain(f):\n    return f\n\nLIMIT = 1\n\n@plain\ndef f(x, y=1):\n    return LIMIT / x\n\nprint('result', f(0))\n"
    )
    with DebugSession(program) as session:
        session.stop()
        program.edit({old: new})
        answer = session.command("rf")
        assert any(line.startswith(told) for line in answer.splitlines()), "nothing was said about the edit"
        session.command("fr 1")
        assert session.finish().status == 0


def test_a_wrong_option_is_refused_with_status_2(small_program: SmallPrograms) -> None:
    program = small_program("print('ran')\n")
    ended = run_python(["-m", "fixcont", "--stop", "sometimes", program.path])

    assert ended.status == 2
    assert "ran" not in ended.output
