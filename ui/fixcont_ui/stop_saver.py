"""The front end of `fixcont --save-stop`: saves each stop at an exception, and lets it go on. Nobody is asked anything."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

from fixcont.continuing.ways import Propagate
from fixcont.errors import Refused

if TYPE_CHECKING:
    from fixcont.continuing.ways import Way
    from fixcont.errors import Refusal
    from fixcont.postmortem.wanted import Wanted
    from fixcont.session import Session
    from fixcont.stopping.stop import Stop

#: Stops of one process that are saved: a program that fails again and again must not fill the disk.
_MOST: Final = 10


class StopSaver:
    """Saves stops.

    Attributes:
        session: to be set before the first stop.
    """

    takes_interrupts = False
    session: Session

    def __init__(self, path: str, wanted: Wanted) -> None:
        """Make one that saves the first stop to `path`, and the others beside it: `crash.stop`, `crash-2.stop`, …"""
        self._path = os.path.abspath(path)  # the program may go elsewhere
        self._shown = path
        self._wanted = wanted
        self._process = os.getpid()
        self._number = 0

    def stopped(self, stop: Stop) -> Way:
        from fixcont.stopping.stop import StopReason

        if stop.reason is StopReason.EXCEPTION and self._number < _MOST:
            self._save(stop)
        return Propagate()

    def _save(self, stop: Stop) -> None:
        from fixcont.saving import save_stop
        from fixcont_ui.saved_wording import saved_line

        self._number += 1
        try:
            self.report(saved_line(save_stop(stop, self._next_path(), self._wanted, self.session)))
        except Refused as refused:
            self.report(f"the stop is not saved: {refused.refusal}")
        except Exception as error:  # a fault here must not become one of the program's
            self.report(f"the stop is not saved, by a fault of fixcont itself: {type(error).__name__}: {error}")

    def _next_path(self) -> str:
        base, suffix = os.path.splitext(self._path)
        process = os.getpid()
        mark = "" if process == self._process else f"-{process}"  # a fork: another file than its parent's
        number = "" if self._number == 1 else f"-{self._number}"
        return f"{base}{mark}{number}{suffix}"

    def refused(self, refusal: Refusal) -> None:
        """Never: what it answers is not refused."""

    def report(self, message: str) -> None:
        try:
            print(f"fixcont: {message}", file=sys.__stderr__, flush=True)
        except (OSError, ValueError, AttributeError):
            pass  # there is nobody left to tell
