"""What the window keeps from one stop to the next. None of it belongs to the program: plain texts only."""

from __future__ import annotations

import weakref
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fixcont_ui.source_file import SourceFile
from fixcont_ui.window.model.desk import Unfolded

if TYPE_CHECKING:
    from fixcont.stopping.stop import Stop
    from fixcont_ui.window.terminal import KeptOutput


@dataclass
class Draft:
    """A text that was edited and not saved.

    Attributes:
        before: what the file said when that began.
    """

    before: SourceFile
    text: str


@dataclass
class Memory:
    """See the module.

    Attributes:
        unfolded: what is unfolded.
        drafts: name of a file -> what was edited in it and not saved.
        typed: the lines that were typed in the console, oldest first.
        said: what the console has shown.
        printed: what the program has printed while there was a window.
        kept: what keeps that; made for the first window.
        shown: the stop that was shown last.
        is_typing: whether a command was being typed in the console as the window went away: the next one begins there.
    """

    unfolded: Unfolded = field(default_factory=Unfolded)
    drafts: dict[str, Draft] = field(default_factory=dict)
    typed: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    printed: list[str] = field(default_factory=list)
    kept: KeptOutput | None = None
    shown: weakref.ref[Stop] | None = None
    is_typing: bool = False
