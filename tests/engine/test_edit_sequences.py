"""Random sequences of edits to random modules: after each one the live module, references taken before, and a fresh import agree.

What the engine says it has not made as it is in the file is left out, by name, with what depends on it. When it refuses, everything is as before.
FIXCONT_EDIT_CASES sets how many modules are tried (125 if it is not set, fewer where another Python has tried them).
"""

from __future__ import annotations

import ast
import builtins
import dataclasses
import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from fixcont.editing.result import InstallResult, InstallStatus, UndoResult
from support.front_end import LiveProgram, live_program
from support.module_references import Reference, references, seen, use
from support.once import cases
from support.random_modules import CHANGES, Change, Model

PARTS = 5
CASES = int(os.environ.get("FIXCONT_EDIT_CASES", cases(125)))

_small = st.integers(0, 15)
_changes = st.builds(Change, st.sampled_from(CHANGES), _small, st.integers(0, 63))
_starts = st.lists(st.tuples(_small, _small, _small), min_size=1, max_size=6)
_steps = st.lists(_changes | st.just("back") | st.just("undo"), min_size=1, max_size=6)


class Editing:
    """A module that is live, edited, and compared after each edit."""

    def __init__(self, live: LiveProgram, model: Model) -> None:
        self.live = live
        self.model = model
        self.before = [model]  # versions that were installed, the oldest first
        self.patches: list[Model] = []  # what was there before each patch that is in force
        self.unsaid: set[str] = set()  # names that the engine said are not as in the file
        self.kept: list[Reference] = []
        self.others = _others()
        self.agree()
        self.take()

    def edit(self, model: Model) -> None:
        """Write the file and install it; look at what came of it."""
        before = self.look()
        self.live.program.path.write_text(model.text())
        result = self.live.session.sources.install_changes()
        if result.status not in (InstallStatus.INSTALLED, InstallStatus.UNCHANGED):
            assert result.refusal is not None and result.refusal.code and result.refusal.sentence, result
            assert self.look() == before, f"{result.refusal.code}, but something changed"
            self.live.program.path.write_text(self.model.text())
            assert self.live.session.sources.install_changes().status is InstallStatus.UNCHANGED
            return
        self.unsaid |= _named(result, self.model.text(), model.text())
        self._rerun(result)
        self.before.append(self.model)
        if result.status is InstallStatus.INSTALLED:
            self.patches.append(self.model)
        self.model = model
        self.agree()
        self.take()

    def undo(self) -> None:
        """Take the last install back."""
        if not self.patches:
            return
        result = self.live.session.sources.undo()
        assert result.refusal is None, result.refusal
        text = self.model.text()
        self.model = dataclasses.replace(self.patches.pop(), made=self.model.made)
        self.unsaid |= _named(result, text, self.model.text())
        self.live.program.path.write_text(self.model.text())
        self._rerun(result)
        self.agree()

    def _rerun(self, result: InstallResult | UndoResult) -> None:
        waiting = list(result.unrun)
        while waiting:
            rerun = self.live.session.sources.rerun(waiting.pop(0).number)
            waiting += rerun.more if rerun is not None else ()

    def doubtful(self) -> set[str]:
        """Return the names of definitions that depend on something that is not as in the file."""
        return {each.name for each in self.model.definitions if self.model.needs(each) & self.unsaid}

    def look(self) -> Any:
        """Return all that is seen of the module, and of what was taken out of it before."""
        known = [(self.model.find(reference.ident), reference) for reference in self.kept]
        return seen(self.model, self.live.names), [use(self.model, one, other) for one, other in known if one is not None]

    def agree(self) -> None:
        """Compare the live module, and what was taken out of it, with a fresh import."""
        assert _others() == self.others, "names of modules that were not edited are bound to something else"
        fresh, doubtful = _fresh(self.model), self.doubtful()
        expected, found = seen(self.model, fresh), seen(self.model, self.live.names)
        for name in expected:
            if name.partition(".")[0] not in doubtful:
                assert found[name] == expected[name], f"{name} in\n{self.model.text()}"
        new = {(each.ident, each.member, each.form): each for each in references(self.model, fresh)}
        for reference in self.kept:
            definition, same = self.model.find(reference.ident), new.get((reference.ident, reference.member, reference.form))
            if definition is None or same is None or definition.name in doubtful:
                continue
            given = use(self.model, definition, same)
            assert use(self.model, definition, reference) == given, (
                f"what was {definition.name} {reference.member} in\n{self.model.text()}"
            )

    def take(self) -> None:
        """Take references, to be used after later edits."""
        self.kept += references(self.model, self.live.names, self.doubtful())


def _others() -> dict[tuple[str, str], int]:
    """Return what some modules that have nothing to do with the edited one hold: (module, name) -> id of the object."""
    modules = (builtins, os.path, threading, ast)
    return {(module.__name__, name): id(value) for module in modules for name, value in vars(module).items() if name != "_"}


def _fresh(model: Model) -> dict[str, Any]:
    module = ModuleType("fresh")
    sys.modules["fresh"] = module
    try:
        exec(compile(model.text(), "<fresh>", "exec", dont_inherit=True), module.__dict__)
    finally:
        del sys.modules["fresh"]
    return module.__dict__


def _named(result: InstallResult | UndoResult, *texts: str) -> set[str]:
    """Return the names of the module's definitions whose lines warnings speak of, in the old or the new text."""
    places = [re.match(r".*?\.py:(\d+): ", each.sentence) for each in result.warnings]
    lines = [int(place[1]) for place in places if place is not None]
    names = {name for text in texts for line in lines for name in _names_on(text, line)}
    return names.union(*(re.findall(r"\bname\d+\b", each.sentence) for each in result.warnings))


def _names_on(text: str, line: int) -> Iterator[str]:
    for node in ast.parse(text).body:
        if min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", []))]) <= line <= (node.end_lineno or 0):
            for each in ast.walk(node):
                if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.alias)):
                    yield str(getattr(each, "asname", None) or each.name)
                elif isinstance(each, ast.Name):
                    yield each.id


def _start(choices: list[tuple[int, int, int]]) -> Model:
    model = Model()
    for kind, number, place in choices:
        model.add(kind, number, place)
    return model


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
@settings(
    max_examples=-(-CASES // PARTS), deadline=None, suppress_health_check=list(HealthCheck), phases=set(Phase) - {Phase.explain}
)
@given(start=_starts, steps=_steps)
def test_live_modules_references_and_fresh_imports_agree(
    part: int, start: list[tuple[int, int, int]], steps: list[Change | str]
) -> None:
    model = _start(start)
    with tempfile.TemporaryDirectory() as folder, live_program(Path(folder), model.text(), stop="never") as live:
        editing = Editing(live, model)
        for step in steps:
            if step == "undo":
                editing.undo()
            elif isinstance(step, Change):
                editing.edit(editing.model.changed(step))
            elif len(editing.before) > 1:
                # What is made from here on is something else than what was made since.
                editing.edit(dataclasses.replace(editing.before[-1], made=editing.model.made))
