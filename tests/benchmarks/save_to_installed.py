"""From saving a long file to its code in the running functions, in a process with very many live objects and many loaded modules."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from types import ModuleType

from fixcont.editing import compare, sources
from fixcont.editing.files import File
from fixcont.editing.result import InstallResult
from fixcont.editing.sources import Sources
from fixcont.session import Session
from tests.benchmarks.measuring import (
    FILLER,
    Figure,
    NoStops,
    Size,
    active_session,
    compile_time,
    figure_of,
    load,
    temporary_folder,
)
from tests.benchmarks.parts import Parts, Place, whole_figures

_LINES = 5000
_MODULES = 500
_OBJECTS = 1_000_000
_ROUNDS = 50
_PARTS: dict[str, list[Place]] = {
    "modules that came by import": [(Sources, "remember_loaded")],
    "stat of all files, read what changed": [(File, "read")],
    "compile": [(sources, "_compile")],
    "compare": [(sources, "_compare")],
    "parse": [(compare, "Syntax")],
    "find functions by gc": [(sources, "live_functions"), (sources, "namespaces_of")],
    "check and trap": [(sources, "check"), (Sources, "_check_all")],
    "install": [(sources, "install"), (Sources, "_commit")],
}


def measure(size: Size) -> Iterator[Figure]:
    """Yield what an edit of one function takes, and one of a class and of module level statements too, with their parts."""
    rounds, modules, objects = (2, 5, 1000) if size.is_smoke else (_ROUNDS, _MODULES, _OBJECTS)
    alive = _objects(objects)
    with temporary_folder() as folder, active_session(NoStops()) as session:
        names = [f"loaded_for_benchmark_{number}" for number in range(modules)]
        loaded = [_loaded(folder / f"{name}.py", name, _text(number, 60)) for number, name in enumerate(names)]
        path = folder / "long_program.py"
        program = _loaded(path, "long_program", _text(0, _LINES))
        session.sources.install_changes()
        for what, is_wide in (("one function", False), ("also a class and statements", True)):
            edits = _Edits(session, path, program, is_wide=is_wide)
            for number in range(1, rounds + 1):
                edits.make(number)
            note = f"{rounds} saves, {_LINES} lines, {modules} modules, {objects:,} objects"
            yield from whole_figures(f"save to installed, {what}", edits.cpu, edits.wall, 150.0, note)
            yield from edits.parts.figures()
        for name in ("long_program", *names):
            del sys.modules[name]
        assert len(loaded) == modules
        compiling = [1000 * compile_time(path) for _ in range(5)]
    assert len(alive) >= objects // 4
    yield figure_of("for comparison: compiling the file alone, CPU time", compiling, "ms")


def _objects(count: int) -> list[object]:
    """Return that many objects that the garbage collector follows, in containers of several kinds, as programs with much data have."""
    alive: list[object] = []
    for number in range(count // 4):
        alive.append({"number": number, "parts": [number, (number, [number])]})
    return alive


def _loaded(path: Path, name: str, text: str) -> ModuleType:
    path.write_text(text)
    module = load(path, name)
    sys.modules[name] = module
    return module


class _Edits:
    """Edits a file and installs it, again and again.

    Attributes:
        cpu, wall: seconds for each edit.
        parts: of the CPU time.
    """

    def __init__(self, session: Session, path: Path, program: ModuleType, *, is_wide: bool) -> None:
        self.cpu: list[float] = []
        self.wall: list[float] = []
        self.parts = Parts(_PARTS)
        self._session = session
        self._path = path
        self._program = program
        self._is_wide = is_wide

    def make(self, number: int) -> None:
        number += 1000 * self._is_wide
        self._path.write_text(_text(number, _LINES, is_wide=self._is_wide))
        with self.parts.watched():
            begin = perf_counter()
            self.parts.begin()
            result = self._session.sources.install_changes()
            self.cpu.append(self.parts.end())
            self.wall.append(perf_counter() - begin)
        self._check(result, number)

    def _check(self, result: InstallResult, number: int) -> None:
        installed = {function.qualname for function in result.installed}
        expected = {"changes", "Changed.changes"} if self._is_wide else {"changes"}
        assert expected <= installed, result
        assert self._program.changes() == number


def _text(number: int, count: int, *, is_wide: bool = False) -> str:
    """Return a program of so many lines. In the middle a function differs with the number; with `is_wide` more does."""
    other = number if is_wide else 0
    edited = _EDITED.format(number=number, other=other)
    fillers = max(1, (count - edited.count("\n")) // (FILLER + _RATES).count("\n"))
    lines = [FILLER.format(index=index) + _RATES.format(index=index) for index in range(fillers)]
    return "".join([*lines[: fillers // 2], edited, *lines[fillers // 2 :]])


_EDITED = '''\
LIMITS = {{"least": {other}, "most": 100}}


def changes():
    number = {number}
    return number


class Changed:
    """Has the number {other}."""

    limit = {other}

    def changes(self, amount=1):
        return amount * {other}

    def same(self):
        return self.limit


'''
_RATES = 'RATES_{index} = {{"plain": {index}, "other": [1, 2, {index}]}}\n'
