"""What lies below a value: page by page, by name, by expression; and none of the program's code runs for it."""

from __future__ import annotations

import collections
import types
from collections.abc import Callable
from typing import Any, ClassVar, NoReturn

import pytest

from fixcont_ui.values.children import Child, Kind, Names, child_named, children, count_indexed, count_named
from fixcont_ui.values.looks import look

MILLION = 1_000_000


class Loud:
    """Fails as soon as anything of it runs."""

    def __init__(self) -> None:
        object.__setattr__(self, "x", 1)
        object.__setattr__(self, "me", self)

    def _run(self, *args: object) -> NoReturn:
        raise AssertionError("code of the program was run")

    __repr__ = __str__ = __hash__ = __eq__ = __len__ = __iter__ = __bool__ = __dir__ = _run
    __getattr__ = __getattribute__ = _run


class Plain:
    limit: ClassVar = 5

    def __init__(self) -> None:
        self.x = [1]
        vars(self).update({"not a name": 2, "class": 3, "shown": 4, "worked_out": 5})

    def shown(self) -> None: ...

    @property
    def worked_out(self) -> int:
        return 0


class Slots:
    __slots__ = ("a", "b")

    def __init__(self) -> None:
        self.a = 1


class Hiding(Slots):
    a = 7  # hides what lies in the slot


class OwnItems(list[int]):
    def __getitem__(self, number: Any) -> Any:
        raise AssertionError("code of the program was run")

    __iter__ = __len__ = Loud._run


def names_of(found: list[Child]) -> list[str]:
    return [child.name for child in found]


#: What a container is made of, and what its last three children are called, lead to, and whether they can be replaced.
LONG: list[tuple[Callable[[], object], list[str], list[str | None], bool]] = [
    (lambda: list(range(MILLION)), ["[999997]", "[999998]", "[999999]"], ["x[999997]", "x[999998]", "x[999999]"], True),
    (lambda: tuple(range(MILLION)), ["[999997]", "[999998]", "[999999]"], ["x[999997]", "x[999998]", "x[999999]"], False),
    (lambda: collections.deque(range(MILLION)), ["[999997]", "[999998]", "[999999]"], ["x[999997]", "x[999998]", "x[999999]"], True),
    (lambda: dict.fromkeys(map(str, range(MILLION))), ["['999997']", "['999998']", "['999999']"],
     ["x['999997']", "x['999998']", "x['999999']"], True),
    (lambda: set(range(MILLION)), ["-", "-", "-"], [None, None, None], False),
    (lambda: OwnItems(range(MILLION)), ["[999997]", "[999998]", "[999999]"], [None, None, None], True),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(LONG)))
def test_a_page_of_a_long_container_is_all_that_is_looked_at(number: int) -> None:
    make, names, expressions, can_be_replaced = LONG[number]
    value = make()

    page = children(value, MILLION - 3, 10, "indexed")

    assert count_indexed(value) == MILLION
    assert names_of(page) == names
    assert [child.expression("x") for child in page] == expressions
    assert [child.replace is not None for child in page] == [can_be_replaced] * 3
    assert children(value, MILLION, 10, "indexed") == []


def test_what_leads_to_a_child_leads_to_it() -> None:
    keys: list[Any] = ["k", "it's", 1, -2, True, None, b"b", 0.5, ("a", 1), (), (1,)]
    value: Any = Plain()
    value.x = {key: [number] for number, key in enumerate(keys)}
    namespace = {"value": value, "a": [1], "b": [2]}

    for child in children(value.x):
        assert eval(child.expression("value.x") or "", namespace) is child.value
        assert eval(child.expression("{} or value.x") or "", namespace) is child.value
    assert [child.expression("a + b") for child in children([1, 2])] == ["(a + b)[0]", "(a + b)[1]"]
    assert children([1])[0].expression("") is None


def test_keys_that_cannot_be_written_lead_nowhere() -> None:
    found = children({object: 1, float("nan"): 2, "x" * 1000: 3, 1 << 5000: 4, Loud.__init__: 5, (1, object): 6})

    assert [child.expression("x") for child in found] == [None] * 6


def test_attributes_lead_to_what_lies_in_the_object_only() -> None:
    plain, hiding = Plain(), Hiding.__new__(Hiding)
    vars(Slots)["a"].__set__(hiding, 3)

    found = {child.name: child.expression("x") for child in children(plain, kind="named")}

    assert found == {".x": "x.x", ".not a name": None, ".class": None, ".shown": "x.shown", ".worked_out": None}
    assert [(child.name, child.value, child.expression("x")) for child in children(hiding)] == [(".a", 3, None)]
    assert [(child.name, child.expression("x")) for child in children(Slots())] == [(".a", "x.a")]
    assert [child.expression("x") for child in children(Loud())] == [None, None]
    of_class = {child.name: child.expression("C") for child in children(Plain)}
    assert (of_class["limit"], of_class["shown"], of_class["worked_out"]) == ("C.limit", "C.shown", None)


def test_nothing_of_the_programs_runs() -> None:
    class Meta(type):
        __dict__ = property(Loud._run)  # type: ignore[misc]
        __mro__ = property(Loud._run)

    class Odd(metaclass=Meta):
        y = 2

        def __init__(self) -> None:
            self.x = 1

    class Keys(dict[str, Any]):
        __iter__ = __len__ = __getitem__ = items = keys = Loud._run

    loud = Loud()
    for value in (loud, [loud], {1: loud}, Keys(a=loud), types.MappingProxyType(Keys(a=loud)), Odd(), Odd):
        assert count_indexed(value) + count_named(value) == len(children(value)) > 0
        assert look(value)
    hashed: dict[str, object] = {"other": 1, "x": loud}
    found = child_named(hashed, "['x']")
    assert found is not None and found.value is loud


@pytest.mark.parametrize("kind", [None, "indexed", "named"])
def test_pages_put_together_are_the_whole(kind: Kind | None) -> None:
    class Both(list[int]):
        pass

    value = Both(range(7))
    vars(value).update(a=1, b=2, c=3)
    whole = names_of(children(value, kind=kind))

    for size in (1, 3, 4, 20):
        assert [name for start in range(0, 12, size) for name in names_of(children(value, start, size, kind))] == whole
    assert (count_indexed(value), count_named(value)) == (7, 3)


def test_children_are_replaced_where_they_lie() -> None:
    items: list[object] = [1, 2]
    mapping: dict[str, object] = {"k": 1}
    queue: collections.deque[object] = collections.deque([1, 2])
    plain: Any = Plain()
    for value, name in ((plain, ".x"), (items, "[1]"), (mapping, "['k']"), (queue, "[0]")):
        child = child_named(value, name)
        assert child is not None and child.replace is not None
        child.replace("new")

    assert (plain.x, items, mapping, list(queue)) == ("new", [1, "new"], {"k": "new"}, ["new", 2])


def test_children_have_no_name_where_two_would_have_it() -> None:
    same = {"x" * 100 + "a": 1, "x" * 100 + "b": 2, True: 3, "k": 4}

    assert child_named(same, names_of(children(same))[0]) is None
    assert child_named({1, 2}, "-") is None
    assert child_named([1], "[1]") is None and child_named([1], "[01]") is None and child_named([1], "[-1]") is None
    found = child_named(same, "[True]")
    assert found is not None and found.value == 3
    assert child_named(same, "[1]") is None


def test_the_variables_of_a_frame_are_children_too() -> None:
    given: dict[str, Any] = {}
    local = Names({"a": 1, ".0": 2}, given.__setitem__)
    module = Names({"__name__": "m", "f": look, "a": 2, "n": 3}, None, is_module=True, hidden_by={"a"})

    found = child_named(local, "a")
    assert found is not None and found.replace is not None and found.expression() == "a"
    found.replace(5)
    assert given == {"a": 5}
    assert [(child.name, child.expression(), child.replace) for child in children(module)] == [
        ("a", None, None),
        ("n", "n", None),
        ("f", "f", None),
    ]
    assert (count_named(local), count_indexed(local), names_of(children(local, 0, 5, "indexed"))) == (1, 0, [])


def test_what_shows_all_of_itself_has_nothing_below() -> None:
    for value in (1, "text", None, look, range(5), object()):
        assert (count_indexed(value), count_named(value), children(value)) == (0, 0, [])
