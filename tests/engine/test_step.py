"""Steps: where each of them leads, in all kinds of functions; and that nothing stays watched."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from support.front_end import LiveProgram
from support.steps import INTO, OUT, OVER, UNTIL, walk

Live = Callable[..., LiveProgram]

FUNCTIONS = """
def outer(n):
    total = 0  # @start
    for each in range(n):  # @for
        total += inner(each)  # @body
    return total  # @end

def inner(value):  # @def
    doubled = value * 2  # @double
    return doubled  # @back
"""


@pytest.mark.parametrize(
    "rows",
    [
        [(OVER, "@for"), (OVER, "@body"), (OVER, "@for"), (OVER, "@end"), (OVER, "@end return 0")],
        [(OVER, "@for"), (OVER, "@body"), (INTO, "@def call"), (INTO, "@double"), (INTO, "@back"), (INTO, "@back return 0"), (INTO, "@for")],
        [(OVER, "@for"), (OVER, "@body"), (INTO, "@def call"), (OUT, "@back return 0"), (OVER, "@for"), (OVER, "@end")],
        [(OVER, "@for"), (OVER, "@body"), (UNTIL, "@end")],
        [(UNTIL, "@for"), (UNTIL, "@body"), (UNTIL, "@end")],
        [(OUT, "@end return 0")],
    ],
)
def test_functions(live: Live, rows: list[Any]) -> None:
    walk(live, FUNCTIONS, ("outer", 1), [("break", "@start"), *rows])
