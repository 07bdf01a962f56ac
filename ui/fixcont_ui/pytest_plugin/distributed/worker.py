"""The worker's end: its prompt, which talks through the controller, and what it tells of its repairs."""

from __future__ import annotations

import base64
import io
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from fixcont.continuing.ways import Propagate, QuitProgram, Way
from fixcont.errors import Refusal
from fixcont.stopping.stop import Stop
from fixcont_ui import wording
from fixcont_ui.pytest_plugin.distributed.connection import Connection, Message
from fixcont_ui.pytest_plugin.repairs import ENDED, Repairs
from fixcont_ui.streams import Streams

if TYPE_CHECKING:
    from fixcont.session import Session
    from fixcont_ui.prompt import Prompt


class Controller:
    """The controller, as a worker knows it.

    Args:
        address: where it is, and what proves that this is a worker of its.
        name: of the worker.

    Attributes:
        is_over: whether it serves nobody any more.
        has_changes: whether another worker has installed an edit since this was set back.
    """

    def __init__(self, address: str, name: str) -> None:
        self.is_over = False
        self.has_changes = False
        self._address = address
        self._name = name
        self._connection: Connection | None = None

    def connect(self) -> None:
        """Connect to it, unless that was done."""
        if self._connection is not None or self.is_over:
            return
        port, _, token = self._address.partition(":")
        try:
            connected = socket.create_connection(("127.0.0.1", int(port)), timeout=20)
            connected.settimeout(None)
            self._connection = Connection(connected)
            self._connection.send("hello", token=token, name=self._name, pid=os.getpid())
        except (OSError, ValueError):
            self.is_over = True

    def send(self, kind: str, **fields: Any) -> bool:
        """Send a message. Returns False where nobody is there any more."""
        self.connect()
        return self._connection is not None and self._connection.send(kind, **fields)

    def ask(self, kind: str, *answers: str, **fields: Any) -> Message | None:
        """Send a message and wait for one of its answers. Returns None where the controller is gone, or serves nobody any more."""
        if self.is_over or not self.send(kind, **fields) or self._connection is None:
            return None
        while not self.is_over:
            message = self._connection.receive()
            if message is None:
                self.is_over = True
            elif message["kind"] in answers:
                return message
            else:
                self._take(message)
        return None

    def look(self) -> None:
        """Take what it has sent meanwhile."""
        while self._connection is not None and (message := self._connection.receive_now()) is not None:
            self._take(message)

    def _take(self, message: Message) -> None:
        self.has_changes |= message["kind"] == "changed"
        self.is_over |= message["kind"] == "over"


class TestsAtController:
    """Shows the stops of a worker at the controller's terminal, when its turn has come.

    Attributes:
        session: to be set before the first stop.
    """

    __test__ = False
    session: Session

    def __init__(self, controller: Controller, repairs: Repairs) -> None:
        self._controller = controller
        self._repairs = repairs
        self._prompt: Prompt | None = None
        self._has_turn = False
        self._output = _Output(controller)

    def stopped(self, stop: Stop) -> Way:
        way: Way = Propagate()
        try:
            if not self._has_turn and not self._begin_turn():
                return way
            with self._printing_there():
                way = self._get_prompt().stopped(stop)
            if stop.refusal_of(way) is not None:
                return way  # it keeps its turn: the same stop comes again
        except BaseException:
            self._end_turn(way)
            raise
        self._end_turn(way)
        return way

    def refused(self, refusal: Refusal) -> None:
        if self._has_turn:
            self._get_prompt().refused(refusal)

    def report(self, message: str) -> None:
        self._controller.send("say", text=message)

    def _begin_turn(self) -> bool:
        turn = self._controller.ask("stop", "turn", where=self._repairs.where())
        if turn is None:
            return False
        self._has_turn = True
        stdin = cast("Any", _Input(self._controller, self._output))
        streams = Streams(stdin, cast("Any", self._output), is_terminal=bool(turn.get("is_terminal")))
        self._get_prompt().use_streams(streams)
        return True

    @contextmanager
    def _printing_there(self) -> Iterator[None]:
        """Let what is evaluated print to the controller's terminal, in a block: standard output of a worker leads nowhere."""
        before, sys.stdout = sys.stdout, self._output
        try:
            yield
        finally:
            self._output.flush()
            if sys.stdout is self._output:
                sys.stdout = before

    def _end_turn(self, way: Way) -> None:
        if self._has_turn:
            self._has_turn = False
            self._controller.send("done", ends=isinstance(way, QuitProgram))

    def _get_prompt(self) -> Prompt:
        if self._prompt is None:
            self._prompt = _prompt_through(self._controller, self.session)
        return self._prompt


def _prompt_through(controller: Controller, session: Session) -> Prompt:
    from fixcont_ui.prompt import Prompt

    class PromptAtController(Prompt):
        """One that borrows the controller's terminal for the editor."""

        def open_editor(self, path: str, line: int) -> None:
            self.stdout.flush()
            controller.ask("lend", "lent")
            try:
                super().open_editor(path, line)
            finally:
                controller.send("back")

    return PromptAtController(session)


class _Output(io.TextIOBase):
    """What the prompt writes to."""

    def __init__(self, controller: Controller) -> None:
        super().__init__()
        self._controller = controller
        self._text = ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self._text += text
        if "\n" in text:
            self.flush()
        return len(text)

    def flush(self) -> None:
        text, self._text = self._text, ""
        if text:
            self._controller.send("out", text=text)


class _Input(io.TextIOBase):
    """What it reads from."""

    def __init__(self, controller: Controller, output: _Output) -> None:
        super().__init__()
        self._controller = controller
        self._output = output

    def readable(self) -> bool:
        return True

    def readline(self, size: int | None = -1) -> str:  # type: ignore[override]
        self._output.flush()
        answer = self._controller.ask("read", "line", "interrupt")
        if answer is not None and answer["kind"] == "interrupt":
            raise KeyboardInterrupt
        return "" if answer is None else str(answer.get("text", ""))


class Reporting:
    """Hooks around the tests of a worker."""

    def __init__(self, controller: Controller, repairs: Repairs) -> None:
        self._controller = controller
        self._repairs = repairs

    def begin_test(self, session: Any) -> None:
        """Install what other workers have installed, or end the run where it is over."""
        self._controller.look()
        if self._controller.is_over and not session.shouldstop:
            session.shouldstop = ENDED
        if self._controller.has_changes:
            self._controller.has_changes = False
            result = self._repairs.session.sources.install_changes()
            if not wording.is_current(result):
                self._controller.send("say", text="\n".join(wording.install_lines(result)))
            self._repairs.installed_elsewhere()

    def tell(self, *, waits: bool = False) -> None:
        """Tell the controller what was repaired so far."""
        passed = [[str(each.node), each.is_edited, sorted(each.by_hand), each.fails_after] for each in self._repairs.passed()]
        files = [
            {"path": path, "before": _text(before), "after": _text(after), "first": first, "last": last}
            for path, before, after, first, last in self._repairs.texts()
        ]
        if passed or files:
            self._controller.ask("state", "noted", passed=passed, files=files, waits=waits) if waits else self._controller.send(
                "state", passed=passed, files=files
            )


def _text(data: bytes | None) -> str | None:
    return None if data is None else base64.b64encode(data).decode()
