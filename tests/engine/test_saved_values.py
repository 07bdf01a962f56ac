"""Values of saved stops: what comes back is equal, or a hole with a name; and nothing of the program's is run on the way."""

from __future__ import annotations

import collections
import dataclasses
import datetime
import decimal
import enum
import http
import json
import math
import pathlib
import re
import socket
import sys
import threading
import time
import types
import zoneinfo
from contextlib import nullcontext
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fixcont.postmortem.asking import ask
from fixcont.postmortem.rebuilding import Rebuilder
from fixcont.postmortem.redacting import reaching_secrets
from fixcont.postmortem.redaction import Redaction
from fixcont.postmortem.standins import Hole, Saved
from fixcont.postmortem.values import Recorder
from fixcont.postmortem.wanted import Limits

ROOMY = Limits(depth=40, seconds=60)


def through(value: Any, limits: Limits = ROOMY, redaction: Redaction | None = None) -> Any:
    """Save a value as JSON, and bring it back."""
    recorder = Recorder(limits, redaction or Redaction())
    reference = recorder.reference(value, 0)
    recorder.run()
    table, reference = json.loads(json.dumps([recorder.table, reference], allow_nan=False))
    return Rebuilder(table).value(reference)


# -- plain values

plain = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.complex_numbers(), st.text(), st.binary(),
    st.text(st.characters(categories=["Cs", "Lu", "So"])),
    st.integers(min_value=2**60, max_value=2**300), st.decimals().filter(lambda value: not value.is_snan()), st.fractions(), st.uuids(), st.dates(), st.times(),
    st.datetimes(timezones=st.sampled_from([None, datetime.UTC, datetime.timezone(datetime.timedelta(hours=-3)), zoneinfo.ZoneInfo("UTC")])),
    st.timedeltas(), st.sampled_from([Ellipsis, NotImplemented, range(3, 9, 2), pathlib.Path("/a/b"), pathlib.PureWindowsPath("c:/x")]),
)  # fmt: skip
hashable = st.recursive(
    plain, lambda inner: st.one_of(st.tuples(inner), st.tuples(inner, inner), st.frozensets(inner)), max_leaves=5
)
values = st.recursive(
    plain,
    lambda inner: st.one_of(
        st.lists(inner),
        st.tuples(inner, inner),
        st.dictionaries(hashable, inner),
        st.sets(hashable),
        st.builds(bytearray, st.binary()),
        st.builds(collections.deque, st.lists(inner), st.one_of(st.none(), st.integers(0, 5))),
        st.builds(collections.OrderedDict, st.dictionaries(hashable, inner)),
        st.builds(collections.Counter, st.lists(hashable)),
    ),
    max_leaves=20,
)


def is_same(one: Any, other: Any) -> bool:
    """Tell whether two values are equal and of the same types all the way down; a NaN is equal to a NaN."""
    if type(one) is not type(other):
        return False
    if isinstance(one, float):
        return math.isnan(one) == math.isnan(other) and (
            math.isnan(one) or (one == other and math.copysign(1, one) == math.copysign(1, other))
        )
    if isinstance(one, complex):
        return is_same(one.real, other.real) and is_same(one.imag, other.imag)
    if isinstance(one, decimal.Decimal):
        return str(one) == str(other)
    if isinstance(one, dict):
        return len(one) == len(other) and all(
            is_same(a, b) and is_same(one[a], other[b]) for a, b in zip(one, other, strict=True)
        )
    if isinstance(one, (set, frozenset)):
        left = list(other)
        for each in one:
            found = next((number for number, candidate in enumerate(left) if is_same(each, candidate)), None)
            if found is None:
                return False
            del left[found]
        return not left
    if isinstance(one, collections.deque) and one.maxlen != other.maxlen:
        return False
    if isinstance(one, (list, tuple, collections.deque)):
        return len(one) == len(other) and all(is_same(a, b) for a, b in zip(one, other, strict=True))
    if isinstance(one, datetime.datetime):
        return bool(
            one.replace(tzinfo=None) == other.replace(tzinfo=None)
            and one.fold == other.fold
            and str(one.tzinfo) == str(other.tzinfo)
        )
    return bool(one == other)


@pytest.mark.slow
@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(values)
def test_a_plain_value_comes_back_as_it_was(value: Any) -> None:
    assert is_same(value, through(value))


@pytest.mark.slow
@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(values, st.integers(0, 3), st.integers(1, 12), st.integers(0, 3), st.integers(0, 20), st.integers(0, 500))
def test_within_limits_it_comes_back_or_is_a_hole(value: Any, depth: int, count: int, items: int, text: int, size: int) -> None:
    found = through(value, Limits(depth=depth, count=count, items=items, text=text, size=size, seconds=60))

    assert equal_or_hole(value, found)


def equal_or_hole(one: Any, other: Any) -> bool:
    """Tell whether a value is the same, or a hole, or a container whose items are, with a hole at the end where some are missing."""
    if type(other) is Hole:
        return bool(other.why)
    if isinstance(one, (list, tuple, collections.deque)) and type(one) is type(other):
        there = [each for each in other if not (type(each) is Hole and each.why == "items")]
        if len(there) < len(one) and len(there) == len(other):
            return isinstance(one, collections.deque) and one.maxlen is not None
        return all(equal_or_hole(a, b) for a, b in zip(one, there, strict=False))
    if isinstance(one, dict) and type(one) is type(other):
        return len(one) == len(other) or any(type(each) is Hole for each in other)
    if isinstance(one, (set, frozenset)) and type(one) is type(other):
        return len(one) == len(other) or any(type(each) is Hole for each in other)
    if isinstance(one, (datetime.datetime, datetime.time)) and type(one) is type(other):
        return bool(one.replace(tzinfo=None) == other.replace(tzinfo=None))
    return is_same(one, other) or isinstance(one, complex)


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), -float("inf"), -0.0, 10**20_000, -(2**53), 2**53, True, 1, 1.0, "\ud83d\ude00", "\ud83d", "\0"],
    ids=lambda value: type(value).__name__,
)
def test_numbers_and_texts_that_json_does_not_have(value: Any) -> None:
    assert is_same(value, through(value))


def test_halves_of_a_surrogate_pair_stay_two() -> None:
    halves = chr(0xD83D) + chr(0xDE00)

    assert len(through(halves)) == 2


def test_shared_values_and_cycles_are_kept() -> None:
    shared = [1]
    ring: list[Any] = [shared, {"again": shared}]
    pair = (ring, shared)
    ring.append(pair)

    found = through({"pair": pair, "ring": ring})

    assert found["pair"][0] is found["ring"]
    assert found["ring"][2] is found["pair"]
    assert found["ring"][0] is found["ring"][1]["again"] is found["pair"][1]


def test_patterns_and_single_objects() -> None:
    assert through(re.compile("a+", re.I)) == re.compile("a+", re.I)
    assert through(types.MappingProxyType({"a": [1]}))["a"] == [1]
    assert through(slice(1, None, 2)) == slice(1, None, 2)


# -- objects


@dataclasses.dataclass
class Order:
    number: int
    lines: list[Any]


class Slotted:
    __slots__ = ("a", "b")

    def __init__(self) -> None:
        self.a = 1

    def start(self) -> None:
        """Be a method."""


class Point(NamedTuple):
    x: int
    y: Any


class Colour(enum.Enum):
    RED = "r"


class Names(dict[str, Any]):
    pass


class Amount(int):
    pass


def test_objects_keep_their_type_and_attributes() -> None:
    order = Order(7, [(1, 2)])
    order.lines.append(order)

    found = through(order)

    assert issubclass(type(found), Saved)
    assert (type(found).__module__, type(found).__qualname__) == (Order.__module__, "Order")
    assert found.number == 7
    assert found.lines[1] is found
    assert "Order number=7" in repr(found)
    assert through(Slotted()).a == 1
    assert not hasattr(through(Slotted()), "b")


def test_objects_of_classes_that_derive_from_built_in_ones_are_those_too() -> None:
    names = Names(a=[1])
    names.extra = 2  # type: ignore[attr-defined]
    found = through(names)

    assert found == {"a": [1]} and found.extra == 2
    assert through(Amount(5)) + 1 == 6
    assert through(Amount(2**70)) == 2**70
    assert through(Point(1, [2])).y == [2]
    assert through(Point(1, [2]))[0] == 1
    error = through(OSError(2, "no"))
    assert isinstance(error, OSError) and error.args == (2, "no")


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2**60


class Mode(enum.StrEnum):
    FAST = "fast"


class Access(enum.Flag):
    READ = enum.auto()
    WRITE = enum.auto()


class Bits(enum.IntFlag):
    A = 1
    B = 4


class Planet(enum.Enum):
    EARTH = (5.97, 6.4)
    ODD = ([1], 2)  # its value cannot be compared without running what is in it

    def __init__(self, *about: Any) -> None:
        self.mass = about[0]


MEMBERS = [
    Colour.RED, Level.LOW, Level.HIGH, Mode.FAST, Access.READ, Access.READ | Access.WRITE, Access(0), Bits.A | Bits.B, Bits(9), Bits(0),
    Planet.EARTH, http.HTTPStatus.NOT_FOUND, re.RegexFlag.I | re.RegexFlag.M,
]  # fmt: skip


@pytest.mark.parametrize("member", MEMBERS, ids=repr)
def test_members_of_enums_come_back_as_themselves(member: Any) -> None:
    assert through(member) is member
    assert through({member: [member]}) == {member: [member]}


@pytest.mark.parametrize("member", [*MEMBERS[:11], Planet.ODD], ids=repr)
def test_members_of_enums_that_are_not_at_hand_are_named(member: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, __name__, types.ModuleType(__name__))
    found = through([member, member])

    assert found[0] is found[1] and issubclass(type(found[0]), Saved)
    assert (found[0].name, found[0].value) == (member.name, member.value)
    assert repr(found[0]) == f"{type(member).__qualname__}.{member.name or '?'}"
    if isinstance(member, (int, str)):
        assert found[0] == member and hash(found[0]) == hash(member)
    if isinstance(member, Planet):
        assert found[0].mass == member.mass


def test_a_member_of_another_version_of_an_enum_is_not_taken_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    class Other(enum.Enum):
        RED = "another"

    class Grown(enum.Flag):
        READ = 2

        @classmethod
        def _missing_(cls, value: object) -> Any:
            raise AssertionError("asked")

    recorder = Recorder(ROOMY, Redaction())
    references = [recorder.reference(each, 0) for each in (Colour.RED, Access.READ | Access.WRITE)]
    recorder.run()
    monkeypatch.setattr(sys.modules[__name__], "Colour", Other)
    monkeypatch.setattr(sys.modules[__name__], "Access", Grown)
    rebuilder = Rebuilder(recorder.table)

    assert [repr(rebuilder.value(each)) for each in references] == ["Colour.RED", "Access.READ|WRITE"]


def test_what_is_code_is_named() -> None:
    found = through([len, int, json, Order, equal_or_hole, Slotted().start])

    assert found[0] is len and found[1] is int
    assert repr(found[2]) == "<saved module json>"
    assert found[3].__qualname__ == "Order"
    assert "equal_or_hole" in repr(found[4]) and __file__ in repr(found[4])
    assert found[5].__func__.__qualname__ == "Slotted.start"
    with pytest.raises(TypeError, match="code is not saved"):
        found[4]()
    with pytest.raises(TypeError, match="code is not saved"):
        found[3]()


# -- values that fight


def fighting_values() -> list[Any]:
    """Make objects whose every method fails: inside of a function, as pytest looks at what modules define."""

    class Touchy(type):
        def __getattribute__(cls, name: str) -> Any:
            raise AssertionError(f"asked for {name}")

        def __instancecheck__(cls, value: object) -> bool:
            raise AssertionError("asked for isinstance")

        def __subclasscheck__(cls, value: object) -> bool:
            raise AssertionError("asked for issubclass")

    class Fighting(metaclass=Touchy):
        def __init__(self) -> None:
            object.__setattr__(self, "inside", 3)

        def __getattribute__(self, name: str) -> Any:
            raise AssertionError(f"asked for {name}")

        def __eq__(self, other: object) -> bool:
            raise AssertionError("compared")

        def __hash__(self) -> int:
            raise AssertionError("hashed")

        def __bool__(self) -> bool:
            raise AssertionError("asked for its truth")

        def __len__(self) -> int:
            raise AssertionError("asked for its length")

        def __repr__(self) -> str:
            raise AssertionError("asked for its repr")

    class Pretending:
        @property
        def __dict__(self) -> Any:  # type: ignore[override]
            raise AssertionError("asked for its attributes")

        @property  # type: ignore[misc]
        def __class__(self) -> Any:
            raise AssertionError("asked for its class")

    class Endless(list[Any]):
        def __iter__(self) -> Any:
            while True:
                yield 1

        def __len__(self) -> int:
            raise AssertionError("asked for its length")

    class Renamed(str):
        def __len__(self) -> int:
            raise AssertionError("asked for its length")

        def isascii(self) -> bool:
            raise AssertionError("asked for isascii")

    fighting = object.__new__(Fighting)
    object.__setattr__(fighting, "inside", 3)
    return [fighting, Pretending(), Endless([1, 2]), Renamed("hello"), Fighting]


def test_values_that_fight_are_read_past_what_they_do() -> None:
    found = through(fighting_values())

    assert found[0].__dict__ == {"inside": 3}
    assert list.__len__(found[2]) == 2
    assert found[3] == "hello"


def test_what_is_open_or_locked_or_running() -> None:
    with socket.socket() as opened, threading.Lock() as _:
        lock = threading.Lock()
        generator = (each for each in [1])
        found = through(
            [opened, lock, generator, sys._getframe(), threading.current_thread(), memoryview(b"x"), iter([1]), object()]
        )

    assert [type(each).__qualname__ for each in found][:3] == ["socket", "lock", "generator"]
    assert all(isinstance(each, Saved) for each in found)


def test_a_million_items_are_a_thousand_and_a_hole() -> None:
    begin = time.perf_counter()
    found = through(list(range(1_000_000)), Limits())

    assert found[:1000] == list(range(1000))
    assert (found[1000].why, found[1000].size) == ("items", 999_000)
    assert time.perf_counter() - begin < 5


def test_what_lies_near_is_there_before_what_lies_far() -> None:
    recorder = Recorder(Limits(count=10, seconds=60), Redaction())
    deep: list[Any] = []
    for _ in range(100):
        deep = [deep]
    references = [recorder.reference(each, 0) for each in (deep, [1], [2])]
    recorder.run()
    rebuilder = Rebuilder(recorder.table)

    assert [rebuilder.value(each) for each in references[1:]] == [[1], [2]]
    assert "<not saved: list of 1, too many values>" in repr(rebuilder.value(references[0]))


def test_the_limits_of_time_and_size_end_it() -> None:
    many = [[number] for number in range(900)]

    assert "took too long" in repr(through(many, Limits(seconds=0)))
    assert "too large" in repr(through(["x" * 5000 + str(number) for number in range(900)], Limits(size=100_000)))
    assert repr(through("x" * 20, Limits(text=5))) == "'xxxxxxxxxxxxxxxxxxxx'"
    hole = through("x" * 500, Limits(text=5))
    assert (hole.why, hole.size, hole.text) == ("text", 500, "xxxxx")


def test_nests_deeper_than_the_stack() -> None:
    deep: Any = ()
    for _ in range(5000):
        deep = (deep,)

    assert "too deep" in repr(through({"a": deep}, Limits(depth=10_000, seconds=60))["a"][0])


# -- secrets


@pytest.mark.parametrize(
    "name", ["password", "DB_PASSWORD", "apiKey", "api_key", "X-Auth-Token", "Authorization", "secretKey", "tokens", "session_id"]
)
def test_names_of_secrets(name: str) -> None:
    assert Redaction().is_secret(name)


@pytest.mark.parametrize("name", ["author", "tokenizer", "secretary", "compass", "authenticate_user_model", "keys", "x", ""])
def test_names_of_none(name: str) -> None:
    assert not Redaction().is_secret(name)


def test_secrets_are_left_out_where_they_are_named_and_where_they_are_copied() -> None:
    @dataclasses.dataclass
    class Config:
        user: str
        password: str

    config = Config("me", "swordfish")
    value = {
        "config": config,
        "headers": [("Authorization", "Bearer abcdef")],
        "raw": b"x=swordfish",
        "line": "login me swordfish",
        "db": "postgres://me:opensesame@host/db",
        "empty": Config("me", ""),
    }
    redaction = Redaction()
    recorder = Recorder(ROOMY, redaction)
    reference = recorder.reference(value, 0)
    recorder.run()
    from fixcont.postmortem.redacting import redact_entries

    redact_entries(recorder.table, redaction.scrub)
    written = json.dumps(recorder.table)
    found = Rebuilder(recorder.table).value(reference)

    assert not re.search("swordfish|abcdef|opensesame", written)
    assert found["config"].user == "me"
    assert (found["config"].password.why, found["line"].text) == ("redacted", "login me [redacted]")
    assert found["raw"].why == "redacted"
    assert found["empty"].password == ""
    config_at, top = next(n for n, e in enumerate(recorder.table) if e.get("type", ["", ""])[1].endswith("Config")), 0
    assert {config_at, top} <= reaching_secrets(recorder.table)


def test_more_words_can_be_given() -> None:
    assert through({"pin": "1234", "x": 1}, redaction=Redaction(["pin"]))["pin"].why == "redacted"


# -- repr


def test_a_repr_that_never_ends_is_given_up() -> None:
    ended = threading.Event()

    def endless() -> str:
        try:
            while True:
                pass
        finally:
            ended.set()

    answers = ask({"a": lambda: "x", "b": endless, "c": lambda: "y"}, 0.1, nullcontext)

    assert [answers[key].value for key in "abc"] == ["x", None, None]
    assert [answers[key].failure for key in "abc"] == ["", "slow", "late"]
    assert ended.wait(20)


def test_a_repr_that_fails_is_told() -> None:
    def fails() -> str:
        raise KeyboardInterrupt

    assert ask({1: fails}, 5, nullcontext)[1].failure == "KeyboardInterrupt"
    assert ask({1: fails}, 0, nullcontext)[1].failure == "late"
