"""Making messages: responses, errors, events, and the requests that go to the client.

`seq` is 0 in all of them; the channel that sends a message gives it its number.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from fixcont.errors import Refusal
from fixcont_ui.dap.errors import error_id

if TYPE_CHECKING:
    from fixcont_ui.dap.protocol import ErrorResponseBody, Event, MakeEvent, Message, Request, Response

# code -> the word that the protocol has for it, which clients look for
_WORDS: Final = {"cancelled": "cancelled", "not-stopped": "notStopped"}


def response(request: Mapping[str, Any], body: Any = None) -> Response:
    """Make the response to a request that was done. `body` is what protocol.pyi has for the command, None where it has nothing."""
    made: Response = {
        "seq": 0,
        "type": "response",
        "request_seq": _number(request),
        "success": True,
        "command": _command(request),
    }
    if body is not None:
        made["body"] = body
    return made


def error_response(request: Mapping[str, Any], error: Message) -> Response:
    """Make the response to a request that was not done.

    Clients show either `message` or what `body.error` says, so the sentence is in both, but where the protocol has a word that
    `message` is to be.
    """
    variables = error.get("variables", {})
    body: ErrorResponseBody = {"error": error}
    return {
        "seq": 0,
        "type": "response",
        "request_seq": _number(request),
        "success": False,
        "command": _command(request),
        "message": _WORDS.get(variables.get("code", "")) or _filled(error["format"], variables),
        "body": body,
    }


def error(code: str, sentence: str, *, instead: str = "", show_user: bool = True) -> Message:
    """Make what `error_response` takes.

    Args:
        code: a code of docs/limitations.md, or of the adapter's own in `errors`.
        sentence: what is wrong in this case, without a full stop.
        instead: what can be done instead, or "".
        show_user: whether the client is to show it although nobody may have asked for what failed.
    """
    text = f"{sentence}; {instead}" if instead else sentence
    variables = {"code": code}
    if "{" in text:  # which clients would take for a variable's name
        variables["text"] = text
        text = "{text}"
    return {"id": error_id(code), "format": text, "variables": variables, "showUser": show_user}


def refused(request: Mapping[str, Any], refusal: Refusal, *, show_user: bool = True) -> Response:
    """Make the response to a request that is refused."""
    return error_response(request, error(refusal.code, refusal.sentence, instead=refusal.instead, show_user=show_user))


def request(command: str, arguments: Any = None) -> Request:
    """Make a request to the client (`runInTerminal`, `startDebugging`)."""
    made: Request = {"seq": 0, "type": "request", "command": command}
    if arguments is not None:
        made["arguments"] = arguments
    return made


def _event(event: str, body: Any = None) -> Event:
    made: Event = {"seq": 0, "type": "event", "event": event}
    if body is not None:
        made["body"] = body
    return made


#: Makes an event: `event("stopped", {"reason": "step"})`. The type checker knows the events, and what body each has.
event: Final[MakeEvent] = _event


def _number(request: Mapping[str, Any]) -> int:
    number = request.get("seq")
    return number if type(number) is int else 0


def _command(request: Mapping[str, Any]) -> str:
    command = request.get("command")
    return command if isinstance(command, str) else ""


def _filled(text: str, variables: Mapping[str, str]) -> str:
    return variables["text"] if text == "{text}" and "text" in variables else text
