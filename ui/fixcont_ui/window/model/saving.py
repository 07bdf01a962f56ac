"""A file as it is edited: read as text, and written back whole, and only over what was read."""

from __future__ import annotations

import io
import os
import tokenize
import warnings
from dataclasses import dataclass

from fixcont.editing.writing import write_back
from fixcont.errors import Refusal, Refused


@dataclass(frozen=True)
class OnDisk:
    """What a file says.

    Attributes:
        data: its bytes.
        text: the same as text, its lines ending in newlines.
        has_returns: whether all lines end in a carriage return and a newline in the file.
    """

    filename: str
    data: bytes
    text: str
    has_returns: bool


@dataclass(frozen=True)
class Fault:
    """Why a text does not compile.

    Attributes:
        line: from 1; None where the fault has no place.
        column: from 0, in characters.
        end_column: behind the faulty text; None where that is not known.
    """

    message: str
    line: int | None = None
    column: int = 0
    end_column: int | None = None


def read(filename: str) -> OnDisk:
    """Read a file as Python does.

    Raises:
        Refused: it cannot be read, or is no text.
    """
    try:
        with open(filename, "rb") as stream:
            data = stream.read()
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        text = data.decode(encoding)
    except OSError as error:
        raise Refused(Refusal("no-file", f"{filename} cannot be read: {error.strerror or type(error).__name__}")) from None
    except (SyntaxError, UnicodeError, LookupError) as error:
        raise Refused(Refusal("file-unreadable", f"{filename} is no text that Python reads: {error}")) from None
    has_returns = text.count("\r\n") == text.count("\n") > 0 and text.count("\r") == text.count("\r\n")
    return OnDisk(filename, data, text.replace("\r\n", "\n") if has_returns else text, has_returns)


def fault_in(filename: str, text: str) -> Fault | None:
    """Tell why a text does not compile, or give None."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, filename, "exec", dont_inherit=True)
    except SyntaxError as error:
        end = error.end_offset - 1 if error.end_offset and error.end_lineno == error.lineno else None
        return Fault(f"{type(error).__name__}: {error.msg}", error.lineno, max(0, (error.offset or 1) - 1), end)
    except (ValueError, RecursionError, MemoryError, OverflowError) as error:
        return Fault(f"{type(error).__name__}: {error}")
    return None


def save(before: OnDisk, text: str) -> OnDisk:
    """Write a text in place of what was read, in its encoding and with its line ends. Returns what the file says then.

    Raises:
        Refused: with the code "file-changed" where the file says something else by now; or it cannot be written.
    """
    lines = text.replace("\n", "\r\n") if before.has_returns else text
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(lines.encode("utf-8", "surrogateescape")).readline)
        data = lines.encode("utf-8-sig" if before.data.startswith(b"\xef\xbb\xbf") else encoding)
    except (SyntaxError, UnicodeError, LookupError) as error:
        raise Refused(Refusal("file-not-written", f"the text cannot be encoded: {error}")) from None
    try:
        write_back(before.filename, before.data, data)
    except Refused as refused:
        if refused.refusal.code != "file-changed":
            raise
        sentence = f"{os.path.basename(before.filename)} was changed by someone else since you began to edit it"
        raise Refused(Refusal("file-changed", sentence)) from None
    return OnDisk(before.filename, data, text, before.has_returns)
