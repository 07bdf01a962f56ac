"""When to stop: what is handled does not stop in the default mode, and what the other modes and the filters change."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fixcont.errors import Refused
from fixcont.stopping.policy import StopMode, parse_mode
from support.front_end import LiveProgram

Live = Callable[..., LiveProgram]

PRELUDE = """
import asyncio, concurrent.futures, contextlib, functools, unittest
def fail(n=0): return 1 / n
class Thing:
    @property
    def broken(self): raise AttributeError("property")
    def __getattr__(self, name): raise AttributeError(name)
"""

#: Bodies of `main()` in which each exception is handled, or is none that anybody would want to repair.
HANDLED = {
    "caller": "try: fail()\nexcept ZeroDivisionError: pass",
    "own function": "try: 1 / 0\nexcept ZeroDivisionError: pass",
    "base type": "try: fail()\nexcept ArithmeticError: pass",
    "everything, in user code": "try: fail()\nexcept Exception: pass",
    "bare": "try: fail()\nexcept: pass",
    "tuple": "try: fail()\nexcept (KeyError, ZeroDivisionError): pass",
    "attribute": "try: asyncio.run(fail_async())\nexcept asyncio.TimeoutError: pass",
    "through finally": "try:\n    try: fail()\n    finally: pass\nexcept ZeroDivisionError: pass",
    "through with": "try:\n    with contextlib.nullcontext(): fail()\nexcept ZeroDivisionError: pass",
    "suppress": "with contextlib.suppress(ZeroDivisionError): fail()",
    "suppress in the failing frame": "with contextlib.suppress(ZeroDivisionError): 1 / 0",
    "exit stack": "with contextlib.ExitStack() as stack:\n    stack.enter_context(contextlib.suppress(ZeroDivisionError))\n    fail()",
    "assertRaises": "with unittest.TestCase().assertRaises(ZeroDivisionError): fail()",
    "assertRaises of a callable": "unittest.TestCase().assertRaises(ZeroDivisionError, fail)",
    "group": "try: raise ExceptionGroup('', [ValueError()])\nexcept* ValueError: pass",
    "hasattr": "assert not hasattr(Thing(), 'missing')",
    "hasattr of a property": "assert not hasattr(Thing(), 'broken')",
    "getattr with a default": "assert getattr(Thing(), 'missing', 5) == 5",
    "iteration": "class Numbers:\n    def __getitem__(self, n):\n        if n > 2: raise IndexError\n        return n\nassert [*Numbers()] == [0, 1, 2]",
    "next": "class Ends:\n    def __iter__(self): return self\n    def __next__(self): raise StopIteration\nassert [*Ends()] == []",
    "closing": "def numbers():\n    yield 1\ngenerator = numbers()\nnext(generator)\ngenerator.close()",
    "exit": "try: raise SystemExit\nexcept SystemExit: pass",
    "skipped test": "class Case(unittest.TestCase):\n    def test(self): self.skipTest('')\nCase('test').run(unittest.TestResult())",
    "missing key": "class Zero(dict):\n    def __missing__(self, key): raise KeyError\nassert Zero().get(1, 5) == 5",
}
FAIL_ASYNC = "async def fail_async(): raise asyncio.TimeoutError\n"


@pytest.mark.parametrize("body", HANDLED.values(), ids=HANDLED)
def test_what_is_handled_does_not_stop(live: Live, body: str) -> None:
    indented = "\n".join("    " + line for line in body.splitlines())
    program = live(f"{PRELUDE}{FAIL_ASYNC}def main():\n{indented}\n")
    for _ in range(2):
        program.call("main")
    assert program.stops == []


#: Bodies in which library code takes the exception because it takes everything.
TAKEN_BY_LIBRARIES = {
    "future": "concurrent.futures.ThreadPoolExecutor().submit(fail).exception()",
    "test runner": "class Case(unittest.TestCase):\n    def test(self): fail()\nCase('test').run(unittest.TestResult())",
    "nobody": "fail()",
}


@pytest.mark.parametrize("body", TAKEN_BY_LIBRARIES.values(), ids=TAKEN_BY_LIBRARIES)
def test_what_only_libraries_take_stops(live: Live, body: str) -> None:
    indented = "\n".join("    " + line for line in body.splitlines())
    program = live(f"{PRELUDE}def main():\n{indented}\n")
    program.attempt("main")
    assert program.stops == ["ZeroDivisionError: division by zero"]


def test_uncaught_lets_library_handlers_count(live: Live) -> None:
    program = live(
        f"{PRELUDE}def main():\n    concurrent.futures.ThreadPoolExecutor().submit(fail).exception()\n", stop="uncaught"
    )
    program.call("main")
    assert program.stops == []


CAUGHT = "def fail(): raise ValueError('it')\ndef main():\n    try: fail()\n    except ValueError: pass\n    raise LookupError\n"


@pytest.mark.parametrize(
    ("options", "stops"),
    [
        ({}, ["LookupError: "]),
        ({"stop": "raised"}, ["ValueError: it", "LookupError: "]),
        ({"stop": "never"}, []),
        ({"catch": ("ValueError",)}, ["ValueError: it", "LookupError: "]),
        ({"catch": ("builtins.ValueError",)}, ["ValueError: it", "LookupError: "]),
        ({"catch": ("Exception",)}, ["ValueError: it", "LookupError: "]),
        ({"catch": ("OSError",)}, ["LookupError: "]),
        ({"ignore": ("LookupError",)}, []),
        ({"ignore": ("Exception",)}, []),
        ({"stop": "never", "catch": ("ValueError",)}, ["ValueError: it"]),
        ({"stop": "raised", "ignore": ("ValueError",)}, ["LookupError: "]),
    ],
)
def test_modes_and_filters(live: Live, options: dict[str, object], stops: list[str]) -> None:
    program = live(CAUGHT, **options)
    program.failure("main")
    assert program.stops == stops


def test_raised_stops_once_where_it_leaves_the_function_that_raised_it(live: Live) -> None:
    program = live(
        "def one(): raise ValueError\ndef two(): one()\ndef three():\n    try: two()\n    except ValueError: raise\n"
        "def inside():\n    try: raise KeyError\n    except KeyError: pass\n    three()\n",
        stop="raised",
    )
    program.failure("inside")
    assert [(seen.error, seen.where) for seen in program.saw] == [("ValueError: ", "one")]


def test_types_with_odd_names_and_metaclasses_are_asked_nothing(live: Live) -> None:
    program = live(
        """
asked = []
class Meta(type):
    def __getattribute__(cls, name):
        asked.append(name)
        return super().__getattribute__(name)
    def __instancecheck__(cls, other): asked.append("instance"); return False
    def __subclasscheck__(cls, other): asked.append("subclass"); return False
class Odd(Exception, metaclass=Meta):
    __module__ = 5
    def __eq__(self, other): asked.append("eq"); return False
    __hash__ = None
    def __repr__(self): asked.append("repr"); return "odd"
def fail(): raise Odd
def main():
    fail()
""",
        stop="never",
        catch=("OSError",),
    )
    del program.names["asked"][:]
    program.attempt("main")
    assert {*program.names["asked"]} == {"subclass"}, "by the interpreter itself, as it raises"


def test_modes_have_names() -> None:
    assert [parse_mode(mode.value) for mode in StopMode] == [*StopMode]
    with pytest.raises(Refused) as refused:
        parse_mode("sometimes")
    assert refused.value.refusal.code == "unknown-mode"
