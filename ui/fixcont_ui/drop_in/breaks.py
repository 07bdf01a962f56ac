"""Run to the next breakpoint of a pdb by `sys.monitoring`: the program keeps its speed where none is hit.

bdb traces every line of every function that may have a breakpoint. That is right while the user steps, and it stays so: all steps are
bdb's own. But once "continue" was said only lines with breakpoints count, so the tracing is turned off, and the mechanism that the other
front ends use watches for those. A line that is hit is given to bdb as the event that it would have had from the trace function, and
where the user then steps, the tracing is turned on again.

3.11 has no `sys.monitoring`: there everything is as in bdb.
"""

from __future__ import annotations

import bdb
import pdb
import sys
from _thread import get_ident
from collections.abc import Callable, Collection, Iterator
from importlib.util import find_spec
from types import CodeType, FrameType
from typing import Any, Final, NamedTuple

from fixcont.bytecode import interpreter
from fixcont.bytecode.original import original_end, prefix_units
from fixcont.stepping.breakpoints import Spot
from fixcont.stepping.monitoring import Monitoring

#: What decides in bdb where to stop: a subclass that has its own gets every event, as it may count on.
_DECIDING: Final = (
    "trace_dispatch", "dispatch_line", "dispatch_call", "dispatch_return", "dispatch_exception", "stop_here", "break_here",
    "break_anywhere", "user_call",
)  # fmt: skip
_TESTS_KEPT: Final = 100
_CODES_KEPT: Final = 500

#: Ident of a thread -> what watches it. A thread has one debugger at a time, as it has one trace function.
_watches: dict[int, BreakWatch] = {}


class BreakpointsByMonitoring(pdb.Pdb):
    """pdb, which lets the program run at its own speed between breakpoints."""

    _watch: BreakWatch | None = None
    #: The breakpoint that has been reached, and whether it is to go if it is temporary.
    _reached: tuple[bdb.Breakpoint, bool] | None = None
    # Where a frame goes on in the middle: the canonical file and the line, whose breakpoints are passed by once.
    _landing: tuple[str, int] | None = None

    def break_here(self, frame: FrameType) -> bool:
        if self._reached is None:
            return super().break_here(frame)
        (point, may_go), self._reached = self._reached, None
        self.currentbp = point.number
        if may_go and point.temporary:
            self.do_clear(str(point.number))
        return True

    # id of a code object -> it, and its lines
    _lines: dict[int, tuple[CodeType, frozenset[int | None]]] | None = None

    def _lineno_in_frame(self, lineno: int, frame: FrameType) -> bool:
        """Tell whether a line is one of a frame's code, as bdb asks from 3.14 on.

        bdb remembers lines by equal code in a weak dictionary. Where two runs of a program have equal code, and the older one goes away between
        two looks at that, it fails; and the user who steps may find himself in that dictionary's own functions.
        """
        code = frame.f_code
        if self._lines is None or len(self._lines) > _CODES_KEPT:
            self._lines = {}
        known = self._lines.get(id(code))
        if known is None:
            known = self._lines[id(code)] = code, frozenset(line for _, _, line in code.co_lines())
        return lineno >= code.co_firstlineno and lineno in known[1]

    def set_continue(self) -> None:
        self._end_watch()
        super().set_continue()
        if self.breaks and self._can_watch():
            self._watch = _begin(self)
            if self._watch is not None:
                self._stop_tracing()

    def _can_watch(self) -> bool:
        if not interpreter.HAS_MONITORING or not (interpreter.LOCALS_WRITE_THROUGH or find_spec("_ctypes")):
            return False
        kind = type(self)
        return all(getattr(kind, name) is getattr(PLAIN[0], name) for name in _DECIDING)

    def reset(self) -> None:
        self._lines = None
        current = _watches.get(get_ident())
        if (
            current is not None
        ):  # also that of another debugger: whoever starts to trace a thread takes the place of the one before
            current.end()
        super().reset()

    def set_quit(self) -> None:
        self._end_watch()
        super().set_quit()

    def start_trace(self) -> None:
        self._end_watch()
        base: Any = super()
        base.start_trace()

    def stop_trace(self) -> None:
        self._end_watch()
        base: Any = super()
        base.stop_trace()

    def run(self, *args: Any, **keywords: Any) -> None:
        try:
            super().run(*args, **keywords)
        finally:
            self._end_watch()

    def runeval(self, *args: Any, **keywords: Any) -> Any:
        try:
            return super().runeval(*args, **keywords)
        finally:
            self._end_watch()

    def runcall(self, *args: Any, **keywords: Any) -> Any:
        try:
            return super().runcall(*args, **keywords)
        finally:
            self._end_watch()

    # Breakpoints that come and go while the program runs.

    def set_break(self, *args: Any, **keywords: Any) -> Any:
        return self._and_watch(super().set_break(*args, **keywords))

    def clear_break(self, *args: Any, **keywords: Any) -> Any:
        return self._and_watch(super().clear_break(*args, **keywords))

    def clear_bpbynumber(self, *args: Any, **keywords: Any) -> Any:
        return self._and_watch(super().clear_bpbynumber(*args, **keywords))

    def clear_all_file_breaks(self, *args: Any, **keywords: Any) -> Any:
        return self._and_watch(super().clear_all_file_breaks(*args, **keywords))

    def clear_all_breaks(self, *args: Any, **keywords: Any) -> Any:
        return self._and_watch(super().clear_all_breaks(*args, **keywords))

    def _and_watch(self, result: Any) -> Any:
        self._breaks_changed()
        return result

    def _breaks_changed(self) -> None:
        """Look at the breakpoints anew."""
        if self._watch is not None:
            self._watch.changed()

    # From one way of watching to the other.

    def _end_watch(self) -> None:
        if self._watch is not None:
            self._watch.end()

    def _stop_tracing(self) -> None:
        base: Any = super()
        if hasattr(base, "stop_trace"):
            base.stop_trace()
        else:
            sys.settrace(None)

    def _trace_again(self, frame: FrameType) -> None:
        """Trace from a line on, as if all had been traced up to there."""
        self._end_watch()
        caller: FrameType | None = frame
        while caller is not None:
            if caller.f_trace is None and (caller is frame or self.break_anywhere(caller)):
                caller.f_trace = self.trace_dispatch
            if caller is self.botframe:
                break
            caller = caller.f_back
        self._trace()

    def _trace(self) -> None:
        if hasattr(pdb.Pdb, "start_trace"):
            self.start_trace()
        else:
            sys.settrace(self.trace_dispatch)

    def _is_stopping(self) -> None:
        """Note that the user is asked now."""
        if self._watch is not None:
            self._watch.stops += 1

    @property
    def _runs_to_breakpoints(self) -> bool:
        """Whether nothing but a breakpoint is to stop the program."""
        return self.stopframe is self.botframe and self.stoplineno == -1


if not hasattr(pdb.Pdb, "start_trace"):
    del BreakpointsByMonitoring.start_trace, BreakpointsByMonitoring.stop_trace

#: The class whose methods are the plain ones; the drop-in puts its own here.
PLAIN: list[type[BreakpointsByMonitoring]] = [BreakpointsByMonitoring]


class BreakWatch:
    """The breakpoints of one debugger, watched in one thread: what a `Mechanism` asks and tells.

    It gets what it sees to the debugger only in the thread in which that has traced.
    """

    def __init__(self, debugger: BreakpointsByMonitoring) -> None:
        self._debugger = debugger
        self._thread = get_ident()
        self._is_over = False
        self.steps: dict[int, Any] = {}
        self.busy: Collection[int] = frozenset()
        self.stops = 0
        self.version = 0
        self._tests: dict[str, CodeType] = {}  # condition -> it, compiled
        self._mechanism = _Monitoring(self)

    def begin(self) -> bool:
        """Begin to watch. Returns whether that can be done."""
        if self._mechanism.refusal() is not None:
            return False
        _watches[self._thread] = self
        self._mechanism.update()
        return True

    def end(self) -> None:
        """Watch nothing any more."""
        self._is_over = True
        self._mechanism.close()
        if self._debugger._watch is self:
            self._debugger._watch = None
        if _watches.get(self._thread) is self:
            del _watches[self._thread]

    def changed(self) -> None:
        """Breakpoints have changed."""
        self.version += 1
        self._mechanism.update()

    # -- what the mechanism asks

    @property
    def has_points(self) -> bool:
        return not self._is_over and bool(self._debugger.breaks)

    def spots_in(self, code: CodeType) -> dict[int, Spot]:
        filename = self._debugger.canonic(code.co_filename)
        breaks = self._debugger.breaks.get(filename)
        if not breaks:
            return {}
        lines = {line for _, _, line in code.co_lines() if line}
        by_line: dict[int, Any] = {line: _spot(filename, line, code) for line in lines.intersection(breaks)}
        if code.co_firstlineno in breaks:  # set by the name of a function: bdb looks for its first line as it runs
            by_line = dict.fromkeys(lines, _spot(filename, 0, code)) | by_line
        return by_line

    # -- what it tells

    def at_line(self, frame: FrameType, line: int, spot: Spot | None) -> None:
        """A line with a breakpoint begins."""
        if self._is_over or get_ident() != self._thread:
            return
        debugger = self._debugger
        place: Any = spot
        if place.points and debugger._landing is None:
            if not place.begins <= frame.f_lasti < place.ends:
                return
            debugger._reached = self._reached(frame, place.points)
            if debugger._reached is None:
                return
        stops = self.stops
        if not interpreter.LOCALS_WRITE_THROUGH:
            frame.f_locals  # noqa: B018 - takes the snapshot that the debugger works with, as for a trace function
        try:
            debugger.trace_dispatch(frame, "line", None)
        finally:
            if stops != self.stops and not interpreter.LOCALS_WRITE_THROUGH:
                _write_back(frame)
        tracer = getattr(debugger, "monitoring_tracer", None)
        if tracer is not None:
            tracer._disable_current_event = False  # that was not its event
        if debugger._watch is self and not debugger._runs_to_breakpoints:
            debugger._trace_again(frame)

    def _reached(self, frame: FrameType, points: tuple[bdb.Breakpoint, ...]) -> tuple[bdb.Breakpoint, bool] | None:
        """Count a hit, and tell which breakpoint stops it and whether that may go: what `bdb.effective` does, with conditions compiled once."""
        for point in points:
            if not point.enabled:
                continue
            point.hits += 1
            if point.cond:
                try:
                    test = self._tests.get(point.cond) or self._compiled(point.cond)
                    if not eval(test, frame.f_globals, frame.f_locals):
                        continue
                except:  # noqa: E722 - as bdb: the user shall see that the condition cannot be evaluated
                    return point, False
            if point.ignore > 0:
                point.ignore -= 1
                continue
            return point, True
        return None

    def _compiled(self, condition: str) -> CodeType:
        if len(self._tests) >= _TESTS_KEPT:
            self._tests.clear()
        test = self._tests[condition] = compile(condition.lstrip(" \t"), "<string>", "eval", dont_inherit=True)
        return test

    def at_call(self, frame: FrameType) -> None:
        """There are no steps here."""

    at_resumption = at_unwinding = at_call

    def at_jump_back(self, frame: FrameType, destination: int) -> None:
        """There are no steps here."""

    def at_return(self, frame: FrameType, value: object) -> None:
        """There are no steps here."""

    def at_yield(self, frame: FrameType, offset: int) -> None:
        """There are no steps here."""


class _Place(NamedTuple):
    """The breakpoints of a line of a code object, if they are all there is to it, and the byte offsets of the program's own instructions."""

    points: tuple[bdb.Breakpoint, ...]
    begins: int
    ends: int


def _spot(filename: str, line: int, code: CodeType) -> _Place:
    points = tuple(bdb.Breakpoint.bplist.get((filename, line), ()))
    if any(point.funcname for point in points) or code.co_firstlineno == line:
        points = ()  # bdb decides
    return _Place(points, 2 * prefix_units(code), original_end(code))


def _begin(debugger: BreakpointsByMonitoring) -> BreakWatch | None:
    """Begin to watch the breakpoints of a debugger in this thread; None where that cannot be done."""
    watch = BreakWatch(debugger)
    return watch if watch.begin() else None


def _write_back(frame: FrameType) -> None:
    """Do what the interpreter does after a trace function: what was assigned in the snapshot becomes the frame's variables."""
    if frame.f_code.co_flags & interpreter.OPTIMIZED:
        import ctypes

        ctypes.pythonapi.PyFrame_LocalsToFast(ctypes.py_object(frame), ctypes.c_int(1))


class _Monitoring(Monitoring):
    """Also sees that a line begins anew by a jump back to its start, which for `sys.monitoring` is no new line."""

    def _watch(self, code: CodeType, *, is_new: bool) -> None:
        super()._watch(code, is_new=is_new)
        if self._lines.get(id(code)):
            self._api.set_local_events(self._tool, code, self._api.events.LINE | self._api.events.JUMP)

    def _callbacks(self) -> Iterator[tuple[int, Callable[..., Any]]]:
        yield from super()._callbacks()
        yield self._api.events.JUMP, self._jumps

    def _jumps(self, code: CodeType, offset: int, destination: int) -> Any:
        line = _line_at(code, destination) if destination <= offset else 0
        if not line or line != _line_at(code, offset):
            return self._api.DISABLE
        spot = self._lines.get(id(code), {}).get(line)
        if spot is None:
            return self._api.DISABLE
        self._watched.at_line(sys._getframe(1), line, spot)
        return None


def _line_at(code: CodeType, offset: int) -> int:
    for start, end, line in code.co_lines():
        if start <= offset < end:
            return line or 0
    return 0
