"""Restarting the same frame ten thousand times: the stack must get no deeper, and memory must not grow."""

from __future__ import annotations

import gc
import os
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from time import process_time
from types import FrameType

from fixcont.continuing.ways import RestartFrame, Way
from fixcont.errors import Refusal
from fixcont.stopping.stop import Stop
from tests.benchmarks.measuring import Figure, Size, active_session, load, temporary_folder

_RESTARTS = 10_000
_TRACED = 2_000
_WARM_UP = 200

_PROGRAM = """\
import asyncio

def function(noted):
    context = [noted]
    for item in context:
        if noted():
            raise ValueError(len(context))
    return "done"

def generator(noted):
    for item in ["one"]:
        if noted():
            raise ValueError(item)
        yield item

async def coroutine(noted):
    if noted():
        raise ValueError(noted)
    return "done"

async def async_generator(noted):
    if noted():
        raise ValueError(noted)
    yield "done"

def run_function(noted):
    assert function(noted) == "done"

def run_generator(noted):
    assert list(generator(noted)) == ["one"]

def run_coroutine(noted):
    try:
        coroutine(noted).send(None)
    except StopIteration as end:
        assert end.value == "done"

async def consume(noted):
    assert [item async for item in async_generator(noted)] == ["done"]

def run_async_generator(noted):
    try:
        consume(noted).send(None)
    except StopIteration:
        pass
"""
_KINDS = ("function", "generator", "coroutine", "async_generator")


def measure(size: Size) -> Iterator[Figure]:
    """Yield for each kind of frame how much deeper the stack gets, how memory grows, and the time of a restart."""
    restarts = 40 if size.is_smoke else _RESTARTS
    with temporary_folder() as folder:
        path = folder / "restarted.py"
        path.write_text(_PROGRAM)
        for kind in _KINDS:
            yield from _measure_kind(path, kind, restarts, min(restarts, _TRACED))


def _measure_kind(path: Path, kind: str, restarts: int, traced: int) -> Iterator[Figure]:
    name = kind.replace("_", " ")
    run = _run(path, kind, restarts)
    yield Figure(f"{name}: frames more on the stack", run.deeper, "", target=0, note=f"{restarts:,} restarts")
    yield Figure(f"{name}: memory of the process more", run.memory / 1e6, "MB", target=1.0)
    tracemalloc.start()
    try:
        blocks = _run(path, kind, traced).traced
    finally:
        tracemalloc.stop()
    yield Figure(f"{name}: memory that Python allocated more", blocks / 1e6, "MB", target=1.0, note=f"{traced:,} restarts")
    yield Figure(f"{name}: CPU time of a restart", 1e6 * run.seconds / restarts, "µs")


def _run(path: Path, kind: str, restarts: int) -> _Counter:
    counter = _Counter(restarts)
    with active_session(counter):
        module = load(path, f"restarted_{kind}")
        begin = process_time()
        getattr(module, f"run_{kind}")(counter.noted)
        counter.seconds = process_time() - begin
    assert counter.count == restarts, counter.count
    return counter


class _Counter:
    """A front end that restarts the frame at every stop, and what the frame calls to note how things are.

    Attributes:
        count: how often the frame was restarted.
        deeper: how many frames more there were at the end than at the beginning.
        memory: by how many bytes the process grew.
        traced: by how many bytes Python's own allocations grew, if they are traced.
        seconds: the CPU time of it all.
    """

    def __init__(self, restarts: int) -> None:
        self.count = self.deeper = self.memory = self.traced = 0
        self.seconds = 0.0
        self._restarts = restarts
        self._warm_up = min(restarts // 2, _WARM_UP)
        self._begin = (0, 0, 0)

    def noted(self) -> bool:
        """Note the state; tell whether the frame is to fail once more."""
        if self.count == self._warm_up:
            self._begin = _state()
        if self.count < self._restarts:
            return True
        self.deeper, self.memory, self.traced = (now - then for now, then in zip(_state(), self._begin, strict=True))
        return False

    def stopped(self, stop: Stop) -> Way:
        self.count += 1
        return RestartFrame(stop.frames[stop.selected])

    def refused(self, refusal: Refusal) -> None:
        raise AssertionError(str(refusal))

    def report(self, message: str) -> None:
        raise AssertionError(message)


def _state() -> tuple[int, int, int]:
    """Return the number of frames on the stack, the memory of the process, and the memory that is traced, in bytes."""
    gc.collect()
    depth = 0
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        depth += 1
        frame = frame.f_back
    traced = tracemalloc.get_traced_memory()[0] if tracemalloc.is_tracing() else 0
    return depth, _resident(), traced


def _resident() -> int:
    """Return the bytes of the process that are in memory; 0 where the system does not tell."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0
