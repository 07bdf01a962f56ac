"""From the answer at a stop to the failing statement on the new code, in a long function that was edited."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

from fixcont.continuing.ways import Propagate, Resume, Way
from fixcont.errors import Refusal
from fixcont.session import Session
from fixcont.stopping.stop import Stop
from tests.benchmarks.measuring import Figure, Size, active_session, figure_of, load, percentile, temporary_folder

_LINES = 300
_ROUNDS = 100


def measure(size: Size) -> Iterator[Figure]:
    """Yield the median and the 99th percentile, and what installing takes before."""
    rounds = 2 if size.is_smoke else _ROUNDS
    with temporary_folder() as folder:
        path = folder / "long_function.py"
        path.write_text(_text(0))
        front_end = _Editor(path, rounds)
        with active_session(front_end) as session:
            front_end.session = session
            module = load(path, "long_function")
            module.begun = front_end.begun  # type: ignore[attr-defined]
            assert module.job() == rounds
    note = f"{rounds} edits, a function of {_LINES} lines"
    resumes = [1000 * (began - answered) for _, answered, began in front_end.times]
    installs = [1000 * (answered - saved) for saved, answered, _ in front_end.times]
    yield figure_of("resume after an edit, median", resumes, "ms", 20.0, note)
    yield Figure("resume after an edit, 99th percentile", percentile(resumes, 99), "ms")
    yield figure_of("  before it: installing the edit", installs, "ms")


class _Editor:
    """A front end that changes a line of the failing function and lets it go on, so many times.

    Attributes:
        session: whose sources are installed; to be set before the first stop.
        times: for each round, in seconds: when the file was saved, when the stop was answered, when the statement ran.
    """

    session: Session

    def __init__(self, path: Path, rounds: int) -> None:
        self.times: list[tuple[float, float, float]] = []
        self._path = path
        self._rounds = rounds
        self._saved = self._answered = 0.0
        self._number = 0

    def stopped(self, stop: Stop) -> Way:
        if self._number == self._rounds:
            return Propagate()
        self._number += 1
        self._path.write_text(_text(self._number))
        self._saved = perf_counter()
        result = self.session.sources.install_changes()
        assert [function.qualname for function in result.installed] == ["job"], result
        self._answered = perf_counter()
        return Resume(stop.frames[stop.selected])

    def refused(self, refusal: Refusal) -> None:
        raise AssertionError(str(refusal))

    def report(self, message: str) -> None:
        raise AssertionError(message)

    def begun(self, number: int) -> int:
        """Take the time, and fail until the last round; the failing statement calls it."""
        if number:
            self.times.append((self._saved, self._answered, perf_counter()))
        if number < self._rounds:
            raise ValueError(number)
        return number


def _text(number: int) -> str:
    """Return a program whose only function is long and fails inside two loops, in a line that has the number."""
    return "".join([
        "def job():\n    values = {}\n",
        *(_FILLER.format(index=index) for index in range((_LINES - 6) // 3)),
        "    for outer in range(1):\n        for inner in range(1):\n",
        f"            result = begun({number})\n",
        "    return result\n",
    ])  # fmt: skip


_FILLER = """\
    values["a{index}"] = {index}
    if values["a{index}"] > {index}:
        values["b{index}"] = [each * 2 for each in range({index})]
"""
