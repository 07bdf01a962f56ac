"""Which exceptions of a test are no failures, although nobody on the stack handles them: those of tests that are expected to fail."""

from __future__ import annotations

from typing import Any

import pytest


def is_expected(item: pytest.Item, exception: BaseException) -> bool:
    """Tell whether pytest will count this exception as the one that the test is marked for (`xfail`, `unittest.expectedFailure`)."""
    return _is_xfail(item, exception) or _is_unittests(item)


def _is_xfail(item: pytest.Item, exception: BaseException) -> bool:
    # There is no public way to ask for it.
    from _pytest.skipping import evaluate_xfail_marks, xfailed_key

    if item.config.getoption("runxfail", False):
        return False
    mark = item.stash.get(xfailed_key, None)
    if mark is None:
        try:
            mark = evaluate_xfail_marks(item)  # one that the test has added to itself
        except BaseException:
            return False
    if mark is None:
        return False
    wanted: Any = mark.raises
    if wanted is None:
        return True
    if isinstance(wanted, (type, tuple)):
        return isinstance(exception, wanted)
    return bool(wanted.matches(exception))


def _is_unittests(item: pytest.Item) -> bool:
    function = getattr(item, "obj", None)
    owner = getattr(item, "cls", None)
    return any(getattr(each, "__unittest_expecting_failure__", False) is True for each in (function, owner))
