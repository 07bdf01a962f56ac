"""Fixtures of the engine's tests."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType
from typing import Any

import pytest

from fixcont.bytecode.original import untrapped
from fixcont.bytecode.traps import trap
from support.front_end import LiveProgram, live_program
from support.project import Project
from support.several import Several

#: Loads the text of a program under a session whose stops are answered in order.
Live = Callable[..., LiveProgram]


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    """Loads a program into this process under a session; see `live_program`. Sessions are uninstalled at the end of the test."""
    with contextlib.ExitStack() as stack:

        def load(text: str, *answers: Any, **options: Any) -> LiveProgram:
            return stack.enter_context(live_program(tmp_path, text, *answers, **options))

        yield load


@pytest.fixture
def several(live: Live) -> Iterator[Callable[..., tuple[LiveProgram, Several]]]:
    """Loads a program as `live` does, whose stops are answered by a front end that holds several threads at once.

    A test that leaves a thread held fails: its program would go on while other tests run.
    """
    front_ends = []

    def load(text: str, **options: Any) -> tuple[LiveProgram, Several]:
        front_end = Several()
        front_ends.append(front_end)
        program = live(text, front_end=front_end, **options)
        return program, front_end

    yield load
    assert [front_end.held for front_end in front_ends if front_end.held] == []


@pytest.fixture(params=["plain", "trapped"])
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Project]:
    """A folder with modules to be edited, whose code has traps or not."""
    made = Project(tmp_path, *((trap, untrapped) if request.param == "trapped" else (_as_it_is, _as_it_is)))
    yield made
    made.close()


def _as_it_is(code: CodeType) -> CodeType:
    return code
