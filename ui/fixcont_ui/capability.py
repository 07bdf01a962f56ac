"""What the terminal that a prompt talks to can do. Asked before anything is imported that needs a terminal which can."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from fixcont_ui.streams import Streams

_DUMB = frozenset(["", "dumb", "unknown"])


def can_edit(streams: Streams, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the screen can be drawn on and keys can be read one by one.

    Not where the standard streams lead elsewhere, and the controlling terminal stands in for them.
    """
    if not streams.is_terminal or os.name != "posix" or environment.get("TERM", "").lower() in _DUMB:
        return False
    if streams.stdin is not sys.__stdin__ or streams.stdout is not sys.__stdout__:
        return False
    try:
        return streams.stdin.isatty() and streams.stdout.isatty()
    except ValueError:
        return False


def wants_colours(streams: Streams, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether what is shown may be coloured, and lines edited with all comfort: $NO_COLOR, not empty, asks for plain text."""
    return can_edit(streams, environment) and not environment.get("NO_COLOR")
