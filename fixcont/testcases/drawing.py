"""What a test draws from a generator, bounded: one without end fills the memory before any limit of time is over.

The test itself says `list(…)`, as its reader expects. Only where it is tried, its lines are exchanged for ones that stop.
"""

from __future__ import annotations

import ast
from collections.abc import AsyncIterable, Iterable, Sequence
from typing import Any, Final

from fixcont.testcases.graphs import LIMITS

_IMPORT: Final = f"from {__name__} import drawn, drawn_async"


class TooMuch(BaseException):
    """More was given than a test could hold. No `Exception`: neither the program nor `pytest.raises` is to take it for one of its own."""


def bounded(lines: Sequence[str]) -> list[str]:
    """Give lines of a test that raise `TooMuch` where these would draw on and on; the same lines where they draw nothing."""
    exchange = _Exchange()
    tree = exchange.visit(ast.parse("\n".join(lines)))
    return [_IMPORT, *ast.unparse(tree).splitlines()] if exchange.is_needed else list(lines)


class _Exchange(ast.NodeTransformer):
    """Puts `drawn(…)` in the place of `list(…)`, and what it is for async generators in the place of the comprehension."""

    def __init__(self) -> None:
        self.is_needed = False

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id == "list" and len(node.args) == 1 and not node.keywords:
            self.is_needed = True
            return ast.Call(ast.Name("drawn", ast.Load()), node.args, [])
        return node

    def visit_ListComp(self, node: ast.ListComp) -> ast.AST:
        self.generic_visit(node)
        if node.generators[0].is_async:
            self.is_needed = True
            return ast.Await(ast.Call(ast.Name("drawn_async", ast.Load()), [node.generators[0].iter], []))
        return node


def drawn(items: Iterable[Any]) -> list[Any]:
    """Do what `list` does, up to the limits of what a test holds. Raises `TooMuch`."""
    found = _Found()
    for each in items:
        found.add(each)
    return found.items


async def drawn_async(items: AsyncIterable[Any]) -> list[Any]:
    """Do the same for what is awaited."""
    found = _Found()
    async for each in items:
        found.add(each)
    return found.items


class _Found:
    def __init__(self) -> None:
        self.items: list[Any] = []
        self._size = 0

    def add(self, item: Any) -> None:
        self.items.append(item)
        if type(item) in (str, bytes, bytearray):
            self._size += len(item)
        if len(self.items) > LIMITS.items:
            raise TooMuch(f"more than {LIMITS.items} items, or has no end")
        if self._size > LIMITS.size:
            raise TooMuch("more than a test could hold")
