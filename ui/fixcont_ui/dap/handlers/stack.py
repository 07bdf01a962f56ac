"""Threads, their stacks, and what is in a frame."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fixcont.stopping.frames import Frame, ask
from fixcont.stopping.stop import StopReason
from fixcont_ui import wording
from fixcont_ui.dap.debuggee import LOOK
from fixcont_ui.dap.failures import Failure
from fixcont_ui.dap.handlers.finding import held_thread, in_frame
from fixcont_ui.dap.held import HeldThread
from fixcont_ui.dap.later import Body, Later
from fixcont_ui.dap.scopes import Scopes

if TYPE_CHECKING:
    from fixcont_ui.dap import protocol
    from fixcont_ui.dap.client import Client

_REASONS = {
    StopReason.EXCEPTION: "exception",
    StopReason.BREAKPOINT: "breakpoint",
    StopReason.ENTRY: "entry",
    StopReason.INTERRUPT: "pause",
    StopReason.STEP: "step",
}


def stopped_event(client: Client, held: HeldThread) -> protocol.StoppedEventBody:
    """Describe a stop."""
    stop = held.stop
    # Something else may have come in between, such as an exception in a `finally`.
    is_halt = bool(held.shown_as) and stop.reason is StopReason.STEP
    body: protocol.StoppedEventBody = {
        "reason": held.shown_as if is_halt else _REASONS[stop.reason],
        "threadId": client.debuggee.threads.number(held.ident),
        "allThreadsStopped": client.debuggee.program.stops_all({each.ident for each in client.debuggee.held if not each.is_left}),
        "preserveFocusHint": False,
    }
    if stop.exception is not None:
        lines = wording.exception_lines(stop.exception)
        body["description"] = client.debuggee.program.describe(stop)
        body["text"] = "\n".join([*lines, *([stop.late] if stop.late else [])])
    if stop.breakpoints:
        body["hitBreakpointIds"] = list(stop.breakpoints)
    return body


def threads(client: Client, arguments: Mapping[str, Any]) -> Body:
    """List the threads of the program."""
    known = client.debuggee.program.threads()
    client.debuggee.threads.forget_others({each.ident for each in known})
    found = sorted((client.debuggee.threads.number(each.ident), each.name) for each in known)
    return {"threads": [{"id": number, "name": name} for number, name in found]}


def stack_trace(client: Client, arguments: Mapping[str, Any]) -> Body | Later:
    """List frames of a thread, as many as are asked for."""
    number = arguments["threadId"]
    start, levels = arguments.get("startFrame") or 0, arguments.get("levels") or 0
    ident = client.debuggee.threads.ident(number)
    if ident is not None and client.debuggee.find(ident) is None:
        return _running_stack(client, ident, start, levels)
    held = held_thread(client, number)

    def work() -> Body:
        frames = held.stop.frames
        end = len(frames) if not levels else min(len(frames), start + levels)
        ask(frames[start:end])
        alike: dict[tuple[int, int], protocol.StackFrame] = {}
        shown = [_shown(client, held, index, alike) for index in range(start, end)]
        return {"stackFrames": shown, "totalFrames": len(frames)}

    return held.submit(work, LOOK)


def _running_stack(client: Client, ident: int, start: int, levels: int) -> Body:
    """Give the stack of a thread that is not held; nothing can be done with its frames."""
    frames = client.debuggee.program.stack_of(ident)
    end = len(frames) if not levels else min(len(frames), start + levels)
    shown: list[protocol.StackFrame] = [
        {
            "id": 0, "name": each.function, "source": each.source, "line": client.shown_line(each.line), "column": client.shown_column(1),
            "canRestart": False, "presentationHint": "normal" if each.is_user else "subtle",
        }
        for each in frames[start:end]
    ]  # fmt: skip
    return {"stackFrames": shown, "totalFrames": len(frames)}


def _shown(
    client: Client, held: HeldThread, index: int, alike: dict[tuple[int, int], protocol.StackFrame]
) -> protocol.StackFrame:
    """Describe a frame. `alike`: id of a code object and line -> what is the same for all frames there; filled in here."""
    frame = held.stop.frames[index]
    place = id(frame.code), frame.line
    common = alike.get(place)
    if common is None:
        common = alike[place] = _common(client, frame)
    shown = common.copy()
    shown["id"], shown["canRestart"] = held.frame_id(index), frame.can_restart
    module = frame.raw.f_globals.get("__name__")
    if type(module) is str and module:
        shown["moduleId"] = module
    if index == held.stop.selected and held.stop.exception is not None and shown["line"] == client.shown_line(frame.line):
        _mark_expression(client, shown, frame)
    return shown


def _common(client: Client, frame: Frame) -> protocol.StackFrame:
    program = client.debuggee.program
    source, line = program.place(frame)
    return {
        "id": 0,
        "name": f"{frame.function} (old version)" if program.is_obsolete(frame) else frame.function,
        "source": source,
        "line": client.shown_line(line),
        "column": client.shown_column(1),
        "canRestart": False,
        "presentationHint": "normal" if frame.is_user else "subtle",
    }


def _mark_expression(client: Client, shown: protocol.StackFrame, frame: Frame) -> None:
    """Tell where in the line the expression stands that failed."""
    span = frame.span
    if span is None or span[0] != frame.line:
        return
    _, column, end_line, end_column = span
    shown["column"] = client.shown_column(column + 1)
    shown["endLine"], shown["endColumn"] = client.shown_line(end_line), client.shown_column(end_column + 1)


def scopes(client: Client, arguments: Mapping[str, Any]) -> Body | Later:
    """List the scopes of a frame: its variables, and those of its module."""
    if arguments["frameId"] == 0:
        raise Failure(client.debuggee.program.not_held("the thread of this frame", None), is_shown=False)
    return in_frame(client, arguments["frameId"], lambda held, index: {"scopes": Scopes(held, index).describe()})
