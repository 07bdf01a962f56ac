"""What a function, method or class said in each of its versions: read from the texts that the history keeps, when somebody asks."""

from __future__ import annotations

import ast
import os
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fixcont.editing.history import History, Patch, PatchedFile
from fixcont.editing.texts import Text

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_MODULE = "<module>"


@dataclass(frozen=True)
class Version:
    """One version of a definition.

    Attributes:
        number: 1 is what was loaded. A class keeps its number where only its methods changed.
        patch: what installed it, None for the text that was loaded.
        lines: its text, with line ends; empty where the patch took it out.
        before: the number and the lines of the version that it took the place of, None where there was none.
        is_newest: whether it is what is installed now.
    """

    number: int
    patch: Patch | None
    lines: Sequence[str]
    before: tuple[int, Sequence[str]] | None
    is_newest: bool


@dataclass(frozen=True)
class Versions:
    """All versions of one definition, oldest first, those too that were taken back."""

    qualname: str
    filename: str
    versions: tuple[Version, ...]


class Definitions:
    """What the definitions of a text say, by qualified name: from the first decorator to the last line.

    Those that share a name (a getter and its setter) are one text. The module is all of it.
    """

    def __init__(self, filename: str, source: bytes) -> None:
        lines = Text(filename, source).lines
        self.lines: dict[str, list[str]] = {_MODULE: lines}
        self.classes: set[str] = set()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source, filename)
        self._collect(tree, "", lines)

    def _collect(self, node: ast.AST, prefix: str, lines: list[str]) -> None:
        for child in ast.iter_child_nodes(node):
            if not isinstance(child, _DEFINITIONS):
                if not isinstance(child, ast.expr):
                    self._collect(child, prefix, lines)
                continue
            qualname = prefix + child.name
            first = min([child.lineno, *(each.lineno for each in child.decorator_list)])
            self.lines.setdefault(qualname, []).extend(lines[first - 1 : child.end_lineno])
            if isinstance(child, ast.ClassDef):
                self.classes.add(qualname)
            self._collect(child, f"{qualname}." if isinstance(child, ast.ClassDef) else f"{qualname}.<locals>.", lines)


def find(history: History, name: str) -> list[tuple[str, str]]:
    """Find the definitions that a name may stand for.

    Args:
        name: bare or qualified, in front of it the name of the module where there is doubt: "total", "Basket.total", "shop.Basket.total".

    Returns:
        File and qualified name of each. One whose qualified name is just this goes before others that end with it; and of these,
        those in files that were patched before others.
    """
    wanted = name.split(".<locals>.")[-1].rpartition(".")[2].encode()
    exact: list[tuple[str, str]] = []
    ending: list[tuple[str, str]] = []
    texts, patched = history.texts(), history.filenames()
    for filenames in (patched, [each for each in texts if each not in patched]):
        for filename in filenames:
            sources = {texts.get(filename, b""), *(each for _, file in history.of_file(filename) for each in _texts(file))}
            names = {each: None for source in sources if wanted in source for each in _names(filename, source)}
            stem = os.path.splitext(os.path.basename(filename))[0]
            exact += [(filename, each) for each in names if each == name]
            ending += [(filename, each) for each in names if _plain(f".{stem}.{each}").endswith(_plain(f".{name}"))]
        if exact or ending:
            break
    return exact or ending


def versions(history: History, filename: str, qualname: str) -> Versions | None:
    """Give all versions of a definition, None where the file is not one of the program's, or never had it."""
    installed = history.texts().get(filename)
    if installed is None:
        return None
    read: dict[int, Definitions] = {}  # id of a text -> its definitions

    def definitions(source: bytes) -> Definitions:
        if id(source) not in read:
            read[id(source)] = Definitions(filename, source)
        return read[id(source)]

    found: list[Version] = []
    numbers: dict[int, int] = {}  # id of a text -> number of the version in it
    last = 1
    for patch, file in history.of_file(filename):
        old_name = file.renamed.get(qualname, qualname)
        after = definitions(file.after).lines.get(qualname, [])
        before = definitions(file.before).lines.get(old_name, []) if file.before is not None else []
        number_before = numbers.get(id(file.before), last)
        number = max(
            (each.version for each in patch.installed if _is(each.filename, each.qualname, filename, qualname)), default=0
        )
        last = numbers[id(file.after)] = number or number_before
        if before and not found:
            found.append(Version(number_before, None, before, None, is_newest=False))
        shows_methods = qualname == _MODULE or qualname in definitions(file.after).classes
        if before != after and (number or not after or shows_methods):
            was = (number_before, before) if before else None
            found.append(Version(numbers[id(file.after)], patch, after, was, is_newest=False))
    if not found:
        found.append(Version(1, None, definitions(installed).lines.get(qualname, []), None, is_newest=False))
    return Versions(qualname, filename, tuple(_with_newest(found))) if any(each.lines for each in found) else None


def _with_newest(found: list[Version]) -> Iterable[Version]:
    in_force = [each for each in found if each.patch is None or each.patch.undone is None]
    for each in found:
        newest = bool(in_force) and each is in_force[-1] and bool(each.lines)
        yield Version(each.number, each.patch, each.lines, each.before, newest)


def _texts(file: PatchedFile) -> list[bytes]:
    return [file.after] if file.before is None else [file.before, file.after]


def _names(filename: str, source: bytes) -> Iterable[str]:
    try:
        return Definitions(filename, source).lines
    except (SyntaxError, ValueError, RecursionError):
        return ()


def _plain(qualname: str) -> str:
    return qualname.replace(".<locals>", "")


def _is(filename: str, qualname: str, other_filename: str, other_qualname: str) -> bool:
    return (filename, qualname) == (other_filename, other_qualname)
