"""From the answer at a stop to the failing statement on the new code, in a long function that was edited."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

from fixcont.continuing import resume
from fixcont.continuing.ways import Propagate, Resume, Way
from fixcont.editing import known, parsing, sources, variants
from fixcont.editing.files import File
from fixcont.editing.sources import Sources
from fixcont.errors import Refusal
from fixcont.session import Session
from fixcont.stopping.stop import Stop
from tests.benchmarks.measuring import Figure, Size, active_session, figure_of, load, temporary_folder
from tests.benchmarks.parts import Parts, Place, whole_figures

_LINES = 300
_ROUNDS = 100
_RESUME: dict[str, list[Place]] = {
    "plan: parse": [(parsing, "parse")],
    "plan: statements": [(known, "make_variant")],
    "plan: variant compiled": [(variants._Maker, "_compile")],
    "plan: stacks": [(resume, "Stacks")],
    "variant trapped": [(resume, "_trapped_variant")],
    "entry": [(resume, "enter_at")],
    "syntax trees freed": [(Session, "expect_none")],
}
_INSTALL: dict[str, list[Place]] = {
    "read and compile": [(File, "read"), (sources, "_compile")],
    "compare": [(sources, "_compare")],
    "check and install": [(Sources, "_check_all"), (sources, "install"), (Sources, "_commit")],
}


def measure(size: Size) -> Iterator[Figure]:
    """Yield what a resume takes, with its parts, and what installing takes before.

    A second time with edits that begin at the top of the function, so that nothing in front of them is known already.
    """
    for what, is_at_top in (("an edit", False), ("an edit at the top too", True)):
        yield from _measured(2 if size.is_smoke else _ROUNDS, what, is_at_top=is_at_top)


def _measured(rounds: int, what: str, *, is_at_top: bool) -> Iterator[Figure]:
    with temporary_folder() as folder:
        path = folder / "long_function.py"
        path.write_text(_text(0))
        front_end = _Editor(path, rounds, is_at_top=is_at_top)
        with active_session(front_end) as session:
            front_end.session = session
            module = load(path, "long_function")
            module.begun = front_end.begun  # type: ignore[attr-defined]
            with front_end.resuming.watched(), front_end.installing.watched():
                assert module.job() == rounds
    note = f"{rounds} edits, a function of {_LINES} lines"
    yield from whole_figures(f"resume after {what}", front_end.cpu, front_end.wall, 20.0, note)
    yield from front_end.resuming.figures()
    installing = [1000 * sum(each.values()) for each in front_end.installing.rounds]
    yield figure_of("before it: installing the edit, CPU time", installing, "ms")
    yield from front_end.installing.figures()


class _Editor:
    """A front end that changes a line of the failing function and lets it go on, so many times.

    Attributes:
        session: whose sources are installed; to be set before the first stop.
        cpu: seconds of CPU time from the answer at the stop until the statement ran, for each round.
        wall: the same by the clock.
        resuming, installing: the parts of that, and of installing the edit before it.
    """

    session: Session

    def __init__(self, path: Path, rounds: int, *, is_at_top: bool) -> None:
        self.cpu: list[float] = []
        self.wall: list[float] = []
        self.resuming = Parts(_RESUME)
        self.installing = Parts(_INSTALL)
        self._path = path
        self._rounds = rounds
        self._is_at_top = is_at_top
        self._answered = 0.0
        self._number = 0

    def stopped(self, stop: Stop) -> Way:
        if self._number == self._rounds:
            return Propagate()
        self._number += 1
        self._path.write_text(_text(self._number, self._number if self._is_at_top else 0))
        self.installing.begin()
        result = self.session.sources.install_changes()
        self.installing.end()
        assert [function.qualname for function in result.installed] == ["job"], result
        self.resuming.begin()
        self._answered = perf_counter()
        return Resume(stop.frames[stop.selected])

    def refused(self, refusal: Refusal) -> None:
        raise AssertionError(str(refusal))

    def report(self, message: str) -> None:
        raise AssertionError(message)

    def begun(self, number: int) -> int:
        """Take the time, and fail until the last round; the failing statement calls it."""
        if number:
            self.wall.append(perf_counter() - self._answered)
            self.cpu.append(self.resuming.end())
        if number < self._rounds:
            raise ValueError(number)
        return number


def _text(number: int, at_top: int = 0) -> str:
    """Return a program whose only function is long and fails inside two loops, in a line that has the number; another one is at its top."""
    return "".join([
        f"def job():\n    values = {{'at top': {at_top}}}\n",
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
