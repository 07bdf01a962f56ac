"""Which file here is the one that a saved stop names. Looks at names of files only: nothing is run or imported for it."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from fixcont.errors import Refusal

MAIN = "__main__"


@dataclass(frozen=True)
class Located:
    """A file of a saved stop, and the file that is taken for it.

    Attributes:
        saved: its name in the saved stop.
        module: the name that its module had, "__main__" for the program's own file.
        path: the file here, "" where there is none.
        folder: from where it is imported: belongs on `sys.path`. "" where it is not found by its module's name there.
        package: for the main module, the package that it is a part of, else "".
        refusal: why there is none.
    """

    saved: str
    module: str
    path: str
    folder: str = ""
    package: str = ""
    refusal: Refusal | None = None

    @property
    def is_main(self) -> bool:
        return self.module == MAIN


def locate(saved: str, module: str, roots: Sequence[str]) -> Located:
    """Find the present file.

    It is looked for below `roots`, where it must be if any are given: by as much of the end of its saved name as fits, and by its module's name. Without
    them it is the file of that very name, or one below the current folder or on `sys.path`.
    """
    parts = _parts(saved)
    if not parts or saved.startswith("<"):
        sentence = f"{saved or 'its code'} is no file"
        return Located(saved, module, "", refusal=Refusal("no-file", sentence, "select a frame of a file"))
    least = _least(parts, module)
    found = next(_candidates(saved, parts, least, roots), "")
    if not found:
        where = " or ".join(roots) if roots else "the current folder or on sys.path"
        sentence = f"there is no file for {saved} below {where}"
        instead = "open the stop in the project's folder, or name that with --root FOLDER"
        return Located(saved, module, "", refusal=Refusal("file-not-here", sentence, instead))
    if module == MAIN:
        return Located(saved, module, found, os.path.dirname(found), _package(found))
    folder = found
    for _ in range(least):
        folder = os.path.dirname(folder)
    return Located(saved, module, found, folder if least > 1 or _is_named(parts, module) else "")


def _parts(saved: str) -> list[str]:
    """Take a name apart, of whatever system."""
    is_windows = re.match(r"[A-Za-z]:[\\/]|\\\\", saved) is not None
    return [part for part in re.split(r"[\\/]" if is_windows else "/", saved) if part not in ("", ".")]


def _least(parts: Sequence[str], module: str) -> int:
    """Tell how many parts of a name must fit at least: those that stand for the module's name, or the last."""
    names = [] if module == MAIN else module.split(".")
    stem = os.path.splitext(parts[-1])[0]
    ending = [*parts[:-1], stem] if stem != "__init__" else list(parts[:-1])
    if names and ending[-len(names) :] == names:
        return len(names) + (stem == "__init__")
    return 1


def _is_named(parts: Sequence[str], module: str) -> bool:
    return os.path.splitext(parts[-1])[0] == module


def _candidates(saved: str, parts: Sequence[str], least: int, roots: Sequence[str]) -> Iterator[str]:
    if not roots and os.path.isfile(saved):
        yield saved
    for root in [os.path.abspath(os.path.expanduser(each)) for each in roots] or _around_here():
        for first in range(1, len(parts) - least + 1):
            yield from _existing([os.path.join(root, *parts[first:])])
        yield from _existing([os.path.join(root, "src", *parts[len(parts) - least :])])
    if not roots and least > 0:
        yield from _existing(os.path.join(each or os.curdir, *parts[len(parts) - least :]) for each in sys.path)


def _around_here() -> list[str]:
    try:
        return [os.getcwd()]
    except OSError:
        return []


def _existing(paths: Iterable[str]) -> Iterator[str]:
    return (os.path.abspath(path) for path in paths if os.path.isfile(path))


def _package(path: str) -> str:
    """Give the package that a file is a part of, by the folders around it."""
    names: list[str] = []
    folder = os.path.dirname(path)
    while os.path.isfile(os.path.join(folder, "__init__.py")) and os.path.dirname(folder) != folder:
        names.insert(0, os.path.basename(folder))
        folder = os.path.dirname(folder)
    return ".".join(names)
