"""What traps call: see whether an exception was looked at before, predict who will handle it, and stop or let it go on.

This runs once for each user frame that any exception leaves, so the usual case is kept short. An exception is remembered by its id only:
a reference would keep it, its frames and all their variables alive longer than the debuggee expects. What makes that safe is said
at `_Seen`.
"""

from __future__ import annotations

import sys
from _thread import get_ident
from collections.abc import Callable, Container
from types import CodeType, FrameType, TracebackType
from typing import Any

from fixcont.bytecode.flights import has_met_a_trap
from fixcont.bytecode.stubs import GENERATOR_KINDS
from fixcont.bytecode.traps import is_trapped
from fixcont.continuing.unwinding import Answer, Signal, continue_unwinding, is_ours, is_shell
from fixcont.stopping.policy import Policy, StopMode
from fixcont.stopping.prediction import Outcome, Predictor, Verdict

#: Gets the exception, the frame, whether the exception is about to leave it, the items of its blocks and its cells; answers the trap.
Serve = Callable[[BaseException, FrameType, int, tuple[Any, ...], tuple[Any, ...], str], Answer]
Hook = Callable[[BaseException, tuple[str, int, bool, int], tuple[Any, ...], Any, tuple[Any, ...]], Answer]

_getframe = sys._getframe
_REMEMBERED = 256
_MORE_STACK = 1000  # frames, where the debuggee has left none
_CONTEXTS = 20  # how far back a signal is looked for


#: What was decided about an exception in flight: (code of the last frame whose trap was called with it, id of that frame, ids of the
#: frames through which it is expected to go, or None where nothing more is to be decided).
#:
#: It is found by the exception's id, which may belong to another exception by now, as memory is used again. So it is believed only where
#: this exception must have met a trap before: it has left the frame whose trap was called last (another exception that had left it
#: would have been noted there in its turn), or the trap is one that is only reached through another trap of the same activation.
_Seen = tuple[CodeType, int, Container[int] | None]


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
    filters = policy.filters
    path_to_handler = predictor.path_to_handler
    never_at_handled = policy.mode is not StopMode.RAISED

    def hook(
        exception: BaseException, site: tuple[str, int, bool, int], stack: tuple[Any, ...], handled: Any, cells: tuple[Any, ...]
    ) -> Answer:
        frame = _getframe(2)
        traceback = exception.__traceback__
        if traceback is None:
            return None
        following = traceback.tb_next
        known = seen.get(id(exception))
        if known is not None:
            code, frame_id, passes = known
            inner = following.tb_frame if following is not None else None
            if (
                (inner is not None and ((inner.f_code is code and id(inner) == frame_id) or _came_through(following, code, frame_id)))
                or (site[2] and frame_id == id(frame) and has_met_a_trap(code, traceback.tb_lasti, frame.f_lasti))
            ):  # fmt: skip
                if (passes is None or id(frame) in passes) and type(exception) is not Signal:
                    if traceback.tb_lasti >= site[3]:
                        _hide_shell(exception, frame)
                    elif not (frame.f_code.co_flags & GENERATOR_KINDS and _is_thrown_in(frame, frame_id)):
                        seen[id(exception)] = frame.f_code, id(frame), passes
                    return None
        kind = type(exception)
        if site[1] < 0 and never_at_handled and filters.get(id(kind)) == "":
            path = path_to_handler(kind, frame)
            if path is not None and (following is None or traceback.tb_lasti < site[3]) and exception.__context__ is None:
                if len(seen) >= _REMEMBERED:
                    seen.clear()
                seen[id(exception)] = frame.f_code, id(frame), path
                return None
        return look_closer(exception, frame, site, stack, cells)

    def look_closer(
        exception: BaseException, frame: FrameType, site: tuple[str, int, bool, int], stack: tuple[Any, ...], cells: tuple[Any, ...]
    ) -> Answer:
        traceback = exception.__traceback__
        thread = get_ident()
        if type(exception) is Signal:
            return continue_unwinding(exception, frame, site[1] < 0, stack, cells)
        if traceback is None:
            return None
        if traceback.tb_lasti >= site[3]:
            _hide_shell(exception, frame)
            return None
        if thread in busy:
            return None
        if traceback.tb_next is not None and is_ours(traceback.tb_next.tb_frame):
            traceback.tb_next = None  # raised by us in the place of the interpreter: Ctrl-C, or what the user throws at a breakpoint
        _hide_signal(exception)
        if policy.filter_of(type(exception)) == "ignore":
            return None
        busy.add(thread)
        try:
            try:
                return decide(exception, frame, site, stack, cells)
            except RecursionError:
                limit = sys.getrecursionlimit()
                if not _can_be_limit(limit):
                    return None  # the next trap outward has more room
            try:
                sys.setrecursionlimit(limit + _MORE_STACK)
                return decide(exception, frame, site, stack, cells)
            finally:
                sys.setrecursionlimit(limit)
        except (RecursionError, MemoryError):
            return None  # no room for us here; there is more further out
        except Exception as fault:
            report(fault)
            return None
        finally:
            busy.discard(thread)

    def decide(
        exception: BaseException, frame: FrameType, site: tuple[str, int, bool, int], stack: tuple[Any, ...], cells: tuple[Any, ...]
    ) -> Answer:
        layout, handler, again, _ = site
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

    def remember(exception: BaseException, frame: FrameType, passes: Container[int] | None) -> None:
        if len(seen) >= _REMEMBERED:
            seen.clear()
        noted = _thrown_from(exception, frame) or frame
        seen[id(exception)] = noted.f_code, id(noted), passes

    return hook


def _is_thrown_in(frame: FrameType, known: int) -> bool:
    """Tell whether the frame that was noted last is still on the stack: its exception was thrown into a generator, and comes back."""
    back = frame.f_back
    while back is not None:
        if id(back) == known:
            return True
        back = back.f_back
    return False


def _thrown_from(exception: BaseException, frame: FrameType) -> FrameType | None:
    """Return the frame, still on the stack, from which an exception was thrown into a generator: it may come back there as it was."""
    traceback = exception.__traceback__
    if not frame.f_code.co_flags & GENERATOR_KINDS or traceback is None:
        return None
    traceback = traceback.tb_next
    while traceback is not None:
        if _is_thrown_in(frame, id(traceback.tb_frame)):
            return traceback.tb_frame
        traceback = traceback.tb_next
    return None


def _can_be_limit(limit: int) -> bool:
    """Tell whether the recursion limit may be set to `limit` by the caller: it may not where the stack is as deep as that."""
    try:
        sys.setrecursionlimit(limit)
    except RecursionError:
        return False
    return True


def _hide_signal(exception: BaseException) -> None:
    """Take the signal out of the context of an exception that a `finally` raised on the way to a restart."""
    at = exception
    for _ in range(_CONTEXTS):
        context = at.__context__
        if context is None:
            return
        if type(context) is Signal:
            at.__context__ = context.replaced if context.replaced is not exception else None
            return
        at = context


def _came_through(traceback: TracebackType | None, code: CodeType, frame_id: int) -> bool:
    """Tell whether an exception has left the frame whose trap was the last to be called with it."""
    while traceback is not None:
        frame = traceback.tb_frame
        if frame.f_code is code and id(frame) == frame_id:
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
    if issubclass(type(exception), RecursionError):
        return f"the stack was used up, so {names[-1]} has unwound already"
    return f"it seemed that this exception would be handled, so {', '.join(names)} has unwound already"
