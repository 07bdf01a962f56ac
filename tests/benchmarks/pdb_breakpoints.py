"""What the breakpoints of a `fixcont.pdb.Pdb` cost that are not hit, and those whose condition is false."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fixcont.pdb
from fixcont.bytecode import interpreter
from tests.benchmarks.breakpoints import _PROGRAM, _conditional
from tests.benchmarks.measuring import (
    Figure,
    NoStops,
    Size,
    Skipped,
    active_session,
    calls_for,
    load,
    pairs_in_turns,
    ratio_of,
    temporary_folder,
    timed,
)

_TARGET = 1.05


def measure(size: Size) -> Iterator[Figure]:
    """Yield the ratios for breakpoints that are not hit after "continue", and the time that a hit takes beside the condition. Raises `Skipped`."""
    if not interpreter.HAS_MONITORING:
        raise Skipped("this Python has no sys.monitoring, so all is as in its bdb")
    with temporary_folder() as folder, active_session(NoStops()):
        path = folder / "with_breakpoints.py"
        path.write_text(_PROGRAM)
        module = load(path, "with_breakpoints")
        (folder / "without.py").write_text(_PROGRAM)
        plain = load(folder / "without.py", "without")
        for name, where in (("nested", "# not hit"), ("calls", "# not hit"), ("one_branch", "# not hit, in a loop")):
            label = (
                f"fixcont.pdb: breakpoints elsewhere, {name}" if name != "one_branch" else "fixcont.pdb: one in the loop, not hit"
            )
            yield _with_and_without(label, getattr(module, name), path, where, size)
        debugger = _continued(path, "# condition", "number < 0")
        yield _conditional(plain.conditional, module.conditional, size)
        debugger.clear_all_breaks()


def _with_and_without(label: str, call: Callable[[], object], path: Path, where: str, size: Size) -> Figure:
    times = calls_for(call, size.seconds)

    def timed_with() -> float:
        debugger = _continued(path, where)
        call()  # what begins to run is looked at once
        taken = timed(call, times)
        debugger.clear_all_breaks()
        return taken

    return ratio_of(label, pairs_in_turns(lambda: timed(call, times), timed_with, size.pairs), _TARGET)


def _continued(path: Path, text: str, condition: str | None = None) -> Any:
    """Return a debugger to which "continue" was said."""
    debugger: Any = fixcont.pdb.Pdb(stdin=io.StringIO(), stdout=io.StringIO(), nosigint=True, readrc=False)
    debugger.reset()
    debugger.botframe = sys._getframe()
    for number, line in enumerate(_PROGRAM.splitlines(), 1):
        if text in line:
            assert debugger.set_break(str(path), number, cond=condition) is None
    debugger.set_continue()
    return debugger
