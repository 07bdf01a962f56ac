"""The prompt, or the window, for stops in tests: with pytest's capturing suspended."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fixcont.continuing.ways import Way
from fixcont.errors import Refusal
from fixcont.stopping.stop import Stop
from fixcont_ui.first_stop import PromptAtFirstStop
from fixcont_ui.pytest_plugin.repairs import Repairs


def begin_line(reporter: Any) -> None:
    """Begin a line where pytest has written marks of its progress on the one before, with the name of a file or without."""
    reporter.ensure_newline()
    if getattr(getattr(reporter, "_tw", None), "width_of_current_line", 0):
        reporter.write_line("")


class TestTerminal(PromptAtFirstStop):
    """Shows stops where pytest shows its progress."""

    __test__ = False

    def __init__(self, repairs: Repairs) -> None:
        super().__init__(window=bool(repairs.config.known_args_namespace.fixcont_window))
        self._repairs = repairs
        self._last: Stop | None = None

    def stopped(self, stop: Stop) -> Way:
        is_new, self._last = self._last is not stop, stop
        with self._at_terminal(is_new=is_new):
            return super().stopped(stop)

    def refused(self, refusal: Refusal) -> None:
        with self._at_terminal(is_new=False):
            super().refused(refusal)

    @contextmanager
    def _at_terminal(self, *, is_new: bool) -> Iterator[None]:
        """Give the streams back to the user, as `--pdb` does."""
        reporter = self._repairs.config.pluginmanager.getplugin("terminalreporter")
        with self._repairs.uncaptured():
            if is_new and reporter is not None:
                begin_line(reporter)
                reporter.write_sep(">", f"fixcont: {self._repairs.where()}")
                reporter.flush()
            yield
