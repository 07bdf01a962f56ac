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
        self, session: Session, held: HeldThread, say: Callable[[str], None], reopened: Reopened, look_at: Callable[[Stop], None]
    ) -> None:
        super().__init__(session, held.stop, say, uninterrupted=held.uninterrupted, look_at=look_at)
        self.reopened = reopened
        self._held = held

    def loading(self) -> AbstractContextManager[None]:
        return self._held.running_code()
