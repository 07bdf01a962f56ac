"""Names of files, from wherever: a client of the debugger may name what can be no file."""

from __future__ import annotations

import os


def real(filename: str) -> str:
    """Do as `os.path.realpath`; a name that no file can have (with a null character, or one that cannot be encoded) is its own."""
    try:
        return os.path.realpath(filename)
    except (OSError, ValueError):
        return filename
