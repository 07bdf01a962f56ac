"""The program's texts and modules."""

from __future__ import annotations

import dis
import io
import linecache
import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fixcont.editing.texts import Text
from fixcont_ui.dap.failures import failure
from fixcont_ui.dap.later import Body
from fixcont_ui.dap.places import file_source

if TYPE_CHECKING:
    from fixcont_ui.dap import protocol
    from fixcont_ui.dap.client import Client


def source(client: Client, arguments: Mapping[str, Any]) -> Body:
    """Give a text that is in no file: an older version, one that the program has made, or the instructions where there is none."""
    given = arguments.get("source") or {}
    number = given.get("sourceReference") or arguments.get("sourceReference") or 0
    text = client.debuggee.texts.get(number)
    if text is None:
        raise failure("no-source", "there is no text of this number")
    if isinstance(text, Text):
        return {"content": "".join(text.lines), "mimeType": "text/x-python"}
    lines = linecache.getlines(text.co_filename)
    if lines:
        return {"content": "".join(lines), "mimeType": "text/x-python"}
    listing = io.StringIO()
    dis.dis(text, file=listing)
    return {"content": f"# there is no source text; these are the instructions\n{listing.getvalue()}"}


def loaded_sources(client: Client, arguments: Mapping[str, Any]) -> Body:
    """List the user's files that are loaded."""
    found = [file_source(each, is_user=True) for each in client.debuggee.session.filenames()]
    return {"sources": [each for each in found if each is not None]}


def modules(client: Client, arguments: Mapping[str, Any]) -> Body:
    """List the modules that are loaded."""
    known = sorted((name for name, module in list(sys.modules.items()) if type(name) is str and module is not None))
    start, count = arguments.get("startModule") or 0, arguments.get("moduleCount") or 0
    end = len(known) if not count else min(len(known), start + count)
    return {"modules": [_module(client, name) for name in known[start:end]], "totalModules": len(known)}


def _module(client: Client, name: str) -> protocol.Module:
    described: protocol.Module = {"id": name, "name": name}
    try:
        names = object.__getattribute__(sys.modules[name], "__dict__")
    except (KeyError, AttributeError):
        return described
    path = names.get("__file__")
    if type(path) is str:
        described["path"] = os.path.abspath(path)
        described["isUserCode"] = client.debuggee.session.scope.is_user(path)
    version = names.get("__version__")
    if type(version) is str:
        described["version"] = version
    return described
