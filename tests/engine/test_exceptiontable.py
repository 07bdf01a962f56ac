"""Reading and writing `co_exceptiontable`."""

from __future__ import annotations

import asyncio
import dis
import json
from types import CodeType, ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixcont.bytecode.exceptiontable import Row, encode, moved_table, parse, row_at

LARGE = 1 << 30


@st.composite
def tables(draw: st.DrawFn) -> list[Row]:
    """Give rows that do not overlap, sorted by start."""
    rows = []
    at = 0
    for _ in range(draw(st.integers(0, 20))):
        start = at + draw(st.integers(0, LARGE) | st.integers(0, 70))
        at = start + draw(st.integers(1, LARGE) | st.integers(1, 70))
        target, depth = draw(st.integers(0, LARGE) | st.integers(0, 4100)), draw(st.integers(0, 5000))
        rows.append(Row(start, at, target, depth, draw(st.integers(0, 1))))
    return rows


@given(tables())
def test_what_is_written_is_read_again(rows: list[Row]) -> None:
    assert parse(encode(rows)) == rows


@given(tables(), st.integers(0, LARGE) | st.integers(0, 1500))
def test_the_row_that_covers_a_place_is_found_without_reading_all(rows: list[Row], unit: int) -> None:
    table = encode(rows)
    for at in {unit, *(edge for row in rows for edge in (row.start, row.end - 1, row.end))}:
        assert row_at(table, at) == next((row for row in rows if row.start <= at < row.end), None)


@given(tables(), st.integers(0, LARGE) | st.integers(0, 70))
def test_a_table_is_moved_behind_a_prefix(rows: list[Row], units: int) -> None:
    moved = [row._replace(start=row.start + units, end=row.end + units, target=row.target + units) for row in rows]
    assert moved_table(encode(rows), units) == encode(moved)


@pytest.mark.parametrize("value", [0, 1, 63, 64, 65, 4095, 4096, 4097, 262_143, 262_144, 1 << 24, 1 << 29])
def test_numbers_at_the_edges(value: int) -> None:
    rows = [Row(value, value + 1, value, value, 1), Row(value + 1, value + 1 + max(value, 1), value, 0, 0)]
    assert parse(encode(rows)) == rows


def test_an_empty_table() -> None:
    assert parse(b"") == []
    assert encode([]) == b""


@pytest.mark.parametrize("size", range(1, len(encode([Row(70, 140, 300, 2, 1)]))))
def test_a_table_that_breaks_off_is_an_error(size: int) -> None:
    with pytest.raises(IndexError):
        parse(encode([Row(70, 140, 300, 2, 1)])[:size])


def test_where_a_row_begins_is_marked_as_the_interpreter_does() -> None:
    table = encode([Row(1, 2, 3, 4, 1), Row(5000, 5001, 70, 0, 0)])
    assert [at for at, byte in enumerate(table) if byte & 128] == [0, 4]


@pytest.mark.parametrize("module", [json.decoder, asyncio.tasks, dis])
def test_the_compilers_tables_are_written_as_they_were(module: ModuleType) -> None:
    assert module.__file__ is not None
    with open(module.__file__, "rb") as file:
        todo = [compile(file.read(), module.__file__, "exec")]
    while todo:
        code = todo.pop()
        todo += [constant for constant in code.co_consts if isinstance(constant, CodeType)]
        rows = parse(code.co_exceptiontable)
        assert encode(rows) == code.co_exceptiontable
        theirs = dis._parse_exception_table(code)  # type: ignore[attr-defined]
        ours = [(2 * row.start, 2 * row.end, 2 * row.target, row.depth, bool(row.lasti)) for row in rows]
        assert ours == [(each.start, each.end, each.target, each.depth, each.lasti) for each in theirs]
