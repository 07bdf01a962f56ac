"""Saving a file in an IDE: the change is installed at once, the IDE is told, and what cannot be installed touches nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import pytest

from support.dap_client import Client, Failed
from support.dap_session import Debugging, launched
from support.programs import Program

Make = Callable[[str], Program]

FAILS: Final = """
import os
print("start", os.getpid())
class Point:
    __slots__ = ("x",)
    def __init__(self, x):
        self.x = x
def scaled(point, by):
    return point.x / by  # @fails
print(scaled(Point(6), 0))
print("end", os.getpid())
"""

# It runs until it is told to stop by a file, so that it can be edited meanwhile.
RUNS: Final = """
import os
import time
print("start", os.getpid())
def step():
    return "old"  # @step
seen = []
while seen[-1:] != ["new"]:
    found = step()
    if found not in seen:
        seen.append(found)
    time.sleep(0.001)
print(seen)
print("end", os.getpid())
"""

DEEP: Final = """
import os
print("start", os.getpid())
def deep(count):
    if count:
        return deep(count - 1)
    return 1 / count  # @fails
print(deep(3))
print("end", os.getpid())
"""


def ends(session: Debugging, printed: str) -> None:
    assert session.ends_as_one_process() == printed


def changes(client: Client) -> list[tuple[str, str]]:
    return [(body["changeType"], body["message"]) for body in client.events("hotcodereplace")]


def test_saving_while_stopped_tells_the_ide_of_all_that_changes(small_program: Make) -> None:
    with launched(small_program(FAILS)) as session:
        session.stopped(at="fails")
        session.save({"point.x / by": "point.x / (by or 3)"})
        client = session.client
        assert [kind for kind, _ in changes(client)] == ["STARTING", "END"]
        assert changes(client)[-1][1] == "installed: scaled"
        changed = client.wait_for_event("loadedSource", {"reason": "changed"})["source"]
        assert changed["path"] == str(session.program.path)
        assert set(client.wait_for_event("invalidated")["areas"]) >= {"stacks", "variables"}
        client.wait_for_event("output", lambda body: "installed: scaled (version 2)" in body["output"])
        assert session.frames()[0]["name"] == "scaled (old version)"
        session.go("fixcont/restart")
        ends(session, "2.0\n")


def test_saving_while_the_program_runs(small_program: Make) -> None:
    with launched(small_program(RUNS)) as session:
        session.client.wait_for_event("output", lambda body: "start" in body["output"])
        session.save({'return "old"': 'return "new"'})
        ends(session, "['old', 'new']\n")


def test_saving_twice_in_a_row(small_program: Make) -> None:
    with launched(small_program(RUNS)) as session:
        session.client.wait_for_event("output", lambda body: "start" in body["output"])
        session.save({'return "old"': 'return "newer"'})
        session.save({'return "newer"': 'return "new"'})
        output = session.ends_as_one_process()
        assert output.startswith("['old'")
        assert output.endswith("'new']\n")


BROKEN: Final = {
    "syntax-error": {"return point.x / by": "return point.x / "},
    "slots-changed": {'("x",)': '("x", "y")', "point.x / by": "point.x / (by or 3)"},
}


@pytest.mark.parametrize("code", BROKEN)
def test_what_cannot_be_installed_is_told_and_touches_nothing(small_program: Make, code: str) -> None:
    with launched(small_program(FAILS)) as session:
        session.stopped(at="fails")
        before = session.program.text
        frames = session.frames()
        session.program.edit(BROKEN[code])
        client = session.client
        told = client.wait_for_event("hotcodereplace", {"changeType": "ERROR"})["message"]
        shown = client.wait_for_event("output", {"category": "important"})["output"]
        assert told.split(";")[0] in shown
        for command in ("restartFrame", "fixcont/retry", "fixcont/restart", "fixcont/skip", "fixcont/install"):
            arguments = {} if command == "fixcont/install" else {"frameId": frames[0]["id"]}
            failed = client.failure(command, **arguments)
            assert failed.code == code
            assert failed.error["showUser"]
            assert failed.message.split(";")[0] in told
        assert client.failure("gotoTargets", source={"path": str(session.program.path)}, line=9).code == code
        assert [(frame["id"], frame["name"]) for frame in session.frames()] == [(frame["id"], frame["name"]) for frame in frames]
        assert session.evaluate("by", "watch") == "0"
        client.no_event("continued")
        session.program.path.write_text(before.replace("point.x / by", "point.x / 2"), encoding="utf-8")
        session.installed()
        session.go("fixcont/restart")
        ends(session, "3.0\n")


def test_a_program_with_a_broken_file_still_runs_on_its_old_code(small_program: Make) -> None:
    with launched(small_program(RUNS)) as session:
        session.client.wait_for_event("output", lambda body: "start" in body["output"])
        before = session.program.text
        session.program.edit({'return "old"': "return ("})
        session.client.wait_for_event("hotcodereplace", {"changeType": "ERROR"})
        session.program.path.write_text(before.replace('return "old"', 'return "new"'), encoding="utf-8")
        session.installed()
        ends(session, "['old', 'new']\n")


def test_a_file_that_is_replaced_by_another_one(small_program: Make) -> None:
    """Editors write a new file and give it the name of the old one."""
    with launched(small_program(FAILS)) as session:
        session.stopped(at="fails")
        session.save({"point.x / by": "point.x / 3"})  # from here on it is known what the file is like
        path = session.program.path
        other = path.with_suffix(".tmp")
        other.write_text(session.program.text.replace("point.x / 3", "point.x / 2"), encoding="utf-8")
        os.utime(other, ns=(1, 1))  # as a copy of something old has it
        os.replace(other, path)
        session.installed()
        session.go("fixcont/restart")
        ends(session, "3.0\n")


def test_a_file_that_is_deleted_and_put_back(small_program: Make) -> None:
    with launched(small_program(FAILS)) as session:
        session.stopped(at="fails")
        text = session.program.text
        session.program.path.unlink()
        (warning,) = session.client.request("fixcont/install")["warnings"]
        assert "no longer there" in warning
        session.program.path.write_text(text.replace("point.x / by", "point.x / 2"), encoding="utf-8")
        session.installed()
        session.go("fixcont/restart")
        ends(session, "3.0\n")


def test_a_file_that_is_written_in_two_steps(small_program: Make) -> None:
    """The first half of a file compiles too; what is told in the end is the whole."""
    with launched(small_program(FAILS)) as session:
        session.stopped(at="fails")
        whole = session.program.text.replace("point.x / by", "point.x / 2").encode()
        with open(session.program.path, "wb") as stream:
            stream.write(whole[: len(whole) // 2])
            stream.flush()
            stream.write(whole[len(whole) // 2 :])
        session.client.wait_for_event("loadedSource", {"reason": "changed"})
        session.go("fixcont/restart")
        ends(session, "3.0\n")


def test_whether_a_frame_can_be_restarted_is_told_as_it_is_after_each_save(small_program: Make) -> None:
    with launched(small_program(DEEP)) as session:
        session.stopped(at="fails")

        def restartable() -> list[bool]:
            return [frame["canRestart"] for frame in session.frames() if frame["name"].startswith("deep")]

        assert restartable() == [True] * 4
        session.save({"def deep(count):": "def deep(count, by):", "deep(count - 1)": "deep(count - 1, by)"})
        assert restartable() == [False] * 4
        with pytest.raises(Failed, match="has a new parameter, by"):
            session.go("restartFrame")
        session.save({"def deep(count, by):": "def deep(count, by=5):", "1 / count": "by"})
        assert restartable() == [True] * 4
        session.go("restartFrame")
        session.stopped("restart")
        session.run_on()
        ends(session, "5\n")


LOOPS: Final = """
import time
def work(n):
    y = n + 1  # @work
    try:
        1 / n
    except ZeroDivisionError:  # @except
        y = 0  # @handler
    return y
for n in range(3):
    work(n)
def other():
    return 1  # @other
"""


@contextmanager
def stopped_in_the_loop(made: Program) -> Iterator[Debugging]:
    """Have `LOOPS` launched, and stopped at a breakpoint in its work."""

    def configure(client: Client) -> None:
        client.request("setBreakpoints", source={"path": str(made.path)}, breakpoints=[{"line": made.line("work")}])

    with launched(made, configure) as session:
        session.stopped("breakpoint", at="work")
        yield session


def test_a_breakpoint_stays_on_the_statement_that_is_edited_itself(small_program: Make) -> None:
    made = small_program(LOOPS)
    with stopped_in_the_loop(made) as session:
        session.save({"y = n + 1": "y = n + 100"})
        session.run_on()
        session.stopped("breakpoint", at="work")
        session.save({"y = n + 100": "y = n + 1000"})
        session.run_on()
        session.stopped("breakpoint", at="work")
        assert session.client.events("breakpoint")[-1]["breakpoint"]["verified"]
        session.run_on()
        session.over()


def test_a_line_leads_to_a_frame_of_its_own_function_only(small_program: Make) -> None:
    made = small_program(LOOPS)
    with stopped_in_the_loop(made) as session:
        source = {"path": str(made.path)}
        for label, code in (("except", "blocks-differ"), ("handler", "blocks-differ"), ("other", "no-statement")):
            assert session.client.failure("gotoTargets", source=source, line=made.line(label)).code == code
        session.client.request("setBreakpoints", source=source, breakpoints=[])
        session.run_on()
        session.over()


def test_the_traceback_has_the_lines_that_ran(small_program: Make) -> None:
    with launched(small_program(FAILS)) as session:
        session.stopped(at="fails")
        session.save({"def scaled": "# one line more\n\n\ndef scaled", "point.x / by": "point.x / 2"})
        found = session.client.request("exceptionInfo", threadId=session.thread)["details"]["stackTrace"]
        assert "    return point.x / by  # @fails\n" in found and "one line more" not in found
        session.go("fixcont/restart")
        ends(session, "3.0\n")


def test_without_auto_install_nothing_happens_until_it_is_asked_for(small_program: Make) -> None:
    with launched(small_program(FAILS), autoInstall=False) as session:
        session.stopped(at="fails")
        session.program.edit({"point.x / by": "point.x / 2"})
        assert session.evaluate("scaled(Point(8), 4)", "watch") == "2.0"
        assert changes(session.client) == []
        body = session.client.request("fixcont/install")
        assert body["changed"] == ["scaled"]
        assert session.evaluate("scaled(Point(8), 4)", "watch") == "4.0"
        session.go("fixcont/restart")
        ends(session, "3.0\n")


def test_redefine_classes_answers_in_the_form_of_java_debug(small_program: Make) -> None:
    with launched(small_program(FAILS), autoInstall=False) as session:
        session.stopped(at="fails")
        client = session.client
        assert client.request("redefineClasses")["changedClasses"] == []
        session.program.edit({"point.x / by": "point.x / ("})
        body = client.request("redefineClasses")
        assert body["changedClasses"] == []
        assert "program.py:9" in body["errorMessage"]
        session.program.edit({"point.x / (": "point.x / 2"})
        body = client.request("redefineClasses")
        assert body == {"changedClasses": ["scaled"]}
        session.go("fixcont/restart")
        ends(session, "3.0\n")


def test_breakpoints_move_with_their_statements(small_program: Make) -> None:
    made = small_program(FAILS)
    path = {"path": str(made.path)}

    def configure(client: Client) -> None:
        (found,) = client.request("setBreakpoints", source=path, breakpoints=[{"line": made.line("fails")}])["breakpoints"]
        assert found["line"] == made.line("fails")

    with launched(made, configure) as session:
        session.stopped("breakpoint", "fails")
        session.save({"def scaled(point, by):\n": "def scaled(point, by):\n    # one\n    # two\n    by = by or 3\n"})
        client = session.client
        moved = client.wait_for_event("breakpoint", lambda body: body["breakpoint"]["line"] == made.line("fails"))
        assert moved["reason"] == "changed"
        assert moved["breakpoint"]["verified"]
        session.go("restartFrame")
        session.stopped("restart")
        session.run_on()
        session.stopped("breakpoint", "fails")
        assert session.evaluate("by", "hover") == "3"
        session.run_on()
        ends(session, "2.0\n")


def test_a_changed_statement_of_the_module_is_listed_and_run_on_request(small_program: Make) -> None:
    text = """
import os
print("start", os.getpid())
rate = 0
def price(amount):
    return amount / rate  # @fails
print(price(10))
print("end", os.getpid())
"""
    with launched(small_program(text), autoInstall=False) as session:
        session.stopped(at="fails")
        session.program.edit({"rate = 0": "rate = 5"})
        client = session.client
        (unrun,) = client.request("fixcont/install")["unrun"]
        assert unrun["text"] == "rate = 5"
        assert session.evaluate("rate", "watch") == "0"
        client.request("fixcont/rerun", number=unrun["number"])
        assert session.evaluate("rate", "watch") == "5"
        assert client.failure("fixcont/rerun", number=99).code == "no-statement"
        session.go("fixcont/retry")
        ends(session, "2.0\n")


def test_an_edit_without_effect_on_the_running_frame_says_so(small_program: Make) -> None:
    text = """
import os
print("start", os.getpid())
def loop(rows):
    for row in iter(rows):
        print(10 / row)  # @fails
loop([5, 0, 2])
print("end", os.getpid())
"""
    with launched(small_program(text)) as session:
        session.stopped(at="fails")
        session.save({"10 / row": "20 / (row or 4)"})
        session.client.wait_for_event("output", lambda body: "1 frame still runs old code" in body["output"])
        session.go("fixcont/retry")
        ends(session, "2.0\n5.0\n10.0\n")


def test_a_file_of_another_module_and_one_that_was_added(program: Make, small_program: Make) -> None:
    made = small_program(
        'import helper\nprint("start", __import__("os").getpid())\nprint(helper.twice("4"))\nprint("end", __import__("os").getpid())\n'
    )
    helper = made.folder / "helper.py"
    helper.write_text("def twice(text):\n    return text.missing * 2\n", encoding="utf-8")
    with launched(made) as session:
        assert session.stopped()["name"] == "twice"
        (made.folder / "tool.py").write_text("def number(text):\n    return int(text)\n", encoding="utf-8")
        helper.write_text("import tool\ndef twice(text):\n    return tool.number(text) * 2\n", encoding="utf-8")
        session.installed()
        session.go("fixcont/restart")
        ends(session, "8\n")


def test_the_console_takes_the_commands_of_the_prompt(small_program: Make) -> None:
    with launched(small_program(FAILS), autoInstall=False) as session:
        session.stopped(at="fails")
        session.program.edit({"point.x / by": "point.x / 2"})
        session.evaluate("fix")
        session.client.wait_for_event("output", lambda body: "installed: scaled (version 2)" in body["output"])
        session.evaluate("retry")
        ends(session, "3.0\n")


def test_saving_does_not_disturb_an_evaluation_that_runs(small_program: Make) -> None:
    with launched(small_program(FAILS)) as session:
        session.stopped(at="fails")
        client = session.client
        number = session.frames()[0]["id"]
        running = client.send("evaluate", expression="[i for i in iter(int, 1) if i]", frameId=number, context="repl")
        session.program.edit({"point.x / by": "point.x / 2"})
        client.request("pause", threadId=session.thread)
        with pytest.raises(Exception, match=r"Interrupt|interrupted"):
            client.response(running)
        session.installed()
        session.go("fixcont/restart")
        ends(session, "3.0\n")
