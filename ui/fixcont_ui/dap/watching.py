"""Which of the program's files have changed on disk.

They are looked at by name and time only, a few times in a second, and less often the longer that takes: the program shall not notice.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from fixcont_ui.dap.loop import Loop, Timer

_OFTEN: Final = 0.2  # seconds
_SETTLES: Final = 0.03  # seconds in which a file that changes must not change again: it may not be written whole yet
_SHARE: Final = 500  # what a look takes is at most the 500th part of the time
#: Nanoseconds by which the clock of a file system may be behind that of the program.
_BEHIND: Final = 50_000_000
#: When a file was written, and its size.
Signature = tuple[int, int]


class Watcher:
    """Looks at files, in the thread of a loop.

    Args:
        filenames: gives the names of the files.
        changed: called with the names of those that are not as they were.
    """

    def __init__(self, loop: Loop, filenames: Callable[[], Iterable[str]], changed: Callable[[Sequence[str]], None]) -> None:
        self._loop = loop
        self._filenames = filenames
        self._changed = changed
        self._known: dict[str, Signature | None] = {}
        self._looked: int | None = None  # the time of the last look, in nanoseconds
        self._unsettled: set[str] = set()  # names of files that have changed and may be in the middle of it
        self._timer: Timer | None = None

    def start(self) -> None:
        """Begin to look. What changed before counts as it is."""
        if self._timer is None:
            self._look()
            self._timer = self._loop.call_later(_OFTEN, self._tick)

    def stop(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tick(self) -> None:
        begun = time.perf_counter()
        self._unsettled.update(self._look())
        took = time.perf_counter() - begun
        if self._unsettled:
            self._timer = self._loop.call_later(_SETTLES, self._settle)
        else:
            self._timer = self._loop.call_later(max(_OFTEN, took * _SHARE), self._tick)

    def _settle(self) -> None:
        """Tell of the files that have changed, once they do not change any more."""
        again = set(self._look())
        settled = self._unsettled - again
        self._unsettled = again
        self._timer = self._loop.call_later(_SETTLES if again else _OFTEN, self._settle if again else self._tick)
        if settled:
            self._changed(sorted(settled))

    def _look(self) -> list[str]:
        changed = []
        before, self._looked = self._looked, time.time_ns()
        for filename in self._filenames():
            found = signature_of(filename)
            if found is not None and self._has_changed(filename, found, before):
                changed.append(filename)
            self._known[filename] = found
        return changed

    def _has_changed(self, filename: str, found: Signature, before: int | None) -> bool:
        """Tell whether a file is not as it was, or may not be: one that was loaded and written to since the last look was loaded from
        either text.
        """
        if filename in self._known:
            return self._known[filename] != found
        return before is not None and found[0] >= before - _BEHIND


def signature_of(filename: str) -> Signature | None:
    """Give what changes when a file is written, None where there is none."""
    try:
        status = os.stat(filename)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
