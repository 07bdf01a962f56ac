"""The regions in which two texts of a file differ, so that no syntax trees are made of the rest.

Texts are cut into pieces where functions and classes begin at the left margin, which the code objects tell for certain: what is in front of
such a line is complete. Pieces that are the same text are the same statements, unless something outside of them gives them another meaning; where
that may be, there is one region, and it is everything.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from fixcont.editing.texts import Kind, Node, Text


class Region(NamedTuple):
    """Pieces of two texts that stand for each other and differ. Of one side there may be none.

    Attributes:
        old, new: their indices.
    """

    old: range
    new: range


def regions_of(old: Text, new: Text, partners: Mapping[int, Node], changed: Collection[Node]) -> list[Region]:
    """Find where two texts differ.

    Args:
        partners: id of a new node -> the old node of the same definition.
        changed: new nodes that do something else.
    """
    regions, same = _differing(old.pieces.sources, new.pieces.sources)
    if _is_all(old, new, same, partners, changed):
        return regions
    return [Region(range(len(old.pieces)), range(len(new.pieces)))]


_Pairs = dict[int, int]  # index of a new piece -> that of the same one of the old text


def _differing(old: Sequence[str], new: Sequence[str]) -> tuple[list[Region], _Pairs]:
    shorter = min(len(old), len(new))
    head = next((at for at in range(shorter) if old[at] != new[at]), shorter)
    left = shorter - head
    tail = next((at for at in range(left) if old[-1 - at] != new[-1 - at]), left)
    old_end, new_end = len(old) - tail, len(new) - tail
    same = {at: at for at in range(head)} | {new_end + at: old_end + at for at in range(tail)}
    regions = []
    end, new_at = head, head
    for block in _blocks(old[head:old_end], new[head:new_end]):
        one, other = head + block.a, head + block.b
        if one > end or other > new_at:
            regions.append(Region(range(end, one), range(new_at, other)))
        same.update((other + at, one + at) for at in range(block.size))
        end, new_at = one + block.size, other + block.size
    return regions, same


def _blocks(old: Sequence[str], new: Sequence[str]) -> list[difflib.Match]:
    """Give what is the same in between, with an empty block at the end. What is there twice could be either of two: then that is nothing."""
    if len(set(old)) < len(old) or len(set(new)) < len(new):
        return [difflib.Match(len(old), len(new), 0)]
    return difflib.SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks()


def _is_all(old: Text, new: Text, same: _Pairs, partners: Mapping[int, Node], changed: Collection[Node]) -> bool:
    """Tell whether what is the same text does the same, and has partners in the same place.

    A function that was copied, for one, may have been taken for the copy; and an import from `__future__` changes all functions.
    """
    if any(node.kind is not Kind.MODULE and new.pieces.at(node.line) in same for node in changed):
        return False
    before, after = _by_piece(old), _by_piece(new)
    for at, other in same.items():
        here, there = after.get(at, ()), before.get(other, ())
        if len(here) != len(there) or any(partners.get(id(node)) is not one for node, one in zip(here, there, strict=True)):
            return False
    return True


def _by_piece(text: Text) -> dict[int, list[Node]]:
    """Give what the module itself defines, by piece; not its annotations, which have no partners."""
    found: dict[int, list[Node]] = {}
    for node in text.module.children:
        if node.kind is not Kind.ANNOTATIONS:
            found.setdefault(text.pieces.at(node.line), []).append(node)
    return found
