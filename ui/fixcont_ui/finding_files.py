"""The program's files by the names that people type, and their lines."""

from __future__ import annotations

import linecache
import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fixcont.session import Session


def find_file(name: str) -> str | None:
    """Find a file or module as pdb does: "file.py", "folder/file.py", "package.module" and whole paths; None where there is none."""
    path = name if name.endswith(".py") else name.replace(".", os.sep) + ".py"
    if os.path.isabs(path):
        return path if os.path.exists(path) else None
    for folder in sys.path:
        found = os.path.join(os.path.realpath(folder) if os.path.islink(folder) else folder, path)
        if os.path.exists(found):
            return found
    return None


def newest_lines(session: Session, filename: str, names: dict[str, Any]) -> list[str]:
    """Give the lines of a file as it was loaded or installed last, or as it lies on disk.

    Args:
        names: the globals of a module that may know how to load it.
    """
    text = session.sources.newest_text(filename)
    if text is not None:
        return text.lines
    linecache.checkcache(filename)
    return linecache.getlines(filename, names)
