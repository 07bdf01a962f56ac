"""Which part of a line a frame is in: the expression that failed, or the call that it waits for."""

from __future__ import annotations


def span_in_line(span: tuple[int, int, int, int] | None, line: int, text: str) -> tuple[int, int] | None:
    """Give the columns, from 0, of an expression within its line.

    Args:
        span: where it stands, as `Frame.span`.
        line: the line that is shown; `text` is how it reads.

    Returns:
        None where it is not known, lies on another line, or is the whole of the line, which says nothing.
    """
    if span is None or span[0] != line:
        return None
    _, begin, last, end = span
    data = text.encode()
    column = len(data[:begin].decode(errors="replace"))
    behind = len(data[:end].decode(errors="replace")) if last == line else len(text.rstrip())
    if column >= behind or behind > len(text) or not text[column:behind].strip():
        return None
    return None if text.strip() == text[column:behind].strip() else (column, behind)
