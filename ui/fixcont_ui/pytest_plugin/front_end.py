"""What every front end gets of stops in tests: those of failures only, without the frames of what runs the tests."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Sequence
from contextlib import nullcontext
from threading import current_thread, main_thread
from types import CodeType, FrameType
from typing import Any, Final

import pytest

from fixcont.continuing.unwinding import is_ours, is_shell
from fixcont.continuing.ways import Propagate, QuitProgram, RestartFrame, ReturnFromFrame, Step, Way
from fixcont.errors import Refusal
from fixcont.stopping.frames import Frame
from fixcont.stopping.stop import FrontEnd, Stop
from fixcont_ui.pytest_plugin import generated
from fixcont_ui.pytest_plugin.expected import is_expected, is_outcome
from fixcont_ui.pytest_plugin.repairs import Repairs

#: What has generators of fixtures run on behind their `yield`: module and function.
_FINALIZERS: Final = frozenset({("_pytest.fixtures", "_teardown_yield_fixture"), ("pytest_asyncio.plugin", "async_finalizer")})


class TestFrontEnd:
    """Stands between the engine and the front end that shows stops: the prompt, an IDE, or the controller of several processes.

    Args:
        shows: that front end.
    """

    __test__ = False

    def __init__(self, repairs: Repairs, shows: FrontEnd) -> None:
        self._repairs = repairs
        self.shows = shows
        self._shown: dict[int, tuple[Stop, Stop]] = {}  # ident of a thread -> its stop as the engine gave it, and as it is shown
        self.holds_several = getattr(shows, "holds_several", False)
        self.asks_late = getattr(shows, "asks_late", False)
        self.is_told = False

    @property
    def takes_interrupts(self) -> bool:
        return False  # Ctrl-C ends the run, as pytest's users know it

    def lets_go(self, exception: BaseException, frame: FrameType) -> bool:
        """Tell whether what nobody on the stack handles is no failure of the test."""
        item = self._repairs.item
        return (
            self._repairs.is_ending
            or is_outcome(exception)
            or generated.is_rehearsed(frame)
            or (item is not None and is_expected(item, exception))
        )

    def stopped(self, stop: Stop) -> Way:
        if self._repairs.is_ending:
            return Propagate()
        shown = self._for_tests(stop)
        with self._repairs.uncaptured() if current_thread() is main_thread() else nullcontext():
            way = self.shows.stopped(shown)
        if shown.refusal_of(way) is not None:
            return way
        self._shown.pop(stop.thread_ident, None)
        self._repairs.is_ending = isinstance(way, QuitProgram)
        if stop.exception is not None and generated.is_final(stop.frames[stop.selected].raw):
            # What it repeats must fail as before, else it fails by that.
            self._repairs.goes_again = not isinstance(way, (Propagate, QuitProgram))
        if not isinstance(way, (Propagate, QuitProgram, Step)):
            self._repairs.note(way)
        if self._repairs.is_ending and self._ends_by_failing(stop):
            return Propagate()
        return self._with_fixtures(stop, way)

    def refused(self, refusal: Refusal) -> None:
        self.shows.refused(refusal)

    def report(self, message: str) -> None:
        self.shows.report(message)

    def ended(self, summary: Any, patch_file: str | None) -> None:
        tell = getattr(self.shows, "ended", None)
        if tell is not None and not self.is_told:  # else the run has told it
            tell(summary, patch_file)

    def replayed(self, outcome: Any) -> None:
        tell = getattr(self.shows, "replayed", None)
        if tell is not None:
            tell(outcome)

    def _ends_by_failing(self, stop: Stop) -> bool:
        """Tell whether the run is to end by what it has stopped at: that is a failure, which pytest reports and remembers, and then ends."""
        is_running = self._repairs.item is not None or self._repairs.collector is not None
        return stop.exception is not None and is_running and current_thread() is main_thread()

    def _for_tests(self, stop: Stop) -> Stop:
        """Leave out the frames of what runs the tests."""
        known = self._shown.get(stop.thread_ident)
        if known is None or known[0] is not stop:
            runs = _outermost_of_pytest(stop.frames)
            last = max((at for at, frame in enumerate(stop.frames[:runs]) if frame.is_user), default=len(stop.frames) - 1)
            frames = stop.frames[: max(last, stop.selected) + 1]

            def refusal_of(way: Way) -> Refusal | None:
                return _refusal_behind_yield(way) or stop.refusal_of(self._without_fixtures(frames, way))

            known = self._shown[stop.thread_ident] = stop, dataclasses.replace(stop, frames=frames, refusal_of=refusal_of)
        return known[1]

    def _with_fixtures(self, stop: Stop, way: Way) -> Way:
        """Leave a test function that is to be restarted: it is called again by `Running`, when its fixtures have been set up again."""
        instead = self._without_fixtures(stop.frames, way)
        if instead is not way:
            self._repairs.wants_fixtures = True
            self._repairs.halts = isinstance(way, RestartFrame) and way.halts
        return instead

    def _without_fixtures(self, frames: Sequence[Frame], way: Way) -> Way:
        if self._repairs.keeps_fixtures or not isinstance(way, RestartFrame):
            return way
        test = _test_frame(frames, self._repairs.item)
        return ReturnFromFrame(way.frame, None) if test is not None and test.raw is way.frame.raw else way


def _outermost_of_pytest(frames: Sequence[Frame]) -> int:
    """Return the place of pytest's outermost frame: what is further out, a script perhaps, has started it. In a test's thread there is none."""
    own = [at for at, frame in enumerate(frames) if str(frame.raw.f_globals.get("__name__")).startswith("_pytest.")]
    return own[-1] if own else len(frames)


def _refusal_behind_yield(way: Way) -> Refusal | None:
    """Tell why a fixture cannot be called again once it has given its value: pytest takes a second one for an error."""
    if not isinstance(way, RestartFrame):
        return None
    caller = way.frame.raw.f_back
    while caller is not None and (is_ours(caller) or is_shell(caller)):
        caller = caller.f_back
    if caller is None or (caller.f_globals.get("__name__"), caller.f_code.co_name) not in _FINALIZERS:
        return None
    sentence = (
        f"{way.frame.function} is a fixture that is torn down: called again it would yield a second value, which nobody takes"
    )
    return Refusal("fixture-has-yielded", sentence, "go on in the middle of it, with retry, resume or skip")


def _test_frame(frames: Sequence[Frame], item: pytest.Item | None) -> Frame | None:
    """Return the frame of the test function; None where there is none, or what calls it is more than pytest itself."""
    code = code_of(item)
    if code is None:
        return None
    same = [each for each in frames if (each.filename, each.function) == (code.co_filename, code.co_qualname)]
    return same[-1] if same else None


def code_of(item: pytest.Item | None) -> CodeType | None:
    """Return the code of a test function; None where there is none, or Hypothesis calls it with arguments of its own."""
    function = getattr(item, "obj", None)
    if function is None or hasattr(function, "hypothesis"):
        return None
    code = getattr(inspect.unwrap(getattr(function, "__func__", function)), "__code__", None)
    return code if isinstance(code, CodeType) else None
