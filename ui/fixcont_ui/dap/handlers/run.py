"""Letting threads run, step and pause."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from fixcont.continuing.ways import Propagate, Step, StepKind, Way
from fixcont.errors import Refused
from fixcont.stepping.targets import StepTarget
from fixcont_ui.dap.debuggee import LOOK
from fixcont_ui.dap.failures import Failure, failure
from fixcont_ui.dap.handlers.finding import check_frames, held_thread, in_frame
from fixcont_ui.dap.held import HeldThread, stale
from fixcont_ui.dap.installing import install
from fixcont_ui.dap.later import Body, Later

if TYPE_CHECKING:
    from fixcont_ui.dap.client import Client


def go_on(client: Client, arguments: Mapping[str, Any]) -> Body | Later:
    """Let a thread run: an exception goes on as if nobody had looked."""
    return _run(client, arguments, lambda held: Propagate(), {"allThreadsContinued": False})


def step_over(client: Client, arguments: Mapping[str, Any]) -> Body | Later:
    return _step(client, arguments, StepKind.OVER)


def step_out(client: Client, arguments: Mapping[str, Any]) -> Body | Later:
    return _step(client, arguments, StepKind.OUT)


def step_in(client: Client, arguments: Mapping[str, Any]) -> Body | Later:
    """Go into the next call of the user's own code, or into one of those that `step_in_targets` gave."""
    return _step(client, arguments, StepKind.INTO, arguments.get("targetId"))


def step_in_targets(client: Client, arguments: Mapping[str, Any]) -> Body | Later:
    """List the calls of the statement that were not made yet."""

    def work(held: HeldThread, index: int) -> Body:
        frame = held.stop.frames[index]
        return {"targets": [
            {
                "id": held.refer(each), "label": each.name, "line": client.shown_line(each.line), "column": client.shown_column(each.column + 1),
                "endLine": client.shown_line(each.end_line), "endColumn": client.shown_column(each.end_column + 1),
            }
            for each in client.debuggee.session.step_targets(frame)
        ]}  # fmt: skip

    return in_frame(client, arguments["frameId"], work)


def pause(client: Client, arguments: Mapping[str, Any]) -> Body:
    """Stop a thread where it is; or end what a request does in one that is held."""
    ident = client.debuggee.threads.ident(arguments["threadId"])
    if ident is None:
        raise failure("no-thread-there", "there is no such thread", "ask for the threads again")
    held = client.debuggee.find(ident)
    if held is not None:
        held.interrupt()
        return None
    client.debuggee.pauses.add(ident)
    refusal = client.debuggee.session.stepping.pause(ident)
    if refusal is not None:
        client.debuggee.pauses.discard(ident)
        raise Failure(refusal)
    return None


def _step(client: Client, arguments: Mapping[str, Any], kind: StepKind, target: int | None = None) -> Later:
    everywhere = client.options.get("justMyCode") is False
    collects = client.options.get("showReturnValue") is not False

    def way(held: HeldThread) -> Way:
        check_frames(held)
        frame = held.stop.frames[held.stop.selected]
        call = held.referred(target, StepTarget) if target is not None else None
        if target is not None and call is None:
            raise stale("call", "the calls")
        return Step(frame, kind, everywhere=everywhere, at_edges=False, target=call, collects=collects)

    return _run(client, arguments, way, None)


def _run(client: Client, arguments: Mapping[str, Any], way: Callable[[HeldThread], Way], body: Body) -> Later:
    """Leave a stop, after installing what has changed in the files. An edit that cannot be installed is told, and the old code runs on."""
    held = held_thread(client, arguments["threadId"])

    def work() -> Body:
        install(client.debuggee)
        held.is_quiet = True
        try:
            held.answer(way(held))
        except (Refused, Failure):
            held.is_quiet = False
            raise
        return body

    return held.submit(work, LOOK)
