"""`testcase`: a repair becomes a test, which fails on what failed and passes on what is repaired."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

import pytest

from support.editor import ScriptedEditor
from support.programs import Program
from support.session import DebugSession
from support.written_tests import run_tests

Programs = Callable[[str], Program]

HEAVIEST = {'"g": 0.0': '"g": 0.001'}


def environment(editor: ScriptedEditor) -> dict[str, str]:
    return {**editor.environment, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # the plug-ins of this suite are half of the time


#: Label of where it fails -> the edit that repairs it, and the assertion that the test makes.
REPAIRS: Final[dict[str, tuple[dict[str, str], str]]] = {
    "heaviest": (HEAVIEST, """assert shelf.heaviest(1, unit="g") == "bolt(1,) 1500.0\""""),
    "fetch": ({"table[key]": "table.get(key)"}, 'assert asyncio.run(fetch("b", table={"a": 1})) is None'),
}


def test_a_repair_becomes_a_test(program: Programs, scripted_editor: Callable[..., ScriptedEditor]) -> None:
    workshop = program("workshop")
    editor = scripted_editor(*(edit for edit, _ in REPAIRS.values()))
    file = workshop.folder / "test_parts.py"
    with DebugSession(workshop, environment=environment(editor)) as session:
        for label, (_, assertion) in REPAIRS.items():
            assert f"# @{label}" in session.stop()
            session.command("fix")
            told = session.command("testcase test_parts.py")
            assert "\nnow: passes\n" in told and "before the repair: fails, " in told, told
            assert assertion in file.read_text()
            session.send("rf")
        session.stop()
        assert "refused: not-repaired: nothing was changed since this call of connected began" in session.command(
            "testcase test_parts.py"
        )
        session.send("q")
        session.finish()

    assert "2 passed" in run_tests(file).stdout
    workshop.other("parts.py").edit({'"g": 0.001': '"g": 0.0'})
    assert "1 failed, 1 passed" in run_tests(file).stdout


def at_stop(workshop: Program, label: str) -> None:
    """Let only the statement of the main module be called that fails at a label."""
    text = workshop.text
    head, _, body = text.partition("    screws")
    lines = [line for line in body.splitlines() if f"parts.{label}(" in line]
    workshop.path.write_text(head + "\n".join(lines) + "\n")
    assert lines, label


def test_what_cannot_be_tested_is_refused_and_nothing_is_written(
    program: Programs, scripted_editor: Callable[..., ScriptedEditor]
) -> None:
    workshop = program("workshop")
    at_stop(workshop, "connected")
    editor = scripted_editor(
        {"return 1 / number  # @connected": "return 1.0  # @connected"},
        {"return 1.0  # @connected": "raise ZeroDivisionError('division by zero')  # @connected"},
    )
    (workshop.folder / "notes.py").write_text("x = 1\n")
    with DebugSession(workshop, environment=environment(editor)) as session:
        session.stop()
        assert "Name the file for the test" in session.command("testcase")
        assert "Invalid argument" in session.command("testcase test_x.py 5")
        session.command("fix")
        assert "argument-not-plain: argument link[0]['link'] is a socket; select a frame" in session.command("testcase test_x.py")
        assert "no-parameter: connected has no parameter x" in session.command("testcase test_x.py x=1")
        assert "not-a-test-file: " in session.command("testcase notes.py link=1")
        assert "file-not-written: " in session.command("testcase nowhere/test_x.py link=1")
        assert "does-not-fail: " in session.command("testcase test_x.py link=1, number=1")
        session.command("fix")
        assert "still-fails: connected still raises ZeroDivisionError: division by zero" in session.command(
            "testcase test_x.py link=1"
        )
        session.send("q")
        session.finish()

    assert sorted(each.name for each in workshop.folder.glob("*.py")) == ["main.py", "notes.py", "parts.py"]
    assert (workshop.folder / "notes.py").read_text() == "x = 1\n"


def test_time_is_limited_and_ctrl_c_ends_it(program: Programs, scripted_editor: Callable[..., ScriptedEditor]) -> None:
    workshop = program("workshop")
    at_stop(workshop, "hurry")
    loop = "open('begun', 'w').close()\n    while True:\n        pass"
    editor = scripted_editor({"return 1 / number  # @hurry": loop})
    with DebugSession(workshop, environment=environment(editor)) as session:
        session.stop()
        session.command("fix")
        assert "timed-out: the program was not through after 0.5 seconds" in session.command("testcase --timeout 0.5 test_x.py")
        begun = workshop.folder / "begun"
        begun.unlink(missing_ok=True)
        session.send("testcase test_x.py")
        while not begun.exists():
            pass
        session.interrupt()
        assert "refused: interrupted: nothing was written" in session.expect(r"\(fixcont\) ")
        session.send("q")
        session.finish()

    assert not (workshop.folder / "test_x.py").exists()


def test_an_argument_that_the_call_has_changed_is_told(program: Programs, scripted_editor: Callable[..., ScriptedEditor]) -> None:
    workshop = program("workshop")
    at_stop(workshop, "taken")
    editor = scripted_editor(
        {"item = queue.pop()\n    return item / len(queue)": "item = sum(queue)\n    return item / (len(queue) or 1)"}
    )
    tests = workshop.folder / "tests"
    tests.mkdir()
    with DebugSession(workshop, environment=environment(editor)) as session:
        session.stop()
        session.command("fix")
        told = session.command("testcase tests/test_parts.py")
        session.send("q")
        session.finish()

    assert "before the repair: fails, IndexError: pop from empty list\n" in told
    assert "that is not how it failed here: the call may have changed its arguments" in told
    text = (tests / "test_parts.py").read_text()
    assert "# The arguments are as they were when it had failed" in text
    assert "sys.path.insert(0, str(Path(__file__).resolve().parents[1]))" in text
    assert "1 passed" in run_tests(tests / "test_parts.py").stdout


SCRIPT = """\
class Rate:
    def __init__(self, value):
        self.value = value

def convert(amount, rate):
    amount = float(amount)
    return amount / rate.value

def main():
    print(convert("12", Rate(0)))

"""
GUARDED = SCRIPT + "if __name__ == '__main__':\n    main()\n"


def test_a_script_is_imported_by_its_name_or_refused(
    small_program: Programs, scripted_editor: Callable[..., ScriptedEditor]
) -> None:
    program = small_program(SCRIPT + "main()\n")
    editor = scripted_editor(
        {"amount / rate.value": "amount / (rate.value or 1)"}, {"\n\nmain()": "\n\nif __name__ == '__main__':\n    main()"}
    )
    with DebugSession(program, environment=environment(editor)) as session:
        session.stop()
        session.command("fix")
        told = session.command("testcase test_it.py")
        assert "would-run: importing program.py would run the program: line 12: main(); put that under" in told
        session.command("fix")
        assert "now: passes" in session.command("testcase test_it.py")
        session.send("q")
        session.finish()

    text = (program.folder / "test_it.py").read_text()
    assert 'assert convert("12", Rate(value=0)) == 12.0' in text and "from program import Rate, convert" in text
    assert "1 passed" in run_tests(program.folder / "test_it.py").stdout


def test_at_what_has_died(small_program: Programs, scripted_editor: Callable[..., ScriptedEditor]) -> None:
    program = small_program(GUARDED)
    editor = scripted_editor({"amount / rate.value": "amount / (rate.value or 1)"})
    lines = [
        "import fixcont",
        "fixcont.pm()",
        "fix",
        "replay",
        "testcase test_it.py amount='9'",
        "q",
        "exit()",
    ]
    with DebugSession(
        program, launcher=("-i", "-q"), kind="terminal", environment={"PYTHON_BASIC_REPL": "1", **environment(editor)}
    ) as session:
        for line in lines:
            session.expect(r">>> |\(fixcont\) ")
            session.send(line)
        output = session.finish().output

    assert output.count("before the repair: fails, ZeroDivisionError: ") == 1
    text = (program.folder / "test_it.py").read_text()
    assert 'assert convert("9", Rate(value=0)) == 9.0' in text


def test_a_test_file_keeps_what_is_in_it(small_program: Programs, scripted_editor: Callable[..., ScriptedEditor]) -> None:
    program = small_program(GUARDED)
    editor = scripted_editor({"amount / rate.value": "amount / (rate.value or 1)"})
    file = program.folder / "test_it.py"
    before = b"# -*- coding: latin-1 -*-\r\ndef test_convert_zero_division_error():\r\n    assert '\xe9'\r\n"
    file.write_bytes(before)
    file.chmod(0o640)
    with DebugSession(program, environment=environment(editor)) as session:
        session.stop()
        session.command("fix")
        assert "test_convert_zero_division_error_2\n" in session.command("testcase test_it.py")
        session.send("q")
        session.finish()

    after = file.read_bytes()
    assert after.startswith(before) and after.count(b"\r\n") == after.count(b"\n")
    assert file.stat().st_mode & 0o777 == 0o640
    assert "2 passed" in run_tests(file).stdout


ENDLESS = """\
def ids(start):
    while True:
        yield 10 / start
        start += 1
        if start > 10_000:
            open("too_far", "w").close()
            raise SystemExit

if __name__ == "__main__":
    next(ids(0))
"""


def test_a_generator_without_end_is_not_drawn_from_forever(
    small_program: Programs, scripted_editor: Callable[..., ScriptedEditor]
) -> None:
    program = small_program(ENDLESS)
    editor = scripted_editor({"10 / start": "10 / (start or 1)"}, {"while True": "while start < 3"})
    with DebugSession(program, environment=environment(editor)) as session:
        session.stop()
        session.command("fix")
        told = session.command("testcase test_it.py")
        assert "result-not-plain: what ids gives is more than 2000 items, or has no end; select its caller" in told
        session.command("fix")
        told = session.command("testcase test_it.py start=1")
        assert "now: passes" in told and "before the repair: fails, it gives more than 2000 items, or has no end\n" in told, told
        session.send("q")
        session.finish()

    assert not (program.folder / "too_far").exists()
    text = (program.folder / "test_it.py").read_text()
    assert "    assert list(ids(1)) == [10.0, 5.0]\n" in text and "drawn" not in text
    assert "1 passed" in run_tests(program.folder / "test_it.py").stdout


MIXED = b"def test_a():\r\n    pass\n\ndef test_b():\n    return '\xc3\xa9'\n\n\n\n    # \t\n#"


def test_nothing_of_a_test_file_changes_but_what_is_added(
    small_program: Programs, scripted_editor: Callable[..., ScriptedEditor]
) -> None:
    program = small_program(GUARDED)
    editor = scripted_editor({"amount / rate.value": "amount / (rate.value or 1)"})
    contents = {
        "test_mixed.py": MIXED,
        "test_marked.py": b"\xef\xbb\xbf" + MIXED,
        "test_crlf.py": b"def test_a():\r\n    pass\r\n\r\n",
        "test_blank.py": b"\n\n\n",
        "test_empty.py": b"",
    }
    with DebugSession(program, environment=environment(editor)) as session:
        session.stop()
        session.command("fix")
        for name, content in contents.items():
            (program.folder / name).write_bytes(content)
            assert "now: passes" in session.command(f"testcase {name}")
        session.send("q")
        session.finish()

    for name, content in contents.items():
        file = program.folder / name
        after = file.read_bytes()
        added = after.removeprefix(content)
        assert after.startswith(content), after
        assert (b"\r\n" in added) == (name == "test_crlf.py"), added
        blank = 0 if name in ("test_blank.py", "test_empty.py") else 1 if name == "test_crlf.py" else 3
        assert added.decode().replace("\r\n", "\n").startswith("\n" * blank + "def test_convert_zero_division_error():\n"), added
        assert re.search(r"^[123] passed", run_tests(file).stdout, re.MULTILINE)


INHERITED = """\
class Base:
    def __init__(self, rate):
        rate = float(rate)
        self.rate = 1 / rate  # @base

class Middle(Base):
    def __init__(self, rate):
        super().__init__(rate)

class Inherits(Base):
    pass

class InheritsMiddle(Middle):
    pass

class Late(Middle):
    def __init__(self):
        self.rate = None

    def set(self, rate):
        Middle.__init__(self, rate)

def late():
    Late().set("0")

if __name__ == "__main__":
    import sys
    {"inherits": lambda: Inherits("0"), "middle": lambda: InheritsMiddle("0"), "late": late}[sys.argv[1]]()
"""


@pytest.mark.parametrize(
    ("which", "commands"),
    [
        ("inherits", ["testcase test_it.py"]),
        ("middle", ["testcase test_it.py", "up", "testcase test_it.py"]),
        ("late", ["testcase test_it.py", "up", "testcase test_it.py", "up", "testcase test_it.py"]),
    ],
)
def test_an_inherited_constructor_is_called_by_the_class_of_the_object(
    which: str, commands: list[str], small_program: Programs, scripted_editor: Callable[..., ScriptedEditor]
) -> None:
    program = small_program(INHERITED)
    editor = scripted_editor({"1 / rate ": "1 / (rate or 4) "})
    with DebugSession(program, [which], environment=environment(editor)) as session:
        session.stop()
        session.command("fix")
        told = [session.command(each) for each in commands][::2]
        session.send("q")
        session.finish()

    *refused, passed = told
    instead = {
        "inherits": [],
        "middle": [
            "is making an InheritsMiddle, which only its own constructor can be asked for; select the frame of Middle.__init__"
        ],
        "late": ["select the frame of its caller, Middle.__init__", "select the frame of its caller, Late.set"],
    }
    assert len(refused) == len(instead[which])
    for each, wanted in zip(refused, instead[which], strict=True):
        assert "refused: not-importable: " in each and wanted in each, each
    assert "now: passes" in passed, passed
    text = (program.folder / "test_it.py").read_text()
    if which != "late":
        kind = {"inherits": "Inherits", "middle": "InheritsMiddle"}[which]
        assert f'result = {kind}("0")' in text or f"result = {kind}(0.0)" in text
        assert f"assert type(result) is {kind}" in text and "assert result.rate == 0.25" in text
    assert "1 passed" in run_tests(program.folder / "test_it.py").stdout
