"""Which changes of files are seen, whenever they come."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

import pytest

from fixcont_ui.dap.loop import Loop
from fixcont_ui.dap.watching import Watcher


class Ticks:
    """Stands for the loop: its timers run when they are told to, one after another."""

    def __init__(self) -> None:
        self._next: Callable[[], None] | None = None

    def call_later(self, seconds: float, work: Callable[[], None]) -> None:
        self._next = work

    def run(self, times: int = 2) -> None:
        """Run the next timers. A change is told by the second: the first waits until the file is as its writer leaves it."""
        for _ in range(times):
            work, self._next = self._next, None
            assert work is not None
            work()


def watched(loaded: Sequence[Path]) -> tuple[Ticks, list[str]]:
    """Watch the files of a list that may grow. Gives the timers, and what the watcher will have told of."""
    ticks, told = Ticks(), list[str]()
    Watcher(cast(Loop, ticks), lambda: [str(each) for each in loaded], told.extend).start()
    return ticks, told


def write(path: Path, text: str, age: float = 0) -> None:
    path.write_text(text)
    then = time.time() - age
    os.utime(path, (then, then))


@pytest.mark.parametrize("text", ["after!", ""])
def test_a_file_that_is_saved_is_told_once(tmp_path: Path, text: str) -> None:
    file = tmp_path / "a.py"
    write(file, "before", age=60)
    ticks, told = watched([file])
    write(file, text)
    ticks.run(9)
    assert told == [str(file)]


def test_a_file_that_is_saved_before_it_was_ever_looked_at_is_told(tmp_path: Path) -> None:
    loaded: list[Path] = []
    ticks, told = watched(loaded)
    file = tmp_path / "a.py"
    write(file, "before", age=60)
    loaded.append(file)  # the program imports it …
    write(file, "after!")  # … and it is saved before the next look
    ticks.run(6)
    assert told == [str(file)]


def test_a_file_that_is_loaded_is_not_told(tmp_path: Path) -> None:
    loaded: list[Path] = []
    ticks, told = watched(loaded)
    write(tmp_path / "a.py", "before", age=60)
    loaded.append(tmp_path / "a.py")
    ticks.run(6)
    assert told == []


def test_a_file_that_is_empty_for_a_moment_is_being_written(tmp_path: Path) -> None:
    """Most editors empty a file before they write it, and on a busy machine there may be a while in between."""
    file = tmp_path / "a.py"
    write(file, "before", age=60)
    ticks, told = watched([file])
    write(file, "")
    ticks.run(3)
    assert told == []
    write(file, "after")
    ticks.run(2)
    assert told == [str(file)]
    ticks.run(6)
    assert told == [str(file)]


def test_what_changed_before_the_client_came_is_left(tmp_path: Path) -> None:
    write(tmp_path / "a.py", "just now")
    ticks, told = watched([tmp_path / "a.py"])
    ticks.run(6)
    assert told == []
