"""The front end of a session that a pdb has made: pdb itself stops the program, and asks for what it needs."""

from __future__ import annotations

import sys

from fixcont.continuing.ways import Propagate, Way
from fixcont.session import Session, active
from fixcont.stopping.stop import Stop
from fixcont_ui import wording
from fixcont_ui.first_stop import PromptAtFirstStop


class DropInFrontEnd(PromptAtFirstStop):
    """Lets all exceptions go on but those of a replay, and tells at the end what was repaired. `fixcont.set_trace()` opens the prompt."""

    @property
    def takes_interrupts(self) -> bool:
        return False  # Ctrl-C is pdb's

    def stopped(self, stop: Stop) -> Way:
        return Propagate() if stop.exception is not None and not self.session.is_replaying else super().stopped(stop)


def session_of_ours() -> Session:
    """Return the session of this process. One that a pdb makes stops nowhere by itself: where to stop is pdb's business."""
    session = active()
    if session is None:
        front_end = DropInFrontEnd()
        session = front_end.session = Session(front_end, stop="never")
        session.install(loaded=True)
    return session


def look_after_test_modules() -> None:
    """Have edits of what pytest has loaded, where it runs in this process, compiled as pytest has compiled it."""
    if "_pytest.assertion.rewrite" not in sys.modules:
        return
    from fixcont_ui.pytest_plugin.modules import compile_rewritten_modules_alike

    try:
        compile_rewritten_modules_alike()
    except Exception as error:
        report_fault(error)


def report_fault(error: Exception) -> None:
    """Tell of a fault of fixcont's own: it must not become one of the program's."""
    session_of_ours().front_end.report(wording.fault_line(error))
