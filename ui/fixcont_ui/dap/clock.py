"""The clock, whatever the program does to its own.

Tests of programs stop `time.monotonic` and the others, in every module that has a name for them: so they are kept in a class, which is loaded
before the program.
"""

from __future__ import annotations

import time
from typing import Final


class _Clock:
    monotonic: Final = staticmethod(time.monotonic)
    sleep: Final = staticmethod(time.sleep)
    used: Final = staticmethod(time.thread_time)
    now: Final = staticmethod(time.time)


CLOCK: Final = _Clock()
