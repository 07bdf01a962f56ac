"""The controller's end: where workers connect, which of them want to be served, and what they have told."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
from collections import deque
from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any, Final

from fixcont_ui.pytest_plugin.distributed.connection import Connection, Message

_HELLO: Final = 10.0  # seconds that who connects may take to say who he is
_HELLO_LENGTH: Final = 4096


class Worker:
    """One worker, as the controller knows it.

    Attributes:
        name: as pytest-xdist calls it.
        pid: of its process.
        connection: to it.
        where: the test that it has stopped in.
        state: what it told last of its repairs.
        is_gone: whether it is there no more.
    """

    def __init__(self, name: str, pid: int, connection: Connection) -> None:
        self.name = name
        self.pid = pid
        self.connection = connection
        self.where = ""
        self.state: Message = {}
        self.is_gone = False


class Host:
    """Where workers connect. Each is listened to in a thread of its own; what has to be seen by the user is left to the main thread.

    Args:
        call: called in one of these threads when there is something to be served or shown.

    Attributes:
        workers: all that ever were, in the order in which they came.
        waiting: those that want to be served, in the order in which they stopped.
        is_over: whether nobody is served any more.
        wake: a descriptor that can be read when a message of the served worker has come.
    """

    def __init__(self, call: Callable[[], object]) -> None:
        self.workers: Final[list[Worker]] = []
        self.waiting: Final[deque[Worker]] = deque()
        self.is_over = False
        self._call = call
        self._served: Worker | None = None
        self._messages: SimpleQueue[Message] = SimpleQueue()
        self._said: SimpleQueue[str] = SimpleQueue()
        self._lock: Final = Lock()
        self._token: Final = secrets.token_hex(16)
        self._listening: Final = socket.create_server(("127.0.0.1", 0))
        self.wake, self._wakes = os.pipe()
        os.set_blocking(self.wake, False)
        os.set_blocking(self._wakes, False)
        Thread(target=self._accept, daemon=True, name="fixcont-workers").start()

    @property
    def address(self) -> str:
        """What a worker needs to connect."""
        return f"{self._listening.getsockname()[1]}:{self._token}"

    def serve(self, worker: Worker) -> bool:
        """Let a worker's messages come to `message` from now on. Returns False where it is gone."""
        with self._lock:
            self._messages = SimpleQueue()
            self._served = None if worker.is_gone else worker
            return not worker.is_gone

    def leave(self) -> None:
        """Serve nobody any more."""
        with self._lock:
            self._served = None

    def message(self) -> Message | None:
        """Give the next message of the worker that is served, None where none has come. One that is gone has sent `done`."""
        with contextlib.suppress(BlockingIOError):
            os.read(self.wake, 4096)
        try:
            return self._messages.get_nowait()
        except Empty:
            return None

    def said(self) -> list[str]:
        """Give what workers have said since this was asked for last."""
        texts = []
        with contextlib.suppress(Empty):
            while True:
                texts.append(self._said.get_nowait())
        return texts

    def end(self) -> None:
        """Serve nobody from now on: who waits goes on as if nobody had looked."""
        with self._lock:
            self.is_over = True
            self.waiting.clear()
            workers = list(self.workers)
        for worker in workers:
            worker.connection.send("over")

    def close(self) -> None:
        """End it, and all connections."""
        self.end()
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for worker in self.workers:
            worker.connection.close()

    # In threads of its own.

    def _accept(self) -> None:
        while True:
            try:
                connected, _ = self._listening.accept()
            except OSError:
                return
            Thread(target=self._listen, args=(Connection(connected),), daemon=True, name="fixcont-worker").start()

    def _listen(self, connection: Connection) -> None:
        worker = self._known(connection)
        if worker is None:
            connection.close()
            return
        while (message := connection.receive()) is not None:
            self._came(worker, message)
        with self._lock:
            worker.is_gone = True
            if worker in self.waiting:
                self.waiting.remove(worker)
            self._pass(worker, {"kind": "done", "is_gone": True})

    def _known(self, connection: Connection) -> Worker | None:
        """Find out who has connected. Returns None where it is none of the workers."""
        connection.socket.settimeout(_HELLO)
        hello = connection.receive(_HELLO_LENGTH) or {}
        if not secrets.compare_digest(str(hello.get("token")).encode(), self._token.encode()):
            return None
        connection.socket.settimeout(None)
        worker = Worker(str(hello.get("name")), int(hello.get("pid", 0)), connection)
        with self._lock:
            self.workers.append(worker)
            is_over = self.is_over
        if is_over:
            connection.send("over")
        return worker

    def _came(self, worker: Worker, message: Message) -> None:
        kind = message["kind"]
        if kind == "stop":
            self._stopped(worker, message)
        elif kind == "say":
            self._said.put(f"[{worker.name}] {message.get('text', '')}")
            self._call()
        elif kind == "state":
            self._changed(worker, message)
        else:
            with self._lock:
                self._pass(worker, message)

    def _stopped(self, worker: Worker, message: Message) -> None:
        with self._lock:
            is_over = self.is_over
            if not is_over:
                worker.where = str(message.get("where"))
                self.waiting.append(worker)
        if is_over:
            worker.connection.send("over")
        else:
            self._call()

    def _changed(self, worker: Worker, message: Message) -> None:
        before = _edits(worker.state)
        with self._lock:
            worker.state = message
            others = [each for each in self.workers if each is not worker]
        if _edits(message) != before:
            for other in others:
                other.connection.send("changed")
        if message.get("waits"):
            worker.connection.send("noted")

    def _pass(self, worker: Worker, message: Message) -> None:
        if worker is self._served:
            self._messages.put(message)
            with contextlib.suppress(BlockingIOError):
                os.write(self._wakes, b"!")


def _edits(state: Message) -> list[Any]:
    return [(each["path"], each["after"]) for each in state.get("files", ())]
