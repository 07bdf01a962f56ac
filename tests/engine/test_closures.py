"""Edits after which functions capture other variables: what holds them sees the new version, and live frames go on with it."""

from __future__ import annotations

import asyncio
import functools
import gc
import inspect
import sys
import threading
import weakref
from collections.abc import Callable
from types import CellType, FunctionType
from typing import Any

import pytest

from fixcont.bytecode.closures import Body, body_of, can_exchange, is_cell_of
from fixcont.continuing.ways import Resume, Way
from fixcont.editing.cells import DROPPED
from fixcont.editing.install import Installation
from fixcont.editing.result import InstallResult, InstallStatus
from fixcont.stopping.stop import Stop
from support.front_end import Answer, LiveProgram, find_frame, fix, restart

Live = Callable[..., LiveProgram]


def edit(program: LiveProgram, replace: dict[str, str]) -> InstallResult:
    program.program.edit(replace)
    return program.session.sources.install_changes()


def installed(program: LiveProgram, replace: dict[str, str]) -> dict[str, int]:
    """Edit; nothing may be left out. Gives the functions that were installed with their versions."""
    result = edit(program, replace)
    assert result.status is InstallStatus.INSTALLED, result
    assert not result.warnings
    return {each.qualname: each.version for each in result.installed}


def left_out(program: LiveProgram, replace: dict[str, str]) -> list[str]:
    """Edit, and give what is said of the functions that keep their code."""
    result = edit(program, replace)
    assert result.status is InstallStatus.INSTALLED, result
    assert {each.code for each in result.warnings} <= {"closure-changed"}
    return [each.sentence for each in result.warnings]


def retry(function: str | None = None) -> Answer:
    return lambda stop: Resume(find_frame(stop, function))


# What holds a method whose edit brings the first super()

METHODS = """
import contextlib, functools, threading
log = []
def logged(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        log.append(function.__name__)
        return function(*args, **kwargs)
    return wrapper
class Base:
    kind = "base"
    def plain(self): return "base"
    decorated = wrapped_twice = plain
    @property
    def price(self): return 1
    @classmethod
    def make(cls): return "base"
    cached = static = plain
    def numbers(self): yield 1
    async def fetch(self): return 1
    async def ticks(self): yield 1
    @contextlib.contextmanager
    def opened(self): yield "base"
class Child(Base):
    def plain(self): return "child"
    @logged
    def decorated(self): return "child"
    @logged
    @logged
    def wrapped_twice(self): return "child"
    @property
    def price(self): return 10
    @classmethod
    def make(cls): return "child"
    @staticmethod
    def static(self): return "child"
    @functools.cached_property
    def cached(self): return "child"
    def numbers(self): yield 10
    async def fetch(self): return 10
    async def ticks(self): yield 10
    @contextlib.contextmanager
    def opened(self): yield "child"
child = Child()
"""
EDITED = {
    'def plain(self): return "child"': 'def plain(self): return super().plain() + " child"',
    '@logged\n    def decorated(self): return "child"': '@logged\n    def decorated(self): return super().decorated() + " child"',
    'def wrapped_twice(self): return "child"': 'def wrapped_twice(self): s = super(); return s.wrapped_twice() + " child"',
    "def price(self): return 10": "def price(self): return super().price + 10",
    'def make(cls): return "child"': 'def make(cls): return super().make() + " child"',
    'def static(self): return "child"': "def static(self): return __class__.kind",
    'def cached(self): return "child"': 'def cached(self): return super().cached() + " child"',
    "def numbers(self): yield 10": "def numbers(self): yield from super().numbers(); yield 10",
    "async def fetch(self): return 10": "async def fetch(self): return await super().fetch() + 10",
    "async def ticks(self): yield 10": "async def ticks(self):\n        async for each in super().ticks(): yield each + 10",
    'def opened(self): yield "child"': 'def opened(self):\n        with super().opened() as it: yield it + " child"',
}


def use_methods(child: Any) -> dict[str, Any]:
    async def ticks() -> list[int]:
        return [each async for each in child.ticks()]

    child.__dict__.pop("cached", None)
    with child.opened() as opened:
        pass
    return {
        "plain": child.plain(), "decorated": child.decorated(), "wrapped_twice": child.wrapped_twice(), "price": child.price,
        "make": child.make(), "static": child.static(child), "cached": child.cached, "numbers": list(child.numbers()),
        "fetch": asyncio.run(child.fetch()), "ticks": asyncio.run(ticks()), "opened": opened,
    }  # fmt: skip


def test_methods_of_all_kinds_get_their_first_super(live: Live) -> None:
    program = live(METHODS)
    child = program.names["child"]
    before = use_methods(child)
    assert before["fetch"] == 10
    function = program.names["Child"].plain
    held = [child.plain, functools.partial(child.plain), {"a": (function.__get__(child),)}["a"][0], lambda: function(child)]
    assert len(installed(program, EDITED)) == len(EDITED)
    assert use_methods(child) == {
        "plain": "base child", "decorated": "base child", "wrapped_twice": "base child", "price": 11, "make": "base child",
        "static": "base", "cached": "base child", "numbers": [1, 10], "fetch": 11, "ticks": [11], "opened": "base child",
    }  # fmt: skip
    assert [each() for each in held] == ["base child"] * 4
    assert program.names["Child"].plain is function
    assert inspect.getclosurevars(function).nonlocals == {"__class__": program.names["Child"]}
    installed(program, {new: old for old, new in EDITED.items()})
    assert use_methods(child) == before and function.__closure__ is None
    installed(program, EDITED)
    assert [each() for each in held] == ["base child"] * 4


def test_what_a_function_is_known_by_stays(live: Live) -> None:
    program = live(
        """
class A:
    def f(self, a: int, b="b", *, c="c") -> str:
        "Says it."
        return a
A.f.note = "kept"
"""
    )
    function = program.names["A"].f
    attributes = function.__dict__
    installed(program, {"return a": "return (a, b, c, __class__)"})
    assert function(None, 1) == (1, "b", "c", program.names["A"])
    assert function.__dict__ is attributes and attributes == {"note": "kept"}
    assert (function.__name__, function.__qualname__, function.__doc__) == ("f", "A.f", "Says it.")
    assert function.__annotations__ == {"a": int, "return": str} and function.__module__ == program.module.__name__
    assert str(inspect.signature(function)) == "(self, a: int, b='b', *, c='c') -> str"


def test_every_class_of_a_function_that_makes_classes_gets_its_own(live: Live) -> None:
    program = live(
        """
def make(name):
    class Base:
        def who(self): return name
    class Child(Base):
        def who(self): return "child"
    return Child
one, other = make("one"), make("other")
"""
    )
    children = program.names["one"](), program.names["other"]()
    whos = [child.who for child in children]
    installed(program, {'return "child"': 'return super().who() + " " + __class__.__qualname__'})
    assert [who() for who in whos] == ["one make.<locals>.Child", "other make.<locals>.Child"]
    assert program.names["make"]("new")().who().startswith("new")


def test_the_class_of_another_call_is_not_taken_for_one_that_is_gone(live: Live) -> None:
    program = live(
        """
def make(n):
    class A:
        @staticmethod
        def f(): return n
    return A.f, A
one, gone = make(1)
other, cls = make(2)
"""
    )
    program.names["gone"] = None
    gc.collect()
    said = left_out(program, {"return n": "return n, __class__"})
    assert len(said) == 1 and "which class it belongs to cannot be told" in said[0]
    assert program.names["one"]() == 1 and program.names["other"]() == (2, program.names["cls"])


def test_a_method_that_a_decorator_has_hidden(live: Live) -> None:
    program = live(
        """
handlers = []
def register(function):
    handlers.append(function)
class Base:
    def f(self): return "base"
class A(Base):
    @register
    def f(self): return "a"
"""
    )
    installed(program, {'return "a"': 'return super().f() + " a"'})
    assert program.names["handlers"][0](program.names["A"]()) == "base a"


def test_methods_that_are_edited_together_share_one_cell(live: Live) -> None:
    program = live("class A:\n    def f(self): return 1\n    def g(self): return 1\n    def h(self): return __class__\n")
    installed(
        program,
        {"def f(self): return 1": "def f(self): return __class__", "def g(self): return 1": "def g(self): return __class__"},
    )
    cls = program.names["A"]
    cells = {id(cls.__dict__[name].__closure__[0]) for name in "fgh"}
    assert len(cells) == 1 and cls().f() is cls


def test_the_second_class_that_a_dataclass_with_slots_makes(live: Live) -> None:
    program = live(
        """
import dataclasses
class Base:
    def total(self): return 5
@dataclasses.dataclass(slots=True)
class Item(Base):
    price: int
    def total(self): return self.price
item = Item(3)
"""
    )
    installed(program, {"return self.price": "return super().total() + self.price"})
    assert program.names["item"].total() == 8


def test_enums_and_other_metaclasses(live: Live) -> None:
    program = live(
        """
import abc, enum
class Color(enum.Enum):
    RED = 1
    def __str__(self): return "a color"
class Shape(abc.ABC):
    def area(self): return 0
class Square(Shape):
    def area(self): return 4
"""
    )
    installed(program, {'return "a color"': "return super().__str__()", "return 4": "return super().area() + 4"})
    assert str(program.names["Color"].RED) == "Color.RED" and program.names["Square"]().area() == 4


# Variables of the function around it

COUNTER = """
def counter(start):
    count, step = start, 2
    def up():
        nonlocal count
        count += 1
        return count
    def show():
        return count
    def double():
        return step * 2
    def far():
        def inner():
            return count + step
        return inner
    return up, show, double, far()
up, show, double, inner = counter(10)
others = counter(100)
"""


def test_a_variable_that_another_closure_of_the_same_call_has(live: Live) -> None:
    program = live(COUNTER)
    names = program.names
    registry = [names["show"], names["up"]]
    thread_target = threading.Thread(target=registry[1])
    installed(program, {"return count\n    def double": "return count, step\n    def double", "count += 1": "count += step"})
    assert registry[1]() == 12 and registry[0]() == (12, 2)
    thread_target.start()
    thread_target.join()
    assert names["show"]() == (14, 2) and names["inner"]() == 16
    assert names["others"][1]() == (100, 2) and names["others"][0]() == 102
    shared = {name: cell for f in (names["show"], names["up"]) for name, cell in zip(f.__code__.co_freevars, f.__closure__)}
    assert dict(zip(names["inner"].__code__.co_freevars, names["inner"].__closure__, strict=True)) == shared


def test_a_variable_less_and_back_again(live: Live) -> None:
    program = live(COUNTER)
    names = program.names
    dropped = {"return step * 2": "return 7", "return count + step": "return [count]"}
    installed(program, dropped)
    assert names["double"]() == 7 and names["double"].__closure__ is None and names["inner"]() == [10]
    installed(program, {new: old for old, new in dropped.items()})
    assert names["double"]() == 4 and names["inner"]() == 12
    assert DROPPED not in names["double"].__dict__
    names["up"]()
    assert names["inner"]() == 13


def test_what_a_function_does_not_capture_any_more_is_freed_with_it(live: Live) -> None:
    program = live(
        """
class Thing: pass
def outer():
    thing = Thing()
    def f(): return f, thing
    return f
f = outer()
"""
    )
    function = program.names.pop("f")
    thing = weakref.ref(function()[1])
    installed(program, {"return f, thing": "return 1"})
    assert function() == 1
    gone = weakref.ref(function)
    del function
    gc.collect()
    assert gone() is None and thing() is None


def test_cells_are_passed_on_through_functions_in_between(live: Live) -> None:
    program = live(
        """
def outer(a, b):
    def middle():
        def inner(): return a
        return inner
    def other(): return a, b
    return middle, middle(), other
middle, inner, other = outer(1, 2)
"""
    )
    installed(program, {"inner(): return a": "inner(): return a + b"})
    assert program.names["inner"]() == 3 and program.names["middle"]()() == 3


def test_a_variable_that_nobody_has_any_more_is_told(live: Live) -> None:
    program = live(COUNTER)
    double = program.names["double"]
    said = left_out(
        program, {"count, step = start, 2": "count, step, lost = start, 2, 3", "return step * 2": "return step * lost"}
    )
    assert len(said) == 1 and "counter.<locals>.double now uses lost of the function around it" in said[0]
    assert double() == 4
    assert program.names["counter"](1)[2]() == 6
    assert left_out(program, {"step * lost": "step * 3"}) == [] and double() == 6


def test_a_refused_file_leaves_closures_alone(live: Live) -> None:
    program = live(COUNTER)
    double, cells = program.names["double"], program.names["double"].__closure__
    result = edit(
        program,
        {
            "return step * 2": "return step * count",
            "up, show, double, inner = counter": "@nothing\ndef new(): pass\nup, show, double, inner = counter",
        },
    )
    assert result.status is InstallStatus.REFUSED and result.refusal is not None and result.refusal.code == "definition-failed"
    assert double() == 4 and double.__closure__ is cells
    installed(program, {"@nothing\ndef new(): pass\n": ""})
    assert double() == 20


def test_a_variable_that_moved_nearer_is_another_one(live: Live) -> None:
    program = live(
        """
def outer():
    x = "outer"
    def middle():
        y = "middle"
        def inner(): return x
        return inner
    return middle
middle = outer()
inner = middle()
"""
    )
    said = left_out(program, {'y = "middle"': 'x = "middle"', "return x": "return [x]"})
    assert len(said) == 1 and "inner" in said[0]
    assert program.names["inner"]() == "outer" and program.names["middle"]()() == ["middle"]


# Live frames


def test_restart_with_a_first_super(live: Live) -> None:
    program = live(
        """
class Base:
    def fee(self): return 1
class Child(Base):
    def fee(self): return 1 / 0
def main(): return Child().fee()
""",
        fix({"return 1 / 0": "s = super(); return s.fee() + 1"}, restart()),
    )
    assert program.call("main") == 2
    assert program.call("main") == 2 and len(program.saw) == 1


@pytest.mark.parametrize("way", [restart("fee"), retry("fee")])
def test_a_method_further_out_of_one_of_several_classes(live: Live, way: Answer) -> None:
    program = live(
        """
def make(name):
    class Base:
        def fee(self): return name
    class Child(Base):
        def fee(self):
            done = self.__class__
            return fail(done)
    return Child
def fail(done): raise ValueError
classes = [make("a"), make("b"), make("c")]
def main(): return [classes[1]().fee(), classes[2]().fee()]
""",
        fix({"return fail(done)": "return super().fee()"}, way),
    )
    assert program.call("main") == ["b", "c"]
    assert program.refused == []


OUTER = """
log = []
def main(limit):
    factor, unused = 3, 5
    def helper(x):
        y = x + factor
        return y / 0
    log.append("main")
    return [helper(1), helper(2)]
"""


@pytest.mark.parametrize("way", [restart(), retry()])
def test_a_variable_of_a_live_frame_that_was_captured_by_nobody(live: Live, way: Answer) -> None:
    program = live(OUTER, fix({"return y / 0": "return y * limit + unused"}, way))
    assert program.call("main", 10) == [45, 55]
    assert program.log == ["main"] and program.refused == []


@pytest.mark.parametrize("way", [restart(), retry()])
def test_a_function_that_captured_nothing(live: Live, way: Answer) -> None:
    text = OUTER.replace("y = x + factor", "y = x + 3")
    program = live(text, fix({"return y / 0": "return y * limit + unused"}, way))
    assert program.call("main", 10) == [45, 55]
    assert program.refused == []


def test_a_variable_that_is_bound_again_goes_to_the_live_frame_alone(live: Live) -> None:
    said: list[str] = []

    def edited(stop: Stop) -> Way:
        said.extend(left_out(program, {"return x / 0": "return 'number', number"}))
        return restart()(stop)

    program = live(
        """
log, made = [], []
def main():
    for number in range(2):
        if number: continue
        def helper(x): return x / 0
        made.append(helper)
        log.append(helper(number))
""",
        edited,
    )
    program.call("main")
    assert program.log == [("number", 0)] and program.refused == []
    assert len(said) == 1 and "the running main, which may assign to number again" in said[0]
    with pytest.raises(ZeroDivisionError):
        program.names["made"][0](1)


def test_the_frame_of_another_thread(live: Live) -> None:
    program = live(
        """
import threading
begun, goes_on = threading.Event(), threading.Event()
helpers, results = [], []
def main(n):
    name, other = n, "other"
    def helper(): return name
    helpers.append(helper)
    begun.set()
    goes_on.wait(30)
    results.append(helper())
"""
    )
    threads = [threading.Thread(target=program.names["main"], args=(n,)) for n in (1, 2)]
    for thread in threads:
        thread.start()
        assert program.names["begun"].wait(30)
        program.names["begun"].clear()
    installed(program, {"helper(): return name": "helper(): return name, other, n"})
    assert [helper() for helper in program.names["helpers"]] == [(1, "other", 1), (2, "other", 2)]
    program.names["goes_on"].set()
    for thread in threads:
        thread.join()
    assert sorted(program.names["results"]) == [(1, "other", 1), (2, "other", 2)]


def test_the_search_keeps_nothing_alive(live: Live) -> None:
    program = live(
        """
import weakref
class Thing: pass
things = []
def main():
    one, other = Thing(), Thing()
    things.extend([weakref.ref(one), weakref.ref(other)])
    def helper(): return 1 / 0
    return helper() is other
""",
        fix({"return 1 / 0": "return one and other"}, restart()),
    )
    gc.collect()
    gc.disable()
    try:
        assert program.call("main") is True
        assert [thing() for thing in program.names["things"]] == [None, None]
    finally:
        gc.enable()


def test_the_right_one_of_nested_activations(live: Live) -> None:
    program = live(
        """
def main(depth, before):
    name = f"level {depth}"
    extra = depth * 10
    def helper():
        return name, 1 / 0
    if depth < 3:
        return main(depth + 1, before or helper)
    return before()
""",
        fix({"return name, 1 / 0": "return name, extra"}, restart()),
    )
    assert program.call("main", 1, None) == ("level 1", 10)


def test_a_cell_that_a_sibling_in_a_live_frame_has(live: Live) -> None:
    program = live(
        """
def main():
    count, name = 0, "n"
    def add():
        nonlocal count
        count += 1
    def helper():
        add()
        return name, 1 / 0
    result = helper()
    return result, count
""",
        fix({"return name, 1 / 0": "add(); return name, count"}, restart()),
    )
    assert program.call("main") == (("n", 3), 3)


@pytest.mark.parametrize("kind", ["generator", "coroutine"])
def test_suspended_frames_are_found(live: Live, kind: str) -> None:
    head, pause = ("def", "yield helper") if kind == "generator" else ("async def", "await Pause(helper)")
    program = live(
        f"""
class Pause:
    def __init__(self, value): self.value = value
    def __await__(self): yield self.value
{head} outer(base):
    name, other = "name", "other"
    def helper(): return base
    def unused(): return other
    del unused
    {pause}
    other = "assigned"
    {pause}
"""
    )
    suspended = program.names["outer"](7)
    helper = suspended.send(None)
    assert installed(program, {"helper(): return base": "helper(): return base, name, other"})["outer.<locals>.helper"] == 2
    assert helper() == (7, "name", "other")
    suspended.send(None)
    assert helper() == (7, "name", "assigned")


def test_a_variable_that_the_live_frame_does_not_have_is_refused_by_name(live: Live) -> None:
    program = live(
        OUTER, fix({"factor, unused = 3, 5": "factor, unused, new = 3, 5, 6", "return y / 0": "return new"}, restart("helper"))
    )
    failure = program.failure("main", 10)
    assert isinstance(failure, ZeroDivisionError)
    assert program.refused == ["closure-changed"]
    sentence = program.front_end.refusals[0].sentence
    assert "new of the function around it" in sentence and "the running main does not have new yet" in sentence


def test_a_variable_that_the_function_would_assign_to_is_refused(live: Live) -> None:
    program = live(OUTER, fix({"return y / 0": "nonlocal unused; unused = 1; return unused"}, restart("helper")), restart("main"))
    assert program.call("main", 10) == [1, 1]
    assert program.refused == ["closure-changed"]


def test_an_assignment_to_a_copy_is_refused_later_too(live: Live) -> None:
    text = """
def main():
    for number in [1, 2]:
        def helper():
            return 1 / 0
        yield helper()
"""
    program = live(
        text,
        fix({"return 1 / 0": "return number / 0"}, restart()),
        fix({"return number / 0": "nonlocal number; number = 5; return number"}, restart("helper")),
        fix({"nonlocal number; number = 5; return number": "return number"}, restart("helper")),
    )
    assert next(program.names["main"]()) == 1
    assert program.refused == ["closure-changed"]
    assert "assigns to number" in program.front_end.refusals[0].sentence


def test_a_variable_that_is_the_functions_own_from_now_on(live: Live) -> None:
    program = live(
        """
def main():
    total = 5
    def helper():
        nonlocal total
        check = 1 / 0
        total += 1
        return lambda: total
    return helper()(), total
""",
        fix({"nonlocal total": "pass", "check = 1 / 0": "check = 1"}, retry()),
    )
    assert program.call("main") == (6, 5)


def test_an_own_variable_that_is_one_of_the_function_around_from_now_on(live: Live) -> None:
    program = live(
        """
def main():
    total = 5
    def show(): return total
    def helper():
        total = 1
        check = 1 / 0
        total += 1
        return lambda: total
    return helper()(), show()
""",
        fix({"total = 1\n": "nonlocal total\n", "check = 1 / 0": "check = 1"}, retry()),
    )
    assert program.call("main") == (6, 6)


def test_restart_again_and_again_with_other_variables(live: Live) -> None:
    program = live(
        OUTER,
        fix({"return y / 0": "return y * limit / 0"}, restart()),
        fix({"return y * limit / 0": "return limit / 0"}, retry()),
        fix({"y = x + factor": "y = x", "return limit / 0": "return y + unused + limit"}, restart()),
    )
    assert program.call("main", 10) == [16, 17]
    assert program.refused == []


def test_a_class_body_that_takes_one_more_variable(live: Live) -> None:
    program = live(
        """
def main(a):
    b = 2
    class Box:
        first = a
        second = 1 / 0
    return Box.first, Box.second
""",
        fix({"second = 1 / 0": "second = b"}, restart()),
    )
    assert program.call("main", 1) == (1, 2)


@pytest.mark.parametrize(
    "through",
    [
        "sorted(items, key=lambda item: item / 0)",
        "list(map(lambda item: item / 0, items))",
        "apply(lambda item: item / 0, items)",
    ],
)
def test_a_lambda_on_its_way_through_other_code(live: Live, through: str) -> None:
    program = live(
        f"""
def apply(function, items):
    results = []
    for item in items: results.append(function(item))
    return results
def main(items):
    low = 1
    return {through}
""",
        fix({"item / 0": "abs(item - low)"}, restart()),
    )
    assert program.call("main", [5, 1, 2]) in ([1, 2, 5], [4, 0, 1])
    assert len(program.saw) == 1 and program.refused == []


def test_a_lambda_that_was_given_to_the_running_call(live: Live) -> None:
    program = live(
        """
def main(function):
    low = 1
    if function: return function(5)
    return lambda item: item / 0
first = main(None)
""",
        fix({"item / 0": "abs(item - low)"}, restart()),
    )
    assert isinstance(program.failure("main", program.names.pop("first")), ZeroDivisionError)
    assert program.refused == ["closure-changed"]


# The exchange itself


def exchange(function: FunctionType, body: Body) -> None:
    """Give a function another body, as an install does."""
    installation = Installation()
    installation.set_function(function, "__code__", body)
    installation.commit()


def make(count: int) -> FunctionType:
    cells = {f"v{index}": CellType(index) for index in range(count)}
    head = ", ".join(cells) or "_"
    body = "+".join(cells) or "0"
    namespace: dict[str, Any] = {}
    exec(f"def outer({head}):\n    def f(): return {body}\n    return f", namespace)
    inner: FunctionType = namespace["outer"](*range(max(count, 1)))
    return inner


def test_what_the_collector_calls_does_not_disturb_the_probe_for_audit_hooks() -> None:
    called = []

    class Cycle:
        def __init__(self) -> None:
            self.itself = self

        def __del__(self) -> None:
            called.append(self)

    before = gc.get_threshold()
    gc.freeze()  # a collection takes its time otherwise
    try:
        for count in range(1, 60):
            gc.collect()
            Cycle()
            gc.set_threshold(count)  # a collection is due after so many more objects
            assert can_exchange()
            gc.set_threshold(*before)
            gc.collect()
            assert len(called) == count
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


@pytest.mark.parametrize("before", range(4))
@pytest.mark.parametrize("after", range(4))
def test_code_and_cells_are_exchanged_at_once(before: int, after: int) -> None:
    assert can_exchange()
    function, other = make(before), make(after)
    kept = body_of(function)
    expected = function(), other()
    for _ in range(3):
        exchange(function, body_of(other))
        assert [function() for _ in range(100)] == [expected[1]] * 100
        exchange(function, kept)
        assert [function() for _ in range(100)] == [expected[0]] * 100
    assert function.__closure__ == kept.closure


def test_an_exchange_that_fails_leaves_the_function_as_it_was() -> None:
    function, other = make(1), make(2)
    before = body_of(function)
    with pytest.raises(ValueError, match="2 cells for 1"):
        exchange(function, Body(function.__code__, other.__closure__))
    with pytest.raises(TypeError):
        exchange(function, Body(other.__code__, (CellType(), 3)))  # type: ignore[arg-type]
    assert body_of(function) == before and function() == 0


def test_no_other_thread_sees_an_exchange_half_done() -> None:
    function, other = make(1), make(3)
    bodies = body_of(function), body_of(other)
    results, over = set(), threading.Event()

    def call() -> None:
        while not over.is_set():
            results.add(function())

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    threads = [threading.Thread(target=call) for _ in range(2)]
    try:
        for thread in threads:
            thread.start()
        for turn in range(20_000):
            exchange(function, bodies[turn % 2])
    finally:
        over.set()
        for thread in threads:
            thread.join()
        sys.setswitchinterval(interval)
    assert results <= {0, 3}


def test_which_cell_is_that_of_a_frame() -> None:
    def outer(value: object) -> tuple[Any, FunctionType]:
        empty: object

        def inner() -> object:
            return value, empty

        if value is None:
            empty = 1
        return sys._getframe(), inner  # type: ignore[return-value]

    frame, inner = outer("same")
    other_frame, _ = outer("same")
    cells = dict(zip(inner.__code__.co_freevars, inner.__closure__ or (), strict=True))
    for name, cell in cells.items():
        assert is_cell_of(cell, frame, name) and not is_cell_of(cell, other_frame, name)
    assert cells["value"].cell_contents == "same" and frame.f_locals["value"] == "same"
    with pytest.raises(ValueError, match="empty"):
        cells["empty"].cell_contents
