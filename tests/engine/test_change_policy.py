"""When to stop is changed while the program runs."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fixcont.errors import Refused
from fixcont.session import active
from support.front_end import LiveProgram

Live = Callable[..., LiveProgram]

TEXT = """
def divide(): return 1 / 0
def look_up(): return {}["key"]
def handled():
    try: divide()
    except ZeroDivisionError: return "handled"
"""
DIVISION, KEY = "ZeroDivisionError: division by zero", "KeyError: 'key'"


def test_what_was_handled_stops_from_then_on_and_no_more_afterwards(live: Live) -> None:
    program, session = live(TEXT), active()
    assert session is not None
    assert program.call("handled") == "handled"
    session.change_policy("raised")
    assert program.call("handled") == "handled"
    session.change_policy("unhandled")
    assert program.call("handled") == "handled"
    assert program.stops == [DIVISION]


def test_from_never_and_back(live: Live) -> None:
    program, session = live(TEXT, stop="never"), active()
    assert session is not None
    program.attempt("divide")
    session.change_policy("unhandled")
    program.attempt("divide")
    session.change_policy("never")
    program.attempt("divide")
    assert program.stops == [DIVISION]


def test_only_some_types(live: Live) -> None:
    program, session = live(TEXT), active()
    assert session is not None
    session.change_policy("unhandled", only=["ArithmeticError"])
    program.attempt("look_up")
    program.attempt("divide")
    session.change_policy("unhandled", only=["ArithmeticError"], ignore=["ZeroDivisionError"])
    program.attempt("divide")
    session.change_policy("unhandled", ignore=["builtins.KeyError"])
    program.attempt("look_up")
    assert program.stops == [DIVISION]


def test_library_handlers_count_from_then_on(live: Live) -> None:
    text = "import concurrent.futures\ndef fail(): 1 / 0\ndef main(): concurrent.futures.ThreadPoolExecutor().submit(fail).exception()\n"
    program, session = live(text), active()
    assert session is not None
    session.change_policy("uncaught")
    program.call("main")
    session.change_policy("unhandled")
    program.call("main")
    assert program.stops == [DIVISION]


def test_what_is_not_a_mode_changes_nothing(live: Live) -> None:
    program, session = live(TEXT), active()
    assert session is not None
    with pytest.raises(Refused):
        session.change_policy("sometimes")
    program.attempt("divide")
    assert program.stops == [DIVISION]
