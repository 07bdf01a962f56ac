"""What arrives in the frame that a signal was sent to: a restart, a value to be returned, an exception that leaves it."""

from __future__ import annotations

from _thread import get_ident
from types import CodeType, FrameType
from typing import Any

from fixcont.bytecode import interpreter
from fixcont.continuing import arguments, checks, reentry
from fixcont.continuing.checks import Versions
from fixcont.continuing.unwinding import Answer, TrapState, releasing
from fixcont.errors import Quit
from fixcont.stopping.interrupt import end_main_thread
from fixcont.stopping.threads import is_main


def nothing(frame: FrameType, state: TrapState) -> Answer:
    """Arrives nowhere: for signals that are never raised."""
    return None


class Restart:
    """Arrives in the frame that is to be restarted."""

    def __init__(self, versions: Versions, frame: FrameType) -> None:
        self._versions = versions
        self._code = versions.newest(frame.f_code).code or frame.f_code
        # Now: what leads to them may be gone when the frames in between have unwound.
        self._captured = versions.captured(frame, self._code)

    def __call__(self, frame: FrameType, state: TrapState) -> Answer:
        return self._handing_over(frame, self._code, state)

    def _handing_over(self, frame: FrameType, code: CodeType, state: TrapState) -> Answer:
        cells = reentry.captured_cells(frame.f_code, state.cells) | dict(self._captured.cells)
        if not code.co_flags & interpreter.OPTIMIZED:
            if checks.is_class_body(code):
                return None, reentry.executing_class(code, frame, cells)
            return None, reentry.executing_module(code, frame)
        given = arguments.at_entry(frame, state.stack)
        function = self._versions.function(frame, code) if arguments.unbound(code, frame.f_code, None) else None
        takeover = reentry.calling(code, frame, given, cells, function, self._captured.copies)
        return releasing(takeover, reentry.forget_variables(frame))


class Return:
    """Arrives in the frame that is to return a value."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def __call__(self, frame: FrameType, state: TrapState) -> Answer:
        return None, reentry.returning(self._value, reentry.kind_flags(frame.f_code))


class ThrowBehind:
    """Arrives in the frame above the one in which an exception is to be raised: it leaves in place of the signal."""

    def __init__(self, exception: BaseException) -> None:
        self._exception = exception

    def __call__(self, frame: FrameType, state: TrapState) -> Answer:
        self._exception.__traceback__ = None  # the caller's entry is put there by the interpreter
        return self._exception, None


def quitting() -> Quit:
    """Return what ends the program. From another thread than the main one, that one is ended as well."""
    if not is_main(get_ident()):
        end_main_thread()
    return Quit(1)
