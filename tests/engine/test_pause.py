"""A thread is stopped by another one: at the user's next line, or where it sleeps."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from typing import Any

import pytest

from fixcont.bytecode import interpreter
from fixcont.continuing.ways import Resume, Skip, Step, StepKind, Way
from fixcont.stopping.stop import Stop, StopReason
from support.front_end import LiveProgram, attempt, find_frame, fix, give_back, propagate, restart, run_in_thread, source_line
from support.several import WAIT, Several

Load = Callable[..., tuple[LiveProgram, Several]]
#: What can be watched of other threads: on 3.11 only those that were started after a breakpoint was set.
needs_monitoring = pytest.mark.skipif(not interpreter.HAS_MONITORING, reason="a thread can be watched only by itself")

LOOPS = """
import threading
started, ended, log = threading.Event(), threading.Event(), []
def job(limit):
    rounds = 0
    while not ended.is_set():
        rounds = count(rounds)
    log.append((limit, rounds > 0))
    return rounds
def count(rounds):
    started.set()
    return rounds + 1
def never():
    pass
"""


def start(program: LiveProgram, function: str = "job", *args: Any) -> threading.Thread:
    thread = run_in_thread("worker", lambda: program.names[function](*args))
    assert program.names["started"].wait(WAIT)
    return thread


def end(program: LiveProgram, thread: threading.Thread) -> None:
    program.names["ended"].set()
    thread.join(WAIT)
    assert not thread.is_alive()


def ident_of(thread: threading.Thread) -> int:
    assert thread.ident is not None
    return thread.ident


def end_then(program: LiveProgram, answer: Callable[[Stop], Way]) -> Callable[[Stop], Way]:
    def both(stop: Stop) -> Way:
        program.names["ended"].set()
        return answer(stop)

    return both


@needs_monitoring
@pytest.mark.parametrize(
    "way",
    [propagate, restart("job"), lambda stop: Resume(find_frame(stop, "job")), give_back(5, "job")],
    ids=["on", "restart", "resume", "return"],
)
@pytest.mark.parametrize("mode", ["unhandled", "never"])
def test_a_thread_in_a_loop(several: Load, way: Callable[[Stop], Way], mode: str) -> None:
    program, front_end = several(LOOPS, stop=mode)
    thread = start(program, "job", 3)
    assert program.session.stepping.pause(ident_of(thread)) is None
    [stop] = front_end.wait_for("worker")
    assert stop.reason is StopReason.INTERRUPT
    assert stop.thread_ident == thread.ident
    assert stop.frames[stop.selected].function in ("job", "count")
    front_end.answer("worker", end_then(program, way))
    thread.join(WAIT)
    assert not thread.is_alive()
    assert program.log in ([(3, True)], [(3, False)], [])
    assert program.session.stepping.steps == {}
    assert front_end.messages == []


@needs_monitoring
def test_it_is_stepped_and_edited_from_there_and_paused_again(several: Load) -> None:
    program, front_end = several(LOOPS)
    thread = start(program, "job", 3)
    stop = None
    for _ in range(3):
        program.session.stepping.pause(ident_of(thread))
        [paused] = front_end.wait_for("worker", other_than=stop)
        front_end.answer("worker", lambda stop: Step(stop.frames[0], StepKind.INTO, at_edges=False))
        [stop] = front_end.wait_for("worker", other_than=paused)
        assert [paused.reason, stop.reason] == [StopReason.INTERRUPT, StopReason.STEP]
        front_end.answer("worker", propagate)
    program.session.stepping.pause(ident_of(thread))
    front_end.wait_for("worker", other_than=stop)
    front_end.answer("worker", end_then(program, fix({"log.append((limit,": "log.append((limit + 1,"}, restart("job"))))
    thread.join(WAIT)
    assert program.log == [(4, False)]


@needs_monitoring
def test_a_thread_in_a_library_stops_once_it_is_back(several: Load) -> None:
    program, front_end = several(
        "import threading\nstarted, ended, log = threading.Event(), threading.Event(), []\ndef job():\n    started.set()\n    ended.wait()\n    log.append(1)\n"
    )
    thread = start(program)
    program.session.stepping.pause(ident_of(thread))
    assert (
        front_end.held == {} or source_line(str(program.program.path), front_end.held["worker"].frames[0].line) == "ended.wait()"
    )
    program.names["ended"].set()
    front_end.wait_for("worker")
    front_end.answer("worker", propagate)
    end(program, thread)
    assert program.log == [1]


@needs_monitoring
def test_the_loop_of_one_line_and_generators(several: Load) -> None:
    program, front_end = several(
        "import threading\nstarted, ended = threading.Event(), threading.Event()\n"
        "def numbers():\n    while True:\n        yield started.set()\ndef job():\n    for each in numbers():\n        if ended.is_set(): return\n"
        "def tight():\n    started.set()\n    while not ended.is_set(): pass\n"
    )
    for function in ("job", "tight"):
        thread = start(program, function)
        program.session.stepping.pause(ident_of(thread))
        front_end.wait_for("worker")
        front_end.answer("worker", propagate)
        end(program, thread)
        program.names["ended"].clear()
        program.names["started"].clear()


def test_a_thread_that_is_watched_already_is_paused_on_all_versions(several: Load) -> None:
    program, front_end = several(LOOPS)
    program.session.stepping.add_function(str(program.program.path), "never")
    thread = start(program, "job", 3)
    assert program.session.stepping.pause(ident_of(thread)) is None
    front_end.wait_for("worker")
    front_end.answer("worker", propagate)
    end(program, thread)
    assert program.log == [(3, True)]


def test_a_thread_that_cannot_be_watched_is_refused(several: Load) -> None:
    program, front_end = several(LOOPS)
    thread = start(program, "job", 3)
    refusal = program.session.stepping.pause(ident_of(thread))
    if interpreter.HAS_MONITORING:
        assert refusal is None
        front_end.wait_for("worker")
        front_end.answer("worker", propagate)
    else:
        assert refusal is not None and refusal.code == "thread-not-watched"
        assert program.session.stepping.steps == {}
    program.session.uninstall()
    end(program, thread)
    gone = program.session.stepping.pause(1)
    assert gone is not None and gone.code == "no-thread"


SLEEPS = """
import threading, time
started, log = threading.Event(), []
def main():
    try:
        started.set()
        {sleep}
        return "slept"
    finally:
        log.append("finally")
"""


@pytest.mark.parametrize("sleep", ["time.sleep(3600)", "threading.Event().wait(3600)"])
@pytest.mark.parametrize("mode", ["unhandled", "never"])
def test_the_main_thread_is_woken(several: Load, sleep: str, mode: str) -> None:
    program, front_end = several(SLEEPS.replace("{sleep}", sleep), stop=mode)
    main = threading.main_thread()
    seen: list[tuple[StopReason, str]] = []

    def pause() -> None:
        program.names["started"].wait(WAIT)
        program.session.stepping.pause(ident_of(main))

    def note(stop: Stop) -> Way:
        seen.append((stop.reason, stop.frames[stop.selected].function))
        return give_back("enough", "main")(stop)

    front_end.answer("MainThread", note)
    pausing = run_in_thread("pausing", pause)
    assert program.call("main") == "enough"
    pausing.join(WAIT)
    assert seen == [(StopReason.INTERRUPT, "main")]
    assert program.log == ["finally"]


def test_a_pause_that_comes_while_the_thread_is_held_stops_it_when_it_goes_on(several: Load) -> None:
    program, front_end = several("def main():\n    try:\n        return 1 / 0\n    finally:\n        log.append(2)\nlog = []\n")
    lines: list[str] = []

    def ask_for_it(stop: Stop) -> Way:
        refusals: list[Any] = []
        run_in_thread("other", lambda: refusals.append(program.session.stepping.pause(stop.thread_ident))).join(WAIT)
        assert refusals == [None]
        return note(stop)

    def note(stop: Stop) -> Way:
        lines.append(source_line(str(program.program.path), stop.frames[0].line))
        return propagate(stop)

    front_end.answer("MainThread", ask_for_it)
    front_end.answer("MainThread", note)
    assert isinstance(program.failure("main"), ZeroDivisionError)
    assert lines == ["return 1 / 0", "log.append(2)"]


def test_a_pause_is_no_interrupt_where_the_thread_has_stopped_meanwhile(several: Load) -> None:
    program, _ = several("import threading\nhere = threading.get_ident()\ndef main():\n    return 5\n")
    session, here = program.session, program.names["here"]
    with session.at_work():
        run_in_thread("other", lambda: session.stepping.pause(here)).join(WAIT)
        session.stepping.held()
    assert program.call("main") == 5
    with session.at_work():  # a real one is one; but the first may be taken for one that was sent again, on a busy machine
        errors = [attempt(lambda: signal.raise_signal(signal.SIGINT)).error for _ in range(2)]
    assert isinstance(errors[-1], KeyboardInterrupt)


@needs_monitoring
def test_the_programs_own_handler_is_not_called(several: Load) -> None:
    calls: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: calls.append(number))
    try:
        program, front_end = several(LOOPS)

        def pause() -> None:
            program.names["started"].wait(WAIT)
            program.session.stepping.pause(ident_of(threading.main_thread()))

        front_end.answer("MainThread", end_then(program, propagate))
        pausing = run_in_thread("pausing", pause)
        program.call("job", 3)
        pausing.join(WAIT)
        assert calls == []
        assert program.log == [(3, True)]
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_sleep_is_skipped(several: Load) -> None:
    program, front_end = several(SLEEPS.replace("{sleep}", "time.sleep(3600)"))
    main = ident_of(threading.main_thread())

    def skip(stop: Stop) -> Way:
        frame = stop.frames[stop.selected]
        return Skip(frame) if source_line(frame.filename, frame.line).startswith("time.sleep") else pause_again(stop)

    def pause_again(stop: Stop) -> Way:  # it was caught before it slept
        front_end.answer("MainThread", skip)
        program.session.stepping.pause(main)
        return propagate(stop)

    front_end.answer("MainThread", skip)
    run_in_thread("pausing", lambda: program.names["started"].wait(WAIT) and program.session.stepping.pause(main))
    assert program.call("main") == "slept"
