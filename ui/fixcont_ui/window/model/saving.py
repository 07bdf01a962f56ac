"""A file as the window edits it: read as text, and written back whole, and only over what was read."""

from __future__ import annotations

import os

from fixcont.errors import Refusal, Refused
from fixcont_ui.source_file import Fault, SourceFile, syntax_fault


def fault_in(before: SourceFile, text: str) -> Fault | None:
    """Tell why a text does not compile, or cannot be written in the encoding of its file; or give None."""
    data = before.encoded(text)
    return data if isinstance(data, Fault) else syntax_fault(data)


def save(before: SourceFile, text: str) -> SourceFile:
    """Write a text in place of what was read. Returns what the file says then.

    Raises:
        Refused: with the code "file-changed" where the file says something else by now; or it cannot be written.
    """
    data = before.encoded(text)
    if isinstance(data, Fault):
        raise Refused(Refusal("file-not-written", data.message))
    try:
        before.write(data, before.data)
    except Refused as refused:
        if refused.refusal.code != "file-changed":
            raise
        sentence = f"{os.path.basename(before.path)} was changed by someone else since you began to edit it"
        raise Refused(Refusal("file-changed", sentence)) from None
    return SourceFile(before.path, data, text)
