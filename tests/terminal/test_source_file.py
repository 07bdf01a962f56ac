"""Source files for an editor, the merging of two edits, and the expressions of frames: text in, text out."""

from __future__ import annotations

import sys
from pathlib import Path
from types import FrameType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixcont.errors import Refused
from fixcont.stopping.frames import Frame
from fixcont_ui.expressions import span_in_line
from fixcont_ui.indentation import unit_of
from fixcont_ui.merging import Merge, merge
from fixcont_ui.source_file import Fault, SourceFile, span_of, syntax_fault

TEXT = """\
import functools

@functools.cache
def first():
    return [x for x in range(3)]

class Box:
    def method(self):
        def inner():
            pass
        return inner

    if True:
        def method(self):
            return 2

def last(): return 1
"""


def source(tmp_path: Path, data: bytes) -> SourceFile:
    path = tmp_path / "module.py"
    path.write_bytes(data)
    return SourceFile.read(str(path))


@pytest.mark.parametrize(
    "data", [b"", b"\n", b"a", b"a\n", b"a\r\nb\r\n", b"a\rb\nc\r\nd", b"\xef\xbb\xbfa\n", b"a\x0cb\n", b"\r\n\r\n"]
)
def test_an_unchanged_text_gives_the_same_bytes(tmp_path: Path, data: bytes) -> None:
    file = source(tmp_path, data)

    assert file.encoded(file.text) == data


def test_new_lines_end_as_most_lines_do(tmp_path: Path) -> None:
    file = source(tmp_path, b"a\r\nb\r\nc\n")

    assert file.encoded("a\nnew\nb\nc\n") == b"a\r\nnew\r\nb\r\nc\n"


def test_what_the_encoding_lacks_is_a_fault_at_its_place(tmp_path: Path) -> None:
    file = source(tmp_path, b"# coding: ascii\na\n")
    fault = file.encoded("# coding: ascii\nab\u20ac\n")

    assert isinstance(fault, Fault)
    assert (fault.line, fault.column) == (2, 2)
    assert isinstance(file.encoded("# coding: nonsense\n"), Fault)


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        source(tmp_path, b"\xff\xfe")

    assert refused.value.refusal.code == "file-not-text"


@pytest.mark.parametrize(
    ("qualname", "near", "expected"),
    [
        ("first", 3, (3, 5)),
        ("first.<locals>.<listcomp>", 5, (3, 5)),
        ("Box", 7, (7, 15)),
        ("Box.method", 8, (8, 11)),
        ("Box.method", 14, (14, 15)),
        ("Box.method.<locals>.inner", 9, (9, 10)),
        ("last", 17, (17, 17)),
        ("gone", 1, None),
        ("<module>", 1, None),
        ("<lambda>", 1, None),
    ],
)
def test_where_a_definition_is(qualname: str, near: int, expected: tuple[int, int] | None) -> None:
    assert span_of(TEXT, qualname, near) == expected


def test_syntax_faults_have_their_place() -> None:
    fault = syntax_fault(b"a\nb = (1\n")

    assert fault is not None
    assert (fault.line, fault.column) == (2, 4)
    assert syntax_fault(TEXT.encode()) is None
    assert syntax_fault(b"return 1\n") is not None


def test_merging() -> None:
    assert merge("a\nb\nc\nd", "A\nb\nc\nd", "a\nb\nc\nD") == Merge("A\nb\nc\nD")
    assert merge("a\nb\nc", "a\nb\nc\nmine", "theirs\na\nb\nc") == Merge("theirs\na\nb\nc\nmine")
    assert merge("a\nb", "a\nB", "a\nB") == Merge("a\nB")
    assert merge("a\nb\nc", "a\nmine\nc", "a\ntheirs\nc") == Merge(None, ((2, 2),))


_LINES = st.lists(st.sampled_from("abcdef"), max_size=6).map("\n".join)


@given(_LINES, _LINES)
def test_merging_with_no_other_change_gives_the_one(before: str, edited: str) -> None:
    assert merge(before, edited, before).text == edited
    assert merge(before, before, edited).text == edited
    assert merge(before, edited, edited).text == edited


@pytest.mark.parametrize(
    ("text", "unit"), [("if a:\n  b\n", "  "), ("    if a:\n        b\n", "    "), ("if a:\n\tb\n", "\t"), ("a\n", "    ")]
)
def test_the_unit_of_indentation_is_that_of_the_text(text: str, unit: str) -> None:
    assert unit_of(text) == unit


def _failing(source: str) -> tuple[FrameType, int]:
    names: dict[str, object] = {"none": None, "rows": [{"ü": 1}]}
    try:
        exec(compile(source, "<text>", "exec"), names)
    except Exception as error:
        traceback = error.__traceback__
        while traceback is not None and traceback.tb_next is not None:
            traceback = traceback.tb_next
        assert traceback is not None
        return traceback.tb_frame, traceback.tb_lasti
    raise AssertionError("it did not fail")


def _span(frame: FrameType, lasti: int) -> tuple[int, int, int, int] | None:
    return Frame(frame, 1, lasti, is_user=True, is_obsolete=False, restart_refusal=None).span


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("x = len([]) + none.size", "none.size"),
        ("x = rows[0]['ü'] + rows[0]['ä']", "rows[0]['ä']"),
        ("none()", None),
        ("x = 1; none.y = 2", "none.y"),
    ],
)
def test_the_failing_expression_by_its_columns(line: str, expected: str | None) -> None:
    frame, lasti = _failing(line)
    span = span_in_line(_span(frame, lasti), 1, line)

    assert (line[slice(*span)] if span is not None else None) == expected


def test_an_expression_over_several_lines_is_marked_to_the_end_of_the_first() -> None:
    frame, lasti = _failing("x = [1, none(\n    1,\n)]")

    assert span_in_line(_span(frame, lasti), 1, "x = [1, none(") == (8, 13)
    assert span_in_line(_span(frame, lasti), 2, "    1,") is None
    assert span_in_line(_span(sys._getframe(), -1), 1, "") is None
