"""The client's end: messages over standard input and output."""

from __future__ import annotations

import contextlib
import os
import queue
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any, Final

from fixcont_ui.dap.stream import Broken, Decoder, encode

_PIECE: Final = 65536
#: Bytes that may wait for a client which does not read; what comes then is dropped.
_PATIENCE: Final = 256 * 1024 * 1024


class StandardStreams:
    """Reads and writes in threads of their own, so that a client that hangs holds nobody up, and any kind of file will do.

    Standard output becomes standard error for everybody else in the process.

    Args:
        received: called in the reading thread with each message, and with None at the end of the input.
    """

    def __init__(self, received: Callable[[dict[str, Any] | Broken | None], None]) -> None:
        self._received = received
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
        self._writer = threading.Thread(target=self._write, name="writer", daemon=True)

    def start(self) -> None:
        """Begin to read and write."""
        self._writer.start()
        threading.Thread(target=self._read, name="reader", daemon=True).start()

    def send(self, message: Mapping[str, Any]) -> int:
        """Send a message, which gets its number here. Returns that."""
        with self._lock:
            if self._size > _PATIENCE:
                return self._seq
            self._seq += 1
            data = encode({**message, "seq": self._seq})
            self._size += len(data)
            self._waiting.put(data)
            return self._seq

    def finish(self, seconds: float) -> None:
        """Wait until everything is sent, but not longer than this."""
        self._waiting.put(None)
        self._writer.join(seconds)

    def _read(self) -> None:
        decoder = Decoder()
        while True:
            try:
                data = os.read(self._in, _PIECE)
            except OSError:
                data = b""
            if not data:
                self._received(None)
                return
            for message in decoder.feed(data):
                self._received(message)

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
