"""Which definitions of a text became which of the text that took its place: written down without holding on to either text.

Comparing two texts is a guess, if a good one. Taking an edit back must not guess again: each function is to become the one that it was,
with the number that its version had. Both texts are compiled from the same bytes again by then, which gives the same code objects in the same order,
so places in that order are all that needs to be kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fixcont.editing.compare import Comparison
from fixcont.editing.texts import Definition, Kind, Node, Text


@dataclass(frozen=True)
class Lineage:
    """How the definitions of an older text stand to those of a newer one. Places are those in the order of `Node.walk`.

    Attributes:
        size: how many code objects the older text has.
        blocks: (place in the older text, place in the newer one, how many follow each other in both).
        lost: place in the older text -> definition that the newer one does not have.
        versions: place in the older text -> version there, where it is not that of the same definition in the newer one.
    """

    size: int
    blocks: tuple[tuple[int, int, int], ...]
    lost: dict[int, Definition]
    versions: dict[int, int]

    @classmethod
    def of(cls, comparison: Comparison) -> Lineage:
        """Write down what `comparison`, which is committed, has found."""
        newer = list(comparison.new.module.walk())
        place_of = {
            id(comparison.partners[id(node)]): place for place, node in enumerate(newer) if id(node) in comparison.partners
        }
        blocks: list[tuple[int, int, int]] = []
        lost: dict[int, Definition] = {}
        versions: dict[int, int] = {}
        size = 0
        for old_place, node in enumerate(comparison.old.module.walk()):
            size += 1
            place = place_of.get(id(node))
            if place is None:
                if node.kind is not Kind.ANNOTATIONS:  # made anew with every header
                    lost[old_place], versions[old_place] = node.definition, node.version
                continue
            if newer[place].version != node.version:
                versions[old_place] = node.version
            start, other, count = blocks[-1] if blocks else (0, 0, 0)
            if blocks and (start + count, other + count) == (old_place, place):
                blocks[-1] = start, other, count + 1
            else:
                blocks.append((old_place, place, 1))
        return cls(size, tuple(blocks), lost, versions)

    def partners(self, older: Text, newer: Text) -> dict[int, Node]:
        """Map the id of each node of the older text to the node of the newer one that is the same definition."""
        old_nodes, new_nodes = list(older.module.walk()), list(newer.module.walk())
        assert len(old_nodes) == self.size, "the same text compiles to the same code objects"
        return {
            id(old_nodes[start + step]): new_nodes[other + step] for start, other, count in self.blocks for step in range(count)
        }

    def lost_in(self, older: Text) -> Iterator[tuple[int, Node, Definition]]:
        """Give the nodes of the older text whose definitions the newer one does not have, each with its place."""
        for place, node in enumerate(older.module.walk()):
            if place in self.lost:
                yield place, node, self.lost[place]

    def version(self, place: int, otherwise: int) -> int:
        """Give the version that the definition at `place` had; `otherwise` is the one it has in the newer text."""
        return self.versions.get(place, otherwise)
