"""Breakpoints and steps in whole programs: threads, tasks, modules, and how the process ends."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from support.programs import Program
from support.session import DebugSession, run_fixcont, run_python

SmallPrograms = Callable[[str], Program]

TASKS = """\
import asyncio, threading

async def worker(name, count):
    for number in range(count):
        await asyncio.sleep(0)
        print(name, number)  # @print
    return name  # @return

async def main():
    first = asyncio.create_task(worker("first", 2))
    done = await worker("second", 2)  # @await
    return done, await first  # @done

def in_thread():
    print("in thread", asyncio.run(main()))  # @thread

thread = threading.Thread(target=in_thread, name="side")
thread.start()
thread.join()
print("joined")  # @joined
"""


def test_a_coroutine_in_a_thread_is_stepped_through(small_program: SmallPrograms) -> None:
    program = small_program(TASKS)
    with DebugSession(program, options=["--stop-at-entry", "-c", f"tbreak {program.line('await')}", "-c", "c"]) as session:
        deleted = f"Deleted breakpoint 1 at {program.path}:{program.line('await')}\n"
        assert f"in thread side:\n{deleted}> {program.path}({program.line('await')})main()" in session.stop()
        over = session.command("n")
        assert f"({program.line('done')})main()" in over
        assert "second 1\n" in over and "first 0\n" in over  # the other task has run as well
        assert f"--Return--\n> {program.path}({program.line('done')})main()->('second', 'first')" in session.command("r")
        session.command("c")
        ended = session.finish()
    assert ended.output.endswith("in thread ('second', 'first')\njoined\n")
    assert (ended.status, ended.errors) == (0, "")


def test_a_program_with_breakpoints_that_are_not_hit_does_what_it_does_without(small_program: SmallPrograms) -> None:
    program = small_program(TASKS + "\nraise SystemExit(3)\n")
    plain = run_python([program.path], folder=program.folder)
    commands = [f"b {program.line('print')}, number > 5", f"b {program.line('thread')}, False", "c"]
    options = [word for command in commands for word in ("-c", command)]
    ended = run_fixcont(["--stop-at-entry", *options, program.path], folder=program.folder)
    assert ended.output.endswith(plain.output)
    assert (ended.status, ended.errors) == (plain.status, plain.errors) == (3, "")


def test_in_a_module_that_is_run_by_its_name(small_program: SmallPrograms) -> None:
    program = small_program("from other import double\n\nprint('result', double(4))\n")
    program.other("other.py").path.write_text("def double(x):\n    y = 2 * x\n    return y\n")
    with DebugSession(["-m", "program"], options=["--stop-at-entry"], folder=program.folder) as session:
        session.stop()
        assert "Breakpoint 1 at " in session.command("b other:3")
        assert "other.py(3)double()\n-> return y\n" in session.command("c")
        session.command("y = 10")
        session.command("c")
        ended = session.finish()
    assert ended.output.endswith("result 10\n")


@pytest.mark.parametrize("way", ["breakpoint", "step"])
def test_quit_ends_the_program_and_runs_its_clean_up(small_program: SmallPrograms, way: str) -> None:
    program = small_program(
        "def f():\n    try:\n        a = 1\n        b = 2\n    finally:\n        print('cleaned up')\n\nf()\n"
    )
    with DebugSession(program, options=["--stop-at-entry"]) as session:
        session.stop()
        session.command("b 3")
        session.command("c")
        if way == "step":
            assert "-> b = 2" in session.command("n")
        session.command("q")
        ended = session.finish()
    assert ended.output.endswith("cleaned up\n")
    assert (ended.status, ended.errors) == (1, "")


@pytest.mark.parametrize("environment", [{}, {"PYTHONBREAKPOINT": "fixcont.set_trace"}])
def test_breakpoint_in_the_program_and_steps_from_there(small_program: SmallPrograms, environment: dict[str, str]) -> None:
    program = small_program("def f():\n    breakpoint()\n    a = 1\n    return a\n\nprint('result', f())\n")
    with DebugSession(program, environment=environment) as session:
        assert "(2)f()\n-> breakpoint()\n" in session.stop()
        assert session.command("n").endswith("(3)f()\n-> a = 1\n")
        assert session.command("r").endswith("--Return--\n" + f"> {program.path}(4)f()->1\n-> return a\n")
        session.command("c")
        ended = session.finish()
    assert ended.output.endswith("result 1\n")


def test_breakpoint_in_the_program_where_the_environment_turns_it_off(small_program: SmallPrograms) -> None:
    program = small_program("breakpoint()\nprint('went on')\n")
    with DebugSession(program, environment={"PYTHONBREAKPOINT": "0"}) as session:
        ended = session.finish()
    assert (ended.status, ended.output) == (0, "went on\n")
