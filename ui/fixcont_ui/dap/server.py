"""Where clients come from: they connect to the program, or the program connects to the adapter that has started it."""

from __future__ import annotations

import contextlib
import socket
from typing import Final

from fixcont_ui.dap.client import Client
from fixcont_ui.dap.debuggee import Debuggee


class Server:
    """Gives each connection a client's session.

    Args:
        debuggee: what is served.
        token: what clients must give; "" where everybody may connect who can.
    """

    def __init__(self, debuggee: Debuggee, token: str = "") -> None:
        self._debuggee = debuggee
        self._token = token
        self._listening: socket.socket | None = None
        self._clients: Final[set[Client]] = set()

    def listen(self, host: str, port: int) -> tuple[str, int]:
        """Listen for clients.

        Args:
            port: 0 for any that is free.

        Returns:
            Where it listens.

        Raises:
            OSError: it cannot listen there.
        """
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        assert self._token or is_loopback(str(address[0])), "who can be reached from elsewhere needs a token"
        listening = socket.socket(family, kind, protocol)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
            listening.listen(8)
            listening.setblocking(False)
        except OSError:
            listening.close()
            raise
        self._listening = listening
        self._debuggee.loop.watch(listening, self._accept)
        return str(listening.getsockname()[0]), int(listening.getsockname()[1])

    def connect(self, host: str, port: int, greeting: bytes) -> None:
        """Connect to the adapter that has started this process.

        Args:
            greeting: what is sent first, by which the adapter knows its program.

        Raises:
            OSError: it is not there.
        """
        connection = socket.create_connection((host, port), timeout=20)
        connection.sendall(greeting)
        self._add(connection)

    def _accept(self) -> None:
        assert self._listening is not None
        with contextlib.suppress(BlockingIOError, ConnectionError):
            connection, _ = self._listening.accept()
            self._add(connection)

    def _add(self, connection: socket.socket) -> None:
        connection.set_inheritable(False)
        self._clients.add(Client(self._debuggee, connection, self._token, self._clients.discard))


def is_loopback(host: str) -> bool:
    """Tell whether an address can be reached from this machine only."""
    return host.startswith("127.") or host in ("::1", "localhost")
