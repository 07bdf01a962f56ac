"""The client's end: messages over standard input and output."""

from __future__ import annotations

import asyncio
import contextlib
import os
import queue
import select
import stat
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any, Final

from fixcont_ui.dap.stream import Broken, Decoder, encode, with_field

_PIECE: Final = 65536
#: Bytes that a pipe or a socket which is ready takes without holding up who writes.
_AT_ONCE: Final = min(getattr(select, "PIPE_BUF", 512), 4096)
#: Bytes that may wait for a client which does not read; what comes then is dropped.
_PATIENCE: Final = 256 * 1024 * 1024


class StandardStreams:
    """Reads and writes without being held up by a client that hangs, whatever kind of file it is.

    What does not go out at once is written in a thread. Standard output becomes standard error for everybody else in the process.

    Args:
        received: called in the thread of the event loop with each message, and with None at the end of the input.
    """

    def __init__(self, received: Callable[[dict[str, Any] | Broken | None], None]) -> None:
        self._received = received
        self._decoder = Decoder()
        self._loop = asyncio.get_running_loop()
        self._in = os.dup(0)
        self._out = os.dup(1)
        os.dup2(2, 1)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.close(null)
        sys.stdout = sys.stderr
        self._seq = 0
        self._lock = threading.Lock()
        self._waiting: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._size = 0
        self._ready = _readiness(self._out)
        self._writer = threading.Thread(target=self._write, name="writer", daemon=True)

    def start(self) -> None:
        """Begin to read and write."""
        self._writer.start()
        try:
            self._loop.add_reader(self._in, self._read_now)
        except (NotImplementedError, OSError):  # a kind of file, or of event loop, that does not tell when there is something
            threading.Thread(target=self._read, name="reader", daemon=True).start()

    def send(self, message: Mapping[str, Any]) -> int:
        """Send a message, which gets its number here. Returns that."""
        with self._lock:
            if self._size > _PATIENCE:
                return self._seq
            self._seq += 1
            data = encode(with_field(message, "seq", self._seq))
            if not self._size:
                data = data[self._write_now(data) :]
            if data:
                self._size += len(data)
                self._waiting.put(data)
            return self._seq

    def finish(self, seconds: float) -> None:
        """Wait until everything is sent, but not longer than this."""
        self._waiting.put(None)
        self._writer.join(seconds)

    def _write_now(self, data: bytes) -> int:
        """Write as much as the client takes now: another thread would only begin to write some time later. Returns how much it was."""
        done = 0
        with contextlib.suppress(OSError):  # the client is gone, which the reader tells
            while done < len(data) and self._ready is not None and self._ready.poll(0) == [(self._out, select.POLLOUT)]:
                done += os.write(self._out, data[done : done + _AT_ONCE])
        return done

    def _read_now(self) -> None:
        """Take in what has come."""
        data = self._next()
        if not data:
            self._loop.remove_reader(self._in)
        self._take(data)

    def _read(self) -> None:
        while data := self._next():
            self._loop.call_soon_threadsafe(self._take, data)
        self._loop.call_soon_threadsafe(self._take, b"")

    def _next(self) -> bytes:
        """Read what there is, b"" at the end."""
        try:
            return os.read(self._in, _PIECE)
        except OSError:
            return b""

    def _take(self, data: bytes) -> None:
        for message in self._decoder.feed(data):
            self._received(message)
        if not data:
            self._received(None)

    def _write(self) -> None:
        while True:
            data = self._waiting.get()
            if data is None:
                return
            view = memoryview(data)
            with contextlib.suppress(OSError):  # the client is gone, which the reader tells
                while view:
                    view = view[os.write(self._out, view) :]
            with self._lock:
                self._size -= len(data)


def _readiness(output: int) -> select.poll | None:
    """Give what tells whether something can be written without waiting, None where nothing does for this kind of file."""
    kind = os.fstat(output).st_mode
    if not hasattr(select, "poll") or not (stat.S_ISFIFO(kind) or stat.S_ISSOCK(kind)):
        return None
    ready = select.poll()
    ready.register(output, select.POLLOUT)
    return ready
