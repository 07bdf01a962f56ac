"""Debugging a program over the debug adapter, in real processes: what the tests of whole sessions have in common."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

from support.dap_client import Client
from support.programs import Program
from support.session import DEADLINE, child_environment

ADAPTER: Final = (sys.executable, "-m", "fixcont.dap")


class Over(NamedTuple):
    """How a program that was debugged ended: its exit status, and what it has printed."""

    status: int
    output: str


class Debugging:
    """A session with one program. Made by `launched` and `attached`.

    Attributes:
        client: the client's end.
        program: the program.
        pid: of the process that is debugged.
    """

    def __init__(self, client: Client, program: Program) -> None:
        self.client = client
        self.program = program
        self.pid = 0
        self.thread = 0  # of the stop that was waited for last

    def begin(self, kind: str, configure: Callable[[Client], object] = lambda client: None, **arguments: Any) -> None:
        """Begin the session; see `Client.start`."""
        self.client.start(kind, configure, **arguments)
        self.pid = self.client.wait_for_event("process")["systemProcessId"]

    def stopped(self, reason: str = "exception", at: str = "") -> dict[str, Any]:
        """Wait for the next stop, and check why and where (the label of a line) it is. Returns its innermost frame."""
        self.thread = self.client.stopped(reason)["threadId"]
        frame = self.frames()[0]
        if at:
            place = (frame["source"].get("path"), frame["line"])
            assert place == (str(self.program.path), self.program.line(at)), self.client.transcript
        return frame

    def frames(self) -> list[dict[str, Any]]:
        """Give the stack of the thread that stopped last."""
        return self.client.frames(self.thread)

    def frame(self, name: str) -> dict[str, Any]:
        """Give the innermost frame of a function, by the function's name or the end of its qualified name."""
        for frame in self.frames():
            shown = frame["name"].removesuffix(" (old version)")
            if shown == name or shown.endswith(f".{name}"):
                return frame
        raise AssertionError(f"no frame {name}\n{self.client.transcript}")

    def save(self, replace: Mapping[str, str]) -> dict[str, Any]:
        """Edit the program's file as an IDE does, and wait until the change is installed. Returns the event that tells of it."""
        self.program.edit(replace)
        return self.installed()

    def installed(self) -> dict[str, Any]:
        """Wait until a change is installed. Returns the event that tells of it."""
        return self.client.wait_for_event("hotcodereplace", {"changeType": "END"} | {})

    def kill(self) -> None:
        """End the program at once, where it runs: after a test that failed it might do so for ever."""
        for process in self.client.events("process"):
            with suppress(ProcessLookupError):
                os.kill(process["systemProcessId"], signal.SIGKILL)

    def go(self, command: str, frame: str = "", **arguments: Any) -> dict[str, Any]:
        """Leave the stop by a request about a frame: the innermost one, unless `frame` names a function."""
        number = (self.frame(frame) if frame else self.frames()[0])["id"]
        return self.client.request(command, frameId=number, **arguments)

    def run_on(self) -> None:
        """Let the thread that stopped last run."""
        self.client.request("continue", threadId=self.thread)

    def goto(self, label: str) -> None:
        """Go on at the line with a label, by `gotoTargets` and `goto`."""
        line = self.program.line(label)
        targets = self.client.request("gotoTargets", source={"path": str(self.program.path)}, line=line)["targets"]
        self.client.request("goto", threadId=self.thread, targetId=targets[0]["id"])

    def evaluate(self, expression: str, context: str = "repl", frame: str = "") -> str:
        """Evaluate in the innermost frame, or in that of a function. Returns the result as shown."""
        number = (self.frame(frame) if frame else self.frames()[0])["id"]
        shown: str = self.client.request("evaluate", expression=expression, frameId=number, context=context)["result"]
        return shown

    def over(self, status: int = 0) -> str:
        """Wait until the program has ended with that status. Returns its standard output."""
        found = self.client.wait_for_event("exited")["exitCode"]
        assert found == status, f"exit status {found}\n{self.client.transcript}"
        self.client.wait_for_event("terminated")
        self.client.no_event("stopped")
        return self.client.output()

    def ends_as_one_process(self, status: int = 0) -> str:
        """As `over`, for a program that prints "start PID" and "end PID": both are the process that was launched. These are left out."""
        output = self.over(status)
        assert re.findall(r"\b(?:start|end) (\d+)", output) == [str(self.pid)] * 2, self.client.transcript
        return re.sub(r"\b(?:start|end) \d+\n?", "", output)


@contextmanager
def launched(
    program: Program,
    configure: Callable[[Client], object] = lambda client: None,
    *,
    answers: Mapping[str, Callable[[Mapping[str, Any]], Mapping[str, Any]]] | None = None,
    environment: Mapping[str, str] | None = None,
    **arguments: Any,
) -> Iterator[Debugging]:
    """Start an adapter and have it launch a program.

    Args:
        program: the program, which is run as a script unless the arguments say otherwise.
        configure: sets breakpoints and the like.
        answers: what the client answers to requests of the adapter's.
        environment: changes of the adapter's environment.
        arguments: of `launch`.
    """
    given = {} if "module" in arguments else {"program": str(program.path)}
    with Client.stdio(ADAPTER, folder=program.folder, environment=environment) as client:
        client.answers.update(answers or {})
        session = Debugging(client, program)
        try:
            session.begin("launch", configure, **{**given, **arguments})
            yield session
        except BaseException:
            session.kill()
            raise
        if not client.sent("disconnect"):
            client.request("disconnect")


class Listening:
    """A program that runs under `fixcont --listen`, or that begins to listen by itself. Use it in a `with` statement.

    Attributes:
        process: its process.
        host: where it listens.
        port: where it listens.
        token: that it wants, "" for none.
    """

    def __init__(
        self,
        program: Program,
        options: Sequence[str] = ("--listen", "0"),
        *,
        launcher: Sequence[str] = ("-m", "fixcont"),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.process = subprocess.Popen(
            [sys.executable, *launcher, *options, str(program.path)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=program.folder,
            env=child_environment(environment),
            start_new_session=True,
        )
        self.output: list[str] = []
        self.errors: list[str] = []
        self._changed = threading.Condition()
        self._threads = [
            threading.Thread(target=self._read, args=(stream, lines), daemon=True)
            for stream, lines in ((self.process.stdout, self.output), (self.process.stderr, self.errors))
        ]
        for thread in self._threads:
            thread.start()
        self.host, self.port, self.token = "", 0, ""
        told = self.line(r"listening on (\S+):(\d+)(?:, token (\S+))?")
        self.host, self.port, self.token = told[1], int(told[2]), told[3] or ""

    def __enter__(self) -> Listening:
        return self

    def __exit__(self, *exception: object) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, 9)
        self.process.wait(DEADLINE)
        for thread in self._threads:
            thread.join(DEADLINE)
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()

    def line(self, pattern: str) -> re.Match[str]:
        """Wait until a line is printed that has `pattern` in it."""
        found: list[re.Match[str]] = []

        def look() -> bool:
            found[:] = [match for line in [*self.output, *self.errors] if (match := re.search(pattern, line))]
            return bool(found) or not any(thread.is_alive() for thread in self._threads)

        with self._changed:
            assert self._changed.wait_for(look, DEADLINE) and found, f"no line {pattern!r}\n{self.text}"
        return found[0]

    def over(self, status: int = 0) -> str:
        """Wait until it has ended with that status. Returns what it has printed."""
        found = self.process.wait(DEADLINE)
        for thread in self._threads:
            thread.join(DEADLINE)
        assert found == status, f"exit status {found}\n{self.text}"
        return "".join(self.output)

    @property
    def text(self) -> str:
        """All that it has written so far."""
        return f"--- output ---\n{''.join(self.output)}\n--- errors ---\n{''.join(self.errors)}"

    def _read(self, stream: Any, lines: list[str]) -> None:
        for line in stream:
            with self._changed:
                lines.append(line)
                self._changed.notify_all()
        with self._changed:
            self._changed.notify_all()


@contextmanager
def attached(listening: Listening, program: Program, *, through_adapter: bool = False, **arguments: Any) -> Iterator[Debugging]:
    """Attach to a program that listens, directly or through an adapter. The test disconnects, or the client does at the end."""
    if through_adapter:
        made = Client.stdio(ADAPTER, folder=program.folder)
        arguments = {"connect": {"host": listening.host, "port": listening.port}, **arguments}
    else:
        made = Client.connect(listening.host, listening.port)
    with made as client:
        session = Debugging(client, program)
        session.begin("attach", **arguments)
        yield session
        if not client.sent("disconnect") and not client.events("terminated"):
            client.request("disconnect")


def file_with(folder: Path, name: str, text: str) -> Path:
    """Write a file."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path
