"""Parts of texts that are parsed by themselves: they are what they are in the tree of the whole text."""

from __future__ import annotations

import argparse
import ast
import asyncio.base_events
import dataclasses
import enum
import json.decoder
import textwrap
import typing
from pathlib import Path
from random import Random
from types import ModuleType

import pytest

from fixcont.editing.texts import STATEMENTS, Node, Text, forget_trees
from support.once import cases
from support.tricky_text import TRICKY

EDITS = Path(__file__).parent.parent / "edits"


def dumped(tree: ast.AST) -> str:
    return ast.dump(tree, include_attributes=True)


def check_statements(source: bytes) -> int:
    """Check each definition of the module's top level, and return how many could be parsed by themselves."""
    text = Text("file.py", source)
    statements = {dumped(each) for each in text.tree.body}
    alone = 0
    for node in text.module.children:
        if node.kind not in STATEMENTS:
            continue
        forget_trees()
        tree = text.tree_around(innermost(node))
        assert {dumped(each) for each in tree.body} <= statements
        if len(tree.body) == 1:
            (statement,) = tree.body
            assert isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
            assert statement.name in (node.code.co_name, node.code.co_name.removeprefix("<generic parameters of ").rstrip(">"))
            alone += 1
    return alone


def innermost(node: Node) -> Node:
    while node.children:
        node = node.children[-1]
    return node


@pytest.mark.parametrize("module", [argparse, asyncio.base_events, dataclasses, enum, json.decoder, textwrap, typing])
def test_a_statement_is_parsed_as_in_the_whole_text(module: ModuleType) -> None:
    assert module.__file__ is not None
    assert check_statements(Path(module.__file__).read_bytes()) > 1


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_a_statement_of_a_tricky_text(ends: str) -> None:
    assert check_statements(TRICKY.replace("\n", ends).encode("latin-1")) == 5


def test_a_statement_of_a_text_with_a_byte_order_mark() -> None:
    assert check_statements(b"\xef\xbb\xbf" + "def f(): return 'é' + x\ndef g(): return 2\n".encode()) == 2


# Statements of which an older version has been parsed

CHANGED = '''\
import functools

@functools.cache
def edited(a, b=2):
    """A text
at the margin
    """
    if a:
        x = 1; y = 2
    else: x = 2
    @functools.cache
    def inner(): return [
        a,
    ]
    # a comment
    for each in b:
        try:
            await_ = each
        finally:
            x = """
    y = 1
"""
    z = 1; w = 2
    return inner, \\
        x

def other(): return 1
'''


def edits(lines: list[str], seed: int) -> list[str]:
    """Delete, double, exchange, indent or replace some lines."""
    random = Random(seed)
    at = random.randrange(len(lines))
    end = min(len(lines), at + random.randrange(1, 4))
    piece = lines[at:end]
    kinds = [
        [], piece * 2, [f"    {line}" for line in piece], [line.removeprefix("    ") for line in piece], piece[::-1],
        ["    else:\n", "        pass\n", *piece], ['    """\n', *piece], ["    new = [a, b]\n", *piece],
        ["    else: pass\n", *piece[1:]], ["    x = (\n", *piece[1:]], ['    """a"""\n', *piece[1:]], ["    @functools.cache\n", *piece[1:]],
        ["\n", *piece[1:]], ["    pass; \\\n", *piece[1:]], ["new = 1\n", *piece[1:]], [line.replace("1", "3") for line in piece],
    ]  # fmt: skip
    lines = [*lines[:at], *random.choice(kinds), *lines[end:]]
    return edits(lines, seed + 10_000) if random.random() < 0.3 else lines


def check_edit(before: str, after: str, name: str) -> bool:
    """Check a function of an edited text against the whole text, where it has it on the same line. Return whether nodes were shared."""
    old, new = (Text("file.py", text.encode()) for text in (before, after))
    (one,) = [node for node in old.module.children if node.qualname == name]
    others = [node for node in new.module.children if node.qualname == name and node.line == one.line]
    if not others:
        return False
    known = {id(node) for node in ast.walk(old.tree_around(one)) if isinstance(node, ast.stmt)}
    tree = new.tree_around(others[0], one)
    if isinstance(tree.body[0], ast.Import):  # the whole tree
        return False
    assert dumped(tree.body[0]) in {dumped(each) for each in new.tree.body}
    return any(id(node) in known for node in ast.walk(tree) if isinstance(node, ast.stmt))


def test_an_edited_statement_is_parsed_as_in_the_whole_text() -> None:
    shared = 0
    for seed in range(cases(1500)):
        after = "".join(edits(CHANGED.splitlines(keepends=True), seed))
        try:
            compile(after, "file.py", "exec")
        except SyntaxError:
            continue
        shared += check_edit(CHANGED, after, "edited")
    assert shared > cases(50)


@pytest.mark.parametrize(
    ("module", "name"), [(textwrap, "TextWrapper"), (dataclasses, "_process_class"), (json.decoder, "JSONDecoder")]
)
def test_an_edited_statement_of_a_real_text(module: ModuleType, name: str) -> None:
    assert module.__file__ is not None
    before = Path(module.__file__).read_text()
    lines = before.splitlines(keepends=True)
    (node,) = [node for node in Text("file.py", before.encode()).module.children if node.qualname == name]
    shared = 0
    for seed in range(cases(60)):
        after = "".join(
            [*lines[: node.line - 1], *edits(lines[node.line - 1 : node.line + 120], seed), *lines[node.line + 120 :]]
        )
        try:
            compile(after, "file.py", "exec")
        except SyntaxError:
            continue
        shared += check_edit(before, after, name)
    assert shared >= cases(6)
