"""Letting threads run, step and pause."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from fixcont.continuing.ways import Propagate, Step, StepKind, Way
from fixcont.errors import Refused
from fixcont_ui.dap.debuggee import LOOK
from fixcont_ui.dap.failures import Failure, failure
from fixcont_ui.dap.handlers.finding import held_thread
from fixcont_ui.dap.held import HeldThread
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
    """Go into the next call of the user's own code."""
    return _step(client, arguments, StepKind.INTO)


def pause(client: Client, arguments: Mapping[str, Any]) -> Body:
    """Stop a thread where it is; or end what a request does in one that is held."""
    ident = client.debuggee.threads.ident(arguments["threadId"])
    if ident is None:
        raise failure("no-thread-there", "there is no such thread", "ask for the threads again")
    held = client.debuggee.find(ident)
    if held is not None:
        held.interrupt()
        return None
    refusal = client.debuggee.session.stepping.pause(ident)
    if refusal is not None:
        raise Failure(refusal)
    return None


def _step(client: Client, arguments: Mapping[str, Any], kind: StepKind) -> Later:
    everywhere = client.options.get("justMyCode") is False

    def way(held: HeldThread) -> Way:
        frame = held.stop.frames[held.stop.selected]
        return Step(frame, kind, everywhere=everywhere, at_edges=False)

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
