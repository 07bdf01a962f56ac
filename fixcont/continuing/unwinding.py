"""Carrying a decision outward: the frames above a target unwind as Python unwinds, then the target's trap acts on it.

The problem: a frame that is not at a trap cannot be told anything. What can be done is to raise.

Solution: the trap at which the thread stopped puts an `Unwinding` in the place of the exception. It unwinds frame by frame: `finally`
blocks and `with` exits run in the debuggee's own thread. Each trap on the way is called with it and lets it pass; the outermost trap
of the target frame answers with what is to be done.

Restarted frames don't pile up: the frame that gives up its blocks and hands over (the shell) stays on the stack below the new
activation. When that one is restarted in its turn, the signal passes through it to the shell, which hands over anew.

Things that don't work: raising through C code that swallows every exception, and through `except:` that does not raise again. Both are
looked for before anything is touched (`fixcont.continuing.checks`).
"""

from __future__ import annotations

from collections.abc import Callable
from types import FrameType
from typing import Any

from fixcont.bytecode import original
from fixcont.errors import Unwinding

#: What the hook answers: None to go on, else (exception to put in place or None, callable that takes the frame over or None).
Answer = tuple[BaseException | None, Callable[[], Any] | None] | None
#: Called in the target's outermost trap with the frame, the items of its open blocks and its cells.
Arrival = Callable[[FrameType, tuple[Any, ...], tuple[Any, ...]], Answer]


class Signal(Unwinding):
    """On its way to a frame.

    Attributes:
        target: the frame at whose outermost trap it arrives.
        arrival: what to do there.
        replaced: the exception in whose place it was put, or None.
        takeover: what the shell of the target is to hand over to, once the target has unwound.
    """

    def __init__(self, target: FrameType, arrival: Arrival, replaced: BaseException | None) -> None:
        super().__init__()
        self.target = target
        self.arrival = arrival
        self.replaced = replaced
        self.takeover: Callable[[], Any] | None = None


def continue_unwinding(signal: Signal, frame: FrameType, leaves: bool, stack: tuple[Any, ...], cells: tuple[Any, ...]) -> Answer:
    """Answer a trap that a signal has reached.

    Args:
        frame: the trap's frame.
        leaves: whether the exception is about to leave the frame.
        stack: the items of the frame's open blocks.
        cells: the frame's captured variables.
    """
    if signal.target is not frame or not leaves:
        return None
    if signal.takeover is not None:  # the shell of the frame that was meant
        takeover, signal.takeover = signal.takeover, None
        return None, takeover
    answer = signal.arrival(frame, stack, cells)
    shell = shell_of(frame)
    if shell is None or answer is None or answer[1] is None:
        return answer
    signal.takeover = answer[1]
    signal.target = shell
    return None


def shell_of(frame: FrameType) -> FrameType | None:
    """Return the frame that handed over to `frame`, or None."""
    back = frame.f_back
    while back is not None and is_ours(back):
        back = back.f_back
    return back if back is not None and is_shell(back) else None


#: The engine, and the front ends beside it.
_OWN_PACKAGES = ("fixcont", "fixcont" + "_ui")


def is_shell(frame: FrameType) -> bool:
    """Tell whether a frame has given up its blocks and only waits for the activation that it handed over to."""
    return original.is_trapped(frame.f_code) and frame.f_lasti >= original.original_end(frame.f_code)


def is_ours(frame: FrameType) -> bool:
    """Tell whether a frame runs code of fixcont itself."""
    name = frame.f_globals.get("__name__")
    return type(name) is str and name.partition(".")[0] in _OWN_PACKAGES
