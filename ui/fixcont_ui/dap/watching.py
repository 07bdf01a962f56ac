"""Which of the program's files have changed on disk.

They are looked at by name and time only, a few times in a second, and less often the longer that takes: the program shall not notice.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from fixcont_ui.dap.clock import CLOCK
from fixcont_ui.dap.loop import Loop, Timer

_OFTEN: Final = 0.2  # seconds
_SELDOM: Final = 2.0  # seconds
_SETTLES: Final = 0.03  # seconds in which a file that changes must not change again: it may not be written whole yet
_SHARE: Final = 500  # what a look takes is at most the 500th part of the time, but for the longest wait
_SLACK: Final = 2.0  # seconds by which the clocks of file systems may differ from ours, or are too coarse
#: What changes when a file is written.
Signature = tuple[int, int, int]


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
        self._unsettled: set[str] = set()  # names of files that have changed and may be in the middle of it
        self._timer: Timer | None = None
        self._looked = 0.0  # when the last look began

    def start(self) -> None:
        """Begin to look. What changed before counts as it is."""
        if self._timer is None:
            self._known.clear()
            self._look(is_first=True)
            self._timer = self._loop.call_later(_OFTEN, self._tick)

    def stop(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tick(self) -> None:
        begun = CLOCK.used()
        self._unsettled.update(self._look())
        took = CLOCK.used() - begun  # of the processor: on a busy machine the clock says nothing of how much there is to do
        if self._unsettled:
            self._timer = self._loop.call_later(_SETTLES, self._settle)
        else:
            self._timer = self._loop.call_later(min(max(_OFTEN, took * _SHARE), _SELDOM), self._tick)

    def _settle(self) -> None:
        """Tell of the files that have changed, once they do not change any more."""
        again = set(self._look())
        settled = self._unsettled - again
        self._unsettled = again
        self._timer = self._loop.call_later(_SETTLES if again else _OFTEN, self._settle if again else self._tick)
        if settled:
            self._changed(sorted(settled))

    def _look(self, *, is_first: bool = False) -> list[str]:
        changed = []
        before, self._looked = self._looked - _SLACK, CLOCK.now()
        for filename in self._filenames():
            found = signature_of(filename)
            if found is not None and not is_first:
                if filename in self._known:
                    is_other = self._known[filename] != found
                else:  # loaded since the last look; was it saved since then, it may have been after it was loaded
                    is_other = found[0] > before * 1e9
                if is_other:
                    changed.append(filename)
            self._known[filename] = found
        return changed


def signature_of(filename: str) -> Signature | None:
    """Give what changes when a file is written, None where there is none."""
    try:
        status = os.stat(filename)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ctime_ns, status.st_size
