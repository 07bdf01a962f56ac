"""Changes of syntax trees from which variants are compiled: small pieces, and what they must know of the tree."""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Iterator, Sequence
from typing import TypeVar

#: Under this name `value_once` finds the value, in a list from which it is taken. No program can spell it.
VALUE_NAME = ".value"

Span = tuple[int, int, int, int]


def span_of(node: ast.expr) -> tuple[int | None, ...]:
    return node.lineno, node.end_lineno, node.col_offset, node.end_col_offset


_Node = TypeVar("_Node", bound=ast.AST)


def empty_list() -> ast.expr:
    """Return an expression that is false, and which no compiler knows to be."""
    return ast.List([], ast.Load())


def placed_at(new: _Node, node: ast.stmt) -> _Node:
    """Give nodes that have no place in the source that of a statement."""
    for each in ast.walk(new):
        if "lineno" in each._attributes and not hasattr(each, "lineno"):
            ast.copy_location(each, node)
            each.end_lineno, each.end_col_offset = each.lineno, each.col_offset  # type: ignore[attr-defined]
    return new


@contextlib.contextmanager
def replaced(body: list[ast.stmt], index: int, count: int, new: Sequence[ast.stmt]) -> Iterator[None]:
    """Replace statements for as long as it takes to compile."""
    before = list(body)
    body[index : index + count] = new
    try:
        yield
    finally:
        body[:] = before


_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def names_bound_in(function: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    """Return the names that a function binds itself: not those of its inner functions, or of its comprehensions."""
    arguments = function.args
    given = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    bound = {each.arg for each in given if each is not None}
    elsewhere: set[str] = set()
    work: list[tuple[ast.AST, bool]] = [(each, False) for each in function.body]
    while work:
        node, is_inner = work.pop()  # in a comprehension only `:=` counts
        if isinstance(node, ast.Name):
            if not is_inner and not isinstance(node.ctx, ast.Load):
                bound.add(node.id)
            continue
        if isinstance(node, (ast.Constant, ast.Lambda)):
            continue
        if isinstance(node, ast.NamedExpr):
            bound.add(node.target.id)
        elif isinstance(node, _DEFINITIONS):
            bound.add(node.name)
            work += [(each, is_inner) for each in node.decorator_list]
            continue
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            bound.update(alias.asname or alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and node.name:
            bound.add(node.name)
        elif isinstance(node, ast.MatchMapping) and node.rest:
            bound.add(node.rest)
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            elsewhere.update(node.names)
        is_inner = is_inner or isinstance(node, _COMPREHENSIONS)
        work += [(child, is_inner) for child in ast.iter_child_nodes(node)]
    return bound - elsewhere


_Step = tuple[str, int | None]


def follow(owner: object, step: _Step) -> object:
    field, index = step
    found = getattr(owner, field, None)
    if index is None:
        return found
    return found[index] if isinstance(found, list) and index < len(found) else None


def value_once(expression: ast.expr) -> ast.expr:
    """Return an expression that is the given value the first time, and the expression itself from then on: that of a `while` is run again."""
    given = ast.Name(VALUE_NAME, ast.Load())
    take = ast.Call(ast.Attribute(given, "pop", ast.Load()), [], [])
    return ast.IfExp(given, take, expression)


def path_to(statement: ast.stmt, span: Span | None) -> list[_Step]:
    """Return the way from a statement to the expression of exactly this span that is evaluated, [] where there is none."""
    wanted = None if span is None else (span[0], span[1], span[2], span[3])
    work: list[tuple[ast.AST, list[_Step]]] = [(statement, [])]
    found: list[_Step] = []
    while work:
        node, path = work.pop()
        if (
            isinstance(node, ast.expr)
            and span_of(node) == wanted
            and isinstance(getattr(node, "ctx", None) or ast.Load(), ast.Load)
        ):
            found = path
        for field, value in ast.iter_fields(node):
            if isinstance(value, ast.expr):
                work.append((value, [*path, (field, None)]))
            elif isinstance(value, list):
                children = ((index, each) for index, each in enumerate(value))
                work += [
                    (each, [*path, (field, index)])
                    for index, each in children
                    if isinstance(each, (ast.expr, ast.withitem, ast.keyword, ast.match_case))  # of a case its guard
                ]
    return found


def own_expressions(statement: ast.stmt) -> Iterator[ast.expr]:
    """Go through the expressions that a statement evaluates itself: not those of its body, or of functions that it makes."""
    work: list[ast.AST] = [statement]
    while work:
        node = work.pop()
        if isinstance(node, ast.expr):
            yield node
        if isinstance(node, (ast.Lambda, ast.GeneratorExp)):
            continue
        work += [
            child
            for child in ast.iter_child_nodes(node)
            if isinstance(child, (ast.expr, ast.withitem, ast.keyword, ast.comprehension))
        ]


def split_with(node: ast.With | ast.AsyncWith, count: int, marker: ast.stmt) -> ast.With | ast.AsyncWith:
    """Return a `with` statement as two, one in the other, with a marker in between."""
    inner = ast.copy_location(type(node)(node.items[count:], node.body), node)
    return ast.copy_location(type(node)(node.items[:count], [marker, inner]), node)


def holder_of(scope: ast.AST, statement: ast.stmt) -> list[ast.stmt] | None:
    """Return the list that holds a statement, as the tree is now."""
    for node in ast.walk(scope):
        for name in ("body", "orelse", "finalbody"):
            body = getattr(node, name, None)
            if isinstance(body, list) and any(each is statement for each in body):
                return body
    return None


def lies_in(node: ast.expr, span: Span | None) -> bool:
    """Tell whether an expression is part of the one with this span."""
    if span is None or node.end_lineno is None or node.end_col_offset is None:
        return False
    begin, end = (node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)
    return (span[0], span[2]) <= begin and end <= (span[1], span[3])
