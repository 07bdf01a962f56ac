"""Tests of what does not depend on the Python that runs them: one version is enough where several are tested in one run."""

from __future__ import annotations

import os
import sys
import zlib

import pytest

#: Set by who runs the tests on several Pythons, from the second one on.
TESTED_ELSEWHERE = "FIXCONT_TESTED_ELSEWHERE"


def cases(number: int) -> int:
    """Return how many cases are to be tried: all on the first Python, a fifth of them on the others."""
    return -(-number // 5) if os.environ.get(TESTED_ELSEWHERE) else number


#: What is above the engine: it sees little of the Python that runs it.
_FRONT_ENDS = (
    "tests/dap/", "tests/terminal/", "tests/process/test_pytest_plugin.py", "tests/process/test_pytest_workers.py",
    "tests/process/test_reopened_stops.py", "tests/process/test_saved_stops.py", "tests/process/test_testcases.py", "tests/process/test_window.py",
)  # fmt: skip


def is_for_this_python(test: str) -> bool:
    """Tell whether a test, by its id, runs on this Python: those of front ends do on the first one, and each on a third of the others."""
    if not os.environ.get(TESTED_ELSEWHERE) or not test.startswith(_FRONT_ENDS):
        return True
    return zlib.crc32(test.encode()) % 3 == sys.version_info.minor % 3


one_python_is_enough = pytest.mark.skipif(
    bool(os.environ.get(TESTED_ELSEWHERE)), reason="it hardly depends on the version of Python, and ran on another one before"
)
