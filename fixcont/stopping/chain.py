"""An exception, and those that led to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from fixcont.stopping.stop import Stop

_MOST: Final = 200
# Not by attribute: a class of the program may have ideas of its own.
_cause_of = BaseException.__dict__["__cause__"].__get__
_context_of = BaseException.__dict__["__context__"].__get__
_suppresses_context = BaseException.__dict__["__suppress_context__"].__get__


class Chain(Protocol):
    """The exceptions that led to that of a stop, and the stops that there are at their frames.

    Attributes:
        exceptions: as by `chain_of`.
    """

    @property
    def exceptions(self) -> Sequence[BaseException]: ...

    def stop_of(self, exception: BaseException) -> Stop:
        """Give the stop at the frames that one of them has been in. Raises `Refused` ("no-traceback") where it was never raised."""


def chain_of(exception: BaseException | None) -> list[BaseException]:
    """Return the exceptions that a traceback report shows: causes, or what was being handled, the earliest first and the given one last.

    200 of them at most.
    """
    found: list[BaseException] = []
    while exception is not None and len(found) < _MOST and all(each is not exception for each in found):
        found.append(exception)
        cause = _cause_of(exception)
        hides = _suppresses_context(exception)
        exception = cause if cause is not None or hides else _context_of(exception)
    return found[::-1]
