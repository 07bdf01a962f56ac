"""What `python -m fixcont` adds to an empty script, and what it must not import before the first stop."""

from __future__ import annotations

import json
import resource
from collections.abc import Iterator
from time import perf_counter

from tests.benchmarks.measuring import Figure, Size, figure_of, run_python, temporary_folder

_ONLY_AT_STOPS = ("prompt_toolkit", "pygments", "pdb", "cmd", "bdb", "readline", "asyncio", "inspect")
_FORBIDDEN = {"prompt_toolkit", "pygments", "pdb"}


def measure(size: Size) -> Iterator[Figure]:
    """Yield the differences, and how many modules are imported too early."""
    with temporary_folder() as folder:
        script = folder / "empty.py"
        script.write_text("")
        rounds = 1 if size.is_smoke else 2 * size.pairs
        _run([str(script)])
        _run(["-m", "fixcont", str(script)])
        times = [(_run([str(script)]), _run(["-m", "fixcont", str(script)])) for _ in range(rounds)]
        for index, what in enumerate(("CPU time", "wall time")):
            differences = [1000 * (other[index] - plain[index]) for plain, other in times]
            yield figure_of(f"{what} more than python", differences, "ms", 80)
        script.write_text(f"import json, sys\nprint(json.dumps([name for name in {_ONLY_AT_STOPS!r} if name in sys.modules]))\n")
        imported = json.loads(run_python(["-m", "fixcont", str(script)]).stdout)
        early = _FORBIDDEN.intersection(imported)
        yield Figure("modules imported before the first stop", len(early), "", target=0, note=f"looked for: {', '.join(_ONLY_AT_STOPS)}; "
                     f"there: {', '.join(imported) or 'none'}")  # fmt: skip


def _run(arguments: list[str]) -> tuple[float, float]:
    """Return the CPU seconds and the seconds that a process takes."""
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), perf_counter()
    run_python(arguments)
    after, end = resource.getrusage(resource.RUSAGE_CHILDREN), perf_counter()
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, end - begin
