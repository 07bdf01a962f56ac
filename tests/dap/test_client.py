"""The test client sees what is wrong with an adapter: shown with one that does wrong on demand."""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import support.dap_client
import support.dap_transcript
from fixcont_ui.dap.stream import Decoder, encode
from support.dap_client import Client, Failed
from support.dap_schema import fault_of
from support.dap_transcript import Entry, Scrubber, golden

# It does what it is asked to evaluate.
ADAPTER = """
import os, sys
from fixcont_ui.dap.messages import error, error_response, event, request, response
from fixcont_ui.dap.stream import Decoder, encode

seq = 0
def send(message):
    global seq
    seq += 1
    write(encode({**message, "seq": seq}))

def write(data):
    os.write(1, data)

def evaluate(asked, what):
    if what == "fail":
        send(error_response(asked, error("bad-condition", "{it} is no expression")))
    elif what == "wrong type":
        send(response(asked, {"result": 5, "variablesReference": 0}))
    elif what == "wrong name":
        send(response(asked, {"result": "", "variablesReference": 0, "variableReference": 0}))
    elif what == "twice":
        send(response(asked, {"result": "1", "variablesReference": 0}))
        send(response(asked, {"result": "2", "variablesReference": 0}))
    elif what == "junk":
        write(b"Traceback\\n")
    elif what == "same number":
        write(encode({**response(asked, {"result": "", "variablesReference": 0}), "seq": 1}))
    elif what == "stop":
        thread = os.getpid()
        send(event("continued", {"threadId": thread}))
        send(event("output", {"category": "stdout", "output": "print"}))
        send(event("output", {"category": "stdout", "output": "ed\\n"}))
        send(response(asked, {"result": f"<f at 0x7f12345678> in {os.getcwd()}/a.py", "variablesReference": thread}))
        send(event("stopped", {"reason": "step", "threadId": thread}))
    elif what == "ask":
        send(request("runInTerminal", {"cwd": "/", "args": [str(asked["seq"])]}))
    elif what == "exit":
        print("oh", file=sys.stderr)
        os._exit(3)
    elif what == "stay":
        import time
        while True: time.sleep(1)

decoder = Decoder()
while data := os.read(0, 65536):
    for message in decoder.feed(data):
        command = message.get("command")
        if message["type"] == "response":
            asked = {"seq": int(waiting), "command": "evaluate"}
            send(response(asked, {"result": str(message.get("body") or message["message"]), "variablesReference": 0}))
        elif command == "evaluate":
            waiting = message["seq"]
            evaluate(message, message["arguments"]["expression"])
        elif command == "threads":
            send(response(message, {"threads": [{"id": os.getpid(), "name": "MainThread"}]}))
        elif command == "launch" and message["arguments"].get("program") == "none":
            send(error_response(message, error("cannot-launch", "there is no program")))
        elif command == "initialize":
            send(response(message, {"supportsRestartFrame": True}))
        else:
            send(response(message))
            if command == "launch":
                send(event("initialized"))
"""


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with Client.stdio([sys.executable, "-c", ADAPTER], folder=tmp_path) as client:
        yield client


def wrong_client(tmp_path: Path) -> Client:
    """A client for a test that ends without checking that all was right."""
    return Client.stdio([sys.executable, "-c", ADAPTER], folder=tmp_path)


def test_requests_and_errors(client: Client) -> None:
    assert client.request("next", threadId=1) == {}
    assert client.request("threads")["threads"][0]["name"] == "MainThread"
    failed = client.failure("evaluate", expression="fail")
    assert (failed.code, failed.message, failed.error["id"]) == ("bad-condition", "{it} is no expression", 1405)
    first, second = client.send("threads"), client.send("next", threadId=1)
    assert client.response(second) == {}
    assert client.response(first)["threads"]


def test_a_session_begins(client: Client) -> None:
    done = []
    capabilities = client.start("launch", configure=lambda client: done.append(client.request("threads")), program="a.py")

    assert capabilities == {"supportsRestartFrame": True}
    assert len(done) == 1
    client.no_event("initialized")
    client.request("evaluate", expression="stop")
    client.request("threads")
    with pytest.raises(AssertionError, match="there is an event stopped"):
        client.no_event("stopped")


def test_a_session_that_is_refused(client: Client) -> None:
    with pytest.raises(Failed, match="there is no program") as raised:
        client.start("launch", program="none")
    assert raised.value.code == "cannot-launch"


def test_events_are_waited_for_once_each(client: Client) -> None:
    client.request("evaluate", expression="stop")
    client.request("evaluate", expression="stop")
    thread = client.request("threads")["threads"][0]["id"]

    assert client.wait_for_event("continued", matching={"threadId": thread}) == {"threadId": thread}
    assert client.stopped("step")["threadId"] == thread
    client.wait_for_event("stopped", matching=lambda body: body["reason"] == "step")
    client.no_event("stopped")
    assert len(client.events("stopped")) == 2
    assert client.output() == "printed\nprinted\n"


def test_the_client_is_asked(client: Client) -> None:
    client.answers["runInTerminal"] = lambda arguments: {"processId": len(arguments["args"])}
    assert client.request("evaluate", expression="ask")["result"] == "{'processId': 1}"
    del client.answers["runInTerminal"]
    assert client.request("evaluate", expression="ask")["result"].startswith("{'error'")


@pytest.mark.parametrize(
    ("expression", "fault"),
    [
        ("wrong type", r"EvaluateResponse\.body\.result: 5 is not of type 'string'"),
        ("wrong name", r"EvaluateResponse\.body\.variableReference: the schema has no such attribute"),
        ("twice", r"a response to evaluate \(2\), which nobody waits for"),
        ("junk", r"something came that is no message: 'Traceback' is no header"),
        ("same number", "1 comes behind number 1"),
    ],
)
def test_faults_of_the_adapter_are_failures(tmp_path: Path, expression: str, fault: str) -> None:
    with pytest.raises(AssertionError, match=fault) as raised, wrong_client(tmp_path) as client:  # noqa: PT012 – or at the end
        client.request("threads")
        client.send("evaluate", expression=expression)
        client.request("threads")

    assert '--> {"seq": 1, "type": "request", "command": "threads"}' in str(raised.value)


def test_what_does_not_come_is_a_failure_with_the_transcript(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with wrong_client(tmp_path) as client:
        client.request("evaluate", expression="stop")
        with monkeypatch.context() as patched:
            patched.setattr(support.dap_client, "DEADLINE", 0.3)
            with pytest.raises(
                AssertionError, match=r"no event stopped with \{'reason': 'entry'\} within 0\.3 seconds"
            ) as raised:
                client.wait_for_event("stopped", matching={"reason": "entry"})

    assert '"event": "stopped", "body": {"reason": "step"' in str(raised.value)


def test_an_adapter_that_dies_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"no response to evaluate .*: the other side has closed") as raised:
        with wrong_client(tmp_path) as client:
            client.request("evaluate", expression="exit")

    assert "--- standard error ---\noh\n" in str(raised.value)


def test_an_adapter_that_does_not_end_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AssertionError, match="did not end when its input did"):  # noqa: PT012 – the end of the block is meant
        with wrong_client(tmp_path) as client:
            client.request("threads")
            client.send("evaluate", expression="stay")
            monkeypatch.setattr(support.dap_client, "DEADLINE", 0.3)
    assert client.process is not None and client.process.returncode is not None


def test_a_request_without_an_answer_is_a_failure(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"evaluate \(1\) was not answered"), wrong_client(tmp_path) as client:
        client.send("evaluate", expression="nothing")


def test_the_test_must_send_what_the_schema_allows(client: Client) -> None:
    with pytest.raises(AssertionError, match="the test sends what does not fit"):
        client.request("evaluate", expresion="1")
    client.send_message({"type": "request", "command": "threads", "arguments": {"x": 1}, "seq": 70}, check=False)
    assert client.response(70)["threads"]


def test_connections() -> None:
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = server.accept()
        with connection, server:
            decoder = Decoder()
            while data := connection.recv(3):
                for message in decoder.feed(data):
                    assert isinstance(message, dict)
                    answer = {"seq": 1, "type": "response", "request_seq": message["seq"], "success": True}
                    connection.sendall(encode({**answer, "command": "threads", "body": {"threads": []}}))
                    connection.shutdown(socket.SHUT_WR)

    thread = threading.Thread(target=serve)
    thread.start()
    with Client.connect("127.0.0.1", server.getsockname()[1]) as client:
        assert client.request("threads") == {"threads": []}
        client.wait_for_end()
    thread.join()


def test_golden_transcripts(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.setattr(support.dap_transcript, "TRANSCRIPTS", tmp_path_factory.mktemp("transcripts"))
    client.request("evaluate", expression="stop")
    client.wait_for_event("stopped")
    client.request("threads")
    with pytest.raises(AssertionError, match=r"there is no .*example\.txt"):
        client.matches("example")
    monkeypatch.setenv("FIXCONT_WRITE_TRANSCRIPTS", "1")
    client.matches("example")
    monkeypatch.delenv("FIXCONT_WRITE_TRANSCRIPTS")
    client.matches("example")
    written = (support.dap_transcript.TRANSCRIPTS / "example.txt").read_text()

    assert written.splitlines() == [
        '--> request evaluate {"expression": "stop"}',
        '<-- event continued {"threadId": "thread 1"}',
        '<-- evaluate done {"result": "<f at 0xADDRESS> in FOLDER/a.py", "variablesReference": "variables 1"}',
        '<-- event stopped {"reason": "step", "threadId": "thread 1"}',
        "--> request threads",
        '<-- threads done {"threads": [{"id": "thread 1", "name": "MainThread"}]}',
        'stdout: "printed\\n"',
    ]


def test_what_differs_from_run_to_run_is_named() -> None:
    scrubber = Scrubber({"/tmp/x": "FOLDER"})
    body: dict[str, Any] = {
        "stackFrames": [
            {"id": 40, "name": "f", "moduleId": 7, "source": {"path": "/tmp/x/a.py", "sourceReference": 0}},
            {"id": 41, "name": "g", "source": {"path": os.__file__, "sourceReference": 9}},
        ]
    }
    assert scrubber.scrubbed(body) == {
        "stackFrames": [
            {"id": "frame 1", "name": "f", "moduleId": "module 1", "source": {"path": "FOLDER/a.py", "sourceReference": 0}},
            {"id": "frame 2", "name": "g", "source": {"path": "LIB/os.py", "sourceReference": "source 1"}},
        ]
    }
    assert scrubber.scrubbed({"frameId": 41}) == {"frameId": "frame 2"}
    assert scrubber.scrubbed({"error": {"id": 1200, "format": "after 0.53 seconds, process 12"}}) == {
        "error": {"id": 1200, "format": "after TIME seconds, process PID"}
    }
    assert scrubber.scrubbed({"hitBreakpointIds": [5], "systemProcessId": 99}) == {
        "hitBreakpointIds": ["breakpoint 1"],
        "systemProcessId": "PID",
    }
    assert scrubber.scrubbed({"breakpoints": [{"id": 5, "verified": True, "line": 5}]})["breakpoints"][0]["id"] == "breakpoint 1"


def test_which_side_was_faster_makes_no_difference_to_a_golden_transcript() -> None:
    first = Entry(False, {"seq": 1, "type": "event", "event": "initialized"})
    asked = Entry(True, {"seq": 1, "type": "request", "command": "pause", "arguments": {"threadId": 1}}, after=1)
    other = Entry(False, {"seq": 2, "type": "event", "event": "thread", "body": {"threadId": 1, "reason": "started"}})
    done = Entry(False, {"seq": 3, "type": "response", "request_seq": 1, "success": True, "command": "pause"})

    text = golden([first, asked, other, done], {})
    assert golden([first, other, asked, done], {}) == text
    assert text.splitlines()[1] == '--> request pause {"threadId": "thread 1"}'


@pytest.mark.parametrize(
    ("message", "fault"),
    [
        ({"seq": 1, "type": "event", "event": "stopped", "body": {}}, "StoppedEvent.body: 'reason' is a required property"),
        ({"seq": 1, "type": "event", "event": "stopped", "body": {"reason": "restart", "threadId": 1}}, ""),
        ({"seq": 1, "type": "event", "event": "made up", "body": {"a": 1}}, ""),
        ({"seq": 1, "type": "event", "event": "hotcodereplace", "body": {"changeType": "END"}}, ""),
        ({"seq": 1, "type": "request", "command": "restartFrame"}, "RestartFrameRequest: 'arguments' is a required property"),
        ({"seq": 1, "type": "request", "command": "restartFrame", "arguments": {"frameId": 1, "mine": 2}}, ""),
        (
            {"seq": 1, "type": "response", "request_seq": 1, "success": False, "command": "next", "message": "", "body": {}},
            "ErrorResponse: an error without a message and body.error",
        ),
        (
            {
                "seq": 1,
                "type": "response",
                "request_seq": 1,
                "success": False,
                "command": "next",
                "message": "no",
                "body": {"error": {"id": 1, "format": "no {what}"}},
            },
            "ErrorResponse: no variables for ['what']",
        ),
        ([], "no object: []"),
    ],
)
def test_messages_are_checked_against_the_schema(message: Any, fault: str) -> None:
    assert fault_of(message) == fault
