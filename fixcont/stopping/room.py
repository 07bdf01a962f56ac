"""Room on the stack for a stop in a program that has used it up: the recursion limit is higher meanwhile.

The limit is one for all threads, and several of them may be held at once. So it goes up for each that needs it, and back to what the program
has set when the last of them is done; a limit that the program, or the user, sets meanwhile stays.
"""

from __future__ import annotations

import sys
from _thread import allocate_lock

_MORE = 1000  # frames
_lock = allocate_lock()
_raised = 0  # how many hold more room now
_own = 0  # the limit as the program has set it, while it is raised; else 0
_ours = 0  # the one that was set here


def more_room() -> bool:
    """Raise the recursion limit. Returns whether it was; then `less_room` is to be called once."""
    global _raised, _own, _ours
    with _lock:
        limit = sys.getrecursionlimit()
        if not _own:
            if not _can_be_limit(limit):
                return False  # it could not be set back from here
            _own = limit
        elif limit != _ours:
            _own = limit
        _raised += 1
        _ours = limit + _MORE
        sys.setrecursionlimit(_ours)
        return True


def less_room() -> None:
    """Set the recursion limit back when nobody needs more any longer. Where the stack is too deep for that, the next stop does it."""
    global _raised, _own
    with _lock:
        _raised -= 1
        # Called as deep as in `more_room`: what was possible there is possible here.
        if not _raised and (sys.getrecursionlimit() != _ours or _can_be_limit(_own)):
            _own = 0


def is_short(depth: int) -> bool:
    """Tell whether a stack of so many frames leaves little room. What is owed since `less_room` is done first."""
    global _own
    with _lock:
        if _own and not _raised and (sys.getrecursionlimit() != _ours or _can_be_limit(_own)):
            _own = 0
    return depth > sys.getrecursionlimit() - 500


def _can_be_limit(limit: int) -> bool:
    """Set the recursion limit, unless the stack is as deep as that. Returns whether it was set."""
    try:
        sys.setrecursionlimit(limit)
    except RecursionError:
        return False
    return True
