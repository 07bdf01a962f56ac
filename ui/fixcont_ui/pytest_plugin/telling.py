"""The end of the run: what was repaired, and running it again from a clean start."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any, Final, Protocol

import pytest

from fixcont_ui import wording
from fixcont_ui.pytest_plugin.repairs import Repair

_OWN_OPTIONS: Final = frozenset({"--fixcont", "--fixcont-window", "--fixcont-wait-for-client", "--no-refixture"})
#: They choose tests by what earlier runs were like; those to be run are named.
_CHOOSING: Final = frozenset({"--lf", "--last-failed", "--ff", "--failed-first", "--nf", "--new-first", "--sw", "--stepwise"})


class Results(Protocol):
    """What was repaired in a run."""

    def passed(self) -> list[Repair]:
        """Give the tests that have passed since they stopped."""

    def diff(self) -> bytes | None:
        """Give what was changed in the files, None where nothing was."""

    def told(self) -> None:
        """Hear that it was told."""


class Telling:
    """Hooks that are called for reports, and when all tests have run."""

    def __init__(self, config: pytest.Config, results: Results) -> None:
        self._config = config
        self._results = results

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: Any) -> tuple[str, str, Any] | None:
        # Not those of subtests: they are copies of the test's.
        if type(report) is pytest.TestReport and getattr(report, "is_repaired", False):
            return "repaired", "R", ("REPAIRED", {"yellow": True})
        return None

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        with _telling_faults(terminalreporter):
            self._summarize(terminalreporter)

    def _summarize(self, terminalreporter: pytest.TerminalReporter) -> None:
        self._results.told()
        passed, diff = self._results.passed(), self._results.diff()
        if not passed and diff is None:
            return
        terminalreporter.section("repaired", yellow=True)
        for repair in passed:
            terminalreporter.write_line(str(repair))
        if diff is not None:
            terminalreporter.write_line("")
            terminalreporter.write(diff.decode("utf-8", "replace"))
        if passed:
            terminalreporter.write_line("")
            terminalreporter.write_line("to run them again from a clean start:")
            terminalreporter.write_line(f"  {shlex.join(self._command())}")

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, Any, Any]:
        result = yield
        with _telling_faults(self._config.pluginmanager.getplugin("terminalreporter")):
            if self._results.passed():
                self._offer_to_run_again(session)
        return result

    def _offer_to_run_again(self, session: pytest.Session) -> None:
        manager = self._config.pluginmanager
        capturing, reporter = manager.getplugin("capturemanager"), manager.getplugin("terminalreporter")
        if capturing is not None:
            capturing.suspend(in_=True)
        try:
            if reporter is not None and self._is_wanted(reporter):
                status = subprocess.call(self._command(), cwd=self._config.invocation_params.dir)
                session.exitstatus = session.exitstatus or status
        finally:
            if capturing is not None:
                capturing.resume()

    def _is_wanted(self, reporter: pytest.TerminalReporter) -> bool:
        try:
            if not (sys.stdin.isatty() and sys.stdout.isatty()):
                return False
            reporter.write("run the repaired tests again from a clean start? [y/N] ", flush=True)
            return sys.stdin.readline().strip().lower() in ("y", "yes")
        except (OSError, ValueError, AttributeError, KeyboardInterrupt):
            return False

    def _command(self) -> list[str]:
        """Give what runs the repaired tests, and no others, in a new process."""
        config = self._config
        named = set(getattr(config.option, "file_or_dir", None) or ())
        given = _without_value("--fixcont-listen", [str(each) for each in config.invocation_params.args])
        kept = [each for each in given if each not in named and each not in _OWN_OPTIONS and each not in _CHOOSING]
        tests = [self._from_here(str(repair.node)) for repair in self._results.passed()]
        return [sys.executable, "-m", "pytest", *kept, *tests]

    def _from_here(self, node: str) -> str:
        """Give the id of a test, which begins at the root folder of the run, as it is called where the run was started."""
        path, separator, rest = node.partition("::")
        there = self._config.rootpath / path
        if not there.exists():  # it is not of that folder, so pytest finds it by this name only
            return node
        try:
            return os.path.relpath(there, self._config.invocation_params.dir) + separator + rest
        except ValueError:  # on another drive
            return f"{there}{separator}{rest}"


@contextmanager
def _telling_faults(reporter: pytest.TerminalReporter | None) -> Iterator[None]:
    """Tell of a fault of fixcont's own in a block: what is told at the end must not end the run with an error."""
    try:
        yield
    except Exception as error:
        if reporter is not None:
            reporter.write_line("")
            reporter.write_line(wording.fault_line(error))


def _without_value(option: str, words: list[str]) -> list[str]:
    """Leave out an option that has a value, in either form."""
    return [
        word
        for at, word in enumerate(words)
        if word != option and not word.startswith(f"{option}=") and (at == 0 or words[at - 1] != option)
    ]
