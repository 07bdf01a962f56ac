"""The step that a thread is in the middle of: which frame it follows, and what ends it."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from threading import Thread
from types import CodeType, FrameType
from typing import TYPE_CHECKING

from fixcont.bytecode import interpreter
from fixcont.bytecode.interpreter import OPCODE
from fixcont.bytecode.stubs import FILENAME, HOOK_NAME
from fixcont.continuing.unwinding import is_ours, is_shell
from fixcont.continuing.ways import StepKind
from fixcont.stopping.stop import StopReason

if TYPE_CHECKING:
    from fixcont.stepping.targets import StepTarget

_MOST_RETURNED = 20
_AFTER_AWAIT = 3  # RESUME's argument


class Following:
    """One thread's step.

    Attributes:
        kind: how far it goes.
        frame: whose lines count; None until the awaited one has begun. The frame is kept alive only as long as it runs.
        anywhere: for a pause, all of the user's code that the thread runs counts: id -> code object, as it is met; else None.
        thread: for a pause, the thread, if `threading` knows it: another one may get its ident.
        line: for `StepKind.UNTIL`, the first line that counts.
        awaits: tells whether a frame that begins is the one to stop in.
        deferred: raised in the frame as it begins a line. What is raised as a function is called does not find the function's own handlers.
        reason: of the stop that ends it.
        target: the only call of the frame to go into, or None for all.
        collected: id -> code object of functions that the frame calls, if what they return is wanted; else None.
        returned: what they returned, with their names.
    """

    __slots__ = (
        "anywhere", "at_edges", "awaits", "collected", "deferred", "everywhere", "frame", "kind", "line", "reason", "returned", "target", "thread",
    )  # fmt: skip

    def __init__(
        self,
        kind: StepKind,
        frame: FrameType | None,
        line: int | None = None,
        *,
        everywhere: bool = False,
        at_edges: bool = False,
        awaits: Callable[[FrameType], bool] | None = None,
        deferred: BaseException | None = None,
        reason: StopReason = StopReason.STEP,
        target: StepTarget | None = None,
        collects: bool = False,
    ) -> None:
        self.kind = kind
        self.frame = frame
        self.line = line
        self.everywhere = everywhere
        self.at_edges = at_edges
        self.awaits = awaits
        self.deferred = deferred
        self.reason = reason
        self.target = target
        self.collected: dict[int, CodeType] | None = {} if collects else None
        self.returned: tuple[tuple[str, object], ...] = ()
        self.anywhere: dict[int, CodeType] | None = None
        self.thread: weakref.ref[Thread] | None = None

    @classmethod
    def pause(cls, thread: Thread | None) -> Following:
        """Return what stops a thread at its next line of the user's own code, in whatever function."""
        step = cls(StepKind.INTO, None, reason=StopReason.INTERRUPT)
        step.anywhere = {}
        step.thread = weakref.ref(thread) if thread is not None else None
        return step

    def concerns(self, frame: FrameType) -> bool:
        """Tell whether the lines of a frame count."""
        return self.frame is frame or (self.anywhere is not None and id(frame.f_code) in self.anywhere)

    def is_at_target(self) -> bool:
        """Tell whether the frame makes a call that is to be gone into."""
        return self.target is None or (self.frame is not None and self.frame.f_lasti in self.target.offsets)

    def collects_from(self, frame: FrameType) -> bool:
        """Tell whether it is wanted what a frame returns that the one which is stepped through has called."""
        return self.collected is not None and self.frame is not None and frame.f_back is self.frame and not _is_generator(frame)

    def collect(self, frame: FrameType, value: object) -> None:
        """Note what a frame returns."""
        if self.collected is not None and not _is_generator(frame):
            self.returned = (*self.returned[1 - _MOST_RETURNED :], (frame.f_code.co_qualname, value))

    def codes(self) -> list[CodeType]:
        """Return the code objects whose lines are to be watched."""
        if self.anywhere is not None:
            return list(self.anywhere.values())
        return [self.frame.f_code] if self.frame is not None else []

    def watches(self, code: CodeType) -> bool:
        """Tell whether the lines of a code object are to be watched."""
        return (self.frame is not None and self.frame.f_code is code) or (self.anywhere is not None and id(code) in self.anywhere)

    def watches_return(self, code: CodeType) -> bool:
        """Tell whether it is to be watched what a code object returns, though its lines are not."""
        return self.collected is not None and id(code) in self.collected

    @property
    def enters(self) -> bool:
        """Whether it matters which functions begin."""
        return self.awaits is not None or (self.kind is StepKind.INTO and self.deferred is None)

    @property
    def interrupts(self) -> bool:
        """Whether it ends where Ctrl-C or a pause has come."""
        return self.reason is StopReason.INTERRUPT

    def takes(self, line: int) -> bool:
        """Tell whether a line of the frame ends the step."""
        if self.kind is StepKind.UNTIL:
            return self.line is None or line >= self.line
        if self.target is not None and self.target.lines[0] <= line <= self.target.lines[1]:
            return False  # the call may be still to come
        return self.kind is not StepKind.OUT

    def may_stop_in(self, frame: FrameType, is_user: Callable[[FrameType], bool]) -> bool:
        """Tell whether the code of a frame can be stepped through: the user's own, or library code if that was asked for."""
        if is_user(frame):
            return True
        return self.everywhere and not is_hidden(frame)

    def comes_from(self, frame: FrameType) -> bool:
        """Tell whether a frame was called, by whatever steps, from the one that is stepped through."""
        back = frame.f_back
        while back is not None:
            if back is self.frame:
                return True
            back = back.f_back
        return False

    def caller(self, frame: FrameType, is_user: Callable[[FrameType], bool]) -> FrameType | None:
        """Return the frame in which a step goes on when `frame` ends; None where there is none."""
        back = frame.f_back
        while back is not None and (is_shell(back) or not self.may_stop_in(back, is_user)):
            back = back.f_back
        return back


def _is_generator(frame: FrameType) -> bool:
    return bool(frame.f_code.co_flags & (interpreter.GENERATOR | interpreter.ASYNC_GENERATOR))


def is_hidden(frame: FrameType) -> bool:
    """Tell whether a frame is of fixcont, of a trap, or of the interpreter's own import machinery."""
    code = frame.f_code
    if code.co_filename == FILENAME or code.co_name == HOOK_NAME or code.co_filename.startswith("<frozen "):
        return True
    return is_ours(frame)


def takes_over(code: CodeType) -> Callable[[FrameType], bool]:
    """Return what tells whether a frame that begins takes over an activation of `code` that has handed over."""
    name, filename = code.co_qualname, code.co_filename

    def tells(frame: FrameType) -> bool:
        if frame.f_code.co_qualname != name or frame.f_code.co_filename != filename:
            return False
        back = frame.f_back
        while back is not None and is_ours(back):
            back = back.f_back
        return back is not None and is_shell(back)

    return tells


def is_waiting(code: CodeType, offset: int) -> bool:
    """Tell whether an instruction that yields is part of an `await`, whose value the program never sees."""
    raw = code.co_code
    for at in range(offset, min(offset + 8, len(raw)), 2):
        if raw[at] == OPCODE["RESUME"]:
            return raw[at + 1] & interpreter.RESUME_KIND_MASK == _AFTER_AWAIT
    return False
