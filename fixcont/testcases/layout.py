"""Expressions laid out in lines: on one where that is short enough, else one item a line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple, Union

WIDTH: Final = 96  # and four in front of them, in the function


class Nested(NamedTuple):
    """An expression with parts, between brackets."""

    opening: str
    parts: Sequence[Doc]
    closing: str
    needs_comma: bool = False  # also behind a single part


class Led(NamedTuple):
    """An expression with something in front of it: `name=`, `key: `."""

    leading: Doc
    between: str
    doc: Doc


Doc = Union[str, Nested, Led]


def flat(doc: Doc) -> str:
    """Give an expression in one line."""
    if isinstance(doc, str):
        return doc
    if isinstance(doc, Led):
        return flat(doc.leading) + doc.between + flat(doc.doc)
    inside = ", ".join(map(flat, doc.parts))
    return f"{doc.opening}{inside}{',' if doc.needs_comma and len(doc.parts) == 1 else ''}{doc.closing}"


def lines_of(doc: Doc, before: str = "", after: str = "", indent: int = 0) -> list[str]:
    """Give the lines of an expression, with what stands before and after it.

    Args:
        indent: in front of all lines, in columns.
    """
    space = " " * indent
    whole = f"{space}{before}{flat(doc)}{after}"
    if len(whole) <= WIDTH or isinstance(doc, str):
        return [whole]
    if isinstance(doc, Led):
        return lines_of(doc.doc, before + flat(doc.leading) + doc.between, after, indent)
    if not doc.parts:
        return [whole]
    lines = [f"{space}{before}{doc.opening}"]
    for part in doc.parts:
        lines += lines_of(part, "", ",", indent + 4)
    return [*lines, f"{space}{doc.closing}{after}"]
