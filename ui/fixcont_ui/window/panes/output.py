"""What the program prints while the window shows."""

from __future__ import annotations

import codecs
import re
from typing import Final

from fixcont_ui.window.panes.lists import TextPane

_LINES: Final = 2000
_CONTROLS: Final = re.compile(
    r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|[@-Z\\-_]|[ -/]+[0-~])|[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f]"
)


class OutputPane(TextPane):
    """The end of it, without colours and other controls.

    Attributes:
        unseen: how many lines have come since it had the focus.
    """

    def __init__(self, kept: list[str]) -> None:
        super().__init__(lambda: "Output", self._note)
        self._kept = kept
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.unseen = 0
        self.lines = [("", line) for line in kept]

    def take(self, data: bytes) -> None:
        """Take in what was printed."""
        text = _CONTROLS.sub("", self._decoder.decode(data)).replace("\r\n", "\n")
        *whole, rest = text.split("\n")
        for number, line in enumerate([*whole, rest]):
            if number == 0 and self._kept:
                self._kept[-1] = _overwritten(self._kept[-1] + line)
            else:
                self._kept.append(_overwritten(line))
        self.unseen += len(whole) + bool(rest and not whole)
        del self._kept[:-_LINES]
        shown = self._kept if not self._kept or self._kept[-1] else self._kept[:-1]
        self.lines = [("", line.expandtabs()) for line in shown]

    def _note(self) -> str:
        if self.has_focus():
            self.unseen = 0
        return f"{self.unseen} new" if self.unseen else ""


def _overwritten(line: str) -> str:
    """Give what is left of a line after returns to its beginning, as with progress bars."""
    shown = ""
    for part in line.rstrip("\r").split("\r"):
        shown = part + shown[len(part) :]
    return shown
