"""Tests of what does not depend on the Python that runs them: one version is enough where several are tested in one run."""

from __future__ import annotations

import os

import pytest

#: Set by who runs the tests on several Pythons, from the second one on.
TESTED_ELSEWHERE = "FIXCONT_TESTED_ELSEWHERE"


def cases(number: int) -> int:
    """Return how many cases are to be tried: all on the first Python, a fifth of them on the others."""
    return -(-number // 5) if os.environ.get(TESTED_ELSEWHERE) else number


one_python_is_enough = pytest.mark.skipif(
    bool(os.environ.get(TESTED_ELSEWHERE)), reason="it hardly depends on the version of Python, and ran on another one before"
)
