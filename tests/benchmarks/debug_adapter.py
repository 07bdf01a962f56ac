"""The debug adapter beside debugpy's: the same client drives both, in turns, and asks them for the same.

debugpy's processes send what belongs together in pieces, which the system holds back until the piece before is acknowledged: some 40 ms for
nearly each request. That would hide everything else, so it is taken from debugpy here (TCP_NODELAY, set from outside); only the two
figures that end in "as installed" are with it.
"""

from __future__ import annotations

import importlib.util
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from time import perf_counter

from tests.benchmarks.adapters import DEBUGPY, FIXCONT, Driver
from tests.benchmarks.measuring import Figure, Size, Skipped, temporary_folder

_TARGET = 1.0
_LACKING = "debugpy is not installed beside this Python; `pip install debugpy` gets it"

#: For debugpy's processes.
_NO_DELAY = """\
import socket

_init = socket.socket.__init__

def __init__(self, *arguments, **more):
    _init(self, *arguments, **more)
    try:
        self.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError:
        pass

socket.socket.__init__ = __init__
"""

_SMALL = "name = 'small'  # stop\nprint(name)\n"

_STEPS = """\
def steps(count):
    total = 0
    for number in range(count):
        total += number  # stop
        other = total * 2
        text = "a text"
    return total, other, text

steps(1_000_000_000)
"""

_DEEP = """\
def deep(count):
    if count:
        return deep(count - 1)
    return count  # stop

import sys
sys.setrecursionlimit(5000)
while True:
    deep(999)
"""

_VALUES = """\
def values():
    million = list(range(1_000_000))
    name, pair = "a name", (1, 2)
    while True:
        name += "."  # stop

values()
"""

_LOOP = """\
import time

def loop(count):
    total = 0
    for number in range(count):
        total += called(number)
        if number < 0:
            total = 0  # never
    return total

def called(number):
    if number < 0:
        return 0  # never
    return number & 3

def not_called():
    return 0  # never

while True:
    begun = time.perf_counter()
    loop(100_000)
    took = time.perf_counter() - begun
    begun = 0.0  # stop
"""

#: Does something with an adapter whose program is held in a thread; gives the seconds that it took.
_Timed = Callable[[Driver, int], float]


def measure(size: Size) -> Iterator[Figure]:
    """Yield for each thing that clients ask for how many times as long it takes as with debugpy. Raises `Skipped`."""
    if importlib.util.find_spec("debugpy") is None:
        raise Skipped(_LACKING)
    with temporary_folder() as folder:
        (folder / "sitecustomize.py").write_text(_NO_DELAY)
        without_delay = {"PYTHONPATH": str(folder)}
        yield _start_up(_written(folder, "small", _SMALL), 2 if size.is_smoke else size.pairs, without_delay)
        rounds = 3 if size.is_smoke else 20 * size.pairs
        few = 1 if size.is_smoke else 2 * size.pairs
        for name, program, times, timed in (
            ("step", _written(folder, "steps", _STEPS), rounds, _step),
            ("step, with the stack and the variables", folder / "steps.py", rounds, _step_and_look),
            ("stack of 1,000 frames", _written(folder, "deep", _DEEP), few, _whole_stack),
            ("first page of a stack of 1,000 frames", folder / "deep.py", few, _first_page),
            ("scopes and first page of a list of a million", _written(folder, "values", _VALUES), few, _scopes_and_page),
            ("a page in the middle of that list", folder / "values.py", few, _middle_page),
            ("evaluate", folder / "values.py", rounds, _evaluate),
            ("hover", folder / "values.py", rounds, _hover),
            ("run with breakpoints that are not hit", _written(folder, "loop", _LOOP), few, _run_on),
        ):
            yield _compared(name, program, times, timed, without_delay)
        yield _compared("step, debugpy as installed", folder / "steps.py", few, _step, {})
        yield _compared("evaluate, debugpy as installed", folder / "values.py", few, _evaluate, {})


def _written(folder: Path, name: str, text: str) -> Path:
    path = folder / f"{name}.py"
    path.write_text(text)
    return path


def _lines(program: Path, word: str) -> list[int]:
    """Give the lines of a program that are marked by a word."""
    return [number for number, line in enumerate(program.read_text().splitlines(), 1) if line.endswith(f"# {word}")]


def _start_up(program: Path, rounds: int, without_delay: Mapping[str, str]) -> Figure:
    def started(words: Sequence[str]) -> float:
        begun = perf_counter()
        with Driver(words, without_delay if words == DEBUGPY else {}) as driver:
            driver.begin(program, _lines(program, "stop"))
            driver.stopped()
            return perf_counter() - begun

    for words in (FIXCONT, DEBUGPY):
        started(words)  # to have everything compiled and read
    return _figure("start to the first stop", *_in_turns(lambda: started(FIXCONT), lambda: started(DEBUGPY), rounds))


def _compared(name: str, program: Path, rounds: int, timed: _Timed, theirs_has: Mapping[str, str]) -> Figure:
    """Run the same program under both, each held at its first stop, and do something with both in turns."""
    with ExitStack() as stack:
        ours, theirs = stack.enter_context(Driver(FIXCONT)), stack.enter_context(Driver(DEBUGPY, theirs_has))
        threads = []
        for driver in (ours, theirs):
            driver.begin(program, _lines(program, "stop") + _lines(program, "never"))
            threads.append(driver.stopped())
            if timed in (_step, _step_and_look):
                driver.set_breakpoints(program, [])
            timed(driver, threads[-1])
        return _figure(name, *_in_turns(lambda: timed(ours, threads[0]), lambda: timed(theirs, threads[1]), rounds))


def _in_turns(ours: Callable[[], float], theirs: Callable[[], float], rounds: int) -> tuple[list[float], list[float]]:
    found: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds):
        for index in (0, 1) if number % 2 else (1, 0):
            found[index].append((ours, theirs)[index]())
    return found


def _figure(name: str, ours: Sequence[float], theirs: Sequence[float]) -> Figure:
    """Give the ratio of the medians; its low and high are those of the minima and of the maxima."""
    middle, least, most = ((of(ours), of(theirs)) for of in (statistics.median, min, max))
    note = f"{_ms(middle[0])} against {_ms(middle[1])} ms, at least {_ms(least[0])} against {_ms(least[1])}"
    return Figure(name, middle[0] / middle[1], "times", least[0] / least[1], most[0] / most[1], _TARGET, note)


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:.2f}"


# What is done in turns.


def _step(driver: Driver, thread: int) -> float:
    begun = perf_counter()
    driver.send("next", threadId=thread)
    driver.stopped()
    return perf_counter() - begun


def _step_and_look(driver: Driver, thread: int) -> float:
    begun = perf_counter()
    driver.send("next", threadId=thread)
    driver.stopped()
    driver.request("threads")
    frame = driver.request("stackTrace", threadId=thread, startFrame=0, levels=20)["stackFrames"][0]
    driver.locals(frame["id"])
    return perf_counter() - begun


def _whole_stack(driver: Driver, thread: int) -> float:
    driver.go_on(thread)
    begun = perf_counter()
    found = driver.request("stackTrace", threadId=thread)["stackFrames"]
    took = perf_counter() - begun
    assert len(found) >= 1000, len(found)
    return took


def _first_page(driver: Driver, thread: int) -> float:
    driver.go_on(thread)
    begun = perf_counter()
    found = driver.request("stackTrace", threadId=thread, startFrame=0, levels=20)["stackFrames"]
    took = perf_counter() - begun
    assert len(found) == 20, len(found)
    return took


def _scopes_and_page(driver: Driver, thread: int) -> float:
    driver.go_on(thread)
    frame = driver.top(thread)["id"]
    begun = perf_counter()
    reference = _million(driver, frame)
    found = driver.request("variables", variablesReference=reference, filter="indexed", start=0, count=100)["variables"]
    took = perf_counter() - begun
    assert len(found) >= 100, len(found)
    return took


def _middle_page(driver: Driver, thread: int) -> float:
    driver.go_on(thread)
    reference = _million(driver, driver.top(thread)["id"])
    begun = perf_counter()
    driver.request("variables", variablesReference=reference, filter="indexed", start=100_000, count=100)
    return perf_counter() - begun


def _million(driver: Driver, frame: int) -> int:
    (found,) = (each for each in driver.locals(frame) if each["name"] == "million")
    return int(found["variablesReference"])


def _evaluate(driver: Driver, thread: int) -> float:
    driver.go_on(thread)
    frame = driver.top(thread)["id"]
    return driver.seconds("evaluate", expression="len(million) + pair[0]", frameId=frame, context="repl")


def _hover(driver: Driver, thread: int) -> float:
    driver.go_on(thread)
    frame = driver.top(thread)["id"]
    return driver.seconds("evaluate", expression="pair", frameId=frame, context="hover")


def _run_on(driver: Driver, thread: int) -> float:
    """Run to the next stop; the program itself takes the time of what lies between."""
    driver.go_on(thread)
    frame = driver.top(thread)["id"]
    return float(driver.request("evaluate", expression="took", frameId=frame, context="watch")["result"])
