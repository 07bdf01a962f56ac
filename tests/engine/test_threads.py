"""A stop holds its own thread; the others run on; two stops at once are served one after the other."""

from __future__ import annotations

import threading
from collections.abc import Callable

from fixcont.continuing.ways import Way
from fixcont.stopping.stop import Stop
from support.front_end import LiveProgram, attempt, fix, propagate, restart, run_in_thread

Live = Callable[..., LiveProgram]
WAIT = 20  # seconds until a test fails that waits in vain


def test_other_threads_run_on_during_a_stop(live: Live) -> None:
    def wait_for_the_other(stop: Stop) -> Way:
        thread = run_in_thread("other", program.names["work"])
        thread.join(WAIT)
        assert not thread.is_alive()
        return propagate(stop)

    program = live(
        "log = []\ndef work():\n    for each in range(100):\n        try: 1 / 0\n        except ZeroDivisionError: log.append(each)\n"
        "def main():\n    raise ValueError\n",
        wait_for_the_other,
    )
    program.failure("main")
    assert len(program.log) == 100


def test_a_thread_is_held_and_restarted(live: Live) -> None:
    program = live(
        "log = []\ndef main():\n    log.append(fail())\ndef fail():\n    return 1 / 0\n",
        fix({"return 1 / 0": "return 5"}, restart("fail")),
    )
    thread = run_in_thread("worker", program.names["main"])
    thread.join(WAIT)
    assert program.log == [5]
    assert program.saw[0].thread == "worker"


def test_two_threads_that_fail_at_once_are_served_one_after_the_other(live: Live) -> None:
    serving = []

    def serve(stop: Stop) -> Way:
        serving.append(1)
        assert len(serving) == 1
        both.wait(0.2)  # time enough for the other to come in, if it could
        serving.pop()
        return restart("fail")(stop) if program.names["tries"][stop.thread_name] < 2 else propagate(stop)

    both = threading.Event()
    program = live(
        """
import threading
barrier = threading.Barrier(2)
tries = {}
def main():
    barrier.wait()
    return fail()
def fail():
    name = threading.current_thread().name
    tries[name] = tries.get(name, 0) + 1
    if tries[name] < 2: raise ValueError(name)
    return name
""",
        endless=serve,
    )
    threads = [run_in_thread(name, program.names["main"]) for name in ("one", "two")]
    for thread in threads:
        thread.join(WAIT)
        assert not thread.is_alive()
    assert sorted(program.stops) == ["ValueError: one", "ValueError: two"]
    assert program.names["tries"] == {"one": 2, "two": 2}


def test_an_exception_during_a_stop_in_the_same_thread_does_not_stop(live: Live) -> None:
    def evaluate(stop: Stop) -> Way:
        assert attempt(program.names["fail"]).error is not None
        return propagate(stop)

    program = live("def fail():\n    raise LookupError\ndef main():\n    raise ValueError\n", evaluate)
    program.failure("main")
    assert program.stops == ["ValueError: "]
