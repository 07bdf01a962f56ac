"""Read and write `co_exceptiontable`: which handler takes an exception at which instruction.

The format is described in CPython's InternalDocs/exception_handling.md. All places here are in code units (two bytes).
"""

from __future__ import annotations

import re
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
    make: Callable[[type[Row], tuple[int, ...]], Row] = tuple.__new__  # what `Row(...)` does, without a call in between
    values = list(map(_value_of, _numbers(table)))
    return [
        make(Row, (start, start + length, target, depth_and_lasti >> 1, depth_and_lasti & 1))
        for start, length, target, depth_and_lasti in zip(values[::4], values[1::4], values[2::4], values[3::4], strict=True)
    ]


def moved_table(table: bytes, units: int) -> bytes:
    """Return the `co_exceptiontable` for the same code `units` further behind. Raises `IndexError` as `parse` does."""
    numbers = _numbers(table)
    numbers[::4] = [_firsts[_values[number] + units] for number in numbers[::4]]
    numbers[2::4] = [_others[_values[number] + units] for number in numbers[2::4]]
    return b"".join(numbers)


def _numbers(table: bytes) -> list[bytes]:
    """Return the numbers of a table as they are written, four for each row."""
    numbers: list[bytes] = _NUMBER.findall(table)
    if len(numbers) % 4 or (table and table[-1] & 64):
        raise IndexError("the last row is not complete")
    return numbers


def row_at(table: bytes, unit: int) -> Row | None:
    """Return the row of a `co_exceptiontable` that covers a code unit, None where none does.

    Found by halving: rows lie in the order of their starts, and where one begins is marked. Raises `IndexError` as `parse` does.
    """
    low, high = 0, len(table)
    while low < high:
        begin = (low + high) // 2
        while not table[begin] & _BEGINS and begin > low:
            begin -= 1
        end = begin + 1
        while end < high and not table[end] & _BEGINS:
            end += 1
        row = parse(table[begin:end])[0]
        if row.start <= unit < row.end:
            return row
        low, high = (low, begin) if unit < row.start else (end, high)
    return None


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
        if value < _KEPT:
            self[value] = written
        return written


class _Values(dict[bytes, int]):
    """Number as it is written -> the number. Short ones are kept."""

    def __missing__(self, written: bytes) -> int:
        value = 0
        for byte in written:
            value = value << 6 | byte & 63
        if value < _KEPT:
            self[written] = value
        return value


#: A number: groups of six bits, each but the last with a mark that it goes on.
_NUMBER = re.compile(rb"[\x40-\x7f\xc0-\xff]*[\0-\x3f\x80-\xbf]")
#: Marks the byte with which a row begins.
_BEGINS = 128
_KEPT = 1 << 14
_firsts = _Numbers(_BEGINS)
_others = _Numbers(0)
_values = _Values()
_value_of = _values.__getitem__
