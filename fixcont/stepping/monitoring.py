"""Watch by `sys.monitoring`: only the lines of code that has a breakpoint, or is stepped through, cost anything.

While there are breakpoints every code object is looked at once, as it begins to run for the first time (`PY_START`, which is then
disabled at that place). That finds code wherever it came from: imported later, installed by an edit, made for a frame that goes on in the
middle, or of a library. Lines without a breakpoint disable themselves. Both is taken back by `restart_events` when breakpoints
change, and when a step needs what was disabled; that makes other tools see again what they had disabled, and nothing else. It is not done
for each step, as the interpreter then goes through all code again that runs from there on.
"""

from __future__ import annotations

import sys
import threading
import weakref
from _thread import get_ident
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import CodeType, FrameType
from typing import Any

from fixcont.bytecode.lines import goes_on
from fixcont.errors import Refusal
from fixcont.stepping.breakpoints import Spot
from fixcont.stepping.mechanism import Watched
from fixcont.stepping.steps import Following

_NAME = "fixcont"
_BEGINS = 0  # stands for the beginnings of functions where code objects stand by their ids
#: Ids to try: that of debuggers, then those that no kind of tool is meant to have, then the others.
_IDS = (0, 3, 4, 1, 2, 5)


class Monitoring:
    """Watches by `sys.monitoring`. It holds a tool id while there is something to watch for, and only then."""

    def __init__(self, watched: Watched) -> None:
        self._watched = watched
        self._api: Any = getattr(sys, "monitoring")  # noqa: B009 - 3.11 does not have it
        self._tool = -1
        self._lines: dict[int, dict[int, Spot]] = {}  # id of a code object -> line -> breakpoints there
        self._insides: dict[int, frozenset[int]] = {}  # id of a code object that is watched -> where its lines only go on
        self._known: dict[int, weakref.KeyedRef[int, CodeType]] = {}  # id of a code object that is watched -> it
        self._disabled: dict[int, bool] = {}  # id of a code object with lines that are disabled, or `_BEGINS` -> True
        self._version = -1  # of the breakpoints, at the last update
        self._had_steps = False  # then
        self._lock = threading.RLock()

    @property
    def reason(self) -> str:
        held = f", as tool {self._tool}" if self._tool >= 0 else ""
        return f"sys.monitoring{held}: this Python has it, and it costs nothing where nothing is watched"

    def refusal(self) -> Refusal | None:
        if self._tool >= 0 or any(self._api.get_tool(number) is None for number in _IDS):
            return None
        return Refusal("no-tool-id", "other tools have taken all ids of sys.monitoring", "end one of them")

    # -- what is watched

    def update(self) -> None:
        with self._lock:
            steps = self._watched.steps
            if not self._watched.has_points and not steps:
                self._release()
                return
            if not self._acquire():
                return
            is_changed = self._version != self._watched.version
            if not (is_changed or steps or self._had_steps):
                return
            events = self._api.events
            wanted = events.PY_START | events.PY_RESUME | events.PY_THROW
            self._api.set_events(self._tool, wanted | events.PY_UNWIND if steps else wanted)
            if is_changed:
                self._lines.clear()
            followed = [code for step in list(steps.values()) for code in step.codes()]
            for code in [*self._codes(), *(_running_codes() if is_changed else followed)]:
                self._watch(code, is_new=is_changed)
            if is_changed or self._lacks(followed):
                self._restart()
            self._version, self._had_steps = self._watched.version, bool(steps)

    def pause_refusal(self, ident: int) -> Refusal | None:
        return self.refusal()

    def follow(self, frame: FrameType, ident: int = 0) -> None:
        with self._lock:
            if self._tool >= 0:
                self._watch(frame.f_code, is_new=False)
                if id(frame.f_code) in self._disabled:
                    self._restart()

    def _lacks(self, followed: Sequence[CodeType]) -> bool:
        """Tell whether the steps need anything that was disabled."""
        if _BEGINS in self._disabled and _needs_begins(self._watched.steps):
            return True
        return any(id(code) in self._disabled for code in followed)

    def _restart(self) -> None:
        """See again what was disabled."""
        self._disabled.clear()
        self._api.restart_events()

    def close(self) -> None:
        with self._lock:
            self._release()

    def _codes(self) -> list[CodeType]:
        return [code for each in list(self._known.values()) if (code := each()) is not None]

    def _watch(self, code: CodeType, *, is_new: bool) -> None:
        """Watch of a code object what is wanted now. Its breakpoints are looked up where they may be others than before."""
        spots = self._watched.spots_in(code) if is_new or not self._is_known(code) else self._lines.get(id(code))
        events = self._api.events
        wanted = events.LINE if spots else 0
        for step in list(self._watched.steps.values()):
            if step.watches(code):
                wanted |= events.LINE | events.PY_RETURN | events.PY_YIELD | (events.JUMP if step.interrupts else 0)
            elif step.watches_return(code):
                wanted |= events.PY_RETURN
        if spots:
            self._lines[id(code)] = spots
        else:
            self._lines.pop(id(code), None)
        if wanted and not self._is_known(code):
            self._known[id(code)] = weakref.KeyedRef(code, self._forget, id(code))
            self._insides[id(code)] = goes_on(code)
        if wanted or self._is_known(code):
            self._api.set_local_events(self._tool, code, wanted)
        if not wanted:
            self._known.pop(id(code), None)
            self._insides.pop(id(code), None)

    def _is_known(self, code: CodeType) -> bool:
        known = self._known.get(id(code))
        return known is not None and known() is code

    def _forget(self, reference: weakref.KeyedRef[int, CodeType]) -> None:
        if self._known.get(reference.key) is reference:
            del self._known[reference.key]
            self._lines.pop(reference.key, None)
            self._insides.pop(reference.key, None)

    # -- the tool

    def _acquire(self) -> bool:
        """Take a tool id. Returns whether there is one."""
        if self._tool >= 0:
            return True
        api = self._api
        for number in _IDS:
            if api.get_tool(number) is None:
                try:
                    api.use_tool_id(number, _NAME)
                except ValueError:  # taken meanwhile
                    continue
                self._tool = number
                for event, callback in self._callbacks():
                    api.register_callback(number, event, callback)
                return True
        return False

    def _release(self) -> None:
        """Give the tool id back; nothing stays instrumented."""
        if self._tool < 0:
            return
        api = self._api
        api.set_events(self._tool, 0)
        for code in self._codes():
            api.set_local_events(self._tool, code, 0)
        self._known.clear()
        self._lines.clear()
        self._insides.clear()
        for event, _ in self._callbacks():
            api.register_callback(self._tool, event, None)
        api.free_tool_id(self._tool)
        self._tool = self._version = -1

    def _callbacks(self) -> Iterator[tuple[int, Callable[..., Any]]]:
        events = self._api.events
        yield events.LINE, self._make_line()
        yield events.PY_START, self._make_begins(self._watched.at_call, self._api.DISABLE)
        yield events.PY_RESUME, self._make_begins(self._watched.at_resumption, self._api.DISABLE)
        yield events.PY_THROW, self._make_begins(self._watched.at_resumption, None)  # cannot be disabled
        yield events.PY_RETURN, self._returns
        yield events.PY_YIELD, self._yields
        yield events.PY_UNWIND, self._unwinds
        yield events.JUMP, self._jumps

    # -- what happens: the frame that it happens in is the caller of the callback

    def _make_line(self) -> Callable[[CodeType, int], Any]:
        lines, insides, watched, disabled = self._lines, self._insides, self._watched, self._disabled
        steps, busy, disable = watched.steps, watched.busy, self._api.DISABLE
        getframe = sys._getframe

        def line(code: CodeType, number: int) -> Any:
            key = id(code)
            here = lines.get(key)
            spot = here.get(number) if here is not None else None
            if steps:
                step = steps.get(get_ident())
                if step is not None and (step.frame is not None or step.anywhere is not None):
                    frame = getframe(1)
                    if step.concerns(frame):
                        if frame.f_lasti in insides.get(id(code), ()):
                            return None
                        watched.at_line(frame, number, spot)
                        return None
            elif spot is None:
                disabled[key] = True  # another thread cannot come between this and the end
                return disable
            if spot is None or (busy and get_ident() in busy):
                return None
            frame = getframe(1)
            if frame.f_lasti not in insides.get(id(code), ()):
                watched.at_line(frame, number, spot)
            return None

        return line

    def _make_begins(self, tell: Callable[[FrameType], None], disable: Any) -> Callable[..., Any]:
        steps, watched, disabled = self._watched.steps, self._watched, self._disabled
        getframe = sys._getframe

        def begins(code: CodeType, *_: object) -> Any:
            if watched.has_points and not self._is_known(code) and watched.spots_in(code):
                with self._lock:
                    if self._tool >= 0:
                        self._watch(code, is_new=True)
            if not steps or not _needs_begins(steps):
                disabled[_BEGINS] = True
                return disable
            step = steps.get(get_ident())
            if step is not None and (step.enters or step.collected is not None):
                tell(getframe(1))
            return None

        return begins

    def _jumps(self, code: CodeType, offset: int, destination: int) -> Any:
        if destination < offset:
            self._watched.at_jump_back(sys._getframe(1), destination)

    def _returns(self, code: CodeType, offset: int, value: object) -> Any:
        self._watched.at_return(sys._getframe(1), value)

    def _yields(self, code: CodeType, offset: int, value: object) -> Any:
        self._watched.at_yield(sys._getframe(1), offset)

    def _unwinds(self, code: CodeType, offset: int, exception: BaseException) -> Any:
        self._watched.at_unwinding(sys._getframe(1))


def _needs_begins(steps: Mapping[int, Following]) -> bool:
    """Tell whether it matters to any step which functions begin."""
    return any(step.enters or step.collected is not None for step in list(steps.values()))


def _running_codes() -> list[CodeType]:
    """Return the code of all frames that run now, in all threads."""
    found: dict[int, CodeType] = {}
    stacks: list[FrameType | None] = [*sys._current_frames().values()]
    while stacks:  # emptied, as the frame of this function is among them: a cycle would keep all of their variables alive
        frame = stacks.pop()
        while frame is not None:
            found[id(frame.f_code)] = frame.f_code
            frame = frame.f_back
    return list(found.values())
