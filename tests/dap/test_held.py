"""How a thread that is held at a stop is let go."""

from __future__ import annotations

import threading
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest

from fixcont.continuing.ways import Propagate, QuitProgram
from fixcont.stopping.stop import StopReason
from fixcont_ui.dap import workplace
from fixcont_ui.dap.console import DebugConsole
from fixcont_ui.dap.debuggee import Debuggee
from fixcont_ui.dap.held import HeldThread, unattended
from fixcont_ui.dap.later import Body, Later
from fixcont_ui.dap.loop import Loop


def failed(error: BaseException) -> None:
    raise error


def no_console(held: HeldThread) -> DebugConsole:
    raise AssertionError("nothing is typed here")


def test_a_program_that_is_to_end_ends_although_its_client_leaves_at_once() -> None:
    stop: Any = None
    loop = Loop(failed, nullcontext)
    held = HeldThread(stop, loop, no_console)
    asked = held.submit(lambda: None, 10)
    held.let_go(QuitProgram())  # both before the held thread has done anything
    held.let_go()
    assert held.serve() == QuitProgram()
    answers: list[Any] = []
    asked.tell(lambda body, why: answers.append(why and why.refusal.code))
    assert answers == ["interrupted"]
    loop.stop()
    loop.run()  # it closes what it has opened


def test_what_edits_need_is_made_ready_once_when_nobody_asks_for_anything() -> None:
    done: list[object] = []
    told: list[BaseException] = []

    def prepare(given: Any) -> None:
        done.append(given)
        helper = threading.Thread(target=held.let_go)  # somebody answers the stop only now
        helper.start()
        helper.join()
        raise ValueError("a fault")

    stop: Any = SimpleNamespace(prepare_edits=prepare, reason=StopReason.STEP)
    loop = Loop(told.append, nullcontext)
    held = HeldThread(stop, loop, no_console)
    asked = held.submit(lambda: {"before": len(done)}, 10)
    assert held.serve() == Propagate()
    answers: list[Any] = []
    asked.tell(lambda body, why: answers.append(body))
    assert answers == [{"before": 0}]  # what was asked for comes first
    assert done == [stop]
    assert [str(error) for error in told] == ["a fault"]  # told, and the thread is let go all the same
    loop.stop()
    loop.run()


def test_a_pause_that_follows_an_answer_is_meant_for_what_was_asked_next() -> None:
    """The client has the answer before the held thread has turned to the next request."""
    stop: Any = None
    loop = Loop(failed, nullcontext)
    held = HeldThread(stop, loop, no_console)
    answers: list[Any] = []

    def ask_next(body: Any, why: Any) -> None:
        answers.append(body)
        held.submit(lambda: {"ran": True}, 10).tell(lambda body, why: answers.append(why and why.refusal.code))
        assert held.interrupt()
        held.let_go(QuitProgram())

    held.submit(lambda: {"first": True}, 10).tell(ask_next)
    assert held.serve() == QuitProgram()
    assert answers == [{"first": True}, "interrupted"]
    loop.stop()
    loop.run()


def test_a_pause_is_not_lost_on_what_was_given_up_already() -> None:
    stop: Any = None
    loop = Loop(failed, nullcontext)
    held = HeldThread(stop, loop, no_console)
    answers: list[Any] = []

    def tell(later: Later) -> None:
        later.tell(lambda body, why: answers.append(body or (why and why.refusal.code)))

    def give_up() -> None:
        slow.cancel()  # its client does not wait any more, but it runs on for a while
        tell(held.submit(lambda: {"ran": True}, 10))
        assert held.interrupt()
        held.let_go(QuitProgram())

    slow = held.submit(give_up, 10)
    tell(slow)
    assert held.serve() == QuitProgram()
    assert answers == ["cancelled", "interrupted"]
    loop.stop()
    loop.run()


def test_a_pause_is_not_lost_on_what_runs_no_code_of_the_program() -> None:
    """A file that was saved may be installed just then."""
    stop: Any = None
    loop = Loop(failed, nullcontext)
    held = HeldThread(stop, loop, no_console)
    answers: list[Any] = []

    def tell(later: Later) -> None:
        later.tell(lambda body, why: answers.append(body or (why and why.refusal.code)))

    def install() -> Body:
        tell(held.submit(lambda: {"ran": True}, 10))
        assert held.interrupt()
        held.let_go(QuitProgram())
        return {"installed": True}

    tell(held.submit(install, 10))
    assert held.serve() == QuitProgram()
    assert sorted(answers, key=str) == ["interrupted", {"installed": True}]
    loop.stop()
    loop.run()


def test_what_is_asked_as_the_interpreter_shuts_down_fails_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """It lets no thread begin any more then."""

    def refuse(*arguments: object) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    monkeypatch.setattr(workplace, "start_new_thread", refuse)
    answers: list[Any] = []
    debuggee = Debuggee(waits=False)
    debuggee.wherever(dict, 10).tell(lambda body, why: answers.append(why and why.refusal.code))
    assert answers == ["debuggee-gone"]
    session: Any = SimpleNamespace(at_work=nullcontext)
    debuggee.session = session
    debuggee.loop.stop()
    closing = threading.Thread(target=debuggee.loop.run)
    closing.start()
    closing.join()


def test_an_interrupt_without_frames_is_left_where_nobody_answers() -> None:
    stop: Any = SimpleNamespace(reason=StopReason.INTERRUPT, frames=[], selected=0)
    assert unattended(stop, was_paused=False) == Propagate()
