"""What a prediction says, and how the answers of frames, blocks and C code combine to it."""

from __future__ import annotations

import enum
from types import FrameType
from typing import Final, NamedTuple


class Outcome(enum.Enum):
    """Whether somebody on the stack will handle the exception."""

    HANDLED = "handled"
    UNHANDLED = "unhandled"
    UNKNOWN = "unknown"


class Verdict:
    """What is expected of an exception in flight. It holds frames: let go of it when the exception was dealt with.

    Attributes:
        outcome: whether the exception will be handled.
        catcher: the frame whose handler takes it, or which called the C code that does. Also set where the handler is a
            library's broad one and does not count. None where nobody takes it, where a task does, and where it is not known.
        cause: a short machine word: what kind of handler or why there is none, "" where nobody on the stack catches anything.
        where: the frame at which it became unknown, None unless the outcome is UNKNOWN.
    """

    __slots__ = ("catcher", "cause", "outcome", "where")

    def __init__(self, outcome: Outcome, catcher: FrameType | None, cause: str, where: FrameType | None) -> None:
        self.outcome = outcome
        self.catcher = catcher
        self.cause = cause
        self.where = where

    def __repr__(self) -> str:
        catcher = self.catcher.f_code.co_qualname if self.catcher is not None else None
        return f"<Verdict {self.outcome.value} {self.cause!r} catcher={catcher}>"


class End(enum.Enum):
    """What becomes of an exception in one frame, one block, or the C code between two frames."""

    PASSES = "passes"
    HANDLED = "handled"
    #: Taken by something broad that is not the user's own: it counts or not, as the mode says.
    LIBRARY = "library"
    #: This frame is no part of the debuggee's stack; the exception goes by.
    ABSENT = "absent"
    #: What lies further out waits for a replay, which ends with the exception.
    OUTERMOST = "outermost"
    #: A task keeps it; whoever waits for the task gets it.
    TASK = "task"


class Passage(NamedTuple):
    """How an exception got through, or did not.

    Attributes:
        end: what becomes of it, as far as is certain.
        cause: why, a machine word.
        doubt: "" or the cause for which it may have been handled on the way.
        library_doubt: whether something broad in a library may have taken it on the way.
        is_joining: whether from here on it may be a member of a group, as what the body of an `except*` raises is where a group is handled,
            or what leaves an `async with` of a task group.
    """

    end: End
    cause: str = ""
    doubt: str = ""
    library_doubt: bool = False
    is_joining: bool = False


PASSES: Final = Passage(End.PASSES)


def handled(cause: str) -> Passage:
    return Passage(End.HANDLED, cause)


def library(cause: str) -> Passage:
    return Passage(End.LIBRARY, cause)


def doubtful(cause: str) -> Passage:
    """Return the passage of what either handles the exception or lets it through."""
    return Passage(End.PASSES, doubt=cause)


def after(first: Passage, then: Passage) -> Passage:
    """Return the passage of an exception that passed `first` and met `then`: doubts add up, the first one gives the cause."""
    if not first.doubt and not first.library_doubt:
        return then
    return then._replace(doubt=first.doubt or then.doubt, library_doubt=first.library_doubt or then.library_doubt)


def joined(as_it_is: Passage, as_member: Passage) -> Passage:
    """Return the passage of an exception that goes on either as it is, or as a member of a group."""
    if as_it_is.end is not as_member.end:
        may_be_library = End.LIBRARY in (as_it_is.end, as_member.end)
        return Passage(End.PASSES, "", "converted", may_be_library, as_member.end is End.PASSES)
    is_joining = as_member.end is End.PASSES
    return after(as_member, as_it_is)._replace(is_joining=is_joining)
