"""Ctrl-C in a running program is a stop."""

from __future__ import annotations

import builtins
import signal
from collections.abc import Callable
from typing import Any

import pytest

from fixcont.continuing.ways import Resume
from support.front_end import LiveProgram, give_back, propagate, quit_program, restart, throw, trace

Live = Callable[..., LiveProgram]

LOOP = """
import signal
log = []
def spin(rounds):
    for each in range(rounds):
        if each == 3 and log.count(3) < {interrupts}:
            log.append(each)
            signal.raise_signal(signal.SIGINT)
    return "spun"
def main():
    try:
        return spin(5)
    finally:
        log.append("finally")
"""


def loop(interrupts: int = 1) -> str:
    return LOOP.replace("{interrupts}", str(interrupts))


def test_the_program_runs_on_when_it_is_told_to(live: Live) -> None:
    program = live(loop(), propagate)
    assert program.call("main") == "spun"
    assert program.saw[0].reason == "interrupt"
    assert program.saw[0].error == ""
    assert program.saw[0].where == "spin"


@pytest.mark.parametrize("function", ["spin", "main"])
def test_a_loop_is_restarted(live: Live, function: str) -> None:
    program = live(loop(2), restart(function), propagate)
    assert program.call("main") == "spun"
    assert len(program.saw) == 2
    assert program.log.count("finally") == (2 if function == "main" else 1)


def test_a_signal_that_comes_while_the_stop_is_prepared_is_dropped(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    program = live(loop(), propagate)
    make, signals = program.session.server, [signal.SIGINT]

    def server() -> object:
        while signals:
            signal.raise_signal(signals.pop())
        return make()

    monkeypatch.setattr(program.session, "server", server)
    assert program.call("main") == "spun"
    assert [each.reason for each in program.saw] == ["interrupt"]


def test_a_signal_that_comes_while_a_breakpoint_loads_what_it_needs_is_dropped(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = live(loop(0), propagate)
    load, signals = builtins.__import__, [signal.SIGINT]

    def loading(name: str, *args: Any, **more: Any) -> Any:
        while signals and name == "fixcont.stopping.serving":
            signal.raise_signal(signals.pop())
        return load(name, *args, **more)

    program.session.stepping.add_function(str(program.program.path), "spin")
    monkeypatch.setattr(builtins, "__import__", loading)
    assert program.call("main") == "spun"
    assert signals == []
    assert {each.reason for each in program.saw} == {"breakpoint"}


def test_a_frame_returns(live: Live) -> None:
    program = live(loop(), give_back("enough", "spin"))
    assert program.call("main") == "enough"


def test_an_exception_is_thrown(live: Live) -> None:
    program = live(loop(), throw(LookupError("mine"), "spin"), propagate)
    error = program.failure("main")
    assert repr(error) == "LookupError('mine')"
    assert trace(error)[0] == "main: return spin(5)"
    assert not any("elsewhere" in entry for entry in trace(error))


def test_quitting_raises_a_system_exit_through_the_program(live: Live) -> None:
    program = live(loop(), quit_program)
    assert isinstance(program.failure("main"), SystemExit)
    assert program.log[-1] == "finally"


def test_pythons_own_handler_is_back_afterwards(live: Live) -> None:
    before = signal.getsignal(signal.SIGINT)
    program = live(loop())
    assert signal.getsignal(signal.SIGINT) != before
    program.session.uninstall()
    assert signal.getsignal(signal.SIGINT) == before
    assert isinstance(program.failure("main"), KeyboardInterrupt)


def test_the_programs_own_handler_stays(live: Live) -> None:
    def own(number: int, frame: object) -> None: ...

    before = signal.signal(signal.SIGINT, own)
    try:
        program = live(loop())
        assert signal.getsignal(signal.SIGINT) is own
        program.session.uninstall()
        assert signal.getsignal(signal.SIGINT) is own
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_loop_that_swallows_everything_is_refused(live: Live) -> None:
    program = live(
        """
import signal
def spin():
    try:
        signal.raise_signal(signal.SIGINT)
    except:
        return "swallowed"
    return "spun"
""",
        restart("spin"),
        give_back(1, "spin"),
        propagate,
    )
    assert program.call("spin") == "spun"
    assert program.refused == ["would-be-caught"] * 2


AT_THE_JUMP = """
import _thread
log = []
class Interrupting:
    __neg__ = _thread.interrupt_main  # a C function: no signal is looked for as it returns, so this is done at the jump back
def spin(rounds):
    for each in range(rounds):
        log.append(each)
        if each == 2 and pending: -pending.pop()
    return each
def spin_conditionally(rounds):
    for each in range(rounds):
        log.append(each)
        if each == 2 and pending and -pending.pop(): break
    return each
pending = [Interrupting()]
"""


@pytest.mark.parametrize("function", ["spin", "spin_conditionally"])
def test_a_for_loop_goes_on_where_it_was(live: Live, function: str) -> None:
    program = live(AT_THE_JUMP, lambda stop: Resume(stop.frames[stop.selected]))
    assert program.call(function, 5) == 4
    assert [each.reason for each in program.saw] == ["interrupt"]
    assert program.log == [0, 1, 2, 3, 4]


ON_ONE_LINE = """
import signal
log = []
thrown = type("Thrown", (), {"__neg__": __import__("_thread").interrupt_main})()
def drain(items):
    for each in items: -thrown if pending and pending.pop() else log.append(each)
    return len(log)
pending = [1]
"""


def test_a_loop_on_one_line_stops_within_it(live: Live) -> None:
    """Not only behind it: it may never end."""
    program = live(ON_ONE_LINE, propagate)
    assert program.call("drain", [1, 2, 3, 4]) == 3
    assert [(each.reason, each.line.startswith("for each in items")) for each in program.saw] == [("interrupt", True)]
