"""Setting breakpoints, and telling what becomes of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fixcont.editing.texts import Text
from fixcont.errors import Refusal, Refused
from fixcont.stepping.breakpoints import Breakpoint
from fixcont.stepping.places import lines_of
from fixcont.stepping.setting import BreakpointSpec
from fixcont_ui.dap import installing, messages
from fixcont_ui.dap.debuggee import LOOK
from fixcont_ui.dap.failures import failure
from fixcont_ui.dap.later import Body, Later
from fixcont_ui.dap.places import file_source

if TYPE_CHECKING:
    from fixcont.stepping.engine import Stepping
    from fixcont_ui.dap import protocol
    from fixcont_ui.dap.client import Client

_NOT_LOADED = "the file is not loaded yet"


def set_breakpoints(client: Client, arguments: Mapping[str, Any]) -> Body | Later:
    """Set the breakpoints of a file, in the place of those that it had. Their lines are those of the file as it is saved."""
    path = arguments["source"].get("path")
    wanted = arguments.get("breakpoints")
    if wanted is None:
        wanted = [{"line": line} for line in arguments.get("lines") or []]
    if not path:
        raise failure("not-supported", "breakpoints can be set in files only")
    if client.no_breakpoints:
        return _none_of(wanted, client.no_breakpoints)

    def work() -> Body:
        if client.options.get("autoInstall") is not False:
            installing.install(client.debuggee)  # the lines are those of the file as it is now
        made = stepping(client).replace(path, [_spec(client, each) for each in wanted])
        _reach_main_thread(client)
        return {"breakpoints": [_set(client, each) for each in made]}

    return client.debuggee.wherever(work, LOOK)


def set_function_breakpoints(client: Client, arguments: Mapping[str, Any]) -> Body | Later:
    """Set breakpoints on functions, by their names, in the place of those that there were."""
    if client.no_breakpoints:
        return _none_of(arguments["breakpoints"], client.no_breakpoints)

    def work() -> Body:
        engine = stepping(client)
        engine.breakpoints.remove(client.named_breakpoints)
        made = [_named(client, each) for each in arguments["breakpoints"]]
        client.named_breakpoints = [each.number for each in made if isinstance(each, Breakpoint)]
        _reach_main_thread(client)
        return {"breakpoints": [_set(client, each) for each in made]}

    return client.debuggee.wherever(work, LOOK)


def _reach_main_thread(client: Client) -> None:
    """Have breakpoints count in the program's main thread, which may be anywhere."""
    if client.debuggee.was_configured:  # else it waits, and begins with them
        stepping(client).watch_main_thread()


def _none_of(wanted: Sequence[Any], reason: str) -> Body:
    return {"breakpoints": [{"verified": False, "message": reason} for _ in wanted]}


def _named(client: Client, wanted: Mapping[str, Any]) -> Breakpoint | Refusal:
    spec = _spec(client, {**wanted, "line": 1})
    try:
        return stepping(client).add_named(wanted["name"].strip(), condition=spec.condition, hit_condition=spec.hit_condition)
    except Refused as refused:
        return refused.refusal


def _spec(client: Client, wanted: Mapping[str, Any]) -> BreakpointSpec:
    return BreakpointSpec(
        client.line(wanted["line"]),
        wanted.get("condition") or "",
        wanted.get("hitCondition") or "",
        wanted.get("logMessage") or "",
    )


def stepping(client: Client) -> Stepping:
    """Give the engine of breakpoints, and have the client told of what becomes of them."""
    engine = client.debuggee.session.stepping
    client.follow_breakpoints(engine)
    return engine


def breakpoint_locations(client: Client, arguments: Mapping[str, Any]) -> Body | Later:
    """List the lines of a part of a file on which a breakpoint can be."""
    path = arguments["source"].get("path") or ""
    first = client.line(arguments["line"])
    last = client.line(arguments.get("endLine") or arguments["line"])

    def work() -> Body:
        text = client.debuggee.session.sources.newest_text(path) or _on_disk(path)
        lines = {line for node in text.module.walk() for line in lines_of(node.code)} if text is not None else set()
        return {"breakpoints": [{"line": client.shown_line(line)} for line in sorted(lines) if first <= line <= last]}

    return client.debuggee.wherever(work, LOOK)


def _on_disk(path: str) -> Text | None:
    try:
        with open(path, "rb") as stream:
            text = Text(path, stream.read(), is_certain=False)
        text.module  # noqa: B018 - whether it compiles
        return text
    except (OSError, SyntaxError, ValueError):
        return None


def _set(client: Client, made: Breakpoint | Refusal) -> protocol.Breakpoint:
    if isinstance(made, Refusal):
        return {"verified": False, "message": f"{made.sentence}; {made.instead}".rstrip("; ")}
    return described(client, made)


def described(client: Client, found: Breakpoint) -> protocol.Breakpoint:
    """Describe a breakpoint as it is now."""
    shown: protocol.Breakpoint = {
        "id": found.number, "verified": found.is_bound and found.is_enabled,
    }  # fmt: skip
    if found.line:
        shown["line"] = client.shown_line(found.line)
    source = file_source(found.filename, is_user=client.debuggee.session.scope.is_user(found.filename))
    if source is not None:
        shown["source"] = source
    if found.note:
        shown["message"] = found.note
    elif not found.is_bound:
        shown["message"] = f"there is no function {found.name} yet" if found.name else _NOT_LOADED
        shown["reason"] = "pending"
    return shown


def changed_event(client: Client, found: Breakpoint, *, is_gone: bool) -> protocol.Event:
    """Make the event that tells of a breakpoint which got bound, moved, disabled or deleted."""
    return messages.event("breakpoint", {"reason": "removed" if is_gone else "changed", "breakpoint": described(client, found)})
