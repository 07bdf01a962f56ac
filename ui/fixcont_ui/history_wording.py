"""What front ends say of patches, versions, undo, and of what was repaired in the end, as lines of text."""

from __future__ import annotations

import difflib
import os
import time
from collections.abc import Iterable, Sequence

from fixcont.editing.diffs import Summary, shown_path
from fixcont.editing.history import History, Patch
from fixcont.editing.result import Installed, UndoResult
from fixcont.editing.versions import Version, Versions
from fixcont.errors import Refusal

#: A longer diff is not shown at the end of a program.
_SHOWN_LINES = 60
_NAMED_FILES = 3


def path(filename: str) -> str:
    """Name a file relative to the current folder where it is in there."""
    try:
        return shown_path(filename, os.getcwd())
    except OSError:  # the folder is gone
        return filename


def patches_lines(history: History) -> list[str]:
    """List what was installed when."""
    lines = []
    for patch in history.patches:
        files = ", ".join(path(file.filename) for file in patch.files)
        undone = f" (undone at {_clock(patch.undone)})" if patch.undone is not None else ""
        lines.append(f"patch {patch.number}, {_clock(patch.time)}, {files}: {_installed(patch.installed)}{undone}")
        lines.extend(f"    warning: {warning}" for warning in patch.warnings)
    return lines or ["nothing was installed"]


def choice_lines(name: str, found: Iterable[tuple[str, str]]) -> list[str]:
    """List what a name may stand for."""
    return [f"{name} may be:", *(f"    {qualname} in {path(filename)}" for filename, qualname in found)]


def versions_lines(found: Versions) -> list[str]:
    """Show the versions of a definition: the first as a whole, the others by what differs."""
    lines = [f"{found.qualname} in {path(found.filename)}"]
    for version in found.versions:
        lines.append(_version(version))
        if version.before is None:
            lines.extend(line.rstrip("\r\n") for line in version.lines)
        else:
            lines.extend(_diff(*version.before, version))
    return lines


def undo_lines(result: UndoResult) -> list[str]:
    """Say what came of taking a patch back, but for the files."""
    if result.refusal is not None or result.patch is None:
        return [f"refused: {result.refusal}"]
    parts = [_installed(result.restored)] if result.restored else []
    parts += [f"{name} (gone)" for name in result.gone]
    lines = [f"undone: patch {result.patch.number}: {', '.join(parts) or 'no function'}"]
    lines.extend(f"warning: {warning}" for warning in result.warnings)
    lines.extend(f"not undone: {each.text} ({path(each.filename)}:{each.line}), which was run" for each in result.patch.rerun)
    return lines


def held_back_line(filenames: Sequence[str]) -> str:
    """Say that files say what was undone, and what happens to them."""
    are = "says" if len(filenames) == 1 else "say"
    saved = "it is" if len(filenames) == 1 else "they are"
    return f'{_files(filenames)} still {are} what was undone: not installed until {saved} saved again; "undo files" puts the text before there'


def unchanged_line(held_back: Sequence[str]) -> str:
    """Say why there was nothing to install.

    Args:
        held_back: as in `held_back_line`.
    """
    return held_back_line(held_back) if held_back else "nothing changed"


def question(filenames: Sequence[str]) -> str:
    return f"put the text before back into {_files(filenames)} too? [y/N] "


def written_lines(results: Iterable[tuple[str, Refusal | None]]) -> list[str]:
    """Say which files were written."""
    return [f"written: {path(filename)}" if refusal is None else f"refused: {refusal}" for filename, refusal in results]


def summary_lines(summary: Summary, patch_file: str | None) -> list[str]:
    """Say at the end of a program what was repaired in it, with the diff unless that is long, or was written to a file."""
    paths = [file.path for file in summary.files]
    where = _and(paths) if len(paths) <= _NAMED_FILES else f"{len(paths)} files"
    functions, classes = (
        sum(len(each) for each in zipped) for zipped in zip(*((f.functions, f.classes) for f in summary.files), strict=True)
    )
    what = _and([_count(number, name) for number, name in ((functions, "function"), (classes, "class")) if number])
    told = f"repaired {what} in {where}" if what else f"changed {where}"
    lines = [f"{told} ({_count(summary.patches, 'patch')})"]
    diff = summary.diff.decode("utf-8", "replace").rstrip("\n").split("\n")
    if patch_file is not None:
        lines.append(f"the diff is in {patch_file}")
    elif not summary.diff:
        lines.append("there is no diff: what was loaded is not known")
    elif len(diff) > _SHOWN_LINES:
        lines.append(f"the diff has {len(diff)} lines; --patch-file FILE writes it")
    else:
        lines.extend(diff)
    return lines


def _version(version: Version) -> str:
    if version.patch is None:
        told = f"version {version.number}, as it was loaded"
    elif not version.lines:
        told = f"gone, patch {version.patch.number} at {_clock(version.patch.time)}"
    else:
        told = f"version {version.number}, patch {version.patch.number} at {_clock(version.patch.time)}"
    return told + _state(version, version.patch)


def _state(version: Version, patch: Patch | None) -> str:
    if patch is not None and patch.undone is not None:
        return f", undone at {_clock(patch.undone)}:"
    return ", the newest:" if version.is_newest else ":"


def _diff(number: int, before: Sequence[str], version: Version) -> list[str]:
    name = f"version {version.number}" if version.lines else "gone"
    old, new = ([line.rstrip("\r\n") for line in lines] for lines in (before, version.lines))
    return list(difflib.unified_diff(old, new, f"version {number}", name, lineterm=""))


def _installed(items: Sequence[Installed]) -> str:
    named = (f"{item.qualname} (new)" if item.added else f"{item.qualname} (version {item.version})" for item in items)
    return ", ".join(named) or "no function"


def _files(filenames: Sequence[str]) -> str:
    return _and([path(filename) for filename in filenames])


def _and(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def _count(number: int, what: str) -> str:
    if number == 1:
        return f"1 {what}"
    return f"{number} {what}es" if what.endswith(("s", "ch")) else f"{number} {what}s"


def _clock(seconds: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(seconds))
