"""Comparing two texts of a file: what counts as a change, and which definition is which."""

from __future__ import annotations

import ast
import textwrap

import pytest

from fixcont.editing.compare import Comparison, Relation, compare, relation
from fixcont.editing.texts import Kind, Text


def text(source: str) -> Text:
    return Text("file.py", textwrap.dedent(source).encode())


def compared(before: str, after: str) -> Comparison:
    return compare(text(before), text(after))


def changed(comparison: Comparison) -> set[str]:
    return {node.qualname for node in comparison.changed if node.kind in (Kind.FUNCTION, Kind.LAMBDA)}


def one(comparison: Comparison, qualname: str) -> Relation:
    (node,) = [node for node in comparison.new.module.walk() if node.qualname == qualname]
    return relation(comparison.partners[id(node)].code, node.code)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("def f():\n    return 1\n", "def f():\n    return 1  # one\n", Relation.SAME),
        ("def f():\n    return 1\n", "\n\ndef f():\n    return 1\n", Relation.SHIFTED),
        ("\n\ndef f():\n    return 1\n", "def f():\n    return 1\n", Relation.SHIFTED),
        ("def f():\n    return 1\n", "def f():\n\n    return 1\n", Relation.RELAID),
        ("def f():\n    return 1\n", "def f():\n    return  1\n", Relation.RELAID),
        ("def f():\n    return 1\n", "def f():\n    return 2\n", Relation.CHANGED),
        ("def f():\n    return 1\n", "def f():\n    return True\n", Relation.CHANGED),
        ("def f():\n    return 1\n", "def f():\n    return 1.0\n", Relation.CHANGED),
        ("def f():\n    return 0.0\n", "def f():\n    return -0.0\n", Relation.CHANGED),
        ("def f():\n    return (1, 'a')\n", "def f():\n    return (True, 'a')\n", Relation.CHANGED),
        ("def f(x):\n    return x in {1, 2}\n", "def f(x):\n    return x in {1, 3}\n", Relation.CHANGED),
        ("def f():\n    'a'\n", "def f():\n    'b'\n", Relation.CHANGED),
        ("def f(a):\n    return a\n", "def f(b):\n    return b\n", Relation.CHANGED),
        ("def f(a, b):\n    return a\n", "def f(a, *, b):\n    return a\n", Relation.CHANGED),
        ("def f():\n    return x\n", "def f():\n    return y\n", Relation.CHANGED),
        ("def f():\n    return [1 for x in y]\n", "def f():\n    return [2 for x in y]\n", Relation.CHANGED),
        ("def f():\n    return lambda: 1\n", "def f():\n    return lambda: 2\n", Relation.CHANGED),
        ("def f():\n    return 1\n", "async def f():\n    return 1\n", Relation.CHANGED),
    ],
)
def test_relation(before: str, after: str, expected: Relation) -> None:
    assert one(compared(before, after), "f") is expected


def test_functions_that_only_move_need_no_syntax_tree() -> None:
    body = "class A:\n    x = 1\n    def f(self):\n        self.y = 1\n"
    before = "\n" * 300 + "def g():\n    return 1\n" + body
    comparison = compared(before, before.replace("return 1", "x = 1\n    return 1"))
    assert changed(comparison) == {"g"} and comparison.syntax is None
    assert one(comparison, "A.f") is Relation.SHIFTED


def test_a_new_attribute_of_self_is_no_change_of_the_class() -> None:
    comparison = compared("class A:\n    def f(self):\n        pass\n", "class A:\n    def f(self):\n        self.x = 1\n")
    assert changed(comparison) == {"A.f"} and not comparison.scopes and not comparison.added


def test_inner_functions_change_the_function_around_them() -> None:
    before = "def f():\n    def g():\n        return {}\n    def h():\n        return 0\n    return g, h\n"
    assert changed(compared(before.format(1), before.format(2))) == {"f", "f.<locals>.g"}


def partner_lines(comparison: Comparison) -> dict[int, int]:
    """First line of each function and lambda in the new text -> that of its partner in the old one."""
    return {
        node.line: comparison.partners[id(node)].line
        for node in comparison.new.module.walk()
        if id(node) in comparison.partners and node.kind in (Kind.FUNCTION, Kind.LAMBDA)
    }


def test_getter_and_setter_that_both_change_and_swap() -> None:
    before = """\
        class A:
            @property
            def x(self):
                return 1
            @x.setter
            def x(self, value):
                self.y = value
            @x.deleter
            def x(self):
                pass
    """
    after = """\
        class A:
            @property
            def x(self):
                return 2
            @x.deleter
            def x(self):
                raise
            @x.setter
            def x(self, other):
                self.z = other
    """
    assert partner_lines(compared(before, after)) == {2: 2, 5: 8, 8: 5}


def test_an_overload_that_is_put_before_others() -> None:
    before = "@overload\ndef f(a): ...\n@overload\ndef f(a, b): ...\ndef f(*a):\n    return a\n"
    after = "@overload\ndef f(): ...\n" + before.replace("return a", "return a, 1")
    assert partner_lines(compared(before, after)) == {3: 1, 5: 3, 7: 5}


def test_lambdas_are_matched_by_what_they_do_and_by_order() -> None:
    before = "x = lambda: 1\ny = lambda: 2\nz = lambda a: 3\n"
    assert partner_lines(compared(before, "y = lambda: 2\nx = lambda: 10\nz = lambda b: 3\n")) == {1: 2, 2: 1, 3: 3}
    assert partner_lines(compared(before, "x = lambda: 1\nz = lambda a: 3\n")) == {1: 1, 2: 3}
    assert partner_lines(compared(before, "x = lambda: 7\nz = lambda a: 3\n")) == {2: 3}


def test_added_and_removed() -> None:
    comparison = compared(
        "def a(): return 1\nclass C:\n    def m(self): ...\n    def gone(self): return 1\n",
        "def b(): ...\nclass C:\n    def m(self): ...\n    def n(self): ...\nclass D:\n    def inner(self): ...\n",
    )
    assert [node.qualname for node in comparison.added] == ["b", "D", "C.n"]
    assert [node.qualname for node in comparison.removed] == ["a", "C.gone"]
    assert not comparison.scopes


def statements(comparison: Comparison) -> tuple[set[str], set[str]]:
    """Return the statements that appeared in modules and classes, and those that are gone."""
    appeared = {ast.unparse(item.statement) for change in comparison.scopes for item in change.appeared}
    gone = {ast.unparse(item.statement) for change in comparison.scopes for item in change.gone}
    return appeared, gone


@pytest.mark.parametrize(
    ("before", "after", "appeared", "gone"),
    [
        ("x = 1\n", "x = 2\n", {"x = 2"}, {"x = 1"}),
        ("x = 1\n", "y = 0\nx = 1\n", {"y = 0"}, set()),
        ("y = 0\nx = 1\n", "x = 1\n", set(), {"y = 0"}),
        ("x = 1\n", "x = 1  # one\n", set(), set()),
        ("if a:\n    x = 1\n", "if a:\n    x = 2\n", {"if a:\n    x = 2"}, {"if a:\n    x = 1"}),
        ("if a:\n    def f(): 1\n", "if a:\n    def f(): 2\n", set(), set()),
        ("if a:\n    x\n", "if a:\n    x\n    def f(): 1\n", {"if a:\n    x\n\n    def f():\n        1"}, {"if a:\n    x"}),
        ("class A:\n    x = 1\n", "class A:\n    x = 2\n", {"x = 2"}, {"x = 1"}),
        ("class A:\n    pass\n", "class A:\n    def f(self): 1\n", set(), set()),
        ("def f():\n    class A:\n        x = 1\n", "def f():\n    class A:\n        x = 2\n", set(), set()),
    ],
)
def test_statements_of_modules_and_classes(before: str, after: str, appeared: set[str], gone: set[str]) -> None:
    assert statements(compared(before, after)) == (appeared, gone)


@pytest.mark.parametrize(
    ("before", "after", "redecorated", "rebased"),
    [
        ("class A: ...\n", "class A(B): ...\n", [], ["A"]),
        ("class A: ...\n", "class A(metaclass=B): ...\n", [], ["A"]),
        ("def f(): ...\n", "@d\ndef f(): ...\n", ["f"], []),
        ("@d(1)\nclass A: ...\n", "@d(2)\nclass A: ...\n", ["A"], []),
        ("def f():\n    @d\n    def g(): ...\n", "def f():\n    def g(): ...\n", [], []),
    ],
)
def test_decorators_and_bases(before: str, after: str, redecorated: list[str], rebased: list[str]) -> None:
    comparison = compared(before, after)
    assert [node.qualname for node in comparison.redecorated] == redecorated
    assert [node.qualname for node in comparison.rebased] == rebased


@pytest.mark.parametrize(
    ("before", "after", "renamed"),
    [
        ("def f():\n    return 1\n", "def g():\n    return 1\n", [("f", "g")]),
        ("class A:\n    def f(self): return 1\n", "class A:\n    def g(self): return 1\n", [("A.f", "A.g")]),
        ("def f():\n    return 1\n", "def g():\n    return 2\n", []),
        ("def f():\n    return 1\ndef g():\n    return 1\n", "def h():\n    return 1\n", []),
    ],
)
def test_renamed_functions(before: str, after: str, renamed: list[tuple[str, str]]) -> None:
    comparison = compared(before, after)
    assert [(comparison.partners[id(node)].qualname, node.qualname) for node in comparison.renamed] == renamed


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("def f(a=1): ...\n", "def f(a=2): ...\n"),
        ("def f(*, a=1): ...\n", "def f(*, a=2): ...\n"),
        ("def f(a): ...\n", "def f(a=1): ...\n"),
        ("def f(a: int): ...\n", "def f(a: str): ...\n"),
        ("def f() -> int: ...\n", "def f() -> str: ...\n"),
    ],
)
def test_a_changed_header_is_a_changed_function(before: str, after: str) -> None:
    assert changed(compared(before, after)) == {"f"}


def test_the_text_knows_its_lines_as_linecache_does() -> None:
    made = Text("file.py", b"# coding: latin-1\r\nx = '\xe4'\r\ny = 1")
    assert made.lines == ["# coding: latin-1\n", "x = 'ä'\n", "y = 1"]
