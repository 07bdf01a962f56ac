"""How far a new line of Python is indented: read from the text in front of it, whole or not."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

_TOKEN: Final = re.compile(
    r"""
    (?P<string>'''(?:\\.|.)*?(?:'''|\Z) | \"\"\"(?:\\.|.)*?(?:\"\"\"|\Z) | '(?:\\.|[^'\\\n])*'? | "(?:\\.|[^"\\\n])*"?)
    | (?P<comment>\#[^\n]*)
    | (?P<open>[(\[{]) | (?P<close>[)\]}])
    | (?P<continued>\\\n) | (?P<newline>\n)
    | (?P<space>[ \t\f\r\v]+)
    | (?P<word>\w+) | (?P<sign>.)
    """,
    re.DOTALL | re.VERBOSE,
)
_LEAVING: Final = frozenset(["return", "raise", "pass", "break", "continue"])


@dataclass
class _Position:
    """Where the end of a text lies.

    Attributes:
        open: the offsets of the brackets that are open.
        statement: the offset of the first token of the statement, None in front of it.
        first: that token.
        last: the last token that is not space or a comment.
        in_string: whether a string with three quotes is open.
        is_over: whether a line has ended behind the statement.
    """

    open: list[int] = field(default_factory=list)
    statement: int | None = None
    first: str = ""
    last: str = ""
    in_string: bool = False
    is_over: bool = False


def unit_of(text: str) -> str:
    """Give what `text` indents a block by: a tab, or so many spaces; four where it has no block."""
    widths: dict[str, int] = {}
    before: str | None = None
    for line in text.split("\n"):
        if not line.strip():
            continue
        margin = _margin(line)
        if before is not None and len(margin) > len(before) and margin.startswith(before):
            step = margin[len(before) :]
            if step == "\t" or (not step.strip(" ") and len(step) in (2, 3, 4, 8)):
                widths[step] = widths.get(step, 0) + 1
        before = margin
    return max(widths, key=lambda step: widths[step]) if widths else "    "


def indentation_after(text: str, unit: str) -> str:
    """Give the indentation of the line that Enter begins behind `text`."""
    position = _read(text)
    if position.in_string:
        return _margin(_line_of(text, len(text)))
    if position.open:
        return _in_bracket(text, position.open[-1], unit)
    if position.statement is None or position.is_over:
        return _margin(_line_of(text, len(text)))
    base = _margin(_line_of(text, position.statement))
    if position.last == ":":
        return base + unit
    if position.first in _LEAVING and base.endswith(unit):
        return base[: -len(unit)]
    return base


def _in_bracket(text: str, bracket: int, unit: str) -> str:
    """Hang what follows an opening bracket at once; else go under what the line begins with."""
    line = _line_of(text, bracket)
    column = bracket - (text.rfind("\n", 0, bracket) + 1)
    behind = text[bracket + 1 :].partition("\n")
    if not behind[1]:  # the bracket is in the last line
        follows = behind[0].lstrip()
        if not follows or follows.startswith("#"):
            return _margin(line) + unit
        return _margin(line) + " " * (column + 1 - len(_margin(line)))
    return _margin(_line_of(text, len(text)))


def _read(text: str) -> _Position:
    position = _Position()
    for match in _TOKEN.finditer(text):
        kind, token = match.lastgroup, match[0]
        if kind in ("space", "comment", "continued"):
            continue
        if kind == "newline":
            position.is_over = position.is_over or not position.open
            continue
        if position.is_over:
            position = _Position()
        if position.statement is None:
            position.statement, position.first = match.start(), token
        position.last = token
        if kind == "open":
            position.open.append(match.start())
        elif kind == "close" and position.open:
            position.open.pop()
        elif kind == "string" and token[:3] in ("'''", '"""'):
            position.in_string = len(token) < 6 or not token.endswith(token[:3])
    return position


def _line_of(text: str, offset: int) -> str:
    begin = text.rfind("\n", 0, offset) + 1
    end = text.find("\n", offset)
    return text[begin:] if end < 0 else text[begin:end]


def _margin(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t"))]
