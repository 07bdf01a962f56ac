"""What has died: `fixcont.pm()` in the interactive interpreter, the hook for unhandled exceptions, and pdb's post-mortem."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import fixcont
from support.editor import ScriptedEditor
from support.programs import Program, write_program
from support.session import DebugSession, run_fixcont, run_python

SmallPrograms = Callable[[str], Program]

JOB = """\
def divide(total, count):
    return total / count

def report(rows):
    found = []
    for row in rows:
        found.append(divide(12, row))
    return found

def main():
    result = report([3, 0, 4])
    print("report", result)

main()
"""
FIXED = {"total / count": "total / count if count else -1"}


def interactive(program: Program, *lines: str, editor: ScriptedEditor | None = None) -> str:
    """Run a program, and then lines as one types them into `python -i`. Returns what it wrote."""
    environment = {"PYTHON_BASIC_REPL": "1", **(editor.environment if editor is not None else {})}
    with DebugSession(program, launcher=("-i", "-q"), kind="terminal", environment=environment) as session:
        for line in [*lines, "exit()"]:
            session.expect(r">>> |\.\.\. |\(fixcont\) ")
            session.send(line)
        return session.finish().output


def test_in_the_interactive_interpreter_the_program_is_repaired_and_goes_on(small_program: SmallPrograms, tmp_path: Path) -> None:
    editor = ScriptedEditor(tmp_path / "editor", [FIXED])
    has_it = sys.version_info >= (3, 12)  # before, pdb has no values behind the dollar
    lines = ["import fixcont", "fixcont.pm()", "where", "fix", "replay", "up", "p $_ - 6" if has_it else "p -7", "q"]
    output = interactive(small_program(JOB), *lines, "_", editor=editor)

    assert "ZeroDivisionError: division by zero" in output
    assert "[post-mortem]" in output
    assert "installed: divide (version 2)" in output
    assert "replay divide (version 2)\ndivide returned -1" in output
    assert "-7\n" in output.partition("returned -1")[2]


def test_after_it_the_interpreter_is_as_it_was(small_program: SmallPrograms, tmp_path: Path) -> None:
    """A failure later on is a traceback and no stop, and "quit" at a stop of a replay leaves the post-mortem only."""
    editor = ScriptedEditor(tmp_path / "editor", [{"total / count": "total // count"}])
    lines = [
        "import fixcont, signal",
        "fixcont.pm()",
        "replay",
        "w",
        "q",
        "divide(1, 0)",
        "fixcont.pm()",
        "fix",
        "q",
        "divide(7, 2)",
    ]
    output = interactive(
        small_program(JOB), *lines, "divide(1, 0)", "signal.getsignal(2)", "fixcont.pm()", "q", "'alive'", editor=editor
    )

    assert "divide()  [restartable]" in output
    assert output.count("Traceback (most recent call last)") == 3
    assert ">>> 3\n" in output
    assert "default_int_handler" in output
    assert "'alive'\n>>> " in output


def test_arguments_that_make_no_sense_are_named() -> None:
    with pytest.raises(TypeError, match="not str"):
        fixcont.post_mortem("x")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="exception must be an exception, not type"):
        fixcont.save(ValueError, "x.stop")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="redact must be a sequence"):
        fixcont.save(ValueError(), "x.stop", redact="word")


def test_outward_to_the_end_of_the_module(small_program: SmallPrograms, tmp_path: Path) -> None:
    editor = ScriptedEditor(tmp_path / "editor", [FIXED])
    output = interactive(small_program(JOB), "import fixcont", "fixcont.pm()", "fix", "replay --outward", "q", editor=editor)

    assert "report [4.0, -1, 3.0]\n" in output
    assert "report went on to its end\nmain went on to its end\n<module> went on to its end\n" in output


def test_the_value_of_the_last_replay_is_the_value_of_pm(small_program: SmallPrograms) -> None:
    output = interactive(small_program(JOB), "import fixcont", "v = fixcont.pm()", "replay count=5", "q", "print('got', v)")

    assert "got 2.4\n" in output


def test_what_has_died_is_saved_and_opened_elsewhere(small_program: SmallPrograms, tmp_path: Path) -> None:
    file = tmp_path / "dead.stop"
    interactive(small_program(JOB), "import fixcont", "fixcont.pm()", f"save {file}", "q")
    output = run_fixcont(["--open", file], stdin="where\np total\nretry\nreplay count=5\nq\n").output

    assert "ZeroDivisionError: division by zero" in output
    assert "divide()  [post-mortem]" in output
    assert "(fixcont) 12\n" in output
    assert 'refused: post-mortem: "retry" needs a program, and this stop was read from a file' in output
    assert "replay divide (version 1)\ndivide returned 2.4\n" in output


EDIT = "t = open({path!r}).read(); w = open({path!r}, 'w').write(t.replace('total / count', '99'))"


def test_a_file_that_was_edited_before_fixcont_came_is_replayed_as_it_is(small_program: SmallPrograms) -> None:
    program = small_program(JOB)
    output = interactive(program, EDIT.format(path=str(program.path)), "import fixcont", "fixcont.pm()", "replay", "q")

    assert "divide returned 99" in output


@pytest.mark.skipif(sys.version_info < (3, 13), reason="the interpreter keeps no text of what it has shown in a traceback")
def test_the_text_that_the_traceback_has_shown_is_what_was_loaded(small_program: SmallPrograms) -> None:
    program = small_program(JOB)
    output = interactive(program, EDIT.format(path=str(program.path)), "import fixcont", "fixcont.pm()", "replay --retry", "q")

    assert "installed: divide (version 2)" in output
    assert "divide returned 99" in output


TYPED = """\
ROWS = [3, 0, 4]
def half(row):
    {}
    return 12 / row

def job():
    out = []
    for row in ROWS:
        out.append(half(row))
    return out

job()
"""


@pytest.mark.skipif(sys.version_info < (3, 14), reason="the interpreter keeps no text of what it reads from a pipe")
@pytest.mark.parametrize("first", ["pass", "ROWS.append(1)"])
def test_what_was_typed_is_shown_and_replayed(small_program: SmallPrograms, first: str) -> None:
    lines = [*TYPED.format(first).splitlines(), "import fixcont", "fixcont.pm()", "!row = 2", "replay --retry --outward", "q"]
    output = interactive(small_program("pass\n"), *lines)

    assert "-> return 12 / row\n" in output
    if first == "pass":
        assert "job returned [4.0, 6.0, 3.0]" in output
    else:  # the loop and what it calls were typed one after the other
        assert "half returned 6.0" in output and "whose place is not certain: ROWS may have been changed in it" in output


def test_what_fails_again_is_a_live_stop_and_then_the_dead_one_is_shown(small_program: SmallPrograms) -> None:
    output = interactive(small_program(JOB), "import fixcont", "fixcont.pm()", "up", "replay", "fr 7", "q")

    assert "replay report (version 1)" in output
    assert "return from divide" in output
    assert "report returned [4.0, 7, 3.0]" in output


def test_what_makes_no_sense_is_refused(small_program: SmallPrograms) -> None:
    lines = ["replay --retry --resume 3", "replay 5", "replay x=", "replay --resume", "retry", "rf", "replay z=1"]
    lines += ["replay count=1 --retry", "replay z='a --retry'"]
    output = interactive(small_program(JOB), "import fixcont", "fixcont.pm()", *lines, "q")

    assert output.count("Usage: replay") == 5
    assert output.count("refused: post-mortem: divide has unwound already") == 2
    assert output.count("refused: no-parameter: divide has no parameter z") == 2


HOOKED = "import fixcont\nfixcont.install(excepthook=True)\n" + JOB


HOOKED_TOP = """\
import fixcont
fixcont.install(excepthook=True)
rows = [4, 0]
for row in rows:
    value = 12 / row

print("divided", value)
"""


def test_an_unhandled_exception_is_shown_on_a_terminal_and_goes_on(small_program: SmallPrograms) -> None:
    with DebugSession(small_program(HOOKED_TOP), launcher=(), kind="terminal") as session:
        assert "[post-mortem]" not in session.stop()
        assert "[post-mortem]" in session.command("where")
        assert "divided 3.0" in session.command("replay --resume 7")
        session.command("q")
        ended = session.finish()

    assert ended.status == 1
    assert ended.output.rstrip().endswith("ZeroDivisionError: division by zero")


def test_an_exception_that_was_let_go_at_a_live_stop_is_not_shown_again(small_program: SmallPrograms) -> None:
    with DebugSession(small_program(HOOKED), launcher=(), kind="terminal") as session:
        session.stop()
        session.send("c")
        ended = session.finish()

    assert ended.status == 1
    assert ended.output.count("(fixcont)") == 1


def test_without_a_terminal_the_hook_shows_nothing(small_program: SmallPrograms) -> None:
    ended = run_python([small_program(HOOKED_TOP).path])

    assert ended.status == 1
    assert "(fixcont)" not in ended.output
    assert ended.errors.startswith("Traceback (most recent call last):")


def test_uninstall_puts_the_hook_back(small_program: SmallPrograms) -> None:
    text = "import sys, fixcont\nfixcont.install(excepthook=True)\nprint(sys.excepthook is sys.__excepthook__)\nfixcont.uninstall()\n"
    ended = run_python([small_program(text + "print(sys.excepthook is sys.__excepthook__)\n").path])

    assert (ended.output, ended.errors) == ("False\nTrue\n", "")


DROP_IN = """\
import sys
import fixcont.pdb as pdb
import job
try:
    job.main()
except ZeroDivisionError as error:
    pdb.post_mortem(error.__traceback__)
"""


def test_the_drop_in_replays(small_program: SmallPrograms, tmp_path: Path) -> None:
    program = small_program(DROP_IN)
    write_program(program.folder, JOB.replace("\nmain()\n", "\n"), "job.py")
    editor = ScriptedEditor(tmp_path / "editor", [FIXED])
    lines = ["replay", "fr 0.5", "rf", "fix", "replay --outward", "q"]
    ended = run_python([program.path], folder=program.folder, stdin="\n".join([*lines, ""]), environment=editor.environment)

    assert "(fixcont) return from divide" in ended.output  # the new failure is a live stop
    assert "divide returned 0.5" in ended.output
    assert "refused: post-mortem: divide has unwound already" in ended.output
    assert "report [4.0, -1, 3.0]\nreport went on to its end\nmain went on to its end\nmain returned None\n" in ended.output
    assert "still-running" in ended.output
    assert ended.status == 0, ended.errors


def test_pytest_pdb_replays(small_program: SmallPrograms) -> None:
    text = "def divide(a, b):\n    return a / b\n\ndef test_it():\n    assert divide(1, 0) == 3\n"
    program = small_program(text)
    path = program.path.rename(program.folder / "test_job.py")
    arguments = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "--pdb", "--pdbcls=fixcont.pdb:Pdb", str(path)]
    ended = run_python(arguments, folder=program.folder, stdin="replay b=4\nq\n")

    assert "replay divide (version 1)\ndivide returned 0.25\n" in ended.output


IPYTHON = importlib.util.find_spec("IPython") is not None


@pytest.mark.skipif(not IPYTHON, reason="IPython is not installed")
def test_in_ipython_the_last_failed_cell_is_repaired(small_program: SmallPrograms, tmp_path: Path) -> None:
    program = small_program("pass\n")
    write_program(program.folder, JOB.replace("\nmain()\n", "\n"), "job.py")
    editor = ScriptedEditor(tmp_path / "editor", [FIXED])
    cells = "%load_ext fixcont\nimport job\njob.main()\n%fix\n%pm\nreplay --outward\nq\njob.main()\n"
    ended = run_python(
        ["-m", "IPython", "--simple-prompt", "--no-banner", "--colors=NoColor", "--quick"],
        folder=program.folder, stdin=cells, environment={**editor.environment, "IPYTHONDIR": str(tmp_path / "ipython")},
    )  # fmt: skip

    assert "installed: divide (version 2)" in ended.output
    assert "report [4.0, -1, 3.0]\n" in ended.output
    assert ended.output.count("report [4.0, -1, 3.0]\n") == 2


@pytest.mark.skipif(not IPYTHON, reason="IPython is not installed")
def test_in_ipython_a_function_of_a_cell_is_replayed(tmp_path: Path) -> None:
    lines = [
        "%load_ext fixcont",
        "def f(x): return 12 / x",
        "",
        "f(0)",
        "%pm",
        "replay x=4",
        "replay --retry",
        "!x=6",
        "replay --retry",
        "q",
        "'got', _",
    ]
    ended = run_python(
        ["-m", "IPython", "--simple-prompt", "--no-banner", "--colors=NoColor", "--quick"],
        folder=tmp_path, stdin="\n".join([*lines, ""]), environment={"IPYTHONDIR": str(tmp_path / "ipython")},
    )  # fmt: skip

    assert "f returned 3.0" in ended.output


CHAINED = """\
def amount(text):
    return int(text)

def entry(line):
    try:
        name, text = line.split()
        return name, amount(text)
    except ValueError as error:
        raise LookupError(f"no amount in {line!r}") from error

def ledger(lines):
    return dict(map(entry, lines))

def main():
    print("ledger", ledger(["rent 900", "food 1_00x"]))

main()
"""


def test_the_exception_that_led_to_the_one_that_was_raised_is_repaired(small_program: SmallPrograms, tmp_path: Path) -> None:
    editor = ScriptedEditor(tmp_path / "editor", [{"int(text)": "int(text.strip('x'))"}])
    lines = [
        "exceptions",
        "replay --retry",
        "c",
        "exceptions 7",
        "exceptions 0",
        "where",
        "fix",
        "replay --outward",
        "exceptions",
        "exceptions 1",
    ]
    output = interactive(small_program(CHAINED), "import fixcont", "fixcont.pm()", *lines, "replay", "q", editor=editor)

    assert (
        "    0 ValueError(\"invalid literal for int() with base 10: '1_00x'\")\n>   1 LookupError(\"no amount in 'food 1_00x'\")\n"
        in output
    )
    assert "*** No exception with that number" in output
    assert "program.py(2)amount()\n-> return int(text)" in output
    assert "replay amount (version 2)\nentry went on to its end\nentry returned ('food', 100)\n" in output
    assert "its caller does not go on: not-called-directly: " in output
    assert ">   0 ValueError" in output
    assert "replay entry (version 1)\nentry returned ('food', 100)\n" in output


def test_the_callers_of_an_earlier_exception_are_those_of_the_later_one(small_program: SmallPrograms, tmp_path: Path) -> None:
    text = CHAINED.replace("dict(map(entry, lines))", "dict([entry(lines[-1])])")
    output = interactive(
        small_program(text), "import fixcont", "fixcont.pm()", "exceptions 0", "where", "replay --outward text='5'", "q"
    )

    assert "ledger {'food': 5}\n" in output
    assert "entry went on to its end\nledger went on to its end\nmain went on to its end\n<module> went on to its end\n" in output
