"""A small client for debug adapters, for tests: it checks every message both ways against the schema, and keeps them all."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, NamedTuple

from fixcont_ui.dap.stream import Broken, Decoder, encode
from support import stacks
from support.dap_schema import fault_of
from support.dap_transcript import Entry, compare, golden
from support.session import DEADLINE, Ended, child_environment

Matching = Mapping[str, Any] | Callable[[Mapping[str, Any]], bool] | None
Answer = Callable[[Mapping[str, Any]], Mapping[str, Any]]

_SHOWN: Final = 3000  # characters of one message in a failure


class Failed(Exception):
    """A request was answered by an error.

    Attributes:
        command: the request's command.
        message: the response's `message`.
        error: its `body.error`, {} where it has none.
        code: fixcont's code of the error, "" where it has none.
    """

    def __init__(self, command: str, response: Mapping[str, Any]) -> None:
        self.command = command
        self.message: str = response.get("message", "")
        self.error: Mapping[str, Any] = (response.get("body") or {}).get("error") or {}
        self.code: str = self.error.get("variables", {}).get("code", "")
        super().__init__(f"{command}: {self.code}: {self.message}")


class _Came(NamedTuple):
    """A message, and how many had come with it."""

    message: Mapping[str, Any]
    number: int


class Client:
    """One connection to a debug adapter. Use it in a `with` statement.

    A thread reads what comes. Whoever waits does so until `DEADLINE` (seconds) and fails with the whole transcript. Leaving the block
    without an exception checks that nothing was wrong with any message, that every request was answered, and that an adapter that was started
    ends when its input does.

    Attributes:
        entries: all messages in the order in which they were sent or came.
        answers: command of a request to the client -> what makes the response's body. It runs in the reading thread; what it raises
            becomes an error. Requests that are not in it are refused.
        folders: path -> the word for it in golden transcripts.
    """

    def __init__(
        self, output: Callable[[bytes], None], source: Callable[[], bytes], close: Callable[[], None], check: bool = True
    ) -> None:
        """Use `Client.stdio` or `Client.connect`."""
        self.entries: list[Entry] = []
        self.answers: dict[str, Answer] = {}
        self.folders: dict[str, str] = {}
        self.process: subprocess.Popen[bytes] | None = None
        self._output, self._source, self._close = output, source, close
        self._check = check
        self._faults: list[str] = []
        self._changed = threading.Condition()
        self._write_lock = threading.Lock()
        self._seq = 0
        self._last_received = 0
        self._sent: dict[int, str] = {}  # seq of a request that is not answered -> its command
        self._responses: dict[int, _Came] = {}
        self._events: list[_Came] = []  # those that nobody has waited for yet
        self._count = 0  # of messages that came
        self._waited_for = 0  # the count when the last one came that was waited for
        self._ended = False
        self._errors = b""
        self._threads = [threading.Thread(target=self._read, name="dap client", daemon=True)]

    @classmethod
    def stdio(
        cls,
        command: Sequence[str],
        *,
        folder: Path | None = None,
        environment: Mapping[str, str] | None = None,
        check: bool = True,
    ) -> Client:
        """Start an adapter that talks on its standard input and output.

        Args:
            command: what to run, for instance `[sys.executable, "-m", "fixcont.dap"]`.
            folder: its current folder, which golden transcripts call FOLDER.
            environment: changes of `child_environment()`.
            check: whether a message that does not fit the schema is a failure.
        """
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            cwd=folder,
            env=child_environment(environment),
            start_new_session=True,
        )
        stdin, stdout, stderr = process.stdin, process.stdout, process.stderr
        assert stdin is not None and stdout is not None and stderr is not None
        client = cls(lambda data: _write_all(stdin, data), lambda: stdout.read(65536) or b"", stdin.close, check)
        client.process = process
        if folder is not None:
            client.folders[os.path.realpath(folder)] = client.folders[os.fspath(folder)] = "FOLDER"
        client._threads.append(threading.Thread(target=client._read_errors, args=(stderr,), name="dap errors", daemon=True))
        return client._started()

    @classmethod
    def connect(cls, host: str, port: int, *, check: bool = True) -> Client:
        """Connect to a debuggee or adapter that listens already."""
        return cls.over(socket.create_connection((host, port), DEADLINE), check=check)

    @classmethod
    def over(cls, connection: socket.socket, *, check: bool = True) -> Client:
        """Talk over a connection that is there already, and is closed in the end."""
        connection.settimeout(None)

        def close() -> None:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()

        def receive() -> bytes:
            try:
                return connection.recv(65536)
            except OSError:
                return b""  # reset by the peer, or closed by us

        return cls(connection.sendall, receive, close, check)._started()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        try:
            if error is None:
                self.finish()
                self.check()
        finally:
            self.kill()
            self.close()
            for thread in self._threads:
                thread.join(DEADLINE)
            if self.process is not None:
                for stream in (self.process.stdout, self.process.stderr):
                    if stream is not None:
                        stream.close()

    # Sending

    def request(self, command: str, /, **arguments: Any) -> dict[str, Any]:
        """Send a request and wait for its response. Returns the body, {} where it has none.

        Raises:
            Failed: the response is an error.
        """
        return self.response(self.send(command, **arguments))

    def send(self, command: str, /, **arguments: Any) -> int:
        """Send a request without waiting. Returns its number, for `response`."""
        message: dict[str, Any] = {"type": "request", "command": command}
        if arguments:
            message["arguments"] = arguments
        return self.send_message(message)

    def send_message(self, message: Mapping[str, Any], *, check: bool = True, after: int | None = None) -> int:
        """Send a message as it is, with the next number where it has none. Returns its number.

        Args:
            message: the message.
            check: whether it must fit the schema; False for what is wrong on purpose.
            after: where it stands in golden transcripts (see `Entry`); None for behind what was waited for.
        """
        with self._write_lock:
            self._seq += 1
            message = {"seq": self._seq, **message}
            if check and (fault := fault_of(message)):
                raise AssertionError(f"the test sends what does not fit the schema: {fault}")
            seq = message["seq"]
            with self._changed:
                if message.get("type") == "request" and isinstance(seq, int):
                    self._sent[seq] = str(message.get("command"))
                self.entries.append(Entry(True, message, self._waited_for if after is None else after))
            self._send(encode(message))
        return seq if isinstance(seq, int) else 0

    def send_bytes(self, data: bytes) -> None:
        """Send bytes as they are."""
        with self._write_lock:
            with self._changed:
                self.entries.append(Entry(True, {"broken": repr(data[:200])}, self._waited_for))
            self._send(data)

    @contextlib.contextmanager
    def unchecked(self) -> Iterator[None]:
        """Do not check what comes in this block: answers to what had no number cannot have one."""
        before, self._check = self._check, False
        try:
            yield
        finally:
            self._check = before

    def close(self) -> None:
        """Close our side: an adapter sees the end of its input, a debuggee that the client is gone."""
        with contextlib.suppress(OSError):
            self._close()

    # Waiting

    def response(self, seq: int) -> dict[str, Any]:
        """Wait for the response to the request of this number. Returns its body, {} where it has none.

        Raises:
            Failed: the response is an error.
        """
        command = self._sent.get(seq, "the request")
        came = self._wait(lambda: self._responses.pop(seq, None), f"no response to {command} ({seq})")
        message = self._note(came)
        if not message["success"]:
            raise Failed(command, message)
        return dict(message.get("body") or {})

    def failure(self, command: str, /, **arguments: Any) -> Failed:
        """Send a request that must be answered by an error. Returns that."""
        try:
            body = self.request(command, **arguments)
        except Failed as failed:
            return failed
        raise AssertionError(self._failure(f"{command} did not fail, but gave {body}"))

    def wait_for_event(self, name: str, matching: Matching = None) -> dict[str, Any]:
        """Wait for the first event of this name that was not waited for before. Returns its body, {} where it has none.

        `matching`: attributes that the body must have, or a function of the body. Events that do not match stay for later.
        """
        what = f"no event {name}" + (f" with {dict(matching)}" if isinstance(matching, Mapping) else "")
        came = self._wait(lambda: self._take(name, matching), what)
        return dict(self._note(came).get("body") or {})

    def wait_until(self, condition: Callable[[], bool], otherwise: str) -> None:
        """Wait until a condition is true, which is asked again whenever a message has come."""
        self._wait(lambda: condition() or None, otherwise)

    def wait_for_end(self) -> None:
        """Wait until the other side has closed the connection."""
        self._wait(lambda: self._ended or None, "the other side did not close the connection", even_ended=True)

    def events(self, name: str) -> list[dict[str, Any]]:
        """Give the bodies of all events of this name so far, whether or not they were waited for."""
        with self._changed:
            found = [each.message for each in self.entries if not each.sent and each.message.get("event") == name]
        return [dict(message.get("body") or {}) for message in found]

    def sent(self, command: str) -> bool:
        """Tell whether a request of this command was sent."""
        with self._changed:
            return any(entry.sent and entry.message.get("command") == command for entry in self.entries)

    def output(self, category: str = "stdout") -> str:
        """Give what has come of the program's output so far."""
        return "".join(body["output"] for body in self.events("output") if body.get("category", "console") == category)

    def has_event(self, name: str) -> bool:
        """Tell whether an event of this name has come that was not waited for."""
        with self._changed:
            return any(event.get("event") == name for event, _ in self._events)

    def no_event(self, name: str) -> None:
        """Fail where an event of this name has come that was not waited for. Send a request first, behind which it would have come."""
        with self._changed:
            left = [event for event, _ in self._events if event.get("event") == name]
        assert not left, self._failure(f"there is an event {name}")

    # What sessions are made of

    def start(
        self, kind: str, /, configure: Callable[[Client], object] = lambda client: None, **arguments: Any
    ) -> dict[str, Any]:
        """Go through the beginning of a session: initialize, `kind` ("launch" or "attach"), `configure(self)`, configurationDone.

        Returns the capabilities.
        """
        capabilities = self.request(
            "initialize",
            clientID="test",
            adapterID="fixcont",
            pathFormat="path",
            linesStartAt1=True,
            columnsStartAt1=True,
            supportsVariableType=True,
            supportsVariablePaging=True,
            supportsInvalidatedEvent=True,
            supportsProgressReporting=True,
            supportsRunInTerminalRequest="runInTerminal" in self.answers,
        )
        started = self.send_message({"type": "request", "command": kind, "arguments": arguments})
        if not self._is_refused(started):
            self.wait_for_event("initialized")
        else:
            self.response(started)  # raises what it was refused for
        configure(self)
        self.request("configurationDone")
        self.response(started)
        return capabilities

    def stopped(self, reason: str = "") -> dict[str, Any]:
        """Wait for the next stop. Returns the event's body; fails where its reason is another than `reason`."""
        body = self.wait_for_event("stopped")
        assert reason in ("", body["reason"]), self._failure(f"stopped with {body}, not for {reason}")
        return body

    def frames(self, thread_id: int) -> list[dict[str, Any]]:
        """Give the stack of a thread that is held, the innermost frame first."""
        return list(self.request("stackTrace", threadId=thread_id)["stackFrames"])

    def variables(self, frame_id: int, scope: str = "Locals") -> dict[str, str]:
        """Give the variables of a frame's scope: name -> value as shown."""
        (found,) = [each for each in self.request("scopes", frameId=frame_id)["scopes"] if each["name"] == scope]
        rows = self.request("variables", variablesReference=found["variablesReference"])["variables"]
        return {row["name"]: row["value"] for row in rows}

    # The end

    def finish(self) -> Ended | None:
        """Close our side, and wait until an adapter that was started ends. Returns how it ended; None for a connection."""
        self.close()
        if self.process is None:
            return None
        try:
            status = self.process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            raise AssertionError(self._failure("the adapter did not end when its input did")) from None
        for thread in self._threads:
            thread.join(DEADLINE)
        return Ended(status, "", self.errors)

    def kill(self) -> None:
        """Kill an adapter that was started and still runs, and what runs in its process group."""
        if self.process is not None and self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def check(self) -> None:
        """Fail where a message was wrong, or a request was not answered."""
        with self._changed:
            faults = [*self._faults, *(f"{command} ({seq}) was not answered" for seq, command in self._sent.items())]
        assert not faults, self._failure("\n".join(faults))

    @property
    def errors(self) -> str:
        """What an adapter that was started has written to standard error so far."""
        return self._errors.decode("utf-8", "replace")

    # Transcripts

    @property
    def transcript(self) -> str:
        """All messages so far, a line for each."""
        with self._changed:
            entries = list(self.entries)
        return "\n".join(_shown(entry) for entry in entries)

    def matches(self, name: str) -> None:
        """Compare all messages so far with the golden transcript of that name, and fail where they differ.

        FIXCONT_WRITE_TRANSCRIPTS=1 in the environment writes it anew.
        """
        with self._changed:
            entries = list(self.entries)
        difference = compare(name, golden(entries, self.folders))
        assert not difference, self._failure(f"the messages are not those of {name}.txt:\n{difference}")

    # Inside

    def _started(self) -> Client:
        for thread in self._threads:
            thread.start()
        return self

    def _send(self, data: bytes) -> None:
        try:
            self._output(data)
        except (OSError, ValueError) as error:  # ValueError: closed by us
            raise AssertionError(self._failure(f"the other side does not take messages any more: {error}")) from error

    def _read(self) -> None:
        decoder = Decoder()
        while data := self._source():
            for message in decoder.feed(data):
                self._take_in(message)
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _take_in(self, message: dict[str, Any] | Broken) -> None:
        if isinstance(message, Broken):
            self._fault(f"something came that is no message: {message.reason}", {"broken": message.reason})
            return
        if self._check and (fault := fault_of(message)):
            self._fault(fault, message)
            return
        kind = message.get("type")
        with self._changed:
            self._keep(message)
            count = self._count
            if self._check and message.get("seq") != self._last_received + 1:
                self._faults.append(f"{message.get('seq')} comes behind number {self._last_received}")
            self._last_received = message.get("seq", 0)
            if kind == "response":
                self._take_response(message)
            elif kind == "event":
                self._events.append(_Came(message, count))
            self._changed.notify_all()
        if kind == "request":
            self._answer(message, count)

    def _take_response(self, message: Mapping[str, Any]) -> None:
        seq = message["request_seq"]
        command = self._sent.pop(seq, None)
        if command is None and self._check:
            self._faults.append(f"a response to {message.get('command')} ({seq}), which nobody waits for")
        elif command != message.get("command") and self._check:
            self._faults.append(f"the response to {command} says that it is one to {message.get('command')}")
        self._responses[seq] = _Came(message, self._count)

    def _keep(self, message: Mapping[str, Any]) -> None:
        self.entries.append(Entry(False, message))
        self._count += 1

    def _note(self, came: _Came) -> Mapping[str, Any]:
        """Note that a message was waited for, and give it."""
        with self._changed:
            self._waited_for = max(self._waited_for, came.number)
        return came.message

    def _fault(self, fault: str, message: Mapping[str, Any]) -> None:
        with self._changed:
            self._keep(message)
            self._faults.append(fault)
            self._changed.notify_all()

    def _answer(self, request: Mapping[str, Any], count: int) -> None:
        command = request["command"]
        answer: dict[str, Any] = {"type": "response", "request_seq": request["seq"], "command": command, "success": True}
        try:
            body = self.answers[command](request.get("arguments") or {})
            answer |= {"body": body} if body else {}
        except Exception as error:
            text = f"{type(error).__name__}: {error}"
            answer |= {
                "success": False,
                "message": text,
                "body": {"error": {"id": 1, "format": "{text}", "variables": {"text": text}}},
            }
        with contextlib.suppress(AssertionError):  # the other side is gone
            self.send_message(answer, check=False, after=count)

    def _read_errors(self, stream: IO[bytes]) -> None:
        while data := stream.read(65536):
            self._errors += data

    def _is_refused(self, started: int) -> bool:
        """Wait until it is clear whether a session begins: a refused one must not end in a wait for an event that cannot come."""

        def look() -> bool | None:
            response = self._responses.get(started)
            if response is not None and not response.message["success"]:
                return True
            return False if any(event["event"] == "initialized" for event, _ in self._events) else None

        return bool(self._wait(look, "neither the event initialized nor an error"))

    def _take(self, name: str, matching: Matching) -> _Came | None:
        for index, (event, _) in enumerate(self._events):
            if event.get("event") == name and _fits(event.get("body") or {}, matching):
                return self._events.pop(index)
        return None

    def _wait(self, look: Callable[[], Any], otherwise: str, *, even_ended: bool = False) -> Any:
        """Wait until `look` gives something else than None, and return that."""
        end = time.monotonic() + DEADLINE
        with self._changed:
            while True:
                found = look()
                if found is not None:
                    return found
                if self._faults:
                    raise AssertionError(self._failure(f"{otherwise}\n" + "\n".join(self._faults)))
                if self._ended and not even_ended:
                    raise AssertionError(self._failure(f"{otherwise}: the other side has closed the connection"))
                left = end - time.monotonic()
                if left <= 0:
                    self._have_hanging_told()
                    raise AssertionError(self._failure(f"{otherwise} within {DEADLINE:g} seconds"))
                self._changed.wait(left)

    def _have_hanging_told(self) -> None:
        """Have the program tell where it hangs, and then an adapter that was started."""
        if self.process is None:
            return
        stacks.tell_children(self.process.pid)
        self._changed.wait_for(lambda: self._ended, 2)
        stacks.tell(self.process.pid)
        self._changed.wait_for(lambda: self._ended, 2)

    def _failure(self, what: str) -> str:
        if self._ended and self.process is not None:
            self._threads[-1].join(1)  # what it has said last may not have come yet
        errors = f"\n--- standard error ---\n{self.errors}" if self._errors else ""
        return f"{what}\n--- messages ---\n{self.transcript}{errors}\n--- end ---"


def _fits(body: Mapping[str, Any], matching: Matching) -> bool:
    if matching is None:
        return True
    if callable(matching):
        return matching(body)
    return all(name in body and body[name] == value for name, value in matching.items())


def _write_all(stream: IO[bytes], data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[stream.write(view) :]


def _shown(entry: Entry) -> str:
    text = json.dumps(entry.message, ensure_ascii=False)
    text = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text)} characters)"
    return f"{'-->' if entry.sent else '<--'} {text}"
