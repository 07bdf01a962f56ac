"""The program's threads: who they are, told without making `threading` know of one that it does not."""

from __future__ import annotations

import threading
from typing import Any


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
