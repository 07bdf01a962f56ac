"""What is said at the end of a program that was repaired, and the commands for patches, versions and undo, in real processes."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable

import pytest

from support.programs import Program, write_program
from support.session import DebugSession, run_fixcont, run_python

SmallPrograms = Callable[[str], Program]

DIVIDES = "def f(x):\n    return 1 / x\n\nprint('result', f(0))\n"
REPAIR = {"1 / x": "7"}
DIFF = """\
--- a/program.py
+++ b/program.py
@@ -1,4 +1,4 @@
 def f(x):
-    return 1 / x
+    return 7
{blank}
 print('result', f(0))
""".format(blank=" ")
REPAIRED = "repaired 1 function in program.py (1 patch)\n"


def clean(text: str) -> str:
    """Put TIME in the place of times."""
    return re.sub(r"\d\d:\d\d:\d\d", "TIME", text)


# The end of the program


@pytest.mark.parametrize(
    ("more", "command", "status", "errors"),
    [
        ("", "", 0, ""),
        ("import sys; sys.exit(3)\n", "", 3, ""),
        ("1 / 0\n", "c", 1, "ZeroDivisionError: division by zero\n"),
        (
            "import os, signal, time; os.kill(os.getpid(), signal.SIGINT); time.sleep(60)\n",
            "throw KeyboardInterrupt",
            -2,
            "Interrupt\n",
        ),
    ],
    ids=["normally", "SystemExit", "exception", "Ctrl-C"],
)
def test_it_is_told_however_the_program_ends(
    small_program: SmallPrograms, more: str, command: str, status: int, errors: str
) -> None:
    program = small_program(DIVIDES + more)
    with DebugSession(program) as session:
        session.stop()
        program.edit(REPAIR)
        session.command("rf")
        if command:
            session.command(command)
        ended = session.finish()

    assert ended.status == status and ended.errors.endswith(errors)
    assert ended.repairs.startswith(REPAIRED + "--- a/program.py\n+++ b/program.py\n")
    assert "-    return 1 / x\n+    return 7\n" in ended.repairs


def test_it_is_told_after_quit_and_after_exit_handlers(small_program: SmallPrograms) -> None:
    program = small_program("import atexit, sys\natexit.register(print, 'over', file=sys.stderr)\n" + DIVIDES + "1 / 0\n")
    with DebugSession(program) as session:
        session.stop()
        program.edit(REPAIR)
        session.command("rf")
        session.command("q")
        ended = session.finish()

    assert ended.errors.endswith("over\n") and ended.repairs.startswith(REPAIRED)


def test_nothing_is_told_where_nothing_was_installed(small_program: SmallPrograms) -> None:
    ended = run_fixcont([small_program("print('fine')\n").path])
    assert (ended.output, ended.errors, ended.repairs, ended.status) == ("fine\n", "", "", 0)


def test_nothing_is_told_where_everything_was_undone(small_program: SmallPrograms) -> None:
    program = small_program(DIVIDES)
    with DebugSession(program) as session:
        session.stop()
        program.edit({"1 / x": "1 / x + 1"})
        session.command("rf")
        assert "undone: patch 1: f (version 1)\n" in session.command("undo")
        session.command("c")
        ended = session.finish()

    assert ended.repairs == "" and ended.status == 1
    assert "repaired" not in ended.errors + ended.output
    assert ended.errors.endswith("ZeroDivisionError: division by zero\n")
    assert "1 / x + 1" in program.text


def test_a_long_diff_is_not_shown(small_program: SmallPrograms) -> None:
    program = small_program("".join(f"def g{number}():\n    return {number}\n" for number in range(40)) + DIVIDES)
    with DebugSession(program) as session:
        session.stop()
        program.path.write_text(program.text.replace("1 / x", "7").replace("():\n    return", "():\n    return 1 +"))
        session.command("rf")
        ended = session.finish()

    assert re.fullmatch(
        r"repaired 41 functions in program.py \(1 patch\)\nthe diff has \d+ lines; --patch-file FILE writes it\n", ended.repairs
    )


def test_the_patch_file_repairs_the_original(small_program: SmallPrograms) -> None:
    program = small_program("import os, other\nos.chdir('/')\n" + DIVIDES + "other.g(0)\n")
    write_program(program.folder / "package", "", "__init__.py")
    other = write_program(program.folder, "def g(x):\n    return 1 / x\n", "other.py")
    texts = {each.path: each.text for each in (program, other)}
    with DebugSession(program, options=["--patch-file", "out.patch"]) as session:
        session.stop()
        program.edit(REPAIR)
        session.command("rf")
        other.edit(REPAIR)
        session.command("rf")
        ended = session.finish()

    assert ended.repairs == "repaired 2 functions in program.py and other.py (2 patches)\nthe diff is in out.patch\n"
    assert (ended.status, ended.errors) == (0, "")
    repaired = {path: path.read_text() for path in texts}
    for path, text in texts.items():
        path.write_text(text)
    subprocess.run(["patch", "-p1", "-i", "out.patch"], cwd=program.folder, check=True, capture_output=True)
    assert {path: path.read_text() for path in texts} == repaired


def test_a_patch_file_that_cannot_be_written_is_said_and_the_diff_is_shown(small_program: SmallPrograms) -> None:
    program = small_program(DIVIDES)
    with DebugSession(program, options=["--patch-file=no/such/folder"]) as session:
        session.stop()
        program.edit(REPAIR)
        session.command("rf")
        ended = session.finish()

    assert ended.errors == "fixcont: cannot write no/such/folder: No such file or directory\n"
    assert ended.repairs == REPAIRED + DIFF


@pytest.mark.parametrize("arguments", ["", "patch_file='out.patch'"])
def test_install_in_a_process_that_was_started_otherwise(small_program: SmallPrograms, arguments: str) -> None:
    program = small_program(f"import fixcont\ndef f(x):\n    return 1 / x\nfixcont.install({arguments})\nprint('result', f(0))\n")
    with DebugSession(program, launcher=()) as session:
        session.stop()
        program.edit(REPAIR)
        session.command("rf")
        ended = session.finish()

    diff = (program.folder / "out.patch").read_text() if arguments else ended.repairs
    assert "-    return 1 / x\n+    return 7\n" in diff
    assert ended.repairs.startswith(REPAIRED) and ("the diff is in out.patch\n" in ended.repairs) == bool(arguments)
    assert (ended.status, ended.errors) == (0, "")


def test_a_forked_child_says_nothing_of_what_its_parent_has_repaired(small_program: SmallPrograms) -> None:
    program = small_program(
        DIVIDES + "import os, sys\nsys.stdout.flush()\nif child := os.fork():\n    os.waitpid(child, 0)\n    print('parent')\n"
    )
    with DebugSession(program) as session:
        session.stop()
        program.edit(REPAIR)
        session.command("rf")
        ended = session.finish()

    assert ended.errors == "" and ended.repairs.startswith(REPAIRED) and ended.output.count("parent") == 1


def test_a_process_that_installs_nothing_says_nothing(small_program: SmallPrograms) -> None:
    program = small_program("import fixcont\nfixcont.install(patch_file='out.patch')\nprint('fine')\n")
    ended = run_python([program.path], folder=program.folder)
    assert (ended.output, ended.errors, ended.repairs) == ("fine\n", "", "") and not (program.folder / "out.patch").exists()


# The commands


def test_patches_versions_and_undo_at_the_prompt(small_program: SmallPrograms) -> None:
    program = small_program(DIVIDES)
    with DebugSession(program) as session:
        session.stop()
        assert session.command("patches") == "nothing was installed\n"
        assert session.command("undo") == "refused: nothing-to-undo: no patch is installed\n"
        assert session.command("versions") == (
            f"f in {program.path.name}\nversion 1, as it was loaded, the newest:\ndef f(x):\n    return 1 / x\n"
        )
        program.edit({"1 / x": "2 / x"})
        session.command("rf")
        assert clean(session.command("patches")) == "patch 1, TIME, program.py: f (version 2)\n"
        program.edit({"2 / x": "3 / x"})
        session.command("rf")
        assert clean(session.command("undo")) == (
            "undone: patch 2: f (version 2)\n"
            "program.py still says what was undone: not installed until it is saved again; "
            '"undo files" puts the text before there\n'
        )
        assert "f()  [restartable] [old version]" in session.command("w")
        assert session.command("versions f").startswith("f in program.py\n")
        assert clean(session.command("versions f")).splitlines()[1:] == [
            "version 1, as it was loaded:",
            "def f(x):",
            "    return 1 / x",
            "version 2, patch 1 at TIME, the newest:",
            "--- version 1",
            "+++ version 2",
            "@@ -1,2 +1,2 @@",
            " def f(x):",
            "-    return 1 / x",
            "+    return 2 / x",
            "version 3, patch 2 at TIME, undone at TIME:",
            "--- version 2",
            "+++ version 3",
            "@@ -1,2 +1,2 @@",
            " def f(x):",
            "-    return 2 / x",
            "+    return 3 / x",
        ]
        assert "restart f (version 2)" in session.command("rf")
        assert session.command("undo files") == "written: program.py\n"
        assert "2 / x" in program.text
        assert session.command("undo files") == "*** no file says what was undone\n"
        assert clean(session.command("patches")).endswith("patch 2, TIME, program.py: f (version 3) (undone at TIME)\n")
        assert session.command("undo -f") == "undone: patch 1: f (version 1)\nwritten: program.py\n"
        assert program.text == DIVIDES
        program.edit(REPAIR)
        assert "installed: f (version 4)" in session.command("rf")
        ended = session.finish()

    assert ended.output.endswith("result 7\n")
    assert ended.repairs == REPAIRED + DIFF


def test_names_that_may_be_several_are_listed(small_program: SmallPrograms) -> None:
    program = small_program("class A:\n    def g(self): pass\nclass B:\n    def g(self): pass\n" + DIVIDES)
    with DebugSession(program) as session:
        session.stop()
        assert session.command("versions g") == "g may be:\n    A.g in program.py\n    B.g in program.py\n"
        assert session.command("versions B.g").startswith("B.g in program.py\n")
        assert session.command("versions nothing") == (
            "*** no function, method or class of the program's files has the name nothing\n"
        )
        session.command("up")
        assert session.command("versions").startswith("<module> in program.py\n")
        session.command("q")
        session.finish()


@pytest.mark.parametrize(("answer", "written"), [("y", True), ("n", False), ("", False)])
def test_at_a_terminal_undo_asks_for_the_files(small_program: SmallPrograms, answer: str, written: bool) -> None:
    program = small_program(DIVIDES)
    with DebugSession(program, kind="terminal") as session:
        session.stop()
        program.edit({"1 / x": "2 / x"})
        session.command("rf")
        session.send("undo")
        session.expect(r"put the text before back into program\.py too\? \[y/N\] ")
        said = session.command(answer)
        assert ("written: program.py" in said) == written
        assert ("still says what was undone" in said) == (not written)
        assert (program.text == DIVIDES) == written
        session.command("q")
        session.finish()


def test_a_file_that_was_saved_since_is_left_alone(small_program: SmallPrograms) -> None:
    program = small_program(DIVIDES)
    with DebugSession(program) as session:
        session.stop()
        program.edit({"1 / x": "2 / x"})
        session.command("rf")
        program.edit({"2 / x": "7"})
        assert "refused: file-changed: " in session.command("undo -f")
        assert "return 7" in program.text
        assert "installed" not in session.command("rf")
        program.path.write_text(program.text + "# saved\n")
        assert "installed: f (version 3)" in session.command("rf")
        ended = session.finish()

    assert ended.output.endswith("result 7\n")
