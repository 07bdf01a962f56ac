"""Which of many cases of one kind are run."""

from __future__ import annotations

import os
import sys
from collections import defaultdict
from collections.abc import Hashable
from typing import Final

import pytest

from support.once import TESTED_ELSEWHERE

_MOST: Final = 4  # cases of one test
_ELSEWHERE: Final = 3  # of so many tests one is run, where another version of Python has run all


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Take a sample of the tests that are marked so, on each version of Python another one.

    They run elsewhere as well, in another way. Of a table with many rows only some are taken; where the tests ran on another Python before, only
    some of all.
    """
    groups: dict[Hashable, list[pytest.Item]] = defaultdict(list)
    left = []
    for item in items:
        if item.get_closest_marker("sampled") is not None:
            if item.name not in getattr(getattr(item, "cls", None), "left_out", ()):
                groups[item.nodeid.partition("[")[0]].append(item)
            else:
                left.append(item)
    taken = [item for group in groups.values() for item in _every(-(-len(group) // _MOST), group)]
    taken = _every(_ELSEWHERE, taken) if os.environ.get(TESTED_ELSEWHERE) else taken
    chosen = set(map(id, taken))
    left += [item for group in groups.values() for item in group if id(item) not in chosen]
    if left:
        gone = set(map(id, left))
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if id(item) not in gone]


def _every(number: int, items: list[pytest.Item]) -> list[pytest.Item]:
    return items[sys.version_info.minor % number :: number] if number > 1 else items
