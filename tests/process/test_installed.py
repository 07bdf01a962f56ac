"""fixcont in a process that was started otherwise: install, uninstall, set_trace."""

from __future__ import annotations

from collections.abc import Callable

from support.programs import Program, write_program
from support.session import PROMPT, DebugSession, run_python

SmallPrograms = Callable[[str], Program]


def test_install_traps_functions_that_are_loaded_already(small_program: SmallPrograms) -> None:
    program = small_program("import fixcont\n\ndef f(x):\n    return 1 / x\n\nfixcont.install()\nprint('result', f(0))\n")
    with DebugSession(program, launcher=()) as session:
        assert "ZeroDivisionError" in session.stop()
        program.edit({"1 / x": "7"})
        session.command("rf")
        ended = session.finish()

    assert ended.output.endswith("result 7\n")
    assert (ended.status, ended.errors) == (0, "")


def test_install_traps_modules_that_are_imported_later(small_program: SmallPrograms) -> None:
    program = small_program("import fixcont\nfixcont.install()\nimport other\nprint('result', other.f(0))\n")
    write_program(program.folder, "def f(x):\n    return 1 / x\n", "other.py")
    with DebugSession(program, launcher=()) as session:
        assert "other.py(2)f()" in session.stop()
        program.other("other.py").edit({"1 / x": "8"})
        session.command("rf")
        ended = session.finish()

    assert ended.output.endswith("result 8\n")
    assert ended.status == 0


UNINSTALLED = """\
import builtins, sys, threading
import fixcont

def f(x):
    return 1 / x

def state():
    return {
        "code": f.__code__, "bytes": f.__code__.co_code, "table": f.__code__.co_exceptiontable, "consts": f.__code__.co_consts,
        "meta_path": list(sys.meta_path), "path_hooks": list(sys.path_hooks), "builtins": sorted(vars(builtins)),
        "excepthook": sys.excepthook, "thread hook": threading.excepthook, "breakpointhook": sys.breakpointhook,
    }

before = state()
fixcont.install()
print("trapped", f.__code__ is not before["code"])
fixcont.uninstall()
after = state()
print("differs", [name for name in before if before[name] != after[name]])
f(0)
"""


def test_uninstall_leaves_everything_as_before(small_program: SmallPrograms) -> None:
    program = small_program(UNINSTALLED)
    ended = run_python([program.path], folder=program.folder)

    assert ended.output == "trapped True\ndiffers []\n"
    assert ended.errors.rstrip().endswith("ZeroDivisionError: division by zero")
    assert ended.status == 1


def test_install_twice_and_uninstall_twice_are_fine(small_program: SmallPrograms) -> None:
    program = small_program(
        "import fixcont\nfixcont.install()\nfixcont.install()\nfixcont.uninstall()\nfixcont.uninstall()\nprint('fine')\n"
    )
    ended = run_python([program.path], folder=program.folder)

    assert (ended.output, ended.errors, ended.status) == ("fine\n", "", 0)


def test_set_trace_stops_where_it_stands(small_program: SmallPrograms) -> None:
    program = small_program("import fixcont\n\ndef f(x):\n    fixcont.set_trace()\n    return x\n\nprint('result', f(3))\n")
    with DebugSession(program, launcher=()) as session:
        stop = session.stop()
        assert "f()" in stop
        assert session.command("p x").strip() == "3"
        session.command("c")
        ended = session.finish()

    assert ended.output.endswith("result 3\n")
    assert ended.status == 0


def test_pythonbreakpoint(small_program: SmallPrograms) -> None:
    program = small_program("def f(x):\n    breakpoint()\n    return x\n\nprint('result', f(3))\n")
    with DebugSession(program, launcher=(), environment={"PYTHONBREAKPOINT": "fixcont.set_trace"}) as session:
        assert "f()" in session.stop()
        session.command("c")
        ended = session.finish()

    assert ended.output.count(PROMPT) == 1
    assert ended.output.endswith("result 3\n")
    assert ended.status == 0


def test_a_frame_held_by_breakpoint_can_be_restarted(small_program: SmallPrograms) -> None:
    program = small_program("def f(x):\n    breakpoint()  # @here\n    return x\n\nprint('result', f(3))\n")
    with DebugSession(program, environment={"PYTHONBREAKPOINT": "fixcont.set_trace"}) as session:
        session.stop()
        program.edit({"breakpoint()  # @here": "x += 1"})
        session.command("rf")
        ended = session.finish()

    assert ended.output.endswith("result 4\n")
    assert ended.status == 0
