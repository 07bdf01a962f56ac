"""Read and write `co_exceptiontable`: which handler takes an exception at which instruction.

The format is described in CPython's InternalDocs/exception_handling.md. All places here are in code units (two bytes).
"""

from __future__ import annotations

from collections.abc import Iterable
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
    """Return the rows of a `co_exceptiontable`, in their order, which is that of their starts."""
    rows: list[Row] = []
    at = 0
    end = len(table)
    while at < end:
        values = []
        for _ in range(4):
            byte = table[at]
            at += 1
            value = byte & 63
            while byte & 64:
                byte = table[at]
                at += 1
                value = value << 6 | byte & 63
            values.append(value)
        start, length, target, depth_and_lasti = values
        rows.append(Row(start, start + length, target, depth_and_lasti >> 1, depth_and_lasti & 1))
    return rows


def encode(rows: Iterable[Row]) -> bytes:
    """Return the `co_exceptiontable` for rows that do not overlap and are sorted by start."""
    out = bytearray()
    for start, end, target, depth, lasti in rows:
        _varint(out, start, 128)
        _varint(out, end - start)
        _varint(out, target)
        _varint(out, depth << 1 | lasti)
    return bytes(out)


def _varint(out: bytearray, value: int, first_bits: int = 0) -> None:
    if value < 64:
        out.append(value | first_bits)
        return
    if value < 4096:
        out.append(value >> 6 | 64 | first_bits)
        out.append(value & 63)
        return
    parts = [value & 63]
    value >>= 6
    while value:
        parts.append(value & 63 | 64)
        value >>= 6
    parts[-1] |= first_bits
    out.extend(reversed(parts))
