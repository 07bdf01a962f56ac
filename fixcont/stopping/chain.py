"""An exception, those that led to it, and the frames that each of them has been in."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from fixcont.errors import Refusal

if TYPE_CHECKING:
    from fixcont.stopping.stop import Stop

Entry = TypeVar("Entry")

MOST: Final = 200  # exceptions of one chain
#: Why there is nothing to look at.
NOWHERE: Final = Refusal("no-traceback", "this exception has been nowhere", "look at another one of the chain")
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


def came_from(exception: BaseException) -> tuple[BaseException | None, BaseException | None]:
    """Return the exception that was named by `raise … from`, and the one that was being handled, unless that is suppressed or is the same."""
    cause, context = _cause_of(exception), _context_of(exception)
    return cause, None if context is cause or _suppresses_context(exception) else context


def chain_of(exception: BaseException | None) -> list[BaseException]:
    """Return the exceptions that a traceback report shows: causes, or what was being handled, the earliest first and the given one last.

    `MOST` of them at most.
    """
    found: list[BaseException] = []
    seen: set[int] = set()
    while exception is not None and len(found) < MOST and id(exception) not in seen:
        found.append(exception)
        seen.add(id(exception))
        cause, context = came_from(exception)
        exception = cause if cause is not None else context
    return found[::-1]


def further_out(
    exception: BaseException | None,
    chain: Sequence[BaseException],
    came_through: Callable[[BaseException], Sequence[Entry]],
    call: Callable[[Entry], Hashable],
) -> Sequence[Entry]:
    """Return the frames that were on the stack too when an exception was raised, beyond those that it came through itself.

    Its traceback ends where it was handled. One that was raised later has come through that frame too, and through those further out, which are
    still at the same call.

    Args:
        chain: as by `chain_of`.
        came_through: gives the frames of the traceback of one of them, the innermost first.
        call: gives what is equal for frames that are of the same call; None for one that is of no other frame's.
    """
    later = list(itertools.dropwhile(lambda each: each is not exception, chain))[1:]
    own = came_through(exception) if exception is not None and later else ()
    handled_in = call(own[-1]) if own else None
    for each in later if handled_in is not None else ():
        found = came_through(each)
        at = next((at for at, entry in enumerate(found) if call(entry) == handled_in), None)
        if at is not None:
            return found[at + 1 :]
    return ()


def once(entries: Iterable[Entry], call: Callable[[Entry], Hashable]) -> list[Entry]:
    """Return frames, the innermost first, without those of a call that was there before: it has raised again what it had caught."""
    seen: set[Hashable] = set()
    found = []
    for entry in entries:
        key = call(entry)
        if key is None or key not in seen:
            found.append(entry)
            seen.add(key)
    return found
