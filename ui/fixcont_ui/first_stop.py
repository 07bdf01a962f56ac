"""A front end that costs nothing until the first stop: only then is the prompt, and pdb with it, imported."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fixcont.continuing.ways import Way
    from fixcont.editing.diffs import Summary
    from fixcont.errors import Refusal
    from fixcont.postmortem.replay import Replayed
    from fixcont.session import Session
    from fixcont.stopping.stop import Stop
    from fixcont_ui.prompt import Prompt


class PromptAtFirstStop:
    """Stands for the prompt.

    Attributes:
        session: to be set before the first stop; the session is made with its front end, so it comes second.
    """

    session: Session

    def __init__(self, commands: Sequence[str] = (), *, window: bool = False) -> None:
        """Make a front end whose first stop begins with `commands`, after those of ~/.pdbrc and of .pdbrc in the current folder.

        With `window` stops are shown in the window where there is a terminal.
        """
        self._commands = tuple(commands)
        self._window = window
        try:
            self._folder = os.getcwd()
        except OSError:
            self._folder = os.curdir
        self._prompt: Prompt | None = None

    @property
    def takes_interrupts(self) -> bool:
        """Whether somebody may answer when Ctrl-C stops the program: not where standard input is closed or a null device."""
        try:
            mode = os.fstat(0).st_mode
            return os.isatty(0) or not stat.S_ISCHR(mode)
        except OSError:
            return False

    def stopped(self, stop: Stop) -> Way:
        return self._get_prompt().stopped(stop)

    def replayed(self, outcome: Replayed) -> None:
        self._get_prompt().replayed(outcome)

    def refused(self, refusal: Refusal) -> None:
        self._get_prompt().refused(refusal)

    def ended(self, summary: Summary, patch_file: str | None) -> None:
        from fixcont_ui.history_wording import summary_lines

        try:
            print("\n".join(summary_lines(summary, patch_file)), file=sys.__stderr__, flush=True)
        except (OSError, ValueError, AttributeError):
            pass  # there is nobody left to tell

    def report(self, message: str) -> None:
        # Not the prompt's: what is reported may come at a time when nothing more can be imported.
        try:
            print(f"fixcont: {message}", file=sys.__stderr__, flush=True)
        except (OSError, ValueError, AttributeError):
            pass

    def _get_prompt(self) -> Prompt:
        if self._prompt is None:
            from fixcont_ui.prompt import Prompt

            self._prompt = Prompt(self.session, self._commands, self._folder, window=self._window)
        return self._prompt
