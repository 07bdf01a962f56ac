"""Random programs, made to fail in random places, for comparing how they run with traps and without."""

from __future__ import annotations

import random
import sys
import traceback
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from types import CodeType
from typing import Any, NamedTuple

FILENAME = "random_program.py"
#: Numbers of the places in the helper functions of each program; those never fail.
_HELPERS = 900


class E1(Exception):
    pass


class E2(E1):
    pass


class E3(Exception):
    pass


KINDS: dict[str, type[Exception]] = {"E1": E1, "E2": E2, "E3": E3}

_PRELUDE = """\
def genr(k, n):
    with CM(900, False):
        for j in range(n):
            rec(p(k * 100 + j))
            rec((yield j))
    return 7
async def agenr(k, n):
    with CM(900, False):
        for j in range(n):
            rec(p(k * 100 + j))
            rec((yield j))
async def coror(k):
    async with ACM(901, False):
        v = await Aw(k)
    return v
"""


@dataclass(frozen=True)
class RandomProgram:
    """A program and how it is driven.

    Attributes:
        kind: of its main part: "function", "generator", "coroutine", "async generator", "class body" or "module".
        source: its text. Its main part, but for a module, is the function `target`.
        steps: what a generator is driven with: (send, throw or close, the name of an exception type).
    """

    kind: str
    source: str
    steps: tuple[tuple[str, str], ...]


class Ending(NamedTuple):
    """How a run ended, in plain values that two runs can be compared by.

    Attributes:
        result: the result, or a description of the exception with its contexts.
        log: what the program did, in order.
        lines: the lines of the program in the traceback.
        handled: what was being handled after the run.
    """

    result: object
    log: tuple[object, ...]
    lines: tuple[int | None, ...]
    handled: str


def random_program(seed: int) -> RandomProgram:
    """Give the program of a seed; the same for each version of Python, as far as that allows it."""
    for attempt in range(20):
        program = _Writer(random.Random(seed * 1000 + attempt)).write()
        try:
            compile(program.source, FILENAME, "exec")
        except SyntaxError:  # a `break` or a `return` in a place where this version forbids it
            continue
        return program
    raise AssertionError(f"no program for seed {seed}")


def random_failures(seed: int, log: tuple[object, ...]) -> dict[int, tuple[int, str]]:
    """Choose which places of a program fail: place -> (at which visit, from 0, with what)."""
    chooser = random.Random(seed + 1_000_003)
    visits: dict[int, int] = {}
    for entry in log:
        if isinstance(entry, tuple) and entry[0] in ("p", "next", "anext", "enter", "aw") and entry[1] < _HELPERS:
            visits[entry[1]] = visits.get(entry[1], 0) + 1
    chosen = chooser.sample(sorted(visits), min(len(visits), chooser.choice([1, 1, 2, 4])))
    return {place: (chooser.randrange(visits[place]), chooser.choice(list(KINDS))) for place in chosen}


def run(program: RandomProgram, world: World, prepare: Callable[[CodeType], CodeType] = lambda code: code) -> Ending:
    """Run a program to its end.

    Args:
        program: what to run.
        world: what it deals with, new.
        prepare: gives its code what it is to be run with.
    """
    names = world.names()
    error: BaseException | None = None
    result: object = None
    try:
        exec(prepare(compile(program.source, FILENAME, "exec", dont_inherit=True)), names)
        if program.kind != "module":
            made = names["target"](11, 12, cell_1=3, z=4)
            result = drive(world, program, made)
    except Exception as caught:
        error = caught
    lines: tuple[int | None, ...] = ()
    if error is not None:
        result = described(error)
        lines = tuple(number for frame, number in traceback.walk_tb(error.__traceback__) if frame.f_code.co_filename == FILENAME)
    error = None
    return Ending(repr(result), tuple(world.log), lines, repr(sys.exc_info()[1]))


def described(error: BaseException, depth: int = 0) -> object:
    """Describe an exception with its contexts and parts."""
    context = error.__context__
    return (
        type(error).__name__,
        str(error),
        error.__suppress_context__,
        described(context, depth + 1) if context is not None and depth < 6 else None,
        [described(each, depth + 1) for each in getattr(error, "exceptions", ())],
    )


class _Writer:
    """Writes one program.

    Each place that may fail has a number; a place is a call of `p`, a context manager, an iterator or an awaitable.
    """

    def __init__(self, chooser: random.Random) -> None:
        self.chooser = chooser
        self.kind = chooser.choice(
            ["function", "function", "generator", "coroutine", "async generator", "class body", "module"]
        )  # fmt: skip
        self.lines: list[str] = []
        self.places = 0
        self.budget = 26  # statements

    def write(self) -> RandomProgram:
        kind = self.kind
        indent = 0
        if kind != "module":
            asynchronous = "async " if self._is_async() else ""
            self.line(0, f"{asynchronous}def target(arg, *args, cell_1=5, **kw):")
            indent = 1
        self.line(indent, "cell_0 = v = 1")
        if kind == "module":
            self.line(0, "cell_1 = 2")
        for number in (0, 1):
            self._inner_function(indent, number)
        if kind == "class body":
            self._class_body()
        else:
            self.body(indent, False, 0)
            self.body(indent, False, 0)
        if "generator" in kind:
            self.line(indent, "yield cell_0")
        self.line(indent, "rec((cell_0, cell_1))")
        if kind not in ("async generator", "module"):
            self.line(indent, "return (cell_0, cell_1, arg)")
        steps = tuple(
            (self.chooser.choice(["send"] * 9 + ["throw", "close"]), self.chooser.choice(list(KINDS))) for _ in range(14)
        )
        return RandomProgram(kind, _PRELUDE + "\n".join(self.lines) + "\n", steps)

    def line(self, indent: int, text: str) -> None:
        self.lines.append("    " * indent + text)

    def place(self) -> int:
        self.places += 1
        return self.places

    def chance(self, probability: float) -> bool:
        return self.chooser.random() < probability

    def _is_async(self) -> bool:
        return self.kind in ("coroutine", "async generator")

    def _inner_function(self, indent: int, number: int) -> None:
        declaration = "global" if self.kind == "module" else "nonlocal"
        self.line(indent, f"def inner_{number}():")
        self.line(indent + 1, f"{declaration} cell_{number}")
        self.line(indent + 1, f"for z in It({self.place()}, 2):")
        self.line(indent + 2, f"cell_{number} += p({self.place()})")

    def _class_body(self) -> None:
        self.line(1, "class C:")
        self.line(2, "def m(self): return __class__")
        self.line(2, "cell_0 = v = 1")
        self.line(2, "cell_1 = 2")
        self.body(2, False, 1)
        self.line(2, "z = v")
        self.line(1, "rec(C().m() is C)")
        self.line(1, "rec(sorted(k for k in vars(C) if k[0] != '_'))")

    # -- expressions and statements

    def expression(self) -> str:
        k = self.place()
        choices = [
            (50, f"p({k})"),
            (10, f"use(q(1),\n  p({k}),\n   q(2))"),
            (8, f"[q(i) + p({k}) for i in (1,)]"),
            (4, f"(p({k}) if q(0) else q(2))"),
            (4, f"sum(q(i) + p({k}) for i in (1,))"),
            (4, f"(lambda: p({k}))()"),
            (4, f"{{a: p({k}) for a in (1,) if q(1)}}"),
        ]
        if self._is_async():
            choices.append((16, f"await Aw({k})"))
        if "generator" in self.kind:
            choices.append((16, f"use((yield p({k})))"))
        return self.chooser.choices([text for _, text in choices], [weight for weight, _ in choices])[0]

    def body(self, indent: int, in_loop: bool, depth: int) -> None:
        for _ in range(self.chooser.randint(1, 3)):
            self.statement(indent, in_loop, depth)

    def statement(self, indent: int, in_loop: bool, depth: int) -> None:
        self.budget -= 1
        if depth > 4 or self.budget < 0 or self.chance(0.28):
            self.chooser.choice(self._simple(in_loop))(indent)
        else:
            compound = self.chooser.choice(
                [self._for, self._for, self._with, self._with, self._finally, self._except, self._except_finally]
                + [self._star, self._while, self._if, self._match, self._delegate]
            )
            compound(indent, in_loop, depth)

    def _simple(self, in_loop: bool) -> list[Callable[[int], None]]:
        raising = self.chooser.choice(list(KINDS))
        simple = [
            lambda indent: self.line(indent, f"v = {self.expression()}"),
            lambda indent: self.line(indent, f"v = {self.expression()}"),
            lambda indent: self.line(indent, f"rec({self.expression()})"),
            lambda indent: self.line(indent, f"see({self.place()})"),
            lambda indent: self.line(indent, f"cell_{self.chooser.randint(0, 1)} += p({self.place()})"),
            lambda indent: self.line(indent, f"inner_{self.chooser.randint(0, 1)}()"),
            lambda indent: self.line(indent, f"if p({self.place()}) % 2: raise {raising}({self.place()})"),
        ]
        if in_loop:
            leave = self.chooser.choice(["break", "continue"])
            simple.append(lambda indent: self.line(indent, f"if p({self.place()}) % 3 == 0: {leave}"))
        if self.kind not in ("class body", "module"):
            value = "" if self.kind == "async generator" else f" {self.expression()}"
            simple.append(lambda indent: self.line(indent, f"if p({self.place()}) % 4 == 0: return{value}"))
        if "generator" in self.kind:
            simple.append(lambda indent: self.line(indent, f"rec((yield p({self.place()})))"))
        if self._is_async():
            simple.append(lambda indent: self.line(indent, f"v = await Aw({self.place()})"))
        return simple

    def _async_or_not(self) -> str:
        return "async " if self._is_async() and self.chance(0.6) else ""

    def _for(self, indent: int, in_loop: bool, depth: int) -> None:
        k, n = self.place(), self.chooser.randint(1, 3)
        asynchronous = self._async_or_not()
        if asynchronous:
            iterable = self.chooser.choice([f"AIt({k}, {n})", f"agenr({k}, {n})"])
        else:
            iterable = self.chooser.choice(
                [f"It({k}, {n})", f"range({n})", f"[1, 2, 3][:{n}]", f"tupled({n})", f"genr({k}, {n})", "'abc'"]
                + ["{1: 2, 3: 4}", f"enumerate([7, 8][:{n}])"]
            )
        self.line(indent, f"{asynchronous}for x{depth} in {iterable}:")
        self.line(indent + 1, f"rec(x{depth})")
        self.body(indent + 1, True, depth + 1)
        if self.chance(0.3):
            self.line(indent, "else:")
            self.body(indent + 1, in_loop, depth + 1)

    def _with(self, indent: int, in_loop: bool, depth: int) -> None:
        asynchronous = self._async_or_not()
        manager = "ACM" if asynchronous else "CM"
        items = []
        for _ in range(self.chooser.randint(1, 2)):
            name = f" as c{depth}" if self.chance(0.5) else ""
            items.append(f"{manager}({self.place()}, {self.chance(0.25)}){name}")
        self.line(indent, f"{asynchronous}with {', '.join(items)}:")
        self.body(indent + 1, in_loop, depth + 1)

    def _finally(self, indent: int, in_loop: bool, depth: int) -> None:
        self.line(indent, "try:")
        self.body(indent + 1, in_loop, depth + 1)
        self.line(indent, "finally:")
        self.body(indent + 1, False, depth + 1)

    def _except(self, indent: int, in_loop: bool, depth: int) -> None:
        self.line(indent, "try:")
        self.body(indent + 1, in_loop, depth + 1)
        for types in self.chooser.sample(["E1", "E2", "E3", "(E1, E3)"], self.chooser.randint(1, 2)):
            self.line(indent, f"except {types}" + (" as e:" if self.chance(0.5) else ":"))
            self.body(indent + 1, in_loop, depth + 1)
            if self.chance(0.2):
                self.line(indent + 1, "raise")
            elif self.chance(0.15):
                self.line(indent + 1, f"raise E3({self.place()}) from None")
        if self.chance(0.3):
            self.line(indent, "else:")
            self.body(indent + 1, in_loop, depth + 1)

    def _except_finally(self, indent: int, in_loop: bool, depth: int) -> None:
        self._except(indent, in_loop, depth)
        self.line(indent, "finally:")
        self.body(indent + 1, False, depth + 1)

    def _star(self, indent: int, in_loop: bool, depth: int) -> None:
        self.line(indent, "try:")
        group = 'ExceptionGroup("g", [E1(1), E3(2), ExceptionGroup("h", [E2(5)])])'
        self.line(indent + 1, f"if p({self.place()}) % 2: raise {group}")
        self.body(indent + 1, in_loop, depth + 1)
        for name in self.chooser.sample(["E1", "E2", "E3"], self.chooser.randint(1, 2)):
            self.line(indent, f"except* {name}" + (" as e:" if self.chance(0.5) else ":"))
            self.line(indent + 1, f"v = {self.expression()}")
            self.line(indent + 1, f"see({self.place()})")

    def _while(self, indent: int, in_loop: bool, depth: int) -> None:
        self.line(indent, f"n{depth} = 0")
        self.line(indent, f"while n{depth} < 2 and p({self.place()}) >= 0:")
        self.line(indent + 1, f"n{depth} += 1")
        self.body(indent + 1, True, depth + 1)

    def _if(self, indent: int, in_loop: bool, depth: int) -> None:
        self.line(indent, f"if p({self.place()}) % 2:")
        self.body(indent + 1, in_loop, depth + 1)
        self.line(indent, "else:")
        self.body(indent + 1, in_loop, depth + 1)

    def _match(self, indent: int, in_loop: bool, depth: int) -> None:
        self.line(indent, f"match (p({self.place()}) % 3, q(1)):")
        self.line(indent + 1, f"case (0, y) if q({self.place()}) >= 0:")
        self.body(indent + 2, in_loop, depth + 1)
        self.line(indent + 1, "case _:")
        self.body(indent + 2, in_loop, depth + 1)

    def _delegate(self, indent: int, in_loop: bool, depth: int) -> None:
        if self.kind == "generator":
            self.line(indent, f"v = yield from genr({self.place()}, 2)")
        elif self._is_async():
            self.line(indent, f"v = await coror({self.place()})")
        else:
            self.line(indent, f"v = {self.expression()}")


@dataclass
class World:
    """What a program deals with: everything that it calls is noted, and fails where it was chosen to.

    Attributes:
        failures: place -> (at which visit, with what); what has failed is taken out.
        log: what happened, in order.
        visits: place -> how often it did not fail.
    """

    failures: dict[int, tuple[int, str]]
    log: list[object] = field(default_factory=list)
    visits: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.failures = dict(self.failures)

    def begin_anew(self) -> None:
        """Forget what happened, and let nothing fail any more."""
        self.failures.clear()
        self.log.clear()
        self.visits.clear()

    def visit(self, place: int, what: str = "p") -> int:
        number = self.visits.get(place, 0)
        if place in self.failures and self.failures[place][0] == number:
            error = KINDS[self.failures.pop(place)[1]](f"fail {place}")
            error.chosen = True  # type: ignore[attr-defined]
            raise error
        self.visits[place] = number + 1
        self.log.append((what, place))
        return number + place

    def record(self, value: object) -> None:
        self.log.append(("rec", repr(value) if not isinstance(value, BaseException) else str(value)))

    def see(self, place: int) -> None:
        self.log.append(("see", place, repr(sys.exc_info()[1])))

    def names(self) -> dict[str, Any]:
        """Give the globals of a program."""
        world = self

        class Iterator_:
            def __init__(self, place: int, count: int) -> None:
                self.place, self.count = place, count

            def __iter__(self) -> Any:
                return self

            def __next__(self) -> int:
                if not self.count:
                    world.log.append("end")
                    raise StopIteration
                world.visit(self.place, "next")
                self.count -= 1
                return self.count

        class AsyncIterator(Iterator_):
            def __aiter__(self) -> Any:
                return self

            async def __anext__(self) -> int:
                if not self.count:
                    raise StopAsyncIteration
                world.visit(self.place, "anext")
                self.count -= 1
                await Pause()
                return self.count

        class Manager:
            def __init__(self, place: int, swallows: bool) -> None:
                self.place, self.swallows = place, swallows

            def __enter__(self) -> int:
                world.visit(self.place, "enter")
                return self.place

            def __exit__(self, kind: object, value: object, traceback: object) -> bool:
                world.log.append(("exit", self.place, repr(value), repr(sys.exc_info()[1])))
                return self.swallows

        class AsyncManager(Manager):
            async def __aenter__(self) -> int:
                entered = self.__enter__()
                await Pause()
                return entered

            async def __aexit__(self, *exc_info: object) -> bool:
                await Pause()
                return self.__exit__(*exc_info)

        class Pause:
            def __await__(self) -> Generator[str, None, None]:
                yield "pause"

        class Awaitable:
            def __init__(self, place: int) -> None:
                self.place = place

            def __await__(self) -> Any:
                result = world.visit(self.place, "aw")
                yield "await"
                return result

        return dict(
            p=world.visit, q=lambda value: value, use=lambda *values: values[-1] if len(values) > 1 else values[0],
            rec=world.record, see=world.see, It=Iterator_, AIt=AsyncIterator, CM=Manager, ACM=AsyncManager, Aw=Awaitable,
            tupled=lambda count: (4, 5, 6)[:count], __name__="random_program", **KINDS,
        )  # fmt: skip


def drive(world: World, program: RandomProgram, made: Any) -> object:
    """Take what `target` returned to its end."""
    if program.kind in ("generator", "coroutine"):
        return _drive_generator(world, program, made)
    if program.kind == "async generator":
        return _drive_async_generator(world, program, made)
    return made


def _drive_generator(world: World, program: RandomProgram, made: Any) -> object:
    try:
        world.log.append(made.send(None))
        for number, (step, kind) in enumerate(program.steps):
            if step == "throw":
                world.log.append(made.throw(KINDS[kind](f"thrown {number}")))
            elif step == "close" and program.kind == "generator":
                made.close()
                world.log.append("closed")
            else:
                world.log.append(made.send(number if program.kind == "generator" else None))
        made.close()
    except StopIteration as end:
        return "ended", end.value
    return "still there"


def _drive_async_generator(world: World, program: RandomProgram, made: Any) -> object:
    def wait(awaitable: Any) -> object:
        iterator = awaitable.__await__()
        try:
            while True:
                world.log.append(("to the loop", iterator.send(None)))
        except StopIteration as end:
            return end.value

    try:
        world.log.append(wait(made.__anext__()))
        for number, (step, kind) in enumerate(program.steps):
            if step == "throw":
                world.log.append(wait(made.athrow(KINDS[kind](f"thrown {number}"))))
            elif step == "close":
                wait(made.aclose())
                world.log.append("closed")
            else:
                world.log.append(wait(made.asend(number)))
        wait(made.aclose())
    except StopAsyncIteration:
        return "ended"
    return "still there"
