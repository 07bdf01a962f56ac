"""Fixtures of all tests."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from support import heap
from support.editor import ScriptedEditor
from support.once import is_for_this_python
from support.programs import Program, copy_demo, copy_program, write_program

if (
    signal.getsignal(signal.SIGINT) is signal.SIG_IGN
):  # a shell starts what runs in the background so, and all programs below inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Say what `-n auto` is: half of the tests wait for other processes most of the time."""
    return 2 * (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    kept: list[pytest.Item] = []
    left_out: list[pytest.Item] = []
    for item in items:
        (kept if is_for_this_python(item.nodeid) else left_out).append(item)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = kept


def pytest_collection_finish() -> None:
    heap.set_aside()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    if nextitem is not None and nextitem.path != item.path:
        heap.set_aside()


@pytest.fixture(scope="session", autouse=True)
def _own_temporary_folders(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Let runs of pytest that tests start have their folders apart: where many share a place, each clears away what others write to."""
    root = tmp_path_factory.mktemp("runs")
    os.environ["PYTEST_DEBUG_TEMPROOT"] = str(root)


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str], Program]:
    """Copies a program of tests/programs, by name, into a folder where it may be edited."""
    return lambda name: copy_program(name, tmp_path)


@pytest.fixture
def demo(tmp_path: Path) -> Callable[[str], Program]:
    """Copies a demo, by name, with its data, into a folder where it may be edited."""
    return lambda name: copy_demo(name, tmp_path)


@pytest.fixture
def small_program(tmp_path: Path) -> Callable[[str], Program]:
    """Writes the text of a program into a file of its own."""
    return lambda text: write_program(tmp_path / "program", text)


@pytest.fixture
def scripted_editor(tmp_path: Path) -> Callable[..., ScriptedEditor]:
    """Makes an editor that applies the given edits, one a start."""

    def make(*edits: Mapping[str, str], name: str = "scripted-editor") -> ScriptedEditor:
        return ScriptedEditor(tmp_path / "editor", edits, name)

    return make
