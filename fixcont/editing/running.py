"""What code runs right now: in the frames of all threads, and in generators and coroutines that wait."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterable
from types import AsyncGeneratorType, CodeType, CoroutineType, FrameType, GeneratorType
from typing import Any

from fixcont.bytecode import original


def running_code() -> list[CodeType]:
    """Give the code of all frames that run or wait: those of all threads, and of generators and coroutines."""
    found = [code for code, _ in _on_stacks()]
    for each in gc.get_objects():
        kind = type(each)
        if kind is GeneratorType and each.gi_frame is not None:
            found.append(each.gi_code)
        elif kind is CoroutineType and each.cr_frame is not None:
            found.append(each.cr_code)
        elif kind is AsyncGeneratorType and each.ag_frame is not None:
            found.append(each.ag_code)
    return found


def module_line(filename: str) -> int | None:
    """Give the line at which the statements of a file run right now, None where no module runs that was loaded from it."""
    return next((line for code, line in _on_stacks() if code.co_filename == filename and code.co_name == "<module>"), None)


def is_body_running(filename: str, qualname: str) -> bool:
    """Tell whether the body of a class of a file runs right now."""
    return any(code.co_filename == filename and code.co_qualname == qualname for code, _ in _on_stacks())


def _on_stacks() -> list[tuple[CodeType, int]]:
    """Give the code and the current line of the frames of all threads."""
    found: list[tuple[CodeType, int]] = []
    frames: list[FrameType | None] = [*sys._current_frames().values()]
    while frames:  # emptied, as this frame is among them: a cycle would keep all of their variables alive
        frame = frames.pop()
        while frame is not None:
            found.append((frame.f_code, current_line(frame)))
            frame = frame.f_back
    return found


def is_in_stub(frame: FrameType) -> bool:
    """Tell whether a frame is in a trap, or has handed over to a new activation and waits for it."""
    return original.is_trapped(frame.f_code) and frame.f_lasti >= original.original_end(frame.f_code)


def current_line(frame: FrameType) -> int:
    """Give the line that runs; in a trap, which has no line, the one that failed."""
    if is_in_stub(frame):
        handled: Iterable[Any] = sys._current_exceptions().values()
        for value in handled:
            error = value[1] if type(value) is tuple else value
            entry = error.__traceback__ if error is not None else None
            while entry is not None:
                if entry.tb_frame is frame:
                    return int(entry.tb_lineno)
                entry = entry.tb_next
    return frame.f_lineno or frame.f_code.co_firstlineno
