"""The ways to go on from a frame, for a client's buttons: those that cannot be gone come with the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fixcont.errors import Refusal
from fixcont_ui.commands import COMMANDS, Command
from fixcont_ui.create_command import CREATE_COMMANDS, missing_at
from fixcont_ui.stepping_commands import STEPPING_COMMANDS
from fixcont_ui.ways import way_rows

if TYPE_CHECKING:
    from fixcont_ui.dap.client import Client
    from fixcont_ui.dap.held import HeldThread

_BY_NAME: Final = {name: each for each in (*COMMANDS, *CREATE_COMMANDS, *STEPPING_COMMANDS) for name in each.names}
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
    rows = way_rows(stop, stop.frames[index], _BY_NAME.__getitem__, _none, others)
    return [
        {
            "name": _NAMES[row.command.name],
            "label": row.command.summary,
            "enabled": row.refusal is None,
            "reason": " ".join(row.told)
            if row.refusal is None
            else f"{row.refusal.sentence}; {row.refusal.instead}".rstrip("; "),
        }
        for row in rows
        if row.command.name in _NAMES
    ]


def _none(command: Command) -> Refusal | None:
    return None
