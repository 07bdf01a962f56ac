"""What traps call: see whether an exception was looked at before, predict who will handle it, and stop or let it go on.

This runs once for each user frame that any exception leaves, so the usual case is kept short. An exception is remembered by its id only:
a reference would keep it, its frames and all their variables alive longer than the debuggee expects. What makes that safe is described
at `_Seen`.
"""

from __future__ import annotations

import sys
from _thread import get_ident
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

from fixcont.bytecode.traps import is_trapped
from fixcont.continuing.unwinding import Answer, Signal, continue_unwinding, is_ours, is_shell
from fixcont.stopping.policy import Policy, StopMode
from fixcont.stopping.prediction import Outcome, Predictor, Verdict

#: Gets the exception, the frame, whether the exception is about to leave it, the items of its blocks and its cells; answers the trap.
Serve = Callable[[BaseException, FrameType, int, tuple[Any, ...], tuple[Any, ...], str], Answer]
Hook = Callable[[BaseException, tuple[str, int, bool, int], tuple[Any, ...], Any, tuple[Any, ...]], Answer]

_getframe = sys._getframe
_REMEMBERED = 256


class _Seen:
    """What was decided about an exception in flight.

    It is found by the exception's id, which may belong to another exception by now, as memory is used again. So it is believed only where
    this exception must have met a trap before: it has left the frame whose trap was called last (another exception that had left it
    would have been noted there in its turn), or the trap is one that is only reached through another trap of the same activation.

    Attributes:
        code: of the last frame whose trap was called.
        frame: id of that frame.
        passes: ids of the frames through which the exception is expected to go; None where nothing more is to be decided.
    """

    __slots__ = ("code", "frame", "passes")

    def __init__(self, frame: FrameType, passes: frozenset[int] | None) -> None:
        self.code = frame.f_code
        self.frame = id(frame)
        self.passes = passes


def make_hook(
    policy: Policy, predictor: Predictor, serve: Serve, report: Callable[[BaseException], None], busy: set[int]
) -> Hook:
    """Return the hook.

    Args:
        policy: when to stop.
        predictor: tells who will handle an exception.
        serve: holds the thread at a stop.
        report: takes an exception that fixcont itself raised by mistake; the debuggee goes on as if we were not there.
        busy: idents of the threads in which fixcont is at work, or in which the user evaluates something at a stop; nothing stops there.
    """
    seen: dict[int, _Seen] = {}  # id of exception -> what was decided
    filter_of = policy.filter_of

    def hook(
        exception: BaseException, site: tuple[str, int, bool, int], stack: tuple[Any, ...], handled: Any, cells: tuple[Any, ...]
    ) -> Answer:
        frame = _getframe(2)
        traceback = exception.__traceback__
        if type(exception) is Signal:
            return continue_unwinding(exception, frame, site[1] < 0, stack, cells)
        if traceback is None or get_ident() in busy:
            return None
        following = traceback.tb_next
        known = seen.get(id(exception))
        if known is not None:
            if site[2] and known.frame == id(frame) or following is not None and _came_through(following, known):
                passes = known.passes
                if passes is None or id(frame) in passes:
                    known.code = frame.f_code
                    known.frame = id(frame)
                    return None
        if traceback.tb_lasti >= site[3]:
            _hide_shell(exception, frame)
            return None
        if filter_of(type(exception)) == "ignore":
            return None
        thread = get_ident()
        busy.add(thread)
        try:
            return decide(exception, frame, site, stack, cells)
        except Exception as fault:
            report(fault)
            return None
        finally:
            busy.discard(thread)

    def decide(
        exception: BaseException, frame: FrameType, site: tuple[str, int, bool, int], stack: tuple[Any, ...], cells: tuple[Any, ...]
    ) -> Answer:
        layout, handler, again, _ = site
        if type(exception.__context__) is Signal:  # raised by a `finally` on the way to a restart
            exception.__context__ = exception.__context__.replaced
        if policy.mode is StopMode.RAISED:
            traceback = exception.__traceback__
            leaves_raiser = handler < 0 and (traceback is None or not _came_through_user_code(traceback))
            verdict = Verdict(Outcome.UNKNOWN, None, "", None)
        else:
            leaves_raiser = False
            verdict = predictor.predict(exception, frame, None if handler < 0 else handler, _exits(layout, stack))
        is_last = verdict.outcome is Outcome.UNKNOWN and not _has_trap_outward(frame)
        if not policy.stops(type(exception), verdict, leaves_raiser, is_last):
            if verdict.outcome is Outcome.HANDLED and verdict.catcher is not None:
                remember(exception, frame, _frames_until(frame, verdict.catcher))
            elif verdict.outcome is Outcome.HANDLED:
                remember(exception, frame, None)
            return None
        late = _late(exception)
        remember(exception, frame, None)
        return serve(exception, frame, handler, stack, cells, late)

    def remember(exception: BaseException, frame: FrameType, passes: frozenset[int] | None) -> None:
        if len(seen) >= _REMEMBERED:
            seen.clear()
        seen[id(exception)] = _Seen(frame, passes)

    return hook


def _came_through(traceback: TracebackType | None, known: _Seen) -> bool:
    """Tell whether an exception has left the frame whose trap was the last to be called with it."""
    while traceback is not None:
        frame = traceback.tb_frame
        if frame.f_code is known.code and id(frame) == known.frame:
            return True
        traceback = traceback.tb_next
    return False


def _hide_shell(exception: BaseException, frame: FrameType) -> None:
    """Take the entries of the frame that only handed over, and of ours behind it, out of the traceback."""
    traceback = exception.__traceback__
    while traceback is not None and (traceback.tb_frame is frame or is_ours(traceback.tb_frame)):
        traceback = traceback.tb_next
    exception.__traceback__ = traceback or exception.__traceback__


def _came_through_user_code(traceback: TracebackType) -> bool:
    """Tell whether an exception has left another trapped frame before it came here."""
    inner = traceback.tb_next
    while inner is not None:
        if is_trapped(inner.tb_frame.f_code):
            return True
        inner = inner.tb_next
    return False


def _exits(layout: str, stack: tuple[Any, ...]) -> list[Any]:
    """Return the exits of the open `with` blocks, innermost last."""
    if "w" not in layout:
        return []
    kinds = [kind for kind in layout if kind not in "snl"]
    return [item for kind, item in zip(kinds, stack, strict=True) if kind == "w"]


def _has_trap_outward(frame: FrameType) -> bool:
    """Tell whether a caller has traps that are still its own."""
    back = frame.f_back
    while back is not None:
        if is_trapped(back.f_code) and not is_shell(back):
            return True
        back = back.f_back
    return False


def _frames_until(frame: FrameType, catcher: FrameType) -> frozenset[int]:
    """Return the ids of the frames that an exception leaves on its way to its handler's frame."""
    passed = []
    at: FrameType | None = frame
    while at is not None and at is not catcher:
        passed.append(id(at))
        at = at.f_back
    return frozenset(passed)


def _late(exception: BaseException) -> str:
    """Return a sentence about the user's frames that have unwound already, or ""."""
    names = []
    traceback = exception.__traceback__.tb_next if exception.__traceback__ else None
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if is_trapped(code):
            names.append(code.co_qualname)
        traceback = traceback.tb_next
    if not names:
        return ""
    return f"it seemed that this exception would be handled, so {', '.join(names)} has unwound already"
