"""The program's threads: who they are, told without making `threading` know of one that it does not."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Collection
from types import CodeType, FrameType
from typing import Any, NamedTuple

from fixcont.continuing.unwinding import is_ours, is_shell


class ThreadInfo(NamedTuple):
    """One of the program's threads."""

    ident: int
    name: str


class Running(NamedTuple):
    """An activation in a thread that runs: it may have ended already."""

    code: CodeType
    line: int
    is_user: bool


def list_threads(ours: Collection[int]) -> list[ThreadInfo]:
    """List the threads that run Python code, the main one first.

    Args:
        ours: idents of threads of fixcont's own, which are left out.
    """
    idents = [ident for ident in sys._current_frames() if ident not in ours]
    return [ThreadInfo(ident, name_of(ident)) for ident in sorted(idents, key=lambda ident: (not is_main(ident), ident))]


def running_frames(ident: int, is_user: Callable[[FrameType], bool]) -> list[Running]:
    """Give the stack of a thread as it is at this moment, innermost first, without what is fixcont's own; for looking at only."""
    found = []
    frame = sys._current_frames().get(ident)
    while frame is not None:
        if not is_ours(frame) and not is_shell(frame):
            found.append(Running(frame.f_code, frame.f_lineno or frame.f_code.co_firstlineno, is_user(frame)))
        frame = frame.f_back
    return found


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
