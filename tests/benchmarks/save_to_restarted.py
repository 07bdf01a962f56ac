"""From saving a file to the first instruction of the restarted function, in a long file and beside very many live objects."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter, process_time

from fixcont.continuing.ways import Propagate, RestartFrame, Way
from fixcont.errors import Refusal
from fixcont.session import Session
from fixcont.stopping.stop import Stop
from tests.benchmarks.measuring import (
    FILLER,
    Figure,
    Size,
    active_session,
    compile_time,
    figure_of,
    load,
    percentile,
    temporary_folder,
)

_LINES = 2000
_OBJECTS = 1_000_000
_ROUNDS = 200
_CLOCKS: dict[str, Callable[[], float]] = {"": perf_counter, ", CPU time": process_time}


def measure(size: Size) -> Iterator[Figure]:
    """Yield the median and the 99th percentile, and the median of the parts."""
    rounds, objects = (2, 1000) if size.is_smoke else (_ROUNDS, _OBJECTS)
    alive = [[number] for number in range(objects)]
    with temporary_folder() as folder:
        path = folder / "long_program.py"
        path.write_text(_text(0))
        front_end = _Editor(path, rounds)
        with active_session(front_end) as session:
            front_end.session = session
            module = load(path, "long_program")
            module.begun = front_end.begun  # type: ignore[attr-defined]
            assert module.run() == rounds
        compiling = [compile_time(path) for _ in range(5)]
    assert len(alive) == objects
    note = f"{rounds} saves, {_LINES} lines, {objects:,} objects"
    for index, clock in enumerate(_CLOCKS):
        whole = [1000 * (began[index] - saved[index]) for saved, _, began in front_end.times]
        targets = (None, None) if clock else (50.0, 150.0)
        yield figure_of(f"save to restarted{clock}, median", whole, "ms", targets[0], note)
        yield Figure(f"save to restarted{clock}, 99th percentile", percentile(whole, 99), "ms", target=targets[1])
    install = [1000 * (installed[1] - saved[1]) for saved, installed, _ in front_end.times]
    restart = [1000 * (began[1] - installed[1]) for _, installed, began in front_end.times]
    yield figure_of("  of it installing, CPU time", install, "ms", note="read, compile, compare, check, trap, put in")
    yield figure_of("  of it restarting, CPU time", restart, "ms", note="unwind, call, enter")
    yield figure_of("  for comparison: compiling the file alone", [1000 * taken for taken in compiling], "ms")


Moment = tuple[float, ...]


def _now() -> Moment:
    return tuple(clock() for clock in _CLOCKS.values())


class _Editor:
    """A front end that changes one function on disk and restarts it, so many times.

    Attributes:
        session: whose sources are installed; to be set before the first stop.
        times: for each round: when the file was saved, when it was installed, when the function began anew.
    """

    session: Session

    def __init__(self, path: Path, rounds: int) -> None:
        self.times: list[tuple[Moment, Moment, Moment]] = []
        self._path = path
        self._rounds = rounds
        self._saved: Moment = ()
        self._installed: Moment = ()
        self._number = 0

    def stopped(self, stop: Stop) -> Way:
        if self._number == self._rounds:
            return Propagate()
        self._number += 1
        self._path.write_text(_text(self._number, fails=self._number < self._rounds))
        self._saved = _now()
        result = self.session.sources.install_changes()
        self._installed = _now()
        assert [function.qualname for function in result.installed] == ["changes"], result
        return RestartFrame(stop.frames[stop.selected])

    def refused(self, refusal: Refusal) -> None:
        raise AssertionError(str(refusal))

    def report(self, message: str) -> None:
        raise AssertionError(message)

    def begun(self, number: int) -> None:
        """Take the time; the first statement of the function calls it."""
        if number:
            self.times.append((self._saved, self._installed, _now()))


def _text(number: int, *, fails: bool = True) -> str:
    """Return a program of 2,000 lines whose function `changes` differs with the number."""
    end = "raise ValueError(number)" if fails else "return number"
    lines = [
        f"def changes():\n    number = {number}\n    begun(number)\n    {end}\n",
        "def run():\n    return changes()\n",
    ]
    count = sum(text.count("\n") for text in lines)
    index = 0
    while count < _LINES - 20:
        lines.append(FILLER.format(index=index))
        count += lines[-1].count("\n")
        index += 1
    return "".join(lines)
