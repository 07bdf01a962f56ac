"""Which part of a line a frame is in: the expression that failed, or the call that it waits for."""

from __future__ import annotations

from itertools import islice
from types import CodeType


def span_in_line(code: CodeType, lasti: int, line: int, text: str) -> tuple[int, int] | None:
    """Give the columns, from 0, of the expression at an instruction within its line.

    Args:
        lasti: byte offset of the instruction.
        line: the line that is shown; `text` is how it reads.

    Returns:
        None where it is not known, lies on another line, or is the whole of the line, which says nothing.
    """
    if lasti < 0:
        return None
    found = next(islice(code.co_positions(), lasti // 2, None), (None, None, None, None))
    first, last, begin, end = found
    if first != line or begin is None or end is None:
        return None
    data = text.encode()
    column = len(data[:begin].decode(errors="replace"))
    behind = len(data[:end].decode(errors="replace")) if last == line else len(text.rstrip())
    if column >= behind or behind > len(text) or not text[column:behind].strip():
        return None
    return None if text.strip() == text[column:behind].strip() else (column, behind)
