"""Replaying a frame that has unwound."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fixcont.continuing.ways import Landing, Replay
from fixcont.errors import Refused
from fixcont_ui import opened_wording, wording
from fixcont_ui.dap import installing
from fixcont_ui.dap.failures import failure
from fixcont_ui.dap.handlers.edit import arguments_frame, evaluated
from fixcont_ui.dap.handlers.finding import evaluation_limit, in_frame
from fixcont_ui.dap.held import HeldThread
from fixcont_ui.dap.later import Body, Later

if TYPE_CHECKING:
    from fixcont_ui.dap.client import Client


def replay(client: Client, arguments: Mapping[str, Any]) -> Later:
    """Run the function of a frame that has unwound again, on the newest code; at a saved stop on the present one, which is loaded first.

    Answered when it is certain that it can be. What fails meanwhile is a stop as any other; then, or when it has returned, the
    thread stops here again.
    """
    line, given = arguments.get("line"), arguments.get("arguments") or {}
    in_the_middle = bool(arguments.get("retry")) or line is not None
    if given and in_the_middle:
        raise failure("bad-arguments", "arguments are given to a call: they make no sense together with retry or line")
    if type(given) is not dict or any(type(each) is not str for each in given.values()):
        raise failure("bad-arguments", "arguments.arguments must be an object of strings")
    if line is not None and type(line) is not int:
        raise failure("bad-arguments", "arguments.line must be an integer")

    def work(held: HeldThread, index: int) -> Body:
        console = held.console(index)
        reopened = console.revive()
        frame = console.stop.frames[console.selected]  # which may be another one than before

        def way(values: Mapping[str, Any]) -> Replay:
            return Replay(
                frame,
                in_the_middle,
                None if line is None else client.line(line),
                values,
                outward=bool(arguments.get("outward")),
                with_holes=bool(arguments.get("withHoles")),
            )

        refusal = held.stop.refusal_of(way({})) if frame.is_live else None
        if refusal is not None:
            raise Refused(refusal)  # before anything is installed
        installing.install_or_fail(client.debuggee)
        for told in opened_wording.differing_lines(reopened, frame) if reopened is not None else ():
            client.debuggee.say(told)
        made = way({name: evaluated(held, console.selected, expression) for name, expression in given.items()})
        landing = held.stop.landing_of(made) if in_the_middle else None
        held.answer(made)
        if isinstance(landing, Landing):
            client.debuggee.say("\n".join(wording.landing_lines(landing, skips=False)))
        return None

    return in_frame(client, arguments_frame(arguments), work, evaluation_limit(client))
