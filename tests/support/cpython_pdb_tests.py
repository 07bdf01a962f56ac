"""Run CPython's own tests of pdb with `fixcont.pdb` in pdb's place, or, to compare, as they are.

`python cpython_pdb_tests.py stand-in|plain MODULE [NAME]…` writes what came of each test as JSON to the file that
FIXCONT_RESULTS names. Processes that the tests start as `python -m pdb` are started as `python -m fixcont.pdb`; in all of them `import pdb`
gives ours.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import unittest
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_IN_CHILDREN = """\
import sys
if "fixcont.pdb" not in sys.orig_argv:  # which does it by itself
    import fixcont.pdb
    sys.modules["pdb"] = fixcont.pdb
"""


def put_in_place(folder: Path) -> None:
    """Put our module in the place of pdb, here and in the processes that are started from here."""
    import fixcont.pdb

    sys.modules["pdb"] = fixcont.pdb
    (folder / "sitecustomize.py").write_text(_IN_CHILDREN, encoding="utf-8")
    paths = [str(folder), *filter(None, [os.environ.get("PYTHONPATH")])]
    os.environ["PYTHONPATH"] = os.pathsep.join(paths)
    plain = subprocess.Popen.__init__

    def start(self: Any, args: Any, *rest: Any, **keywords: Any) -> None:
        plain(self, _exchanged(args), *rest, **keywords)

    subprocess.Popen.__init__ = start  # type: ignore[method-assign]


def _exchanged(args: Any) -> Any:
    if not isinstance(args, list) or not args or args[0] != sys.executable:
        return args
    words = list(args)
    for at in range(len(words) - 1):
        if words[at : at + 2] == ["-m", "pdb"]:
            words[at + 1] = "fixcont.pdb"
            break
    return words


class _Result(unittest.TextTestResult):
    """Notes what came of each test, by its name and how often that has come before (a suite may run a test in two ways)."""

    def __init__(self, *args: Any, **keywords: Any) -> None:
        super().__init__(*args, **keywords)
        self.outcomes: dict[str, str] = {}
        self._current = ""

    def startTest(self, test: unittest.TestCase) -> None:
        super().startTest(test)
        name, times = test.id(), 1
        while f"{name}#{times}" in self.outcomes:
            times += 1
        self._current = f"{name}#{times}"
        self.outcomes[self._current] = "passed"

    def _note(self, outcome: str) -> None:
        self.outcomes[self._current] = outcome

    def addFailure(self, test: unittest.TestCase, err: Any) -> None:
        super().addFailure(test, err)
        self._note("failed")

    def addError(self, test: unittest.TestCase, err: Any) -> None:
        super().addError(test, err)
        self._note("failed")

    def addSubTest(self, test: unittest.TestCase, subtest: unittest.TestCase, err: Any) -> None:
        super().addSubTest(test, subtest, err)
        if err is not None:
            self._note("failed")

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        super().addSkip(test, reason)
        self._note("skipped")


def _tests_in(suite: unittest.TestSuite) -> Iterator[unittest.TestCase]:
    for each in suite:
        if isinstance(each, unittest.TestSuite):
            yield from _tests_in(each)
        else:
            yield each


def main(how: str, module: str, names: list[str]) -> None:
    """Run the tests of a module, or those whose names are given."""
    if how == "stand-in":
        put_in_place(Path.cwd())
    suite = unittest.defaultTestLoader.loadTestsFromModule(importlib.import_module(module))
    wanted = unittest.TestSuite(test for test in _tests_in(suite) if not names or test.id() in names)
    result = unittest.TextTestRunner(resultclass=_Result, verbosity=2).run(wanted)
    assert isinstance(result, _Result)
    Path(os.environ["FIXCONT_RESULTS"]).write_text(json.dumps(result.outcomes), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
