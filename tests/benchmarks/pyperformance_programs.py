"""Programs of the package pyperformance, run without pyperf: a stand-in takes what they would measure."""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import process_time
from types import CodeType, ModuleType
from typing import Any

from tests.benchmarks.measuring import Skipped

#: Those whose work is done in the file itself and that need the standard library only.
PROGRAMS = (
    "async_tree", "chaos", "comprehensions", "coroutines", "deltablue", "fannkuch", "float", "generators", "go", "hexiom",
    "meteor_contest", "nbody", "nqueens", "pidigits", "pyflate", "raytrace", "richards", "scimark", "spectral_norm",
    "telco", "unpack_sequence",
)  # fmt: skip

#: Runs a case a number of times and returns the CPU seconds it took.
Case = Callable[[int], float]


def folder() -> Path:
    """Return the folder of the programs. Raises `Skipped` where the package is not installed."""
    spec = importlib.util.find_spec("pyperformance")
    if spec is None or spec.origin is None:
        raise Skipped("the package pyperformance is not installed for this Python")
    found = Path(spec.origin).parent / "data-files" / "benchmarks"
    if not found.is_dir():
        raise Skipped(f"the package pyperformance has no programs in {found}")
    return found


def compiled(program: str) -> CodeType:
    """Return the code of a program's main file, compiled anew at each call."""
    path = folder() / f"bm_{program}" / "run_benchmark.py"
    code: CodeType = compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
    return code


def cases(code: CodeType) -> dict[str, Case]:
    """Run a program's main code and return what it would have measured, by name."""
    runner_class = type("Runner", (_Runner,), {"cases": {}})
    pyperf = ModuleType("pyperf")
    pyperf.Runner = runner_class  # type: ignore[attr-defined]
    pyperf.perf_counter = process_time  # type: ignore[attr-defined]
    pyperf.python_implementation = lambda: sys.implementation.name  # type: ignore[attr-defined]
    main = ModuleType("__main__")
    main.__file__ = code.co_filename
    with _in_place("pyperf", pyperf), _in_place("__main__", main):
        exec(code, vars(main))
    found: dict[str, Case] = runner_class.cases  # type: ignore[attr-defined]
    return found


@contextmanager
def _in_place(name: str, module: ModuleType) -> Iterator[None]:
    before = sys.modules.get(name)
    sys.modules[name] = module
    try:
        yield
    finally:
        if before is None:
            del sys.modules[name]
        else:
            sys.modules[name] = before


class _Runner:
    """What programs take for pyperf's runner."""

    cases: dict[str, Case]

    def __init__(self, **_ignored: Any) -> None:
        self.metadata: dict[str, Any] = {}
        self.argparser = argparse.ArgumentParser()
        self.args = argparse.Namespace()

    def parse_args(self) -> argparse.Namespace:
        """Take the defaults, and the first choice where there is none."""
        needed = [str(next(iter(action.choices))) for action in self.argparser._actions if action.required and action.choices]
        self.args = self.argparser.parse_args(needed)
        return self.args

    def bench_time_func(self, name: str, function: Callable[..., float], *arguments: Any, **_ignored: Any) -> None:
        def case(loops: int) -> float:
            return function(loops, *arguments)

        self.cases[name] = case

    def bench_func(self, name: str, function: Callable[..., Any], *arguments: Any, **_ignored: Any) -> None:
        def case(loops: int) -> float:
            begin = process_time()
            for _ in range(loops):
                function(*arguments)
            return process_time() - begin

        self.cases[name] = case

    def bench_async_func(self, name: str, function: Callable[..., Any], *arguments: Any, **_ignored: Any) -> None:
        async def run(loops: int) -> float:
            begin = process_time()
            for _ in range(loops):
                await function(*arguments)
            return process_time() - begin

        self.cases[name] = lambda loops: asyncio.run(run(loops))
