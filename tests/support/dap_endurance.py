"""A long session over the adapter: thousands of steps and saves. Nothing is lost, and nothing grows.

`python tests/support/dap_endurance.py [--steps N] [--saves N]` runs it and prints what grew.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

if __name__ == "__main__":
    _root = Path(__file__).resolve().parent.parent.parent
    sys.path[:0] = [str(_root), str(_root / "ui"), str(_root / "tests")]

from tests.benchmarks.adapters import FIXCONT, Driver

_PROGRAM: Final = """\
import gc

def changed(number):
    total = number + 1
    text = f"version {0}: {total}"
    return text

def counted():
    gc.collect()
    return len(gc.get_objects())

def steps(count):
    for number in range(count):
        text = changed(number)  # stop
        other = len(text)
    return text, other

steps(1_000_000_000)
"""


@dataclass
class Growth:
    """What became more from the end of the warm-up to the end.

    Attributes:
        debuggee, adapter: bytes of the processes in memory.
        objects: objects that the program's garbage collector knows.
        steps, saves: how many there were.
    """

    debuggee: int
    adapter: int
    objects: int
    steps: int
    saves: int


def endure(folder: Path, steps: int, saves: int) -> Growth:
    """Step that often, and save that often in between. Each step must stop, and each save be installed: else this fails.

    The first quarter of it is the warm-up.
    """
    program = folder / "endures.py"
    program.write_text(_PROGRAM)
    with Driver(FIXCONT) as driver:
        line = next(number for number, text in enumerate(_PROGRAM.splitlines(), 1) if text.endswith("# stop"))
        driver.begin(program, [line])
        thread = driver.stopped()
        driver.set_breakpoints(program, [])
        begin = (0, 0, 0)
        for step in range(steps):
            if step == steps // 4:
                begin = _state(driver, thread)
            driver.send("next", threadId=thread)
            assert driver.stopped() == thread
            if step % 10 == 0:
                driver.locals(driver.top(thread)["id"])
            if step * saves // steps != (step + 1) * saves // steps:
                _save(driver, program, step)
        end = _state(driver, thread)
    debuggee, adapter, objects = (now - then for now, then in zip(end, begin, strict=True))
    return Growth(debuggee, adapter, objects, steps, saves)


def _save(driver: Driver, program: Path, step: int) -> None:
    """Save another version, and wait until it is installed."""
    saved = program.with_suffix(".new")
    saved.write_text(_PROGRAM.replace("{0}", str(step)))
    saved.replace(program)
    kinds: list[str] = []
    while not kinds or kinds[-1] not in ("END", "ERROR"):
        kinds.append(driver.wait("hotcodereplace")["changeType"])
    assert kinds == ["STARTING", "END"], kinds


def _state(driver: Driver, thread: int) -> tuple[int, int, int]:
    """Return the bytes of the program and of the adapter in memory, and how many objects the program has."""
    frame = driver.top(thread)["id"]
    objects = driver.request("evaluate", expression="counted()", frameId=frame, context="watch")["result"]
    return _resident(driver.debuggee), _resident(driver.process.pid), int(objects)


def _resident(ident: int) -> int:
    """Return the bytes of a process in memory."""
    return int(Path(f"/proc/{ident}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0])
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--saves", type=int, default=1_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dap-endurance-") as folder:
        found = endure(Path(folder).resolve(), options.steps, options.saves)
    print(found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
