"""An editor for `fix`: a small program that a test sets as $EDITOR, and that applies prepared changes to the file it is given."""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

_SCRIPT = """\
#!{python} -IS
import json, os, sys
here = os.path.dirname(os.path.abspath(__file__))
state = os.path.join(here, "state.json")
with open(state, encoding="utf-8") as file:
    prepared = json.load(file)
prepared["calls"].append(sys.argv[1:])
changes = prepared["edits"].pop(0) if prepared["edits"] else {{}}
path = sys.argv[-1]
with open(path, encoding="utf-8") as file:
    text = file.read()
for old, new in changes.items():
    if text.count(old) != 1:
        sys.exit(f"editor: {{old!r}} stands {{text.count(old)}} times in {{path}}")
    text = text.replace(old, new)
if changes:
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
with open(state, "w", encoding="utf-8") as file:
    json.dump(prepared, file)
"""


class ScriptedEditor:
    """An editor whose n-th start applies the n-th of the prepared edits, and which remembers how it was called.

    Attributes:
        path: the executable; its name is `name`, for what depends on the editor's name.
    """

    def __init__(self, folder: Path, edits: Sequence[Mapping[str, str]], name: str = "scripted-editor") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / name
        self._state = folder / "state.json"
        self.path.write_text(_SCRIPT.format(python=sys.executable), encoding="utf-8")
        self.path.chmod(self.path.stat().st_mode | stat.S_IXUSR)
        self._state.write_text(json.dumps({"edits": [dict(edit) for edit in edits], "calls": []}), encoding="utf-8")

    @property
    def environment(self) -> dict[str, str]:
        """The variables that make `fix` start this editor."""
        return {"EDITOR": os.fspath(self.path), "VISUAL": ""}

    @property
    def calls(self) -> list[list[str]]:
        """The arguments of every start so far."""
        calls: list[list[str]] = json.loads(self._state.read_text(encoding="utf-8"))["calls"]
        return calls
