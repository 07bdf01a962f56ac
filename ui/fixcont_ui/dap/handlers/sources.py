"""The program's texts and modules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fixcont_ui.dap.failures import failure
from fixcont_ui.dap.later import Body

if TYPE_CHECKING:
    from fixcont_ui.dap.client import Client


def source(client: Client, arguments: Mapping[str, Any]) -> Body:
    """Give a text that is in no file."""
    given = arguments.get("source") or {}
    found = client.debuggee.program.text(given.get("sourceReference") or arguments.get("sourceReference") or 0)
    if found is None:
        raise failure("no-source", "there is no text of this number")
    return found


def loaded_sources(client: Client, arguments: Mapping[str, Any]) -> Body:
    """List the user's files that are loaded."""
    return {"sources": client.debuggee.program.sources()}


def modules(client: Client, arguments: Mapping[str, Any]) -> Body:
    """List the modules that are loaded."""
    known = client.debuggee.program.modules()
    start, count = arguments.get("startModule") or 0, arguments.get("moduleCount") or 0
    end = len(known) if not count else min(len(known), start + count)
    return {"modules": known[start:end], "totalModules": len(known)}
