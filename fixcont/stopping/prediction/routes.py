"""The ways by which exceptions went to their handlers before: where the same stack is met again, nothing needs to be worked out.

For exceptions that are raised and handled over and over this is the whole cost, so it is written for speed.
"""

from __future__ import annotations

from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any, Final, NamedTuple

from fixcont.stopping.prediction.boundary import is_odd
from fixcont.stopping.prediction.values import BUILTINS, GLOBALS, MISSING, TypeOf
from fixcont.stopping.prediction.verdicts import End, Passage

Facts = tuple[tuple[Any, str, object], ...]


#: What a frame at one place does to exceptions of one type: (the frame's code, kept alive so that its id stays its own;
#: whether the caller must look at this callee; the only callee for which the answer holds, or None for all that are not odd;
#: what must still hold, or None; what it does, or None where the exception just goes on).
Answer = tuple[CodeType, bool, CodeType | None, Facts | None, Passage | None]
Answers = dict[int, Answer]
#: A frame on the way: its code, the byte offset of the instruction that it executes, what must still hold, or None.
Step = tuple[CodeType, int, Facts | None]
#: The callers of a frame that an exception leaves, to the one that handles it.
Route = tuple[Step, ...]

_HANDLED: Final = End.HANDLED
_ROUTES: Final = 1024


class Routes(NamedTuple):
    """What is remembered for exceptions of one type.

    Attributes:
        answer_at: finds the answer of a frame, by the id of its code + f_lasti.
        known: by the id of the code of the frame that an exception left: that code, kept alive, and the route taken last.
    """

    answer_at: Callable[[int], Answer | None]
    known: dict[int, tuple[CodeType, Route]]


def route_of(routes: Routes, frame: FrameType, code: CodeType) -> Route | None:
    """Return the way of an exception which is about to leave `frame` and is surely handled.

    Answers from what is remembered only, without looking at anything of the debuggee but globals, and gives None as soon as
    that does not do: then ask `Predictor.predict`.

    Args:
        routes: of the exception's type, from `Predictor.routes_for`.
        frame: the frame that the exception leaves.
        code: its code.
    """
    _, recall = routes
    known = recall.get(id(code))
    if known is not None:
        _, route = known
        back = frame
        for expected, lasti, facts in route:
            caller = back.f_back
            if caller is None or caller.f_code is not expected or caller.f_lasti != lasti:
                break
            back = caller
            if facts is not None:
                where, name, value = facts[0]
                if len(facts) > 1 or where is not BUILTINS:
                    if not hold(facts, back):
                        break
                elif name in back.f_globals or back.f_builtins.get(name) is not value:  # the usual case, without a call
                    break
        else:
            return route
    return _find_route(routes, frame)


def _find_route(routes: Routes, frame: FrameType) -> Route | None:
    """Put a route together from the answers of its frames."""
    steps: list[Step] = []
    callee = frame.f_code
    odd = is_odd(callee)
    back = frame.f_back
    while back is not None:
        code = back.f_code
        answer = routes.answer_at(id(code) + back.f_lasti)
        if answer is None:
            return None
        _, next_is_odd, wanted, facts, passage = answer
        if odd if wanted is None else wanted is not callee:
            return None
        if facts is not None and not hold(facts, back):
            return None
        steps.append((code, back.f_lasti, facts))
        if passage is not None:
            if passage.end is not _HANDLED or passage.doubt or passage.library_doubt:
                return None
            if len(routes.known) >= _ROUTES:
                routes.known.clear()
            route = tuple(steps)
            routes.known[id(frame.f_code)] = frame.f_code, route
            return route
        callee = code
        odd = next_is_odd
        back = back.f_back
    return None


def hold(facts: Facts, frame: FrameType) -> bool:
    """Tell whether the names that an answer depends on still have the same values."""
    variables = frame.f_globals
    try:
        for where, name, value in facts:
            if where is BUILTINS:
                if name in variables:
                    return False
                found = frame.f_builtins[name]
            elif where is GLOBALS:
                found = variables[name]
            else:
                found = where.get(name, MISSING)
            if found is not value and not (type(value) is TypeOf and type(found) is value.kind):
                return False
    except KeyError:
        return False
    return True
