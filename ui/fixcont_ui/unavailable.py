"""The commands of pdb that cannot do their work at a stop of fixcont, in one table: why, and what to use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fixcont.errors import Refusal


@dataclass(frozen=True)
class NotAvailable:
    """Commands of pdb that cannot do their work at a stop of fixcont.

    Attributes:
        sentence: why, with a place for the command's name.
        instead: what to use.
    """

    names: tuple[str, ...]
    sentence: str
    instead: str

    def refusal(self, name: str) -> Refusal:
        return Refusal("not-available", self.sentence.format(name=name), self.instead)


NOT_AVAILABLE: Final[tuple[NotAvailable, ...]] = (
    NotAvailable(
        ("step", "s", "next", "n", "until", "unt"),
        '"{name}" does nothing here: a stop of fixcont is left as a whole, without stepping',
        'use "retry", "skip", "resume", "restartframe", "forcereturn", "throw" or "continue"',
    ),
    NotAvailable(
        ("return", "r"),
        '"{name}" does nothing here: a stop of fixcont is left as a whole, without stepping',
        'use "forcereturn expression" to let the frame return',
    ),
    NotAvailable(
        ("jump", "j"),
        '"{name}" does nothing here: a line is gone to when the stop is left',
        'use "resume line" to go on there, or "restartframe" to go to the first line',
    ),
    NotAvailable(
        ("break", "b", "tbreak", "clear", "cl", "enable", "disable", "condition", "ignore", "commands"),
        '"{name}" does nothing here: there are no breakpoints',
        "call breakpoint() in the program, with PYTHONBREAKPOINT=fixcont.set_trace",
    ),
    NotAvailable(
        ("run", "restart"),
        '"{name}" does nothing here: the program is not started anew',
        'use "restartframe" to restart a frame, or "quit"',
    ),
    NotAvailable(
        ("debug",),
        '"{name}" does nothing here: code is not stepped through',
        'use "!statement" to run it',
    ),
)
