"""The adapter: what it does itself, and what it leaves to the program."""

from __future__ import annotations

import asyncio
import os
import traceback
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from fixcont.errors import Refusal
from fixcont_ui.dap import messages
from fixcont_ui.dap.adapter.launching import Launch, read_launch
from fixcont_ui.dap.adapter.passing import Passing
from fixcont_ui.dap.adapter.program import Program
from fixcont_ui.dap.adapter.settings import CONFIGURING, Settings
from fixcont_ui.dap.adapter.standard import StandardStreams
from fixcont_ui.dap.capabilities import CAPABILITIES, check_client
from fixcont_ui.dap.checking import check_arguments
from fixcont_ui.dap.failures import Failure, failure
from fixcont_ui.dap.state import Progress, State
from fixcont_ui.dap.stream import Broken, with_field

Message = Mapping[str, Any]

_GRACE: Final = 5.0  # seconds for a program to end by itself
_LONG: Final = 60.0  # seconds that an evaluation may take, where the client does not say


class Adapter:
    """One session of a client's, from its first message to its last. All of it happens in the thread of the event loop.

    Attributes:
        over: done when there is nothing more to do.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._client = StandardStreams(self._received)
        self._progress: Final = Progress()
        self._program: Program | None = None
        self._passing: Passing | None = None
        self._initialize: Message = {}
        self._begin: Message = {}  # the request launch or attach
        self._settings: Final = Settings()
        self._terminals: dict[int, asyncio.Future[Message]] = {}  # number of a request to the client -> its answer
        self._is_starting = False
        self._was_initialized = False
        self._restarting: asyncio.Future[None] | None = None  # done when the program has ended that is to be started again
        self._tasks: set[asyncio.Future[None]] = set()
        self.over: asyncio.Future[None] = self._loop.create_future()

    def start(self) -> None:
        """Begin to listen to the client."""
        self._client.start()

    def finish(self) -> None:
        """Send what is left to be sent."""
        self._client.finish(5)

    # The client

    def _received(self, message: dict[str, Any] | Broken | None) -> None:
        if message is None:
            self._client_gone()
        elif isinstance(message, Broken):
            self._client.send(messages.refused({}, Refusal("broken-message", message.reason)))
        elif message.get("type") == "response":
            waiting = self._terminals.pop(message.get("request_seq", 0), None)
            if waiting is not None and not waiting.done():
                waiting.set_result(message)
        elif message.get("type") == "request" and isinstance(message.get("command"), str) and type(message.get("seq")) is int:
            self._request(message)
        else:
            self._client.send(
                messages.refused({}, Refusal("broken-message", "not a request: it has no type, no command or no seq"))
            )

    def _request(self, request: Message) -> None:
        command, arguments = request["command"], request.get("arguments")
        try:
            wrong = check_arguments(command, arguments)
            if wrong:
                raise failure("bad-arguments", wrong)
            own = _OWN.get(command)
            if own is not None:
                self._progress.check(command)
                getattr(self, own)(request, arguments or {})
            else:
                self._pass_on(request)
        except Failure as failed:
            self._fail(request, failed)
        except Exception as error:  # what has come with it is carried out all the same
            self._fail(request, failure("internal-error", f"a fault of fixcont itself: {type(error).__name__}: {error}"))
            self._show(f"a fault of fixcont itself\n{traceback.format_exc().rstrip()}\n", "important")

    def _pass_on(self, request: Message) -> None:
        if self._passing is None:
            self._progress.check(request["command"])
            if self._begin and not self._is_starting:
                raise failure("debuggee-gone", "the program has ended")
            raise failure("no-program", "there is no program yet", "launch or attach first")
        command, arguments = request["command"], request.get("arguments") or {}
        if command not in CONFIGURING:
            self._passing.pass_on(request, self._limit_of(command))
            return
        self._settings.keep(command, arguments)

        def answered(answer: Message) -> None:
            self._settings.answered(command, arguments, answer)
            self._client.send(with_field(answer, "request_seq", request["seq"]))

        self._passing.pass_on(request, self._limit_of(command), answered)

    def _limit_of(self, command: str) -> float:
        given = (self._begin.get("arguments") or {}).get("evaluateTimeout")
        limit = float(given) if isinstance(given, (int, float)) and given > 0 else _LONG
        return limit if command in ("evaluate", "setVariable", "setExpression") or command.startswith("fixcont/") else 0.0

    def _respond(self, request: Message, body: Mapping[str, Any] | None = None) -> None:
        self._client.send(messages.response(request, body))

    def _fail(self, request: Message, failed: Failure) -> None:
        self._client.send(messages.refused(request, failed.refusal, show_user=failed.is_shown))

    def _show(self, text: str, category: str) -> None:
        self._client.send(messages.event("output", {"category": category, "output": text}))

    def _client_gone(self) -> None:
        """The client is gone without a word.

        A program that it has attached to is left as it is: what is held there waits for the next client. One that was started from here
        goes on, and what it prints is still taken from it, so that it is not held up.
        """
        self._progress.end()
        if self._program is None or self._passing is None:
            self._end()
        elif self._program.is_ours:
            self._passing.ask("disconnect", {"terminateDebuggee": False}, lambda answer: None)
        else:
            self._program.disconnect()
            self._end()

    # What the adapter does itself

    def _initialized(self, request: Message, arguments: Mapping[str, Any]) -> None:
        check_client(arguments)
        self._initialize = arguments
        self._progress.advance(State.INITIALIZED)
        self._respond(request, CAPABILITIES)

    def _launched(self, request: Message, arguments: Mapping[str, Any]) -> None:
        self._begin = request
        self._is_starting = True
        self._progress.advance(State.CONFIGURING)
        self._do(self._bring_up(request))

    def _restarted(self, request: Message, arguments: Mapping[str, Any]) -> None:
        if self._begin.get("command") != "launch" or self._program is None:
            raise failure(
                "cannot-restart", "the program was not started from here", "restart it where it was started", is_shown=True
            )
        given = arguments.get("arguments")
        if isinstance(given, dict):
            self._begin = {**self._begin, "arguments": given}
        self._do(self._restart(request))

    def _terminated(self, request: Message, arguments: Mapping[str, Any]) -> None:
        if self._passing is None:
            raise failure("no-program", "there is no program")
        self._passing.pass_on(request, 0)
        self._loop.call_later(_GRACE, self._kill_if_ours, self._program)

    def _disconnected(self, request: Message, arguments: Mapping[str, Any]) -> None:
        ends = arguments.get("terminateDebuggee", self._begin.get("command") == "launch")
        self._progress.end()
        if self._program is None or self._passing is None:
            self._respond(request)
            self._end()
            return
        program, passing = self._program, self._passing
        if ends:  # whether it answers or is in C code that lets no other thread run
            self._loop.call_later(_GRACE, self._kill_if_ours, program)

        def answered(answer: Message) -> None:
            self._respond(request)
            if not program.is_ours:
                self._loop.call_later(1 if ends else 0, self._end)

        passing.pass_on({**request, "arguments": {**arguments, "terminateDebuggee": ends}}, 0, answered)

    def _kill_if_ours(self, program: Program | None) -> None:
        if program is not None and program is self._program and program.is_ours:
            program.kill()

    # The program

    async def _bring_up(self, request: Message) -> None:
        """Start the program or connect to it, and let it answer the request."""
        arguments = request.get("arguments") or {}
        program = Program(self._from_program, self._program_ended, self._show)
        try:
            if request["command"] == "launch":
                await program.launch(lambda address, token: read_launch(arguments, address, token), self._run_in_terminal)
            else:
                await self._attach(program, arguments)
        except Failure as failed:
            self._progress.end()
            self._fail(request, failed)
            self._client.send(messages.event("terminated"))
            return
        self._program = program
        self._is_starting = False
        self._passing = Passing(program.send, self._client.send)
        self._passing.ask("initialize", self._initialize, lambda answer: None)
        self._passing.pass_on(request, 0)

    async def _attach(self, program: Program, arguments: Mapping[str, Any]) -> None:
        connect = arguments.get("connect") or {}
        host, port = connect.get("host") or arguments.get("host") or "127.0.0.1", connect.get("port") or arguments.get("port")
        if arguments.get("processId"):
            from fixcont_ui.dap.adapter.injecting import listen_in

            host, port = await listen_in(int(arguments["processId"]))
        if port is None:
            raise failure("bad-arguments", "attach: a port or a processId is wanted", is_shown=True)
        await program.attach(host, port)

    async def _run_in_terminal(self, launch: Launch) -> None:
        """Ask the client to start the program in a terminal."""
        if not self._initialize.get("supportsRunInTerminalRequest"):
            raise failure(
                "no-terminal", "this client cannot run programs in a terminal", 'set "console": "internalConsole"', is_shown=True
            )
        kind = "external" if launch.console == "externalTerminal" else "integrated"
        arguments = {
            "kind": kind, "title": launch.title, "cwd": launch.folder or os.getcwd(), "args": list(launch.command),
            "env": dict(launch.environment),
        }  # fmt: skip
        number = self._client.send({"type": "request", "command": "runInTerminal", "arguments": arguments})
        answer = self._terminals[number] = self._loop.create_future()
        message = await answer
        if not message.get("success"):
            raise failure("no-terminal", f"the client has not run it in a terminal: {message.get('message')}", is_shown=True)

    async def _restart(self, request: Message) -> None:
        """End the program, and start it again with the same settings."""
        assert self._program is not None
        assert self._passing is not None
        program, ended = self._program, self._loop.create_future()
        self._restarting = ended
        self._passing.ask("terminate", {}, lambda answer: None)
        self._loop.call_later(_GRACE, self._kill_if_ours, program)
        await ended
        self._restarting = None
        self._respond(request)
        await self._bring_up_again()

    async def _bring_up_again(self) -> None:
        arguments = self._begin.get("arguments") or {}
        program = Program(self._from_program, self._program_ended, self._show)
        try:
            await program.launch(lambda address, token: read_launch(arguments, address, token), self._run_in_terminal)
        except Failure as failed:
            self._show(f"{failed.refusal}\n", "important")
            self._client.send(messages.event("terminated"))
            return
        self._program = program
        passing = self._passing = Passing(program.send, self._client.send)
        self._passing.ask("initialize", self._initialize, lambda answer: None)
        passing.ask("launch", arguments, lambda answer: None)
        for command, settings in self._settings:
            passing.ask(command, settings, partial(self._settings.answered, command, settings))
        passing.ask("configurationDone", {}, lambda answer: None)

    def _from_program(self, message: dict[str, Any]) -> None:
        if message.get("type") == "response" and self._passing is not None:
            self._passing.take(message)
        elif message.get("type") == "event" and self._restarting is None:
            body = message.get("body") or {}
            if message.get("event") == "process" and self._program is not None:
                self._program.ident = self._program.ident or int(body.get("systemProcessId") or 0)
            if message.get("event") == "breakpoint":
                self._settings.moved(body.get("breakpoint") or {})
            if message.get("event") == "initialized":
                if self._was_initialized:
                    return  # it was started again, and the settings are given to it from here
                self._was_initialized = True
            if message.get("event") != "terminated":  # that is told when the process has ended
                self._client.send(message)

    def _program_ended(self, status: int | None) -> None:
        passing, self._passing, self._program = self._passing, None, None
        if passing is not None:
            passing.program_ended()
        if self._restarting is not None:
            self._restarting.set_result(None)
            return
        if status is not None:
            self._client.send(messages.event("exited", {"exitCode": status}))
        self._client.send(messages.event("terminated"))
        if self._progress.state is State.ENDED:
            self._end()

    def _end(self) -> None:
        if not self.over.done():
            self.over.set_result(None)

    def _do(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Future[None]) -> None:
        """Let go of what is done; a fault in it is told."""
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._show(f"a fault of fixcont itself\n{''.join(traceback.format_exception(error))}", "important")


#: Request -> the method that carries it out here.
_OWN: Final = {
    "initialize": "_initialized",
    "launch": "_launched",
    "attach": "_launched",
    "restart": "_restarted",
    "terminate": "_terminated",
    "disconnect": "_disconnected",
}
