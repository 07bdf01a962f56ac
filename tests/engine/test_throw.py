"""`Throw`: an exception is raised at the current statement of a frame, and its handlers apply."""

from __future__ import annotations

import sys
from collections.abc import Callable

from support.front_end import LiveProgram, propagate, throw, trace

Live = Callable[..., LiveProgram]

CHAIN = """
log = []
def inner(n):
    try:
        return 1 / n
    finally:
        log.append("finally")
def middle(n):
    try:
        return inner(n)
    except KeyError as error:
        log.append(repr(error))
        log.append(repr(error.__context__))
        return "middle caught"
def outer(n):
    try:
        return middle(n)
    except OSError as error:
        return "outer caught"
"""


def test_the_callers_handlers_take_it(live: Live) -> None:
    program = live(CHAIN, throw(KeyError("mine"), "inner"))
    assert program.call("outer", 0) == "middle caught"
    assert program.log[:2] == ["finally", "KeyError('mine')"]


def test_an_exception_thrown_further_out_unwinds_what_lies_above(live: Live) -> None:
    program = live(CHAIN, throw(KeyError("mine"), "middle"))
    assert program.call("outer", 0) == "middle caught"
    assert program.log[:2] == ["finally", "KeyError('mine')"]
    program.session.uninstall()

    program = live(CHAIN, throw(OSError("mine"), "outer"))
    assert program.call("outer", 0) == "outer caught"
    assert program.log == ["finally"]


def test_the_frames_own_handler_takes_it_if_it_is_still_ahead(live: Live) -> None:
    program = live(
        """
def main(n):
    try:
        for each in [n]:
            1 / each
    except KeyError as error:
        return repr(error)
""",
        throw(KeyError("mine")),
    )
    assert program.call("main", 0) == "KeyError('mine')"


def test_the_handler_whose_clauses_did_not_match_gets_its_chance(live: Live) -> None:
    program = live(
        """
def main(n):
    try:
        try:
            return 1 / n
        except OSError as error:
            return repr(error)
    except KeyError as error:
        return repr(error), error.__context__
""",
        throw(KeyError("mine")),
    )
    assert program.call("main", 0) == ("KeyError('mine')", None)
    assert sys.exc_info() == (None, None, None)
    program.session.uninstall()

    program = live(
        "def main(n):\n    try: return 1 / n\n    except OSError as error: return repr(error)\n", throw(OSError("mine"))
    )
    assert program.call("main", 0) == "OSError('mine')"


def test_what_nobody_handles_has_the_place_of_the_failing_statement(live: Live) -> None:
    program = live(CHAIN, throw(RuntimeError("mine"), "inner"))
    error = program.failure("outer", 0)
    assert repr(error) == "RuntimeError('mine')"
    assert trace(error) == ["outer: return middle(n)", "middle: return inner(n)", "inner: return 1 / n"]


def test_what_nobody_handles_further_out_has_the_place_of_the_call(live: Live) -> None:
    program = live(CHAIN, throw(RuntimeError("mine"), "middle"))
    error = program.failure("outer", 0)
    assert trace(error)[:2] == ["outer: return middle(n)", "middle: return inner(n)"]


def test_no_exception_is_refused(live: Live) -> None:
    program = live("def main():\n    raise ValueError\n", throw(5), throw(ValueError), propagate)  # type: ignore[arg-type]
    program.failure("main")
    assert program.refused == ["not-an-exception"] * 2


def test_it_may_be_the_same_exception(live: Live) -> None:
    program = live(
        """
def main(n):
    try:
        for each in [n]:
            1 / each
    except ValueError:
        pass
""",
        lambda stop: throw(stop.exception)(stop),
    )
    assert repr(program.failure("main", 0)) == "ZeroDivisionError('division by zero')"


def test_it_reaches_generators(live: Live) -> None:
    program = live(
        """
def numbers(n):
    yield 1 / n
def main(n):
    try:
        return [*numbers(n)]
    except KeyError:
        return "caught"
""",
        throw(KeyError(), "numbers"),
    )
    assert program.call("main", 0) == "caught"
