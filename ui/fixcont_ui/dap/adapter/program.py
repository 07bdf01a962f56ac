"""The program's end: the process that was started, or the one that was there, and the connection to it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import signal
from collections.abc import Callable, Mapping
from typing import Any, Final

from fixcont_ui.dap.adapter.connection import Connection
from fixcont_ui.dap.adapter.heads import HeadDecoder
from fixcont_ui.dap.adapter.launching import Launch
from fixcont_ui.dap.adapter.output import Output
from fixcont_ui.dap.failures import failure
from fixcont_ui.dap.stream import Broken, Decoder, encode

_BEGIN: Final = 30.0  # seconds until a program that was started must have connected


class Program:
    """One program.

    Args:
        received: called with each message of the program's.
        ended: called once when it is over: with the exit status, None where that is not known.
        show: shows what it prints.

    Attributes:
        ident: of its process; 0 while it is not known.
        is_ours: whether the adapter has started it, or had it started.
    """

    def __init__(
        self, received: Callable[[dict[str, Any]], None], ended: Callable[[int | None], None], show: Callable[[str, str], None]
    ) -> None:
        self._received = received
        self._ended = ended
        self._output = Output(show)
        self._token = secrets.token_hex(16)
        self._connection: Connection | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_over = False
        self.ident = 0
        self.is_ours = False

    # Where it comes from

    async def launch(self, read: Callable[[tuple[str, int], str], Launch], in_terminal: Callable[[Launch], Any]) -> None:
        """Start it, and wait until it has connected.

        Args:
            read: works out how, from the address to connect to and a token.
            in_terminal: asks the client to run it in a terminal.

        Raises:
            Failure: it cannot be started, or does not connect.
        """
        loop = asyncio.get_running_loop()
        connected: asyncio.Future[Connection] = loop.create_future()
        server = await loop.create_server(lambda: Connection(connected, self._token.encode()), "127.0.0.1", 0)
        try:
            address = server.sockets[0].getsockname()[:2]
            launch = read(address, self._token)
            self.is_ours = True
            if launch.console == "internalConsole":
                await self._start(launch)
            else:
                await in_terminal(launch)
            await self._wait(connected)
        finally:
            server.close()
        self._connected(connected.result(), HeadDecoder())

    async def _start(self, launch: Launch) -> None:
        try:
            self._process = await asyncio.create_subprocess_exec(
                *launch.command,
                cwd=launch.folder,
                env=launch.whole_environment(),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            raise failure(
                "cannot-launch", f"{launch.command[0]} cannot be started: {error.strerror}", "correct python", is_shown=True
            ) from None
        except ValueError as error:  # text that no system takes: with a zero in it, or half of a character
            raise failure(
                "cannot-launch", f"the program cannot be started: {error}", "correct python, args, cwd or env", is_shown=True
            ) from None
        self.ident = self._process.pid
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._do(self._output.take_from(self._process.stdout, "stdout"))
        self._do(self._output.take_from(self._process.stderr, "stderr"))

    async def _wait(self, connected: asyncio.Future[Any]) -> None:
        """Wait until it has connected, or will not."""
        ended = asyncio.ensure_future(self._process.wait()) if self._process is not None else None
        waiting = {connected, ended} if ended is not None else {connected}
        done, _ = await asyncio.wait(waiting, timeout=_BEGIN, return_when=asyncio.FIRST_COMPLETED)
        if connected not in done:
            if ended is not None and ended in done:
                await asyncio.gather(*self._tasks)  # what it has said comes first
                self._output.flush()
                raise failure(
                    "cannot-launch",
                    f"the program ended at once, with status {ended.result()}",
                    "its output says why",
                    is_shown=True,
                )
            self.kill()
            raise failure("cannot-launch", f"the program has not connected within {_BEGIN:g} seconds", is_shown=True)
        if ended is not None:
            ended.cancel()

    async def attach(self, host: str, port: int) -> None:
        """Connect to one that listens.

        Raises:
            Failure: it is not there.
        """
        loop = asyncio.get_running_loop()
        connected: asyncio.Future[Connection] = loop.create_future()
        try:
            await asyncio.wait_for(loop.create_connection(lambda: Connection(connected, b""), host, port), 10)
        except (TimeoutError, OSError) as error:
            sentence = f"nobody listens on {host}:{port}: {getattr(error, 'strerror', None) or type(error).__name__}"
            raise failure(
                "cannot-attach", sentence, "start the program with: fixcont --listen PORT SCRIPT", is_shown=True
            ) from None
        self._connected(await connected, Decoder())

    def _connected(self, connection: Connection, decoder: Decoder) -> None:
        self._connection = connection
        connection.begin(lambda data: self._read(decoder, data), lambda: self._do(self._finish()))

    # Talking to it

    def send(self, message: Mapping[str, Any]) -> None:
        """Send it a message; dropped where it is over."""
        if self._connection is not None:
            self._connection.write(encode(message))

    def disconnect(self) -> None:
        """Let go of it; it goes on by itself."""
        if self._connection is not None:
            self._connection.close()

    def kill(self) -> None:
        """End it at once."""
        if self.ident:
            with contextlib.suppress(OSError):
                os.kill(self.ident, signal.SIGKILL)

    def _read(self, decoder: Decoder, data: bytes) -> None:
        for message in decoder.feed(data):
            if not isinstance(message, Broken):
                if message.get("event") == "stopped":
                    self._output.flush()  # it was printed before
                self._received(message)

    async def _finish(self) -> None:
        """Wait for the end of the process where it is ours, and tell that it is over."""
        status = None
        if self._process is not None:
            status = await self._process.wait()
            others = self._tasks - {asyncio.current_task()}
            if others:  # what it printed last; its children may hold the pipes open
                await asyncio.wait(others, timeout=1)
            self._output.flush()
        if not self._is_over:
            self._is_over = True
            self._ended(status)

    def _do(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
