"""Which exceptions stop the program, and what is known of one that did."""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from fixcont_ui import wording
from fixcont_ui.dap.debuggee import LOOK
from fixcont_ui.dap.failures import failure
from fixcont_ui.dap.handlers.finding import held_thread
from fixcont_ui.dap.later import Body, Later

if TYPE_CHECKING:
    from fixcont_ui.dap import protocol
    from fixcont_ui.dap.client import Client

_FILTERS: Final = ("raised", "uncaught", "unhandled")
_DEEP: Final = 20  # exceptions of a chain that are told
_MANY: Final = 50  # members of a group that are told


def set_exception_breakpoints(client: Client, arguments: Mapping[str, Any]) -> Body:
    """Set which exceptions stop the program. Where several filters are chosen, the one that stops most counts for each type."""
    options = {each["filterId"]: each.get("condition") or "" for each in arguments.get("filterOptions") or []}
    chosen = {**dict.fromkeys(arguments["filters"], ""), **options}
    modes = [name for name in chosen if name in _FILTERS]
    given = client.options
    client.debuggee.session.set_policy(
        modes,
        _listed(given.get("catch")),
        _listed(given.get("ignore")),
        {name: chosen[name] for name in modes if chosen[name].strip()},
    )
    return {"breakpoints": [_shown(name) for name in chosen]}


def _shown(name: str) -> protocol.Breakpoint:
    if name in _FILTERS:
        return {"verified": True}
    return {"verified": False, "message": f"there is no filter {name}"}


def _listed(value: str | Iterable[str] | None) -> list[str]:
    return [value] if isinstance(value, str) else list(value or [])


def exception_info(client: Client, arguments: Mapping[str, Any]) -> Later:
    """Describe the exception that a thread is held for, with what it came from."""
    held = held_thread(client, arguments["threadId"])

    def work() -> Body:
        error = held.stop.exception
        if error is None:
            raise failure("no-exception", "this thread is not stopped for an exception")
        mode = client.debuggee.session.policy.mode.value
        with held.running_code():
            return {
                "exceptionId": _full_name(type(error)),
                "description": "\n".join(wording.exception_lines(error)),
                "breakMode": "always" if mode == "raised" else "unhandled" if mode == "uncaught" else "userUnhandled",
                "details": _details(error, set(), _DEEP),
            }

    return held.submit(work, LOOK)


def _details(error: BaseException, seen: set[int], depth: int) -> protocol.ExceptionDetails:
    """Describe an exception, and those that it came from or is a group of."""
    seen.add(id(error))
    details: protocol.ExceptionDetails = {
        "message": _message(error),
        "typeName": type(error).__name__,
        "fullTypeName": _full_name(type(error)),
        "stackTrace": "".join(traceback.format_tb(error.__traceback__)),
    }
    inner = [each for each in _inside(error) if id(each) not in seen]
    if inner and depth > 0:
        details["innerException"] = [_details(each, seen, depth - 1) for each in inner[:_MANY] if id(each) not in seen]
    return details


def _inside(error: BaseException) -> list[BaseException]:
    """Give the members of a group, then what the exception came from."""
    members = list(error.exceptions) if isinstance(error, BaseExceptionGroup) else []
    if error.__cause__ is not None:
        return [*members, error.__cause__]
    if error.__context__ is not None and not error.__suppress_context__:
        return [*members, error.__context__]
    return members


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as failed:
        return f"(its message cannot be had: {type(failed).__name__})"


def _full_name(kind: type) -> str:
    module = kind.__module__
    return kind.__qualname__ if module == "builtins" else f"{module}.{kind.__qualname__}"
