"""What is on the heap for pytest's sake, out of the way of searches of the heap.

An install looks for the functions of a file among all objects of the process. In a test process most of these are pytest's, and what thousands of
tests have left: a search takes ten times as long as in a program, and there are many in each test.
"""

from __future__ import annotations

import gc

from fixcont.bytecode import interpreter

#: As in any program.
FROZEN_AT_START = interpreter.FROZEN_AT_START


def set_aside() -> None:
    """Take all objects that there are out of the collector's sight. What is made from now on is seen; nothing else changes for the engine."""
    gc.collect()
    gc.freeze()
    vars(interpreter)["FROZEN_AT_START"] = gc.get_freeze_count()  # nothing of a program is among them


def put_back() -> None:
    """Let everything be seen again, until the next file of tests."""
    gc.unfreeze()
    vars(interpreter)["FROZEN_AT_START"] = FROZEN_AT_START
