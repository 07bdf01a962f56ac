"""Which keys edit, emacs's or vi's: as the user's other programs are set."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Final

#: "vi" or "emacs"; stands above what .inputrc says.
VARIABLE: Final = "FIXCONT_KEYS"
_PROGRAMS: Final = frozenset(["python", "fixcont"])


def wants_vi(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether $FIXCONT_KEYS, else `set editing-mode` in $INPUTRC, ~/.inputrc or /etc/inputrc, asks for vi's keys."""
    setting = environment.get(VARIABLE, "").strip().lower()
    if setting in ("vi", "emacs"):
        return setting == "vi"
    named = environment.get("INPUTRC", "")
    for path in [named] if named else [os.path.expanduser("~/.inputrc"), "/etc/inputrc"]:
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                return _editing_mode(file) == "vi"
        except OSError:
            continue
    return False


def _editing_mode(lines: Iterable[str]) -> str:
    """Read the last `set editing-mode` that applies to us; see readline(3) for the format."""
    mode = "emacs"
    applies = [True]  # for each open $if whether what follows applies
    for line in lines:
        words = line.strip().lower().split()
        if not words:
            continue
        if words[0] == "$if":
            condition = words[1] if len(words) > 1 else ""
            applies.append(condition in _PROGRAMS or condition == f"mode={mode}")
        elif words[0] == "$else" and len(applies) > 1:
            applies[-1] = not applies[-1]
        elif words[0] == "$endif" and len(applies) > 1:
            applies.pop()
        elif words[:2] == ["set", "editing-mode"] and len(words) > 2 and all(applies):
            mode = words[2]
    return mode
