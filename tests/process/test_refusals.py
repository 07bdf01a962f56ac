"""What cannot be done is refused by name, with a sentence, and touches nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest

from support.programs import Program
from support.session import DebugSession, run_python

SmallPrograms = Callable[[str], Program]

F = "def f(x):\n    return 1 / x\n\nprint('result', f(0))\n"


class Case(NamedTuple):
    """A program that stops, what is edited and typed then, and the code of the refusal that the last command gets."""

    code: str
    text: str
    commands: tuple[str, ...] = ("rf",)
    edit: tuple[str, str] = ("", "")
    options: tuple[str, ...] = ()


CASES = [
    Case("comprehension", "def f(x):\n    return list(1 / y for y in x)\n\nprint('result', f([0]))\n"),
    Case("class-namespace", "import enum\n\nclass Color(enum.Enum):\n    RED = 1\n    BLUE = 1 / 0\n"),
    Case("argument-deleted", "def f(x):\n    y = x\n    del x\n    return 1 / y\n\nprint('result', f(0))\n"),
    Case("argument-deleted", "def f(x):\n    y = x\n    x = None\n    return 1 / y\n\nprint('result', f(0))\n"),
    Case("kind-changed", F, edit=("return 1", "yield 1")),
    Case("parameters-differ", F, edit=("def f(x)", "def f(x, z)")),
    Case("function-gone", F, edit=("def f(x):\n    return 1", "def g(x):\n    return 2")),
    Case("closure-changed", "def outer(a):\n    b = 5\n    def f(x):\n        return a / x\n    return f, b\n\nouter(1)[0](0)\n", edit=("a / x", "b / x")),
    Case("definition-failed", F, edit=("def f(x)", "def f(x, z=1 / 0)")),
    Case("import-failed", F, edit=("def f(x)", "import no_such_module\n\ndef f(x)")),
    Case("slots-changed", "class A:\n    __slots__ = ('x',)\n\n" + F, edit=("('x',)", "('x', 'y')")),
    Case("enum-members", "import enum\n\nclass A(enum.Enum):\n    X = 1\n\n" + F, edit=("X = 1", "X = 2")),
    Case("namedtuple-fields", "import typing\n\nclass A(typing.NamedTuple):\n    x: int\n\n" + F, edit=("x: int", "y: int")),
    Case("metaclass-changed", "import abc\n\nclass A:\n    x = 1\n\n" + F, edit=("class A", "class A(metaclass=abc.ABCMeta)")),
    Case("bases-differ", "class A:\n    x = 1\n\n" + F, edit=("class A", "class A(dict)")),
    Case("definition-failed", F, edit=("def f(x)", "@no_such_decorator\ndef g():\n    pass\n\ndef f(x)")),
    Case("no-caller-for-value", "print(1 / 0)\n", ("fr 5",)),
    Case("no-caller-for-value", "class C:\n    x = 1 / 0\n", ("fr 5",)),
    Case("unwound", "def wanted():\n    return KeyError\n\ndef f():\n    try:\n        g()\n    except wanted():\n        pass\n\n"
         "def g():\n    raise ValueError\n\nf()\n", ("down", "rf")),
    Case("would-be-caught", "def f():\n    raise ValueError\n\ndef g():\n    try:\n        f()\n    except BaseException:\n        pass\n\n"
         "def main():\n    g()\n\nmain()\n", ("up", "up", "rf"), options=("--stop", "raised")),
    Case("no-file", "exec(compile('def f(x):\\n    return 1 / x\\n', 'nowhere.py', 'exec'))\nprint('result', f(0))\n", ("down", "fix")),
    Case("not-available", F, ("run",)),
    Case("not-available", F, ("debug f(1)",)),
    Case("no-such-line", F, ("jump 100",)),
    Case("bad-condition", F, ("b 2, x ==",)),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.code}-{case.commands[-1].split()[0]}")
def test_refused_by_name(small_program: SmallPrograms, case: Case) -> None:
    program = small_program(case.text)
    with DebugSession(program, options=case.options) as session:
        session.stop()
        if case.edit != ("", ""):
            program.edit(dict([case.edit]))
        answers = [session.command(command) for command in case.commands]
        assert f"refused: {case.code}: " in answers[-1]
        assert not {"result", "evaluated"} & {line.split()[0] for line in answers[-1].splitlines() if line.strip()}
        session.command("q")
        ended = session.finish()

    assert "fault of fixcont" not in ended.output + ended.errors
    assert "Traceback" not in ended.errors


@pytest.mark.parametrize("command", ["rf", "fr 1"])
def test_a_refusal_of_an_edit_goes_away_with_the_edit(small_program: SmallPrograms, command: str) -> None:
    program = small_program(F)
    with DebugSession(program) as session:
        session.stop()
        program.edit({"def f(x)": "@no_such_decorator\ndef g():\n    pass\n\ndef f(x)", "1 / x": "2"})
        assert "refused: definition-failed: " in session.command(command)
        program.edit({"@no_such_decorator\n": ""})
        session.command(command)
        ended = session.finish()

    assert ended.output.endswith(f"result {2 if command == 'rf' else 1}\n")
    assert ended.status == 0


@pytest.mark.parametrize("argument", ["5", "'text'", "int"])
def test_throw_wants_an_exception(small_program: SmallPrograms, argument: str) -> None:
    program = small_program(F)
    with DebugSession(program) as session:
        session.stop()
        assert "must derive from BaseException" in session.command(f"throw {argument}")
        session.command("fr 3")
        assert session.finish().output.endswith("result 3\n")


def test_a_frame_of_an_earlier_exception_is_post_mortem(small_program: SmallPrograms) -> None:
    program = small_program(
        "def f():\n    try:\n        [][0]\n    except IndexError:\n        raise KeyError('second')\n\nf()\n"
    )
    with DebugSession(program) as session:
        session.stop()
        assert "IndexError" in session.command("exceptions")
        session.command("exceptions 0")
        assert "refused: post-mortem: " in session.command("rf")
        session.command("exceptions 1")
        assert "KeyError" in session.command("rf")
        session.command("q")
        session.finish()


def test_a_file_that_became_a_folder_is_unreadable(small_program: SmallPrograms) -> None:
    program = small_program(F)
    with DebugSession(program) as session:
        session.stop()
        program.path.unlink()
        program.path.mkdir()
        assert "refused: file-unreadable: " in session.command("rf")
        program.path.rmdir()
        program.path.write_text(F.replace("1 / x", "4"))
        session.command("rf")
        assert session.finish().output.endswith("result 4\n")


def test_a_program_is_not_read_from_standard_input() -> None:
    ended = run_python(["-m", "fixcont", "-"], stdin="print('ran')\n")

    assert ended.status == 2
    assert "script-from-stdin" in ended.errors
    assert "ran" not in ended.output.split()


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

PROTOTYPE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)

def callback(x):
    raise ValueError("mine")

decorated = PROTOTYPE(callback)

def caller():
    return CALL

print("result", caller())
"""


@pytest.mark.parametrize(
    "call", ["PROTOTYPE(callback)(3)", "ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)(callback)(3)", "decorated(3)"]
)
def test_a_frame_below_c_code_that_swallows(small_program: SmallPrograms, call: str) -> None:
    program = small_program(SWALLOWED.replace("CALL", call))
    with DebugSession(program) as session:
        session.stop()
        assert "caller()" in session.command("up")
        assert "refused: c-frame-swallowed: " in session.command("rf")
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
        ("LIMIT = 1", "LIMIT = 2", "  1  "),
        ("@plain\n", "", "installed: f (version 2)"),
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
