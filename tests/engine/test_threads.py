"""A stop holds its own thread; the others run on; stops are served one after the other, or at once where the front end takes several."""

from __future__ import annotations

import _thread
import sys
import threading
from collections.abc import Callable

from fixcont.continuing.ways import Resume, Way
from fixcont.stopping.stop import Stop
from support.front_end import LiveProgram, attempt, find_frame, fix, give_back, propagate, restart, run_in_thread
from support.several import WAIT, Several

Live = Callable[..., LiveProgram]
Load = Callable[..., tuple[LiveProgram, Several]]


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


FAILING = """
log = []
def main(name):
    log.append(fail(name))
def fail(name):
    for each in range(3):
        if each == 1:
            1 / 0
    return name, each
"""
MENDED = {"1 / 0": "1 / 1"}


def test_several_threads_are_held_at_once_and_each_goes_on_by_itself(several: Load) -> None:
    program, front_end = several(FAILING)
    threads = {name: run_in_thread(name, lambda name=name: program.names["main"](name)) for name in ("one", "two", "three")}  # type: ignore[misc]
    stops = front_end.wait_for("one", "two", "three")
    assert [stop.thread_ident for stop in stops] == [thread.ident for thread in threads.values()]
    front_end.answer("two", fix(MENDED, lambda stop: Resume(find_frame(stop, "fail"))))
    threads["two"].join(WAIT)
    assert (program.log, front_end.refusals) == ([("two", 2)], [])
    assert front_end.wait_for("one", "three") == [stops[0], stops[2]]
    assert stops[0].refusal_of(restart("fail")(stops[0])) is None
    front_end.answer("three", restart("fail"))
    threads["three"].join(WAIT)
    front_end.answer("one", lambda stop: Resume(find_frame(stop, "fail")))
    threads["one"].join(WAIT)
    assert program.log == [("two", 2), ("three", 2), ("one", 2)]
    assert front_end.messages == []


def test_the_recursion_limit_is_as_it_was_when_all_of_several_deep_threads_went_on(
    several: Load,
) -> None:
    program, front_end = several("def main(n=0):\n    return main(n + 1)\n")
    limit = sys.getrecursionlimit()
    threads = {name: run_in_thread(name, program.names["main"]) for name in ("one", "two")}
    front_end.wait_for("one", "two")
    assert sys.getrecursionlimit() > limit
    for name, thread in threads.items():  # the one that was held first goes on first
        front_end.answer(name, propagate)
        thread.join(WAIT)
        assert not thread.is_alive()
    front_end.answer("three", propagate)  # the second one has gone on at a depth from which the limit cannot be set back
    run_in_thread("three", lambda: program.names["main"](None)).join(WAIT)
    assert sys.getrecursionlimit() == limit


def test_threads_that_install_at_once_leave_breakpoints_where_their_statements_are(
    several: Load,
) -> None:
    program, front_end = several(FAILING)
    path = program.program.path
    number = program.session.stepping.add(str(path), 9).number
    names = [str(each) for each in range(4)]
    threads = [run_in_thread(name, lambda name=name: program.names["main"](name)) for name in names]  # type: ignore[misc]
    front_end.wait_for(*names)
    lock, saved = threading.Lock(), path.with_name("saved")

    def add_line(stop: Stop) -> Way:
        for _ in range(5):
            with lock:
                saved.write_text("\n" + path.read_text())
                saved.replace(path)
            program.session.sources.install_changes()
        return propagate(stop)

    for name in names:
        front_end.answer(name, add_line)
    for thread in threads:
        thread.join(WAIT)
        assert not thread.is_alive()
    found = program.session.stepping.breakpoints.get(number)
    assert found is not None
    assert (found.line, found.is_enabled) == (9 + 20, True)
    assert program.session.sources.newest_text(str(path)).source == path.read_bytes()  # type: ignore[union-attr]
    assert front_end.messages == []


def test_a_thread_that_threading_does_not_know_stays_unknown_to_it(several: Load) -> None:
    program, front_end = several("def main():\n    try: 1 / 0\n    finally: done.release()\n")
    done = program.names["done"] = _thread.allocate_lock()
    done.acquire()
    sys.unraisablehook, before = lambda _: None, sys.unraisablehook
    try:
        ident = _thread.start_new_thread(program.names["main"], ())
        stop = front_end.wait_for(f"Thread-{ident}")[0]
        assert stop.thread_ident == ident
        assert ident not in [thread.ident for thread in threading.enumerate()]
        front_end.answer(stop.thread_name, give_back(None, "main"))
        assert done.acquire(timeout=WAIT)
    finally:
        sys.unraisablehook = before


RUNNING = """
import _thread, threading
started, ended = threading.Semaphore(0), threading.Event()
def work():
    inner()
def inner():
    started.release()
    ended.wait()
def start_unknown():
    return _thread.start_new_thread(work, ())
"""


def test_threads_that_run_are_told_with_what_they_run(live: Live) -> None:
    program = live(RUNNING)
    session, names = program.session, program.names
    before = {each.ident for each in session.threads()}
    known = run_in_thread("known", names["work"])
    unknown = names["start_unknown"]()
    for _ in range(2):
        assert names["started"].acquire(timeout=WAIT)
    told = {each.ident: each for each in session.threads() if each.ident not in before}
    assert told[known.ident or 0].name == "known"
    assert told[unknown].name == f"Thread-{unknown}"
    assert unknown not in [each.ident for each in threading.enumerate()]
    assert session.threads()[0] == (threading.main_thread().ident, "MainThread", True)
    frames = session.running_frames(known.ident or 0)
    assert [(each.code.co_name, each.line) for each in frames if each.is_user][-1:] == [("work", 5)]
    assert frames[-1].code.co_name == "_bootstrap"
    names["ended"].set()
    known.join(WAIT)
    assert known.ident not in [each.ident for each in session.threads()]
    assert session.running_frames(1) == []


def test_what_a_held_thread_runs_does_not_show_fixcont(several: Load) -> None:
    program, front_end = several(FAILING)
    thread = run_in_thread("one", lambda: program.names["main"]("one"))
    [stop] = front_end.wait_for("one")
    frames = program.session.running_frames(stop.thread_ident)
    assert [each.code.co_name for each in frames if each.is_user] == ["fail", "main"]
    assert not any("fixcont" in each.code.co_filename.rpartition("tests")[2] for each in frames)
    front_end.answer("one", propagate)
    thread.join(WAIT)


def test_threads_of_fixcont_are_not_the_programs(live: Live) -> None:
    session = live("").session
    started, ended = threading.Semaphore(0), threading.Event()
    ours: dict[str, object] = {"__name__": "fixcont_ui.server", "started": started, "ended": ended}
    exec("def serve():\n    started.release()\n    ended.wait()", ours)
    before = set(session.threads())
    serve: Callable[[], None] = ours["serve"]  # type: ignore[assignment]
    _thread.start_new_thread(serve, ())
    known = threading.Thread(target=serve)
    known.start()
    for _ in range(2):
        assert started.acquire(timeout=WAIT)
    assert set(session.threads()) == before
    ended.set()
    known.join(WAIT)


def test_threads_are_told_while_they_come_and_go(live: Live) -> None:
    session = live("").session
    ended = threading.Event()

    def bustle() -> None:
        while not ended.is_set():
            _thread.start_new_thread(int, ())
            threading.Thread(target=int).start()

    busy = run_in_thread("bustle", bustle)
    for _ in range(300):
        found = session.threads()
        assert found[0].is_main
        for each in found:
            session.running_frames(each.ident)
    ended.set()
    busy.join(WAIT)
