"""Read and write `co_exceptiontable`: which handler takes an exception at which instruction.

The format is described in CPython's InternalDocs/exception_handling.md. All places here are in code units (two bytes).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple


class Row(NamedTuple):
    """One row of the table.

    Attributes:
        start: the first code unit that is covered.
        end: the code unit behind the last one that is covered.
        target: where the handler begins.
        depth: how many items of the value stack are kept for it.
        lasti: whether the offset of the failing instruction is pushed before the exception.
    """

    start: int
    end: int
    target: int
    depth: int
    lasti: int


def parse(table: bytes) -> list[Row]:
    """Return the rows of a `co_exceptiontable`, in their order, which is that of their starts.

    Raises:
        IndexError: the last row is not complete: no compiler made the table.
    """
    rows: list[Row] = []
    make: Callable[[type[Row], tuple[int, ...]], Row] = tuple.__new__  # what `Row(...)` does, without a call in between
    values: list[int] = []
    value = 0
    for byte in table:
        value = value << 6 | byte & 63
        if byte & 64:
            continue
        values.append(value)
        value = 0
        if len(values) == 4:
            start, length, target, depth_and_lasti = values
            rows.append(make(Row, (start, start + length, target, depth_and_lasti >> 1, depth_and_lasti & 1)))
            values.clear()
    if values or value or (table and table[-1] & 64):
        raise IndexError("the last row is not complete")
    return rows


def row_at(table: bytes, unit: int) -> Row | None:
    """Return the row of a `co_exceptiontable` that covers a code unit, None where none does.

    Found by halving: rows lie in the order of their starts, and where one begins is marked. Raises `IndexError` as `parse` does.
    """
    low, high = 0, len(table)
    while low < high:
        begin = (low + high) // 2
        while not table[begin] & _BEGINS and begin > low:
            begin -= 1
        row, end = _read(table, begin)
        if row.start <= unit < row.end:
            return row
        low, high = (low, begin) if unit < row.start else (end, high)
    return None


def _read(table: bytes, at: int) -> tuple[Row, int]:
    """Return the row that begins at a byte, and where the next one does."""
    values = []
    for _ in range(4):
        value = table[at] & 63
        while table[at] & 64:
            at += 1
            value = value << 6 | table[at] & 63
        at += 1
        values.append(value)
    start, length, target, depth_and_lasti = values
    return Row(start, start + length, target, depth_and_lasti >> 1, depth_and_lasti & 1), at


def encode(rows: Iterable[tuple[int, int, int, int, int]]) -> bytes:
    """Return the `co_exceptiontable` for rows that do not overlap and are sorted by start."""
    firsts, others = _firsts, _others
    out: list[bytes] = []
    for start, end, target, depth, lasti in rows:
        out += (firsts[start], others[end - start], others[target], others[depth << 1 | lasti])
    return b"".join(out)


class _Numbers(dict[int, bytes]):
    """Number -> how it is written: in groups of six bits, the first group marked where a row begins. Small ones are kept."""

    def __init__(self, mark: int) -> None:
        super().__init__()
        self._mark = mark

    def __missing__(self, value: int) -> bytes:
        groups = [value & 63]
        rest = value >> 6
        while rest:
            groups.append(rest & 63 | 64)
            rest >>= 6
        groups[-1] |= self._mark
        written = bytes(reversed(groups))
        if value < 4096:
            self[value] = written
        return written


#: Marks the byte with which a row begins.
_BEGINS = 128
_firsts = _Numbers(_BEGINS)
_others = _Numbers(0)
