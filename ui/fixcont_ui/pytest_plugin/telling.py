"""The end of the run: what was repaired, and running it again from a clean start."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Generator
from typing import Any, Final, Protocol

import pytest

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
        if type(report) is pytest.TestReport and hasattr(report, "is_repaired") and not hasattr(report, "wasxfail"):
            return "repaired", "R", ("REPAIRED", {"yellow": True})
        return None

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        self._results.told()
        passed, diff = self._results.passed(), self._results.diff()
        if not passed and diff is None:
            return
        terminalreporter.section("repaired", yellow=True)
        for repair in passed:
            terminalreporter.write_line(
                str(repair.node) if repair.is_edited else f"{repair.node} (went on by hand, no edit of its own)"
            )
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
        if self._results.passed():
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
        return result

    def _is_wanted(self, reporter: pytest.TerminalReporter) -> bool:
        try:
            if not (sys.stdin.isatty() and sys.stdout.isatty()):
                return False
            reporter.write("run the repaired tests again from a clean start? [y/N] ", flush=True)
            return sys.stdin.readline().strip().lower() in ("y", "yes")
        except (OSError, ValueError, AttributeError):
            return False

    def _command(self) -> list[str]:
        """Give what runs the repaired tests, and no others, in a new process."""
        config = self._config
        named = set(getattr(config.option, "file_or_dir", None) or ())
        given = _without_value("--fixcont-listen", [str(each) for each in config.invocation_params.args])
        kept = [each for each in given if each not in named and each not in _OWN_OPTIONS and each not in _CHOOSING]
        tests = [str(config.cwd_relative_nodeid(repair.node)) for repair in self._results.passed()]
        return [sys.executable, "-m", "pytest", *kept, *tests]


def _without_value(option: str, words: list[str]) -> list[str]:
    """Leave out an option that has a value, in either form."""
    return [
        word
        for at, word in enumerate(words)
        if word != option and not word.startswith(f"{option}=") and (at == 0 or words[at - 1] != option)
    ]
