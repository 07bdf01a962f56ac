"""The ways to go on from a frame, for a client's buttons: those that cannot be gone come with the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fixcont.continuing.ways import Landing, Replay
from fixcont.errors import Refusal
from fixcont_ui import wording
from fixcont_ui.commands import COMMANDS
from fixcont_ui.create_command import CREATE_COMMANDS, missing_at
from fixcont_ui.postmortem_commands import POSTMORTEM_COMMANDS
from fixcont_ui.stepping_commands import STEPPING_COMMANDS
from fixcont_ui.ways import way_rows

if TYPE_CHECKING:
    from fixcont.stopping.stop import Stop
    from fixcont_ui.dap.client import Client
    from fixcont_ui.dap.held import HeldThread

_BY_NAME: Final = {
    name: each for each in (*COMMANDS, *CREATE_COMMANDS, *STEPPING_COMMANDS, *POSTMORTEM_COMMANDS) for name in each.names
}
#: Name of a command -> the name that clients have for it.
_NAMES: Final = {
    "restartframe": "restartFrame",
    "retry": "retry",
    "resume": "resume",
    "usevalue": "useValue",
    "skip": "skip",
    "forcereturn": "returnFromFrame",
    "throw": "throw",
    "create": "create",
    "undo": "undo",
}


def list_ways(client: Client, held: HeldThread, index: int) -> list[dict[str, Any]]:
    """List them. Nothing is touched, and nothing of the program's is run."""
    session, stop = client.debuggee.session, held.stop
    missing = missing_at(session, stop)
    nothing = None if session.has_edits else Refusal("nothing-to-undo", "no patch is installed")
    others = {"create": missing if isinstance(missing, Refusal) else None, "undo": nothing}
    frame = stop.frames[index]
    program = client.debuggee.program
    rows = way_rows(stop, frame, _BY_NAME.__getitem__, lambda command: program.refusal_of(command, stop), others)
    shown = [
        {
            "name": _NAMES[row.command.name],
            "label": row.command.summary,
            "enabled": row.refusal is None,
            "reason": " ".join(row.told) if row.refusal is None else _reason(row.refusal),
        }
        for row in rows
        if row.command.name in _NAMES
    ]
    return shown if frame.is_live else [*(_replay(client, stop, Replay(frame, retries)) for retries in (False, True)), *shown]


def _replay(client: Client, stop: Stop, way: Replay) -> dict[str, Any]:
    """Describe a replay of a frame that has unwound: of a live one nobody asks for it."""
    refusal = client.debuggee.program.refusal_of_replay(way, stop)
    landing = stop.landing_of(way) if way.in_the_middle and refusal is None else None
    told = wording.landing_lines(landing, skips=False) if isinstance(landing, Landing) else []
    return {
        "name": "replayRetry" if way.in_the_middle else "replay",
        "label": "make the frame anew, and go on at the failing statement" if way.in_the_middle else _BY_NAME["replay"].summary,
        "enabled": refusal is None,
        "reason": " ".join(told) if refusal is None else _reason(refusal),
    }


def _reason(refusal: Refusal) -> str:
    return f"{refusal.sentence}; {refusal.instead}".rstrip("; ")
