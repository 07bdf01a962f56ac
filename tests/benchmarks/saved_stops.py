"""What saving a stop costs, beside `traceback.format_exc`, for a frame with a thousand variables."""

from __future__ import annotations

import linecache
import traceback
from collections.abc import Iterator
from time import perf_counter
from typing import Any

import fixcont
from fixcont.postmortem.opening import open_stop
from fixcont.postmortem.reading import read
from tests.benchmarks.measuring import Figure, Size, figure_of, temporary_folder

_VARIABLES = 1_000
#: What a thousand variables may be: numbers, texts, and small containers and objects.
_KINDS = ("{n}", "'text {n}'", "{n}.5", "[{n}, {n}.5, 'x']", "{{'key': {n}, 'more': [1, 2]}}", "({n}, None)", "Row({n})")


def _program(variables: int) -> str:
    lines = [f"    v{n} = {_KINDS[n % len(_KINDS)].format(n=n)}" for n in range(variables)]
    row = "class Row:\n    def __init__(self, n):\n        self.n = n\n        self.name = 'row'\n        self.cells = [n]\n"
    return "\n".join(
        [row, "def fail():", *lines, "    raise ValueError('x')", "def outer(n=10):", "    fail() if not n else outer(n - 1)"]
    )


def measure(size: Size) -> Iterator[Figure]:
    """Yield the milliseconds of a save beyond twice those of `format_exc`, of opening, and the size of the file."""
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
                begin = perf_counter()
                traceback.format_exc()
                formatted = perf_counter()
                linecache.clearcache()
                begin_save = perf_counter()
                saved = fixcont.save(error, path)
                end = perf_counter()
                saving.append(1000 * (end - begin_save))
                beyond.append(saving[-1] - 2 * 1000 * (formatted - begin))
                begin = perf_counter()
                open_stop(read(str(path)))
                opening.append(1000 * (perf_counter() - begin))
        yield figure_of("save, beyond twice format_exc", beyond, "ms", 50)
        yield figure_of("save", saving, "ms", None)
        yield figure_of("open", opening, "ms", None)
        yield Figure("size of the file", saved.size / 1000, "KB", note=f"{saved.values} values")
