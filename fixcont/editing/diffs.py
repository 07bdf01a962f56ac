"""What the patches of a process changed in its files, all in all, as one unified diff that `patch` and `git apply` understand."""

from __future__ import annotations

import difflib
import os
from collections.abc import Sequence
from dataclasses import dataclass

from fixcont.editing.history import History
from fixcont.editing.versions import Definitions


@dataclass(frozen=True)
class Repaired:
    """How one file differs from what was loaded.

    Attributes:
        path: its name relative to the folder that was asked for, where it is in there.
        functions: qualified names of the functions that are other ones now.
        classes: likewise.
        diff: in lines with their ends; none where the text that was loaded is not known.
    """

    path: str
    functions: tuple[str, ...]
    classes: tuple[str, ...]
    diff: tuple[bytes, ...]


@dataclass(frozen=True)
class Summary:
    """What was repaired in a process.

    Attributes:
        patches: how many are in force.
    """

    patches: int
    files: tuple[Repaired, ...]

    @property
    def diff(self) -> bytes:
        return b"".join(line for file in self.files for line in file.diff)


def summarize(history: History, folder: str) -> Summary | None:
    """Sum up what the patches changed.

    Args:
        folder: what the paths are relative to.

    Returns:
        None where every file is as it was loaded. What a parent process had installed when it forked this one does not count.
    """
    if not any(patch.process == os.getpid() for patch in history.patches):
        return None
    installed = history.texts()
    in_force = [patch for patch in history.patches if patch.undone is None]
    files = []
    for filename in history.filenames():
        patches = history.of_file(filename)
        loaded, newest = patches[0][1].before, installed.get(filename, patches[-1][1].after)
        if loaded == newest or not any(patch.undone is None for patch, _ in patches):
            continue
        names = {each.qualname: None for patch in in_force for each in patch.installed if each.filename == filename}
        functions, classes = _changed(filename, loaded, newest, list(names))
        path = shown_path(filename, folder)
        diff = unified_diff(path, loaded, newest) if loaded is not None else ()
        files.append(Repaired(path, tuple(functions), tuple(classes), tuple(diff)))
    return Summary(len(in_force), tuple(files)) if files else None


def _changed(filename: str, loaded: bytes | None, newest: bytes, names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Leave out of `names` what is as it was loaded, and tell functions from classes."""
    after = Definitions(filename, newest)
    before = Definitions(filename, loaded) if loaded is not None else None
    kept = [name for name in names if before is None or before.lines.get(name) != after.lines.get(name)]
    classes = after.classes | (before.classes if before is not None else set())
    return [name for name in kept if name not in classes], [name for name in kept if name in classes]


def unified_diff(path: str, before: bytes, after: bytes) -> list[bytes]:
    """Give the lines of a unified diff, byte for byte, with the headers that `git apply` wants."""
    name = os.fsencode(path).lstrip(b"/")
    tab = b"\t" if b" " in name else b""  # where the name ends
    lines = difflib.diff_bytes(difflib.unified_diff, _lines(before), _lines(after), b"a/" + name + tab, b"b/" + name + tab)
    return [line if line.endswith(b"\n") else line + b"\n\\ No newline at end of file\n" for line in lines]


def _lines(source: bytes) -> list[bytes]:
    """Split a text as those do who read diffs: a form feed or a lone carriage return ends no line."""
    *lines, last = source.split(b"\n")
    return [*(line + b"\n" for line in lines), *([last] if last else [])]


def shown_path(filename: str, folder: str) -> str:
    """Give a path relative to a folder where the file is in there, else the whole path."""
    for path, start in ((os.path.abspath(filename), folder), (os.path.realpath(filename), os.path.realpath(folder))):
        if path.startswith(os.path.join(start, "")):
            return os.path.relpath(path, start)
    return os.path.abspath(filename)
