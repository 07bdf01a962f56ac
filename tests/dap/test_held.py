"""How a thread that is held at a stop is let go."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

from fixcont.continuing.ways import QuitProgram
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
