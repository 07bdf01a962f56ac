"""The pieces of a text: runs of whole statements of the module's top level, each of which is parsed only when somebody looks at it."""

from __future__ import annotations

import ast
import itertools
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cached_property

from fixcont.editing import parsing

_FEW = 8  # parts of a text that are parsed one by one: in front of each stand as many empty lines as it takes to have its places right


class Pieces:
    """A text in pieces.

    Args:
        lines: of the text, with their ends.
        starts: the lines at which a statement of the module's top level begins for certain, in order; the first one is 1.
        tree: of the whole text, where that has been parsed.
    """

    def __init__(self, lines: Sequence[str], filename: str, starts: Sequence[int], tree: ast.Module | None = None) -> None:
        self._lines = lines
        self._filename = filename
        self._starts = starts
        self._ends = [*starts[1:], len(lines) + 1]
        self._bodies: list[list[ast.stmt] | None] = [None] * len(starts)
        if tree is not None:
            self._take(range(len(starts)), tree)

    def __len__(self) -> int:
        return len(self._starts)

    @cached_property
    def sources(self) -> list[str]:
        """The text of each piece."""
        return ["".join(self._lines[first - 1 : end - 1]) for first, end in zip(self._starts, self._ends, strict=True)]

    def lines(self, at: int) -> range:
        """Give the numbers of the lines of a piece."""
        return range(self._starts[at], self._ends[at])

    def at(self, line: int) -> int:
        """Give the index of the piece that a line is in."""
        return bisect_right(self._starts, line, 1) - 1

    def statements(self, wanted: Iterable[int] | None = None) -> list[ast.stmt]:
        """Give the statements of some pieces, or of all, as they are in the tree of the whole text; the same objects each time."""
        chosen = range(len(self)) if wanted is None else list(wanted)
        self._parse(sorted(at for at in chosen if self._bodies[at] is None))
        return list(itertools.chain.from_iterable(self._bodies[at] or () for at in chosen))

    def with_all(self, names: Collection[str]) -> list[int]:
        """Give the pieces in which all of these names may be."""
        return [at for at, source in enumerate(self.sources) if all(_may_have(source, name) for name in names)]

    def with_any(self, names: Collection[str]) -> list[int]:
        """Give the pieces in which one of these names may be."""
        return [at for at in range(len(self)) if self.may_have(at, names)]

    def may_have(self, at: int, names: Iterable[str]) -> bool:
        """Tell whether one of these names may be in a piece."""
        return any(_may_have(self.sources[at], name) for name in names)

    def _parse(self, wanted: Sequence[int]) -> None:
        runs = list(_runs(wanted))
        if len(runs) > _FEW:
            runs = [range(wanted[0], wanted[-1] + 1)]
        for run in runs:
            lines = range(self._starts[run[0]], self._ends[run[-1]])
            self._take([at for at in run if self._bodies[at] is None], parsing.parse_lines(self._lines, lines, self._filename))

    def _take(self, wanted: Iterable[int], tree: ast.Module) -> None:
        found: dict[int, list[ast.stmt]] = {at: [] for at in wanted}
        for statement in tree.body:
            at = self.at(parsing.first_line(statement))
            if at in found:
                found[at].append(statement)
        for at, body in found.items():
            self._bodies[at] = body


def _runs(numbers: Iterable[int]) -> Iterator[range]:
    """Give ascending numbers as runs of consecutive ones."""
    for _, group in itertools.groupby(enumerate(numbers), lambda pair: pair[1] - pair[0]):
        members = [number for _, number in group]
        yield range(members[0], members[-1] + 1)


def _may_have(source: str, name: str) -> bool:
    """Tell whether a name may be in a text: names that are not plain ASCII can be written in several ways."""
    return name in source or not source.isascii()
