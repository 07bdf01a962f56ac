"""Debug sessions in real processes: start a program under fixcont, talk to its prompt, and see how it ends."""

from __future__ import annotations

import errno
import fcntl
import os
import pty
import re
import selectors
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal

from support import stacks
from support.programs import Program

PROMPT = "(fixcont) "

#: Seconds to wait for what must come. Long, because a loaded machine is no fault of ours; reached only when a test fails.
DEADLINE = float(os.environ.get("FIXCONT_TEST_DEADLINE", "90"))

_REPAIRS = re.compile(
    r"^(?:repaired|changed) .* \(\d+ patch(?:es)?\)\n(?:(?:[-+@ \\]|the diff |there is no diff).*\n|\n)*\Z", re.MULTILINE
)

_REPOSITORY = Path(__file__).resolve().parent.parent.parent
_SOURCE_ROOTS = (_REPOSITORY, _REPOSITORY / "ui")


@dataclass(frozen=True)
class Ended:
    """How a process ended: its exit status (negative for a signal), and all that it wrote.

    Attributes:
        repairs: what fixcont said at the very end of what was repaired, "" where it said nothing. It is left out of the others.
    """

    status: int
    output: str
    errors: str
    repairs: str = ""

    @classmethod
    def of(cls, status: int, output: str, errors: str) -> Ended:
        """Take what fixcont said at the end out of the stream that it was said on: in a terminal there is but one."""
        said = _REPAIRS.search(errors)
        if said is not None:
            return cls(status, output, errors[: said.start()], said[0])
        said = _REPAIRS.search(output)
        return cls(status, output[: said.start()], errors, said[0]) if said is not None else cls(status, output, errors)


class DebugSession:
    """A program that runs under `python -m fixcont` in a process of its own.

    With `kind="pipe"` its standard streams are three pipes. With `kind="terminal"` they are one terminal, so that
    `errors` stays empty and what is typed may be echoed. Use it in a `with` statement, and end it with `finish`,
    which is where the exit status comes from; leaving the block with the process alive is a failure of the test.

    Every wait is for output or for the end of the process, with `DEADLINE`; what fails shows the whole transcript.
    """

    def __init__(
        self,
        program: Program | Sequence[str],
        args: Sequence[str] = (),
        options: Sequence[str] = (),
        *,
        kind: Literal["pipe", "terminal"] = "pipe",
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
        launcher: Sequence[str] = ("-m", "fixcont"),
    ) -> None:
        target = [os.fspath(program.path)] if isinstance(program, Program) else list(program)
        if folder is None and isinstance(program, Program):
            folder = program.folder
        self._transcript = ""
        self._received = {"output": b"", "errors": b""}
        self._read_to = 0
        self._is_waiting = True  # nothing was typed, and the input did not end, since the last prompt
        self._ended: Ended | None = None
        self._process: subprocess.Popen[bytes]
        self._stdin: int  # file descriptor that we write to; -1 once it is closed
        self._descriptors: dict[int, str]  # file descriptor that we read from -> "output" or "errors"
        self._selector = selectors.DefaultSelector()
        command = [sys.executable, *launcher, *options, *target, *args]
        if kind == "terminal":
            self._start_in_terminal(command, folder, child_environment(environment))
        else:
            self._start_with_pipes(command, folder, child_environment(environment))

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def output(self) -> str:
        """All that the process has written to standard output so far."""
        return _text(self._received["output"])

    @property
    def errors(self) -> str:
        """All that the process has written to standard error so far."""
        return _text(self._received["errors"])

    def __enter__(self) -> DebugSession:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        left_running = self._ended is None
        if left_running:
            self._process.kill()
            self._process.wait()
        for key in list(self._selector.get_map().values()):
            self._selector.unregister(key.fileobj)
        self._selector.close()
        for descriptor in {self._stdin, *self._descriptors}:
            _close(descriptor)
        if left_running and error is None:
            raise AssertionError(self._failure("the test left the session without finish()"))

    def expect(self, pattern: str) -> str:
        """Wait until `pattern`, a regular expression, is found in the unread output.

        Returns the text from where the last call ended up to the end of the match.
        """
        found = self._wait_for(re.compile(pattern, re.DOTALL | re.MULTILINE))
        if found is None:
            raise AssertionError(self._failure(f"{pattern!r} did not come before the output ended"))
        return found

    def stop(self) -> str:
        """Wait for the prompt. Returns all the output before it that was not read yet."""
        return self.expect(re.escape(PROMPT))[: -len(PROMPT)]

    def command(self, line: str) -> str:
        """Type `line` at the prompt. Returns what comes before the next prompt, or before the end of the output."""
        self.send(line)
        found = self._wait_for(re.compile(re.escape(PROMPT)))
        return found[: -len(PROMPT)] if found is not None else self._unread()

    def send(self, line: str) -> None:
        """Type `line` and wait for nothing."""
        self._transcript += f"«{line}»\n"
        self._is_waiting = False
        os.write(self._stdin, (line + "\n").encode())

    def type(self, keys: str) -> None:
        """Type keys, without an end of the line."""
        self._transcript += f"«{keys!r}»\n"
        self._is_waiting = False
        os.write(self._stdin, keys.encode())

    def interrupt(self) -> None:
        """Send what Ctrl-C sends."""
        self._process.send_signal(signal.SIGINT)

    def end_input(self) -> None:
        """Close standard input: its end is what the program reads next."""
        self._is_waiting = False
        if self._stdin not in self._descriptors:
            _close(self._stdin)
            self._stdin = -1
        else:
            os.write(self._stdin, b"\x04")

    def finish(self) -> Ended:
        """Let the program run to its end. Returns how it ended; at a prompt that still waits the test fails."""
        if self._ended is None:
            is_read = self._read_to == len(self.output)
            if self._selector.get_map() and is_read and self.output.endswith(PROMPT) and self._is_waiting:
                raise AssertionError(self._failure("the program waits at a prompt instead of ending"))
            self._read_until_closed()
            try:
                status = self._process.wait(DEADLINE)
            except subprocess.TimeoutExpired:
                raise AssertionError(self._failure("the process did not end")) from None
            self._ended = Ended.of(status, self.output, self.errors)
        return self._ended

    def _start_with_pipes(self, command: Sequence[str], folder: Path | None, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder,
            env=environment,
            start_new_session=True,
        )
        process = self._process
        assert process.stdin is not None and process.stdout is not None and process.stderr is not None
        self._stdin = _own(process.stdin.fileno())
        self._descriptors = {_own(process.stdout.fileno()): "output", _own(process.stderr.fileno()): "errors"}
        for stream in (process.stdin, process.stdout, process.stderr):
            stream.close()
        self._register()

    def _start_in_terminal(self, command: Sequence[str], folder: Path | None, environment: Mapping[str, str]) -> None:
        ours, theirs = pty.openpty()
        # Wide, so that no line is wrapped; without echo, so that only a line editor shows what is typed.
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 300, 0, 0))
        attributes = termios.tcgetattr(theirs)
        attributes[3] &= ~termios.ECHO
        termios.tcsetattr(theirs, termios.TCSANOW, attributes)
        self._process = subprocess.Popen(
            command,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=folder,
            env={**environment, "TERM": "dumb"},
            start_new_session=True,
        )
        os.close(theirs)
        self._stdin = ours
        self._descriptors = {ours: "output"}
        self._register()

    def _register(self) -> None:
        for descriptor in self._descriptors:
            self._selector.register(descriptor, selectors.EVENT_READ)

    def _unread(self) -> str:
        text = self.output[self._read_to :]
        self._read_to += len(text)
        return text

    def _wait_for(self, pattern: re.Pattern[str]) -> str | None:
        end = time.monotonic() + DEADLINE
        while True:
            match = pattern.search(self.output, self._read_to)
            if match is not None:
                text = self.output[self._read_to : match.end()]
                self._read_to = match.end()
                self._is_waiting = True
                return text
            if not self._receive(end, f"{pattern.pattern!r} did not come"):
                return None

    def _read_until_closed(self) -> None:
        end = time.monotonic() + DEADLINE
        while self._receive(end, "the process did not end"):
            waiting = self.output[self._read_to :].endswith(PROMPT)
            if waiting and self._stdin != -1 and not self._receive_soon():
                raise AssertionError(self._failure("the program waits at a prompt instead of ending"))

    def _receive_soon(self) -> bool:
        """Tell whether more output comes in a while, or its end came: it does where a command was sent ahead; else the test is about to fail."""
        return not self._selector.get_map() or bool(self._selector.select(5))

    def _receive(self, end: float, what: str) -> bool:
        """Take in the next piece of output. Returns whether any stream is still open; fails with `what` at the time `end`."""
        if not self._selector.get_map():
            return False
        if not self._take_in(max(0.0, end - time.monotonic())):
            stacks.tell_children(self.pid)
            stacks.tell(self.pid)
            while self._selector.get_map() and self._take_in(2):
                pass
            raise AssertionError(self._failure(f"{what} within {DEADLINE:g} seconds"))
        return True

    def _take_in(self, seconds: float) -> bool:
        """Wait for output for so long. Returns whether there was any, or the end of a stream."""
        events = self._selector.select(seconds)
        for key, _ in events:
            assert isinstance(key.fileobj, int)
            piece = _read(key.fileobj)
            if not piece:
                self._selector.unregister(key.fileobj)
            stream = self._descriptors[key.fileobj]
            self._received[stream] += piece
            self._transcript += _text(piece)
        return bool(events)

    def _failure(self, what: str) -> str:
        return f"{what}\n--- transcript of process {self.pid} ---\n{self._transcript}\n--- end of transcript ---"


def run_python(
    arguments: Sequence[str | Path], *, folder: Path | None = None, environment: Mapping[str, str] | None = None, stdin: str = ""
) -> Ended:
    """Run the same interpreter, without fixcont unless the arguments say so, to its end."""
    done = subprocess.run(
        [sys.executable, *(os.fspath(argument) for argument in arguments)],
        input=stdin,
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=folder,
        env=child_environment(environment),
        timeout=DEADLINE,
        check=False,
    )
    return Ended.of(done.returncode, done.stdout, done.stderr)


def run_fixcont(
    arguments: Sequence[str | Path], *, folder: Path | None = None, environment: Mapping[str, str] | None = None, stdin: str = ""
) -> Ended:
    """Run `python -m fixcont` to its end, with `stdin` as its whole standard input."""
    return run_python(["-m", "fixcont", *arguments], folder=folder, environment=environment, stdin=stdin)


def child_environment(changes: Mapping[str, str] | None = None) -> dict[str, str]:
    """Give the environment for a child: ours, without what would change its behaviour, with `changes`."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    for name in ("VISUAL", "EDITOR", "COLUMNS", "LINES", "FORCE_COLOR"):
        environment.pop(name, None)
    environment["NO_COLOR"] = "1"
    environment["PYTHONIOENCODING"] = "utf-8"
    environment["PYTHONFAULTHANDLER"] = "1"
    environment["PYTHONPATH"] = os.pathsep.join(map(os.fspath, _SOURCE_ROOTS))
    environment.update(changes or {})
    return environment


def _own(descriptor: int) -> int:
    """Duplicate `descriptor`, so that its life is ours and not that of the stream object."""
    return os.dup(descriptor)


def _read(descriptor: int) -> bytes:
    """Read what is there; b"" at the end, which a terminal whose other side has closed reports as an error."""
    try:
        return os.read(descriptor, 65536)
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        return b""


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace").replace("\r\n", "\n")


def _close(descriptor: int) -> None:
    if descriptor != -1:
        try:
            os.close(descriptor)
        except OSError as error:
            if error.errno != errno.EBADF:
                raise
