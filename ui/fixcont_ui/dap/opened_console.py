"""The debug console at a saved stop."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from fixcont_ui.dap.console import DebugConsole
from fixcont_ui.opened_console import OpenedConsole

if TYPE_CHECKING:
    from fixcont.postmortem.reopened import Reopened
    from fixcont.session import Session
    from fixcont.stopping.stop import Stop
    from fixcont_ui.dap.held import HeldThread


class OpenedDebugConsole(OpenedConsole, DebugConsole):
    """See the module.

    Args:
        held: the thread that is held at it.
        look_at: lets that one look at another stop: that on the present code, once that is loaded.
    """

    def __init__(
        self,
        session: Session,
        held: HeldThread,
        say: Callable[[str], None],
        reopened: Reopened,
        look_at: Callable[[Stop, bool], None],
    ) -> None:
        super().__init__(session, held.stop, say, uninterrupted=held.uninterrupted, look_at=look_at)
        self.reopened = reopened
        self._held = held

    def has_same_frames(self, stop: Stop) -> bool:
        """Tell it: they are the same where the present code was loaded for this very exception, and has a frame for each."""
        is_loaded_now = self.is_saved and not self.reopened.opened.is_of(stop)
        return is_loaded_now and _traits(self.stop) == _traits(stop)

    def loading(self) -> AbstractContextManager[None]:
        return self._held.running_code()


def _traits(stop: Stop) -> tuple[int, list[tuple[str, int]]]:
    """Give what a stop and the same one on the present code have in common: how many exceptions came after its own, and its frames."""
    chain = stop.chain.exceptions if stop.chain is not None else ()
    later = next((number for number, each in enumerate(reversed(chain)) if each is stop.exception), 0)
    return later, [(frame.function, frame.line) for frame in stop.frames]
