"""Measuring: two things in one process in turns, and what comes out as a figure.

Separate processes of the same program differ by a third from noise alone (addresses, caches, frequency), so what can be compared in one
process is: both sides are warmed up, then run in turns, and each pair gives one ratio. The median of the pairs is the figure, the
quartiles are its spread. Time is the process's own CPU time, so that others who work on the machine disturb little.
"""

from __future__ import annotations

import gc
import importlib.util
import math
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from time import process_time
from types import ModuleType

from fixcont.continuing.ways import Propagate, Way
from fixcont.errors import Refusal
from fixcont.session import Session
from fixcont.stopping.stop import FrontEnd, Stop

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class Size:
    """How much is run: enough for a figure, or just enough to see that one comes out.

    Attributes:
        is_smoke: whether only that is wanted.
        pairs: how many pairs are measured.
        seconds: how long, at least, one half of a pair runs.
    """

    is_smoke: bool = False
    pairs: int = 15
    seconds: float = 0.05


SMOKE = Size(is_smoke=True, pairs=1, seconds=0.0)


@dataclass(frozen=True)
class Figure:
    """One line of the table.

    Attributes:
        name: what was measured.
        value: the median.
        unit: "times" for a ratio, "ms", "µs", "MB", or "" for a number.
        low: the first quartile, or another lower end that `note` names.
        high: the third quartile likewise.
        target: what `value` may be at most, or None where no target is set.
        note: what has to be known to read it.
    """

    name: str
    value: float
    unit: str = "times"
    low: float = math.nan
    high: float = math.nan
    target: float | None = None
    note: str = ""

    @property
    def is_missed(self) -> bool:
        return self.target is not None and not self.value <= self.target


class Skipped(Exception):
    """A benchmark cannot run here. The message says what it lacks."""


class NoStops:
    """A front end for programs that must not stop.

    Attributes:
        stops: how many there were.
        reports: messages of faults.
    """

    def __init__(self) -> None:
        self.stops = 0
        self.reports: list[str] = []

    def stopped(self, stop: Stop) -> Way:
        self.stops += 1
        return Propagate()

    def refused(self, refusal: Refusal) -> None:
        raise AssertionError(str(refusal))

    def report(self, message: str) -> None:
        self.reports.append(message)


@contextmanager
def active_session(front_end: FrontEnd, scope: Sequence[str] = ("project",)) -> Iterator[Session]:
    """Have fixcont active, with its default mode, in a `with` block."""
    session = Session(front_end, scope=scope)
    session.install()
    try:
        yield session
    finally:
        session.uninstall()


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Make a folder that counts as the user's own project."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        yield Path(folder).resolve()


def load(path: Path, name: str) -> ModuleType:
    """Import a file under a name. It gets traps if a session is active that has it in scope."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def compile_time(path: Path) -> float:
    """Return the CPU seconds that compiling a file takes."""
    text = path.read_bytes()
    begin = process_time()
    compile(text, str(path), "exec", dont_inherit=True)
    return process_time() - begin


#: A class as programs have many, to be formatted with an index: what long programs are made of.
FILLER = '''\
class Account{index}:
    """Keeps some money."""

    def __init__(self, owner, amount=0):
        self.owner = owner
        self.amount = amount
        self.changes = []

    def change(self, amount, reason=""):
        if self.amount + amount < 0:
            raise ValueError(f"{{self.owner}} lacks {{-amount - self.amount}}")
        self.amount += amount
        self.changes.append((amount, reason))
        return self

    def total(self, rates):
        return sum(amount * rates.get(reason, 1) for amount, reason in self.changes)

    @property
    def report(self):
        with open("report.txt", "a") as file:
            for amount, reason in self.changes:
                print(amount, reason, file=file)


'''


def timed(call: Callable[[], object], times: int) -> float:
    """Return the CPU seconds that a number of calls take."""
    begin = process_time()
    for _ in repeat(None, times):
        call()
    return process_time() - begin


def calls_for(call: Callable[[], object], seconds: float) -> int:
    """Return how many calls take at least so long. The calls that it makes also warm up."""
    times = 1
    while (taken := timed(call, times)) < seconds:
        times = max(2 * times, min(100 * times, int(1.2 * times * seconds / max(taken, 1e-7))))
    return times


def pairs_in_turns(plain: Callable[[], float], other: Callable[[], float], pairs: int) -> list[tuple[float, float]]:
    """Take times of two things in turns, each of them first in half of the pairs. Garbage is collected between, not during, them."""
    out = []
    was_enabled = gc.isenabled()
    try:
        for number in range(pairs):
            gc.collect()
            gc.disable()
            if number % 2:
                second = other()
                first = plain()
            else:
                first = plain()
                second = other()
            gc.enable()
            out.append((first, second))
    finally:
        (gc.enable if was_enabled else gc.disable)()
    return out


def ratio_of(name: str, pairs: Sequence[tuple[float, float]], target: float | None = None, note: str = "") -> Figure:
    """Return the figure for times of (plain, other)."""
    ratios = [other / plain if plain > 0 else math.nan for plain, other in pairs]
    return figure_of(name, ratios, "times", target, note)


def figure_of(name: str, values: Sequence[float], unit: str, target: float | None = None, note: str = "") -> Figure:
    """Return the median of some values, with the quartiles."""
    low, high = quartiles(values)
    return Figure(name, statistics.median(values), unit, low, high, target, note)


def quartiles(values: Sequence[float]) -> tuple[float, float]:
    """Return the first and the third quartile."""
    if len(values) < 2:
        return values[0], values[0]
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, high


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the value that so many percent of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def compare_calls(
    name: str, plain: Callable[[], object], other: Callable[[], object], size: Size, target: float | None = None, note: str = ""
) -> Figure:
    """Measure how many times as long as `plain` a call of `other` takes."""
    times = calls_for(plain, size.seconds)
    taken = timed(other, times // 20 + 1) * times / (times // 20 + 1)
    if taken > 6 * size.seconds > 0:  # far from the target: no need for as many calls
        times = max(1, int(times * 6 * size.seconds / taken))
    return ratio_of(name, pairs_in_turns(lambda: timed(plain, times), lambda: timed(other, times), size.pairs), target, note)


def geometric_mean(name: str, figures: Sequence[Figure], target: float | None, note: str = "") -> Figure:
    """Return the geometric mean of some ratios; its low and high are the smallest and the largest of them."""
    values = [figure.value for figure in figures]
    return Figure(name, statistics.geometric_mean(values), "times", min(values), max(values), target, note)


def run_python(arguments: Sequence[str], **environment: str) -> subprocess.CompletedProcess[str]:
    """Run this interpreter, with the source roots on its path, to its end. Raises CalledProcessError."""
    paths = os.pathsep.join((str(ROOT), str(ROOT / "ui")))
    ours = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}  # it reads its own .pyc files
    return subprocess.run(
        [sys.executable, *arguments],
        env=ours | {"PYTHONPATH": paths} | environment,
        capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL,
    )  # fmt: skip
