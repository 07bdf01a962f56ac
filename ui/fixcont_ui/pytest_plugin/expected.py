"""Which exceptions of a test are no failures, although nobody on the stack handles them."""

from __future__ import annotations

from typing import Any, Final

import pytest

#: With these tests and plug-ins talk to themselves. The names are those that the classes give themselves, which need not be where they are.
OUTCOMES: Final = (
    *(
        f"{kind.__module__}.{kind.__qualname__}"
        for kind in (pytest.skip.Exception, pytest.xfail.Exception, pytest.exit.Exception)
    ),
    "hypothesis.errors.UnsatisfiedAssumption",
    "hypothesis.errors.StopTest",
)


def is_outcome(exception: BaseException) -> bool:
    """Tell whether an exception is a word of the framework's."""
    return any(f"{kind.__module__}.{kind.__qualname__}" in OUTCOMES for kind in type.mro(type(exception)))


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
