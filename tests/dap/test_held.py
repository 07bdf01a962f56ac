"""How a thread that is held at a stop is let go."""

from __future__ import annotations

import threading
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

from fixcont.continuing.ways import Propagate, QuitProgram
from fixcont.stopping.stop import StopReason
from fixcont_ui.dap.console import DebugConsole
from fixcont_ui.dap.held import HeldThread
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
