"""What breakpoints cost: those that are not hit, and those whose condition is false; the same functions with and without them."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from pathlib import Path
from time import process_time

from fixcont.bytecode import interpreter
from fixcont.session import Session
from tests.benchmarks.measuring import (
    Figure,
    NoStops,
    Size,
    active_session,
    calls_for,
    figure_of,
    load,
    pairs_in_turns,
    ratio_of,
    temporary_folder,
    timed,
)

_PROGRAM = """\
def nested():
    total = 0
    for first in range(200):
        for second in range(50):
            total += first ^ second
    return total

def called(value):
    return value + 1

def calls():
    total = 0
    for each in range(5000):
        total = called(total)
    return total

def never():
    return 0  # not hit

def one_branch(never=False):
    total = 0
    for each in range(10000):
        if never:
            total = 0  # not hit, in a loop
        total += each
    return total

def conditional(times):
    number = 0
    for each in range(times):
        number = each  # condition
    return number
"""

_HITS = 1_000_000
#: Where no line can be watched by itself, functions that have a breakpoint are traced.
_TARGET = 1.05 if interpreter.HAS_MONITORING else None


def measure(size: Size) -> Iterator[Figure]:
    """Yield the ratios for breakpoints that are not hit, and the time that a hit takes beside the condition."""
    front_end = NoStops()
    with temporary_folder() as folder:
        path = folder / "with_breakpoints.py"
        path.write_text(_PROGRAM)
        with active_session(front_end) as session:
            module = load(path, "with_breakpoints")
            for name, where in (("nested", "# not hit"), ("calls", "# not hit"), ("one_branch", "# not hit, in a loop")):
                label = f"breakpoints elsewhere, {name}" if name != "one_branch" else "a breakpoint in the loop, not hit"
                yield _with_and_without(label, getattr(module, name), session, path, where, size)
            (folder / "without.py").write_text(_PROGRAM)
            plain = load(folder / "without.py", "without")
            _set(session, path, "# condition", "number < 0")
            yield _conditional(plain.conditional, module.conditional, size)
    assert not front_end.stops, "a breakpoint that is not reached, or whose condition is false, stopped"
    assert not front_end.reports, front_end.reports


def _with_and_without(label: str, call: Callable[[], object], session: Session, path: Path, where: str, size: Size) -> Figure:
    """Time a function in turns, while there are breakpoints and while there are none."""
    times = calls_for(call, size.seconds)

    def timed_with() -> float:
        _set(session, path, where)
        call()  # what begins to run is looked at once
        taken = timed(call, times)
        session.stepping.breakpoints.remove([each.number for each in session.stepping.breakpoints.all()])
        return taken

    return ratio_of(label, pairs_in_turns(lambda: timed(call, times), timed_with, size.pairs), _TARGET)


def _set(session: Session, path: Path, text: str, condition: str = "") -> None:
    for number, line in enumerate(_PROGRAM.splitlines(), 1):
        if text in line:
            session.stepping.add(str(path), number, condition=condition)


def _conditional(plain, trapped, size: Size) -> Figure:  # type: ignore[no-untyped-def]
    """Return the microseconds that a hit takes more than the loop and the condition by itself."""
    hits = 1000 if size.is_smoke else _HITS
    test = compile("number < 0", "", "eval")
    names = {"number": 1}
    taken = []
    for _ in range(1 if size.is_smoke else 5):
        begin = process_time()
        plain(hits)
        middle = process_time()
        for _ in range(hits):
            eval(test, names)
        condition = process_time() - middle
        begin_hits = process_time()
        trapped(hits)
        whole = process_time() - begin_hits
        taken.append((whole - (middle - begin) - condition) / hits * 1e6)
    note = f"above the condition itself; median of {len(taken)} times {hits} hits"
    assert statistics.median(taken) > 0 or size.is_smoke
    return figure_of("a hit of a conditional breakpoint", taken, "µs", 2.0, note)
