"""`pytest --fixcont` with pytest-xdist: stops of the workers are served at the controller's terminal."""

from __future__ import annotations

import os
import re
import select
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import pytest

from fixcont_ui.pytest_plugin.distributed.connection import Connection
from fixcont_ui.pytest_plugin.distributed.host import Host
from support.editor import ScriptedEditor
from support.session import DEADLINE, DebugSession, run_python

SHOP = """\
import glob
import os
import time

def price(total, count):
    return total / (count - 3)  # @price

def wait_for(count):
    while len(glob.glob("done-*")) < count:
        time.sleep(0.01)
    return "all there"

def forever():
    while True:
        time.sleep(0.01)
"""

FAILS = """\
import os
import pytest
import shop

@pytest.mark.parametrize("number", range(4))
def test_price(number):
    assert shop.price(12, 3) == 4
"""

ONE_FAILS = """\
import os
import pytest
import shop

@pytest.mark.parametrize("number", range(16))
def test_number(number):
    assert number
    open(f"done-{number}", "w").close()
"""


class Project:
    """A folder with tests that two workers run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.write("pytest.ini", "[pytest]\n")
        self.write("shop.py", SHOP)

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, encoding="utf-8")

    def edit(self, name: str, old: str, new: str) -> None:
        text = (self.folder / name).read_text(encoding="utf-8")
        assert text.count(old) == 1
        self.write(name, text.replace(old, new))

    def session(
        self, *arguments: str, kind: Literal["pipe", "terminal"] = "pipe", editor: ScriptedEditor | None = None
    ) -> DebugSession:
        launcher = ["-m", "pytest", "--fixcont", "-p", "fixcont", "-p", "no:cacheprovider", "-p", "no:asyncio", "-n", "2"]
        environment = {"EDITOR": os.fspath(editor.path)} if editor is not None else None
        return DebugSession([], arguments, launcher=launcher, folder=self.folder, kind=kind, environment=environment)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def last_line(output: str) -> str:
    return output.rstrip().rpartition("\n")[2].strip("= ")


def stopped_in(stop: str) -> tuple[str, str]:
    """Give the worker and the test that the line above a stop names."""
    found = re.findall(r"^>+ fixcont: \[(gw\d)\] (\S+) >+$", stop, re.MULTILINE)
    assert len(found) == 1, stop
    worker, test = found[0]
    return worker, test


def test_both_workers_are_served_one_after_the_other(project: Project) -> None:
    project.write("test_shop.py", FAILS)
    with project.session() as session:
        worker, test = stopped_in(session.stop())
        assert "number = " in session.command("u") or "test_price" in session.command("w")
        assert session.command("p os.environ['PYTEST_XDIST_WORKER']") == f"'{worker}'\n"
        session.command("d")
        project.edit("shop.py", "(count - 3)", "count")
        other_worker, other_test = stopped_in(session.command("rf"))
        assert {worker, other_worker} == {"gw0", "gw1"}
        assert "installed: price (version 2)" in session.command("rf")
        ended = session.finish()

    assert ended.status == 0, ended.output
    assert last_line(ended.output).startswith("2 passed, 2 repaired in "), "the others were run on what was installed"
    told = ended.output.partition("= repaired =")[2]
    assert re.findall(r"^test_shop\.py::\S+$", told, re.MULTILINE) == sorted((test, other_test), key=told.index)
    assert told.count("--- a/shop.py\n+++ b/shop.py\n") == 1
    assert told.count("+    return total / count  # @price\n") == 1


def test_at_a_terminal(project: Project, scripted_editor: Callable[..., ScriptedEditor]) -> None:
    """Ctrl-C ends the line, or what is evaluated, and no test; the other worker goes on meanwhile; the editor gets the terminal."""
    project.write("test_shop.py", ONE_FAILS)
    editor = scripted_editor({"assert number\n": "assert number >= 0\n"})
    with project.session(kind="terminal", editor=editor) as session:
        stopped_in(session.stop())
        session.type("p 'half a line\x03")
        assert "--KeyboardInterrupt--" in session.stop()
        session.send("p print('runs') or shop.forever()")
        session.expect("runs\n")
        session.type("\x03")
        assert "KeyboardInterrupt" in session.stop()
        session.interrupt()  # as a signal, to the controller alone
        assert "--KeyboardInterrupt--" in session.stop()

        assert session.command("p shop.wait_for(12)") == "'all there'\n"

        assert "installed: test_number" in session.command("fix")
        session.send("rf")
        session.expect("from a clean start\\? \\[y/N\\] ")
        session.send("n")
        ended = session.finish()

    assert ended.status == 0, ended.output
    assert last_line(ended.output).startswith("15 passed, 1 repaired in ")


def test_the_end_of_the_input_lets_everything_go_on(project: Project) -> None:
    project.write("test_shop.py", FAILS)
    with project.session() as session:
        session.stop()
        session.end_input()
        ended = session.finish()

    assert ended.status == 1
    assert last_line(ended.output).startswith("4 failed in ")


def test_quit_ends_the_run_in_all_workers(project: Project) -> None:
    project.write("test_shop.py", FAILS)
    with project.session(kind="terminal") as session:
        session.stop()
        session.end_input()  # at a terminal that is what it means
        ended = session.finish()

    assert ended.status == 2, ended.output
    assert "quit at the prompt of fixcont" in ended.output
    assert re.search(r"^FAILED test_shop\.py::test_\S+ - ", ended.output, re.MULTILINE), ended.output
    assert "Failed: quit" not in ended.output
    assert "replacing crashed worker" not in ended.output


def test_a_worker_that_dies_at_the_prompt_is_replaced(project: Project) -> None:
    project.write("test_shop.py", ONE_FAILS + "\ndef test_last():\n    assert shop.wait_for(15) == ''\n")
    with project.session("--dist", "loadfile", "-k", "number0 or 0 or last") as session:
        worker, _ = stopped_in(session.stop())
        session.send("!os.kill(os.getpid(), 9)")
        assert f"fixcont: {worker} has ended" in session.expect("has ended")
        for number in range(15):
            project.write(f"done-{number}", "")
        new_worker, test = stopped_in(session.stop())
        while "test_last" not in test:
            _, test = stopped_in(session.command("c"))
        assert new_worker == "gw2"
        session.command("c")
        ended = session.finish()

    assert ended.status == 1
    assert f"worker '{worker}' crashed" in ended.output


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="waits for a process that is not a child")
def test_workers_end_with_their_controller(project: Project) -> None:
    project.write("test_shop.py", FAILS)
    with project.session() as session:
        session.stop()
        worker = os.pidfd_open(int(session.command("p os.getpid()")))
        try:
            os.kill(session.pid, signal.SIGKILL)
            assert select.select([worker], [], [], DEADLINE)[0], "the worker waits for a controller that is dead"
        finally:
            os.close(worker)
        session.end_input()
        assert session.finish().status == -signal.SIGKILL


def test_collection_stops_in_a_worker_too(project: Project) -> None:
    project.write("test_shop.py", "import shop\n\nWANTED = shop.price(12, 3)\n\ndef test_price():\n    assert WANTED == 4\n")
    with project.session() as session:
        stopped_in(session.stop())
        project.edit("shop.py", "(count - 3)", "count")
        if "fixcont: [" in session.command("rf"):  # the other one had come to it before
            session.command("rf")
        ended = session.finish()

    assert ended.status == 0, ended.output
    assert last_line(ended.output).startswith("1 passed in ")
    assert ended.output.count("+    return total / count  # @price\n") == 1


def test_the_window_is_refused(project: Project) -> None:
    project.write("test_shop.py", "def test_x():\n    pass\n")

    ended = run_python(["-m", "pytest", "-p", "fixcont", "--fixcont-window", "-n", "2"], folder=project.folder)

    assert ended.status == 4
    assert "--fixcont-window: the window cannot show stops of pytest-xdist's workers; give -n 0" in ended.errors


# The connection


@pytest.fixture
def host() -> Iterator[Host]:
    made = Host(lambda: None)
    yield made
    made.close()


def connected(host: Host, token: str, **fields: object) -> Connection:
    port = int(host.address.partition(":")[0])
    connection = Connection(socket.create_connection(("127.0.0.1", port), timeout=DEADLINE))
    connection.send("hello", token=token, **fields)
    return connection


@pytest.mark.parametrize("said", ["", "0" * 32, "é"])
def test_nobody_else_can_connect(host: Host, said: str) -> None:
    stranger = connected(host, said, name="gw0", pid=1)
    assert stranger.receive() is None, "it is hung up on"
    stranger.close()
    assert host.workers == []


def test_a_stranger_who_says_too_much_is_hung_up_on(host: Host) -> None:
    port = int(host.address.partition(":")[0])
    with socket.create_connection(("127.0.0.1", port), timeout=DEADLINE) as stranger:
        stranger.sendall(b"x" * 10_000)
        try:
            assert stranger.recv(1) == b""
        except ConnectionError:
            pass
    assert host.workers == []


def test_who_stops_when_the_run_is_over_is_told_so(host: Host) -> None:
    token = host.address.partition(":")[2]
    worker = connected(host, token, name="gw0", pid=1)
    host.end()
    worker.send("stop", where="test_x")
    answer = worker.receive()
    assert answer is not None and answer["kind"] == "over"
    assert not host.waiting
    worker.close()


def test_surrogates_and_long_texts_come_as_they_were(host: Host) -> None:
    token = host.address.partition(":")[2]
    worker = connected(host, token, name="gw0", pid=1)
    worker.send("stop", where="x" * 200_000 + "\udc80\n")
    worker.send("state", waits=True)
    answer = worker.receive()
    assert answer is not None and answer["kind"] == "noted"
    assert [each.where for each in host.waiting] == ["x" * 200_000 + "\udc80\n"]
    worker.close()
