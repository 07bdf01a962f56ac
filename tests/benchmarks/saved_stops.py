"""What saving a stop costs, beside `traceback.format_exc`, for a frame with a thousand variables.

Time is CPU time, and the least of several rounds: what is asked is how long it takes, not how busy the machine is.
"""

from __future__ import annotations

import json
import linecache
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import process_time
from typing import Any

import fixcont
from fixcont.postmortem.opening import open_stop
from fixcont.postmortem.reading import read
from tests.benchmarks.measuring import Figure, Size, quartiles, run_python, temporary_folder

_VARIABLES = 1_000
_TARGET = 50
#: What a thousand variables may be: numbers, texts, and small containers and objects.
_KINDS = ("{n}", "'text {n}'", "{n}.5", "[{n}, {n}.5, 'x']", "{{'key': {n}, 'more': [1, 2]}}", "({n}, None)", "Row({n})")
#: A process that has nothing loaded but what it needs for itself.
_FIRST = """\
import sys, time
sys.path.insert(0, sys.argv[1])
import program
try:
    program.outer()
except ValueError as error:
    begin = time.process_time()
    import fixcont
    fixcont.save(error, sys.argv[2])
    first = time.process_time()
    import linecache, traceback
    traceback.format_exc()
    linecache.clearcache()
    loaded = time.process_time()
    traceback.format_exc()
    print([1000 * (first - begin), 1000 * (time.process_time() - loaded)])
"""


def _program(variables: int) -> str:
    lines = [f"    v{n} = {_KINDS[n % len(_KINDS)].format(n=n)}" for n in range(variables)]
    row = "class Row:\n    def __init__(self, n):\n        self.n = n\n        self.name = 'row'\n        self.cells = [n]\n"
    return "\n".join(
        [row, "def fail():", *lines, "    raise ValueError('x')", "def outer(n=10):", "    fail() if not n else outer(n - 1)"]
    )


def measure(size: Size) -> Iterator[Figure]:
    """Yield the milliseconds of a save beyond twice those of `format_exc`, also of the first one in a process, of opening, and the size
    of the file."""
    with temporary_folder() as folder:
        program = folder / "program.py"
        program.write_text(_program(100 if size.is_smoke else _VARIABLES))
        names: dict[str, Any] = {"__name__": "program"}
        exec(compile(program.read_text(), str(program), "exec"), names)
        path = folder / "a.stop"
        beyond, saving, opening = [], [], []
        for _ in range(1 if size.is_smoke else 15):
            try:
                names["outer"]()
            except ValueError as error:
                linecache.clearcache()
                begin = process_time()
                traceback.format_exc()
                formatted = process_time()
                linecache.clearcache()
                begin_save = process_time()
                saved = fixcont.save(error, path)
                end = process_time()
                saving.append(1000 * (end - begin_save))
                beyond.append(saving[-1] - 2 * 1000 * (formatted - begin))
                begin = process_time()
                open_stop(read(str(path)))
                opening.append(1000 * (process_time() - begin))
        yield _least("save, beyond twice format_exc", beyond, _TARGET)
        firsts = [_first(folder, path) for _ in range(1 if size.is_smoke else 8)]
        yield _least("first save of a process", firsts, _TARGET, "; its imports included, beyond twice a later format_exc")
        yield _least("save", saving)
        yield _least("open", opening)
        yield Figure("size of the file", saved.size / 1000, "KB", note=f"{saved.values} values")


def _first(folder: Path, path: Path) -> float:
    first, formatting = json.loads(run_python(["-c", _FIRST, str(folder), str(path)]).stdout)
    return float(first - 2 * formatting)


def _least(name: str, values: Sequence[float], target: float | None = None, note: str = "") -> Figure:
    least = min(values)
    return Figure(name, least, "ms", least, quartiles(values)[1], target, f"CPU time, the least{note}")
