"""The front end of a session that a pdb has made: pdb itself stops the program, and asks for what it needs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from fixcont.continuing.ways import Propagate, Way
from fixcont.errors import Refusal
from fixcont.stopping.stop import Stop

if TYPE_CHECKING:
    from fixcont.editing.diffs import Summary


class DropInFrontEnd:
    """Lets all exceptions go on, and tells at the end what was repaired."""

    #: Ctrl-C is pdb's.
    takes_interrupts = False

    def stopped(self, stop: Stop) -> Way:
        return Propagate()

    def refused(self, refusal: Refusal) -> None:
        self.report(str(refusal))

    def ended(self, summary: Summary, patch_file: str | None) -> None:
        from fixcont_ui.history_wording import summary_lines

        _tell("\n".join(summary_lines(summary, patch_file)))

    def report(self, message: str) -> None:
        _tell(f"fixcont: {message}")


def _tell(text: str) -> None:
    try:
        print(text, file=sys.__stderr__, flush=True)
    except (OSError, ValueError, AttributeError):
        pass  # there is nobody left to tell
