"""Where frames stand, as clients see it: a file, or a text that is in no file."""

from __future__ import annotations

import functools
import linecache
import os
from types import CodeType
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from fixcont.editing.texts import Text
    from fixcont.session import Session
    from fixcont_ui.dap import protocol

Hint = Literal["normal", "deemphasize"]


class Texts:
    """Texts that clients may ask for, because no file has them.

    They are kept: a client may show one long after the stop. There are as many as versions that were looked at.
    """

    def __init__(self) -> None:
        self._numbers: dict[Text | CodeType, int] = {}
        self._texts: list[Text | CodeType] = []

    def number(self, text: Text | CodeType) -> int:
        """Give the number by which a text, or the disassembly of a code object, can be asked for."""
        found = self._numbers.get(text)
        if found is None:
            self._texts.append(text)
            found = self._numbers[text] = len(self._texts)
        return found

    def get(self, number: int) -> protocol.SourceResponseBody | None:
        """Give a text by its number, None where there is none: an older version, one that the program has made, or the instructions."""
        if not 0 < number <= len(self._texts):
            return None
        found = self._texts[number - 1]
        if not isinstance(found, CodeType):
            return {"content": "".join(found.lines), "mimeType": "text/x-python"}
        lines = linecache.getlines(found.co_filename)
        return {"content": "".join(lines), "mimeType": "text/x-python"} if lines else {"content": _instructions(found)}


def _instructions(code: CodeType) -> str:
    import dis  # where it is needed: it is slow to load
    import io

    listing = io.StringIO()
    dis.dis(code, file=listing)
    return f"# there is no source text; these are the instructions\n{listing.getvalue()}"


def place_of(session: Session, texts: Texts, code: CodeType, line: int) -> tuple[protocol.Source, int]:
    """Give the source that a line of a code object is shown in, and the line there.

    A frame that runs an older text than the one in the file is shown in the file, where the statement is there still; else in the text
    that it runs.
    """
    sources = session.sources
    filename = code.co_filename
    is_user = session.scope.is_user(filename)
    text = sources.text_for(code) if is_user else None
    newest = sources.newest_text(filename) if text is not None else None
    if text is not None and newest is not None and text.source != newest.source:
        from fixcont.editing.moves import moved_line  # only once something was edited

        now = moved_line(text, newest, line)
        if now is None:
            return _old(texts, text), line
        line = now
    source = file_source(filename, is_user=is_user)
    if source is None:
        name = os.path.basename(filename)
        return {
            "name": name,
            "sourceReference": texts.number(text or code),
            "presentationHint": hint(is_user),
        }, line
    return source, line


def _old(texts: Texts, text: Text) -> protocol.Source:
    """Describe a text that was in a file."""
    name = f"{os.path.basename(text.filename)} (old version)"
    return {"name": name, "sourceReference": texts.number(text), "origin": "an older version of the file"}


@functools.lru_cache(maxsize=4096)
def file_source(filename: str, *, is_user: bool) -> protocol.Source | None:
    """Describe a file, None where there is none of this name."""
    if filename.startswith("<") or not os.path.isfile(filename):
        return None
    return {"name": os.path.basename(filename), "path": os.path.abspath(filename), "presentationHint": hint(is_user)}


def hint(is_user: bool) -> Hint:
    """Tell how a client is to show a source."""
    return "normal" if is_user else "deemphasize"
