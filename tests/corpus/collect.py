"""Choose edits out of the histories: by chance and by whether they can be imported, not by what works."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import CodeType

from tests.corpus.edits import Edit
from tests.corpus.histories import History
from tests.corpus.repositories import Repository

#: A commit that changes more files of the package is a rework of the whole tree, not an edit.
MOST_FILES = 12
#: Seconds for one import.
DEADLINE = 60


def choose(history: History, repository: Repository, count: int) -> Iterator[Edit]:
    """Give up to `count` edits, one a commit.

    A commit counts if it changes, adds or removes a function of a file that was there before, and if that file can be imported before and
    after. The order is that of the commits' hashes, which is as good as chance and the same each time.
    """
    found = 0
    for commit in sorted(history.commits(repository.since)):
        file = _changed_file(history, commit)
        if file is not None and _both_import(history, commit, file):
            yield Edit(repository.name, commit, file)
            found += 1
            if found == count:
                return


def _changed_file(history: History, commit: str) -> str | None:
    """Return the file of a commit with the most changed functions."""
    changes = [change for change in history.changes(commit) if change.path.endswith(".py")]
    if not 0 < len(changes) <= MOST_FILES:
        return None
    counts: dict[str, int] = {}  # path -> how many of its functions differ
    for change in changes:
        if change.status == "M" and history.module_of(change.path) is not None:
            before, after = (_functions(history.read(each, change.path)) for each in (f"{commit}^", commit))
            counts[change.path] = len(before ^ after)
    best = max(counts, key=lambda path: counts[path], default=None)
    return best if best is not None and counts[best] else None


def _functions(source: bytes) -> set[tuple[object, ...]]:
    """Return what the functions of a text do, without the places where they stand."""
    try:
        module = compile(source, "<text>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return set()
    return {_effect(code) for code in _walk(module) if code is not module}


def _walk(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _walk(constant)


def _effect(code: CodeType) -> tuple[object, ...]:
    constants = tuple(_effect(each) if isinstance(each, CodeType) else repr(each) for each in code.co_consts)
    return code.co_qualname, code.co_code, code.co_names, code.co_varnames, code.co_flags, code.co_argcount, constants


def _both_import(history: History, commit: str, file: str) -> bool:
    place = history.module_of(file)
    assert place is not None
    root, module = place
    with tempfile.TemporaryDirectory() as name:
        for version in (f"{commit}^", commit):
            folder = Path(name) / str(version == commit)
            history.lay_out(version, folder)
            program = f"import sys; sys.path.insert(0, {str(folder / root)!r}); import {module}"
            try:
                subprocess.run([sys.executable, "-W", "ignore", "-c", program], check=True, capture_output=True, timeout=DEADLINE)
            except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
                return False
    return True
