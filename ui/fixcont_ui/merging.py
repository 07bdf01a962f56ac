"""Merge two edits of one text, line by line, where they do not overlap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher


@dataclass(frozen=True)
class Merge:
    """What came of it.

    Attributes:
        text: the merged text; None where the edits overlap.
        conflicts: the places where they do: first and last line, as the text before has them.
    """

    text: str | None
    conflicts: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class _Change:
    """Lines `begin` to `end` (not included) of the text before become `lines`."""

    begin: int
    end: int
    lines: tuple[str, ...]

    def touches(self, other: _Change) -> bool:
        # Neighbours too: whether the one belongs before or behind the other is not for us to say.
        return self.begin <= other.end and other.begin <= self.end


def merge(before: str, mine: str, theirs: str) -> Merge:
    """Apply to `before` what each of the two others changed in it."""
    base = before.split("\n")
    ours, others = _changes(base, mine.split("\n")), _changes(base, theirs.split("\n"))
    conflicts = [(one, other) for one in ours for other in others if one != other and one.touches(other)]
    if conflicts:
        places = {(min(a.begin, b.begin) + 1, max(a.end, b.end, min(a.begin, b.begin) + 1)) for a, b in conflicts}
        return Merge(None, tuple(sorted(places)))
    merged = list(base)
    for change in sorted({*ours, *others}, key=lambda change: change.begin, reverse=True):
        merged[change.begin : change.end] = change.lines
    return Merge("\n".join(merged))


def _changes(base: Sequence[str], text: Sequence[str]) -> list[_Change]:
    codes = SequenceMatcher(None, base, text, autojunk=False).get_opcodes()
    return [_Change(i, j, tuple(text[k:end])) for tag, i, j, k, end in codes if tag != "equal"]
