"""What clients do wrong: requests out of order, with wrong arguments, broken bytes. Each gets an answer, and the program is not harmed."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from support.dap_client import Client, Failed
from support.dap_fuzz import Fuzz
from support.dap_session import ADAPTER, Debugging, Listening, attached, launched
from support.programs import Program

Make = Callable[[str], Program]

FAILS: Final = """
import os
print("start", os.getpid())
def price(total, count):
    return total / count  # @fails
print(price(12, 0))
print("end", os.getpid())
"""


def initialize(client: Client) -> None:
    client.request("initialize", adapterID="fixcont", linesStartAt1=True, columnsStartAt1=True, pathFormat="path")


def test_requests_before_their_time(small_program: Make) -> None:
    made = small_program(FAILS)
    with Client.stdio(ADAPTER, folder=made.folder) as client:
        assert client.failure("launch", program=str(made.path)).code == "out-of-order"
        assert client.failure("threads").code == "out-of-order"
        initialize(client)
        assert client.failure("initialize", adapterID="fixcont").code == "out-of-order"
        assert client.failure("configurationDone").code in ("out-of-order", "no-program")
        assert client.failure("stackTrace", threadId=1).code in ("out-of-order", "no-program")
        assert client.failure("terminate").code in ("out-of-order", "no-program")
        assert client.failure("restart").code in ("out-of-order", "cannot-restart")
        started = client.send("launch", program=str(made.path))
        client.wait_for_event("initialized")
        assert client.failure("launch", program=str(made.path)).code == "out-of-order"
        client.request("configurationDone")
        client.response(started)
        session = Debugging(client, made)
        session.pid = client.wait_for_event("process")["systemProcessId"]
        session.stopped(at="fails")
        assert client.failure("configurationDone").code == "out-of-order"
        session.go("fixcont/returnFromFrame", expression="1")
        assert session.ends_as_one_process() == "1\n"
        assert client.failure("continue", threadId=1).code in ("debuggee-gone", "no-program")
        client.request("disconnect")


def test_requests_while_the_program_runs(small_program: Make) -> None:
    made = small_program(
        "import os\nimport time\nprint('running', flush=True)\nwhile not os.path.exists('stop'): time.sleep(0.005)\n"
    )
    with launched(made) as session:
        client = session.client
        client.wait_for_event("output", {"output": "running\n"})
        for command in ("continue", "next", "stepIn", "stepOut", "exceptionInfo"):
            assert client.failure(command, threadId=1).code == "not-stopped"
        assert client.failure("evaluate", expression="1", context="watch").code == "not-stopped"
        assert client.failure("scopes", frameId=5).code in ("stale-reference", "not-stopped")
        assert client.failure("fixcont/retry", frameId=5).code in ("stale-reference", "not-stopped")
        assert client.failure("pause", threadId=77).code == "no-thread-there"
        assert client.failure("gotoTargets", source={"path": str(made.path)}, line=1).code == "not-stopped"
        (made.folder / "stop").touch()
        session.over()


WRONG: Final[dict[str, dict[str, Any]]] = {
    "stackTrace": {"threadId": "one"},
    "variables": {},
    "scopes": {"frameId": None},
    "setBreakpoints": {"source": [], "breakpoints": {}},
    "evaluate": {"expression": 5},
    "fixcont/resume": {"frameId": 1},
    "fixcont/useValue": {"frameId": 1, "expression": ""},
    "continue": {"threadId": {"deep": [1]}},
}


def test_wrong_arguments_and_unknown_requests_while_held(small_program: Make) -> None:
    with launched(small_program(FAILS)) as session:
        session.stopped(at="fails")
        client = session.client

        def wrong(command: str, arguments: Any) -> Failed:
            message = {"type": "request", "command": command, "arguments": arguments}
            with pytest.raises(Failed) as caught:
                client.response(client.send_message(message, check=False))
            return caught.value

        for command, arguments in WRONG.items():
            assert wrong(command, arguments).code == "bad-arguments", command
        assert wrong("evaluate", [1, 2]).code == "bad-arguments"
        assert wrong("noSuchRequest", {}).code == "unknown-command"
        assert client.failure("variables", variablesReference=99999).code == "stale-reference"
        assert client.failure("stackTrace", threadId=99).code in ("no-thread-there", "not-stopped")
        assert client.failure("source", sourceReference=99, source={}).code == "no-source"
        assert client.failure("setBreakpoints", source={"name": "x"}, breakpoints=[]).code == "not-supported"
        session.go("fixcont/returnFromFrame", expression="1")
        assert session.ends_as_one_process() == "1\n"


def test_broken_bytes_are_answered_and_skipped(small_program: Make) -> None:
    with launched(small_program(FAILS)) as session:
        session.stopped(at="fails")
        client = session.client
        fuzz = Fuzz(11)
        with client.unchecked():
            for _ in range(20):
                client.send_bytes(fuzz.broken_bytes())
            client.send_bytes(b"Content-Length: 5\r\n\r\n[1,2]")
            client.send_bytes(b"Content-Length: 99999999999\r\n\r\n")
            client.request("threads")
        session.go("fixcont/returnFromFrame", expression="1")
        assert session.ends_as_one_process() == "1\n"


@pytest.mark.parametrize("path", ["/tmp/\ud800", "a\0b", "x" * 5000, ""])
def test_a_name_that_no_file_can_have_is_of_no_file(small_program: Make, path: str) -> None:
    with launched(small_program(FAILS)) as session:
        session.stopped(at="fails")
        client, source = session.client, {"path": path}
        requests: dict[str, dict[str, Any]] = {
            "setBreakpoints": {"breakpoints": [{"line": 3}]},
            "breakpointLocations": {"line": 3},
            "gotoTargets": {"line": 3},
            "source": {"sourceReference": 0},
        }
        for command, arguments in requests.items():
            code = outcome(client, client.send(command, source=source, **arguments))
            assert code in ("", "no-statement", "no-source", "not-supported"), client.transcript
        session.go("fixcont/returnFromFrame", expression="1")
        assert session.ends_as_one_process() == "1\n"


HELD: Final = """
def hold():
    return 1 / 0  # @fails
while True:
    try:
        hold()
    except Exception:
        pass
"""


def outcome(client: Client, number: int) -> str:
    """Wait for a response. Returns the code of its error, "" where it is none."""
    try:
        client.response(number)
    except Failed as failed:
        return failed.code
    return ""


def test_random_requests_do_no_harm(small_program: Make) -> None:
    """The program is held, and every request of the protocol comes, right and wrong ones, in any order."""
    with launched(small_program(HELD), stop="raised", autoInstall=False) as session:
        session.stopped(at="fails")
        client = session.client
        fuzz = Fuzz(12)
        ends = ("disconnect", "terminate", "restart", "launch", "attach", "initialize", "evaluate")
        sent = []
        with client.unchecked():
            for seq in range(1000, 1400):
                request = fuzz.request(seq) if seq % 3 else fuzz.wrong_request(seq)
                command = request.get("command")
                if request.get("type") == "request" and isinstance(command, str) and command not in ends:
                    sent.append(client.send_message({**request, "seq": seq}, check=False))
            for number in sent:
                assert outcome(client, number) != "internal-error", client.transcript
            assert client.request("threads")["threads"]
        os.kill(session.pid, signal.SIGKILL)
        client.wait_for_event("terminated")


def test_whoever_does_not_speak_the_protocol_is_sent_away(small_program: Make) -> None:
    made = small_program(FAILS)
    with Listening(made) as listening:
        with Client.connect(listening.host, listening.port, check=False) as other:
            other.send_bytes(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            other.wait_for_end()
        with attached(listening, made) as session:
            session.stopped(at="fails")
            session.go("fixcont/returnFromFrame", expression="1")
            session.client.wait_for_event("terminated")
        listening.over()


WAITS: Final = """
import os
import time
print("start")
while not os.path.exists("go"):
    time.sleep(0.01)  # @waits
print("end")
"""


def test_a_program_that_was_paused_goes_on_when_the_client_leaves(small_program: Make) -> None:
    made = small_program(WAITS)
    with Listening(made) as listening:
        with attached(listening, made) as session:
            session.client.request("threads")
            session.client.request("pause", threadId=1)
            session.client.stopped("pause")
            session.client.request("disconnect")
        (made.folder / "go").touch()
        assert listening.over().endswith("end\n")


def test_a_client_that_counts_from_zero(small_program: Make) -> None:
    made = small_program(FAILS)
    with Client.stdio(ADAPTER, folder=made.folder) as client:
        client.request("initialize", adapterID="fixcont", linesStartAt1=False, columnsStartAt1=False)
        started = client.send("launch", program=str(made.path))
        client.wait_for_event("initialized")
        line = made.line("fails") - 1
        (found,) = client.request("setBreakpoints", source={"path": str(made.path)}, breakpoints=[{"line": line}])["breakpoints"]
        assert found["line"] == line
        client.request("configurationDone")
        client.response(started)
        thread = client.stopped("breakpoint")["threadId"]
        assert client.frames(thread)[0]["line"] == line
        client.request("continue", threadId=thread)
        client.stopped("exception")
        frame = client.frames(thread)[0]
        assert (frame["line"], frame["column"]) == (line, 11)
        client.request("disconnect")


def test_a_file_whose_name_is_not_ascii(tmp_path: Path) -> None:
    from support.programs import write_program

    made = write_program(tmp_path / "Прога ☃", "name = 'ünïcode ☃'\nprint(name, int('ß'))  # @fails\n", "módulo 1.py")
    with launched(made) as session:
        session.stopped(at="fails")
        assert session.evaluate("name", "watch") == "'ünïcode ☃'"
        session.save({"int('ß')": "'ß'"})
        session.go("fixcont/retry")
        assert session.over() == "ünïcode ☃ ß\n"


def test_a_program_that_closes_its_streams_and_changes_its_folder(small_program: Make) -> None:
    text = """
import os
import sys
os.chdir("/")
sys.stdout.close()
os.close(1)
sys.modules.pop("json", None)
int("x")  # @fails
os.write(2, b"went on\\n")
"""
    made = small_program(text)
    with launched(made) as session:
        session.stopped(at="fails")
        assert session.evaluate("os.getcwd()", "watch") == "'/'"
        session.save({'int("x")': 'int("1")'})
        session.go("fixcont/retry")
        session.over()
        assert session.client.output("stderr") == "went on\n"


def test_a_program_that_replaces_what_fixcont_could_use(small_program: Make) -> None:
    text = """
import json
import queue
import socket
import threading
def broken(*args, **kwargs):
    raise AssertionError("not for you")
for module, names in ((json, "dumps loads"), (socket, "socketpair create_connection"), (queue, "SimpleQueue Queue"),
                      (threading, "Barrier")):
    for name in names.split():
        setattr(module, name, broken)
class Broken(socket.socket):
    def __init__(self, *args, **kwargs):
        broken()
socket.socket = Broken
def work(value):
    return int(value)  # @fails
print(work("x"))
"""
    with launched(small_program(text)) as session:
        session.stopped(at="fails")
        assert session.evaluate("value", "watch") == "'x'"
        session.go("fixcont/useValue", expression="7")
        assert session.over() == "7\n"


def test_a_client_that_does_not_read_holds_nobody_up(small_program: Make) -> None:
    """What the program prints is kept for the client."""
    text = "for n in range(200000):\n    print('line', n)\n"
    made = small_program(text)
    with Client.stdio(ADAPTER, folder=made.folder) as client:
        session = Debugging(client, made)
        session.begin("launch", program=str(made.path))
        assert session.over().endswith("line 199999\n")
        client.request("disconnect")


def test_errors_are_numbered_and_shown(small_program: Make) -> None:
    with launched(small_program(FAILS)) as session:
        session.stopped(at="fails")
        failed = session.client.failure("fixcont/resume", frameId=session.frames()[0]["id"], line=1)
        assert failed.code
        assert failed.error["id"] > 1000
        assert failed.error["showUser"]
        assert failed.message in json.dumps(failed.error, ensure_ascii=False) or failed.error["variables"]
        session.go("fixcont/returnFromFrame", expression="1")
        session.ends_as_one_process()


def test_a_program_whose_clock_stands_still(small_program: Make) -> None:
    """As tests of programs make it: every name for a clock, in every module, is another function."""
    text = """
import sys
import time
import datetime
clocks = {time.monotonic: lambda: 5.0, time.time: lambda: 1e9, time.perf_counter: lambda: 5.0, time.sleep: lambda seconds: None}
for module in list(sys.modules.values()):
    for name, value in list(vars(module).items()):
        if callable(value) and type(value) is type(len) and value in clocks:
            setattr(module, name, clocks[value])
int("x")  # @fails
print(time.time())
"""
    with launched(small_program(text), evaluateTimeout=0.3) as session:
        session.stopped(at="fails")
        number = session.frames()[0]["id"]
        assert session.client.failure("evaluate", expression="while 1: pass", frameId=number, context="repl").code == "timed-out"
        session.save({'int("x")': 'int("1")'})
        session.go("fixcont/retry")
        assert session.over() == "1000000000.0\n"


@pytest.mark.parametrize("wrong", [{"args": ["\ud800"]}, {"env": {"x": "a\0b"}}])
def test_a_program_that_no_system_can_start(small_program: Make, wrong: dict[str, Any]) -> None:
    made = small_program(FAILS)
    with Client.stdio(ADAPTER, folder=made.folder) as client:
        initialize(client)
        assert client.failure("launch", program=str(made.path), **wrong).code == "cannot-launch"
        client.wait_for_event("terminated")
        client.request("disconnect")
