"""Random programs that are stepped through, or held at every line, end as those that just run.

FIXCONT_STEP_PROGRAMS sets how many programs are tried (12 if it is not set), FIXCONT_STEP_FIRST the seed of the first one.
"""

from __future__ import annotations

import ast
import contextlib
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fixcont.bytecode import interpreter
from fixcont.continuing.ways import Propagate, Resume, Step, StepKind, Way
from fixcont.errors import Refusal, Refused
from fixcont.session import Session
from fixcont.stopping.stop import Moment, Stop, StopReason
from support.front_end import LiveProgram
from support.programs import write_program
from support.resumable_programs import Ending, ResumableProgram, World, resumable_program, run, run_plainly

FIRST = int(os.environ.get("FIXCONT_STEP_FIRST", "0"))
SEEDS = range(FIRST, FIRST + int(os.environ.get("FIXCONT_STEP_PROGRAMS", "12")))
#: So many stops of a program at most; then it runs on.
MOST = 400

Answer = Callable[[Stop], Way]


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exceptions of generators that are dropped half-way are no matter."""
    monkeypatch.setattr(sys, "unraisablehook", lambda unraisable: None)


class Walker:
    """A front end that answers every stop in the same way.

    Attributes:
        stops: how many there were.
        problems: what must not happen.
    """

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.stops = 0
        self.problems: list[str] = []

    def stopped(self, stop: Stop) -> Way:
        self.stops += 1
        frame = stop.frames[0]
        if frame.filename.startswith("<") or "fixcont" in frame.filename.split(os.sep)[-3:]:
            self.problems.append(f"stopped in {frame}")
        if stop.reason not in (StopReason.STEP, StopReason.BREAKPOINT) or self.stops > MOST:
            return Propagate()
        way = self._answer(stop)
        refusal = stop.refusal_of(way)
        return Propagate() if refusal is not None else way

    def refused(self, refusal: Refusal) -> None:
        self.problems.append(str(refusal))

    def report(self, message: str) -> None:
        self.problems.append(message)


def ended(program: ResumableProgram, folder: Path, answer: Answer, *, every_line: bool) -> tuple[Ending, Walker]:
    """Run a program with breakpoints on every line, or on the first line that runs."""
    file = write_program(folder / "program", program.source)
    walker = Walker(answer)
    session = Session(walker, stop="never", scope=(str(file.folder),))
    session.install()
    live = LiveProgram(file, session, None)  # type: ignore[arg-type]
    world = World()
    live.names.update(world.names())
    try:
        lines = {node.lineno for node in ast.walk(ast.parse(program.source)) if isinstance(node, ast.stmt)}
        for line in sorted(lines)[seed_of(program) :: 3] if every_line else [min(lines)]:
            with contextlib.suppress(Refused):  # behind the last line with code
                session.stepping.add(str(file.path), line)
        got = run(program, world, live.names, live.load)
    finally:
        session.uninstall()
        sys.modules.pop(live.module.__name__, None)
    return got, walker


def seed_of(program: ResumableProgram) -> int:
    """Choose which third of the lines gets breakpoints: all would take long."""
    return len(program.source) % 3


def what_happened(ending: Ending) -> tuple[object, ...]:
    """Leave out when objects went away: a stop holds on to them."""
    record = tuple(entry for entry in ending.record if not (isinstance(entry, tuple) and entry[0] == "gone"))
    return ending.result, record, ending.handled


def check(seed: int, folder: Path, answer: Answer, *, every_line: bool) -> None:
    program = resumable_program(seed)
    expected = run_plainly(program, World())
    got, walker = ended(program, folder, answer, every_line=every_line)
    assert walker.problems == [], program.source
    assert walker.stops, program.source
    assert what_happened(got) == what_happened(expected), f"seed {seed}, {program.kind}:\n{program.source}"


def into(stop: Stop) -> Way:
    return Step(stop.frames[stop.selected], StepKind.INTO)


@pytest.mark.parametrize("seed", SEEDS)
def test_stepping_through_changes_nothing(seed: int, tmp_path: Path) -> None:
    check(seed, tmp_path, into, every_line=False)


@pytest.mark.parametrize("seed", SEEDS)
def test_stopping_on_every_line_changes_nothing(seed: int, tmp_path: Path) -> None:
    check(seed, tmp_path, lambda stop: Propagate(), every_line=True)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.skipif(interpreter.LOOP_KEEPS_INDEX, reason="how far a loop has come can be read in a trap only")
def test_going_on_at_the_line_where_it_is_held_changes_nothing(seed: int, tmp_path: Path) -> None:
    """A line that has not begun is the same as its statement from the start; so every third stop there is a new activation."""
    count = 0

    def retry(stop: Stop) -> Way:
        nonlocal count
        count += 1
        frame = stop.frames[0]
        if count % 3 or stop.moment is not Moment.LINE or not begins_simple(frame.filename, frame.line):
            return Propagate()
        return Resume(frame)

    check(seed, tmp_path, retry, every_line=True)


def begins_simple(filename: str, line: int) -> bool:
    """Tell whether a line is exactly one simple statement: others come back to their line in the middle."""
    tree = ast.parse(Path(filename).read_text(encoding="utf-8"))
    found = [node for node in ast.walk(tree) if isinstance(node, ast.stmt) and node.lineno == line]
    return len(found) == 1 and found[0].end_lineno == line and not hasattr(found[0], "body")
