"""An exception as plain data, whatever it does."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from fixcont.stopping.exceptions import ExceptionInfo, describe_exception
from support.front_end import LiveProgram, attempt, propagate

Live = Callable[..., LiveProgram]


class Own(Exception):
    class Inner(Exception):
        pass


def raised(function: Callable[[], object]) -> BaseException:
    error = attempt(function).error
    assert error is not None
    return error


def chained(suppressed: bool = False, named: bool = False) -> None:
    try:
        {"": 0}["key"]
    except KeyError as error:
        if named:
            raise Own("own") from error
        if suppressed:
            raise Own("own") from None
        raise Own("own")


def names(info: ExceptionInfo | None) -> Any:
    return None if info is None else (info.full_type_name, info.message)


def test_the_chain() -> None:
    own, key = (f"{__name__}.Own", "own"), ("KeyError", "'key'")
    info = describe_exception(raised(chained))
    assert (names(info), names(info.context), info.cause, info.type_name) == (own, key, None, "Own")
    assert info.traceback.count("Traceback (most recent call last):") == 2
    assert "During handling" in info.traceback
    info = describe_exception(raised(lambda: chained(named=True)))
    assert (names(info.cause), info.context) == (key, None)
    info = describe_exception(raised(lambda: chained(suppressed=True)))
    assert (info.cause, info.context, info.is_cut) == (None, None, False)
    assert describe_exception(Own.Inner()).type_name == "Own.Inner"


def test_groups_and_notes() -> None:
    first = ValueError("one")
    first.add_note("look here")
    group = ExceptionGroup("several", [first, ExceptionGroup("more", [TypeError("two")])])
    info = describe_exception(group)
    assert [each.message for each in info.members] == ["one", "more (1 sub-exception)"]
    assert info.members[0].notes == ("look here",)
    assert names(info.members[1].members[0]) == ("TypeError", "two")
    assert "look here" in info.traceback


class Hostile(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no")

    @property
    def __notes__(self) -> list[str]:  # type: ignore[override]
        raise RuntimeError("no")


class Untold:
    def __str__(self) -> str:
        raise LookupError


def test_hostile_ones_are_told_all_the_same() -> None:
    error = raised(lambda: (_ for _ in ()).throw(Hostile()))
    info = describe_exception(error)
    assert (info.type_name, info.message, info.notes) == ("Hostile", "<it cannot be told: RuntimeError>", ())
    assert "Hostile" in info.traceback
    noted: Any = ValueError()
    noted.__notes__ = [Untold(), 5]
    assert describe_exception(noted).notes == ("<it cannot be told: LookupError>", "5")
    noted.__notes__ = 5
    assert describe_exception(noted).notes == ()


def test_chains_with_cycles_and_without_end_are_cut() -> None:
    one, two = ValueError("one"), ValueError("two")
    one.__cause__, two.__cause__ = two, one
    info = describe_exception(one)
    assert info.cause is not None
    assert (info.cause.message, info.cause.cause, info.is_cut, info.cause.is_cut) == ("two", None, False, True)
    outer = ValueError("outer")
    inner = outer
    for number in range(500):
        inner.__context__ = ValueError(number)
        inner = inner.__context__
    depth, at = 0, describe_exception(outer)
    while at.context is not None:
        depth, at = depth + 1, at.context
    assert depth == 50
    assert at.is_cut
    wide = describe_exception(ExceptionGroup("wide", [ValueError(number) for number in range(1000)]))
    assert len(wide.members) == 199
    assert wide.is_cut


def test_the_whole_stack_at_a_stop_and_nothing_is_kept(live: Live) -> None:
    kept: list[weakref.ref[BaseException]] = []
    infos: list[ExceptionInfo] = []

    def look(stop: Any) -> Any:
        infos.append(describe_exception(stop.exception, stop.frames))
        kept.append(weakref.ref(stop.exception))
        return propagate(stop)

    program = live(
        "class Own(Exception): pass\ndef inner(): raise Own('it')\ndef middle(): inner()\ndef main(): middle()\n", look
    )
    assert program.failure("main") is not None
    told = [line.strip() for line in infos[0].traceback.splitlines()]
    wanted = ["def main(): middle()", "def middle(): inner()", "def inner(): raise Own('it')"]
    assert [told.index(line) for line in wanted] == sorted(told.index(line) for line in wanted)
    assert told[-1].endswith("Own: it")
    gc.collect()
    assert kept[0]() is None


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, StopIteration])
def test_all_kinds(kind: type[BaseException]) -> None:
    assert describe_exception(kind("x")).full_type_name == kind.__name__
