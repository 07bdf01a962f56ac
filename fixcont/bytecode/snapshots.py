"""The snapshot of a function's variables that reading `f_locals` leaves in a frame where `f_locals` does not write through."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

from fixcont.bytecode import interpreter

#: References to a snapshot that nobody but its frame has: the frame's, that of the variable here, and that of the argument.
_UNSHARED = 3


def forget_snapshot(frame: FrameType) -> None:
    """Empty the snapshot of a function's variables that `f_locals` leaves in the frame, unless somebody holds it.

    It would keep all objects alive until the frame ends, and with an exception among them, in a cycle, until the collector comes.
    While a trace function runs it must stay, since it is written back to the frame.
    """
    if interpreter.LOCALS_WRITE_THROUGH or not frame.f_code.co_flags & interpreter.OPTIMIZED or sys.gettrace() is not None:
        return
    mapping: Any = frame.f_locals
    if type(mapping) is dict and sys.getrefcount(mapping) <= _UNSHARED:
        mapping.clear()
