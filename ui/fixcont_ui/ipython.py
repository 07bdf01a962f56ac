"""The extension of IPython and Jupyter: `%pm` and `%fix` on the last cell that failed.

Exceptions stop nothing by themselves there: only what a replay runs does.
"""

from __future__ import annotations

import linecache
import os
import sys
from typing import TYPE_CHECKING, Any

import fixcont
from fixcont.continuing.ways import Propagate, Way
from fixcont.session import Session, active
from fixcont.stopping.stop import Stop
from fixcont_ui import editor, history_wording, wording
from fixcont_ui.first_stop import PromptAtFirstStop
from fixcont_ui.streams import Streams

if TYPE_CHECKING:
    from types import FrameType, TracebackType

    from fixcont_ui.prompt import Prompt


class CellFrontEnd(PromptAtFirstStop):
    """Shows post-mortem stops, and those of replays. In a kernel it talks through the cell that is being run."""

    def __init__(self, *, is_kernel: bool) -> None:
        super().__init__()
        self._is_kernel = is_kernel

    @property
    def takes_interrupts(self) -> bool:
        return False  # Ctrl-C is IPython's

    def stopped(self, stop: Stop) -> Way:
        is_ours = stop.exception is None or self.session.is_replaying or not stop.frames[stop.selected].is_live
        return super().stopped(stop) if is_ours else Propagate()

    def _get_prompt(self) -> Prompt:
        prompt = super()._get_prompt()
        if self._is_kernel:
            prompt.use_streams(Streams(sys.stdin, sys.stdout, is_terminal=False))
        return prompt


def load(shell: Any) -> None:
    """Define the magics, and make fixcont active, unless it is."""
    if active() is None:
        front_end = CellFrontEnd(is_kernel=getattr(shell, "kernel", None) is not None)
        session = front_end.session = Session(front_end, stop="never")
        session.install(loaded=True)

    def pm(line: str) -> Any:
        """Look at the last exception: its frames can be looked at, edited ("fix") and replayed ("replay"). Gives the replay's value."""
        return fixcont.pm() if _last() is not None else print("there was no exception")

    def fix(line: str) -> None:
        """Edit the function that failed, in $VISUAL or $EDITOR, and install it; of a cell, put its text into the next one."""
        place = _failed_at(_last())
        if place is None:
            print("there was no exception")
        elif os.path.isfile(place.f_code.co_filename):
            _edit(place)
        else:
            shell.set_next_input("".join(linecache.getlines(place.f_code.co_filename)).rstrip("\n"))

    for magic in (pm, fix):
        shell.register_magic_function(magic, "line", magic.__name__)


def _last() -> BaseException | None:
    found = getattr(sys, "last_exc", None) or getattr(sys, "last_value", None)
    return found if isinstance(found, BaseException) else None


def _failed_at(error: BaseException | None) -> FrameType | None:
    """Return the innermost frame of the user's, in a file or in a cell; the innermost of all where there is none."""
    session = active()
    assert session is not None
    traceback: TracebackType | None = error.__traceback__ if error is not None else None
    found = last = None
    while traceback is not None:
        last = traceback.tb_frame
        name = last.f_code.co_filename
        if session.is_user(last) or name.startswith("<ipython-input-"):
            found = last
        traceback = traceback.tb_next
    return found or last


def _edit(frame: FrameType) -> None:
    code = frame.f_code
    session = active()
    assert session is not None
    session.sources.remember_dead([frame])
    line = 1 if code.co_name == "<module>" else editor.line_to_edit(code.co_filename, code.co_qualname, code.co_firstlineno)
    try:
        editor.edit(code.co_filename, line)
    except editor.EditorFailed as error:
        print(f"refused: editor-failed: {error}")
        return
    result = session.sources.install_changes()
    for told in wording.install_lines(result) or [history_wording.unchanged_line(session.sources.held_back())]:
        print(told)
