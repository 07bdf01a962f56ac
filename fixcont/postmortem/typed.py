"""The text of what was typed at the interpreter's prompt."""

from __future__ import annotations

import linecache
import re
from typing import Final

#: Names that only one input has each.
_INPUT: Final = re.compile(r"<(?:python-input|stdin)-\d+>")


def show_typed() -> None:
    """Let the text of each input be found by its name.

    From 3.14 on the interpreter keeps these texts by code object, where only its own tracebacks look; before that it kept them under the
    names of the inputs in `linecache`, where everybody does.
    """
    kept = getattr(linecache, "_interactive_cache", None)
    if not isinstance(kept, dict):
        return
    for key, entry in list(kept.items()):
        name = key[0] if type(key) is tuple and key else None
        if type(name) is str and _INPUT.fullmatch(name) and type(entry) is tuple and len(entry) == 4:
            linecache.cache.setdefault(name, entry)
