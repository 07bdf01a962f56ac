"""Watch by `sys.settrace`, where there is no `sys.monitoring`: only while there is a breakpoint or a step, and lines only where they count.

What the interpreter does that has to be reckoned with:

- A trace function that raises is turned off. It is turned on again at the next event of a profile function that is there just for that.
- A thread can be traced only by itself: those that run already, and do not stop, are not traced.
- Only one trace function can be there: one of the program's own is left alone, and nothing is watched in that thread.
- While a trace function runs, the snapshot of the frame's variables must stay, and is written back to the frame afterwards. So tracing is not
  turned off from inside, and the snapshot is taken anew after a stop, in which closures may have changed variables.
- What is raised at a `return` event leaves the frame without meeting its handlers; see `interpreter.RETURN_IS_INSIDE`.
"""

from __future__ import annotations

import sys
import threading
import weakref
from _thread import get_ident
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

from fixcont.bytecode.interpreter import NAME, OPCODE, RESUME_KIND_MASK
from fixcont.errors import Refusal
from fixcont.stepping.breakpoints import Spot
from fixcont.stepping.mechanism import Watched
from fixcont.stepping.steps import is_hidden
from fixcont.stopping.threads import name_of

_Spots = dict[int, Spot]


class Tracing:
    """Watches by `sys.settrace`."""

    reason = "sys.settrace: this Python has no sys.monitoring, so functions are slower while there are breakpoints"

    def __init__(self, watched: Watched) -> None:
        self._watched = watched
        self._spots: dict[int, tuple[weakref.KeyedRef[int, CodeType], _Spots]] = {}  # id of a code object -> it, its breakpoints
        self._version = -1  # of the breakpoints, at the last update
        self._trace = self._begins  # one and the same object: the interpreter is asked for it
        self._local = self._happens
        self._inside: set[int] = set()  # idents of the threads that are in a trace function
        self._traced: set[int] = set()  # idents of the threads that have the trace function

    def refusal(self) -> Refusal | None:
        if sys.gettrace() in (None, self._trace):
            return None
        sentence = "the program traces this thread itself, and only one can do that on this version of Python"
        return Refusal("trace-taken", sentence, "end the other tracing")

    # -- what is watched

    def update(self) -> None:
        if self._version != self._watched.version:
            self._version = self._watched.version
            self._spots.clear()
        self._trace_new_threads()
        self._trace_thread()

    def pause_refusal(self, ident: int) -> Refusal | None:
        if ident == get_ident():
            return self.refusal()
        if ident in self._traced:
            return None
        sentence = f"{name_of(ident)} was started before there was a breakpoint, and on this version of Python a thread can be watched only by itself"
        return Refusal(
            "thread-not-watched", sentence, "set a breakpoint before it starts, or in what it runs, and start the program again"
        )

    def follow(self, frame: FrameType, ident: int = 0) -> None:
        if ident in self._traced if ident else sys.gettrace() is self._trace:
            frame.f_trace = self._local

    def close(self) -> None:
        self.update()

    @property
    def _is_wanted(self) -> bool:
        return self._watched.has_points or get_ident() in self._watched.steps

    def _trace_new_threads(self) -> None:
        before = threading.gettrace()
        if self._watched.has_points and before is None:
            threading.settrace(self._trace)
        elif before is self._trace and not self._watched.has_points:
            threading.settrace(None)

    def _trace_thread(self) -> None:
        """Trace the calling thread, or stop doing so; its frames that run already, too."""
        before = sys.gettrace()
        if before not in (None, self._trace):
            return
        is_wanted = self._is_wanted
        if not is_wanted and get_ident() in self._inside:
            return
        if is_wanted or before is not None:
            frame: FrameType | None = sys._getframe(1)
            while frame is not None:
                if is_wanted and not is_hidden(frame) and self._counts(frame):
                    frame.f_trace = self._local
                elif frame.f_trace is self._local:
                    del frame.f_trace
                frame = frame.f_back
        if is_wanted and before is None:
            sys.settrace(self._trace)
            self._traced.add(get_ident())
        elif before is not None and not is_wanted:
            sys.settrace(None)
            self._traced.discard(get_ident())

    def _counts(self, frame: FrameType) -> bool:
        step = self._watched.steps.get(get_ident())
        if step is not None and (step.concerns(frame) or (step.watches_return(frame.f_code) and step.collects_from(frame))):
            return True
        return bool(self._spots_in(frame.f_code))

    def _spots_in(self, code: CodeType) -> _Spots:
        known = self._spots.get(id(code))
        if known is not None and known[0]() is code:
            return known[1]
        spots = self._watched.spots_in(code)
        self._spots[id(code)] = weakref.KeyedRef(code, self._forget, id(code)), spots
        return spots

    def _forget(self, reference: weakref.KeyedRef[int, CodeType]) -> None:
        known = self._spots.get(reference.key)
        if known is not None and known[0] is reference:
            del self._spots[reference.key]

    # -- what happens

    def _begins(self, frame: FrameType, event: str, argument: Any) -> Any:
        """The trace function: a frame begins, or goes on after it has yielded."""
        watched = self._watched
        thread = get_ident()
        step = watched.steps.get(thread)
        if step is None and not watched.has_points:
            sys.settrace(None)  # of a thread in which nothing else could turn it off
            self._traced.discard(thread)
            return None
        self._traced.add(thread)
        if thread in watched.busy:
            return None
        if step is not None and (step.enters or step.collected is not None) and not is_hidden(frame):
            self._tell(frame, lambda: (watched.at_resumption if _is_resumed(frame) else watched.at_call)(frame))
        return self._local if self._counts(frame) else None

    def _happens(self, frame: FrameType, event: str, argument: Any) -> Any:
        """The local trace function of frames that count."""
        watched = self._watched
        if event == "line":
            spot = self._spots_in(frame.f_code).get(frame.f_lineno)
            step = watched.steps.get(get_ident()) if watched.steps else None
            if spot is not None or (step is not None and step.concerns(frame)):
                self._tell(frame, lambda: watched.at_line(frame, frame.f_lineno, spot))
        elif event == "return":
            step = watched.steps.get(get_ident())
            if step is not None and (step.frame is frame or step.collects_from(frame)):
                self._tell(frame, lambda: self._ends(frame, argument))
        return self._local

    def _tell(self, frame: FrameType, what: Callable[[], None]) -> None:
        thread = get_ident()
        stops = self._watched.stops
        self._inside.add(thread)
        try:
            what()
        except BaseException:
            if self._is_wanted and sys.getprofile() is None:
                sys.setprofile(self._on_again)
            raise
        finally:
            self._inside.discard(thread)
            if stops != self._watched.stops:
                frame.f_locals  # noqa: B018 - takes the snapshot anew
            if not self._is_wanted:
                self._trace_thread()

    def _ends(self, frame: FrameType, value: Any) -> None:
        name = NAME[frame.f_code.co_code[frame.f_lasti]]
        if name == "RETURN_VALUE":
            self._watched.at_return(frame, value)
        elif name == "YIELD_VALUE":
            self._watched.at_yield(frame, frame.f_lasti)
        else:
            self._watched.at_unwinding(frame)

    def _on_again(self, frame: FrameType, event: str, argument: Any) -> None:
        sys.setprofile(None)
        self._trace_thread()


def _is_resumed(frame: FrameType) -> bool:
    """Tell whether a frame has run before."""
    raw = frame.f_code.co_code
    at = frame.f_lasti
    return at >= 0 and raw[at] == OPCODE["RESUME"] and bool(raw[at + 1] & RESUME_KIND_MASK)
