"""A client that has stopped reading altogether, while the program is held and answers and events pile up: nothing waits for it."""

from __future__ import annotations

import os
import socket
import subprocess
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Final

import pytest

from fixcont_ui.dap import channel as channels
from fixcont_ui.dap import messages
from fixcont_ui.dap.channel import Channel
from fixcont_ui.dap.loop import Loop
from fixcont_ui.dap.stream import Decoder, encode
from support.dap_session import ADAPTER
from support.programs import write_program
from support.session import DEADLINE, child_environment

# A thread prints while the main thread is held; then it says so in a pipe, which stays open until the process ends.
PRINTS: Final = """
import threading
def chatter():
    for number in range(20000):
        print("line", number, "x" * 100)
    told = open("told", "w")
    print("all", file=told, flush=True)
    threading.Event().wait()
threading.Thread(target=chatter).start()
int("x")  # @fails
"""


class Silent:
    """A client that reads only as long as it waits for something."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            ADAPTER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=folder, env=child_environment(None)
        )
        self._decoder = Decoder()
        self._ready: list[Any] = []
        self._seq = 0

    def send(self, command: str, **arguments: Any) -> None:
        self._seq += 1
        assert self.process.stdin is not None
        data = encode({"seq": self._seq, "type": "request", "command": command, "arguments": arguments})
        assert os.write(self.process.stdin.fileno(), data) == len(data)

    def wait(self, event: str) -> dict[str, Any]:
        assert self.process.stdout is not None
        while True:
            while not self._ready:
                self._ready = self._decoder.feed(os.read(self.process.stdout.fileno(), 65536))
            message = self._ready.pop(0)
            if message.get("event") == event:
                return dict(message.get("body") or {})


def test_a_held_program_is_neither_held_up_nor_kept_by_a_client_that_reads_nothing(tmp_path: Path) -> None:
    program = write_program(tmp_path / "program", PRINTS)
    os.mkfifo(program.folder / "told")
    client = Silent(program.folder)
    client.send("initialize", adapterID="fixcont")
    client.send("launch", program=str(program.path), cwd=str(program.folder))
    client.wait("initialized")
    client.send("configurationDone")
    thread = client.wait("stopped")["threadId"]
    for _ in range(3000):  # some megabytes of answers, which nobody reads
        client.send("stackTrace", threadId=thread)
        client.send("modules")
    with open(program.folder / "told") as told:  # there is somebody at the other end only once all is printed
        assert told.readline() == "all\n"
        client.send("disconnect", terminateDebuggee=True)
        assert told.read() == ""  # the process has ended
    client.process.stdin.close()  # type: ignore[union-attr]
    client.process.stdout.close()  # type: ignore[union-attr]
    assert client.process.wait(DEADLINE) == 0


def test_what_waits_for_a_client_in_the_program_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channels, "_PATIENCE", 1_000_000)
    ours, theirs = socket.socketpair()
    closed: list[bool] = []

    def failed(error: BaseException) -> None:
        raise error

    loop = Loop(failed, nullcontext)

    def gone() -> None:
        closed.append(channel.is_open)
        loop.stop()

    channel = Channel(loop, ours, lambda message: None, gone)
    event = messages.event("output", {"output": "x" * 10_000})
    for _ in range(1000):
        channel.send(event)
    loop.run()  # it ends, as the client counts as gone
    assert closed == [False]
    channel.send(event)
    assert not channel._waiting
    theirs.close()
