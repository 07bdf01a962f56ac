"""Finding the statements of a function again in a newer text of it."""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
import time
from collections.abc import Iterator
from types import CodeType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixcont.editing.matching import match
from fixcont.editing.statements import (
    Block,
    BlockKind,
    Place,
    Scope,
    find_scope,
    nearest,
    place_of_span,
    place_on_line,
    places,
)
from support.once import cases


def module(source: str) -> ast.Module:
    return ast.parse(textwrap.dedent(source).strip("\n"))


def headline(node: ast.AST) -> str:
    """Give the first line of a statement or clause, without its bodies."""
    return ast.unparse(node).strip().splitlines()[0]


def matched(old: str, new: str) -> tuple[Scope, Scope, dict[ast.AST, ast.AST]]:
    before, after = module(old), module(new)
    found = match(before, after)
    old_lines, new_lines = (textwrap.dedent(each).strip("\n").splitlines(keepends=True) for each in (old, new))
    assert match(before, after, (old_lines, new_lines)) == found, "the text makes it faster, not different"
    return before, after, found


def pairs(old: str, new: str) -> dict[str, str | None]:
    """Give the partners by their first lines; what is there several times gets a number: `a()`, `a() 2`."""
    before, after, found = matched(old, new)
    old_names, new_names = dict(named(before)), dict(named(after))
    assert len(set(found.values())) == len(found)
    assert set(found) <= set(old_names) and set(found.values()) <= set(new_names)
    return {name: new_names[found[node]] if node in found else None for node, name in old_names.items()}


def named(scope: Scope) -> Iterator[tuple[ast.AST, str]]:
    seen: dict[str, int] = {}
    for node in everything(scope):
        name = headline(node)
        seen[name] = seen.get(name, 0) + 1
        yield node, name if seen[name] == 1 else f"{name} {seen[name]}"


def everything(scope: Scope) -> Iterator[ast.AST]:
    for place in places(scope):
        yield place.node
        if isinstance(place.node, (ast.Try, ast.TryStar)):
            yield from place.node.handlers


def same(old: str, new: str) -> dict[str, str | None]:
    """Give the pairs that are not simply equal and the only ones of their kind."""
    return {one: other for one, other in pairs(old, new).items() if one != other}


# ---- Partners ----


LOOP = """
total = 0
for row in rows:
    value = int(row[3])
    total += value
print(total)
"""


@pytest.mark.parametrize(
    ("edit", "different"),
    [
        pytest.param(LOOP, {}, id="nothing"),
        pytest.param("# a comment\n\n" + LOOP, {}, id="a comment"),
        pytest.param(
            LOOP.replace("    value", "    if not row:\n        continue\n    value"),
            {},
            id="a guard in front of the failing statement",
        ),
        pytest.param(LOOP.replace("int(row[3])", "int(row[2])"), {"value = int(row[3])": "value = int(row[2])"}, id="an edit"),
        pytest.param(
            LOOP.replace("int(row[3])", "parse(row, default=None)"),
            {"value = int(row[3])": "value = parse(row, default=None)"},
            id="nearly all of it",
        ),
        pytest.param(
            LOOP.replace("    value = int(row[3])", "    if not row:\n        continue\n    value = parse(row, default=None)"),
            {"value = int(row[3])": "value = parse(row, default=None)"},
            id="nearly all of it, with a guard in front",
        ),
        pytest.param(
            LOOP.replace("    value = int(row[3])", "    value = int(row[3] or 0)\n    seen.append(value)"),
            {"value = int(row[3])": "value = int(row[3] or 0)"},
            id="an edit, with a line after it",
        ),
        pytest.param(LOOP.replace("    value = int(row[3])\n", ""), {"value = int(row[3])": None}, id="deleted"),
        pytest.param(
            LOOP.replace("    value = int(row[3])\n", "").replace("+= value", "+= int(row[3])"),
            {"value = int(row[3])": None, "total += value": "total += int(row[3])"},
            id="deleted, and put into its neighbour",
        ),
        pytest.param(
            LOOP.replace("row", "line"),
            {"for row in rows:": "for line in lines:", "value = int(row[3])": "value = int(line[3])"},
            id="a variable is renamed",
        ),
        pytest.param(
            LOOP.replace("    value = int(row[3])", "    if row:\n        value = int(row[3])"), {}, id="wrapped in an if"
        ),
        pytest.param(
            LOOP.replace("    value = int(row[3])", "    value = 0\n    if row:\n        value = int(row[3])"),
            {},
            id="wrapped in an if, with a default in front",
        ),
        pytest.param(
            LOOP.replace("    value = int(row[3])", "    value = None\n    if row:\n        value = int(row[2])"),
            {"value = int(row[3])": None},
            id="wrapped and edited, with a default in front",
        ),
        pytest.param(
            LOOP.replace(
                "    value = int(row[3])\n    total += value",
                "    value = None\n    try:\n        value = int(row[2])\n        total += value\n    except ValueError:\n        pass",
            ),
            {"value = int(row[3])": "value = int(row[2])"},
            id="wrapped and edited, next to one that is only wrapped",
        ),
        pytest.param("with lock:\n" + textwrap.indent(LOOP, "    "), {}, id="all wrapped in a with"),
        pytest.param(
            "with lock:\n" + textwrap.indent(LOOP.replace("[3]", "[2]"), "    "),
            {"value = int(row[3])": "value = int(row[2])"},
            id="all wrapped in a with and one edited",
        ),
        pytest.param("for rows in tables:\n" + textwrap.indent(LOOP, "    "), {}, id="all wrapped in a for"),
        pytest.param(
            LOOP.replace("in rows:", "in sorted(rows):"),
            {"for row in rows:": "for row in sorted(rows):"},
            id="the header of the loop",
        ),
        pytest.param(
            LOOP.replace("for row in rows:", "while rows:\n    row = rows.pop()"),
            {"for row in rows:": None},
            id="another kind of loop",
        ),
        pytest.param("pass", dict.fromkeys(pairs(LOOP, LOOP)), id="all deleted"),
    ],
)
def test_edits_of_a_loop(edit: str, different: dict[str, str | None]) -> None:
    assert same(LOOP, edit) == different


@pytest.mark.parametrize(
    ("old", "new", "different"),
    [
        pytest.param("x = f(a)\ny = f(b)", "y = f(b)", {"x = f(a)": None}, id="deleted"),
        pytest.param("x = f(a)\ny = f(b)", "x = f(a)", {"y = f(b)": None}, id="deleted at the end"),
        pytest.param(
            "x = f(a)\ny = f(b)", "y = f(b, 1)", {"x = f(a)": None, "y = f(b)": "y = f(b, 1)"}, id="and its neighbour edited"
        ),
        pytest.param("a\nx = f(q)\nb", "a\ny = g(h)\nb", {"x = f(q)": "y = g(h)"}, id="replaced"),
        pytest.param("a\nx = f(q)\nb", "a\nf(q)\nb", {"x = f(q)": "f(q)"}, id="result no longer kept"),
        pytest.param("a\nreturn_(f(q))\nb", "a\nr = f(q)\nreturn_(r)\nb", {"return_(f(q))": "r = f(q)"}, id="taken apart"),
        pytest.param("a\nx = f(q)\nb", "a\nimport m\nb", {"x = f(q)": None}, id="replaced by another kind"),
        pytest.param("a()\nb()", "b()\na()", {}, id="swapped"),
        pytest.param("a\nf(x)\nb", "a\nif not x:\n    x = 1\ng(x)\nb", {"f(x)": "g(x)"}, id="half of it, with a guard in front"),
        pytest.param("a()\nb()\nc(1)", "b()\na()\nc(2)", {"c(1)": "c(2)"}, id="swapped in front of an edit"),
        pytest.param("a()\nm()\nb()", "a()\nn()\nb()\nm()", {}, id="moved away, another in its place"),
        pytest.param("a(); a()", "a(); a()", {}, id="twice on a line"),
        pytest.param("a(); a()", "x(); a(); a()", {}, id="twice on a line, with another in front"),
        pytest.param("a(); a()", "a()", {"a()": None, "a() 2": None}, id="one of two equal ones deleted"),
        pytest.param("f(1); f(2)", "f(3); f(4)", {"f(1)": "f(3)", "f(2)": "f(4)"}, id="two edited in the same way"),
        pytest.param("f(1); f(2)", "f(3)", {"f(1)": None, "f(2)": None}, id="which of the two is not known"),
        pytest.param(
            "self.a = a\nself.b = b",
            "this.a = a\nthis.b = b",
            {"self.a = a": "this.a = a", "self.b = b": "this.b = b"},
            id="self",
        ),
        pytest.param("x = [1, True]", "x = [True, 1]", {"x = [1, True]": "x = [True, 1]"}, id="constants have types"),
        pytest.param("x = a[:b]", "x = a[b:]", {"x = a[:b]": "x = a[b:]"}, id="fields have places"),
        pytest.param(
            "if a:\n    x()\nelse:\n    y()", "if not a:\n    y()\nelse:\n    x()", {"if a:": "if not a:"}, id="branches swapped"
        ),
        pytest.param(
            "if a:\n    x()\nelif b:\n    y()", "if a:\n    x()\nelif c:\n    z()\nelif b:\n    y()", {}, id="a branch more"
        ),
        pytest.param("while True:\n    x(1)", "while True:\n    x(2)", {"x(1)": "x(2)"}, id="while"),
        pytest.param("if c:\n    x(1)\nz()", "x(1)\nz()", {"if c:": None}, id="unwrapped"),
        pytest.param(
            "with c:\n    x(1)\n    y()\nz()", "x(2)\ny()\nz()", {"with c:": None, "x(1)": "x(2)"}, id="unwrapped and edited"
        ),
        pytest.param("for x in xs:\n    f(x)", "for q in zs:\n    g(q)", {"for x in xs:": None, "f(x)": None}, id="another loop"),
    ],
)
def test_statements_and_their_neighbours(old: str, new: str, different: dict[str, str | None]) -> None:
    assert same(old, new) == different


FIRST_LOOP = "for a in first:\n    n = use(a)\n    i += 1\n"
SECOND_LOOP = "for b in second:\n    m = show(b)\n    i += 1\n"
TWO_LOOPS = FIRST_LOOP + SECOND_LOOP


def test_two_loops_change_places() -> None:
    new = SECOND_LOOP + FIRST_LOOP
    crossed = {"i += 1": "i += 1 2", "i += 1 2": "i += 1"}
    assert same(TWO_LOOPS, new) == crossed
    assert same(TWO_LOOPS, new.replace("use(a)", "use(a, 1)")) == {**crossed, "n = use(a)": "n = use(a, 1)"}


def test_equal_statements_belong_to_their_loops() -> None:
    assert same(TWO_LOOPS, TWO_LOOPS.replace("second", "sorted(second)").replace("first", "sorted(first)")) == {
        "for a in first:": "for a in sorted(first):",
        "for b in second:": "for b in sorted(second):",
    }
    assert same(TWO_LOOPS, SECOND_LOOP) == {"for a in first:": None, "n = use(a)": None, "i += 1": None, "i += 1 2": "i += 1"}


TRY = """
try:
    a(1)
except ValueError as e:
    b(1)
except KeyError:
    c(1)
    raise
else:
    d(1)
finally:
    e(1)
"""


def test_the_parts_of_a_try() -> None:
    edited = TRY.replace("(1)", "(2)")
    assert same(TRY, edited) == {f"{name}(1)": f"{name}(2)" for name in "abcde"}
    assert same(TRY, TRY.replace("e:\n    b(1)", "problem:\n    b(2)")) == {
        "except ValueError as e:": "except ValueError as problem:",
        "b(1)": "b(2)",
    }


def test_a_block_in_a_block_of_the_same_form() -> None:
    for header, end in (("try:", "except E:\n    pass\n"), ("for x in y:", ""), ("with a:", "")):
        old = f"{header}\n    f(x)\n    g(x)\n{end}"
        before, after, found = matched(old, f"{header}\n{textwrap.indent(old, '    ')}{end}")
        inner = [node for node in everything(after) if getattr(node, "col_offset", 0) > 0]
        assert [found[node] for node in everything(before)] == inner[: len(found)]


def test_a_long_chain_of_branches_needs_no_stack() -> None:
    branches = [f"if x == {number}:\n    f({number})\n" for number in range(400)]
    old, new = "el".join(branches), "el".join([*branches[:200], "if y:\n    g()\n", *branches[200:]])
    before, after = module(old), module(new)
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack(0)) + 60)
    try:
        found = match(before, after)
        assert len(places(before)) == len(found) == 800
    finally:
        sys.setrecursionlimit(limit)


def test_clauses_are_known_by_their_types() -> None:
    new = TRY.replace("ValueError as e:\n    b(1)", "X").replace("KeyError:\n    c(1)\n    raise", "ValueError as e:\n    b(2)")
    new = new.replace("except X", "except KeyError:\n    c(1)\n    c(2)\n    raise")
    assert same(TRY, new) == {"b(1)": "b(2)"}
    deleted = TRY.replace("except ValueError as e:\n    b(1)\n", "")
    assert same(TRY, deleted) == {"except ValueError as e:": None, "b(1)": None}
    added = TRY.replace("except KeyError", "except OSError:\n    b(1)\n    f()\nexcept KeyError")
    assert same(TRY, added) == {}
    assert same(TRY, TRY.replace("KeyError", "LookupError")) == {"except KeyError:": "except LookupError:"}


def test_a_clause_with_a_star_is_another_thing() -> None:
    found = same("try:\n    a()\nexcept E:\n    b()\n", "try:\n    a()\nexcept* E:\n    b()\n")
    assert found == {"try:": None, "except E:": None}


def test_match_and_case() -> None:
    old = "match x:\n    case 1:\n        a(1)\n        b()\n    case [y, *_] if y:\n        c(1)\n    case _:\n        d(1)\n"
    assert same(old, old.replace("c(1)", "c(2)")) == {"c(1)": "c(2)"}
    new = "match x:\n    case [y, *_] if y:\n        c(2)\n    case 1:\n        a(2)\n        b()\n    case _:\n        d(1)\n"
    assert same(old, new) == {"a(1)": "a(2)", "c(1)": "c(2)"}


def test_definitions_are_matched_but_not_entered() -> None:
    old = "@d\ndef f(x):\n    return x + 1\nclass A:\n    y = 1\nz = 1\n"
    found = pairs(old, old.replace("x + 1", "x + 2").replace("y = 1", "y = 2"))
    assert found == {"@d": "@d", "class A:": "class A:", "z = 1": "z = 1"}
    assert pairs(old, old.replace("def f", "def g")) == found


def test_asynchronous_blocks() -> None:
    tree = "async def f():\n    async with a as b:\n        async for c in b:\n            await d(c, {})\n"
    old, new = (find_scope(ast.parse(tree.replace("{}", text)), "f", 1) for text in ("1", "2"))
    assert old is not None and new is not None
    found = match(old, new)
    assert [found[place.node] for place in places(old)] == [place.node for place in places(new)]
    plain = find_scope(ast.parse(tree.replace("async with", "with").replace("async for", "for").replace("{}", "1")), "f", 1)
    assert plain is not None
    assert [headline(node) for node in match(old, plain)] == ["await d(c, 1)"]


@pytest.mark.parametrize(
    ("gone", "expected"),
    [("a()", (1,)), ("b()", (1, 2)), ("d()", (3, 4)), ("e()", (4, 5)), ("f()", (3,))],
)
def test_nearest(gone: str, expected: tuple[int, ...]) -> None:
    old = "a()\nb()\nfor c in cs:\n    d()\n    e()\nf()\n"
    lines = [line for line in old.splitlines() if line.strip() != gone]
    before, after, found = matched(old, "\n".join(lines))
    (node,) = [place.node for place in places(before) if headline(place.node) == gone]
    assert node not in found
    assert nearest(before, after, found, node) == expected


# ---- Places ----


def test_places_have_blocks() -> None:
    scope = module("""
        for a in b:
            with c, d:
                s1
            with e:
                pass
        else:
            s2
        try:
            s3
        except A:
            s4
        else:
            s5
        finally:
            s6
        try:
            s7
        except* B:
            while f:
                s8
        match g:
            case 1:
                s9
        def h():
            s10
    """)
    by_name = {headline(place.node): place for place in places(scope)}
    kinds = {
        name: [(block.kind, block.item) for block in place.blocks] for name, place in by_name.items() if name.startswith("s")
    }
    assert kinds == {
        "s1": [(BlockKind.FOR, 0), (BlockKind.WITH, 0), (BlockKind.WITH, 1)],
        "s2": [],
        "s3": [],
        "s4": [(BlockKind.HANDLER, 0)],
        "s5": [],
        "s6": [(BlockKind.FINALLY, 0)],
        "s7": [],
        "s8": [(BlockKind.STAR_HANDLER, 0)],
        "s9": [],
    }
    assert by_name["s1"].blocks[0].node is by_name["for a in b:"].node
    assert all(place.body[place.index] is place.node for place in by_name.values())
    starts = [(place.node.lineno, place.node.col_offset) for place in places(scope)]
    assert starts == sorted(starts)


def test_asynchronous_places_have_blocks() -> None:
    scope = find_scope(ast.parse("async def f():\n async for a in b:\n  async with c, d:\n   s"), "f", 1)
    assert scope is not None
    loop, opened, inside = places(scope)
    assert inside.blocks == (
        Block(BlockKind.ASYNC_FOR, loop.node),
        Block(BlockKind.ASYNC_WITH, opened.node, 0),
        Block(BlockKind.ASYNC_WITH, opened.node, 1),
    )


def on_line(source: str, line: int, qualname: str = "<module>") -> str | None:
    scope = find_scope(ast.parse(source), qualname, 0)
    assert scope is not None
    place = place_on_line(scope, line)
    return place and headline(place.node)


LINES = """\
x = (1,
     2)

for a in [
        b]:
    # nothing
    c(); d()
else:
    e()
@f
@g
def h(i=1,
      j=2):
    k()
try:
    l()
except m:

    n()
o()

"""


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (0, None),
        (1, "x = (1, 2)"),
        (2, "x = (1, 2)"),
        (3, "for a in [b]:"),
        (4, "for a in [b]:"),
        (5, "for a in [b]:"),
        (6, "c()"),
        (7, "c()"),
        (8, "e()"),
        (9, "e()"),
        (10, "@f"),
        (11, "@f"),
        (12, "@f"),
        (14, "@f"),
        (15, "try:"),
        (16, "l()"),
        (17, "n()"),
        (18, "n()"),
        (20, "o()"),
        (21, None),
    ],
)
def test_place_on_line(line: int, expected: str | None) -> None:
    assert on_line(LINES, line) == expected


def test_place_on_line_of_a_function() -> None:
    assert [on_line(LINES, line, "h") for line in range(9, 17)] == [None, None, None, "k()", "k()", "k()", None, None]
    assert on_line("def f(): return 1", 1, "f") == "return 1"


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        ((1, 2, 0, 7), "x = (1, 2)"),
        ((2, 2, 5, 6), "x = (1, 2)"),
        ((4, 5, 9, 10), "for a in [b]:"),
        ((7, 7, 4, 5), "c()"),
        ((7, 7, 9, 12), "d()"),
        ((10, 10, 1, 2), "@f"),
        ((12, 12, 8, 9), "@f"),
        ((17, 17, 7, 8), "try:"),
        ((19, 19, 4, 7), "n()"),
        ((3, 3, 0, 0), None),
    ],
)
def test_place_of_span(span: tuple[int, int, int, int], expected: str | None) -> None:
    place = place_of_span(ast.parse(LINES), span)
    assert (place and headline(place.node)) == expected


SCOPES = """
import functools
def f():
    def g():
        return 1
    if f:
        class A:
            async def g(self):
                def h(): pass
    else:
        try:
            def g():
                return 2
        except E:
            for x in y:
                @functools.wraps(
                    g)
                def g():
                    return 3
    global top
    def top():
        def inner(): pass
class f2:
    class B:
        def m(self): return [i for i in (lambda: 1)()]
"""


def codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for const in code.co_consts:
        if isinstance(const, CodeType):
            yield from codes(const)


def test_every_code_object_finds_its_definition() -> None:
    tree = ast.parse(SCOPES)
    found = []
    for code in codes(compile(SCOPES, "x.py", "exec")):
        scope = find_scope(tree, code.co_qualname, code.co_firstlineno)
        if code.co_name.startswith("<") and code.co_name != "<module>":
            assert scope is None
            continue
        assert scope is not None, code.co_qualname
        found.append(code.co_qualname)
        if isinstance(scope, ast.Module):
            continue
        decorators = scope.decorator_list
        assert code.co_name == scope.name
        assert (decorators[0].lineno if decorators else scope.lineno) == code.co_firstlineno
    assert len(found) == 13


def test_a_definition_that_moved_is_found_if_it_is_the_only_one() -> None:
    tree = ast.parse(SCOPES)
    assert find_scope(tree, "f.<locals>.A.g", 99) is not None
    assert find_scope(tree, "f.<locals>.g", 99) is None
    assert find_scope(tree, "f.<locals>.nothing", 3) is None


# ---- Anything ----


SIMPLE = st.sampled_from(["a()", "b(x)", "x = f(a)", "x = g(y)", "i += 1", "pass", "x.y[0] = True", "x.y[0] = 1", "a(); a()"])
HEADERS = st.sampled_from(
    [
        "if x:",
        "if a(x):",
        "for x in y:",
        "for z in y:",
        "while x:",
        "with x:",
        "with x, y:",
        "def f():",
        "class A:",
        "try:",
        "star",
        "match",
    ]
)


def block(header: str, bodies: list[str]) -> str:
    one, other = (textwrap.indent(body, "    ") for body in bodies)
    match header:
        case "try:" | "star":
            word = "except*" if header == "star" else "except"
            return f"try:\n{one}\n{word} A:\n{other}\nelse:\n    a()\nfinally:\n{one}"
        case "match":
            return f"match x:\n    case 1:\n{textwrap.indent(one, '    ')}\n    case _:\n{textwrap.indent(other, '    ')}"
        case "if x:" | "for x in y:":
            return f"{header}\n{one}\nelse:\n{other}"
        case _:
            return f"{header}\n{one}"


def joined(parts: list[str]) -> str:
    return "\n".join(parts)


PROGRAMS = st.recursive(
    st.lists(SIMPLE, min_size=1, max_size=4).map(joined),
    lambda inner: st.lists(
        SIMPLE | st.builds(block, HEADERS, st.lists(inner, min_size=2, max_size=2)), min_size=1, max_size=4
    ).map(joined),
    max_leaves=8,
)


@given(PROGRAMS)
def test_a_text_matches_itself(source: str) -> None:
    old, new = ast.parse(source), ast.parse(source)
    found = match(old, new)
    assert list(everything(old)) and {node: found.get(node) for node in everything(old)} == dict(
        zip(everything(old), everything(new), strict=True)
    )


@given(PROGRAMS, PROGRAMS)
@settings(max_examples=cases(200))
def test_partners_are_one_to_one_and_of_one_form(before: str, after: str) -> None:
    old, new = ast.parse(before), ast.parse(after)
    found = match(old, new)
    assert len(set(found.values())) == len(found)
    assert set(found) <= set(everything(old)) and set(found.values()) <= set(everything(new))
    for one, other in found.items():
        assert type(one) is type(other) or not (hasattr(one, "body") or hasattr(other, "body"))
    for place in places(old):
        assert place.node in found or len(nearest(old, new, found, place.node)) <= 2


@given(PROGRAMS, PROGRAMS, st.data())
@settings(max_examples=cases(300))
def test_the_text_of_statements_makes_no_difference(source: str, other: str, data: st.DataObject) -> None:
    """Statements that are written alike are not looked into; what is found is the same."""
    begin, end = sorted(data.draw(st.tuples(st.integers(0, 12), st.integers(0, 12))))
    old = ast.parse(source)
    edited = [*old.body[:begin], *ast.parse(other).body[: data.draw(st.integers(0, 2))], *old.body[end:]]
    before, after = ast.unparse(old), ast.unparse(ast.Module(edited, []))
    old, new = ast.parse(before), ast.parse(after)
    assert match(old, new, (before.splitlines(keepends=True), after.splitlines(keepends=True))) == match(old, new)


def test_statements_that_are_written_differently_are_equal_still() -> None:
    before = "a = 1; b = 2\nc(1)\nif a:\n    d()\n"
    after = "a = 1\nb = 2\nc( 1 )  # how\nif a: d()\n"
    old, new = ast.parse(before), ast.parse(after)
    found = match(old, new, (before.splitlines(keepends=True), after.splitlines(keepends=True)))
    assert found == dict(zip(everything(old), everything(new), strict=True))


@given(PROGRAMS, st.data())
def test_a_line_put_in_front_of_a_statement_changes_nothing(source: str, data: st.DataObject) -> None:
    old, new = ast.parse(source), ast.parse(source)
    target = data.draw(st.sampled_from(places(new)))
    target.body.insert(target.index, ast.parse("guard(1, 2)").body[0])
    assert_rest_is_identity(old, new, target)


@given(PROGRAMS, st.data())
def test_a_statement_that_is_wrapped_leaves_its_neighbours_alone(source: str, data: st.DataObject) -> None:
    old, new = ast.parse(source), ast.parse(source)
    target = data.draw(st.sampled_from(places(new)))
    wrapper = ast.parse("with wrapper(1):\n    pass").body[0]
    assert isinstance(wrapper, ast.With)
    wrapper.body = [target.node]
    target.body[target.index] = wrapper
    found = match(old, new)
    left = dict(zip(everything(old), [node for node in everything(new) if node is not wrapper], strict=True))
    inside = set(ast.walk(target.node))
    assert all(found[one] is other for one, other in left.items() if other not in inside)
    assert all(left[one] is other or one not in found for one, other in left.items() if other in inside)


def assert_rest_is_identity(old: Scope, new: Scope, target: Place) -> None:
    inserted = target.body[target.index]
    found = match(old, new)
    rest = [node for node in everything(new) if node is not inserted]
    assert [found.get(node) for node in everything(old)] == rest


def test_a_long_function_is_matched_quickly() -> None:
    source = textwrap.dedent(inspect.getsource(sys.modules["argparse"]) if "argparse" in sys.modules else inspect.getsource(ast))
    tree = ast.parse(source)
    body = [node for place in places(tree) if isinstance(place.node, ast.ClassDef) for node in place.node.body]
    inner = [statement for node in body if isinstance(node, ast.FunctionDef) for statement in node.body][:150]
    text = "\n".join(map(ast.unparse, inner))
    lines = text.splitlines()
    middle = next(number for number in range(len(lines) // 2, 0, -1) if lines[number].startswith(("self", "return", "if")))
    old, new = ast.parse(text), ast.parse("\n".join([*lines[:middle], "guard()", *lines[middle:]]))
    taken = []
    for _ in range(5):
        started = time.perf_counter()
        found = match(old, new)
        taken.append((time.perf_counter() - started) / len(lines) * 300)
    assert len(found) == len(list(everything(old)))
    assert min(taken) < 0.05  # a tenth of it on a quiet machine
