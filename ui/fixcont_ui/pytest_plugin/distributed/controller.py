"""The controller's side of a run: it makes the workers its own, serves them, and tells at the end what was repaired in all of them."""

from __future__ import annotations

import base64
import os
from collections.abc import Generator
from typing import Any

import pytest

from fixcont.editing.diffs import shown_path, unified_diff
from fixcont_ui.pytest_plugin.distributed.connection import VARIABLE
from fixcont_ui.pytest_plugin.distributed.desk import Desk
from fixcont_ui.pytest_plugin.distributed.host import Host
from fixcont_ui.pytest_plugin.repairs import Repair

#: The name of the event by which a worker's thread has the main thread serve it.
_EVENT = "fixcont"


class Controlling:
    """Hooks that are called in the controller."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._distribution: Any = None  # of pytest-xdist
        self._host = Host(self._call)
        self._desk = Desk(self._host, config, self._look_after_others)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        self._distribution = self._config.pluginmanager.getplugin("dsession")
        known = all(hasattr(self._distribution, name) for name in ("queue", "loop_once"))
        if not known or not hasattr(self._config.pluginmanager.getplugin("terminalreporter"), "_tw"):
            raise pytest.UsageError("--fixcont does not know how this version of pytest-xdist runs tests; give -n 0")
        setattr(self._distribution, f"worker_{_EVENT}", self._desk.serve)
        os.environ[VARIABLE] = self._host.address

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self) -> Generator[None, Any, Any]:
        self._host.end()
        os.environ.pop(VARIABLE, None)
        try:
            return (yield)
        finally:
            self._host.close()

    def _call(self) -> None:
        if self._distribution is not None:
            self._distribution.queue.put((_EVENT, {}))

    def _look_after_others(self) -> None:
        """Do for the other workers what is done while nobody is served."""
        while not self._distribution.queue.empty():
            self._distribution.loop_once()

    # What was repaired.

    def passed(self) -> list[Repair]:
        """Give the tests that have passed since they stopped, worker by worker."""
        return [
            Repair(node, bool(is_edited), set(by_hand), has_passed=True, fails_after=bool(fails_after))
            for worker in self._host.workers
            for node, is_edited, by_hand, fails_after in worker.state.get("passed", ())
        ]

    def diff(self) -> bytes | None:
        """Give what was changed in the files, None where nothing was.

        Each worker knows what a file said when it loaded it, and what it has installed since: the first and the last of these count.
        """
        first: dict[str, dict[str, Any]] = {}
        last: dict[str, dict[str, Any]] = {}
        for file in (file for worker in self._host.workers for file in worker.state.get("files", ())):
            path = file["path"]
            if path not in first or file["first"] < first[path]["first"]:
                first[path] = file
            if path not in last or file["last"] > last[path]["last"]:
                last[path] = file
        lines: list[bytes] = []
        for path, file in first.items():
            before, after = file["before"], last[path]["after"]
            if before is not None and before != after:
                name = shown_path(path, str(self._config.invocation_params.dir))
                lines += unified_diff(name, base64.b64decode(before), base64.b64decode(after))
        return b"".join(lines) or None

    def told(self) -> None:
        """Nothing more has to be told at the end of the process."""
