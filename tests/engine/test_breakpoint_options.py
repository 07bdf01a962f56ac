"""What breakpoints have beside a line: conditions on hits, messages to log, names of functions; and many at once."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fixcont.continuing.ways import Way
from fixcont.errors import Refusal, Refused
from fixcont.stepping.breakpoints import Breakpoint
from fixcont.stepping.setting import BreakpointSpec
from fixcont.stepping.templates import parse_hits, parse_log
from fixcont.stopping.stop import Stop
from support.front_end import Answer, LiveProgram, fix
from support.steps import Walk, go

Live = Callable[..., LiveProgram]

LOOP = """
log = []
def run(n):  # @def
    for each in range(n):  # @for
        log.append(each)  # @append
    return n  # @end
def broken(value):
    raise ValueError(value)
"""


def noting(notes: list[Any], what: Callable[[Stop], Any]) -> Answer:
    """Note something of a stop, and let the program run on."""

    def answer(stop: Stop) -> Way:
        notes.append(what(stop))
        return go(stop)

    return answer


@pytest.mark.parametrize(
    ("condition", "stops"),
    [
        ("", [0, 1, 2, 3, 4, 5]),
        ("3", [2]),
        (" == 3 ", [2]),
        ("=3", [2]),
        (">= 5", [4, 5]),
        ("> 5", [5]),
        ("<3", [0, 1]),
        ("<= 3", [0, 1, 2]),
        ("% 3", [2, 5]),
    ],
)
def test_conditions_on_hits(live: Live, condition: str, stops: list[int]) -> None:
    made = Walk(live, LOOP)
    number = made.at("append", hit_condition=condition)
    seen: list[int] = []
    made.answers = [noting(seen, lambda stop: stop.frames[0].raw.f_locals["each"])] * 10
    made.program.call("run", 6)
    assert seen == stops
    found = made.stepping.breakpoints.get(number)
    assert found is not None
    assert (found.hits, found.matches, found.hit_condition) == (6, 6, condition)


def test_hits_count_that_fulfil_the_condition(live: Live) -> None:
    made = Walk(live, LOOP)
    number = made.at("append", condition="each % 2", hit_condition="2")
    made.answers = [noting(made.saw, lambda stop: stop.frames[0].raw.f_locals["each"])]
    made.program.call("run", 6)
    assert made.saw == ["@append", 3]
    found = made.stepping.breakpoints.get(number)
    assert found is not None
    assert (found.hits, found.matches) == (6, 3)


@pytest.mark.parametrize("condition", ["often", "% 0", "5 5", "!= 3", ">", "-1", "1.5"])
def test_what_is_no_condition_on_hits(live: Live, condition: str) -> None:
    with pytest.raises(Refused, match="bad-hit-condition"):
        parse_hits(condition)
    made = Walk(live, LOOP)
    with pytest.raises(Refused, match="bad-hit-condition"):
        made.at("append", hit_condition=condition)
    assert made.stepping.breakpoints.all() == []


MESSAGES = {
    "plain": "plain",
    "n is {n}": "n is 2",
    "{each} of {n}": "1 of 2",
    "{{n}} is {{{n}}}": "{n} is {2}",
    "{'}'}{ {'a': n}['a'] }": "}2",
    "{str(n)!r:>5}|{n:03}|{n / 3:.2f}": "  '2'|002|0.67",
    "{n=}": "n=2",
    "{log[-1]} {missing} {1 / 0}": "0 <NameError: name 'missing' is not defined> <ZeroDivisionError: division by zero>",
    "{broken(n)}": "<ValueError: 2>",
    '{"""}"""}{(lambda: 5)()}': "}5",
}


@pytest.mark.parametrize(("message", "text"), MESSAGES.items())
def test_messages_are_logged_without_a_stop(live: Live, message: str, text: str) -> None:
    made = Walk(live, LOOP)
    number = made.at("append", log=message, condition="each == 1")
    logged: list[tuple[int, str]] = []
    made.stepping.breakpoints.log_listeners.append(lambda point, said: logged.append((point.number, said)))
    made.program.call("run", 2)
    assert logged == [(number, text)]
    assert made.saw == []
    assert made.program.log == [0, 1]


@pytest.mark.parametrize("message", ["{", "}", "{n", "{n +}", "{}", "{'}", "{n!x}"])
def test_what_is_no_message(message: str) -> None:
    with pytest.raises(Refused, match="bad-log-message"):
        parse_log(message)


def test_one_that_logs_and_one_that_stops_on_the_same_line_and_a_listener_that_fails(live: Live) -> None:
    made = Walk(live, LOOP)
    logs, stops = made.at("end", log="n is {n}", hit_condition="2"), made.at("end")
    logged: list[str] = []

    def fails(point: Breakpoint, said: str) -> None:
        raise LookupError

    made.stepping.breakpoints.log_listeners += [fails, lambda point, said: logged.append(said)]
    made.answers = [noting(made.saw, lambda stop: str(stop.breakpoints))] * 2
    for n in (1, 2):
        made.program.call("run", n)
    assert logged == ["n is 2"]
    assert made.saw == ["@end", f"({stops},)"] * 2
    changed = made.stepping.breakpoints.change(logs, log="", hit_condition="")
    assert (changed.log, changed.hit_condition) == ("", "")
    with pytest.raises(Refused, match="bad-log-message"):
        made.stepping.breakpoints.change(logs, log="{", hit_condition="3")
    assert made.stepping.breakpoints.get(logs) == changed


SHOP = """
class Shop:
    def total(self):
        return 1  # @shop
class Cart:
    def total(self):
        return 2  # @cart
def total():
    return 3  # @function
def outer():
    def inner():
        return 4  # @inner
    return inner()
def run():
    return Shop().total() + Cart().total() + total() + outer()
"""


@pytest.mark.parametrize(
    ("name", "saw"),
    [
        ("total", ["@shop", "@cart", "@function"]),
        ("Shop.total", ["@shop"]),
        ("program.Cart.total", ["@cart"]),
        ("program.total", ["@function"]),
        ("other.total", []),
        ("inner", ["@inner"]),
        ("outer.<locals>.inner", ["@inner"]),
        ("Shop", []),
    ],
)
def test_by_name(live: Live, name: str, saw: list[str]) -> None:
    made = Walk(live, SHOP)
    found = made.stepping.add_named(name)
    assert found.is_bound == bool(saw)
    assert (found.name, made.label(found.line) if saw else found.line) == (name, saw[0] if saw else 0)
    assert made.program.call("run") == 10
    assert made.saw == saw
    made.stepping.breakpoints.remove([found.number])
    made.program.call("run")
    assert made.saw == saw


def test_by_name_with_options_and_in_no_library(live: Live) -> None:
    made = Walk(live, SHOP.replace("def run():", "def run():\n    import textwrap; textwrap.dedent(' a')"))
    made.stepping.add_named("dedent")
    made.stepping.add_named("total", condition="'self' in locals()", hit_condition="2", temporary=True)
    made.program.call("run")
    assert made.saw == ["@cart"]
    with pytest.raises(Refused, match="no-function"):
        made.stepping.add_named("not a name")
    with pytest.raises(Refused, match="bad-condition"):
        made.stepping.add_named("total", condition="==")


def test_by_name_in_a_module_that_is_loaded_later(live: Live, tmp_path: Path) -> None:
    made = Walk(live, "def run():\n    import later_module\n    return later_module.arrive()\n")
    made.program.program.other("later_module.py").path.write_text("def arrive():\n    return 5  # @there\n")
    told: list[tuple[str, int, bool]] = []
    made.stepping.breakpoints.listeners.append(lambda each: told.append((Path(each.filename).name, each.line, each.is_bound)))
    number = made.stepping.add_named("arrive").number
    sys.path.insert(0, str(made.program.program.folder))
    try:
        assert made.program.call("run") == 5
    finally:
        sys.path.pop(0)
        sys.modules.pop("later_module", None)
    assert told == [("later_module.py", 2, True)]
    assert made.saw == ["arrive"]
    assert made.stepping.breakpoints.get(number).hits == 1  # type: ignore[union-attr]


def test_by_name_an_edit_brings_moves_and_takes_the_function(live: Live) -> None:
    made = Walk(live, "def run():\n    return 1  # @run\ndef stop():\n    return 0  # @stop\n")
    made.at("stop")
    told: list[tuple[int, bool, str]] = []
    made.stepping.breakpoints.listeners.append(
        lambda each: told.append((each.line, each.is_bound, each.note)) if each.name else None
    )
    made.stepping.add_named("added")
    made.answers = [
        fix({"def run():\n    return 1": "def added():\n    return 7\ndef run():\n    return added()"}, go),
    ]
    made.program.call("stop")
    assert (made.program.call("run"), made.saw) == (7, ["@stop", "line 2"])
    made.answers = [fix({"def added():\n    return 7": "\n\ndef added():\n    return 8"}, go)]
    made.program.call("stop")
    assert made.program.call("run") == 8
    made.answers = [fix({"def added():\n    return 8": "", "return added()": "return 1"}, go)]
    made.program.call("stop")
    assert made.program.call("run") == 1
    assert told == [(2, True, ""), (4, True, ""), (4, False, "no function added is loaded any more")]
    assert made.saw == ["@stop", "line 2", "@stop", "line 4", "@stop"]


def test_all_of_a_file_at_once(live: Live) -> None:
    made = Walk(live, LOOP)
    path = str(made.program.program.path)
    line = made.program.program.line
    first, second = made.at("append"), made.at("end")
    by_function = made.stepping.add_function(path, "run").number
    made.program.call("run", 2)
    version = made.stepping.version
    specs = [
        BreakpointSpec(line("end"), hit_condition="5"),
        BreakpointSpec(line("for"), log="{n}"),
        BreakpointSpec(500),
        BreakpointSpec(line("def"), "="),
    ]
    kept, made_now, behind, bad = made.stepping.replace(path, specs)
    assert made.stepping.version == version + 1
    assert isinstance(kept, Breakpoint)
    assert (kept.number, kept.hits, kept.hit_condition) == (second, 1, "5")
    assert isinstance(made_now, Breakpoint)
    assert (made_now.number, made_now.log) == (4, "{n}")
    assert [each.code for each in (behind, bad) if isinstance(each, Refusal)] == ["no-code", "bad-condition"]
    assert [each.number for each in made.stepping.breakpoints.all()] == [second, by_function, 4]
    assert made.stepping.breakpoints.get(first) is None
    assert made.stepping.replace(path, []) == []
    assert [each.number for each in made.stepping.breakpoints.all()] == [by_function]
    [refused] = made.stepping.replace(path + "x", [BreakpointSpec(1)])
    assert isinstance(refused, Refusal) and refused.code == "file-unreadable"
