"""The prompt, or the window, for stops in tests: with pytest's capturing suspended, and for failures only."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import CodeType
from typing import Any

import pytest

from fixcont.continuing.ways import Propagate, QuitProgram, RestartFrame, ReturnFromFrame, Step, Way
from fixcont.errors import Refusal
from fixcont.stopping.frames import Frame
from fixcont.stopping.stop import Stop
from fixcont_ui.first_stop import PromptAtFirstStop
from fixcont_ui.pytest_plugin.expected import is_expected
from fixcont_ui.pytest_plugin.repairs import Repairs


class TestFrontEnd(PromptAtFirstStop):
    """Stands between the engine and the prompt."""

    __test__ = False

    def __init__(self, repairs: Repairs) -> None:
        super().__init__(window=bool(repairs.config.known_args_namespace.fixcont_window))
        self._repairs = repairs
        self._shown: tuple[Stop, Stop] | None = None  # as the engine gave it, and as it is shown
        self.is_told = False

    @property
    def takes_interrupts(self) -> bool:
        return False  # Ctrl-C ends the run, as pytest's users know it

    def stopped(self, stop: Stop) -> Way:
        item = self._repairs.item
        if self._repairs.is_ending:
            return Propagate()
        if item is not None and stop.exception is not None and is_expected(item, stop.exception):
            return Propagate()
        with self._at_terminal(is_new=self._shown is None or self._shown[0] is not stop):
            shown = self._for_tests(stop)
            way = super().stopped(shown)
        if shown.refusal_of(way) is not None:
            return way
        self._shown = None
        self._repairs.is_ending = isinstance(way, QuitProgram)
        if not isinstance(way, (Propagate, QuitProgram, Step)):
            self._repairs.note()
        return self._with_fixtures(stop, way)

    def refused(self, refusal: Refusal) -> None:
        with self._at_terminal(is_new=False):
            super().refused(refusal)

    def ended(self, summary: Any, patch_file: str | None) -> None:
        if not self.is_told:  # else the run has told it
            super().ended(summary, patch_file)

    @contextmanager
    def _at_terminal(self, *, is_new: bool) -> Iterator[None]:
        """Give the streams back to the user, as `--pdb` does."""
        manager = self._repairs.config.pluginmanager
        capturing, reporter = manager.getplugin("capturemanager"), manager.getplugin("terminalreporter")
        if capturing is not None:
            capturing.suspend(in_=True)
        try:
            if is_new and reporter is not None:
                reporter.ensure_newline()
                reporter.write_sep(">", f"fixcont: {self._where()}")
                reporter.flush()
            yield
        finally:
            if capturing is not None:
                capturing.resume()

    def _where(self) -> str:
        node = self._repairs.item or self._repairs.collector
        return str(node.nodeid) if node is not None else "outside of the tests"

    def _for_tests(self, stop: Stop) -> Stop:
        """Leave out the frames of what runs the tests."""
        if self._shown is None or self._shown[0] is not stop:
            last = max((at for at, frame in enumerate(stop.frames) if frame.is_user), default=len(stop.frames) - 1)
            frames = stop.frames[: max(last, stop.selected) + 1]

            def refusal_of(way: Way) -> Refusal | None:
                return stop.refusal_of(self._without_fixtures(frames, way))

            self._shown = stop, dataclasses.replace(stop, frames=frames, refusal_of=refusal_of)
        return self._shown[1]

    def _with_fixtures(self, stop: Stop, way: Way) -> Way:
        """Leave a test function that is to be restarted: it is called again by `Running`, when its fixtures have been set up again."""
        instead = self._without_fixtures(stop.frames, way)
        if instead is not way:
            self._repairs.wants_fixtures = True
        return instead

    def _without_fixtures(self, frames: Sequence[Frame], way: Way) -> Way:
        if self._repairs.keeps_fixtures or not isinstance(way, RestartFrame) or way.halts:
            return way
        test = _test_frame(frames, self._repairs.item)
        return ReturnFromFrame(way.frame, None) if test is not None and test.raw is way.frame.raw else way


def _test_frame(frames: Sequence[Frame], item: pytest.Item | None) -> Frame | None:
    """Return the frame of the test function; None where there is none, or what calls it is more than pytest itself."""
    function = getattr(item, "obj", None)
    if function is None or hasattr(function, "hypothesis"):  # that one calls it with arguments of its own
        return None
    code = getattr(inspect.unwrap(getattr(function, "__func__", function)), "__code__", None)
    if not isinstance(code, CodeType):
        return None
    same = [each for each in frames if (each.filename, each.function) == (code.co_filename, code.co_qualname)]
    return same[-1] if same else None
