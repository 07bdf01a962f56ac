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
from functools import partial
from types import FrameType
from typing import Any, NamedTuple

from fixcont.bytecode import original
from fixcont.errors import Unwinding

#: What the hook answers: None to go on, else (exception to put in place or None, callable that takes the frame over or None).
Answer = tuple[BaseException | None, Callable[[], Any] | None] | None


class Release(tuple[None, Callable[[], Any]]):
    """An answer that hands over, and with it what the frame lets go of.

    The trap takes it apart, and it is gone: so destructors run, and generators end, in the debuggee's own frame and not in the hook, where
    a failure of theirs would not be seen.

    Attributes:
        objects: what is let go of.
    """

    objects: list[Any]


def releasing(takeover: Callable[[], Any], objects: list[Any]) -> Answer:
    """Return the answer that hands over to `takeover` and lets go of objects."""
    answer = Release((None, takeover))
    answer.objects = objects
    return answer


class TrapState(NamedTuple):
    """What a trap says of the frame that it is in.

    Attributes:
        layout: the kinds of the items of open blocks on the stack, bottom first; see `fixcont.bytecode.stack`.
        handler: byte offset of the handler in front of which the trap stands, -1 where the exception is about to leave the frame.
        retry: byte offset of the handler whose clauses did not match, to which an exception put in place goes; -1 where there is none.
        stack: those items of the layout that are objects.
        handled: the exception that was being handled when the one in flight came up, or None.
        cells: the cells of the frame's captured variables, as `reentry.named_cells` takes them.
    """

    layout: str
    handler: int
    retry: int
    stack: tuple[Any, ...]
    handled: BaseException | None
    cells: tuple[Any, ...]

    @property
    def leaves(self) -> bool:
        """Whether the exception is about to leave the frame."""
        return self.handler < 0

    @property
    def exits(self) -> list[Any]:
        """The exits of the open `with` blocks, innermost last."""
        if "w" not in self.layout:
            return []
        kinds = [kind for kind in self.layout if kind not in "snl"]
        return [item for kind, item in zip(kinds, self.stack, strict=True) if kind == "w"]


#: Called in a trap of the target.
Arrival = Callable[[FrameType, TrapState], Answer]


class Signal(Unwinding):
    """On its way to a frame.

    Attributes:
        target: the frame at whose trap it arrives.
        arrival: what to do there.
        replaced: the exception in whose place it was put, or None.
        keeps_blocks: whether it arrives at the first trap of the target, before anything of that unwinds; else at the outermost.
        takeover: what the shell of the target is to hand over to, once the target has unwound.
    """

    def __init__(
        self, target: FrameType, arrival: Arrival, replaced: BaseException | None, *, keeps_blocks: bool = False
    ) -> None:
        super().__init__()
        self.target = target
        self.arrival = arrival
        self.replaced = replaced
        self.keeps_blocks = keeps_blocks
        self.takeover: Callable[[], Any] | None = None


def continue_unwinding(signal: Signal, frame: FrameType, state: TrapState) -> Answer:
    """Answer a trap of `frame` that a signal has reached."""
    if signal.target is not frame or not (state.leaves or (signal.keeps_blocks and signal.takeover is None)):
        return None
    if signal.takeover is not None:  # the shell of the frame that was meant
        takeover, signal.takeover = signal.takeover, None
        return None, takeover
    answer = signal.arrival(frame, state)
    shell = shell_of(frame)
    if shell is None or answer is None or answer[1] is None:
        return answer
    signal.takeover = answer[1]
    signal.target = shell
    if signal.keeps_blocks:  # the frame gives them up without their exits; then it raises the signal, and unwinds
        return releasing(partial(_raise, signal), [answer])
    return None


def _raise(signal: Signal) -> Any:
    try:
        raise signal
    finally:
        del signal  # its traceback has this frame: a cycle that would keep all frames and their variables


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
    return original.has_handed_over(frame.f_code, frame.f_lasti)


def is_ours(frame: FrameType) -> bool:
    """Tell whether a frame runs code of fixcont itself."""
    name = frame.f_globals.get("__name__")
    return type(name) is str and name.partition(".")[0] in _OWN_PACKAGES
