"""A restarted frame gets the objects that it was called with, bound as at entry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from support.front_end import LiveProgram, fix, propagate, restart

Live = Callable[..., LiveProgram]

#: Parameters and statements that rebind them; the call is fail(1, 2, 3, 4, key=5, other=6) with what fits.
BODIES = {
    "untouched": ("a, b", "pass", (1, 2), {}),
    "assigned": ("a, b", "a = b = 0", (1, 2), {}),
    "in a loop": ("a, b", "for a in range(9): b += a", (1, 2), {}),
    "with as": ("a, b", "with open(__file__) as a: b = a", (1, 2), {}),
    "unpacked": ("a, b", "(a, *b) = 'xyz'", (1, 2), {}),
    "walrus": ("a, b", "(a := 9)", (1, 2), {}),
    "swapped": ("a, b", "a, b = b, a", (1, 2), {}),
    "except as": ("a, b", "try: 1 / 0\n    except ZeroDivisionError as error: a = error", (1, 2), {}),
    "import": ("a, b", "import os as a", (1, 2), {}),
    "function": ("a, b", "def a(): return b", (1, 2), {}),
    "match": ("a, b", "match [7, 8]:\n        case [a, b]: pass", (1, 2), {}),
    "cell": ("a, b", "def inner():\n        nonlocal a\n        a = 9\n    inner()", (1, 2), {}),
    "captured only": ("a, b", "(lambda: a)()", (1, 2), {}),
    "captured and assigned": ("a, b", "get = lambda: a\n    a = 9", (1, 2), {}),
    "collected": ("a, *rest", "rest = rest[1:]; a = 0", (1, 2, 3, 4), {}),
    "keywords popped": ("a, **rest", "rest.pop('key'); rest['new'] = 1", (1,), {"key": 5, "other": 6}),
    "keywords rebound": ("a, **rest", "rest = {}", (1,), {"key": 5, "other": 6}),
    "keyword only": ("a, *, key, other=3", "key = other = 0", (1,), {"key": 5}),
    "defaults": ("a, b=7, *, key=8", "a = b = key = 0", (1,), {}),
    "positional only": ("a, b, /, key=2", "a = b = key = 0", (1, 2), {}),
    "everything": ("a, b, /, c, *d, key, **rest", "a = b = c = d = key = rest = 0", (1, 2, 3, 4), {"key": 5, "other": 6}),
}


@pytest.mark.parametrize(("parameters", "body", "args", "kwargs"), BODIES.values(), ids=BODIES)
def test_arguments_are_bound_as_at_entry(
    live: Live, parameters: str, body: str, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    program = live(
        f"""
entered = []
def fail({parameters}):
    entered.append({{name: dict(value) if isinstance(value, dict) else value for name, value in list(vars().items())}})
    {body}
    if len(entered) < 4: raise ValueError(len(entered))
    return entered
""",
        endless=restart(),
    )
    entered = program.call("fail", *args, **kwargs)
    assert len(entered) == 4
    assert entered[1:] == [entered[0]] * 3


def test_the_objects_are_the_same_mutated_or_not(live: Live) -> None:
    program = live(
        """
def fail(items):
    items.append(1)
    if len(items) < 3: raise ValueError
    return items
""",
        endless=restart(),
    )
    items: list[int] = []
    assert program.call("fail", items) is items
    assert items == [1, 1, 1]


@pytest.mark.parametrize("drop", ["del a", "a = None", "if a: del a", "if a: a = None"])
def test_a_dropped_argument_is_refused_and_the_caller_is_not(live: Live, drop: str) -> None:
    program = live(
        f"""
log = []
def fail(a):
    {drop}
    raise ValueError
def main():
    log.append(1)
    if len(log) > 1: return "done"
    fail(1)
""",
        restart("fail"),
        restart("main"),
    )
    assert program.call("main") == "done"
    assert program.refused == ["argument-deleted"]


@pytest.mark.parametrize(
    ("before", "after", "result"),
    [
        ("def fail(a, b):\n    raise ValueError", "def fail(b, a):\n    return a, b", (1, 2)),
        ("def fail(a, b):\n    raise ValueError", "def fail(a):\n    return a", 1),
        ("def fail(a, b):\n    raise ValueError", "def fail(a, b, c=3):\n    return a, b, c", (1, 2, 3)),
        ("def fail(a, b):\n    raise ValueError", "def fail(a, *, b, c=3):\n    return a, b, c", (1, 2, 3)),
        (
            "def fail(a, b):\n    raise ValueError",
            "def fail(a, b, *args, **kwargs):\n    return a, b, args, kwargs",
            (1, 2, (), {}),
        ),
        ("def fail(a, *b):\n    raise ValueError", "def fail(a):\n    return a", 1),
    ],
)
def test_changed_parameters_get_the_old_arguments_by_name(live: Live, before: str, after: str, result: Any) -> None:
    program = live(f"{before}\n\ndef main():\n    return fail(1, 2)\n", fix({before: after}, restart()))
    assert program.call("main") == result


def test_a_new_parameter_without_a_value_is_refused(live: Live) -> None:
    program = live(
        "def fail(a):\n    raise ValueError\n",
        fix({"fail(a)": "fail(a, b)"}, restart()),
        propagate,
    )
    program.failure("fail", 1)
    assert program.refused == ["parameters-differ"]
