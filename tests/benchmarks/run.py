"""Run benchmarks and print their figures: `python tests/benchmarks/run.py [--smoke] [--json] [NAME…]`."""

from __future__ import annotations

import importlib
import json
import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

if __name__ == "__main__":
    _root = Path(__file__).resolve().parent.parent.parent
    sys.path[:0] = [str(_root), str(_root / "ui")]

from tests.benchmarks.measuring import SMOKE, Figure, Size, Skipped

#: Each is a module beside this one, with a function `measure(size)` that yields figures.
NAMES = (
    "happy_path",
    "instruction_counts",
    "raised_and_caught",
    "loading",
    "start_up",
    "save_to_restarted",
    "save_to_installed",
    "resume_after_edit",
    "ten_thousand_restarts",
    "breakpoints",
    "pdb_breakpoints",
    "debug_adapter",
    "framing",
    "saved_stops",
)
_USAGE = f"usage: run.py [--smoke] [--json] [NAME…], with names of {', '.join(NAMES)}"


def main(words: Sequence[str]) -> int:
    """Run the named benchmarks, or all. Returns 1 if a target was missed, 2 for a wrong command line, else 0.

    With `--smoke` sizes are tiny, the figures mean nothing, and no target counts. With `--json` each line is one figure.
    """
    options = {word for word in words if word.startswith("-")}
    names = [word for word in words if not word.startswith("-")] or list(NAMES)
    if options - {"--smoke", "--json"} or set(names) - set(NAMES):
        print(_USAGE, file=sys.stderr)
        return 2
    size = SMOKE if "--smoke" in options else Size()
    missed = False
    for name in names:
        for figure in _figures(name, size, as_json="--json" in options):
            missed |= figure.is_missed
            print(json.dumps(asdict(figure)) if "--json" in options else _line(figure), flush=True)
    return int(missed and not size.is_smoke)


def _figures(name: str, size: Size, *, as_json: bool) -> Iterator[Figure]:
    if not as_json:
        print(f"\n{name} on Python {sys.version.split()[0]}")
    module = importlib.import_module(f"tests.benchmarks.{name}")
    try:
        yield from module.measure(size)
    except Skipped as skipped:
        print(json.dumps({"name": name, "skipped": str(skipped)}) if as_json else f"  skipped: {skipped}", flush=True)


def _line(figure: Figure) -> str:
    value = f"{figure.value:.3f}" if abs(figure.value) < 100 else f"{figure.value:.0f}"
    spread = "" if math.isnan(figure.low) else f"{figure.low:.3f} … {figure.high:.3f}"
    target = "" if figure.target is None else f"{'MISSES' if figure.is_missed else 'meets'} {figure.target:g}"
    return f"  {figure.name:<52} {value:>9} {figure.unit:<6} {spread:<20} {target:<13} {figure.note}".rstrip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
