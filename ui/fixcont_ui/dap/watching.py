"""Which of the program's files have changed on disk.

They are looked at by name and time only, a few times in a second, and less often the longer that takes: the program shall not notice.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

from fixcont_ui.dap.clock import CLOCK
from fixcont_ui.dap.loop import Loop, Timer

_OFTEN: Final = 0.2  # seconds
_SELDOM: Final = 2.0  # seconds
_SETTLES: Final = 0.03  # seconds in which a file that changes must not change again: it may not be written whole yet
_EMPTY_LOOKS: Final = 5  # so often an empty file must be found as it is: most editors empty a file before they write it
_SHARE: Final = 500  # what a look takes is at most the 500th part of the time, but for the longest wait
_SLACK: Final = 2.0  # seconds by which the clocks of file systems may differ from ours, or are too coarse


class Signature(NamedTuple):
    """What changes when a file is written."""

    modified: int  # nanoseconds
    changed: int  # nanoseconds
    size: int  # bytes


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
        # Names of files that have changed and may be in the middle of it -> how often they must still be found as they are.
        self._unsettled: dict[str, int] = {}
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
        self._wait_for(self._look())
        took = CLOCK.used() - begun  # of the processor: on a busy machine the clock says nothing of how much there is to do
        if self._unsettled:
            self._timer = self._loop.call_later(_SETTLES, self._settle)
        else:
            self._timer = self._loop.call_later(min(max(_OFTEN, took * _SHARE), _SELDOM), self._tick)

    def _settle(self) -> None:
        """Tell of the files that have changed, once they do not change any more."""
        changed = self._look()
        for filename in self._unsettled.keys() - set(changed):
            self._unsettled[filename] -= 1
        self._wait_for(changed)
        settled = sorted(filename for filename, looks in self._unsettled.items() if not looks)
        for filename in settled:
            del self._unsettled[filename]
        is_near = 1 in self._unsettled.values()
        self._timer = self._loop.call_later(_SETTLES if is_near else _OFTEN, self._settle if self._unsettled else self._tick)
        if settled:
            self._changed(settled)

    def _wait_for(self, filenames: Iterable[str]) -> None:
        """Tell of files only when they have settled."""
        for filename in filenames:
            known = self._known[filename]
            is_empty = known is not None and known.size == 0
            self._unsettled[filename] = _EMPTY_LOOKS if is_empty else 1

    def _look(self, *, is_first: bool = False) -> list[str]:
        changed = []
        before, self._looked = self._looked - _SLACK, CLOCK.now()
        for filename in self._filenames():
            found = signature_of(filename)
            if found is not None and not is_first:
                if filename in self._known:
                    is_other = self._known[filename] != found
                else:  # loaded since the last look; was it saved since then, it may have been after it was loaded
                    is_other = found.modified > before * 1e9
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
    return Signature(status.st_mtime_ns, status.st_ctime_ns, status.st_size)
