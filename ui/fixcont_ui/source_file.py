"""A source file as an editor needs it: text with plain newlines, which goes back with the file's own line ends, encoding and mark."""

from __future__ import annotations

import ast
import codecs
import os
import re
import stat
import tokenize
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

from fixcont.editing.writing import write_back
from fixcont.errors import Refusal, Refused

_LINE = re.compile(r"([^\r\n]*)(\r\n|\r|\n|\Z)")
_INSTEAD = "edit it in another editor"


@dataclass(frozen=True)
class Fault:
    """What is wrong with a text, and where.

    Attributes:
        line: by its number in the file; None where the fault has no place.
        column: from 0, in characters.
        end_column: where the faulty text ends; None for the one character.
    """

    message: str
    line: int | None = None
    column: int = 0
    end_column: int | None = None


@dataclass(frozen=True)
class SourceFile:
    """What a file said when it was read.

    Attributes:
        data: byte for byte.
        text: the same with "\\n" at the end of every line.
    """

    path: str
    data: bytes
    text: str

    @classmethod
    def read(cls, path: str) -> SourceFile:
        """Read a file.

        Raises:
            Refused: it is gone, no file, or not text in the encoding that it says it has.
        """
        try:
            with open(path, "rb") as stream:
                data = stream.read()
            text = data.decode(_encoding(data))
        except OSError as error:
            sentence = f"{path} cannot be read: {error.strerror or type(error).__name__}"
            raise Refused(Refusal("no-file", sentence)) from None
        except (SyntaxError, UnicodeError, LookupError) as error:
            reason = error.msg if isinstance(error, SyntaxError) else str(error)
            raise Refused(Refusal("file-not-text", f"{path} cannot be decoded: {reason}", _INSTEAD)) from None
        return cls(path, data, "\n".join(line for line, _ in _split(text)))

    def encoded(self, text: str) -> bytes | Fault:
        """Give the bytes of `text` as this file is written; or what cannot be written in its encoding.

        Lines that the file had keep their ends, others get the end that most have. The encoding is the one that `text` itself names.
        """
        encoding = "utf-8-sig" if self.data.startswith(codecs.BOM_UTF8) else "utf-8"
        try:
            named = _encoding("\n".join(text.split("\n", 2)[:2]).encode())
        except (SyntaxError, UnicodeError) as error:
            return Fault(getattr(error, "msg", None) or str(error), 1)
        if named not in ("utf-8", "utf-8-sig"):
            encoding = named
        whole = self._with_ends(text)
        try:
            return whole.encode(encoding)
        except UnicodeEncodeError as error:
            line = whole.count("\n", 0, error.start) + 1
            column = error.start - (whole.rfind("\n", 0, error.start) + 1)
            return Fault(f"{whole[error.start]!r} cannot be written in this file's encoding, {encoding}", line, column)
        except LookupError as error:
            return Fault(str(error), 1)

    def write(self, data: bytes, over: bytes) -> None:
        """Write the file as a whole, if it still says `over`.

        Raises:
            Refused: it says something else ("file-changed"), or cannot be written; it is as it was.
        """
        refusal = self.write_refusal()
        if refusal is not None:
            raise Refused(refusal)
        write_back(self.path, over, data)

    def write_refusal(self) -> Refusal | None:
        """Tell why the file cannot be written, as far as that can be seen; None where nothing speaks against it."""
        try:
            status = os.stat(self.path)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            return Refusal("file-not-written", f"{self.path} cannot be written: {reason}")
        if not stat.S_ISREG(status.st_mode):
            return Refusal("file-not-written", f"{self.path} is no regular file", _INSTEAD)
        if not status.st_mode & 0o222 or not os.access(self.path, os.W_OK):
            return Refusal("file-not-written", f"{self.path} is read-only", "make it writable first")
        if not os.access(os.path.dirname(os.path.realpath(self.path)), os.W_OK):
            return Refusal("file-not-written", f"the folder of {self.path} is read-only", _INSTEAD)
        return None

    def _with_ends(self, text: str) -> str:
        before = _split(self.data.decode(_encoding(self.data)))
        ends = [end for _, end in before if end]
        usual = max(dict.fromkeys(ends, 0) or {"\n": 0}, key=ends.count) if ends else "\n"
        lines = text.split("\n")
        chosen = [usual] * len(lines)
        if len(set(ends)) > 1:
            matcher = SequenceMatcher(None, [line for line, _ in before], lines, autojunk=False)
            for i, j, size in matcher.get_matching_blocks():
                for offset in range(size):
                    chosen[j + offset] = before[i + offset][1] or usual
        chosen[-1] = ""
        return "".join(line + end for line, end in zip(lines, chosen, strict=True))


def syntax_fault(data: bytes, path: str) -> Fault | None:
    """Compile what is to be written. Returns what is wrong with it, or None. Nothing runs."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(data, path, "exec", dont_inherit=True)
    except SyntaxError as error:
        column = max(0, (error.offset or 1) - 1)
        end = error.end_offset - 1 if error.end_offset and error.end_lineno == error.lineno else None
        return Fault(error.msg or "invalid syntax", error.lineno, column, end)
    except (ValueError, RecursionError, MemoryError, OverflowError) as error:
        return Fault(f"{type(error).__name__}: {error}")
    return None


def span_of(text: str, qualname: str, near: int) -> tuple[int, int] | None:
    """Find a function or class in a text: its first line, decorators included, and its last one.

    Args:
        qualname: of a code object; what has no name there (a lambda, a comprehension) counts as part of what it stands in.
        near: of several with one name the one that begins nearest to this line is meant.

    Returns:
        None where it is not there, where the text has a syntax error, or where it is the module itself.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            node: ast.AST = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    span: tuple[int, int] | None = None
    for name in qualname.split("."):
        if name == "<locals>":
            continue
        if name.startswith("<"):
            break
        found = [each for each in _definitions(node) if each.name == name]
        if not found:
            return None
        node = min(found, key=lambda each: abs(_first_line(each) - near))
        span = _first_line(node), node.end_lineno or node.lineno
    return span


_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def _definitions(scope: ast.AST) -> Iterator[_Definition]:
    """Give the definitions that belong to `scope` itself, not to a function or class inside of it."""
    pending = list(ast.iter_child_nodes(scope))
    while pending:
        node = pending.pop()
        if isinstance(node, _Definition):
            yield node
        elif isinstance(node, (ast.stmt, ast.ExceptHandler, ast.match_case)):
            pending.extend(ast.iter_child_nodes(node))


def _first_line(node: _Definition) -> int:
    return min([node.lineno, *(each.lineno for each in node.decorator_list)])


def _encoding(data: bytes) -> str:
    lines = iter(data.splitlines(keepends=True))
    return tokenize.detect_encoding(lambda: next(lines, b""))[0]


def _split(text: str) -> list[tuple[str, str]]:
    """Split into lines and what ends them; Python knows no other line ends than these."""
    found = [(match[1], match[2]) for match in _LINE.finditer(text)]
    if len(found) > 1 and found[-1] == ("", "") and found[-2][1] == "":
        found.pop()  # the expression also matches behind the last line
    return found
