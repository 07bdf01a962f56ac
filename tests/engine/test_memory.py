"""What installs and stops leave in memory: the texts that live code needs, and nothing else."""

from __future__ import annotations

import ast
import gc
import json
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable
from pathlib import Path

import pytest

from fixcont.continuing.ways import Resume, Way
from fixcont.editing import parsing
from fixcont.editing.running import is_body_running
from fixcont.postmortem.activations import is_on_a_stack
from fixcont.postmortem.process import thread_lines
from fixcont.stopping.stop import Stop
from fixcont.stopping.threads import running_frames, threads
from support.front_end import LiveProgram, find_frame, fix, run_in_thread
from support.once import cases
from support.session import child_environment

PROGRAM = Path(__file__).parent.parent / "programs" / "thousand_installs.py"


def test_a_thousand_installs_leave_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(PROGRAM), str(tmp_path), str(cases(1000))],
        env=child_environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=290,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    # What an undo and the summary need of each patch: some fifty small objects. Code objects, with all that is in them, would be hundreds.
    assert found.pop("blocks") < cases(60_000)
    assert found == {
        "noted": 0, "suspended code is kept": True, "its text is known": True, "it is freed at the end": True,
    }  # fmt: skip


def trees() -> int:
    gc.collect()
    return sum(
        issubclass(type(each), ast.stmt) for each in gc.get_objects()
    )  # some objects do not like to be asked for their class


def test_syntax_trees_live_as_long_as_the_stop(live: Callable[..., LiveProgram], monkeypatch: pytest.MonkeyPatch) -> None:
    """The old function is parsed before the edit, once, and what is new of it after that; at the end of the stop they are gone."""
    parsed: list[str] = []
    parse = parsing.parse

    def counted(source: bytes | str, filename: str) -> ast.Module:
        parsed.append(source if isinstance(source, str) else source.decode())
        return parse(source, filename)

    monkeypatch.setattr(parsing, "parse", counted)
    during: list[int] = []

    def retry(stop: Stop) -> Way:
        during.append(trees())
        assert len(parsed) == 1
        return Resume(find_frame(stop))

    program = live(
        "def job(row):\n    for each in iter([row]):\n        row = 12 // each\n    return row\ndef other():\n    return 1\n",
        fix({"12 // each": "each and 12 // each"}, retry),
    )
    before = trees()
    assert program.call("job", 0) == 0
    assert [text.strip() for text in parsed] == [
        "def job(row):\n    for each in iter([row]):\n        row = 12 // each\n    return row",
        "if 1:\n    for each in iter([row]):\n        row = each and 12 // each",
    ]
    assert during == [before + 4]
    assert trees() == before


@pytest.mark.parametrize(
    "look",
    [
        threads,
        lambda: running_frames(threading.get_ident(), lambda frame: False),
        lambda: is_body_running("program.py", "Basket"),
        lambda: is_on_a_stack(sys._getframe()),
        lambda: [*thread_lines()],
        lambda: next(thread_lines(), None),
    ],
    ids=["threads", "running frames", "running bodies", "running", "lines of threads", "first line of threads"],
)
def test_looking_at_the_stacks_of_all_threads_keeps_no_variables_alive(look: Callable[[], object]) -> None:
    """Who looks is among them: a variable of his that holds his own frame would keep all variables further out until the collector comes."""
    ended = threading.Event()
    other = run_in_thread("other", ended.wait)
    assert is_freed_after(look)
    ended.set()
    other.join()


def test_a_pause_and_a_breakpoint_keep_no_variables_alive(live: Callable[..., LiveProgram]) -> None:
    program = live("def job():\n    return 1\n")
    stepping, filename = program.session.stepping, str(program.program.path)
    ended = threading.Event()
    other = run_in_thread("other", ended.wait)
    assert other.ident is not None
    ident = other.ident
    assert is_freed_after(lambda: stepping.pause(ident))
    assert is_freed_after(lambda: stepping.add(filename, 2))
    ended.set()
    other.join()


def is_freed_after(look: Callable[[], object]) -> bool:
    """Tell whether what a caller of `look` has in a variable is freed with it, without the collector."""

    class Thing:
        pass

    def caller() -> weakref.ref[Thing]:
        thing = Thing()
        look()
        return weakref.ref(thing)

    look()  # what it imports and makes once
    gc.collect()
    gc.disable()
    try:
        return caller()() is None
    finally:
        gc.enable()
