"""A post-mortem stop for exceptions that nobody has handled: in the place of `sys.excepthook`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import TracebackType
from typing import Any

Hook = Callable[[type[BaseException], BaseException, "TracebackType | None"], Any]


class ExceptHook:
    """Shows such an exception where somebody sits at a terminal, and then does what was done before.

    Args:
        show: shows it.
        was_shown: tells whether the user has let it go on at a live stop.
    """

    def __init__(self, show: Callable[[BaseException], object], was_shown: Callable[[BaseException], bool]) -> None:
        self._show = show
        self._was_shown = was_shown
        self._before: Hook = sys.excepthook
        self._put: Hook = self._called

    def install(self) -> None:
        """Put it there."""
        self._before = sys.excepthook
        sys.excepthook = self._put

    def uninstall(self) -> None:
        """Put back what was there, unless the program has put something else there since."""
        if sys.excepthook is self._put:
            sys.excepthook = self._before

    def _called(self, kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> Any:
        try:
            if isinstance(error, Exception) and traceback is not None and _is_at_terminal() and not self._was_shown(error):
                self._show(error)
        finally:
            self._before(kind, error, traceback)


def _is_at_terminal() -> bool:
    try:
        return sys.stdin.isatty() and (sys.stdout.isatty() or sys.stderr.isatty())
    except (AttributeError, OSError, ValueError):
        return False
