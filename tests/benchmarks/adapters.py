"""A plain client for debug adapters, and the adapters that are compared: what it costs is the same for all of them."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any, Final

from fixcont_ui.dap.stream import Broken, Decoder, encode
from tests.benchmarks.measuring import ROOT

#: Name -> the words behind `python -m`.
FIXCONT: Final = ("fixcont.dap",)
DEBUGPY: Final = ("debugpy.adapter",)
_PATIENCE: Final = 60.0  # seconds for a message


class Ended(Exception):
    """The adapter has ended, or has answered with an error."""


class Driver:
    """Drives one debug adapter over its standard input and output, in the calling thread only. Use it in a `with` statement.

    Args:
        words: what runs behind `python -m`.
        environment: variables in addition.

    Attributes:
        process: the adapter's.
        events: those that nobody has waited for yet.
        debuggee: ident of the program's process, once it is known.
        hears: called with each event as it comes.
    """

    def __init__(self, words: Sequence[str], environment: Mapping[str, str] = {}) -> None:
        paths = os.pathsep.join((str(ROOT), str(ROOT / "ui")))
        ours = {name: value for name, value in os.environ.items() if name not in ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH")}
        path = {"PYTHONPATH": paths} if words == FIXCONT else {}
        self.process = subprocess.Popen(
            [sys.executable, "-m", *words],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0, env=ours | path | dict(environment),
        )  # fmt: skip
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self._in, self._out = self.process.stdin.fileno(), self.process.stdout.fileno()
        self._decoder = Decoder()
        self._ready: list[dict[str, Any] | Broken] = []
        self._seq = 0
        self._answers: dict[int, dict[str, Any]] = {}
        self.events: list[dict[str, Any]] = []
        self.hears: Callable[[dict[str, Any]], object] = lambda event: None
        self.debuggee = 0

    def __enter__(self) -> Driver:
        return self

    def __exit__(self, *exception: object) -> None:
        """End the session and the program."""
        with contextlib.suppress(Ended, OSError):
            self.request("disconnect", terminateDebuggee=True)
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def send(self, command: str, /, **arguments: Any) -> int:
        """Send a request. Returns its number."""
        self._seq += 1
        message = {"seq": self._seq, "type": "request", "command": command, "arguments": arguments}
        os.write(self._in, encode(message))
        return self._seq

    def request(self, command: str, /, **arguments: Any) -> dict[str, Any]:
        """Send a request and wait for the answer. Returns its body. Raises `Ended`."""
        return self.answer(self.send(command, **arguments))

    def answer(self, seq: int) -> dict[str, Any]:
        """Wait for the answer to a request. Returns its body. Raises `Ended`."""
        while seq not in self._answers:
            self._take()
        answer = self._answers.pop(seq)
        if not answer["success"]:
            raise Ended(f"{answer['command']}: {answer.get('message')} {json.dumps(answer.get('body'))}")
        return dict(answer.get("body") or {})

    def wait(self, name: str) -> dict[str, Any]:
        """Wait for the next event of this name. Returns its body."""
        while True:
            for index, event in enumerate(self.events):
                if event["event"] == name:
                    del self.events[: index + 1]
                    return dict(event.get("body") or {})
                if event["event"] == "terminated":
                    raise Ended(f"the program has ended without {name}")
            self._take()

    def begin(self, program: Path, lines: Sequence[int], **arguments: Any) -> None:
        """Launch a program with breakpoints on some lines, and let it run."""
        self.request("initialize", clientID="benchmark", adapterID="any", linesStartAt1=True, columnsStartAt1=True,
                     pathFormat="path", supportsVariableType=True, supportsVariablePaging=True)  # fmt: skip
        launched = self.send(
            "launch",
            program=str(program),
            cwd=str(program.parent),
            console="internalConsole",
            python=[sys.executable],
            **arguments,
        )
        self.wait("initialized")
        self.set_breakpoints(program, lines)
        self.request("setExceptionBreakpoints", filters=[])
        self.request("configurationDone")
        self.answer(launched)

    def set_breakpoints(self, program: Path, lines: Sequence[int]) -> None:
        """Set the breakpoints of a file."""
        self.request("setBreakpoints", source={"path": str(program)}, breakpoints=[{"line": line} for line in lines])

    def stopped(self) -> int:
        """Wait for the next stop. Returns the number of the thread."""
        return int(self.wait("stopped")["threadId"])

    def go_on(self, thread: int) -> int:
        """Let the program run to the next stop."""
        self.send("continue", threadId=thread)
        return self.stopped()

    def top(self, thread: int) -> dict[str, Any]:
        """Give the innermost frame."""
        return dict(self.request("stackTrace", threadId=thread, startFrame=0, levels=1)["stackFrames"][0])

    def locals(self, frame: int) -> list[dict[str, Any]]:
        """Give the variables of a frame's first scope."""
        scope = self.request("scopes", frameId=frame)["scopes"][0]
        return list(self.request("variables", variablesReference=scope["variablesReference"])["variables"])

    def seconds(self, command: str, /, **arguments: Any) -> float:
        """Give the time from a request to its answer."""
        begun = perf_counter()
        self.request(command, **arguments)
        return perf_counter() - begun

    def _take(self) -> None:
        """Take the next message in."""
        while not self._ready:
            if not select.select([self._out], [], [], _PATIENCE)[0]:
                raise Ended(f"nothing has come for {_PATIENCE:g} seconds")
            data = os.read(self._out, 1 << 18)
            if not data:
                raise Ended("the adapter has ended")
            self._ready = self._decoder.feed(data)
        message = self._ready.pop(0)
        if isinstance(message, Broken):
            raise Ended(f"no message: {message.reason}")
        if message["type"] == "response":
            self._answers[message["request_seq"]] = message
        elif message["type"] == "event":
            if message["event"] == "process":
                self.debuggee = int(message["body"]["systemProcessId"])
            self.events.append(message)
            self.hears(message)
