"""Steps into one call of a statement, and what the calls returned that were stepped over or out of."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from fixcont.continuing.ways import Step, StepKind, Way
from fixcont.stopping.stop import Stop, StopReason
from support.front_end import Answer, LiveProgram
from support.steps import Walk, go

Live = Callable[..., LiveProgram]

CALLS = """
def one(*a): return 1  # @one
def two(*a): return 2  # @two
def three(*a): return 3  # @three
class Shop:
    def __init__(self, n=0):
        self.n = n  # @init
    def sell(self, *a):
        self.n += 1  # @sell
        return self
    def close(self):
        return self.n  # @close
def nested():
    x = one(two(), three(two()))  # @nested
    return x  # @end
def chain():
    x = (
        Shop(one())  # @chain
        .sell(two())
        .sell()
        .close()
    )
    return x  # @after_chain
def library():
    x = sorted([2, 1], key=one) + [len("é"), two()]  # @library
    return x  # @after_library
def starred(*a):
    x = one(*a, two(**{})) if a else three()  # @starred
    return x  # @after_starred
def looped():
    for x in (one(), two()):  # @looped
        three()
    return x  # @after_looped
def finally_():
    try:
        return one()
    finally:
        x = two(); three()  # @finally
def generator():
    def numbers(n):
        yield n  # @yield
    x = list(numbers(one()))  # @generator
    return x  # @after_generator
"""


def into(name: str, which: int = 0) -> Answer:
    def answer(stop: Stop) -> Way:
        frame = stop.frames[stop.selected]
        named = [each for each in targets(stop) if each.name == name]
        return Step(frame, StepKind.INTO, at_edges=False, target=named[which])

    return answer


def targets(stop: Stop) -> list[Any]:
    from fixcont.session import active

    session = active()
    assert session is not None
    return session.step_targets(stop.frames[stop.selected])


@pytest.mark.parametrize(
    ("function", "label", "names"),
    [
        ("nested", "nested", ["two", "two", "three", "one"]),
        (
            "chain",
            "chain",
            ["one", "Shop", "two", "Shop(one()).sell", "Shop(one()).sell(two()).sell", "Shop(one()).sell(two()).sell().close"],
        ),
        ("library", "library", ["sorted", "len", "two"]),
        ("looped", "looped", ["one", "two"]),
        ("finally_", "finally", ["two", "three"]),
        ("generator", "generator", ["one", "numbers", "list"]),
        ("starred", "starred", ["two", "one", "three"]),
        ("nested", "end", []),
    ],
)
def test_targets(live: Live, function: str, label: str, names: list[str]) -> None:
    made = Walk(live, CALLS)
    made.at(label)
    found: list[list[str]] = []
    texts: list[str] = []

    def note(stop: Stop) -> Way:
        lines = made.program.program.text.splitlines()
        found.append([each.name for each in targets(stop)])
        for each in targets(stop):
            if each.line == each.end_line:
                text = lines[each.line - 1][each.column : each.end_column]
                texts.append(text)
                assert text.startswith(each.name)
                assert text.endswith(")")
        return go(stop)

    made.answers = [note]
    made.program.call(function)
    assert found == [names]


@pytest.mark.parametrize(
    ("function", "label", "answer", "saw"),
    [
        ("nested", "nested", into("two", 0), "@two"),
        ("nested", "nested", into("two", 1), "@two"),
        ("nested", "nested", into("three"), "@three"),
        ("nested", "nested", into("one"), "@one"),
        ("chain", "chain", into("Shop"), "@init"),
        ("chain", "chain", into("Shop(one()).sell(two()).sell"), "@sell"),
        ("chain", "chain", into("Shop(one()).sell(two()).sell().close"), "@close"),
        ("library", "library", into("sorted"), "@one"),
        ("library", "library", into("two"), "@two"),
        ("library", "library", into("len"), "@after_library"),
        ("looped", "looped", into("two"), "@two"),
        ("finally_", "finally", into("three"), "@three"),
        ("starred", "starred", into("three"), "@three"),
        ("generator", "generator", into("list"), "@yield"),
    ],
)
def test_a_step_goes_into_that_call_only(live: Live, function: str, label: str, answer: Answer, saw: str) -> None:
    made = Walk(live, CALLS)
    made.at(label, temporary=True)
    made.answers = [answer]
    made.program.call(function)
    assert made.saw == [f"@{label}", saw]


def test_a_step_into_the_second_of_two_equal_calls_is_in_the_second(live: Live) -> None:
    made = Walk(
        live,
        CALLS.replace("def two(*a): return 2", "def two(*a): seen.append(1); return 2").replace("def one", "seen = []\ndef one"),
    )
    made.at("nested", temporary=True)
    counts: list[int] = []

    def note(stop: Stop) -> Way:
        counts.append(len(made.program.names["seen"]))
        return go(stop)

    made.answers = [into("two", 1), note]
    made.program.call("nested")
    assert counts == [1]


def test_of_a_statement_that_is_partly_done_what_is_left(live: Live) -> None:
    made = Walk(live, CALLS)
    made.at("two", temporary=True)
    found: list[list[str]] = []

    def out(stop: Stop) -> Way:
        from fixcont.session import active

        session = active()
        assert session is not None
        found.append([each.name for each in session.step_targets(stop.frames[1])])
        return go(stop)

    made.answers = [out]
    made.program.call("nested")
    assert found == [["two", "three", "one"]]


def collecting(kind: StepKind) -> Answer:
    return lambda stop: Step(stop.frames[stop.selected], kind, at_edges=False, collects=True)


def noting(notes: list[Any], answer: Answer) -> Answer:
    def both(stop: Stop) -> Way:
        notes.append((stop.reason, stop.returned))
        return answer(stop)

    return both


STEP = StopReason.STEP


@pytest.mark.parametrize(
    ("function", "label", "kind", "returned"),
    [
        ("nested", "two", StepKind.OUT, [("two", 2), ("two", 2), ("three", 3), ("one", 1)]),
        ("nested", "nested", StepKind.OVER, [("two", 2), ("two", 2), ("three", 3), ("one", 1)]),
        ("nested", "end", StepKind.OVER, None),
        ("library", "library", StepKind.OVER, [("one", 1), ("one", 1), ("two", 2)]),
        ("generator", "generator", StepKind.OVER, [("one", 1)]),
    ],
)
def test_what_was_returned(live: Live, function: str, label: str, kind: StepKind, returned: list[Any] | None) -> None:
    made = Walk(live, CALLS)
    made.at(label, temporary=True)
    notes: list[Any] = []
    made.answers = [noting(notes, collecting(kind)), noting(notes, go)]
    made.program.call(function)
    assert notes[0] == (StopReason.BREAKPOINT, ())
    assert notes[1:] == ([(STEP, tuple(returned))] if returned is not None else [])


def test_coroutines_that_are_awaited_and_breakpoints_at_the_end_of_a_step(live: Live) -> None:
    made = Walk(
        live,
        """
import asyncio
async def work(n):
    await asyncio.sleep(0)
    return n
async def main():
    x = await work(5)  # @await
    return x  # @end
def run(): return asyncio.run(main())
""",
    )
    made.at("await", temporary=True)
    made.at("end")
    notes: list[Any] = []
    made.answers = [collecting(StepKind.OVER), noting(notes, go)]
    assert made.program.call("run") == 5
    assert notes == [(StopReason.BREAKPOINT, (("work", 5),))]


@pytest.mark.parametrize("collects", [True, False])
def test_values_are_kept_only_if_that_was_asked_for_and_not_after_the_stop(live: Live, collects: bool) -> None:
    class Thing:
        pass

    made = Walk(
        live,
        """
def make():
    thing = Thing()
    note(thing)
    return thing
def run():
    make()  # @make
    first = gone()
    return first, gone()
""",
    )
    references: list[weakref.ref[Thing]] = []
    made.program.names.update(
        Thing=Thing, note=lambda thing: references.append(weakref.ref(thing)), gone=lambda: references[0]() is None
    )
    stops: list[Stop] = []
    made.at("make", temporary=True)

    def keep(stop: Stop) -> Way:
        stops.append(stop)
        assert bool(stop.returned) is collects
        return go(stop)

    made.answers = [lambda stop: Step(stop.frames[0], StepKind.OVER, at_edges=False, collects=collects), keep]
    assert made.program.call("run") == (True, True)
    assert stops[0].returned == ()
    gc.collect()
    assert references[0]() is None
