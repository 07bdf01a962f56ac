"""Whether the program may change what one of its loops runs over, told by its text: nothing of it is run.

What code does with the same value under another name is not seen.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeGuard

#: Functions by their names.
Functions = Mapping[str, Sequence[ast.AST]]

_READERS: Final = ("index", "count", "get", "keys", "values", "items", "copy")  # methods that change nothing


def is_length(node: ast.AST) -> TypeGuard[ast.Call]:
    """Tell whether a node is a call of `len` with one argument."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "len" and len(node.args) == 1


def name_in(node: ast.AST) -> str:
    """Return the name of the variable or attribute that a node is, "" where it is none."""
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def binds(nodes: Iterable[ast.AST], is_it: Callable[[ast.AST], bool]) -> bool:
    """Tell whether some nodes bind a variable or attribute anew, or delete it.

    Args:
        is_it: tells which of them stand for it.
    """
    return any(not isinstance(getattr(node, "ctx", None), ast.Load) for node in nodes if is_it(node))


def only_looks(nodes: Sequence[ast.AST], is_it: Callable[[ast.AST], bool]) -> bool:
    """Tell whether some nodes only look at what a variable or attribute has.

    Args:
        is_it: tells which of them stand for it.
    """
    looked = {id(each) for node in nodes for each in _looked_at(node)}
    return all(id(node) in looked for node in nodes if is_it(node))


def _looked_at(node: ast.AST) -> Iterator[ast.expr]:
    """Give the expressions whose values a node looks at, and neither changes nor gives to anybody."""
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
        yield node.value
    elif isinstance(node, ast.Compare):
        yield from (each for how, each in zip(node.ops, node.comparators, strict=True) if isinstance(how, (ast.In, ast.NotIn)))
    elif isinstance(node, (ast.For, ast.comprehension)):
        yield node.iter
    elif is_length(node):
        yield node.args[0]
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        yield node.func  # `table.items()`: a list that is called is none
        if node.func.attr in _READERS:
            yield node.func.value


def functions_in(trees: Iterable[ast.AST]) -> Functions:
    """Give the functions of some texts by their names, whichever class they are in."""
    found: defaultdict[str, list[ast.AST]] = defaultdict(list)
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                found[node.name].append(node)
    return found


def reached(nodes: Sequence[ast.AST], known: Sequence[Functions]) -> Iterator[Sequence[ast.AST]]:
    """Give some nodes, and those of each function that they may lead to, directly or through others.

    That is each whose name they say: whatever it is a method of, and whoever calls it.

    Args:
        known: where functions are looked for.
    """
    seen: set[str] = set()
    waiting = [nodes]
    while waiting:
        within = waiting.pop()
        yield within
        for name in {name_in(node) for node in within} - seen:
            seen.add(name)
            waiting += [list(ast.walk(each)) for functions in known for each in functions.get(name, ())]
