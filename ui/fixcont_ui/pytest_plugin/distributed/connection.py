"""Messages between a worker and the controller: objects of JSON, one a line, over a connection on this machine.

| message | from | what |
|---|---|---|
| `hello` | worker | who it is; `token` proves that it was started by this controller |
| `stop` | worker | it has stopped in `where`, and wants to be served; answered by `turn` or `over` |
| `turn` | controller | it is served now; `is_terminal` tells whether a person types |
| `out` | worker | `text` is to be shown |
| `read` | worker | it wants a line; answered by `line`, whose `text` is empty at the end of the input, or by `interrupt` |
| `lend`, `back` | worker | another program needs the terminal, answered by `lent`; it does not any more |
| `done` | worker | the stop is answered; `ends` tells whether by ending the run |
| `say` | worker | `text` belongs to no stop |
| `state` | worker | what was repaired in it so far; answered by `noted` where it `waits` |
| `changed` | controller | another worker has installed an edit |
| `over` | controller | the run is ending, nobody is served any more |
"""

from __future__ import annotations

import contextlib
import json
import socket
from threading import Lock
from typing import Any, Final

Message = dict[str, Any]

#: The variable that tells a worker where its controller is, and what proves that it is one of its workers.
VARIABLE: Final = "FIXCONT_XDIST_CONTROLLER"


class Connection:
    """One end.

    Args:
        connected: the socket, which is the connection's from now on.
    """

    def __init__(self, connected: socket.socket) -> None:
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connected.set_inheritable(False)
        self.socket: Final = connected
        self._waiting = b""
        self._lock: Final = Lock()

    def send(self, kind: str, **fields: Any) -> bool:
        """Send a message. Returns False where nobody is there any more."""
        data = json.dumps({"kind": kind, **fields}).encode() + b"\n"
        try:
            with self._lock:
                self.socket.sendall(data)
        except OSError:
            return False
        return True

    def receive(self, limit: int = 0) -> Message | None:
        """Wait for the next message.

        Args:
            limit: how many bytes it may have; 0 for any number.

        Returns:
            None where none will come: the other end is gone, or what it sends is none.
        """
        while b"\n" not in self._waiting:
            if limit and len(self._waiting) > limit:
                return None
            try:
                piece = self.socket.recv(65536)
            except OSError:
                return None
            if not piece:
                return None
            self._waiting += piece
        line, _, self._waiting = self._waiting.partition(b"\n")
        try:
            message = json.loads(line)
        except ValueError:
            return None
        return message if isinstance(message, dict) and isinstance(message.get("kind"), str) else None

    def receive_now(self) -> Message | None:
        """Give a message that has come already, None where there is none."""
        if b"\n" in self._waiting:
            return self.receive()
        self.socket.setblocking(False)
        try:
            self._waiting += self.socket.recv(65536)
        except OSError:
            return None
        finally:
            self.socket.setblocking(True)
        return self.receive() if b"\n" in self._waiting else None

    def close(self) -> None:
        """End it, for both ends. A thread that waits for a message gets None."""
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
