"""One client's connection: takes what comes apart into messages, and sends messages as fast as the client takes them."""

from __future__ import annotations

import collections
import contextlib
import functools
import socket
from _thread import allocate_lock
from collections.abc import Callable, Mapping
from typing import Any, Final

from fixcont_ui.dap.loop import Loop
from fixcont_ui.dap.stream import Broken, Decoder, encode

#: Bytes that may wait for a client which does not read; then it counts as gone.
_PATIENCE: Final = 256 * 1024 * 1024
_PIECE: Final = 256 * 1024
#: A client that is gone must not end a program that takes SIGPIPE as C programs do.
_NO_SIGNAL: Final = getattr(socket, "MSG_NOSIGNAL", 0)

Message = Mapping[str, Any]


class Channel:
    """A connection in the hands of a loop.

    Args:
        connection: an open socket, which is closed in the end.
        received: called in the loop's thread with each message, and with a `Broken` for what is none.
        closed: called in the loop's thread once, when the client has gone or does not read any more.

    Attributes:
        is_open: whether messages are still sent.
    """

    def __init__(
        self,
        loop: Loop,
        connection: socket.socket,
        received: Callable[[dict[str, Any] | Broken], None],
        closed: Callable[[], None],
    ) -> None:
        self._loop = loop
        self._socket = connection
        self._received = received
        self._closed = closed
        self._decoder = Decoder()
        self._lock = allocate_lock()
        self._seq = 0
        self._waiting: collections.deque[memoryview] = collections.deque()
        self._size = 0
        self._is_ending = False
        self.is_open = True
        connection.setblocking(False)
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        loop.watch(connection, self._ready)

    def send(self, message: Message) -> None:
        """Send a message, from any thread. It gets its number here, so messages are numbered in the order in which they are sent."""
        with self._lock:
            if not self.is_open or self._is_ending:
                return
            self._seq += 1
            data = encode({**message, "seq": self._seq})
            is_first = not self._waiting
            self._waiting.append(memoryview(data))
            self._size += len(data)
            if is_first and self._send_waiting() and not self._waiting:
                return  # at once, without waking the loop
        if is_first:
            self._loop.call_soon(self._flush)

    def end(self) -> None:
        """Close the connection once everything is sent; in the loop's thread."""
        with self._lock:
            self._is_ending = True
        self._flush()

    def close(self) -> None:
        """Close the connection now; in the loop's thread. What waits is lost."""
        if self.is_open:
            self._loop.forget(self._socket)
            with self._lock:  # nobody is in the middle of sending
                self.is_open = False
                self._socket.close()
                self._waiting.clear()
            self._closed()

    def abandon(self) -> None:
        """Close this process's end only: another one, from which this was forked, has the connection."""
        self.is_open = False
        self._socket.close()

    def _ready(self) -> None:
        if self._waiting:
            self._flush()
        if self.is_open:
            self._receive()

    def _receive(self) -> None:
        try:
            data = self._socket.recv(_PIECE)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        if not data:
            self.close()
            return
        for message in self._decoder.feed(data):
            if self.is_open:
                self._loop.perform(functools.partial(self._received, message))  # a fault in one loses none behind it

    def _flush(self) -> None:
        """Send as much as the client takes now."""
        with self._lock:
            is_gone = self.is_open and not self._send_waiting()
            is_done = self._is_ending and not self._waiting
            has_more = bool(self._waiting)
        if is_gone or is_done or self._size > _PATIENCE:
            self.close()
        elif self.is_open:
            self._loop.watch(self._socket, self._ready, writes=has_more)

    def _send_waiting(self) -> bool:
        """Returns whether the client is still there."""
        while self._waiting:
            first = self._waiting[0]
            try:
                sent = self._socket.send(first, _NO_SIGNAL)
            except (BlockingIOError, InterruptedError):
                return True
            except OSError:
                return False
            self._size -= sent
            if sent == len(first):
                self._waiting.popleft()
            else:
                self._waiting[0] = first[sent:]
        return True
