"""Which exceptions stop the program, and what is known of one that did."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from fixcont.stopping.exceptions import ExceptionInfo
from fixcont_ui.dap.debuggee import LOOK
from fixcont_ui.dap.failures import failure
from fixcont_ui.dap.handlers.finding import held_thread
from fixcont_ui.dap.later import Body, Later

if TYPE_CHECKING:
    from fixcont_ui.dap import protocol
    from fixcont_ui.dap.client import Client

_FILTERS: Final = ("raised", "uncaught", "unhandled")


def set_exception_breakpoints(client: Client, arguments: Mapping[str, Any]) -> Body:
    """Set which exceptions stop the program. Where several filters are chosen, the one that stops most counts for each type."""
    options = {each["filterId"]: each.get("condition") or "" for each in arguments.get("filterOptions") or []}
    chosen = {**dict.fromkeys(arguments["filters"], ""), **options}
    if not client.debugs:
        return {"breakpoints": [_shown(name) for name in chosen]}
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
            info = client.debuggee.program.exception(error, held.stop)
        return {
            "exceptionId": info.full_type_name,
            "description": "\n".join([f"{info.type_name}: {info.message}" if info.message else info.type_name, *info.notes]),
            "breakMode": "always" if mode == "raised" else "unhandled" if mode == "uncaught" else "userUnhandled",
            "details": _details(info),
        }

    return held.submit(work, LOOK)


def _details(info: ExceptionInfo) -> protocol.ExceptionDetails:
    """Describe an exception, and those that it is a group of or came from."""
    details: protocol.ExceptionDetails = {
        "message": "\n".join([info.message, *info.notes]), "typeName": info.type_name, "fullTypeName": info.full_type_name,
    }  # fmt: skip
    if info.traceback:
        details["stackTrace"] = info.traceback
    inner = [*info.members, *(each for each in (info.cause, info.context) if each is not None)]
    if inner:
        details["innerException"] = [_details(each) for each in inner]
    return details
