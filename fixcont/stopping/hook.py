"""What traps call: see whether an exception was looked at before, predict who will handle it, and stop or let it go on.

This runs once for each user frame that any exception leaves, so the usual case is kept short. An exception is remembered by its id only:
a reference would keep it, its frames and all their variables alive longer than the debuggee expects. What makes that safe is said
at `_Seen`.
"""

from __future__ import annotations

import sys
from _thread import get_ident
from collections.abc import Callable, Sequence
from types import CodeType, FrameType, TracebackType
from typing import Any

from fixcont.bytecode.flights import forget_ways, has_met_a_trap
from fixcont.bytecode.original import is_trapped, original_end
from fixcont.bytecode.stubs import GENERATOR_KINDS, uninterrupted
from fixcont.bytecode.traps import LEAVING, Site
from fixcont.continuing.unwinding import Answer, Signal, TrapState, continue_unwinding, is_ours, is_shell
from fixcont.stopping.policy import Policy, StopMode
from fixcont.stopping.prediction import Outcome, Predictor, Route, Routes, Verdict, route_of
from fixcont.stopping.prediction.values import is_instance, leaves
from fixcont.stopping.room import less_room, more_room

#: Gets the exception, the frame, what its trap says, and a sentence if the stop is late; answers the trap.
Serve = Callable[[BaseException, FrameType, TrapState, str], Answer]

_REMEMBERED = 256
_USUAL = 200
_THROWN_THROUGH = (
    200  # frames between what throws into a generator and the generator; without a limit, deep recursion takes hours
)
_CONTEXTS = 20  # how far back a signal is looked for


#: What was decided about an exception in flight: [code of the frame that it left last, id of that frame, id of the frame that will handle it,
#: or 0 where nothing more is to be decided wherever it goes].
#:
#: It is found by the exception's id, which may belong to another exception by now, as memory is used again. So it is believed only where
#: this exception must have met a trap before: it has left the frame whose trap was called last (another exception that had left it
#: would have been noted there in its turn), or the trap is one that is only reached through another trap of the same activation.
_Seen = list[Any]
_SETTLED = 0
_NO_TYPE = None, None
_Site = Site | None


def make_hook(
    policy: Policy,
    predictors: tuple[Predictor, Predictor],
    serve: Serve,
    report: Callable[[BaseException], None],
    busy: set[int],
    stops: Sequence[object],
    seen: dict[int, _Seen],
    lets_go: Callable[[BaseException, FrameType], bool],
) -> Callable[[BaseException, _Site, tuple[Any, ...], Any, tuple[Any, ...]], Answer]:
    """Return what is to lie in `builtins` for traps to call, under `stubs.HOOK_NAME`.

    It gets the exception, the trap's site (see `traps.Site`), the items of the open blocks, the exception that was handled before, and
    the frame's cells.

    Args:
        policy: when to stop.
        predictors: tell who will handle an exception; the second one also counts handlers of libraries for everything, which is what
            counts in the mode "uncaught".
        serve: holds the thread at a stop.
        report: takes an exception that fixcont itself raised by mistake; the debuggee goes on as if we were not there.
        busy: idents of the threads in which fixcont is at work, or in which the user evaluates something at a stop; nothing stops there.
        stops: empty as long as nothing has stopped: then there are no signals, and no frames that took over.
        seen: id of exception -> what was decided. One that is on its way, and was shown, must be known to the hook that takes the place
            of this one.
        lets_go: tells of an exception that would stop whether it goes on without.
    """
    usual: dict[int, tuple[Routes, type]] = {}  # id of a type that no filter speaks of -> what is remembered of it, and the type
    # The exception that was decided upon last, by its route alone: its id; code and instruction at which it left the frame that it left
    # last; its route; and how many steps of that it went. Most exceptions are handled before there is another, so most calls of
    # traps end here. That it left that frame at that very instruction tells that it met the trap there, so that it is not another
    # exception with the same id. Another thread may exchange all of these at any moment: then they don't fit, and it is decided anew.
    flying = 0
    left_code: CodeType | None = None
    left_lasti = 0
    route: Route = ()
    steps = 0
    end = 0  # of the route
    # The type of that exception, and what is remembered of it. Together in one, as they must fit each other.
    last_kind: tuple[Routes | None, type | None] = _NO_TYPE

    def hook(exception: BaseException, site: _Site, stack: tuple[Any, ...], handled: Any, cells: tuple[Any, ...]) -> Answer:
        nonlocal flying, left_code, left_lasti, route, steps, end, last_kind
        traceback = exception.__traceback__
        if traceback is None:
            return None
        if stops and type(exception) is Signal:
            return look_closer(exception, getframe(2), site or LEAVING, stack, handled, cells)
        number = ident(exception)
        if number == flying:
            inner = traceback.tb_next
            if site is None or site[3]:
                if inner is not None and inner.tb_lasti == left_lasti and inner.tb_frame.f_code is left_code:
                    left_code, left_lasti, _ = route[steps]
                    steps += 1
                    if steps < end:
                        return None
                    flying = 0  # it is at its handler, which does not take it
            elif site[2] and traceback.tb_lasti == left_lasti:
                frame = traceback.tb_frame
                if frame.f_code is left_code and has_met_a_trap(left_code, left_lasti, frame.f_lasti):
                    return None
        frame = getframe(2)
        known = recall(number)
        if known is not None:
            if is_expected(exception, traceback, frame, site or LEAVING, known):
                return None
            seen.pop(number, None)  # of another exception, or wrong
        if site is None or site[1] < 0:
            code = frame.f_code
            routes, kind = last_kind
            if kind is not type(exception):
                routes, kind = last_kind = recall_type(ident(type(exception)), _NO_TYPE)
            if routes is not None and (not stops or _is_simple(exception, traceback, code)):
                found = route_of(routes, frame, code)
                if found is not None:
                    flying = number
                    left_code = code
                    left_lasti = traceback.tb_lasti
                    route = found
                    steps = 0
                    end = len(found)
                    return None
        return look_closer(exception, frame, site or LEAVING, stack, handled, cells)

    recall = seen.get
    recall_type = usual.get
    getframe = sys._getframe
    ident = id  # as cells these are had sooner than as builtins

    def is_expected(
        exception: BaseException,
        traceback: TracebackType,
        frame: FrameType,
        site: Site,
        known: _Seen,
    ) -> bool:
        """Tell whether an exception was looked at before and is still on its way. Note that it was here."""
        code, frame_id, catcher = known
        is_own = traceback.tb_frame is frame  # else it was being handled as this one took a frame over
        if id(frame) == catcher or not (
            _came_through(traceback.tb_next if is_own else traceback, code, frame_id, catcher)
            or (
                site[2]
                and frame_id == id(frame)
                and frame.f_code is code
                and (not is_own or has_met_a_trap(code, traceback.tb_lasti, frame.f_lasti))
            )
        ):
            return False
        if _failed_in_takeover(traceback, frame):
            _hide_shell(exception, frame)
        elif is_own and not (frame.f_code.co_flags & GENERATOR_KINDS and _is_thrown_in(frame, frame_id)):
            known[:2] = frame.f_code, id(frame)
        return True

    def look_closer(
        exception: BaseException,
        frame: FrameType,
        site: Site,
        stack: tuple[Any, ...],
        handled: Any,
        cells: tuple[Any, ...],
    ) -> Answer:
        state = TrapState(site[0], site[1], site[4], stack, handled, cells)
        traceback = exception.__traceback__
        thread = get_ident()
        if type(exception) is Signal:
            try:
                return continue_unwinding(exception, frame, state)
            except Exception as fault:
                report(fault)
                return None if exception.replaced is None else (exception.replaced, None)
        if traceback is None:
            return None
        if _failed_in_takeover(traceback, frame):
            _hide_shell(exception, frame)
            return None
        if thread in busy:
            return None
        if traceback.tb_next is not None and is_ours(traceback.tb_next.tb_frame):
            traceback.tb_next = (
                None  # raised by us in the place of the interpreter: Ctrl-C, or what the user throws at a breakpoint
            )
        _hide_signal(exception)
        said = policy.filter_of(type(exception))
        if said == "ignore":
            return None
        mode = policy.mode_of(type(exception))
        if said == "" and mode is StopMode.NEVER:
            return None
        if said == "" and mode is not StopMode.RAISED:
            note_usual(type(exception), mode)
        busy.add(thread)
        try:
            try:
                return decide(exception, frame, state)
            except RecursionError:
                if not more_room():
                    return None  # the next trap outward has more
            try:
                return decide(exception, frame, state)
            finally:
                less_room()
        except (RecursionError, MemoryError):
            return None  # no room for us here; there is more further out
        except KeyboardInterrupt as interrupt:  # Ctrl-C while we were at work: it is the program's
            interrupt.__traceback__ = TracebackType(None, frame, traceback.tb_lasti, traceback.tb_lineno)
            return interrupt, None
        except Exception as fault:
            report(fault)
            return None
        finally:
            busy.discard(thread)

    def predictor_for(mode: StopMode) -> Predictor:
        return predictors[mode is StopMode.UNCAUGHT]

    def note_usual(kind: type[BaseException], mode: StopMode) -> None:
        if id(kind) not in usual:
            if len(usual) >= _USUAL:
                usual.clear()
                predictors[0].forget()
                predictors[1].forget()
            usual[id(kind)] = predictor_for(mode).routes_for(kind), kind

    def was_shown(exception: BaseException) -> bool:
        """Tell whether an exception has stopped, and was let go on by the user."""
        known = seen.get(id(exception))
        return known is not None and known[2] == _SETTLED and _came_through(exception.__traceback__, known[0], known[1], _SETTLED)

    def decide(exception: BaseException, frame: FrameType, state: TrapState) -> Answer:
        if is_instance(exception, BaseExceptionGroup) and all(map(was_shown, leaves(exception))):  # an `except*` made it of them
            remember(exception, frame, None)
            return None
        mode = policy.mode_of(type(exception))
        if mode is StopMode.RAISED:
            traceback = exception.__traceback__
            leaves_raiser = state.leaves and (traceback is None or not _came_through_user_code(traceback))
            verdict = Verdict(Outcome.UNKNOWN, None, "", None)
        else:
            leaves_raiser = False
            verdict = predictor_for(mode).predict(exception, frame, None if state.leaves else state.handler, state.exits)
        is_last = verdict.outcome is Outcome.UNKNOWN and not _has_trap_outward(frame)
        if not policy.stops(type(exception), verdict, leaves_raiser, is_last):
            if verdict.outcome is Outcome.HANDLED:
                remember(exception, frame, verdict.catcher)
            return None
        late = _late(exception)
        remember(exception, frame, None)
        if lets_go(exception, frame):
            return None
        answer = serve(exception, frame, state, late)
        if answer is not None:
            seen.pop(id(answer[0]), None)  # an exception that is raised here for the first time
            seen.pop(id(exception), None)  # one that is no longer on its way
        forget()
        return answer

    def forget() -> None:
        """Drop what is remembered of code: a frame that goes on in the middle has code of its own each time."""
        nonlocal flying, left_code, route, last_kind
        flying, left_code, route, last_kind = 0, None, (), _NO_TYPE
        usual.clear()
        predictors[0].forget()
        predictors[1].forget()
        forget_ways()

    def remember(exception: BaseException, frame: FrameType, catcher: FrameType | None) -> None:
        if len(seen) >= _REMEMBERED:
            seen.clear()
        traceback = exception.__traceback__
        noted = _thrown_from(exception, frame) or (frame if traceback is None else traceback.tb_frame)
        seen[id(exception)] = [noted.f_code, id(noted), _SETTLED if catcher is None else id(catcher)]

    hook.__code__ = uninterrupted(hook.__code__)
    return hook


def _is_simple(exception: BaseException, traceback: TracebackType, code: CodeType) -> bool:
    """Tell whether an exception neither left a frame that took over nor may have to do with a signal."""
    return traceback.tb_frame.f_code is code and traceback.tb_lasti < original_end(code) and exception.__context__ is None


def _failed_in_takeover(traceback: TracebackType, frame: FrameType) -> bool:
    """Tell whether what failed is not the program's own instruction, but the takeover of a frame that has handed over."""
    return traceback.tb_frame is frame and traceback.tb_lasti >= original_end(frame.f_code)


def _is_thrown_in(frame: FrameType, known: int) -> bool:
    """Tell whether the frame that was noted last is still on the stack: its exception was thrown into a generator, and comes back."""
    back = frame.f_back
    for _ in range(_THROWN_THROUGH):
        if back is None:
            return False
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


def _came_through(traceback: TracebackType | None, code: CodeType, frame_id: int, catcher: int) -> bool:
    """Tell whether an exception has left the frame whose trap was the last to be called with it, and not yet that of its handler."""
    while traceback is not None:
        frame = traceback.tb_frame
        if id(frame) == catcher:
            return False
        if frame.f_code is code and id(frame) == frame_id:
            return True
        traceback = traceback.tb_next
    return False


def _hide_shell(exception: BaseException, frame: FrameType) -> None:
    """Take the entries of the frame that only handed over, and of ours behind it, out of the traceback.

    What the frame raised itself, before it handed over, stays.
    """
    traceback = exception.__traceback__
    end = original_end(frame.f_code)
    while traceback is not None and ((traceback.tb_frame is frame and traceback.tb_lasti >= end) or is_ours(traceback.tb_frame)):
        traceback = traceback.tb_next
    exception.__traceback__ = traceback  # None for the group that an `except*` has made anew: it gets an entry in the next frame


def _came_through_user_code(traceback: TracebackType) -> bool:
    """Tell whether an exception has left another trapped frame before it came here."""
    inner = traceback.tb_next
    while inner is not None:
        if is_trapped(inner.tb_frame.f_code):
            return True
        inner = inner.tb_next
    return False


def _has_trap_outward(frame: FrameType) -> bool:
    """Tell whether a caller has traps that are still its own."""
    back = frame.f_back
    while back is not None:
        if is_trapped(back.f_code) and not is_shell(back):
            return True
        back = back.f_back
    return False


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
