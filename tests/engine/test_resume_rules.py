"""What holds for a frame that goes on in the middle, whatever is around the statement: names, parameters, tools that look at it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from fixcont.bytecode import interpreter
from fixcont.continuing.ways import Resume, UseValue
from fixcont.stopping.stop import Stop
from support.front_end import Answer, LiveProgram, find_frame, fix, then
from support.mended_steps import WAYS, check_that_a_failure_leaves_no_trace, steps_in

Live = Callable[..., LiveProgram]

pytestmark = pytest.mark.skipif(interpreter.LOOP_KEEPS_INDEX, reason="how far a loop over a list has come cannot be read")


def retry(function: str | None = None) -> Answer:
    """Go on at the statement that failed or runs."""
    return lambda stop: Resume(find_frame(stop, function))


PROGRAMS = {
    "async for": """
        import asyncio
        async def numbers():
            for each in [1, 2, 3]:
                await asyncio.sleep(0)
                yield each
        async def work():
            async for each in numbers():
                if each == 2:
                    step("body")
                async for inner in numbers():
                    if inner == 3: break
                    note(inner)
                else:
                    step("never here") if each < 0 else None
            else:
                step("else")
            return [each async for each in numbers() if step("comprehension")]
        def job():
            return asyncio.run(work())
        """,
    "match": """
        def job():
            for each in [1, "text", {"a": [2, 3]}]:
                match each:
                    case int(number) if step("guard"):
                        step("number")
                    case {"a": [first, *rest]}:
                        step("mapping"); note((first, rest))
                    case _:
                        note(step("other"))
        """,
    "several on one line": """
        def job():
            a = 1; step("first"); b = 2; note(a + b); step("second")
            if a: step("third"); note(b)
            for each in [1, 2]: note(each); step("in loop") if each == 2 else None
            try: step("in try"); note(3)
            finally: step("in finally"); note(4)
        """,
    "several lines": """
        def job():
            found = dict(
                a=[
                    len("a"),
                    step("first"),
                ],
                b=(
                    lambda value:
                        value * 2
                )(3),
            )
            note(found)
            text = f'{len("width")!r:>{3}}' + (
                step("second"))
            if (
                text
                and step("third")
            ):
                return (text +
                    step("fourth"))
        """,
    "decorated": """
        import functools
        def around(function):
            @functools.wraps(function)
            def call(*args):
                step("before")
                try:
                    return function(*args)
                finally:
                    step("after")
            return call
        @around
        @functools.lru_cache
        @around
        def inner(number):
            step("inner")
            return number
        class Thing:
            @property
            @around
            def size(self):
                return len(step("property"))
            @classmethod
            def make(cls):
                step("class method")
                return cls()
            @staticmethod
            def fixed():
                return step("static")
        def job():
            return inner(2), Thing.make().size, Thing.fixed()
        """,
    "comprehensions": """
        def job():
            numbers = [1, 2]
            note([each for each in numbers if len(step("list"))])
            note({each: [inner for inner in range(each)] for each in numbers for _ in step("dict")[:1]})
            note(sorted({step("set") for _ in numbers}))
            note(sum(each for each in numbers) + len(step("sum")))
            return each if "each" in locals() else numbers
        """,
    "nested functions": """
        def job():
            total = 0
            def add(number):
                nonlocal total
                def twice():
                    return number * 2, step("innermost")
                total += twice()[0]
                step("added")
                return lambda: (total, number)
            found = [add(each) for each in [1, 2]]
            step("made")
            total += 10
            return [each() for each in found]
        """,
    "else": """
        def job():
            for each in [1, 2]:
                step("loop")
            else:
                step("for else")
            while step("condition"):
                break
            else:
                note("never")
            number = 0
            while number < 1:
                number += 1
            else:
                step("while else")
            try:
                step("try")
            except KeyError:
                note("never")
            else:
                step("try else")
            finally:
                step("finally")
        """,
    "class body": """
        def job():
            class Outer:
                names = []
                for each in [1, 2]:
                    names.append(step("loop"))
                class Inner:
                    with Block("inner"):
                        value = step("inner")
                    def get(self): return __class__.__name__, self.value
                def own(self): return __class__.names
                step("end")
            return Outer().own(), Outer.Inner().get(), sorted(name for name in vars(Outer) if not name.startswith("_"))
        """,
    "module": """
        results = []
        for each in [1, 2]:
            with Block(each):
                results.append(step("loop"))
        else:
            step("else")
        counter = 0
        while counter < 2:
            counter += 1
            results.append((counter, step("while")))
        def job():
            return results
        """,
}
CASES = [(name, step) for name, text in PROGRAMS.items() for step in steps_in(text) if not step.startswith("never")]


def is_comprehension_of_its_own(name: str, failing: str) -> bool:
    """Tell whether a step runs in a frame that has no statements."""
    return failing in ("list", "dict", "set") or (name, failing) in [("async for", "comprehension")]


@pytest.mark.parametrize(("name", "failing"), CASES)
@pytest.mark.parametrize("how", WAYS)
def test_a_step_that_failed_once_leaves_no_trace(live: Live, name: str, failing: str, how: str) -> None:
    if is_comprehension_of_its_own(name, failing) and how != "retry":
        pytest.skip("the frame around the comprehension goes on")
    check_that_a_failure_leaves_no_trace(live, PROGRAMS[name], failing, how)


def test_a_name_that_the_new_code_lacks_is_there_until_then_and_dropped(live: Live) -> None:
    gone: list[str] = []
    program = live(
        """
class Thing:
    def __del__(self): gone.append("gone")
def job(fails):
    dropped = Thing()
    kept = 2
    if fails:
        1 // 0
    return sorted(locals()), list(gone)
""",
        fix(
            {"    dropped = Thing()\n": "", "if fails:\n        1 // 0": "if fails:\n        fails = 0"},
            lambda stop: Resume(find_frame(stop), seen(stop)),
        ),
    )

    def seen(stop: Stop) -> int:
        frame = find_frame(stop)
        assert type(frame.raw.f_locals["dropped"]).__name__ == "Thing"
        return frame.line - 1

    program.names["gone"] = gone
    names, then_gone = program.call("job", True)
    assert names == ["fails", "kept"]
    assert gone == ["gone"]
    assert then_gone == ([] if interpreter.LOCALS_WRITE_THROUGH else ["gone"]) or then_gone == ["gone"]


def test_a_new_name_is_unbound_and_not_none(live: Live) -> None:
    program = live(
        "def job(n):\n    a = 1\n    n // a if n else 1 // n\n    return a\n",
        fix({"    a = 1\n": "    a = 1\n    new = 2\n", "return a": "return new", "1 // n": "0"}, retry()),
    )
    error = program.failure("job", 0)
    assert type(error) is UnboundLocalError
    assert "new" in str(error)


@pytest.mark.parametrize(
    ("before", "after", "result"),
    [
        ("job(a, b=2)", "job(b, a=7)", (1, 2)),
        ("job(a, b=2)", "job(a, *more, b=2, **named)", (1, 2)),
        ("job(a, *, b=2)", "job(a, b)", (1, 2)),
        ("job(a, /, b=2)", "job(new, a, b, *, other)", (1, 2)),
    ],
)
def test_parameters_may_change(live: Live, before: str, after: str, result: Any) -> None:
    program = live(f"def {before}:\n    1 // divisor\n    return a, b\n", fix({before: after}, then(lambda: mend(), retry())))

    def mend() -> None:
        program.names["divisor"] = 1

    program.names["divisor"] = 0
    assert program.call("job", 1) == result


def test_a_parameter_that_is_gone_is_unbound_and_a_new_one_too(live: Live) -> None:
    program = live(
        "def job(a, b=2):\n    1 // b\n    return b\n",
        fix({"job(a, b=2)": "job(a, new)", "1 // b": "a", "return b": "return new"}, retry()),
    )
    assert type(program.failure("job", 1, 0)) is UnboundLocalError


def test_cells_are_the_same_objects(live: Live) -> None:
    program = live(
        """
def job():
    total = 1
    def look(): return total
    before = look.__closure__[0]
    1 // divisor
    def later(): return total
    total = 5
    return look(), before is look.__closure__[0] is later.__closure__[0]
""",
        then(lambda: program.names.update(divisor=1), retry()),
    )
    program.names["divisor"] = 0
    assert program.call("job") == (5, True)


@pytest.mark.parametrize(
    ("within", "call"),
    [
        ("class C(Base):", "C().get"),
        ("class Outer:\n    class __C(Base):", "getattr(Outer, '_Outer__C')().get"),
        ("class C(Base):\n    if True:", "C().get"),
        ("class C(Base):\n    global get", "lambda: get(C())"),
        ("class Outer:\n    global C\n    class C(Base):", "C().get"),
        ("def make():\n    class C(Base):", "make().get"),
    ],
    ids=["class", "inner class", "if in a class", "global method", "global class", "local class"],
)
def test_a_method_means_what_it_means_in_its_class(live: Live, within: str, call: str) -> None:
    """Also where nothing else of the class is compiled for it."""
    deep = "    " * within.count("\n    ")
    if "global get" in within:
        deep = ""
    body = """
    __secret = 2
    def other(self): return 1 // 0
    @decorated
    def get(self):
        found = [each + self.__secret for each in (1, 2)]
        1 // divisor
        return found, [type(self).__name__ for _ in found], __class__ is type(self), super().who
    last = other
"""
    text = "class Base:\n    who = 'base'\ndef decorated(function): return function\n"
    text += within + "".join(f"{deep}{line}\n" if line else "\n" for line in body.splitlines())
    text += "    return C()\n" if "make" in within else ""
    program = live(text, fix({"return found,": "return found[::-1],"}, then(lambda: program.names.update(divisor=1), retry())))
    program.names["divisor"] = 0
    expected_name = "__C" if "__C" in within else "C"
    got = eval(call, program.names)()
    assert got == ([4, 3], [expected_name] * 2, True, "base")


def test_calls_that_are_made_again_are_named_up_to_the_failing_instruction(live: Live) -> None:
    calls: list[tuple[str, ...]] = []

    def note(stop: Stop) -> None:
        landing = stop.landing_of(Resume(find_frame(stop)))
        calls.append(getattr(landing, "calls", ()))

    def answer(stop: Stop) -> Any:
        note(stop)
        return UseValue(find_frame(stop), 1)

    program = live(
        """
def fetch(n): return n
class API:
    def get(self, n): return n
api = API()
def job():
    found = (fetch(1) + api.get(2), 1 // 0, fetch(3))
    found = [fetch(fetch(4)) for _ in (1,)] + [1 // 0]
    return fetch(5) if fetch(6) else None
""",
        answer,
        answer,
    )
    program.call("job")
    assert calls[0] == ("fetch()", "api.get()")
    assert calls[1] == (("fetch()", "fetch()") if calls[1] else ())


LINES = """
def job(n):
    total = 0
    for each in [1, 2]:
        with nothing:
            total += 1 // n
            total += each
    return total
"""


def lines_of(program: LiveProgram, function: Callable[[], object], install: Callable[[Any], object]) -> list[str]:
    """Give the lines of a function of the program that a trace function sees."""
    found: list[str] = []
    text = program.program.path.read_text().splitlines()

    def trace(frame: FrameType, event: str, arg: object) -> Any:
        if frame.f_code.co_filename != str(program.program.path):
            return None
        if event == "line":
            found.append(f"{frame.f_code.co_name}: {text[frame.f_lineno - 1].strip()}")
        return trace

    install(trace)
    try:
        function()
    finally:
        install(None)
    return found


def test_a_tracer_sees_the_lines_that_the_frame_runs_after_it_went_on(live: Live) -> None:
    import contextlib

    program = live(LINES, then(lambda: state.__setitem__("n", 1), retry()))
    state: dict[str, int] = {}

    class Number(int):
        def __rfloordiv__(self, other: int) -> int:
            return other // state["n"]

    program.names["nothing"] = contextlib.nullcontext()
    state["n"] = 0
    resumed = lines_of(program, lambda: program.call("job", Number()), sys.settrace)
    state["n"] = 1
    plain = lines_of(program, lambda: program.call("job", Number()), sys.settrace)
    failed = plain.index("job: total += 1 // n")
    handed_over = "job: def job(n):"  # the frame that was taken over
    assert resumed == [*plain[: failed + 1], handed_over, *plain[failed:]]


def test_inspection_shows_the_function_s_name_file_and_line(live: Live) -> None:
    program = live(
        """
import inspect, sys
def look():
    return [(each.function, each.lineno) for each in inspect.stack() if each.filename == __file__]
def job():
    1 // divisor
    frame = sys._getframe()
    return look(), frame.f_code.co_qualname, frame.f_lineno, inspect.getsource(frame)
""",
        then(lambda: program.names.update(divisor=1), retry()),
    )
    program.names.update(divisor=0, __file__=str(program.program.path))
    stack, name, line, source = program.call("job")
    assert stack[:2] == [("look", 4), ("job", 8)]
    assert stack[2:] == [("job", 5)]  # the frame that was taken over, on its first line
    assert (name, line) == ("job", 8)
    assert source.startswith("def job():")
