"""What was stopped and repaired in a run of pytest, test by test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import pytest

from fixcont.continuing.ways import RestartFrame, Resume, Way
from fixcont.editing.diffs import summarize

if TYPE_CHECKING:
    from fixcont.session import Session
    from fixcont_ui.pytest_plugin.front_end import TestFrontEnd

#: Why a run has ended.
ENDED: Final = "quit at the prompt of fixcont"


@dataclass
class Repair:
    """One test, or the collection of one file, that went on from a stop otherwise than with its exception.

    Attributes:
        node: its id.
        is_edited: whether code was installed meanwhile.
        by_hand: the phases (setup, call, teardown) that last went on by a way that passes what failed by, as `forcereturn` does.
        has_passed: whether it has passed since.
        fails_after: whether its teardown has failed then.
    """

    node: Any  # a text in some versions of pytest, an object in others
    is_edited: bool = False
    by_hand: set[str] = field(default_factory=set)
    has_passed: bool = False
    fails_after: bool = False

    def __str__(self) -> str:
        remarks = []
        if not self.is_edited:
            remarks.append("went on by hand, no edit of its own")
        elif self.by_hand:
            remarks.append("went on by hand")
        if self.fails_after:
            remarks.append("failed in its teardown")
        return f"{self.node} ({'; '.join(remarks)})" if remarks else str(self.node)


class Repairs:
    """The state of a run.

    Attributes:
        config: of the run.
        session: of fixcont; set once it is made.
        front_end: what its stops come to; likewise.
        item: the test whose protocol runs now.
        phase: what runs of it: setup, call or teardown.
        collector: what is being collected now.
        keeps_fixtures: whether restarting a test function keeps its function-scoped fixtures.
        wants_fixtures: whether the test has been left only to be run again with new fixtures.
        halts: whether it then is to stop at its first line.
        goes_again: whether what repeats a failure for the user to see has been repaired, so that the whole test is to be run again.
        is_ending: whether the user has ended the run.
    """

    session: Session
    front_end: TestFrontEnd

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.item: pytest.Item | None = None
        self.phase = ""
        self.collector: pytest.Collector | None = None
        self.keeps_fixtures = bool(config.known_args_namespace.no_refixture)
        self.wants_fixtures = False
        self.halts = False
        self.goes_again = False
        self.is_ending = False
        self._of: dict[Any, Repair] = {}  # id of a node -> what was done to it
        self._installed = 0

    @contextmanager
    def uncaptured(self) -> Iterator[None]:
        """Give the streams back to the user, as `--pdb` does."""
        capturing = self.config.pluginmanager.getplugin("capturemanager")
        if capturing is not None:
            capturing.suspend(in_=True)
        try:
            yield
        finally:
            if capturing is not None:
                capturing.resume()

    def where(self) -> str:
        """Name the test, or the file that is collected."""
        node = self.item or self.collector
        return str(node.nodeid) if node is not None else "outside of the tests"

    def note(self, way: Way) -> None:
        """Note how what runs now goes on from a stop by the user's hand."""
        node = self.item or self.collector
        if node is None:
            return
        patches = len(self.session.sources.history.patches)
        repair = self._of.setdefault(node.nodeid, Repair(node.nodeid))
        repair.is_edited |= patches > self._installed
        self._installed = patches
        if isinstance(way, RestartFrame) or (isinstance(way, Resume) and way.line is None):
            repair.by_hand.discard(self.phase)
        else:
            repair.by_hand.add(self.phase)

    def installed_elsewhere(self) -> None:
        """Note that what was installed since is no repair of what runs now."""
        self._installed = len(self.session.sources.history.patches)

    def of(self, node: pytest.Item | pytest.Collector) -> Repair | None:
        """Return what was done to a test, None where nothing was."""
        return self._of.get(node.nodeid)

    def forget(self, node: pytest.Item) -> None:
        """Begin a test anew, as plug-ins do that run failed tests again."""
        self._of.pop(node.nodeid, None)

    def passed(self) -> list[Repair]:
        """Give those that have passed since, in the order in which they stopped."""
        return [each for each in self._of.values() if each.has_passed]

    def diff(self) -> bytes | None:
        """Give what was changed in the files, None where nothing was."""
        if not self.session.has_edits:
            return None
        summary = summarize(self.session.sources.history, str(self.config.invocation_params.dir))
        return None if summary is None else summary.diff

    def texts(self) -> list[tuple[str, bytes | None, bytes, float, float]]:
        """Give the files that were changed: name, text as it was loaded, text as it is now, and when it was changed first and last."""
        if not self.session.has_edits:
            return []
        history = self.session.sources.history
        newest = history.texts()
        found = []
        for filename in history.filenames():
            patches = history.of_file(filename)
            times = [max(patch.time, patch.undone or 0.0) for patch, _ in patches]
            after = newest.get(filename, patches[-1][1].after)
            found.append((filename, patches[0][1].before, after, patches[0][0].time, max(times)))
        return found

    def told(self) -> None:
        """Note that all this was told, and need not be at the end of the process."""
        self.front_end.is_told = True
