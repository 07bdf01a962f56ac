"""Random programs whose statements can be repeated, for comparing a run that failed and was resumed with one that never failed.

Whatever a statement does before the place where it may fail leaves no trace, so that a statement that runs again from its start
gives the same record as one that ran once. No program handles `Failure`, the exception that places fail with.
"""

from __future__ import annotations

import ast
import asyncio
import enum
import functools
import os
import random
import sys
import traceback
from collections.abc import Callable, Coroutine, Generator
from dataclasses import dataclass, field, replace
from types import FrameType
from typing import Any, NamedTuple

from support.random_programs import KINDS, described

FILENAME = "program.py"
_MOST_RECORDS = 4000
_TYPES = list(KINDS)


class Failure(Exception):
    """What a place fails with.

    Attributes:
        place: the number of the place.
        visit: which visit of it this was to be, from 0.
    """

    def __init__(self, place: int, visit: int) -> None:
        super().__init__(f"place {place} fails at visit {visit}")
        self.place = place
        self.visit = visit


class Final(Exception):
    """Ends some programs; nobody handles it."""


class Signal(BaseException):
    """Ends a call that is to be made once more; of the same name as what the engine raises in order to restart a frame."""


class Runaway(BaseException):
    """Ends a program that would go on for ever."""


class Form(enum.Enum):
    """What stands at a place, and so what can be done when it fails."""

    CALL = "an expression statement that is the call"
    VALUE = "a call that the statement uses the value of"
    PART = "something else in a statement"
    NEXT = "the next item of a loop"
    ENTER = "the entry of a with block"
    LATER_ENTER = "the entry of an item of a with statement whose earlier items are open"
    HELPER = "the first that a function does which the main part calls"
    STAR = "in the body of an except* clause"
    LEAVE = "a call whose value may tell that the blocks around it are left"


@dataclass(frozen=True)
class ResumableProgram:
    """A program and how it is driven.

    Attributes:
        kind: of its main part: "function", "method", "generator", "coroutine", "async generator", "class body" or "module".
        source: its text. Its main part, but for a module, is what `target` calls.
        forms: place -> what stands there. Places of helpers that are called with a number are not among them.
        steps: what a generator is driven with: (send, throw or close, the name of an exception type).
        asynchronous_by: what drives coroutines: "hand" or "asyncio".
    """

    kind: str
    source: str
    forms: dict[int, Form]
    steps: tuple[tuple[str, str], ...]
    asynchronous_by: str


class Ending(NamedTuple):
    """How a run ended, in plain values that two runs can be compared by.

    Attributes:
        result: the result, or a description of the exception with its contexts.
        record: what the program did, in order.
        trace: the traceback: file, function and line of each frame, but for those of this module and of who called it.
        handled: what was being handled after the run.
    """

    result: str
    record: tuple[object, ...]
    trace: tuple[tuple[str, str, int | None], ...]
    handled: str


def resumable_program(seed: int) -> ResumableProgram:
    """Give the program of a seed; the same for each version of Python, as far as that allows it."""
    for attempt in range(20):
        program = _Writer(random.Random(seed * 1000 + attempt)).write()
        try:
            compile(program.source, FILENAME, "exec")
        except SyntaxError:  # something in a place where this version forbids it
            continue
        return program
    raise AssertionError(f"no program for seed {seed}")


class _Point(NamedTuple):
    """A place for a new statement.

    Attributes:
        line: it is put in front of this line.
        indent: how many spaces it begins with.
        is_main: whether that is in the main part of the program.
        captures: whether a function that is made there can make variables of the main part into cells.
    """

    line: int
    indent: int
    is_main: bool
    captures: bool


def with_a_harmless_line(text: str, chooser: random.Random) -> str:
    """Give the text of a program with something put in, between two statements, that changes nothing of what it does."""
    lines = text.splitlines()
    points = _points(ast.parse(text), lines)
    in_main = [point for point in points if point.is_main]
    point = chooser.choice(in_main if in_main and chooser.random() < 0.85 else points)
    name = f"extra_{chooser.randrange(1000)}"
    harmless = chooser.choice(
        ["# a comment", "\n\n", f"{name} = 1", "if False: pass", f"if False:\n    {name} = 2", f"for {name} in (): pass"]
        + [f"{name} = [each for each in ()]", "'text'", "try: pass\nfinally: pass"]
        + ([f"{name} = lambda: (v, arg)"] if point.captures else [])
    )
    new = [(" " * point.indent + part) if part else "" for part in harmless.split("\n")]
    return "\n".join(lines[: point.line - 1] + new + lines[point.line - 1 :]) + "\n"


def _points(tree: ast.Module, lines: list[str]) -> list[_Point]:
    """Give the places for new statements, between the statements of each block and at its ends."""
    points: list[_Point] = []
    is_module = all(getattr(node, "name", "") not in ("target", "Target") for node in tree.body)

    def add_block(block: list[ast.stmt], is_main: bool, captures: bool) -> None:
        indent = block[0].col_offset
        if lines[block[0].lineno - 1][:indent].strip():  # it stands in the line of what it belongs to
            return
        for statement in block:
            first = min([statement.lineno] + [each.lineno for each in getattr(statement, "decorator_list", ())])
            if not lines[first - 1][:indent].strip() and not lines[first - 1].startswith("elif ", indent):
                points.append(_Point(first, indent, is_main, captures))
        points.append(_Point((block[-1].end_lineno or 0) + 1, indent, is_main, captures))

    def visit(node: ast.AST, is_main: bool, captures: bool) -> None:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            is_main = captures = node.name == "target"
        elif isinstance(node, ast.ClassDef):
            captures = False
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if isinstance(block, list) and block:
                add_block(block, is_main, captures)
        for child in ast.iter_child_nodes(node):
            visit(child, is_main, captures)

    visit(tree, is_module, is_module)
    return points


# -- writing them

_PRELUDE = """\
def generator_helper(k, n):
    with CM(k * 100):
        try:
            for j in range(n):
                rec(p(k * 100 + 1 + j))
                rec((yield j))
        finally:
            p(k * 100 + 10)
    return 7
async def async_generator_helper(k, n):
    with CM(k * 100):
        for j in range(n):
            rec(p(k * 100 + 1 + j))
            await Pause()
            rec((yield j))
async def coroutine_helper(k):
    async with AsyncCM(k * 100):
        v = await Aw(k * 100 + 1)
    return v
"""

#: (how often, what, text): `{k}` is a place, `{call}` and `{value}` are more of these forms, `{c}` is a cell, `{u}` a number used once.
_SIMPLE = [
    (9, Form.CALL, "p({k})"),
    (5, Form.VALUE, "v = p({k})"),
    (3, Form.VALUE, "cell_{c} += p({k})"),
    (3, Form.VALUE, "rec(p({k}))"),
    (2, Form.VALUE, "v = use(q(1),\n  p({k}),\n   q(2))"),
    (2, Form.VALUE, "first, *rest = q(1), p({k}), (3, 4)"),
    (1, Form.VALUE, "(first, v), last = (q(1), p({k})), 3"),
    (2, Form.VALUE, "rec(w := p({k}))"),
    (1, Form.VALUE, "v: int = p({k})"),
    (1, Form.VALUE, "items[p({k}) % 3] = v"),
    (1, Form.VALUE, "items[1] += p({k})"),
    (1, Form.VALUE, "rec(f'{{q(1)}} {{p({k})!r}}')"),
    (1, Form.VALUE, "assert 0 <= p({k})"),
    (1, Form.VALUE, "v = q(1) and p({k})"),
    (1, Form.VALUE, "v = p({k}) if q(1) else q(2)"),
    (1, Form.PART, "v = [i + p({k}) for i in (1, 2, 3) if i == 2]"),
    (1, Form.PART, "v = {{i: p({k}) for i in (1,)}}"),
    (1, Form.PART, "rec([[(i, j, v) for j in (1, 2)] for i in (p({k}), 5)])"),
    (1, Form.PART, "v = sum(i + p({k}) for i in (1, 2) if q(i) == 1)"),
    (1, Form.PART, "v = (lambda a: a + p({k}))(q(1))"),
    (1, Form.CALL, "for each in (1, 2): p({k}); rec(each)"),
    (1, Form.CALL, "with nothing: p({k}); v = p({value})"),
    (1, Form.CALL, "try: p({k}); v = 5\nfinally: rec('finally {u}')"),
    (1, Form.PART, "def local_{u}(): return v + p({k})\nv = local_{u}()"),
    (1, Form.PART, "t_{c} = Token({k})"),
    (1, Form.PART, "def local_{u}(a=p({k})): return a"),
    (1, Form.PART, "@decorated(p({k}))\ndef local_{u}(): return v"),
    (1, Form.PART, "class Local_{u}:\n    a = p({k})\n    p({call})"),
    (1, None, "t_{c} = None"),
    (2, None, "see({u})"),
    (3, None, "inner_{c}()"),
    (2, None, "rec(get_cells())"),
    (1, None, "later = (lambda: (cell_0, cell_1))\nrec(later())"),
    (1, None, "rec(sorted(items))"),
    (1, None, "unset_{c} = 1\ndel unset_{c}"),
    (2, None, "try:\n    rec(unset_{c})\nexcept NameError:\n    rec('unbound {u}')"),
    (1, None, "unset_{c} = {u}"),
]  # fmt: skip

#: (what, text): `{n}` is how many items there are.
_ITERABLES = [
    *[(Form.NEXT, "It({k}, {n})")] * 3,
    (Form.VALUE, "range(p({k}) % 4)"),
    (None, "range({n})"),
    (None, "[1, 2, 3][:{n}]"),
    (None, "tupled({n})"),
    (None, "generator_helper({k}, {n})"),
    (None, "'abc'"),
    (None, "items[:]"),
    (None, "{{1: 2, 3: 4}}"),
    (None, "map(q, range({n}))"),
    (None, "[a + 1 for a in range({n})]"),
    (None, "(a + 1 for a in range({n}))"),
]
_ASYNC_ITERABLES = [(Form.NEXT, "AIt({k}, {n})"), (None, "async_generator_helper({k}, {n})")]


@dataclass(frozen=True)
class _Where:
    """Where a statement is written, and what it may do there."""

    indent: int
    depth: int = 0
    loop: bool = False  # break and continue
    leave: bool = True  # return
    handler: bool = False  # raise without an exception
    star: bool = False

    def within(self, **changes: Any) -> _Where:
        return replace(self, indent=self.indent + 1, depth=self.depth + 1, **changes)


class _Writer:
    """Writes one program. Each place that may fail has a number."""

    def __init__(self, chooser: random.Random) -> None:
        self.chooser = chooser
        self.kind = chooser.choice(
            ["function", "function", "function", "method", "generator", "coroutine", "async generator", "class body", "module"]
        )
        self.lines: list[str] = []
        self.forms: dict[int, Form] = {}
        self.numbers = 0
        self.budget = 24  # statements
        self.is_async = self.kind in ("coroutine", "async generator")

    def write(self) -> ResumableProgram:
        self._helpers()
        where = self._opening()
        self.line(where, "cell_0 = v = 1")
        if self.kind == "module":
            self.line(where, "cell_1 = arg = 2")
        self.line(where, "items = [1, 2, 3]")
        for number in (0, 1):
            self._inner_function(where, number)
        self.line(where, "get_cells = lambda: (cell_0, cell_1)")
        if self.kind == "class body":
            self._class_body(where)
        else:
            self.block(where)
            self.block(where)
        self._closing(where)
        steps = tuple((self.chooser.choice(["send"] * 12 + ["throw", "close"]), self.chooser.choice(_TYPES)) for _ in range(14))
        source = _PRELUDE + "\n".join(self.lines) + "\n"
        driver = "asyncio" if self.chance(0.3) else "hand"
        return ResumableProgram(self.kind, source, self.forms, steps, driver)

    # -- the frame of it

    def _helpers(self) -> None:
        top = _Where(0)
        self.line(top, f"def helper_0(a):\n    b = p({self.place(Form.HELPER)})\n    return a + b + p({self.place(Form.VALUE)})")
        self.line(top, f"def helper_1(a):\n    p({self.place(Form.HELPER)})\n    p({self.place(Form.CALL)})\n    return a")
        self.line(top, "def helper_2(a):\n    with nothing:\n        return a + helper_0(a)")

    def _opening(self) -> _Where:
        if self.kind == "module":
            return _Where(0, leave=False)
        if self.kind == "method":
            self.line(_Where(0), "class Base:\n    def base(self): return p(900)\nclass Target(Base):")
            self.line(_Where(1), "def target(self, arg, *args, cell_1=5, **kw):")
            return _Where(2)
        if self.kind == "function" and self.chance(0.2):
            self.line(_Where(0), "@decorated(1)")
        self.line(_Where(0), f"{'async ' if self.is_async else ''}def target(arg, *args, cell_1=5, **kw):")
        return _Where(1)

    def _inner_function(self, where: _Where, number: int) -> None:
        self.line(where, f"def inner_{number}():")
        within = where.within()
        self.line(within, f"{'global' if self.kind == 'module' else 'nonlocal'} cell_{number}")
        self.line(within, f"for z in It({self.place(Form.NEXT)}, 2):")
        self.line(within.within(), f"cell_{number} += p({self.place(Form.VALUE)})")

    def _class_body(self, where: _Where) -> None:
        self.line(where, "class C:")
        body = where.within(leave=False)
        self.line(body, "def own_class(self): return __class__")
        self.line(body, "cell_0 = v = 1\ncell_1 = 2\nitems = [1, 2, 3]")
        self.block(body)
        self.block(body)
        self.line(body, "z = v, cell_0, cell_1, items")
        self.line(where, "rec(C().own_class() is C)")
        self.line(where, "rec(C.z)")

    def _closing(self, where: _Where) -> None:
        if "generator" in self.kind:
            self.line(where, "yield cell_0")
        if self.kind == "method":
            self.line(where, "rec(super().base())\nrec(__class__.__name__)")
        self.line(where, "rec((cell_0, cell_1, v))")
        if self.chance(0.25):
            self.line(where, "raise Final(v)")
        if self.kind not in ("async generator", "module"):
            self.line(where, "return (cell_0, cell_1, arg)")
        if self.kind == "method":
            self.line(_Where(0), "target = Target().target")

    def line(self, where: _Where, text: str) -> None:
        for part in text.split("\n"):
            self.lines.append("    " * where.indent + part)

    def number(self) -> int:
        self.numbers += 1
        return self.numbers

    def place(self, form: Form) -> int:
        number = self.number()
        self.forms[number] = form
        return number

    def chance(self, probability: float) -> bool:
        return self.chooser.random() < probability

    # -- statements

    def block(self, where: _Where, most: int = 3) -> None:
        for _ in range(self.chooser.randint(1, most)):
            self.statement(where)

    def statement(self, where: _Where) -> None:
        self.budget -= 1
        if where.star or where.depth > 4 or self.budget < 0 or self.chance(0.3):
            self._simple(where)
            return
        compound = self.chooser.choice(
            [self._for, self._for, self._for, self._with, self._with, self._except, self._except, self._finally]
            + [self._except_finally, self._while, self._if, self._match, self._try_of_loop]
            + ([self._star] if self.chance(0.5) else [])
            + self._later_compounds()
        )
        compound(where)

    def _simple(self, where: _Where) -> None:
        if self.chance(0.4):
            special = self._special(where)
            if special is not None:
                form, text = special
                self._write_simple(where, form, text)
                return
        _, form, text = self.chooser.choices(_SIMPLE, [weight for weight, _, _ in _SIMPLE])[0]
        self._write_simple(where, form, text)

    def _write_simple(self, where: _Where, form: Form | None, text: str) -> None:
        values = {
            "k": self.place(Form.STAR if where.star else form) if form else 0,
            "call": self.place(Form.STAR if where.star else Form.CALL) if "{call}" in text else 0,
            "value": self.place(Form.STAR if where.star else Form.VALUE) if "{value}" in text else 0,
            "u": self.number(),
            "c": self.chooser.randint(0, 1),
        }
        self.line(where, text.format(**values))

    def _special(self, where: _Where) -> tuple[Form | None, str] | None:
        """Choose a statement that is not possible everywhere."""
        is_function = self.kind not in ("class body", "module")
        choices: list[tuple[Form | None, str]] = [
            (Form.VALUE, f"if p({{k}}) % 2: raise {self.chooser.choice(_TYPES)}({{u}})"),
            (Form.CALL, "p({k}); p({call})"),
            (Form.CALL, "if q(1): p({k}); v = p({value})"),
            (None, "rec(helper_0(q(3)))"),
            (None, "v = helper_1(q(1))"),
            (None, "cell_{c} += helper_2(3)"),
        ]
        if where.loop:
            choices += [(Form.VALUE, f"if p({{k}}) % 3 == 0: {word}") for word in ("break", "continue")]
        if where.leave and is_function:
            value = "" if self.kind == "async generator" else " p({value})"
            choices.append((Form.VALUE, "if p({k}) % 4 == 0: return" + value))
        if where.handler:
            choices += [(Form.VALUE, "if p({k}) % 2: raise  # {u}")]
        if "generator" in self.kind:
            choices += [(Form.VALUE, "rec((yield p({k})))"), (Form.VALUE, "v = (yield p({k})) or v")] * 2
        if self.kind == "generator":
            choices.append((None, "v = yield from generator_helper({u}, 2)"))
        if self.is_async:
            choices += [(Form.VALUE, "v = await Aw({k})"), (Form.CALL, "await Aw({k})")] * 2
            choices += [(None, "v = await coroutine_helper({u})")] * 2
            choices += [(Form.PART, "rec([x async for x in AIt({k}, 1)])"), (Form.PART, "v = [await Aw({k}) for i in (1,)][0]")]
        return self.chooser.choice(choices)

    def _async_or_not(self) -> str:
        return "async " if self.is_async and self.chance(0.6) else ""

    def _for(self, where: _Where) -> None:
        depth, asynchronous = where.depth, self._async_or_not()
        target = f"x{depth}"
        form, text = self.chooser.choice(_ASYNC_ITERABLES if asynchronous else _ITERABLES)
        iterable = text.format(k=self.place(form) if form else self.number(), n=self.chooser.randint(1, 3))
        if not asynchronous and self.chance(0.2):
            iterable, target = f"enumerate({iterable})", f"i{depth}, x{depth}"
        elif not asynchronous and self.chance(0.1):
            iterable, target = f"zip({iterable}, [(1, 2), (3, 4)])", f"x{depth}, (a{depth}, *b{depth})"
        self.line(where, f"{asynchronous}for {target} in {iterable}:")
        self.line(where.within(), f"rec(x{depth})")
        self.block(where.within(loop=True))
        self._maybe_else(where)

    def _maybe_else(self, where: _Where) -> None:
        if self.chance(0.25):
            self.line(where, "else:")
            self.block(where.within())

    def _while(self, where: _Where) -> None:
        counter = f"n{where.depth}"
        self.line(where, f"{counter} = 0")
        self.line(where, f"while {counter} < 2 and p({self.place(Form.VALUE)}) >= 0:")
        self.line(where.within(), f"{counter} += 1")
        self.block(where.within(loop=True))
        self._maybe_else(where)

    def _with(self, where: _Where) -> None:
        asynchronous = self._async_or_not()
        items = []
        for number in range(self.chooser.choice([1, 1, 2, 3])):
            place = self.place(Form.LATER_ENTER if number else Form.ENTER)
            name = f" as c{where.depth}" if self.chance(0.4) else ""
            manager = self.chooser.choice(["CM"] * 9 + ["Swallowing"])
            items.append(f"{'Async' if asynchronous else ''}{manager}({place}){name}")
        text = ", ".join(items)
        if self.chance(0.2):
            text = "(" + ",\n    ".join(items) + ")"
        self.line(where, f"{asynchronous}with {text}:")
        self.block(where.within())
        if self.chance(0.1):
            self.line(where.within(), f"raise {self.chooser.choice(_TYPES)}({self.number()})")

    def _if(self, where: _Where) -> None:
        self.line(where, f"if p({self.place(Form.VALUE)}) % 2:")
        self.block(where.within())
        if self.chance(0.3):
            self.line(where, f"elif (w := p({self.place(Form.VALUE)})) % 3:")
            self.block(where.within())
        self.line(where, "else:")
        self.block(where.within())

    def _match(self, where: _Where) -> None:
        subject = self.chooser.choice(
            [f"(p({self.place(Form.VALUE)}) % 3, [q(1), 2])", "(v, [1, 2])", f"{{'a': p({self.place(Form.VALUE)})}}"]
        )
        self.line(where, f"match {subject}:")
        self.line(where.within(), "case (0, y):")
        self.block(where.within().within())
        guard = f" if p({self.place(Form.PART)}) >= 0" if "p(" not in subject else ""
        self.line(where.within(), self.chooser.choice([f"case (y, [1, *m]){guard}:", f"case {{'a': m}}{guard}:"]))
        self.block(where.within().within())
        self.line(where.within(), "case _:")
        self.block(where.within().within())

    # -- try statements

    def _clause_types(self) -> list[str]:
        return self.chooser.sample(["E1", "E2", "E3", "(E1, E3)"], self.chooser.randint(1, 2))

    def _raise_for(self, where: _Where, clauses: list[str]) -> None:
        """Raise what one of the clauses takes, mostly."""
        names = [name for name in _TYPES if any(name in types for types in clauses)]
        self.line(where, f"raise {self.chooser.choice(names * 4 + _TYPES)}({self.number()})")

    def _clauses(self, where: _Where, clauses: list[str]) -> None:
        for types in clauses:
            name = " as e" if self.chance(0.5) else ""
            self.line(where, f"except {types}{name}:")
            within = where.within(handler=True)
            if name and self.chance(0.5):
                self.line(within, "rec(str(e))")
            self.block(within)
            if self.chance(0.1):
                self.line(within, f"raise  # {self.number()}")
            elif self.chance(0.1):
                self.line(within, f"raise E3({self.number()}) from None")

    def _except(self, where: _Where) -> None:
        clauses = self._clause_types()
        self.line(where, "try:")
        self.block(where.within())
        if self.chance(0.6):
            self._raise_for(where.within(), clauses)
        self._clauses(where, clauses)
        self._maybe_else(where)

    def _finally_body(self, where: _Where) -> None:
        self.line(where, "finally:")
        self.block(where.within(loop=False, leave=False, handler=False))

    def _finally(self, where: _Where) -> None:
        self.line(where, "try:")
        self.block(where.within())
        self._finally_body(where)

    def _except_finally(self, where: _Where) -> None:
        self._except(where)
        self._finally_body(where)

    def _try_of_loop(self, where: _Where) -> None:
        """Write what leaves a loop or a `with` block by an exception that is handled outside of it."""
        clauses = self._clause_types()
        self.line(where, "try:")
        self.chooser.choice([self._for, self._with])(where.within())
        self._raise_for(where.within(), clauses)
        self._clauses(where, clauses)

    def _star(self, where: _Where) -> None:
        self.line(where, "try:")
        group = 'ExceptionGroup("g", [E1(1), E3(2), ExceptionGroup("h", [E2(5)])])'
        self.line(where.within(), f"if p({self.place(Form.VALUE)}) % 2: raise {group}")
        self.block(where.within(), 2)
        for name in self.chooser.choice([("E1", "E3"), ("E3", "E2", "E1"), ("E2",), ("E3", "E1")]):
            self.line(where, f"except* {name}" + (" as e:" if self.chance(0.5) else ":"))
            self.block(where.within(star=True, loop=False, leave=False, handler=False), 1)
            self.line(where.within(), f"see({self.number()})")

    # -- groups, and blocks that are left

    def _later_compounds(self) -> list[Callable[[_Where], None]]:
        return [self._left, self._left, self._clauses_of_group]

    def _left(self, where: _Where) -> None:
        """Write blocks that a `break` leaves: a frame that fails at it can go on behind them, and everything is as if it had run."""
        place = self.place(Form.LEAVE)
        self.line(where, "for once in (1,):")
        self._blocks_around(where.within(loop=False), place, self.chooser.randint(1, 3))
        self.line(where, behind(place))

    def _blocks_around(self, where: _Where, place: int, count: int) -> None:
        if not count:
            if self.chance(0.5):
                self.block(where, 1)
            self.line(where, f"if p({place}) == 'leave': break")
            if self.chance(0.3):
                self._simple(where)
        elif self.chance(0.3):
            is_in_body = self.chance(0.6)
            self.line(where, "try:")
            if is_in_body:
                self._blocks_around(where.within(), place, count - 1)
            else:
                self.line(where.within(), f"raise E2({self.number()})")
            self.line(where, self.chooser.choice(["except E2 as e:", "except (E1, E2):", "except E2:"]))
            if is_in_body:
                self.line(where.within(), f"see({self.number()})")
            else:
                self._blocks_around(where.within(handler=True), place, count - 1)
            if self.chance(0.2):
                self._simple(where)
        else:
            prefix = self._async_or_not()
            managers = [self.chooser.choice(["CM", "CM", "CM", "Breaking"]) for _ in range(self.chooser.choice([1, 1, 2, 3]))]
            names = [f"{'Async' if prefix else ''}{manager}({self.place(Form.PART)})" for manager in managers]
            self.line(where, f"{prefix}with {', '.join(names)}:")
            self._blocks_around(where.within(), place, count - 1)
            if self.chance(0.2):
                self._simple(where)

    def _clauses_of_group(self, where: _Where) -> None:
        """Write an `except*` whose clauses have everything in them that is possible there, in a `finally` or not."""
        names = self.chooser.choice([("E1", "E3"), ("E3", "E2", "E1"), ("E2",), ("(E3, E2)", "E1")])
        group = self.chooser.choice(['ExceptionGroup("g", [E1(1), E3(2), ExceptionGroup("h", [E2(5)])])', "E1(3)", "E2(4)"])
        self.line(where, "try:")
        self.block(where.within(), 1)
        self.line(where.within(), f"if p({self.place(Form.VALUE)}) % 4: raise {group}")
        for name in names:
            self.line(where, f"except* {name}" + (" as e:" if self.chance(0.5) else ":"))
            self.block(where.within(loop=False, leave=False, handler=True), 2)
            if self.chance(0.3):
                self.line(where.within(), self.chooser.choice(["raise", f"raise E2({self.number()})", f"see({self.number()})"]))
        self._maybe_else(where)
        if self.chance(0.3):
            self._finally_body(where)


def behind(place: int) -> str:
    """Give the statement behind the blocks that a place may leave."""
    return f"rec('behind {place}')"


# -- running them


@dataclass
class World:
    """What a program deals with: everything that it calls is recorded, and fails where it was chosen to.

    Attributes:
        failing: (place, visit) at which a place fails, as long as the cause is not removed.
        given: (place, visit) -> what the call gives there without having run.
        restarting: (place, visit) at which what `target` has begun is given up, and begun anew.
        failures: how often a place has failed.
        record: what happened, in order; what failed is not in it.
        visits: place -> how often it did not fail.
    """

    failing: set[tuple[int, int]] = field(default_factory=set)
    given: dict[tuple[int, int], Any] = field(default_factory=dict)
    restarting: set[tuple[int, int]] = field(default_factory=set)
    failures: int = 0
    record: list[object] = field(default_factory=list)
    visits: dict[int, int] = field(default_factory=dict)

    def note(self, *entry: object) -> None:
        if len(self.record) >= _MOST_RECORDS:
            raise Runaway
        self.record.append(entry)

    def visit(self, place: int, what: str = "p") -> Any:
        number = self.visits.get(place, 0)
        if (place, number) in self.failing:
            self.failures += 1
            raise Failure(place, number)
        if (place, number) in self.restarting:
            self.restarting.discard((place, number))
            raise Signal
        self.visits[place] = number + 1
        if (place, number) in self.given:
            return self.given[place, number]
        self.note(what, place, number)
        return number + place

    def take_as_visited(self, place: int) -> None:
        """Count a visit that somebody else makes in the place of the program."""
        self.visits[place] = self.visits.get(place, 0) + 1

    def see(self, number: int) -> None:
        error = sys.exc_info()[1]
        self.note("see", number, described(error) if error is not None else None)

    def names(self) -> dict[str, Any]:
        """Give the globals of a program."""
        world = self

        class Iterator_:
            def __init__(self, place: int, count: int) -> None:
                self.place, self.left = place, count

            def __iter__(self) -> Any:
                return self

            def __next__(self) -> int:
                if not self.left:
                    world.note("end", self.place)
                    raise StopIteration
                world.visit(self.place, "next")
                self.left -= 1
                return self.left

        class AsyncIterator(Iterator_):
            def __aiter__(self) -> Any:
                return self

            async def __anext__(self) -> int:
                await Pause()
                try:
                    return next(self)
                except StopIteration:
                    raise StopAsyncIteration from None

        class Manager:
            def __init__(self, place: int) -> None:
                self.place = place

            def __enter__(self) -> int:
                world.visit(self.place, "enter")
                return self.place

            def __exit__(self, kind: type[BaseException] | None, value: object, traceback: object) -> None:
                world.note("exit", self.place, kind and kind.__name__, str(value), repr(sys.exc_info()[1]))

        class SwallowingManager(Manager):
            def __exit__(self, kind: type[BaseException] | None, value: object, traceback: object) -> bool:  # type: ignore[override]
                super().__exit__(kind, value, traceback)
                return kind in KINDS.values()

        def break_(place: int) -> None:
            raise KINDS["E2"](f"exit {place}")

        class BreakingManager(Manager):
            def __exit__(self, kind: type[BaseException] | None, value: object, traceback: object) -> None:
                super().__exit__(kind, value, traceback)
                if kind is None:
                    break_(self.place)

        class AsyncBreakingManager(BreakingManager):
            async def __aenter__(self) -> int:
                await Pause()
                return self.__enter__()

            async def __aexit__(self, kind: type[BaseException] | None, value: object, traceback: object) -> None:
                await Pause()
                self.__exit__(kind, value, traceback)

        class AsyncManager(Manager):
            async def __aenter__(self) -> int:
                await Pause()
                return self.__enter__()

            async def __aexit__(self, kind: type[BaseException] | None, value: object, traceback: object) -> None:
                await Pause()
                self.__exit__(kind, value, traceback)

        class AsyncSwallowingManager(SwallowingManager):
            async def __aenter__(self) -> int:
                await Pause()
                return self.__enter__()

            async def __aexit__(self, kind: type[BaseException] | None, value: object, traceback: object) -> bool:
                await Pause()
                return self.__exit__(kind, value, traceback)

        class Pause:
            def __await__(self) -> Generator[None, None, None]:
                yield

        class Awaitable:
            def __init__(self, place: int) -> None:
                self.place = place

            def __await__(self) -> Generator[None, None, Any]:
                if self.place % 2:
                    yield
                return world.visit(self.place, "await")

        class Token:
            def __init__(self, place: int) -> None:
                world.visit(place, "token")
                self.place = place

            def __del__(self) -> None:
                if hasattr(self, "place"):
                    world.record.append(("gone", self.place))

        class Nothing:
            def __enter__(self) -> None:
                pass

            def __exit__(self, *exc_info: object) -> None:
                pass

        def decorated(value: object) -> Callable[[Any], Any]:
            def decorate(function: Any) -> Any:
                @functools.wraps(function)
                def call(*args: Any, **kwargs: Any) -> Any:
                    return function(*args, **kwargs)

                return call

            return decorate

        return dict(
            p=world.visit, q=lambda value: value, use=lambda *values: values[1], rec=lambda value: world.note("rec", repr(value)),
            see=world.see, It=Iterator_, AIt=AsyncIterator, CM=Manager, Swallowing=SwallowingManager,
            Breaking=BreakingManager, AsyncBreaking=AsyncBreakingManager, AsyncCM=AsyncManager, AsyncSwallowing=AsyncSwallowingManager, Aw=Awaitable, Pause=Pause, Token=Token,
            nothing=Nothing(), decorated=decorated, tupled=lambda count: (4, 5, 6)[:count], Final=Final, **KINDS,
        )  # fmt: skip


def run_plainly(program: ResumableProgram, world: World) -> Ending:
    """Run a program to its end without traps."""
    names = {"__name__": "program", **world.names()}
    code = compile(program.source, FILENAME, "exec", dont_inherit=True)
    return run(program, world, names, lambda: exec(code, names))


def run(program: ResumableProgram, world: World, names: dict[str, Any], load: Callable[[], object]) -> Ending:
    """Run a program to its end.

    Args:
        program: what to run.
        world: what it deals with, new.
        names: its globals, with those of the world.
        load: runs the code of the module.
    """
    error: BaseException | None = None
    result: object = None
    try:
        load()
        if program.kind != "module":
            result = _drive(world, program, names["target"])
    except (Exception, BaseExceptionGroup, Runaway) as caught:
        error = caught
    record = tuple(world.record)
    trace: tuple[tuple[str, str, int | None], ...] = ()
    if error is not None:
        result = described(error)
        trace = tuple(_entry(frame, line) for frame, line in traceback.walk_tb(error.__traceback__) if not _is_driver(frame))
    error = None
    return Ending(repr(result), record, trace, repr(sys.exc_info()[1]))


def _entry(frame: FrameType, line: int | None) -> tuple[str, str, int | None]:
    return os.path.basename(frame.f_code.co_filename), frame.f_code.co_name, line


def _is_driver(frame: FrameType) -> bool:
    return frame.f_code.co_filename == __file__ or frame.f_code.co_name == "load"


def _drive(world: World, program: ResumableProgram, target: Any) -> object:
    try:
        return _drive_once(world, program, target)
    except Signal:
        pass
    return _drive_once(world, program, target)


def _drive_once(world: World, program: ResumableProgram, target: Any) -> object:
    made = target(11, 12, cell_1=3, z=4)
    if program.kind == "generator":
        return _drive_generator(world, program, made)
    if program.kind == "coroutine":
        return _wait(program, made)
    if program.kind == "async generator":
        return _wait(program, _consume(world, program, made))
    return made


def _wait(program: ResumableProgram, coroutine: Coroutine[Any, Any, object]) -> object:
    if program.asynchronous_by == "asyncio":
        return asyncio.run(coroutine)
    try:
        while True:
            coroutine.send(None)
    except StopIteration as end:
        return end.value


def _drive_generator(world: World, program: ResumableProgram, made: Any) -> object:
    try:
        world.note("yielded", made.send(None))
        for number, (step, kind) in enumerate(program.steps):
            if step == "throw":
                world.note("yielded", made.throw(KINDS[kind](f"thrown {number}")))
            elif step == "close":
                made.close()
                world.note("closed")
            else:
                world.note("yielded", made.send(number))
        made.close()
    except StopIteration as end:
        return "ended", end.value
    return "still there"


async def _consume(world: World, program: ResumableProgram, made: Any) -> object:
    try:
        world.note("yielded", await made.__anext__())
        for number, (step, kind) in enumerate(program.steps):
            if step == "throw":
                world.note("yielded", await made.athrow(KINDS[kind](f"thrown {number}")))
            elif step == "close":
                await made.aclose()
                world.note("closed")
            else:
                world.note("yielded", await made.asend(number))
        await made.aclose()
    except StopAsyncIteration:
        return "ended"
    return "still there"
