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
        ("run", "restart"),
        '"{name}" does nothing here: the program is not started anew',
        'use "restartframe" to restart a frame, or "quit"',
    ),
    NotAvailable(
        ("debug",),
        '"{name}" does nothing here: what is evaluated at a stop is not stepped through',
        "set a breakpoint in the program",
    ),
)
