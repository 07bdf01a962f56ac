"""What traps cost while nothing fails: programs of pyperformance, a plain and a trapped copy of each in one process, in turns."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from types import CodeType

from fixcont.bytecode.traps import trap
from tests.benchmarks import pyperformance_programs as programs
from tests.benchmarks.measuring import (
    Figure,
    NoStops,
    Size,
    active_session,
    figure_of,
    geometric_mean,
    pairs_in_turns,
)

_PAIRS_OF_LONG_ONES = 7
_SMOKE_PROGRAMS = ("nqueens", "unpack_sequence")


def measure(size: Size) -> Iterator[Figure]:
    """Yield a ratio for each program, and their geometric mean. Raises `Skipped`."""
    programs.folder()
    figures = []
    with active_session(NoStops(), scope=("everything",)):
        for program in _SMOKE_PROGRAMS if size.is_smoke else programs.PROGRAMS:
            figures.append(_program(program, size))
            yield figures[-1]
    note = f"{len(figures)} programs; smallest … largest"
    yield geometric_mean("geometric mean", figures, 1.02, note)


def _program(program: str, size: Size) -> Figure:
    plain = programs.cases(programs.compiled(program))
    trapped = programs.cases(_trapped(programs.compiled(program)))
    results = [_case(case, trapped[name], size) for name, case in plain.items()]
    if len(results) == 1:
        return figure_of(program, results[0], "times")
    whole = [statistics.geometric_mean(ratios) for ratios in zip(*results, strict=False)]
    return figure_of(program, whole, "times", note=f"{len(results)} cases")


def _trapped(code: CodeType) -> CodeType:
    trapped = trap(code)
    assert trapped is not code
    return trapped


def _case(plain: programs.Case, trapped: programs.Case, size: Size) -> list[float]:
    """Return the ratios of the pairs."""
    loops = 1
    while not size.is_smoke and plain(loops) < 0.8 * size.seconds:
        loops *= 2
    taken = trapped(loops)
    number = size.pairs if taken < 0.3 else min(size.pairs, _PAIRS_OF_LONG_ONES)
    pairs = pairs_in_turns(lambda: plain(loops), lambda: trapped(loops), number)
    if size.is_smoke:
        pairs = [(max(one, 1e-9), max(other, 1e-9)) for one, other in pairs]
    return [other / one for one, other in pairs]
