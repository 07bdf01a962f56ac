"""How many machine instructions programs take, plain and trapped, counted by valgrind: a figure without noise.

Each count is that of a process that runs its program several times, less that of one that runs it once, so that the start-up and the
warming-up are not in it.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator

from fixcont.bytecode.traps import trap
from tests.benchmarks import pyperformance_programs as programs
from tests.benchmarks.measuring import ROOT, Figure, Size, Skipped

_PROGRAMS = ("nqueens", "richards", "chaos")
_MORE = 2  # times


def measure(size: Size) -> Iterator[Figure]:
    """Yield a ratio of counts for each of three programs. Raises `Skipped`."""
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        raise Skipped("valgrind is not installed")
    programs.folder()
    if size.is_smoke:
        raise Skipped("valgrind takes too long for a small size")
    for program in _PROGRAMS:
        plain, trapped = (
            _count(valgrind, program, how, 1 + _MORE) - _count(valgrind, program, how, 1) for how in ("plain", "trapped")
        )
        yield Figure(
            f"instructions of {program}", trapped / plain, "times", target=1.02, note=f"{plain / _MORE:,.0f} each time plain"
        )


def _count(valgrind: str, program: str, how: str, times: int) -> int:
    command = [
        valgrind, "--tool=callgrind", "--callgrind-out-file=/dev/null",
        sys.executable, "-X", "frozen_modules=on", "-m", "tests.benchmarks.instruction_counts", program, how, str(times),
    ]  # fmt: skip
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": f"{ROOT}:{ROOT / 'ui'}", "PYTHONHASHSEED": "0"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, cwd=ROOT)
    found = re.search(r"Collected\s*:\s*(\d+)", done.stderr)
    if found is None:
        raise Skipped(f"valgrind gave no count: {done.stderr[-200:]}")
    return int(found[1])


def _run(program: str, how: str, times: int) -> None:
    code = programs.compiled(program)
    case = next(iter(programs.cases(trap(code) if how == "trapped" else code).values()))
    for _ in range(times):
        case(1)


if __name__ == "__main__":
    _run(sys.argv[1], sys.argv[2], int(sys.argv[3]))
