"""Where the time of a piece of work goes: functions of the engine are timed, and their times added up under names for a reader."""

from __future__ import annotations

import functools
import inspect
import statistics
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from time import thread_time
from typing import Any

from tests.benchmarks.measuring import Figure, figure_of, percentile

#: Owner, which is a module or a class, and name of a function there.
Place = tuple[Any, str]


class Parts:
    """Adds up the CPU time that this thread spends in parts of its work. Time in a part inside a part counts for the inner one only.

    Args:
        places: name of a part -> the functions that make it up.

    Attributes:
        rounds: what `end` found, one for each round: name of a part -> seconds, in the order of `places`, then "the rest".
    """

    def __init__(self, places: Mapping[str, Sequence[Place]]) -> None:
        self.rounds: list[dict[str, float]] = []
        self._places = places
        self._taken: dict[str, float] = {}
        self._running: list[str] = []
        self._since = self._begun = 0.0

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Have the functions timed in a `with` block."""
        plain = [(owner, name, _attribute(owner, name)) for places in self._places.values() for owner, name in places]
        for part, places in self._places.items():
            for owner, name in places:
                setattr(owner, name, self._timed(part, _attribute(owner, name)))
        try:
            yield
        finally:
            for owner, name, function in plain:
                setattr(owner, name, function)

    def _timed(self, part: str, function: Any) -> Any:
        if isinstance(function, property):
            assert function.fget is not None
            return property(self._timed(part, function.fget))

        @functools.wraps(function)
        def timed(*args: Any, **keywords: Any) -> Any:
            self._switch()
            self._running.append(part)
            try:
                return function(*args, **keywords)
            finally:
                self._switch()
                self._running.pop()

        return timed

    def _switch(self) -> None:
        """Give the time since the last switch to the part that ran."""
        now = thread_time()
        if self._running:
            part = self._running[-1]
            self._taken[part] = self._taken.get(part, 0.0) + now - self._since
        self._since = now

    def begin(self) -> None:
        """Begin a round."""
        self._taken = {}
        self._since = self._begun = thread_time()

    def end(self) -> float:
        """End a round. Returns the CPU seconds that it took as a whole."""
        self._switch()
        whole = self._since - self._begun
        found = {part: self._taken.get(part, 0.0) for part in self._places}
        self.rounds.append({**found, "the rest": whole - sum(found.values())})
        return whole

    def figures(self, *, least: float = 0.0) -> Iterator[Figure]:
        """Yield the median of each part; not of those that take less than `least` milliseconds."""
        for part in self.rounds[0]:
            figure = figure_of(f"  {part}", [1000 * found[part] for found in self.rounds], "ms")
            if figure.value >= least:
                yield figure


def whole_figures(name: str, cpu: Sequence[float], wall: Sequence[float], target: float, note: str) -> Iterator[Figure]:
    """Yield the median of CPU time, which has the target, and of time by the clock, from the lowest to the 90th percentile.

    Times are given in seconds.
    """
    for kind, seconds, aim in (("CPU time", cpu, target), ("by the clock", wall, None)):
        values = [1000 * each for each in seconds]
        high = percentile(values, 90)
        yield Figure(
            f"{name}, {kind}", statistics.median(values), "ms", min(values), high, aim, f"lowest … 90th percentile, {note}"
        )


def _attribute(owner: Any, name: str) -> Any:
    """Give an attribute of a module or class, a property as such, wherever it is inherited from."""
    return inspect.getattr_static(owner, name)
