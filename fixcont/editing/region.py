"""The part of two texts in which an edit lies, so that no syntax tree of the rest needs to be made.

It is cut where functions and classes begin at the left margin, which the code objects tell for certain: what is in front of such a line
is complete. So what is the same text in front of the part, or behind it, is the same statements.
"""

from __future__ import annotations

from typing import NamedTuple

from fixcont.editing.parsing import STARTS
from fixcont.editing.texts import STATEMENTS, Kind, Node, Text


class Region(NamedTuple):
    """Where two texts differ.

    Attributes:
        old: the lines in the old text.
        new: the lines in the new text.
    """

    old: range
    new: range


def region_of(old: Text, new: Text) -> Region:
    """Return the smallest part that has all differences, whole statements of the module's top level."""
    before, after = old.lines, new.lines
    shorter = min(len(before), len(after))
    same = next((at for at in range(shorter) if before[at] != after[at]), shorter)
    left = shorter - same
    same_at_end = next((at for at in range(left) if before[-1 - at] != after[-1 - at]), left)
    shift = len(after) - len(before)
    starts = _starts(new)
    first, end = 1, len(before) + 1
    for line in _starts(old):
        if line <= same + 1 and line in starts:
            first = max(first, line)
        if line > len(before) - same_at_end and line + shift in starts:
            end = min(end, line)
    return Region(range(first, end), range(first, end + shift))


def _starts(text: Text) -> set[int]:
    lines = text.lines
    found = {node.line for node in text.module.children if node.kind in STATEMENTS}
    return {line for line in found if line <= len(lines) and lines[line - 1].startswith(STARTS)}


def is_all(region: Region, new: Text, partners: dict[int, Node], changed: list[Node]) -> bool:
    """Tell whether what lies outside of a region has the same partners as its lines have, and does the same.

    A function that was copied, for one, may have been taken for the copy; and an import from `__future__` changes all functions.
    """
    shift = region.new.stop - region.old.stop
    for node in new.module.children:
        if node.line in region.new or node.kind is Kind.ANNOTATIONS:
            continue
        partner = partners.get(id(node))
        if partner is None or partner.line + (shift if node.line >= region.new.stop else 0) != node.line:
            return False
    return all(node.kind is Kind.MODULE or node.line in region.new for node in changed)
