"""Stepping and breakpoints, typed at a real program's prompt as a user of pdb types them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import pytest

from fixcont.bytecode import interpreter
from support.programs import Program
from support.session import DebugSession

SmallPrograms = Callable[[str], Program]

SHOP = '''\
def price(row):  # @price
    """Text."""

    name, amount = row  # @unpack
    cost = amount * rate(name)  # @cost
    return cost  # @back

def rate(name):  # @rate
    return {"a": 1, "b": 2}[name]  # @lookup

class Shop:
    def total(self, rows):
        total = 0  # @zero
        for row in rows:  # @for
            total += price(row)  # @add
        return total  # @total

rows = [("a", 1), ("b", 2)]  # @rows
print("total", Shop().total(rows))  # @print
'''


def at(program: Program, label: str, function: str) -> str:
    """Give how a stop at a line is shown."""
    line = program.text.splitlines()[program.line(label) - 1].strip()
    return f"> {program.path}({program.line(label)}){function}\n-> {line}\n"


def talk(program: Program, lines: Sequence[str], options: Sequence[str] = ("--stop-at-entry",)) -> tuple[list[str], str]:
    """Type lines one after the other. Returns what is shown for each of them, and what the program wrote to the end."""
    with DebugSession(program, options=options) as session:
        session.stop()
        shown = [session.command(line) for line in lines]
        if session.output.endswith("(fixcont) "):
            session.command("c")
        ended = session.finish()
    assert "fault of fixcont" not in ended.output + ended.errors
    return shown, ended.output


def test_steps_and_edges_look_as_in_pdb(small_program: SmallPrograms) -> None:
    program = small_program(SHOP)
    shown, output = talk(
        program, [f"b {program.line('add')}", "c", "s", "n", "", "unt", "r", "rv", "n", "p total", "r", "s", "retval"]
    )
    add, cost = at(program, "add", "total()"), at(program, "cost", "price()")
    assert shown[:6] == [
        f"Breakpoint 1 at {program.path}:{program.line('add')}\n",
        add,
        f"--Call--\n{at(program, 'price', 'price()')}",
        at(program, "unpack", "price()"),
        cost,
        at(program, "back", "price()"),
    ]
    assert shown[6] == f"--Return--\n{at(program, 'back', 'price()->1')}"
    assert shown[7] == "1\n"
    assert shown[8:10] == [at(program, "for", "total()"), "1\n"]
    assert shown[10] == add  # a breakpoint on the way comes first
    assert shown[11] == f"--Call--\n{at(program, 'price', 'price()')}"
    assert shown[12] == "*** Not yet returned!\n"
    assert output.endswith("total 5\n")


def test_what_the_commands_for_breakpoints_say(small_program: SmallPrograms) -> None:
    program = small_program(SHOP)
    path, cost, lookup, zero = (str(program.path), *(program.line(label) for label in ("cost", "lookup", "zero")))
    said = {
        "b": "",
        f"b {cost}, amount > 1": f"Breakpoint 1 at {path}:{cost}\n",
        "tbreak rate": f"Breakpoint 2 at {path}:{lookup}\n",
        f"b program:{zero}": f"Breakpoint 3 at {path}:{zero}\n",
        "b Shop.total": f"Breakpoint 4 at {path}:{zero}\n",
        "b 3": "*** Blank or comment\n",
        "b 2": "*** Blank or comment\n",
        "b 300": "*** End of file\n",
        "b nowhere:3": "*** 'nowhere' not found from sys.path\n",
        "b program:x y": "*** Bad lineno: x y\n",
        "b nothing": "*** The specified object 'nothing' is not a function or was not found along sys.path.\n",
        "b 5,": "*** Invalid condition ''\n",
        "disable 4": f"Disabled breakpoint 4 at {path}:{zero}\n",
        "ignore 3 2": "Will ignore next 2 crossings of breakpoint 3.\n",
        "ignore 3": "Will stop next time breakpoint 3 is reached.\n",
        "ignore 3 1": "Will ignore next 1 crossing of breakpoint 3.\n",
        "condition 1 amount == 2": "New condition set for breakpoint 1.\n",
        "condition 9 x": "*** Breakpoint number 9 out of range\n",
        "enable x": "*** Non-numeric breakpoint number x\n",
        "condition": "*** Breakpoint number expected\n",
        "break": "Num Type         Disp Enb   Where\n"
        f"1   breakpoint   keep yes   at {path}:{cost}\n\tstop only if amount == 2\n"
        f"2   breakpoint   del  yes   at {path}:{lookup}\n"
        f"3   breakpoint   keep yes   at {path}:{zero}\n\tignore next 1 hits\n"
        f"4   breakpoint   keep no    at {path}:{zero}\n",
        "condition 1": "Breakpoint 1 is now unconditional.\n",
        "enable 4": f"Enabled breakpoint 4 at {path}:{zero}\n",
        f"cl {path}:{zero}": f"Deleted breakpoint 3 at {path}:{zero}\nDeleted breakpoint 4 at {path}:{zero}\n",
        "cl 3": "*** Breakpoint 3 already deleted\n",
        f"clear {path}:1": f"*** There are no breakpoints at {path}:1\n",
        "c": at(program, "cost", "price()"),
        "continue": f"Deleted breakpoint 2 at {path}:{lookup}\n{at(program, 'lookup', 'rate()')}",
        "cl": "Clear all breaks? ",
    }
    with DebugSession(program, options=["--stop-at-entry"]) as session:
        session.stop()
        for line, expected in said.items():
            if line == "cl":
                session.send(line)
                assert session.expect(re.escape(expected)) == expected
                assert session.command("y") == f"Deleted breakpoint 1 at {path}:{cost}\n"
            else:
                assert session.command(line) == expected, line
        session.command("c")
        ended = session.finish()
    assert ended.output.endswith("total 5\n")


def test_commands_of_a_breakpoint(small_program: SmallPrograms) -> None:
    program = small_program(SHOP)
    lines = [f"b {program.line('add')}", f"b {program.line('back')}", "commands 1", "silent", "p 'row', row", "c", "commands",
             "p 'cost', cost", "end"]  # fmt: skip
    with DebugSession(program, options=["--stop-at-entry"]) as session:
        session.stop()
        for line in lines[:2]:
            session.command(line)
        for line in lines[2:5]:
            session.send(line)
            session.expect(re.escape("(com) "))
        session.command("c")  # what goes on ends them
        for line in lines[6:8]:
            session.send(line)
            session.expect(re.escape("(com) "))
        session.command("end")
        first, second = session.command("c"), session.command("c")
        session.send("commands 2")
        session.expect(re.escape("(com) "))
        session.command("end")  # takes them away
        ended_at = session.command("c")
        ended = session.finish()
    assert first == f"('row', ('a', 1))\n('cost', 1)\n{at(program, 'back', 'price()')}"
    assert second == f"('row', ('b', 2))\n('cost', 4)\n{at(program, 'back', 'price()')}"
    assert "total 5" in ended_at
    assert ended.status == 0


def test_a_stop_whose_commands_go_on_is_shown_unless_they_are_silent(small_program: SmallPrograms) -> None:
    program = small_program(SHOP)
    options = ["--stop-at-entry", *(word for line in ("tbreak rate", "commands", "p name", "c") for word in ("-c", line))]
    with DebugSession(program, options=options) as session:
        session.stop()
        session.command("c")
        ended = session.finish()
    assert f"'a'\n{at(program, 'lookup', 'rate()')}total 5\n" in ended.output


def test_list_marks_the_lines_with_breakpoints(small_program: SmallPrograms) -> None:
    program = small_program(SHOP)
    shown, _ = talk(program, [f"b {program.line('cost')}", "l 4,6", f"disable {1}", "l 4,6"])
    assert re.search(r"^ +5 B\s+cost = ", shown[1], re.MULTILINE)
    assert not re.search(r"^ +5 B", shown[3], re.MULTILINE)


LOOP = """\
class Block:
    def __enter__(self):
        print("enter")
    def __exit__(self, *error):
        print("exit", error[0])

def work():
    total = 0  # @zero
    with Block():  # @with
        total += 1  # @one
        print("two")  # @two
    print("three")  # @three
    return total  # @end

print("result", work())
"""


def test_jump_stands_at_the_line_and_keeps_the_prompt(small_program: SmallPrograms) -> None:
    program = small_program(LOOP)
    zero, one, three = (program.line(label) for label in ("zero", "one", "three"))
    shown, output = talk(
        program,
        [f"b {program.line('two')}", "c", f"j {one}", "n", f"jump {three}", "n", f"j {one}", f"j {zero}", "p total", "j x", "j 100",
         "cl 1", "c"],
    )  # fmt: skip
    assert shown[2] == at(program, "one", "work()")
    assert shown[3] == at(program, "two", "work()")
    assert shown[4].startswith(f"resume work at line {three} (was {program.line('two')}), closing the with of line ")
    assert shown[4].endswith(f"exit None\n{at(program, 'three', 'work()')}")
    assert shown[5] == f"three\n{at(program, 'end', 'work()')}"
    assert shown[6].startswith("refused: blocks-differ: ")
    assert shown[7:9] == [at(program, "zero", "work()"), "2\n"]
    assert shown[9] == "*** The 'jump' command requires a line number\n"
    assert shown[10].startswith("refused: no-such-line: ")
    assert output.endswith("enter\ntwo\nexit None\nthree\nresult 1\n")


def test_breakpoints_move_with_an_edit_and_the_user_is_told(
    small_program: SmallPrograms, scripted_editor: Callable[..., object]
) -> None:
    program = small_program(SHOP + "\n")
    cost, unpack = program.line("cost"), program.line("unpack")
    with DebugSession(program, options=["--stop-at-entry"]) as session:
        session.stop()
        session.command(f"b {unpack}")
        session.command(f"b {cost}")
        session.command("c")
        program.edit({"    name, amount = row  # @unpack\n": "    log = row\n    name, amount = row  # @unpack\n"})
        moved = session.command("n")
        assert f"Breakpoint 1 is at {program.path}:{unpack + 1} now\n" in moved
        assert moved.endswith(f"> {program.path}({cost})price()\n-> cost = amount * rate(name)  # @cost\n")
        program.edit({"    cost = amount * rate(name)  # @cost\n    return cost": "    return 7"})
        told = session.command("c")
        assert f"Disabled breakpoint 2 at {program.path}:{cost + 1}: its statement is gone from program.py\n" in told
        assert session.command("enable 2").startswith("refused: statement-gone: ")
        assert f"{program.path}({unpack + 1})price()" in told  # in the next call, which runs the new text
        session.command("c")
        ended = session.finish()
    assert "total 8" in ended.output


def test_enter_repeats_a_step_but_lets_no_exception_go(small_program: SmallPrograms) -> None:
    program = small_program("def f(x):\n    y = x\n    z = 1 / y\n    return z\n\nprint('result', f(0))\n")
    shown, _ = talk(program, ["b f", "c", "n", "", "", "p y"])
    assert shown[2].endswith("-> z = 1 / y\n")
    assert shown[3].startswith("ZeroDivisionError: ")
    assert shown[4:] == ["", "0\n"]


def test_a_step_from_an_exception_that_nobody_handles_is_refused(small_program: SmallPrograms) -> None:
    program = small_program("def f(x):\n    return 1 / x\n\nprint('result', f(0))\n")
    shown, output = talk(program, ["n", "s", "r", "unt", "fr 3"], options=())
    assert all(each.startswith("refused: nothing-to-step-to: ") for each in shown[:4])
    assert output.endswith("result 3\n")


def test_until_looks_at_its_line_first(small_program: SmallPrograms) -> None:
    program = small_program(SHOP)
    end = program.line("total")
    shown, _ = talk(program, ["tbreak Shop.total", "c", "until 1", "unt x", f"until {end}"])
    assert shown[2] == '*** "until" line number is smaller than current line number\n'
    assert shown[3] == "*** Error in argument: 'x'\n"
    assert shown[4] == at(program, "total", "total()")


def test_breakpoints_from_the_command_line(small_program: SmallPrograms) -> None:
    program = small_program(SHOP)
    shown, _ = talk(program, ["p amount", "cl 1"], options=["--stop-at-entry", "-c", f"b {program.line('cost')}", "-c", "c"])
    assert shown == ["1\n", f"Deleted breakpoint 1 at {program.path}:{program.line('cost')}\n"]


@pytest.mark.skipif(not interpreter.RETURN_IS_INSIDE, reason="3.11 refuses it there")
def test_a_function_that_returns_can_be_restarted(small_program: SmallPrograms) -> None:
    program = small_program(SHOP)
    shown, output = talk(program, ["tbreak rate", "c", "r", "fr 10"])
    assert shown[2] == f"--Return--\n{at(program, 'lookup', 'rate()->1')}"
    assert output.endswith("total 14\n")
