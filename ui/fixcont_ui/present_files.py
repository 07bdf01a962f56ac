"""The files that are here now, beside the texts of a saved stop: is one of them what a frame has run?"""

from __future__ import annotations

import functools
import importlib.util
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from fixcont.postmortem.reading import SavedText
from fixcont.postmortem.redaction import MARK

if TYPE_CHECKING:
    from fixcont.postmortem.reopened import Reopened

_LARGEST: Final = 16_000_000  # bytes of a file that is compared


class PresentFiles:
    """Finds them.

    Args:
        find: gives the present file for the name of a saved one, None where there is none.
    """

    def __init__(self, find: Callable[[str], str | None]) -> None:
        self.find: Final = find

    def with_text(self, text: SavedText) -> str | None:
        """Give the present file that says what a saved text says, None where there is none."""
        path = self.find(text.file)
        return path if path is not None and _says(path, text) else None


def finder(reopened: Reopened) -> Callable[[str], str | None]:
    """Give what finds the file that is taken for a saved one; of a library, the one of that very name."""

    def find(name: str) -> str | None:
        found = reopened.present_file(name)
        return found or (name if os.path.isabs(name) and os.path.isfile(name) else None)

    return find


def _says(path: str, text: SavedText) -> bool:
    try:
        status = os.stat(path)
    except OSError:
        return False
    if status.st_size > _LARGEST:
        return False
    lines = _lines(path, (status.st_mtime_ns, status.st_ctime_ns, status.st_size))
    saved = _split(text.text)
    present = lines[text.first - 1 : text.first - 1 + len(saved)]
    if len(present) < len(saved) or (text.is_whole and len(lines) != len(saved)):
        return False
    return all(one == other or _matches(one, other) for one, other in zip(saved, present, strict=True))


def _matches(saved: str, present: str) -> bool:
    """Tell whether lines are the same but for secrets, which were left out of the saved one. As a pattern a line of a file could take for ever."""
    first, *others = saved.split(MARK)
    if not others or not present.startswith(first):
        return False
    last = others.pop()
    at, end = len(first), len(present) - len(last)
    for part in others:
        at = present.find(part, at, end)
        if at < 0:
            return False
        at += len(part)
    return at <= end and present.endswith(last)


@functools.lru_cache(maxsize=256)
def _lines(path: str, signature: tuple[int, int, int]) -> list[str]:
    try:
        with open(path, "rb") as stream:
            return _split(importlib.util.decode_source(stream.read()))
    except (OSError, SyntaxError, ValueError):
        return []


def _split(text: str) -> list[str]:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return lines[:-1] if not lines[-1] else lines
