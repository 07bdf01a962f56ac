"""Runs of messages at random against the adapter and against a program that listens: `python tests/support/dap_fuzz_run.py --help`.

A run brings the peer into one of the states of a session, sends a stream of messages made from a seed, and then asks whether everything is
as it should: each request was answered exactly once, the peer still answers, and the program ends as it would without anybody looking.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

if __name__ == "__main__":
    _root = Path(__file__).resolve().parent.parent.parent
    sys.path[:0] = [str(_root), str(_root / "ui"), str(_root / "tests")]

from fixcont_ui.dap.stream import Broken, Decoder, encode
from support.dap_fuzz import Fuzz
from support.session import child_environment

#: The states in which the messages come.
STATES: Final = ("connected", "initialized", "configuring", "held", "running")
#: Seconds for everything that is waited for.
_PATIENCE: Final = 30.0

_HELD: Final = """\
def inner(number):
    values = {"a": [number, (1, 2)], "b": "text"}
    return values["c"]

def outer():
    try:
        return inner(3)
    finally:
        print("the end")

outer()
"""

_RUNNING: Final = """\
import os
import sys
import time

def wait(name):
    while not os.path.exists(name):
        time.sleep(0.01)

wait(sys.argv[1])
print("the end")
"""

#: Requests that end the session or the program and so would end a run early, and `attach`, which may go to any process of the machine.
_LEFT_OUT: Final = frozenset({"disconnect", "terminate", "terminateThreads", "restart", "attach"})
#: Requests that change what the program does, where they succeed.
_CHANGING: Final = frozenset({"restartFrame", "goto", "setVariable", "setExpression", "evaluate"})


class Wrong(AssertionError):
    """The peer has done what it must not. The message says what, and from which seed."""


class Peer:
    """One connection with a buffer each way, so that neither side waits for the other for ever.

    Args:
        send: takes bytes, as many as it can, and says how many.
        receive: gives bytes, b"" at the end.
        files: to be waited on: what is read, and what is written.

    Attributes:
        answers: seq of a request -> how often it was answered.
        is_over: whether the peer has closed the connection.
        received: how many messages have come.
    """

    def __init__(self, send: Callable[[bytes], int], receive: Callable[[], bytes], reads: Any, writes: Any) -> None:
        self._send, self._receive, self._reads, self._writes = send, receive, reads, writes
        self._decoder = Decoder()
        self.answers: Counter[int] = Counter()
        self.responses: dict[int, Mapping[str, Any]] = {}
        self.events: list[Mapping[str, Any]] = []
        self.is_over = False
        self.received = 0

    def write(self, data: bytes) -> None:
        """Send bytes, and take in what comes meanwhile."""
        end = time.monotonic() + _PATIENCE
        while data and not self.is_over:
            with selectors.DefaultSelector() as ready:
                ready.register(self._reads, selectors.EVENT_READ, "read")
                if self._writes is self._reads:
                    ready.modify(self._reads, selectors.EVENT_READ | selectors.EVENT_WRITE, "both")
                else:
                    ready.register(self._writes, selectors.EVENT_WRITE, "write")
                found = ready.select(max(0.0, end - time.monotonic()))
            if not found:
                raise Wrong("the peer takes no more bytes")
            for _, events in found:
                if events & selectors.EVENT_READ:
                    self._take()
                if events & selectors.EVENT_WRITE and not self.is_over:
                    try:
                        data = data[self._send(data) :]
                    except OSError:
                        self._drain()
                        return

    def wait(self, done: Callable[[], bool], what: str) -> None:
        """Take in messages until something is so. Raises `Wrong` after a time."""
        end = time.monotonic() + _PATIENCE
        while not done() and not self.is_over:
            with selectors.DefaultSelector() as ready:
                ready.register(self._reads, selectors.EVENT_READ)
                if not ready.select(max(0.0, end - time.monotonic())):
                    raise Wrong(f"no {what} within {_PATIENCE:g} seconds")
            self._take()

    def request(self, seq: int, command: str, arguments: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        """Send a right request and wait for its answer. Returns that, {} where the peer is gone."""
        self.write(encode({"seq": seq, "type": "request", "command": command, "arguments": arguments or {}}))
        self.wait(lambda: seq in self.responses, f"answer to {command}")
        return self.responses.get(seq, {})

    def wait_for_event(self, name: str) -> Mapping[str, Any]:
        """Wait for an event, which may have come."""
        self.wait(lambda: any(event["event"] == name for event in self.events), f"event {name}")
        return next((event for event in self.events if event["event"] == name), {})

    def wait_for_end(self) -> None:
        """Wait until the peer has closed the connection."""
        self.wait(lambda: False, "end of the connection")

    def _drain(self) -> None:
        with contextlib.suppress(OSError):
            while not self.is_over:
                self._take()

    def _take(self) -> None:
        try:
            data = self._receive()
        except OSError:
            data = b""
        if not data:
            self.is_over = True
        for message in self._decoder.feed(data):
            if isinstance(message, Broken):
                raise Wrong(f"the peer sends what is no message: {message.reason}")
            self.received += 1
            if message["type"] == "response":
                self.answers[message["request_seq"]] += 1
                self.responses[message["request_seq"]] = message
            elif message["type"] == "event":
                self.events.append(message)


def stream(fuzz: Fuzz, count: int, first: int) -> bytes:
    """Make `count` messages with numbers from `first` on: most of them right, the others slightly wrong or broken."""
    data = bytearray()
    for seq in range(first, first + count):
        kind = fuzz.random.random()
        if kind >= 0.92:
            data += fuzz.broken_bytes()
            continue
        message = fuzz.request(seq) if kind < 0.6 else fuzz.wrong_request(seq)
        if str(message.get("command")) not in _LEFT_OUT:
            data += encode(message)
    return bytes(data)


def expected(data: bytes) -> Counter[int]:
    """Give the numbers of the requests that a peer finds in bytes, each as often as it is there."""
    return Counter(
        each["seq"]
        for each in Decoder().feed(data)
        if isinstance(each, dict)
        and each.get("type") == "request"
        and type(each.get("seq")) is int
        and isinstance(each.get("command"), str)
    )


class Run:
    """One run.

    Args:
        kind: "adapter" or "listening".
        state: one of `STATES`.
        seed: of the messages.
        count: how many messages.
        folder: for the program.

    Attributes:
        sent: how many requests had to be answered.
        peer: who they were sent to.
    """

    def __init__(self, kind: str, state: str, seed: int, count: int, folder: Path) -> None:
        self.kind, self.state, self.seed, self.count = kind, state, seed, count
        self.folder = folder
        self.sent = 0
        self._flag = folder / f"go-{seed}"
        self._program = folder / f"program_{state}.py"
        self._program.write_text(_HELD if state == "held" else _RUNNING)
        self._process: subprocess.Popen[bytes]
        self.peer: Peer
        self._address = ("", 0)

    def run(self) -> None:
        """Run it. Raises `Wrong` where something is not as it should."""
        try:
            self._start()
            self._reach_state()
            self._send()
            self._finish()
        except Wrong as wrong:
            raise Wrong(f"{self.kind}, {self.state}, seed {self.seed}: {wrong}") from None
        finally:
            self._kill()

    def _start(self) -> None:
        if self.kind == "adapter":
            command = [sys.executable, "-m", "fixcont.dap"]
        else:
            command = [sys.executable, "-m", "fixcont", "--listen", "0", "--wait-for-client", str(self._program), str(self._flag)]
        self._log = (self.folder / f"errors-{self.seed}").open("w+b")
        listens = self.kind == "listening"
        self._process = subprocess.Popen(
            command, cwd=self.folder, env=child_environment({}), start_new_session=True, bufsize=0,
            stdin=subprocess.DEVNULL if listens else subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE if listens else self._log,
        )  # fmt: skip
        if listens:
            assert self._process.stderr is not None
            line = self._process.stderr.readline().decode()
            host, _, port = line.strip().rpartition(" ")[2].rpartition(":")
            self._address = (host, int(port))
            self.peer = self._connected()
            return
        reads, writes = self._process.stdout, self._process.stdin
        assert reads is not None
        assert writes is not None
        os.set_blocking(writes.fileno(), False)
        self.peer = Peer(
            lambda data: os.write(writes.fileno(), data[:65536]), lambda: os.read(reads.fileno(), 65536), reads, writes
        )

    def _connected(self) -> Peer:
        self._socket = socket.create_connection(self._address, _PATIENCE)
        self._socket.setblocking(False)
        connection = self._socket
        return Peer(connection.send, lambda: connection.recv(65536), connection, connection)

    def _reach_state(self) -> None:
        if self.state == "connected":
            return
        self.peer.request(-1, "initialize", {"adapterID": "fixcont", "supportsVariablePaging": True})
        if self.state == "initialized":
            return
        self._begin(self.peer, -2)
        if self.state == "configuring":
            return
        self._must(self.peer.request(-3, "configurationDone"))
        if self.state == "held":
            self.peer.wait_for_event("stopped")

    def _begin(self, peer: Peer, seq: int) -> None:
        """Launch the program or attach to it. The answer may come only later."""
        command = "launch" if self.kind == "adapter" else "attach"
        arguments = {"program": str(self._program), "args": [str(self._flag)]} if self.kind == "adapter" else {}
        peer.write(encode({"seq": seq, "type": "request", "command": command, "arguments": arguments}))
        peer.wait_for_event("initialized")

    def _must(self, answer: Mapping[str, Any]) -> None:
        if not answer.get("success"):
            raise Wrong(f"a right request was refused: {json.dumps(answer)}")

    def _send(self) -> None:
        """Send the messages, and wait until each request among them is answered."""
        data = stream(Fuzz(self.seed), self.count, 1)
        wanted = expected(data)
        wanted.pop(0, None)  # number 0 stands for what is no request
        self.sent = sum(wanted.values())
        before = self.peer.answers.copy()
        self.peer.write(data)

        def answered() -> bool:
            return all((self.peer.answers - before)[seq] >= times for seq, times in wanted.items())

        try:
            self.peer.wait(answered, "answers")
        except Wrong:
            missing = wanted - (self.peer.answers - before)
            named = [
                each
                for each in Decoder().feed(data)
                if isinstance(each, dict) and type(each.get("seq")) is int and each["seq"] in missing
            ]
            raise Wrong(f"not answered: {json.dumps(named)[:2000]}") from None
        more = self.peer.answers - before - wanted
        more = Counter({seq: times for seq, times in more.items() if seq > 0 or seq in wanted})  # ours have numbers below
        if more and not self.peer.is_over:
            raise Wrong(f"answered more often than asked: {dict(more)}")

    def _finish(self) -> None:
        self._flag.touch()
        if self.kind == "adapter":
            if not self.peer.is_over:
                self.peer.request(-9, "disconnect", {"terminateDebuggee": False})
            assert self._process.stdin is not None
            self._process.stdin.close()
            self.peer.wait_for_end()
            self._ends(0)
            return
        self._socket.close()
        self._let_go()
        self._ends(None)

    def _let_go(self) -> None:
        """Connect once more, and disconnect as it is meant to be: what is held goes on."""
        for _ in range(100):
            if self._process.poll() is not None:
                return
            try:
                peer = self._connected()
            except OSError:
                return  # the program has ended meanwhile
            peer.request(-1, "initialize", {"adapterID": "fixcont"})
            answer = peer.request(-2, "attach")
            if answer.get("success"):
                peer.request(-3, "configurationDone")
                peer.request(-4, "disconnect", {"terminateDebuggee": False})
            self._socket.close()
            if answer.get("success") or peer.is_over:
                return
        raise Wrong("another client cannot connect")

    def _ends(self, status: int | None) -> None:
        try:
            output = self._process.communicate(timeout=_PATIENCE)[0] if self.kind == "listening" else b""
            found = self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            raise Wrong("it does not end") from None
        if found < 0 or (status is not None and found != status):
            raise Wrong(f"it ended with status {found}: {self._errors()}")
        if self.kind == "listening" and not self._was_changed() and b"the end" not in output:
            raise Wrong(f"the program did not come to its end: status {found}, {output!r}")
        if "fault of fixcont" in self._errors():
            raise Wrong(self._errors())

    def _was_changed(self) -> bool:
        """Tell whether a request may have changed what the program does."""
        return any(
            answer["success"] and (answer["command"] in _CHANGING or answer["command"].startswith("fixcont/"))
            for answer in self.peer.responses.values()
        )

    def _errors(self) -> str:
        self._log.seek(0)
        told = [event["body"]["output"] for event in self.peer.events if event["event"] == "output"]
        return self._log.read().decode("utf-8", "replace") + "".join(told)

    def _kill(self) -> None:
        with contextlib.suppress(OSError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for file in (self._process.stdin, self._process.stdout, self._process.stderr, self._log):
            if file is not None:
                with contextlib.suppress(OSError):
                    file.close()
        if self.kind == "listening":
            self._socket.close()


def main() -> int:
    """Run as many as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0])
    parser.add_argument("--seed", type=int, default=0, help="of the first run")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--count", type=int, default=150, help="messages in a run")
    parser.add_argument("--kind", choices=("adapter", "listening"), action="append")
    parser.add_argument("--state", choices=STATES, action="append")
    options = parser.parse_args()
    kinds, states = options.kind or ("adapter", "listening"), options.state or STATES
    messages = answers = failed = 0
    with tempfile.TemporaryDirectory(prefix="dap-fuzz-") as folder:
        for seed in range(options.seed, options.seed + options.runs):
            run = Run(kinds[seed % len(kinds)], states[seed // len(kinds) % len(states)], seed, options.count, Path(folder))
            try:
                run.run()
            except Wrong as wrong:
                failed += 1
                print(wrong, flush=True)
            messages += options.count
            answers += run.sent
    print(f"{messages} messages, {answers} of them requests with a number, in {options.runs} runs; {failed} failed")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
