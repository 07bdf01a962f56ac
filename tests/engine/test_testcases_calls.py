"""How tests call functions of all kinds, and what they assert: made where the function can be imported, without a process of its own."""

from __future__ import annotations

import importlib
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from fixcont.errors import Refused
from fixcont.testcases import making
from fixcont.testcases.graphs import describe
from fixcont.testcases.texts import Parts, compose
from support.programs import PROGRAMS, replaced

REPAIRED = {
    '"g": 0.0': '"g": 0.001',
    "number.value": "int(number)",
    '{"a": "A"}[code]': "code.upper()",
    "self.missing": "2",
    "len(words) / 0": "len(words)",
    "100 // number": "100 // (number or 100)",
    "table[key]": "table.get(key)",
    "len(self.parts)  #": "(len(self.parts) or 1)  #",
    "return parts[0]": "raise Empty('no (more) parts')",
}
MORE = '''

class Small(Shelf):
    factor = 3

    def heaviest(self, *extra, unit="kg"):
        return super().heaviest(*extra, unit=unit) + "!"

    def __peek(self):
        return self.parts[:1]

    @functools.cached_property
    def size(self):
        return len(self.parts)

    @property
    def name(self):
        return self.label

    @name.setter
    def name(self, value):
        self.label = value


async def each_doubled(numbers):
    for number in numbers:
        yield number * 2


def same(shelf):
    return shelf


def not_a_number(number, /, **words):
    return float("nan")


def noted(path):
    return io.StringIO()


def around():
    def inside(number):
        return number
    return inside


def many(rows):
    return [{"row": row, "half": [each / 2 for each in row]} for row in rows]


def without_end(number):
    while number < 50_000:
        yield number
        number += 1
    raise RuntimeError("drawn too far")


async def each_without_end(number):
    for each in without_end(number):
        yield each


def large_ones(text):
    for number in range(1000):
        yield text * 100_000
    raise RuntimeError("drawn too far")


def long_message(text):
    raise Empty(text * 1_001)


def many_small_ones(number):
    return [[row] * number for row in range(1_900)]


def one_of_many_digits(number):
    return decimal.Decimal("1" * number)


def with_many_attributes(number):
    small = object.__new__(Small)
    vars(small).update((f"a{each}", each) for each in range(number))
    return small


unnamed = lambda number: number
'''  # fmt: skip

_numbers = count()


class Workshop:
    """A module that can be imported, and tests of its functions."""

    def __init__(self, folder: Path) -> None:
        self.name = f"workshop_{next(_numbers)}"
        self.path = folder / f"{self.name}.py"
        text = replaced((PROGRAMS / "workshop" / "parts.py").read_text(), REPAIRED, "parts.py")
        self.path.write_text(f"import decimal\nimport io\n{text}{MORE}")
        self.module: Any = importlib.import_module(self.name)

    def make(self, qualname: str, /, *positional: Any, keywords: dict[str, Any] | None = None, **named: Any) -> list[str]:
        """Give the body of a test, which has passed."""
        graph = describe(named, positional, keywords)
        request = {"module": self.name, "filename": str(self.path), "qualname": qualname, "graph": graph.as_json(), "error": None}
        answer = making.make(request)
        space: dict[str, Any] = {}
        exec(compose(None, "test_it", Parts(answer["standard"], answer["own"], [], answer["body"]), []), space)
        space["test_it"]()
        body: list[str] = answer["body"]
        return body

    def shelf(self, kind: str = "Shelf", **attributes: Any) -> Any:
        shelf = getattr(self.module, kind)("tools", [self.module.Part("screw", 0.25)])
        vars(shelf).update(attributes)
        return shelf


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    monkeypatch.syspath_prepend(tmp_path)
    return Workshop(tmp_path)


def test_a_method_is_called_on_its_object(workshop: Workshop) -> None:
    assert workshop.make("Shelf.heaviest", 1, self=workshop.shelf(n=1), unit="g") == [
        "shelf = object.__new__(Shelf)",
        'vars(shelf).update(label="tools", parts=[Part(name="screw", weight=0.25)], width=100.0, n=1)',
        'assert shelf.heaviest(1, unit="g") == "screw(1,) 250.0"',
    ]


def test_a_method_that_a_subclass_overrides_is_called_by_its_class(workshop: Workshop) -> None:
    assert workshop.make("Shelf.heaviest", self=workshop.shelf("Small"), unit="g")[-1] == (
        'assert Shelf.heaviest(small, unit="g") == "screw() 250.0"'
    )


def test_class_and_static_methods(workshop: Workshop) -> None:
    assert workshop.make("Shelf.doubled", cls=workshop.module.Small, number="4") == ['assert Small.doubled("4") == 12']
    assert workshop.make("Shelf.label_of", code="b") == ['assert Shelf.label_of("b") == "B"']


def test_properties_and_private_methods(workshop: Workshop) -> None:
    shelf = workshop.shelf("Small")

    assert workshop.make("Shelf.total", self=shelf)[-1] == "assert small.total == 0.125"
    assert workshop.make("Small.name", self=shelf)[-1] == 'assert small.name == "tools"'
    assert workshop.make("Small.size", self=shelf)[-1] == "assert Small.size.func(small) == 1"
    assert workshop.make("Small.__peek", self=shelf)[-1] == 'assert small._Small__peek() == [Part(name="screw", weight=0.25)]'


def test_a_constructor_makes_an_object(workshop: Workshop) -> None:
    assert workshop.make("Shelf.__init__", label="none", parts=()) == [
        'result = Shelf("none", ())',
        "assert type(result) is Shelf",
        'assert result.label == "none"',
        "assert result.parts == []",
        "assert result.width == 100.0",
    ]


def test_behind_a_decorator(workshop: Workshop) -> None:
    assert workshop.make("count", words="a,b") == ['assert count.__wrapped__("a,b") == 2']


def test_generators_and_coroutines_are_run_to_their_ends(workshop: Workshop) -> None:
    assert workshop.make("each_half", numbers=[50, 0]) == ["assert list(each_half([50, 0])) == [2, 1]"]
    assert workshop.make("fetch", key="b", table={}) == ['assert asyncio.run(fetch("b", table={})) is None']
    assert workshop.make("each_doubled", numbers=[1, 2]) == [
        "async def collected():",
        "    return [each async for each in each_doubled([1, 2])]",
        "",
        "assert asyncio.run(collected()) == [2, 4]",
    ]


def test_what_it_raises_is_expected(workshop: Workshop) -> None:
    assert workshop.make("first", parts=[]) == [
        r'with pytest.raises(Empty, match=r"no \(more\) parts"):',
        "    first([])",
    ]


def test_a_long_message_is_not_expected(workshop: Workshop) -> None:
    assert workshop.make("long_message", text="a") == ["with pytest.raises(Empty):", '    long_message("a")']


def test_no_number_is_not_compared(workshop: Workshop) -> None:
    assert workshop.make("not_a_number", keywords={"a-b": 1, "c": 2}, number=1) == [
        "assert math.isnan(not_a_number(1, c=2, **{'a-b': 1}))"
    ]


def test_what_is_given_back_is_compared_by_its_attributes(workshop: Workshop) -> None:
    lines = workshop.make("same", shelf=workshop.shelf(other=None))

    assert lines[-6:] == [
        "result = same(shelf)",
        "assert type(result) is Shelf",
        'assert result.label == "tools"',
        'assert result.parts == [Part(name="screw", weight=0.25)]',
        "assert result.width == 100.0",
        "assert result.other is None",
    ]


def test_long_values_stand_in_lines_of_their_own(workshop: Workshop) -> None:
    rows = [[number] * 4 for number in range(10)]
    lines = workshop.make("many", rows=rows)

    assert lines[0] == "rows = [" and "result = many(rows)" in lines and "assert result == [" in lines


@pytest.mark.parametrize(
    ("qualname", "named", "code", "sentence"),
    [
        ("noted", {"path": ""}, "result-not-plain", "result is a StringIO"),
        ("without_end", {"number": 1}, "result-not-plain", "what without_end gives is more than 2000 items"),
        ("each_without_end", {"number": 1}, "result-not-plain", "what each_without_end gives is more than 2000 items"),
        ("large_ones", {"text": "a"}, "result-not-plain", "what large_ones gives is more than a test could hold"),
        ("many_small_ones", {"number": 100}, "result-not-plain", "holds more than is readable in a test"),
        ("one_of_many_digits", {"number": 60_000}, "result-not-plain", "holds more than is readable in a test"),
        ("with_many_attributes", {"number": 3_000}, "result-not-plain", "holds more than is readable in a test"),
        ("around.<locals>.inside", {"number": 1}, "not-importable", "inside is made anew by each call of the function around it"),
        ("<lambda>", {"number": 1}, "not-importable", "a lambda or a comprehension has no name"),
        ("gone", {}, "not-importable", "leads to no such function"),
        ("same", {}, "parameters-differ", "same has a new parameter, shelf"),
    ],
)
def test_what_cannot_be_called_or_compared(
    workshop: Workshop, qualname: str, named: dict[str, Any], code: str, sentence: str
) -> None:
    with pytest.raises(Refused) as caught:
        workshop.make(qualname, **named)

    assert caught.value.refusal.code == code
    assert sentence in caught.value.refusal.sentence
