"""Texts in pieces, and comparing only those that differ: what is found is what comparing the whole texts finds."""

from __future__ import annotations

import argparse
import ast
import asyncio.base_events
import dataclasses
import enum
import sys
import textwrap
import typing
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixcont.editing import parsing, regions
from fixcont.editing.compare import Comparison, compare
from fixcont.editing.syntax import Header, Item, Syntax, bound_names
from fixcont.editing.texts import Kind, Text, forget_trees
from support import tricky_text
from support.once import cases
from support.random_modules import CHANGES, Change, Model

EDITS = Path(__file__).parent.parent / "edits"
MODULES = [argparse, asyncio.base_events, dataclasses, enum, textwrap, typing]

TRICKY = (
    tricky_text.TRICKY.replace("import functools\n", "import functools; LIMIT = 1\n")
    .replace("\na\n@functools", '\na\nTEXT = """\n@decorated\ndef still_inside(): return 1\n"""\n@functools')
    .replace("y = lambda: 2\n", "y = lambda: 2; z = lambda: 2\ntry: pass\nfinally: w = [\n1]\n" + "def same(): return 1\n" * 2)
)
GENERIC = """\
@decorated
def function[T](x: T) -> T:
    return x
@decorated
@decorated
class Generic[T]:
    def method(self): return 1
type Alias[T] = list[T]
async def other[T: int](): return 1
"""


def text(source: str | bytes) -> Text:
    return Text("file.py", source if isinstance(source, bytes) else source.encode())


def dumped(nodes: list[ast.stmt]) -> list[str]:
    return [ast.dump(each, include_attributes=True) for each in nodes]


# Pieces


def sources() -> Iterator[bytes]:
    for module in MODULES:
        assert module.__file__ is not None
        yield Path(module.__file__).read_bytes()
    for ends in ("\n", "\r\n"):
        yield TRICKY.replace("\n", ends).encode("latin-1")
    yield b"\xef\xbb\xbf" + "def f(): return 'é' + x\n\n\ndef g(): return 2\n".encode()
    yield b"x = 1"
    yield b""


@pytest.mark.parametrize("source", list(sources()))
def test_pieces_have_the_statements_of_the_whole_tree(source: bytes) -> None:
    whole = dumped(ast.parse(source).body)
    order = list(range(len(text(source).pieces)))
    Random(1).shuffle(order)
    pieces = text(source).pieces
    for at in order:
        pieces.statements([at])
    assert dumped(pieces.statements()) == whole
    pieces = text(source).pieces
    pieces.statements(order[::2])  # many at once
    assert dumped(pieces.statements()) == whole
    assert "".join(pieces.sources) == "".join(text(source).lines)


def test_a_tricky_text_is_cut_where_definitions_begin() -> None:
    pieces = text(TRICKY.encode("latin-1")).pieces
    begin = [source.partition("\n")[0] for source in pieces.sources]
    assert begin == [
        "# -*- coding: latin-1 -*-", "@functools.cache", "@functools.cache", "def after_a_form_feed(): return 1",
        "async def last(", "def same(): return 1", "def same(): return 1", "def end(): return 3",
    ]  # fmt: skip


@pytest.mark.skipif(sys.version_info < (3, 12), reason="type parameters are new in 3.12")
def test_decorators_stay_with_what_has_type_parameters() -> None:
    source = "decorated = lambda each: each\n" + GENERIC
    pieces = text(source).pieces
    assert [source.partition("\n")[0] for source in pieces.sources][1:] == [
        "@decorated", "@decorated", "async def other[T: int](): return 1",
    ]  # fmt: skip
    assert dumped([each for at in reversed(range(len(pieces))) for each in pieces.statements([at])])
    assert dumped(pieces.statements()) == dumped(ast.parse(source).body)


def test_a_text_with_another_syntax_is_one_piece() -> None:
    source = "from __future__ import barry_as_FLUFL\ndef f(): return 1 <> 2\ndef g(): return 1\n"
    assert len(text(source).pieces) == 1


def test_a_tree_and_pieces_share_their_statements() -> None:
    one = text(TRICKY.encode("latin-1"))
    some = one.pieces.statements([1, 3])
    assert all(any(each is other for other in one.tree.body) for each in some)
    other = text(TRICKY.encode("latin-1"))
    assert all(one is two for one, two in zip(other.tree.body, other.pieces.statements(), strict=True))
    forget_trees()
    assert all(one is not two for one, two in zip(other.tree.body, some, strict=False))


def test_bound_names_are_found_where_they_are_mentioned() -> None:
    source = TRICKY.replace("latin-1", "utf-8") + "\n\ufb01x = 1\nimport a.b, c as d\ndef last2(): local = 1\n"
    one, whole = text(source), text(source)
    bound = bound_names(whole.tree.body)
    assert {"functools", "LIMIT", "conditional", "w", "fix", "a", "d"} <= bound
    for name in [*sorted(bound), "local", "inside", "b", "not_there"]:
        assert Syntax(one).bound_among(one.module, {name}) == bound & {name}
    plain = text(source.replace("\ufb01x", "xx").replace("\u00e9", "e"))
    assert Syntax(plain).bound_among(plain.module, {"LIMIT", "local"}) == {"LIMIT"}
    assert sum(body is None for body in plain.pieces._bodies) > 4


# Regions


def described(comparison: Comparison) -> dict[str, object]:
    """Say all that a comparison has found, but for headers that are equal."""
    names = {id(node): (node.qualname, node.line) for side in (comparison.old, comparison.new) for node in side.module.walk()}
    headers = {names[node]: (shown(before), shown(after)) for node, (before, after) in comparison.headers.items()}
    return {
        "partners": {names[node]: names[id(old)] for node, old in comparison.partners.items()},
        "changed": [names[id(node)] for node in comparison.changed],
        "headers": {name: pair for name, pair in headers.items() if pair[0] != pair[1]},
        "added": [names[id(node)] for node in comparison.added],
        "removed": [names[id(node)] for node in comparison.removed],
        "renamed": [names[id(node)] for node in comparison.renamed],
        "redecorated": [names[id(node)] for node in comparison.redecorated],
        "rebased": [names[id(node)] for node in comparison.rebased],
        "classes": {
            names[id(change.new)]: (listed(change.appeared), listed(change.gone))
            for change in comparison.scopes
            if change.new.kind is Kind.CLASS
        },
    }


def shown(header: Header) -> str:
    """Write a header with its expressions as text, wherever they stand."""
    return repr([shown_value(getattr(header, field.name)) for field in dataclasses.fields(header)])


def shown_value(value: object) -> object:
    if isinstance(value, dict):
        return {name: ast.dump(each) for name, each in value.items()}
    return [ast.dump(each) if isinstance(each, ast.AST) else each for each in value] if isinstance(value, tuple) else value


def listed(items: tuple[Item, ...]) -> list[tuple[str, int]]:
    return [(item.key, item.line) for item in items]


def statements(comparison: Comparison) -> tuple[list[tuple[str, int]], list[tuple[str, int]]]:
    """Give the statements of the module that have appeared and those that are gone."""
    changes = [change for change in comparison.scopes if change.new.kind is Kind.MODULE]
    return (listed(changes[0].appeared), listed(changes[0].gone)) if changes else ([], [])


def balance(found: tuple[list[tuple[str, int]], list[tuple[str, int]]]) -> Counter[str]:
    """Count how many statements of each kind there are more, or fewer."""
    counts = Counter(key for key, _ in found[0])
    counts.subtract(Counter(key for key, _ in found[1]))
    return Counter({key: count for key, count in counts.items() if count})


def check_compared(before: str | bytes, after: str | bytes) -> int:
    """Check that regions make no difference. Returns how many pieces of the new text were not looked at."""
    parts = compare(text(before), text(after))
    spared = sum(body is None for body in parts.new.pieces._bodies) if parts.syntax is not None else 0
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(regions, "_is_all", lambda *_: False)
        whole = compare(text(before), text(after))
    assert described(parts) == described(whole)
    ours, all_of_it = statements(parts), statements(whole)
    # What moved is gone and has appeared, or what it has passed is: which of the two may differ. Not what there is more or less of.
    assert balance(ours) == balance(all_of_it)
    if not {key for key, _ in ours[0]} & {key for key, _ in ours[1]} and is_distinct(parts):
        assert ours == all_of_it
    check_syntax(parts.syntax)
    check_syntax(parts.old_syntax)
    return spared


def is_distinct(comparison: Comparison) -> bool:
    """Tell whether each statement of the module is there once on either side."""
    bodies = (Syntax(each).items(each.module) for each in (comparison.old, comparison.new))
    return all(len({item.key for item in body}) == len(body) for body in bodies)


def check_syntax(syntax: Syntax | None) -> None:
    """Check that each definition is found that a look at the whole text finds, and the same one."""
    if syntax is None:
        return
    whole = Syntax(Text("file.py", syntax.text.source))
    whole.body(whole.text.module)
    for one, other in zip(syntax.text.module.walk(), whole.text.module.walk(), strict=True):
        found, expected = syntax.definition(one), whole.definition(other)
        assert (found is None) == (expected is None)
        if found is not None and expected is not None:
            assert ast.dump(found, include_attributes=True) == ast.dump(expected, include_attributes=True)
            assert syntax.node(found) is one
    assert dumped(syntax.body(syntax.text.module)) == dumped(ast.parse(syntax.text.source).body)


AROUND = """\
def before_it(a=1):
    return [a]


{}


def behind_it(a: int = 2):
    return lambda: a


class BehindIt:
    size = 3
    def method(self): return self.size
"""


@pytest.mark.parametrize("case", sorted(path.parent.name for path in EDITS.glob("*/after.py")))
@pytest.mark.parametrize("frame", ["{}\n", AROUND])
def test_regions_of_edits(case: str, frame: str) -> None:
    before, after = (frame.replace("{}", (EDITS / case / f"{name}.py").read_text()) for name in ("before", "after"))
    if "from __future__" in before + after and frame is AROUND:
        pytest.skip("an import from __future__ cannot stand below other statements")
    check_compared(before, after)
    check_compared(after, before)


_small = st.integers(0, 15)
_starts = st.lists(st.tuples(_small, _small, _small), min_size=1, max_size=8)
_changes = st.lists(st.builds(Change, st.sampled_from(CHANGES), _small, st.integers(0, 63)), min_size=1, max_size=4)


@given(_starts, _changes)
@settings(max_examples=cases(150), deadline=None)
def test_regions_of_random_modules(starts: list[tuple[int, int, int]], changes: list[Change]) -> None:
    before = Model()
    for start in starts:
        before.add(*start)
    after = before
    for change in changes:
        after = after.changed(change)
    check_compared(before.text(), after.text())


def edited(lines: list[str], random: Random) -> list[str]:
    """Delete, double, exchange, indent or move some lines, or put others among them."""
    for _ in range(random.choice([1, 1, 2, 3])):
        at = random.randrange(len(lines))
        end = min(len(lines), at + random.choice([1, 1, 2, 8]))
        part = lines[at:end]
        kinds = [
            [], part * 2, [f"    {line}" for line in part], [line.removeprefix("    ") for line in part], part[::-1],
            ['"""\n', *part], [*part, '"""\n'], ["LIMIT = 2\n", *part], ["import os, string\n", *part], ["@staticmethod\n", *part],
            ["def same(): return 1\n", *part], [line.replace("1", "2") for line in part], ["\n", *part], ["x = lambda: 3\n", *part],
        ]  # fmt: skip
        lines = [*lines[:at], *random.choice(kinds), *lines[end:]]
        if random.random() < 0.2:
            target = random.randrange(len(lines))
            lines = [*lines[:target], *part, *lines[target:]]
    return lines


def check_edits(before: str, seeds: int) -> tuple[int, int]:
    """Check random edits of a text. Returns how many compiled, and how many pieces were not looked at."""
    compiled = spared = 0
    for seed in range(seeds):
        after = "".join(edited(before.splitlines(keepends=True), Random(seed)))
        try:
            compile(after, "file.py", "exec", dont_inherit=True)
        except (SyntaxError, ValueError):
            continue
        compiled += 1
        spared += check_compared(before, after)
    return compiled, spared


def test_regions_of_a_tricky_text() -> None:
    compiled, spared = check_edits(TRICKY.replace("latin-1", "utf-8"), cases(500))
    assert compiled > cases(100) and spared > cases(100)


@pytest.mark.parametrize(("module", "seeds"), [(textwrap, 60), (dataclasses, 40), (typing, 25)])
def test_regions_of_a_real_text(module: ModuleType, seeds: int) -> None:
    assert module.__file__ is not None
    compiled, spared = check_edits(Path(module.__file__).read_text(), seeds)
    assert compiled > 3 and spared > 20


# What they are


PROGRAM = "h = i = id\na = 1\ndef f():\n    return 1\n\nb = 2\ndef g():\n    return 2\n@h\ndef i():\n    return 3\n"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param("return 2", "x = 2\n    return x", [(range(2, 3), range(2, 3))], id="a function"),
        pytest.param("b = 2\n", "", [(range(1, 2), range(1, 2))], id="a statement"),
        pytest.param("a = 1", "a = 2", [(range(1), range(1))], id="at the top"),
        pytest.param("@h", "", [(range(3, 4), range(2, 3))], id="a decorator"),
        pytest.param("def g():\n    return 2\n", "", [(range(2, 3), range(2, 2))], id="a function that is gone"),
        pytest.param("a = 1", "a = 1", [], id="nothing"),
    ],
)
def test_a_region_is_the_pieces_that_differ(old: str, new: str, expected: list[tuple[range, range]]) -> None:
    before, after = text(PROGRAM), text(PROGRAM.replace(old, new))
    if old == "@h":
        after = text(PROGRAM.replace("@h\n", "").replace("return 3", "return 4"))
        expected = [(range(3, 4), range(3, 4))]
    comparison = compare(before, after)
    assert regions.regions_of(before, after, comparison.partners, comparison.changed) == expected


def test_edits_at_both_ends_leave_out_what_is_in_between(monkeypatch: pytest.MonkeyPatch) -> None:
    between = "".join(f"def f{number}():\n    return {number}\nX{number} = {number}\n" for number in range(200))
    program = f"LIMIT = 1\n{between}class Last:\n    limit = 1\n"
    before, after = text(program), text(program.replace("1\ndef f0", "2\ndef f0").replace("limit = 1", "limit = 2"))
    parsed: list[int] = []
    parse_lines = parsing.parse_lines

    def counted(lines: list[str], wanted: range, filename: str) -> ast.Module:
        parsed.append(len(wanted))
        return parse_lines(lines, wanted, filename)

    monkeypatch.setattr(parsing, "parse_lines", counted)
    comparison = compare(before, after)
    assert statements(comparison) == ([(statements(comparison)[0][0][0], 1)], [(statements(comparison)[1][0][0], 1)])
    assert described(comparison)["classes"]
    assert sum(parsed) < 10


def test_what_changes_outside_of_the_differing_text_is_found() -> None:
    """An import from __future__ changes functions whose lines are the same; a copy in front of a function may be taken for it."""
    before = "import os\ndef f(a: int = 1): return a\n"
    comparison = compare(text(before), text(before.replace("import os", "from __future__ import annotations")))
    assert "f" in {node.qualname for node in comparison.changed}
    assert comparison.headers
    before = "x = 1\ndef f(): return 1\n"
    comparison = compare(text(before), text("def f(): return 1\n" + before))
    assert [(node.qualname, node.line) for node in comparison.added] == [("f", 3)]
