"""The program's threads: who they are, and what they run, told without making `threading` know of one that it does not."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any, NamedTuple

from fixcont.bytecode.stubs import FILENAME, HOOK_NAME
from fixcont.continuing.unwinding import is_ours, is_shell

#: What started the program, and what lies further out, is not the program's.
RUNNER = "fixcont.loading.runner"
#: The same, and what has started a replay.
RUNNERS = (RUNNER, "fixcont.postmortem.running")


class ThreadInfo(NamedTuple):
    """A thread of the program.

    Attributes:
        ident: as `threading.get_ident` gives it in that thread.
        name: its name.
        is_main: whether it is the main thread.
    """

    ident: int
    name: str
    is_main: bool


class RunningFrame(NamedTuple):
    """An activation in a thread that runs on: where it was a moment ago. It holds no frame.

    Attributes:
        code: what it runs.
        line: the line, in the frame's own version of the text.
        is_user: whether the file is in the user's scope.
    """

    code: CodeType
    line: int
    is_user: bool


def threads() -> list[ThreadInfo]:
    """Return the threads that run Python code now, the main thread first, then by their start; without those of fixcont.

    A thread that has not begun yet, or has ended, is not there.
    """
    running = sys._current_frames()
    found = [ThreadInfo(ident, name_of(ident), is_main(ident)) for ident, frame in running.items() if not _is_own(ident, frame)]
    del running  # this frame is in it: a cycle would keep the variables of the whole stack alive
    known: dict[int, Any] = getattr(threading, "_active", {})
    order = {ident: number for number, ident in enumerate(known.copy())}  # those that `threading` does not know come last
    return sorted(found, key=lambda each: (not each.is_main, order.get(each.ident, len(order)), each.ident))


def running_frames(ident: int, is_user: Callable[[FrameType], bool]) -> list[RunningFrame]:
    """Return what a thread runs, innermost first, as a stop would show it; [] where there is no such thread.

    The thread runs on meanwhile, so this is for looking only.
    """
    found: list[RunningFrame] = []
    frame = sys._current_frames().get(ident)
    while frame is not None and frame.f_globals.get("__name__") != RUNNER:
        if not is_ours(frame) and not is_shell(frame) and not _is_of_trap(frame.f_code):
            found.append(RunningFrame(frame.f_code, frame.f_lineno or frame.f_code.co_firstlineno, is_user(frame)))
        frame = frame.f_back
    while len(found) > 1 and found[-1].code.co_filename.startswith("<frozen runpy"):
        found.pop()
    return found


def _is_own(ident: int, innermost: FrameType) -> bool:
    """Tell whether a thread was started by fixcont: what `threading` calls first in it is fixcont's."""
    if is_main(ident):
        return False
    first: FrameType | None = None
    frame: FrameType | None = innermost
    while frame is not None:
        if frame.f_globals.get("__name__") != "threading":
            first = frame
        frame = frame.f_back
    return first is not None and is_ours(first)


def _is_of_trap(code: CodeType) -> bool:
    return code.co_filename == FILENAME or code.co_name == HOOK_NAME


def thread_of(ident: int) -> threading.Thread | None:
    """Return the thread with an ident; None for one that `threading` does not know.

    `threading.current_thread` would make an object for one that was started by `_thread`, which the program could see.
    """
    known: dict[int, Any] = getattr(threading, "_active", {})
    found = known.get(ident)
    return found if isinstance(found, threading.Thread) else None


def name_of(ident: int) -> str:
    """Return the name of the thread with an ident; that of one which `threading` does not know is made of its ident."""
    thread = thread_of(ident)
    return thread.name if thread is not None else f"Thread-{ident}"


def is_main(ident: int) -> bool:
    """Tell whether an ident is that of the main thread."""
    return threading.main_thread().ident == ident
