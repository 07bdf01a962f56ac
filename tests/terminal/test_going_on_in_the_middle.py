"""`retry`, `resume`, `usevalue` and `skip`, each typed at a real program's prompt."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from fixcont.bytecode import interpreter
from support.programs import Program
from support.session import DebugSession

pytestmark = pytest.mark.skipif(interpreter.LOOP_KEEPS_INDEX, reason="how far a loop over a list has come cannot be read")

SmallPrograms = Callable[[str], Program]

JOB = """\
class Opened:
    def __enter__(self):
        print("opened")
        return self

    def __exit__(self, kind, error, traceback):
        print("closed", kind and kind.__name__)

def amount(row):
    print("looks at", row)
    return row["amount"]

def job(batches):
    total = 0  # @start
    with Opened() as opened:  # @with
        for batch in batches:
            for row in batch:
                before = total  # @before
                total += amount(row) / row["count"]  # @fails
                print("so far", total)  # @next
    for more in range(2):
        print("more", more)  # @other
    print("after", opened is not None)  # @after
    return total

def main():
    result = job([[{"amount": 1, "count": 1}, {"amount": 2, "count": 1}],
                  [{"amount": 3, "count": 0}, {"amount": 4, "count": 1}]])
    print("result", result)

main()
"""
REPAIRED = {'row["count"]  # @fails': '(row["count"] or 1)  # @fails'}

BEHIND_THE_LOOP = ["closed None", "more 0", "more 1", "after True"]


def test_retry_goes_on_in_loops_and_with_blocks(small_program: SmallPrograms) -> None:
    program = small_program(JOB)
    with DebugSession(program) as session:
        assert f"({program.line('fails')})job()" in session.stop()
        was = program.line("fails")
        program.edit({**REPAIRED, "    total = 0  # @start\n": "    total = 0  # @start\n    # a new line\n\n"})
        session.command("retry")
        ended = session.finish()

    lines = ended.output.splitlines()
    told = f"resume job at line {was + 2} (was {was}), inside 2 loops and 1 with block"
    assert lines.index("(fixcont) installed: job (version 2); 1 frame still runs old code") + 1 == lines.index(told)
    behind = lines[lines.index(told) + 1 :]
    assert behind[0].startswith("this calls amount(") and behind[0].endswith(" again")
    row = "looks at {'amount': 3, 'count': 0}"
    assert behind[1:4] == [row, "so far 6.0", "looks at {'amount': 4, 'count': 1}"]
    assert behind[4:] == ["so far 10.0", *BEHIND_THE_LOOP, "result 10.0"]
    assert lines.count("opened") == lines.count("closed None") == 1
    assert (ended.status, ended.errors) == (0, "")


def test_retry_without_an_edit_fails_again_and_again(small_program: SmallPrograms) -> None:
    program = small_program(JOB)
    with DebugSession(program) as session:
        session.stop()
        where = session.command("w")
        for _ in range(5):
            answer = session.command("retry")
            assert f"resume job at line {program.line('fails')}, inside 2 loops and 1 with block\n" in answer
            assert "ZeroDivisionError" in answer
            assert session.command("w") == where
        session.command("row['count'] = 3")
        session.command("retry")
        ended = session.finish()

    lines = ended.output.splitlines()
    assert lines[-1] == "result 8.0"
    assert lines.count("opened") == lines.count("closed None") == 1


def test_resume_at_an_earlier_line_of_the_file_as_it_is_now(small_program: SmallPrograms) -> None:
    program = small_program(JOB)
    with DebugSession(program) as session:
        session.stop()
        was = program.line("fails")
        program.edit({"before = total  # @before": "row['count'] = row['count'] or 2\n                before = total  # @before"})
        line = program.line("before") - 1
        session.command(f"resume {line}")
        ended = session.finish()

    assert f"resume job at line {line} (was {was}), inside 2 loops and 1 with block\n" in ended.output
    assert ended.output.endswith(
        "so far 4.5\nlooks at {'amount': 4, 'count': 1}\nso far 8.5\n" + "\n".join([*BEHIND_THE_LOOP, "result 8.5\n"])
    )
    assert (ended.status, ended.errors) == (0, "")


def test_resume_outside_of_a_with_closes_it_first(small_program: SmallPrograms) -> None:
    program = small_program(JOB)
    with DebugSession(program) as session:
        session.stop()
        session.command(f"resume {program.line('after')}")
        ended = session.finish()

    told = f"resume job at line {program.line('after')} (was {program.line('fails')}), closing the with of line {program.line('with')}\n"
    assert ended.output.endswith(told + "closed None\nafter True\nresult 3.0\n")
    assert (ended.status, ended.errors) == (0, "")


@pytest.mark.parametrize(("label", "code"), [("other", "blocks-differ"), (None, "no-such-line")])
def test_resume_where_it_cannot_be_is_refused_and_nothing_is_lost(
    small_program: SmallPrograms, label: str | None, code: str
) -> None:
    program = small_program(JOB)
    with DebugSession(program) as session:
        session.stop()
        answer = session.command(f"resume {program.line(label) if label else 9999}")
        assert answer.startswith(f"refused: {code}: ")
        assert session.command("p total").startswith("3.0\n")
        session.command("skip")
        ended = session.finish()

    assert ended.output.endswith("result 7.0\n")


def test_usevalue_stands_in_for_what_failed_once(small_program: SmallPrograms) -> None:
    program = small_program(JOB)
    with DebugSession(program) as session:
        session.stop()
        assert "NameError" in session.command("uv no_such_name")
        session.command("uv total * 10")
        ended = session.finish()

    assert f"resume job at line {program.line('fails')}, inside 2 loops and 1 with block\n" in ended.output
    assert "\nso far 33.0\n" in ended.output
    assert ended.output.endswith("so far 37.0\n" + "\n".join([*BEHIND_THE_LOOP, "result 37.0\n"]))
    assert (ended.status, ended.errors) == (0, "")


def test_skip_goes_on_behind_the_statement(small_program: SmallPrograms) -> None:
    program = small_program(JOB)
    with DebugSession(program) as session:
        session.stop()
        session.command("skip")
        ended = session.finish()

    told = f"resume job after line {program.line('fails')}, inside 2 loops and 1 with block\n"
    assert told + "so far 3.0\nlooks at {'amount': 4" in ended.output
    assert "again" not in ended.output
    assert ended.output.endswith("result 7.0\n")
    assert (ended.status, ended.errors) == (0, "")


def test_a_caller_goes_on_when_its_callee_was_repaired(small_program: SmallPrograms) -> None:
    program = small_program(JOB.replace('row["amount"]', 'row["amonut"]'))
    with DebugSession(program) as session:
        assert "amount()" in session.stop()
        session.command("up")
        program.edit({**REPAIRED, 'row["amonut"]': 'row["amount"]'})
        session.command("retry")
        ended = session.finish()

    assert f"resume job at line {program.line('fails')}, inside 2 loops and 1 with block\n" in ended.output
    assert ended.output.endswith("result 10.0\n")
    assert ended.output.count("opened\n") == ended.output.count("closed None\n") == 1
    assert (ended.status, ended.errors) == (0, "")


def test_usevalue_in_a_caller_stands_in_for_the_call(small_program: SmallPrograms) -> None:
    program = small_program(
        "def inner():\n    raise LookupError('x')\n\ndef outer():\n    return inner() + 1\n\nprint('result', outer())\n"
    )
    with DebugSession(program) as session:
        session.stop()
        session.command("up")
        session.command("uv 41")
        ended = session.finish()

    assert ended.output.endswith("resume outer at line 5\nresult 42\n")
    assert (ended.status, ended.errors) == (0, "")


def test_a_syntax_error_refuses_and_nothing_is_lost(small_program: SmallPrograms) -> None:
    program = small_program(JOB)
    with DebugSession(program) as session:
        session.stop()
        program.edit({'row["count"]  # @fails': "row[]  # @fails"})
        for command in ("retry", f"resume {program.line('before')}", "uv 1", "skip"):
            answer = session.command(command)
            assert "SyntaxError" in answer
            assert "resume job" not in answer
        program.edit({"row[]  # @fails": '(row["count"] or 1)  # @fails'})
        session.command("retry")
        ended = session.finish()

    assert ended.output.endswith("result 10.0\n")


def test_a_statement_that_is_gone_is_not_guessed(small_program: SmallPrograms) -> None:
    program = small_program(JOB)
    with DebugSession(program) as session:
        session.stop()
        program.edit({'                total += amount(row) / row["count"]  # @fails\n': ""})
        assert "refused: statement-gone: " in session.command("retry")
        session.command(f"resume {program.line('next')}")
        ended = session.finish()

    assert ended.output.endswith("so far 3.0\nso far 3.0\n" + "\n".join([*BEHIND_THE_LOOP, "result 3.0\n"]))


def test_a_scripts_own_loop_goes_on(small_program: SmallPrograms) -> None:
    program = small_program("total = 0\nfor number in [1, 0, 2]:\n    total += 4 / number  # @fails\nprint('total', total)\n")
    with DebugSession(program) as session:
        session.stop()
        program.edit({"4 / number": "4 / (number or 4)"})
        session.command("retry")
        ended = session.finish()

    assert f"resume <module> at line {program.line('fails')}, inside 1 loop\n" in ended.output
    assert ended.output.endswith("total 7.0\n")
    assert (ended.status, ended.errors) == (0, "")


def test_a_generators_consumer_gets_the_rest(small_program: SmallPrograms) -> None:
    program = small_program(
        "def shares(numbers):\n    for number in numbers:\n        yield 4 / number  # @fails\n\nprint('shares', list(shares([1, 0, 2])))\n"
    )
    with DebugSession(program) as session:
        session.stop()
        program.edit({"4 / number": "4 / (number or 4)"})
        session.command("retry")
        ended = session.finish()

    assert ended.output.endswith("shares [4.0, 1.0, 2.0]\n")
    assert (ended.status, ended.errors) == (0, "")


def test_it_works_where_the_program_asked_for_a_stop(small_program: SmallPrograms) -> None:
    program = small_program(
        "def job():\n    for number in range(3):\n        breakpoint()  # @stop\n        print('got', number)  # @prints\n\njob()\n"
    )
    with DebugSession(program, environment={"PYTHONBREAKPOINT": "fixcont.set_trace"}) as session:
        session.stop()
        program.edit({"print('got', number)": "print('now', number * 10)"})
        session.command("skip")
        session.command(f"resume {program.line('prints')}")
        session.command("c")
        ended = session.finish()

    assert re.findall(r"(?:got|now) \d+$", ended.output, re.MULTILINE) == ["now 0", "now 10", "now 20"]
    assert (ended.status, ended.errors) == (0, "")
