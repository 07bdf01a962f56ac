"""Values as code: whatever is noted is built again by the code that is made of it, type by type, with what is shared."""

from __future__ import annotations

import datetime as dates
import functools
import io
import math
import re
import socket
import types
import uuid
from collections import Counter, OrderedDict, defaultdict, deque
from decimal import Decimal
from fractions import Fraction
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixcont.errors import Refused
from fixcont.postmortem.objects import fields
from fixcont.testcases import making
from fixcont.testcases.building import Unbuildable
from fixcont.testcases.graphs import describe, refusal_of
from fixcont.testcases.imports import Imports
from fixcont.testcases.layout import WIDTH, lines_of
from support import objects
from support.objects import with_attributes


def code_for(**values: Any) -> list[str]:
    """Give the lines that build values, in variables of their names."""
    graph = describe(values)
    imports = Imports(values)
    try:
        statements, docs = making._build(graph, imports)
    except Unbuildable as error:
        raise Refused(refusal_of("argument", graph.path_to(error.index), error.is_what, error.kind)) from None
    standard, own = imports.lines()
    return [*standard, *own, *statements, *(line for name, doc in docs.items() for line in lines_of(doc, f"{name} = "))]


def rebuilt(**values: Any) -> dict[str, Any]:
    space: dict[str, Any] = {}
    exec("\n".join(code_for(**values)), space)
    return {name: space[name] for name in values}


class Judge:
    """Compares values with nothing of what is judged: types, contents, order, and which parts are the same object."""

    def __init__(self) -> None:
        self.pairs: dict[int, int] = {}

    def same(self, one: Any, other: Any) -> bool:
        if type(one) is not type(other):
            return False
        if isinstance(one, (float, complex)) and type(one) in (float, complex):
            return repr(one) == repr(other)
        if type(one) in _ATOMS or isinstance(one, (type, types.FunctionType, types.BuiltinFunctionType, types.ModuleType)):
            return bool(one == other)
        if type(one) in (tuple, frozenset) and not one:
            return not other
        if id(one) in self.pairs:
            return type(one) in (tuple, frozenset) or self.pairs[id(one)] == id(other)
        self.pairs[id(one)] = id(other)
        return self.inside(one, other)

    def inside(self, one: Any, other: Any) -> bool:
        if isinstance(one, dict) and not self.all(
            [part for pair in dict.items(one) for part in pair], [part for pair in dict.items(other) for part in pair]
        ):
            return False
        if isinstance(one, (set, frozenset)):
            return one == other if not _nan(one) else len(one) == len(other)
        if isinstance(one, (list, tuple, deque)) and not self.all(list(one), list(other)):
            return False
        if isinstance(one, deque) and one.maxlen != other.maxlen:
            return False
        if isinstance(one, (str, int, bytearray)) and not one == other:
            return False
        mine, its = fields(one), fields(other)
        return mine.keys() == its.keys() and self.all(list(mine.values()), [its[name] for name in mine])

    def all(self, some: list[Any], others: list[Any]) -> bool:
        return len(some) == len(others) and all(self.same(one, other) for one, other in zip(some, others, strict=True))


_ATOMS = (
    int, str, bytes, bool, type(None), Decimal, Fraction, dates.date, dates.datetime, dates.time, dates.timedelta, dates.timezone, uuid.UUID,
    range, slice, re.Pattern, type(Path()), PurePosixPath, PureWindowsPath, type(...), objects.Colour, objects.Access,
)  # fmt: skip


def _nan(items: Any) -> bool:
    return any(each != each for each in items)


numbers = st.integers() | st.integers(min_value=1 << 60, max_value=1 << 4000) | st.floats() | st.complex_numbers()
plain = st.one_of(
    st.none(),
    st.booleans(),
    numbers,
    st.text(),
    st.text(st.characters(), min_size=90),
    st.just("half \ud83d of one"),
    st.binary(),
    st.decimals(allow_nan=False),
    st.fractions(),
    st.dates(),
    st.datetimes(timezones=st.none() | st.just(dates.UTC) | st.just(dates.timezone(dates.timedelta(hours=2), "EET"))),
    st.times(),
    st.timedeltas(),
    st.uuids(),
    st.builds(range, st.integers(-9, 9), st.integers(-9, 9), st.integers(1, 5)),
    st.sampled_from([
        Path("/tmp/x y"), PurePosixPath("a/'b'"), PureWindowsPath("c:\\x"), re.compile("a|b", re.IGNORECASE), re.compile(b"x"), ...,
        objects.Colour.RED, objects.Access.READ | objects.Access.WRITE, objects.Item, int, len, str.upper, objects.double, math, slice(1, None),
        objects.Text("text"), objects.Number(7),
    ]),
)  # fmt: skip
hashable = st.one_of(st.integers(), st.text(), st.tuples(st.integers(), st.text()), st.sampled_from(list(objects.Colour)))


def containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    lists = st.lists(inner, max_size=4)
    mappings = st.dictionaries(hashable, inner, max_size=4)
    return st.one_of(
        lists,
        lists.map(tuple),
        lists.map(objects.Names),
        st.builds(deque, lists, st.none() | st.integers(4, 9)),
        lists.map(objects.Queue),
        st.sets(hashable, max_size=4),
        st.frozensets(hashable, max_size=4),
        mappings,
        mappings.map(OrderedDict),
        mappings.map(objects.Table),
        mappings.map(objects.Ordered),
        mappings.map(lambda items: defaultdict(list, items)),
        mappings.map(types.MappingProxyType),
        st.lists(hashable).map(Counter),
        st.binary().map(bytearray),
        st.builds(objects.Point, inner, inner),
        st.builds(objects.Place, st.text(), inner),
        st.builds(objects.Item, inner, inner, lists),
        st.builds(objects.Frozen, inner),
        st.builds(objects.Slotted, inner, inner),
        st.builds(objects.Plain, inner, other=inner),
        st.builds(lambda value: with_attributes(objects.Plain(1), added=value), inner),
        st.builds(lambda value: with_attributes(objects.Counted(), total=value), inner),
        st.builds(lambda value: with_attributes(objects.Strict("open"), key=value), inner),
        st.builds(lambda value: with_attributes(objects.Slots(), _hidden=value), inner),
        st.builds(lambda value: with_attributes(objects.Names([value]), note=value), inner),
        st.builds(types.SimpleNamespace, some=inner),
        st.builds(functools.partial, st.just(objects.double), inner),
        inner.map(lambda value: [value, value]),
    )


values = st.recursive(plain, containers, max_leaves=12)


@settings(deadline=None, max_examples=100)
@given(values, values)
def test_values_come_back_as_they_were(one: Any, other: Any) -> None:
    found = rebuilt(one=[one, other], other=[other, one])

    assert Judge().all([[one, other], [other, one]], [found["one"], found["other"]])


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), min_size=1, max_size=14), st.data())
def test_what_holds_itself_comes_back_with_what_is_shared(edges: list[tuple[int, int]], data: st.DataObject) -> None:
    kinds: list[Any] = [
        list,
        dict,
        deque,
        lambda: objects.Node("n"),
        objects.Names,
        lambda: objects.Slotted(None),
        objects.Table,
        objects.Counted,
    ]
    made: list[Any] = [data.draw(st.sampled_from(kinds))() for _ in range(8)]
    for start, end in edges:
        holder = made[start]
        if isinstance(holder, dict):
            holder[len(holder)] = made[end]
        elif isinstance(holder, (list, deque)):
            holder.append((made[end],))
        else:
            with_attributes(holder, **{"left" if isinstance(holder, objects.Slotted) else f"at_{end}": made[end]})
    found = rebuilt(made=made)["made"]

    assert Judge().same(made, found)


def test_what_is_in_a_shared_tuple_is_built_once() -> None:
    shared: tuple[Any, ...] = ([],)
    found = rebuilt(value=[shared, shared])["value"]

    assert found[0][0] is found[1][0]


def test_the_nicest_code_is_chosen() -> None:
    item = objects.Item("nail", Decimal("0.03"))
    counted = objects.Counted()
    plain_one = objects.Plain(5)

    assert code_for(value=[1.5, float("nan"), {"a": (1,)}]) == ['value = [1.5, float("nan"), {"a": (1,)}]']
    assert code_for(value=item)[-1] == 'value = Item(name="nail", price=Decimal("0.03"), tags=[])'
    assert code_for(value=counted)[-1] == "value = Counted()"
    assert code_for(value=plain_one)[-1] == "value = Plain(value=5, other=None)"
    assert code_for(value=defaultdict(int, a=1))[-1] == 'value = defaultdict(int, {"a": 1})'


def test_what_the_constructor_does_not_make_is_assigned() -> None:
    counted = with_attributes(objects.Counted(), total=3)
    lines = code_for(value=counted)

    assert lines[-3:-1] == ["expected = object.__new__(Counted)", "vars(expected).update(items=[], total=3)"]


def test_a_method_keeps_its_object() -> None:
    node = objects.Node("n")
    node.next = node.go
    found = rebuilt(node=node)["node"]

    assert found.next.__self__ is found and found.next.__func__ is objects.Node.go


def test_exceptions_come_back() -> None:
    found = rebuilt(error=objects.Failure(7), other=KeyError("x"))

    assert type(found["error"]) is objects.Failure and found["error"].args == ("code 7",) and found["error"].code == 7
    assert found["other"].args == ("x",)


def test_lines_are_not_longer_than_they_should_be() -> None:
    lines = code_for(value=[{"name": "x" * 30, "number": each, "more": [each] * 8} for each in range(5)])

    assert len(lines) > 5 and max(map(len, lines)) <= WIDTH


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (socket.socket, "argument x[0].held is a socket"),
        (lambda: io.TextIOWrapper(io.BytesIO()), "argument x[0].held is a TextIOWrapper"),
        (io.StringIO, "argument x[0].held is a StringIO"),
        (lambda: (each for each in [1]), "argument x[0].held is a generator, whose class cannot be imported by its name"),
        (lambda: iter([]), "argument x[0].held is a list_iterator, whose class cannot be imported by its name"),
        (lambda: [].append, "argument x[0].held is a method of an object of a built-in type"),
        (objects.maker, "argument x[0].held is a function or class that cannot be imported by its name"),
        (lambda: type("Made", (), {})(), "argument x[0].held is a Made, whose class cannot be imported by its name"),
        (lambda: list(range(3000)), "argument x[0].held holds more than is readable in a test"),
    ],
)
def test_what_cannot_be_built_is_named_with_the_way_to_it(make: Any, sentence: str) -> None:
    held = make()
    holder = objects.Node("n")
    holder.__dict__["held"] = held
    with pytest.raises(Refused) as caught:
        code_for(x=[holder])
    if isinstance(held, socket.socket):
        held.close()

    assert caught.value.refusal.code == "argument-not-plain"
    assert caught.value.refusal.sentence == sentence
