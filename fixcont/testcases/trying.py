"""Runs one test: in a process of its own, by pytest where that is there, on the program as its files are or as it was.

The answer goes to a file: "passed", "failed", "error" where it did not get to run, "none" where nothing was run; and what it raised.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import sys
import traceback as tracebacks
from typing import Any

from fixcont.testcases import overlays
from fixcont.testcases.drawing import TooMuch

_LONGEST = 500


def main() -> None:
    """Read a request, and write the answer: the names of both files are the last two words of the command line."""
    request_path, answer_path = sys.argv[-2:]
    with open(request_path, encoding="utf-8") as stream:
        request = json.load(stream)
    sys.argv[1:] = []
    del sys.path[0]  # where this package was found
    overlays.put(request["overlay"])
    runs = _with_pytest if importlib.util.find_spec("pytest") is not None else _without_pytest
    answer = runs(request["file"], request["name"], request["folder"])
    with open(answer_path, "w", encoding="utf-8") as stream:
        json.dump(answer, stream)


def _with_pytest(file: str, name: str, folder: str) -> dict[str, str]:
    pytest = importlib.import_module("pytest")
    listener = _Listener()
    options = ["-q", "-o", f"cache_dir={folder}", "-p", "no:fixcont", "--assert=plain"]
    if not os.environ.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD"):
        options += ["-n0"] if importlib.util.find_spec("xdist") is not None else []
        options += ["--no-cov"] if importlib.util.find_spec("pytest_cov") is not None else []
    pytest.main([*options, f"{file}::{name}"], plugins=[listener])
    return listener.answer


class _Listener:
    """A plug-in that notes how the test has ended."""

    def __init__(self) -> None:
        self.answer = {"outcome": "none", "raised": ""}

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.when == "call" and report.passed and self.answer["outcome"] == "none":
            self.answer["outcome"] = "passed"
        elif report.failed:
            self.answer["outcome"] = "failed" if report.when == "call" else "error"
        elif report.skipped:
            self.answer["raised"] = "it was skipped"

    def pytest_exception_interact(self, call: Any, report: Any) -> None:
        if report.when == "collect":
            lines = [line[2:].strip() for line in str(report.longrepr).splitlines() if line.startswith("E ")]
            self.answer = {"outcome": "error", "raised": (lines or [str(report.longrepr)[:_LONGEST]])[-1]}
        else:
            self.answer["raised"] = _told(call.excinfo.value)


def _without_pytest(file: str, name: str, folder: str) -> dict[str, str]:
    sys.path.insert(0, os.path.dirname(file))
    outcome = "error"
    try:
        spec = importlib.util.spec_from_file_location("fixcont_testcase", file)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        outcome = "failed"
        getattr(module, name)()
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return {"outcome": outcome, "raised": _told(error)}
    return {"outcome": "passed", "raised": ""}


def _told(error: BaseException) -> str:
    if type(error) is AssertionError and not str(error):
        return "the value is another one"
    if isinstance(error, TooMuch):
        return f"it gives {error}"
    return "".join(tracebacks.format_exception_only(error)).strip().splitlines()[0][:_LONGEST]
