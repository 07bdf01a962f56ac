"""`fixcont.pdb` in the place of pdb: what is pdb's stays, and at every stop of it functions can be fixed and frames go on."""

from __future__ import annotations

import inspect
import pdb
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

import fixcont.pdb
from fixcont.bytecode import interpreter
from support.editor import ScriptedEditor
from support.programs import Program
from support.session import Ended, child_environment, run_python

SmallPrograms = Callable[[str], Program]

PRICES = """\
def price(total, count):
    return total / count  # @fails

def report(rows):
    prices = []
    try:
        for total, count in rows:
            prices.append(price(total, count))  # @call
    finally:
        print("leaving after", len(prices))
    return prices

print(report([(4, 2), (3, 0), (5, 5)]))  # @report
"""


loops_can_be_kept = pytest.mark.skipif(interpreter.LOOP_KEEPS_INDEX, reason="how far a loop over a list has come cannot be read")


def debug(
    program: Program,
    commands: Sequence[str],
    *,
    arguments: Sequence[str] = (),
    launcher: Sequence[str] = ("-m", "fixcont.pdb"),
    editor: ScriptedEditor | None = None,
) -> Ended:
    """Run a program under pdb, ours unless `launcher` says otherwise, with these lines typed."""
    return run_python(
        [*launcher, program.path, *arguments],
        folder=program.folder,
        environment={"HOME": str(program.folder), **(editor.environment if editor is not None else {})},
        stdin="".join(f"{line}\n" for line in commands),
    )


def inline(program: Program, commands: Sequence[str], editor: ScriptedEditor | None = None) -> Ended:
    """Run a program that calls the debugger itself."""
    return debug(program, commands, launcher=(), editor=editor)


# The names of pdb.


MODULE: Any = fixcont.pdb
PLAIN: Any = pdb


def test_every_name_of_the_interpreters_pdb_is_there() -> None:
    assert MODULE.__all__ == PLAIN.__all__
    assert {name for name in dir(pdb) if name not in dir(fixcont.pdb)} == set()
    assert {name for name in dir(fixcont.pdb) if name not in dir(pdb)} == set()


def test_functions_and_methods_take_what_pdbs_take() -> None:
    functions = [name for name in pdb.__all__ if inspect.isfunction(getattr(pdb, name))]
    assert {name: inspect.signature(getattr(fixcont.pdb, name)) for name in functions} == {
        name: inspect.signature(getattr(pdb, name)) for name in functions
    }
    assert inspect.signature(fixcont.pdb.Pdb) == inspect.signature(pdb.Pdb)
    assert issubclass(fixcont.pdb.Pdb, pdb.Pdb)
    assert fixcont.pdb.run.__doc__ == pdb.run.__doc__


def test_functions_make_debuggers_of_ours() -> None:
    assert fixcont.pdb.run.__globals__ is vars(fixcont.pdb)
    assert vars(fixcont.pdb)["Pdb"].__module__ == "fixcont.pdb"


def test_what_is_set_in_the_module_works() -> None:
    before = PLAIN.line_prefix
    MODULE.line_prefix = ": "
    try:
        assert PLAIN.line_prefix == ": "
    finally:
        MODULE.line_prefix = before
    assert PLAIN.line_prefix == before


# A program that fails.


def test_a_program_that_fails_is_fixed_before_anything_unwinds(small_program: SmallPrograms, tmp_path: Path) -> None:
    program = small_program(PRICES)
    editor = ScriptedEditor(tmp_path / "editor", [{"return total / count": "return total / count if count else 0.0"}])
    ended = debug(program, ["c", "up", "p prices, total", "down", "fix", "restartframe", "q"], editor=editor)

    said = ended.output.partition("Uncaught exception. Entering post mortem debugging")[2]
    assert "leaving" not in ended.output.partition("(Pdb) installed")[0]
    assert "ZeroDivisionError: division by zero" in ended.errors
    assert "([2.0], 3)" in said
    assert "installed: price (version 2); 1 frame still runs old code" in said
    assert "leaving after 3\n[2.0, 0.0, 1.0]\nThe program finished and will be restarted\n" in said
    assert "repaired 1 function" in ended.repairs
    assert ended.status == 0


@loops_can_be_kept
def test_a_frame_goes_on_in_the_middle(small_program: SmallPrograms) -> None:
    program = small_program(PRICES)
    ended = debug(program, ["c", "up", "usevalue 7.5", "q"])

    assert f"resume report at line {program.line('call')}, inside 1 loop" in ended.output
    assert "leaving after 3\n[2.0, 7.5, 1.0]\n" in ended.output


def test_continue_at_an_exception_lets_the_program_end_and_starts_it_again(small_program: SmallPrograms) -> None:
    program = small_program(PRICES)
    ended = debug(program, ["c", "c", "q"])

    assert ended.output.count("Uncaught exception. Entering post mortem debugging") == 1
    assert "leaving after 1\n" in ended.output
    assert re.search(r"will be restarted\n> .*main\.py\(1\)<module>\(\)|will be restarted\n> .*\(1\)<module>\(\)", ended.output)
    assert ended.errors.count("ZeroDivisionError: division by zero") == 1


def test_quit_at_an_exception_ends_the_program(small_program: SmallPrograms) -> None:
    ended = debug(small_program(PRICES), ["c", "q"])

    assert ended.output.endswith("leaving after 1\n")
    assert "restarted" not in ended.output.partition("Nothing has unwound yet")[2]
    assert ended.status == 0


def test_run_at_an_exception_starts_the_program_again_with_arguments(small_program: SmallPrograms) -> None:
    program = small_program("import sys\n" + PRICES + "print('not reached')\n")
    ended = debug(program, ["c", "run one two", "import sys; print(sys.argv[1:])", "q"])

    assert re.search(r"Restarting .* with arguments:\n\tone two\n", ended.output)
    assert "['one', 'two']" in ended.output


def test_an_exception_that_is_caught_does_not_stop(small_program: SmallPrograms) -> None:
    program = small_program(
        PRICES.replace("print(report", "try:\n    print(report") + "except ZeroDivisionError:\n    print('caught')\n"
    )
    ended = debug(program, ["c", "q"])

    assert "leaving after 1\ncaught\nThe program finished" in ended.output
    assert "Uncaught" not in ended.output


def test_an_exception_of_a_thread_is_left_to_the_thread(small_program: SmallPrograms) -> None:
    program = small_program(
        "import threading\ndef work():\n    1 / 0\nt = threading.Thread(target=work)\nt.start()\nt.join()\nprint('done')\n"
    )
    ended = debug(program, ["c", "q"])

    assert "Exception in thread" in ended.errors
    assert "done\nThe program finished" in ended.output
    assert "Uncaught" not in ended.output


def test_breakpoint_in_a_program_gives_our_commands(small_program: SmallPrograms) -> None:
    program = small_program("def f():\n    breakpoint()\n    return 1  # @return\n\nprint('got', f())\n")
    ended = debug(program, ["c", "forcereturn 5", "q"])

    assert "return from f\ngot 5\n" in ended.output


def test_set_trace_of_fixcont_opens_the_prompt(small_program: SmallPrograms) -> None:
    program = small_program("import fixcont\ndef f():\n    fixcont.set_trace()\n    return 1\n\nprint('got', f())\n")
    ended = debug(program, ["c", "forcereturn 5", "q"])

    assert "(fixcont) return from f\ngot 5\n" in ended.output


def test_a_module_is_run(small_program: SmallPrograms) -> None:
    program = small_program(PRICES)
    ended = run_python(["-m", "fixcont.pdb", "-c", "c", "-m", program.path.stem], folder=program.folder, stdin="fr 0.5\nq\n")

    assert "[2.0, 0.5, 1.0]" in ended.output


LIBRARY = """\
import json

def read(text):
    return json.loads(text)  # @read

print("read", read("{"))
"""


def test_of_what_a_library_raised_the_own_frames_are_alive(small_program: SmallPrograms) -> None:
    ended = debug(small_program(LIBRARY), ["c", "retry", "up 3", "forcereturn 'nothing'", "q"])

    assert re.search(r'refused: unwound: .*\nnearest that can: read\(\) at program.py:4 \(use "up 3"\)', ended.output)
    assert "read nothing\n" in ended.output


def test_the_main_coroutine_is_stopped_in_before_it_unwinds(small_program: SmallPrograms) -> None:
    program = small_program(
        "import asyncio\nasync def f(n):\n    return 1 / n\nasync def main():\n    print('got', await f(0))\nasyncio.run(main())\n"
    )
    ended = debug(program, ["c", "forcereturn 8", "q"])

    assert "got 8\nThe program finished" in ended.output


def test_a_program_that_was_fixed_is_fixed_again_after_it_was_started_again(small_program: SmallPrograms, tmp_path: Path) -> None:
    program = small_program(PRICES)
    editor = ScriptedEditor(
        tmp_path / "editor", [{"return total / count": "return total / (count - 5)"}, {"(count - 5)": "(count + 1)"}]
    )
    ended = debug(program, ["c", "fix", "restartframe", "run", "c", "fix", "retry", "q"], editor=editor)

    assert "installed: price (version 2)" in ended.output
    assert ended.output.count("installed: price") == 2, ended.output
    assert re.search(r"leaving after 3\n\[-1.3333333333333333, -0.6, 0.8333333333333334\]\n", ended.output), ended.output


def test_ctrl_c_in_a_loop_stops_as_in_pdb_and_the_loop_is_left(small_program: SmallPrograms) -> None:
    text = "import os, signal\ndef loop():\n    n = 0\n    while True:\n        n += 1\n        if n == 1000:\n            os.kill(os.getpid(), signal.SIGINT)\n    return n  # @never\nprint('left with', loop())\n"
    program = small_program(text)
    # Where there is tracing because of a breakpoint, the signal may arrive in bdb itself, as in pdb.
    breakpoints = [f"b {program.line('never')}"] if interpreter.HAS_MONITORING else []
    ended = debug(program, [*breakpoints, "c", "p n >= 1000", "forcereturn 3", "q"])

    assert "Program interrupted. (Use 'cont' to resume)." in ended.output
    assert "left with 3\n" in ended.output


# Stops of all kinds.


def test_a_value_is_returned_at_a_breakpoint(small_program: SmallPrograms) -> None:
    program = small_program(PRICES)
    ended = debug(program, [f"b {program.line('fails')}", "c", "fr 1", "fr 2", "fr 3", "q"])

    assert "[1, 2, 3]" in ended.output


def test_a_value_is_returned_as_a_function_begins(small_program: SmallPrograms) -> None:
    program = small_program(PRICES)
    ended = debug(program, [f"b {program.line('call')}", "c", "s", "fr 5.0", "c", "cl 1", "usevalue 1.0", "q"])

    assert "--Call--" in ended.output
    assert "[5.0, 1.0, 1.0]" in ended.output


def test_a_value_is_returned_as_a_function_returns(small_program: SmallPrograms) -> None:
    program = small_program(PRICES)
    ended = debug(
        program, ["tbreak price", "c", "r", "fr 6.0", *([] if interpreter.RETURN_IS_INSIDE else ["c"]), "usevalue 1.0", "q"]
    )

    assert "--Return--" in ended.output
    if interpreter.RETURN_IS_INSIDE:
        assert "[6.0, 1.0, 1.0]" in ended.output
    else:
        assert "refused: returning" in ended.output
        assert "[2.0, 1.0, 1.0]" in ended.output


def test_a_value_is_returned_at_the_moment_of_an_exception(small_program: SmallPrograms) -> None:
    program = small_program(PRICES)
    ended = debug(program, [f"tbreak {program.line('fails')}, not count", "c", "n", "fr 0.25", "q"])

    assert re.search(r"\(Pdb\) ZeroDivisionError: division by zero\n> .*price\(\)", ended.output)
    assert "[2.0, 0.25, 1.0]" in ended.output
    assert "Uncaught" not in ended.output


def test_the_commands_of_a_breakpoint_return_a_value_at_each_hit(small_program: SmallPrograms) -> None:
    program = small_program(PRICES)
    ended = debug(program, ["b price, not count", "commands", "silent", "fr 0.125", "c", "q"])

    assert "[2.0, 0.125, 1.0]" in ended.output


def test_stepping_goes_on_behind_a_restarted_frame(small_program: SmallPrograms) -> None:
    program = small_program(PRICES)
    ended = debug(program, ["tbreak price", "c", "tbreak price", "rf", "r", "s", "s", "q"])

    lines = re.findall(r"> .*\((\d+)\)(\w+)\(\)", ended.output)
    assert lines[-2:] == [(str(program.line("call") - 1), "report"), (str(program.line("call")), "report")]


def test_a_value_is_returned_in_a_debugger_in_the_debugger(small_program: SmallPrograms) -> None:
    program = small_program("def f(n):\n    m = n + 1\n    return m\n\nx = 1\n")
    ended = debug(program, ["n", "debug print('nested', f(3))", "s", "s", "forcereturn 9", "n", "q"])

    assert "nested 9\nLEAVING RECURSIVE DEBUGGER\n" in ended.output


INLINE = """\
import fixcont.pdb as pdb

def inner(number):
    result = number + 1  # @inner
    return result

def outer():
    total = 0
    for number in range(3):
        with open(__file__):
            total += inner(number)
    return total

pdb.set_trace()
print("result", outer())
"""


def test_what_is_called_after_set_trace_can_be_repaired(small_program: SmallPrograms, tmp_path: Path) -> None:
    program = small_program(INLINE)
    editor = ScriptedEditor(tmp_path / "editor", [{"number + 1  #": "number + 100  #"}])
    ended = inline(program, ["tbreak inner", "c", "fix", "retry"], editor)

    assert f"resume inner at line {program.line('inner')}" in ended.output
    assert ended.output.endswith("result 303\n")
    assert (ended.status, ended.errors) == (0, "")


def test_a_frame_that_was_entered_before_is_refused_with_what_to_do(small_program: SmallPrograms) -> None:
    ended = inline(small_program(INLINE), ["restartframe", "c"])

    assert "refused: entered-before: " in ended.output
    assert ended.output.endswith("result 6\n")


def test_breakpoints_go_where_their_statements_are(small_program: SmallPrograms, tmp_path: Path) -> None:
    program = small_program(INLINE)
    line = program.line("inner")
    editor = ScriptedEditor(tmp_path / "editor", [{"def inner(number):\n": "def inner(number):\n    more = 1\n\n"}])
    ended = inline(program, [f"b {line}", "c", "fix", "c", "l", "cl 1", "c"], editor)

    assert f"Breakpoint 1 is at {program.path}:{line + 2} now" in ended.output
    assert f"> {program.path}({line + 2})inner()" in ended.output
    assert re.search(rf"{line + 2} B->", ended.output)
    assert ended.output.endswith("result 6\n")


def test_a_frame_shows_the_text_that_it_runs(small_program: SmallPrograms, tmp_path: Path) -> None:
    program = small_program(INLINE)
    editor = ScriptedEditor(tmp_path / "editor", [{"result = number + 1  #": "result = number - 1  #"}])
    ended = inline(program, ["tbreak inner", "c", "fix", "l .", "c"], editor)

    listed = ended.output.partition("installed: ")[2]
    assert f"{program.line('inner')}  ->\t    result = number + 1" in listed
    assert "WARNING" not in listed


@loops_can_be_kept
def test_assignments_take_effect_in_any_frame(small_program: SmallPrograms) -> None:
    program = small_program(PRICES)
    ended = debug(program, ["c", "up", "count = 4", "p count", "retry", "q"])

    assert "[2.0, 0.75, 1.0]" in ended.output


POST_MORTEM = """\
import sys
import fixcont.pdb as pdb

def price(total, count):
    return total / count

try:
    price(1, 0)
except ZeroDivisionError as error:
    pdb.post_mortem(error.__traceback__)
print(price(1, 0))
"""


def test_in_a_post_mortem_it_is_said_why_not_and_what_instead(small_program: SmallPrograms, tmp_path: Path) -> None:
    editor = ScriptedEditor(tmp_path / "editor", [{"return total / count": "return total / count if count else 0.0"}])
    ended = inline(small_program(POST_MORTEM), ["retry", "stale", "fix", "q"], editor)

    assert re.search(r"refused: post-mortem: price has unwound already.*; .*python -m fixcont\.pdb", ended.output)
    assert "installed: price (version 2)" in ended.output
    assert ended.output.endswith("0.0\n")


FAULTY = """\
import fixcont.pdb as pdb
from fixcont_ui.drop_in.console import StopConsole

def broken(self):
    raise RuntimeError("broken")

StopConsole.stale = broken
pdb.set_trace()
print("goes on")
"""


def test_a_fault_of_ours_does_not_become_the_programs(small_program: SmallPrograms) -> None:
    ended = inline(small_program(FAULTY), ["stale", "c"])

    assert ended.output.endswith("goes on\n")
    assert "a fault of fixcont itself: RuntimeError: broken" in ended.errors
    assert ended.status == 0


# Words.


def test_a_variable_with_the_name_of_a_command_is_shown_as_in_pdb(small_program: SmallPrograms) -> None:
    program = small_program("def f(skip):\n    retry = skip + 1\n    return retry  # @here\n\nprint(f(1), 'f')\n")
    ended = debug(
        program, [f"b {program.line('here')}", "c", "skip", "retry", "skip = 5", "p skip", "fixcont forcereturn 9", "q"]
    )

    assert re.search(r"\(Pdb\) 1\n\(Pdb\) 2\n\(Pdb\) \(Pdb\) 5\n\(Pdb\) return from f\n9 f\n", ended.output)


def test_help_lists_our_commands_below_pdbs(small_program: SmallPrograms) -> None:
    ended = debug(small_program("pass\n"), ["help", "help restartframe", "help fixcont", "q"])

    own = ended.output.partition("Fix and continue (type help fixcont):")
    assert "restartframe" not in own[0]
    assert "restartframe" in own[2]
    assert "Restart the selected frame" in own[2]
    assert "go on behind the failing statement" in own[2]


def test_startup_files_and_aliases_give_our_commands(small_program: SmallPrograms) -> None:
    program = small_program(PRICES)
    (program.folder / ".pdbrc").write_text("alias zero forcereturn 0.0\n# a comment\n", encoding="utf-8")
    ended = debug(program, ["zero", "q"], launcher=("-m", "fixcont.pdb", "-c", "continue"))

    assert "[2.0, 0.0, 1.0]" in ended.output


# Subclasses, and other tools.

SUBCLASS = """\
import fixcont.pdb

class Own(fixcont.pdb.Pdb):
    def __init__(self, *args, **keywords):
        super().__init__(*args, **keywords)
        self.frame = self.stop = self.session = self.place = self.history = self.call = self.answer = None

    def user_line(self, frame):
        print("line", frame.f_lineno)
        super().user_line(frame)

    def do_double(self, arg):
        print(2 * self._getval(arg))

def f(number):
    return number  # @return

own = Own(nosigint=True, readrc=False)
print(own.runcall(f, 3), own.prompt)
"""


def test_a_subclass_has_its_own_methods_called(small_program: SmallPrograms) -> None:
    program = small_program(SUBCLASS)
    ended = inline(program, ["double number", "forcereturn 8"])

    assert f"line {program.line('return')}\n" in ended.output or "--Call--" in ended.output
    assert "6\n" in ended.output
    assert ended.output.endswith("8 (Pdb) \n")


COUNTING = """\
import fixcont.pdb

class Counting(fixcont.pdb.Pdb):
    calls = 0

    def user_call(self, frame, arguments):
        Counting.calls += 1
        super().user_call(frame, arguments)

def f(number):
    if number < 0:
        return None  # @never
    return number

def many():
    for number in range(5):
        f(number)
    return Counting.calls

print(Counting(nosigint=True, readrc=False).runcall(many))
"""


def test_a_subclass_that_looks_at_calls_gets_them_all(small_program: SmallPrograms) -> None:
    program = small_program(COUNTING)
    ended = inline(program, [f"b {program.line('never')}", "c"])

    assert int(ended.output.split()[-1]) >= 5


PYTEST = """\
def price(count):
    total = 1
    return total / count

def test_of_a_failure():
    assert price(0) == 4

def test_with_a_breakpoint():
    breakpoint()
    assert price(0) == 4
"""


def test_pytest_takes_the_class(small_program: SmallPrograms) -> None:
    program = small_program(PYTEST)
    options = ["-q", "-p", "no:cacheprovider", "--pdb", "--pdbcls=fixcont.pdb:Pdb"]
    stopped_in_price = ["tbreak price", "c", "forcereturn 4"]
    ended = run_python(
        ["-m", "pytest", *options, program.path],
        folder=program.folder,
        environment={"PYTEST_ADDOPTS": "", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        stdin="".join(f"{line}\n" for line in ["retry", "c", *stopped_in_price]),
    )

    assert "refused: post-mortem: price has unwound already" in ended.output
    assert re.search(r"return from price\n\n>+ PDB continue \(IO-capturing resumed\) >+\n", ended.output), ended.output
    assert "1 failed, 1 passed" in ended.output


def test_the_environment_can_name_it(small_program: SmallPrograms) -> None:
    program = small_program("def f():\n    return 1\n\nbreakpoint()\nprint('got', f())\n")
    ended = run_python(
        [program.path],
        folder=program.folder,
        environment={"PYTHONBREAKPOINT": "fixcont.pdb.set_trace", "HOME": str(program.folder)},
        stdin="tbreak f\nc\nforcereturn 5\n",
    )

    assert ended.output.endswith("got 5\n")


ASYNC = """\
import asyncio
import fixcont.pdb as pdb

async def step(number):
    await asyncio.sleep(0)
    return number  # @return

async def main():
    await pdb.set_trace_async()
    total = 0
    for number in range(3):
        total += await step(number)
    print("total", total)

asyncio.run(main())
"""


@pytest.mark.skipif(not hasattr(pdb, "set_trace_async"), reason="this Python's pdb has no set_trace_async")
def test_a_coroutine_is_stopped_and_goes_on_with_another_value(small_program: SmallPrograms) -> None:
    program = small_program(ASYNC)
    ended = inline(program, ["await step(7)", f"tbreak {program.line('return')}, number == 1", "c", "forcereturn 100", "c"])

    assert ended.output.endswith("total 102\n")
    assert (ended.status, ended.errors) == (0, "")


ATTACHED = """\
import sys
import fixcont

def work(number):
    return number  # @work

fixcont.install(stop="never")
print("ready", flush=True)
while work(0) == 0:
    pass
print("left")
"""


@pytest.mark.skipif(not hasattr(pdb, "attach"), reason="this Python's pdb cannot be attached to a process")
def test_a_process_is_attached_to_and_repaired(small_program: SmallPrograms) -> None:
    program = small_program(ATTACHED)
    process = subprocess.Popen(
        [sys.executable, program.path], stdout=subprocess.PIPE, text=True, cwd=program.folder, env=child_environment()
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        ended = run_python(
            ["-m", "fixcont.pdb", "-p", str(process.pid)],
            folder=program.folder,
            stdin=f"b {program.path}:{program.line('work')}\nc\ncl 1\nforcereturn 1\n",
        )
        if "insufficient permissions" in ended.output:
            process.kill()
            pytest.skip("this system does not let a process be attached to")
        assert "return from work" in ended.output, ended
        assert process.stdout.read() == "left\n"
    assert process.returncode == 0


# What stays behind.

ARMED = """\
import sys

def f(number):
    if number < 0:
        return None  # @never
    return number

def armed():
    monitoring = getattr(sys, "monitoring", None)
    tools = [monitoring.get_tool(number) for number in range(6)] if monitoring else []
    return sys.gettrace() is not None, [tool for tool in tools if tool]

print(f(1), "armed:", armed())  # @first
print(f(2), "armed:", armed())
"""


def test_nothing_is_armed_after_clear(small_program: SmallPrograms) -> None:
    program = small_program(ARMED)
    ended = debug(program, [f"b {program.line('never')}", f"tbreak {program.line('first') + 1}", "c", "cl 1", "c", "q"])

    first, second = re.findall(r"armed: (.*)", ended.output)
    assert first == ("(False, ['fixcont'])" if interpreter.HAS_MONITORING else "(True, [])")
    assert second == "(False, [])"


# The same as pdb says.

SAME = {
    "a loop in one line": ("x = 0\nfor i in range(3): x += i\nprint(x)\n", ["b 2", "c", "c", "c", "p i", "c", "c", "c", "q"]),
    "a loop over lines": ("for i in range(3):\n    x = i\nprint(x)\n", ["b 1", "b 2", "c", "c", "c", "c", "c", "c", "c", "q"]),
    "conditions and counts": (
        "def f(i):\n    return i\nfor i in range(6):\n    f(i)\n",
        ["b f, i % 2", "ignore 1 1", "b 4", "tbreak 2, i == 4", "c", "b", "c", "c", "disable 2", "c", "b", "c", "c", "q"],
    ),
    "steps behind a breakpoint": (
        "def f(i):\n    j = i\n    return j\ndef g(i):\n    k = f(i)\n    return k\nfor i in range(2):\n    g(i)\nprint('end')\n",
        ["b 2", "c", "n", "n", "n", "n", "n", "c", "s", "s", "r", "up", "n", "unt 9", "q"],
    ),
    "next in a frame further out": (
        "def f(i):\n    return i\ndef g(i):\n    k = f(i)\n    return k\ng(1)\ng(2)\n",
        ["b 2", "b 5", "disable 2", "c", "up", "n", "c", "up", "r", "q"],
    ),
    "generators": (
        "def numbers():\n    yield 1\n    yield 2\nfor each in numbers():\n    print(each)\n",
        ["b 3", "c", "n", "n", "n", "n", "b 5", "c", "r", "q"],
    ),
    "coroutines": (
        "import asyncio\nasync def f():\n    await asyncio.sleep(0)\n    return 1\nasync def main():\n    x = await f()\n    print(x)\nasyncio.run(main())\n",
        ["b 4", "c", "n", "n", "b 7", "c", "p x", "q"],
    ),
    "commands of breakpoints": (
        "for i in range(4):\n    x = i\nprint('end')\n",
        ["b 2", "commands", "silent", "p i", "c", "b 3", "commands 2", "p 'there'", "end", "c", "c", "q"],
    ),
    "jumps": ("x = 1\nx = 2\nx = 3\nprint(x)\n", ["b 3", "c", "j 1", "n", "j 4", "p x", "n", "q"]),
    "looking": (
        "class A:\n    def __repr__(self): return 'an A'\ndef f(a, c):\n    d = a\n    return d\nf(A(), [1])\n",
        [
            "b f",
            "c",
            "a",
            "whatis a",
            "pp c",
            "display d",
            "n",
            "display",
            "undisplay d",
            "source A",
            "w",
            "l 1,3",
            "ll",
            "retval",
            "!c = 2",
            "p c",
            "q",
        ],
    ),
    "an exception that is stepped over": (
        "def f():\n    raise KeyError(1)\ntry:\n    f()\nexcept KeyError:\n    print('caught')\n",
        ["n", "n", "n", "n", "n", "n", "n", "q"],
    ),
    "a program that is started again": (
        "def f(n):\n    return n\nfor i in range(2):\n    f(i)\n",
        ["b 4", "c", "s", "c", "s", "s", "b 3", "c", "ignore 1 1", "b 1", "s", "s", "q"],
    ),
    "unknown words": ("pass\n", ["retry + 1", "throwing", "fixcont", "undo = 3", "undo", "skip = 1", "skip", "q"]),
    "a debugger in the debugger": ("def f(i):\n    return i\nx = 1\n", ["n", "debug f(3)", "s", "s", "a", "c", "n", "q"]),
}


@pytest.mark.parametrize("name", SAME)
def test_it_says_what_pdb_says(name: str, small_program: SmallPrograms) -> None:
    text, commands = SAME[name]
    program = small_program(text)
    plain = debug(program, commands, launcher=("-m", "pdb"))
    ours = debug(program, commands)

    assert ours.output == plain.output
    assert (ours.status, ours.errors) == (plain.status, plain.errors)
