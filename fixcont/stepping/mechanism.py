"""What watches the running program for breakpoints and steps: what the engine wants of it, and which one is taken."""

from __future__ import annotations

from types import CodeType, FrameType
from typing import TYPE_CHECKING, Protocol

from fixcont.bytecode import interpreter
from fixcont.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Collection

    from fixcont.stepping.breakpoints import Spot
    from fixcont.stepping.steps import Following


class Watched(Protocol):
    """What a mechanism asks and tells: the engine's side of it.

    Attributes:
        steps: ident of a thread -> its step.
        busy: idents of the threads in which fixcont is at work; nothing stops there.
        stops: changes with each stop.
        version: changes with the breakpoints.
    """

    steps: dict[int, Following]
    stops: int
    version: int

    @property
    def busy(self) -> Collection[int]: ...
    @property
    def has_points(self) -> bool:
        """Whether a breakpoint is enabled."""

    def spots_in(self, code: CodeType) -> dict[int, Spot]:
        """Return the enabled breakpoints in a code object by line."""

    def at_line(self, frame: FrameType, line: int, spot: Spot | None) -> None:
        """A frame begins a line that has breakpoints, or is stepped through. As all the others it may raise what the frame is to raise."""

    def at_jump_back(self, frame: FrameType, destination: int) -> None:
        """A frame in which the thread is to be interrupted jumps back, to this byte offset. A loop on one line begins no line."""

    def at_call(self, frame: FrameType) -> None:
        """A frame begins, in a thread with a step."""

    def at_resumption(self, frame: FrameType) -> None:
        """A generator or coroutine goes on, in a thread with a step."""

    def at_return(self, frame: FrameType, value: object) -> None:
        """The frame that is stepped through is about to return a value."""

    def at_yield(self, frame: FrameType, offset: int) -> None:
        """The frame that is stepped through is about to yield or to wait, at this byte offset."""

    def at_unwinding(self, frame: FrameType) -> None:
        """An exception leaves the frame that is stepped through."""


class Mechanism(Protocol):
    """Watches the program, with as little as is wanted at the moment: nothing if there is neither a breakpoint nor a step.

    Attributes:
        reason: why this mechanism, for people.
    """

    @property
    def reason(self) -> str: ...

    def refusal(self) -> Refusal | None:
        """Tell why it cannot watch now, in this thread."""

    def update(self) -> None:
        """Watch for what is wanted now: breakpoints were changed, or a step has begun or is over."""

    def pause_refusal(self, ident: int) -> Refusal | None:
        """Tell why it cannot watch the thread with an ident, which may be another one."""

    def follow(self, frame: FrameType, ident: int = 0) -> None:
        """Watch a frame that a step has come to; of the thread with an ident, else of the calling one."""

    def close(self) -> None:
        """Watch nothing any more."""


def choose(watched: Watched) -> Mechanism:
    """Return the mechanism for this interpreter."""
    if interpreter.HAS_MONITORING:
        from fixcont.stepping.monitoring import Monitoring

        return Monitoring(watched)
    from fixcont.stepping.tracing import Tracing

    return Tracing(watched)
