"""The connection to a program. What comes is taken where the event loop reads it: a task that waits for it would come a turn later."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from typing import Final

_PATIENCE: Final = 10.0  # seconds until who connects must have said the token


class Connection(asyncio.Protocol):
    """One connection; of those to a server one is the program's, and the others are closed.

    Args:
        connected: gets the first one that knows the token.
        token: what the other end must begin with; b"" where it is known who that is.
    """

    def __init__(self, connected: asyncio.Future[Connection], token: bytes) -> None:
        self._connected = connected
        self._token = token
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._early = bytearray()  # what came before somebody takes it
        self._received: Callable[[bytes], None] | None = None
        self._closed: Callable[[], None] | None = None
        self._is_over = False

    def begin(self, received: Callable[[bytes], None], closed: Callable[[], None]) -> None:
        """Take what comes.

        Args:
            received: called with it.
            closed: called once, when the connection is gone.
        """
        self._received, self._closed = received, closed
        early, self._early = bytes(self._early), bytearray()
        if early:
            received(early)
        if self._is_over:
            closed()
        elif self._transport is not None:
            self._transport.resume_reading()

    def write(self, data: bytes) -> None:
        """Send something; dropped where the connection is gone."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def close(self) -> None:
        """Close it once everything is sent."""
        if self._transport is not None:
            self._transport.close()

    # Called by the event loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if self._token:
            self._timer = asyncio.get_running_loop().call_later(_PATIENCE, transport.close)
        else:
            self._accept()

    def data_received(self, data: bytes) -> None:
        if self._received is not None:
            self._received(data)
            return
        self._early += data
        if self._timer is not None and len(self._early) >= len(self._token):
            self._timer.cancel()
            self._timer = None
            said = bytes(self._early[: len(self._token)])
            del self._early[: len(self._token)]
            if secrets.compare_digest(said, self._token) and not self._connected.done():
                self._accept()
            else:
                self.close()

    def connection_lost(self, error: Exception | None) -> None:
        self._is_over = True
        if self._timer is not None:
            self._timer.cancel()
        if self._closed is not None:
            self._closed()

    def _accept(self) -> None:
        """Be the one connection. Nothing more is read until somebody takes it."""
        assert self._transport is not None
        self._transport.pause_reading()
        self._connected.set_result(self)
