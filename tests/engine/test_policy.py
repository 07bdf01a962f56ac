"""When to stop: what is handled does not stop in the default mode, and what the other modes and the filters change."""

from __future__ import annotations

import builtins
from collections.abc import Callable

import pytest

from fixcont.bytecode import stubs
from fixcont.errors import Refused
from fixcont.stopping.policy import StopMode, parse_mode
from support.front_end import LiveProgram, propagate, restart, then

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


def changing(live: Live, text: str, **options: object) -> LiveProgram:
    """Load a program that can change the policy by `set_policy`."""
    program = live(text, **options)
    program.names["set_policy"] = program.session.set_policy
    return program


STAGES = """
def fail(kind): raise kind("it")
def handled(kind):
    try: fail(kind)
    except kind: pass
def passed(kind):
    import concurrent.futures
    concurrent.futures.ThreadPoolExecutor(1).submit(fail, kind).exception()
"""


@pytest.mark.parametrize("first", ["never", "unhandled", "raised", "uncaught"])
def test_the_mode_is_changed_while_the_program_runs(live: Live, first: str) -> None:
    program = changing(live, STAGES, stop=first)
    expected: list[str] = []
    # What calls the program takes everything, and so is a handler for "uncaught".
    stops = {"never": "", "uncaught": "", "unhandled": "fp", "raised": "fph"}
    for mode in [first, "never", "raised", "never", "unhandled", "uncaught", "raised", "unhandled"]:
        program.session.set_policy(mode)
        for _ in range(2):
            program.call("handled", ValueError)
            program.call("passed", KeyError)
            assert isinstance(program.failure("fail", OSError), OSError)
        told = {"h": "ValueError: it", "p": "KeyError: 'it'", "f": "OSError: it"}
        expected += [told[each] for each in "hpf" if each in stops[mode]] * 2
        assert program.stops == expected, mode


def test_without_a_stop_never_leaves_no_hook(live: Live) -> None:
    program = changing(live, STAGES, stop="never")
    program.session.set_policy("unhandled")
    assert hasattr(builtins, stubs.HOOK_NAME)
    program.session.set_policy("never")
    assert not hasattr(builtins, stubs.HOOK_NAME)
    program.failure("fail", OSError)
    program.session.set_policy("never", catch=["OSError"])
    program.failure("fail", OSError)
    assert program.stops == ["OSError: it"]


def test_an_exception_that_was_shown_does_not_stop_again_after_a_change(live: Live) -> None:
    def change() -> None:
        program.session.set_policy("raised")
        program.session.set_policy("unhandled")

    program: LiveProgram = changing(
        live,
        "def inner(): raise ValueError\ndef middle():\n    for each in [1]:\n        with open(__file__): inner()\ndef main(): middle()\n",
        endless=then(change, propagate),
    )
    program.failure("main")
    assert program.stops == ["ValueError: "]
    program.failure("main")
    assert program.stops == ["ValueError: "] * 2


def test_a_frame_is_restarted_after_the_mode_became_never_at_the_stop(live: Live) -> None:
    def change() -> None:
        program.session.set_policy("never")

    program: LiveProgram = changing(
        live,
        "log = []\ndef inner():\n    log.append(1)\n    if len(log) < 2: raise ValueError\n    return log\ndef main(): return inner()\n",
        endless=then(change, restart("main")),
    )
    assert program.call("main") == [1, 1]


@pytest.mark.parametrize(
    ("mode", "conditions", "stops"),
    [
        ("raised", {"raised": "ValueError"}, ["ValueError"]),
        ("raised", {"raised": "ValueError, LookupError"}, ["ValueError", "KeyError"]),
        ("raised", {"raised": "!LookupError"}, ["ValueError", "Own"]),
        ("raised", {"raised": "Exception, !builtins.KeyError ,"}, ["ValueError", "Own"]),
        ("raised", {"raised": "{module}.Own"}, ["Own"]),
        ("raised", {"raised": " "}, ["ValueError", "KeyError", "Own"]),
        (["raised", "unhandled"], {"raised": "KeyError"}, ["KeyError", "Own"]),
        (["raised", "unhandled"], {"raised": "KeyError", "unhandled": "!Own"}, ["KeyError"]),
        (["unhandled"], {"raised": "KeyError"}, ["Own"]),
        ([], {}, []),
        ("unhandled", {"unhandled": "OSError"}, []),
    ],
)
def test_conditions_by_type(live: Live, mode: str | list[str], conditions: dict[str, str], stops: list[str]) -> None:
    program = changing(
        live,
        "class Own(Exception): pass\ndef fail(kind): raise kind\ndef main():\n    for kind in (ValueError, KeyError):\n"
        "        try: fail(kind)\n        except kind: pass\n    fail(Own)\n",
    )
    module = program.module.__name__
    program.session.set_policy(mode, conditions={key: text.replace("{module}", module) for key, text in conditions.items()})
    for _ in range(2):
        program.failure("main")
    assert [each.partition(":")[0] for each in program.stops] == stops * 2


def test_a_policy_that_makes_no_sense_changes_nothing(live: Live) -> None:
    program = changing(live, CAUGHT)
    before = program.session.policy
    for mode in ("sometimes", ["raised", "x"]):
        with pytest.raises(Refused, match="unknown-mode"):
            program.session.set_policy(mode)
    for conditions, code in (({"raised": "1 / 0"}, "bad-condition"), ({"x": "A"}, "unknown-mode")):
        with pytest.raises(Refused, match=code):
            program.session.set_policy("raised", conditions=conditions)
    assert program.session.policy is before
