"""Source and messages in colour, as text with the terminal's own codes in it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final

from pygments.lexers.python import PythonLexer
from pygments.token import Token, _TokenType

from fixcont_ui.terminal.palette import TOKENS

_CODES: Final = {
    "bold": "1",
    "italic": "3",
    "underline": "4",
    "ansired": "31",
    "ansigreen": "32",
    "ansiyellow": "33",
    "ansiblue": "34",
    "ansimagenta": "35",
    "ansicyan": "36",
}
_GREY: Final = "#808080"
#: Longer texts are not coloured as a whole, only what is shown of them.
_MOST_LINES: Final = 3000

#: Text, and how it looks.
Piece = tuple[str, str]


class Painter:
    """Colours texts. It remembers the pieces of those that it was given, as long as it lives: one stop."""

    def __init__(self) -> None:
        self._lexer = PythonLexer(stripnl=False, ensurenl=False)
        self._grey = "38;5;244" if "256" in os.environ.get("TERM", "") or os.environ.get("COLORTERM") else "2"
        self._texts: dict[
            int, tuple[Sequence[str], list[list[Piece]]]
        ] = {}  # id -> the text, which keeps the id its own; its lines
        self._styles = {token: self._codes(style) for token, style in TOKENS.items()}

    def line(self, text: Sequence[str], number: int, mark: tuple[int, int] | None = None, *, is_stripped: bool = False) -> str:
        """Give one line of a text, from 1, in colour, without the end of the line.

        Args:
            mark: columns that are underlined, in bold.
            is_stripped: without its margin.
        """
        pieces = self._lines_of(text, number)
        return self._joined(pieces, mark or (0, 0), is_stripped)

    def error(self, text: str) -> str:
        return f"\x1b[1;31m{text}\x1b[0m"

    def strong(self, text: str) -> str:
        return f"\x1b[1m{text}\x1b[0m"

    def faint(self, text: str) -> str:
        return f"\x1b[{self._grey}m{text}\x1b[0m"

    def _lines_of(self, text: Sequence[str], number: int) -> list[Piece]:
        if len(text) > _MOST_LINES:
            return self._lexed([text[number - 1]])[0]
        known = self._texts.get(id(text))
        if known is None:
            known = self._texts[id(text)] = text, self._lexed(text)
        return known[1][number - 1] if number <= len(known[1]) else []

    def _lexed(self, text: Sequence[str]) -> list[list[Piece]]:
        lines: list[list[Piece]] = [[]]
        for token, value in self._lexer.get_tokens("".join(line.rstrip("\r\n") + "\n" for line in text)):
            codes = self._look(token)
            first, *others = value.split("\n")
            lines[-1].append((first, codes))
            lines.extend([(other, codes)] for other in others)
        return lines

    def _look(self, token: _TokenType) -> str:
        while token is not Token and token is not None:
            found = self._styles.get(".".join(token).lower())
            if found is not None:
                return found
            token = token.parent  # type: ignore[assignment]
        return ""

    def _joined(self, pieces: Sequence[Piece], mark: tuple[int, int], is_stripped: bool) -> str:
        shown: list[str] = []
        column = 0
        for text, codes in pieces:
            for inside, part in _cut(text, column, *mark):
                if is_stripped and not shown:
                    part = part.lstrip()
                if not part:
                    continue
                look = ";".join(filter(None, [codes, "1;4" if inside else ""]))
                shown.append(f"\x1b[{look}m{part}\x1b[0m" if look else part)
            column += len(text)
        return "".join(shown).rstrip()

    def _codes(self, style: str) -> str:
        return ";".join(self._grey if word == _GREY else _CODES[word] for word in style.split())


def _cut(text: str, column: int, begin: int, end: int) -> list[tuple[bool, str]]:
    """Cut a text that begins at `column` into what lies in front of, within and behind a range of columns."""
    first = min(max(begin - column, 0), len(text))
    last = min(max(end - column, first), len(text))
    return [(False, text[:first]), (True, text[first:last]), (False, text[last:])]
