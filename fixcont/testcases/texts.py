"""The text of a test file: a new one, or one that gets another test."""

from __future__ import annotations

import ast
import io
import os
import re
import tokenize
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from fixcont.errors import Refusal, Refused

_COLUMNS = 110
_NEWLINE = re.compile(r"\r\n|\r|\n")
_TEST_FILE = re.compile(r"(?:test_.*|.*_test|conftest)\.py")


class Existing(NamedTuple):
    """A test file that is there.

    Attributes:
        source: its bytes.
        encoding: of what is added to it.
        newline: the line end that most of its lines have.
        gap: line ends that are missing, at its end, for two blank lines.
    """

    source: bytes
    encoding: str
    newline: str
    gap: int
    names: frozenset[str]


class Parts(NamedTuple):
    """What a test consists of.

    Attributes:
        standard, own: statements that import from Python's own modules, and from others.
        comments: what stands above its first line.
        body: its lines.
    """

    standard: Sequence[str]
    own: Sequence[str]
    comments: Sequence[str]
    body: Sequence[str]


def read(path: str) -> Existing | None:
    """Read a test file, None where there is none.

    Raises:
        Refused: it is none, or cannot be read.
    """
    try:
        with open(path, "rb") as stream:
            source = stream.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Refused(Refusal("file-unreadable", f"{path} cannot be read: {error.strerror}")) from None
    try:
        encoding = tokenize.detect_encoding(io.BytesIO(source).readline)[0]
        text = source.decode(encoding)
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError) as error:
        sentence = f"{path} is there already, and is no text of Python ({error})"
        raise Refused(Refusal("not-a-test-file", sentence, "name another file")) from None
    if tree.body and not _is_test(path, tree):
        sentence = f"{path} is there already, and has no tests"
        raise Refused(Refusal("not-a-test-file", sentence, "name another file"))
    names = frozenset(node.name for node in ast.walk(tree) if isinstance(node, _NAMED))
    newlines = Counter(_NEWLINE.findall(text)).most_common(1)
    # A mark of the byte order stands at the beginning of a file only.
    return Existing(source, encoding.removesuffix("-sig"), newlines[0][0] if newlines else "\n", _gap(text), names)


def _gap(text: str) -> int:
    """Tell how many line ends are missing at the end of a text for two blank lines; none are in front of everything."""
    lines = _NEWLINE.split(text)
    blank = next((number for number, line in enumerate(reversed(lines)) if line.strip(" \t\f")), None)
    return max(1 if lines[-1] else 0, 0 if blank is None else 3 - blank)


_NAMED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def _is_test(path: str, tree: ast.Module) -> bool:
    if _TEST_FILE.fullmatch(os.path.basename(path)):
        return True
    return any(isinstance(node, _NAMED) and node.name.lower().startswith("test") for node in tree.body)


def test_name(function: str, error: str, existing: Existing | None) -> str:
    """Name a test, as no other one in its file is named.

    Args:
        error: the name of the exception that the call had failed with, or "".
    """
    plain = re.sub(r"\W+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", f"{function}.{error or 'repaired'}")).lower()
    base = "test_" + re.sub(r"_+", "_", plain).strip("_")
    number, name = 1, base
    while existing is not None and name in existing.names:
        number += 1
        name = f"{base}_{number}"
    return name


def compose(existing: Existing | None, name: str, parts: Parts, paths: Sequence[str]) -> bytes:
    """Give the text of a file with a test: what is there already stays as it is, byte by byte.

    Args:
        paths: expressions of folders that are to be put on `sys.path`, relative to the file's own.

    Raises:
        Refused: the encoding of the file does not have a character.
    """
    imports = _imports(parts, paths, noqa=existing is None)
    inner = [*parts.comments, *parts.body] if existing is None else [*_dense(imports), "", *parts.comments, *parts.body]
    function = [f"def {name}():", *(f"    {line}" if line else "" for line in _without_ends(inner))]
    if existing is None:
        head = _without_ends(imports)
        return ("\n".join([*head, "", "", *function] if head else function) + "\n").encode()
    added = "\n" * existing.gap + "\n".join(function) + "\n"
    try:
        return existing.source + added.replace("\n", existing.newline).encode(existing.encoding)
    except UnicodeEncodeError as error:
        sentence = f"the file is written in {existing.encoding}, which does not have {error.object[error.start]!r}"
        raise Refused(Refusal("file-not-written", sentence, "name another file")) from None


def comment(text: str) -> str:
    """Give a comment of one line."""
    plain = "".join(each if each.isprintable() else " " for each in text)
    return f"# {plain[:_COLUMNS]}{'…' if len(plain) > _COLUMNS else ''}"


def path_expression(folder: str, file: str) -> str:
    """Give the expression of a folder, relative to that of a file."""
    steps = os.path.relpath(folder, os.path.dirname(file)).split(os.sep)
    up = steps.count(os.pardir)
    base = "Path(__file__).resolve()." + (f"parents[{up}]" if up else "parent")
    return "".join([base, *(f' / "{each}"' for each in steps[up:] if each != os.curdir)])


def _imports(parts: Parts, paths: Sequence[str], *, noqa: bool) -> list[str]:
    standard = list(parts.standard)
    if paths:
        standard += [line for line in ("import sys", "from pathlib import Path") if line not in standard]
        standard.sort(key=lambda line: (line.startswith("from"), line))
    own = [f"{line}  # noqa: E402" if paths and noqa else line for line in parts.own]
    inserts = [f"sys.path.insert(0, str({each}))" for each in paths]
    return [*standard, "", *inserts, "", *own]


def _dense(lines: Sequence[str]) -> list[str]:
    return [line for line in lines if line]


def _without_ends(lines: Sequence[str]) -> list[str]:
    """Give lines without empty ones at the ends, and never two of them together."""
    found: list[str] = []
    for line in lines:
        if line or (found and found[-1]):
            found.append(line)
    while found and not found[-1]:
        found.pop()
    return found
