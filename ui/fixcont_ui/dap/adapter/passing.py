"""Requests on their way to the program, and the answers to them.

The adapter numbers what it passes on itself. A request that the program does not answer in time, because it is busy in C code that lets no
other thread run, or has ended, is answered for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from fixcont_ui.dap import messages
from fixcont_ui.dap.failures import Failure, failure
from fixcont_ui.dap.stream import with_field

Message = Mapping[str, Any]

#: Seconds beyond what the program gives itself.
_PATIENCE: Final = 15.0
#: Requests that are done when the program has ended, whether it has answered them or not.
_ENDING: Final = ("terminate", "disconnect")


@dataclass
class _Passed:
    """A request that waits for its answer.

    Attributes:
        request: as the client sent it; None for one of the adapter's own.
        answered: told of the answer.
    """

    request: Message | None
    answered: Callable[[Message], None]
    timer: asyncio.TimerHandle | None = None


class Passing:
    """Requests that were passed to one program.

    Args:
        to_program: sends a message to it.
        to_client: sends a message to the client.
    """

    def __init__(self, to_program: Callable[[Message], None], to_client: Callable[[Message], object]) -> None:
        self._to_program = to_program
        self._to_client = to_client
        self._waiting: dict[int, _Passed] = {}
        self._seq = 0

    def ask(self, command: str, arguments: Mapping[str, Any], answered: Callable[[Message], None]) -> None:
        """Ask the program for something on the adapter's own account."""
        self._send({"type": "request", "command": command, "arguments": arguments}, _Passed(None, answered), None)

    def pass_on(self, request: Message, seconds: float, answered: Callable[[Message], None] | None = None) -> None:
        """Pass a request of the client's on.

        Args:
            seconds: that the program may take.
            answered: told of the answer, in place of the client.
        """
        passed = _Passed(request, answered or (lambda answer: self._answer(request, answer)))
        arguments = dict(request.get("arguments") or {})
        if request["command"] == "cancel" and "requestId" in arguments:
            arguments["requestId"] = self._number_of(arguments["requestId"])
        message: dict[str, Any] = {"type": "request", "command": request["command"]}
        if request.get("arguments") is not None:
            message["arguments"] = arguments
        self._send(message, passed, seconds + _PATIENCE)

    def take(self, answer: Message) -> None:
        """Take an answer of the program's. One that nobody waits for any more is dropped."""
        passed = self._waiting.pop(answer.get("request_seq", 0), None)
        if passed is not None:
            if passed.timer is not None:
                passed.timer.cancel()
            passed.answered(answer)

    def program_ended(self) -> None:
        """Answer what the program has not answered."""
        waiting, self._waiting = self._waiting, {}
        for passed in waiting.values():
            if passed.timer is not None:
                passed.timer.cancel()
            if passed.request is None:
                continue
            if passed.request["command"] in _ENDING:
                passed.answered(messages.response(passed.request))
            else:
                self._fail(passed.request, failure("debuggee-gone", "the program has ended"))

    def _send(self, message: dict[str, Any], passed: _Passed, seconds: float | None) -> None:
        self._seq += 1
        number = self._seq
        self._waiting[number] = passed
        if seconds is not None:
            passed.timer = asyncio.get_running_loop().call_later(seconds, self._give_up, number)
        self._to_program({"seq": number, **message})

    def _number_of(self, seq: Any) -> int:
        """Find the number under which a request of the client's was passed on; 0 where it was answered."""
        return next((number for number, each in self._waiting.items() if each.request and each.request["seq"] == seq), 0)

    def _give_up(self, number: int) -> None:
        passed = self._waiting.pop(number, None)
        if passed is not None and passed.request is not None:
            if passed.request["command"] == "disconnect":
                passed.answered(messages.response(passed.request))
                return
            sentence = "the program does not answer; it may be busy in code that lets no other thread run"
            self._fail(passed.request, failure("no-answer", sentence, "wait, or end the program"))

    def _answer(self, request: Message, answer: Message) -> None:
        self._to_client(with_field(answer, "request_seq", request["seq"]))

    def _fail(self, request: Message, failed: Failure) -> None:
        self._to_client(messages.refused(request, failed.refusal, show_user=failed.is_shown))
