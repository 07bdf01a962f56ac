"""Where the statements of a function stand: works on syntax trees alone."""

from __future__ import annotations

import ast
import enum
from collections.abc import Iterator, Sequence
from typing import NamedTuple, Union

Scope = Union[ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Module]
Definition = Union[ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef]
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


class BlockKind(enum.Enum):
    """What keeps items on the value stack while its body runs."""

    FOR = "for"
    ASYNC_FOR = "async for"
    WITH = "with"
    ASYNC_WITH = "async with"
    HANDLER = "except"
    STAR_HANDLER = "except*"
    FINALLY = "finally"


class Block(NamedTuple):
    """Something around a statement that keeps items on the value stack.

    Attributes:
        node: the loop, `with` or handler; for FINALLY the `try` statement.
        item: index of the item of a `with`, else 0.
    """

    kind: BlockKind
    node: ast.AST
    item: int = 0


class Place(NamedTuple):
    """Where a statement stands.

    Attributes:
        body: the list that holds it.
        blocks: what it stands in, outermost first, inside the scope only.
    """

    node: ast.stmt
    body: list[ast.stmt]
    index: int  # type: ignore[assignment]  # hides a method of tuples that nobody needs
    blocks: tuple[Block, ...]


class Statements(NamedTuple):
    """A function, class body or module, and the statements in it, in the order of the source; see `places`."""

    scope: Scope
    places: Sequence[Place]


def find_scope(tree: ast.Module, qualname: str, first_line: int) -> Scope | None:
    """Find the definition that a code object was compiled from, by its `co_qualname` and `co_firstlineno`.

    Returns:
        Of several with that name the one on that line. None if there is none; also for lambdas and comprehensions.
    """
    if qualname == "<module>":
        return tree
    others = []
    for node in (node for name, node in _definitions(tree) if name == qualname):
        if start_of(node)[0] == first_line:
            return node
        others.append(node)
    return others[0] if len(others) == 1 else None


def places(scope: Scope) -> list[Place]:
    """Give all statements of a scope in the order of the source, without those of definitions inside."""
    found: list[Place] = []
    waiting: list[tuple[list[ast.stmt], int, tuple[Block, ...]]] = [(scope.body, 0, ())]
    while waiting:
        body, first, blocks = waiting.pop()
        for index in range(first, len(body)):
            node = body[index]
            found.append(tuple.__new__(Place, (node, body, index, blocks)))  # as `Place(...)`, and faster
            if type(node) in SLOTS:
                waiting.append((body, index + 1, blocks))
                waiting.extend((inner, 0, blocks + more) for inner, more in reversed(_bodies(node)))
                break
    return found


def place_of_span(scope: Scope | Sequence[Place], span: tuple[int, int, int, int]) -> Place | None:
    """Find the innermost statement, of a scope or of places, that contains a span: line, end line, column, end column, as in `co_positions`."""
    line, end_line, column, end_column = span
    among = reversed(scope if isinstance(scope, Sequence) else places(scope))
    return next((at for at in among if start_of(at.node) <= (line, column) and (end_line, end_column) <= end_of(at.node)), None)


def place_on_line(scope: Scope, line: int) -> Place | None:
    """Find the statement of a scope that a user means with a line.

    Returns:
        The first statement that begins on the line; else the one that goes on there (of a compound one only the header); else the
        next one, as for blank lines, `else:` and the header of the function. None outside of the scope and after its last statement.
    """
    if line < (1 if isinstance(scope, ast.Module) else scope.lineno):
        return None
    everything = places(scope)
    starting = [place for place in everything if start_of(place.node)[0] == line]
    spanning = [place for place in everything if start_of(place.node)[0] < line <= _header_end(place.node)]
    following = (place for place in everything if start_of(place.node)[0] > line)
    return starting[0] if starting else spanning[-1] if spanning else next(following, None)


def nearest(old: Scope, new: Scope, matched: dict[ast.AST, ast.AST], node: ast.stmt) -> tuple[int, ...]:
    """Give the lines in the new text of what stands just before and just after a statement that is gone.

    Before it: the last statement with a partner in the same body, else the statement around them. After it: the next one with
    a partner that does not stand inside it. Either may be missing.
    """
    everything = places(old)
    here = next((place for place in everything if place.node is node), None)
    if here is None:
        return ()
    found = [place for place in everything if place.node in matched]
    around = [place for place in found if start_of(place.node) < start_of(node)]
    before = [place for place in around if place.body is here.body or end_of(place.node) >= end_of(node)][-1:]
    after = [place for place in found if start_of(place.node) >= end_of(node)][:1]
    partners = [matched[place.node] for place in (*before, *after)]
    return tuple(start_of(partner)[0] for partner in partners if isinstance(partner, ast.stmt))


def contains(outer: ast.stmt, inner: ast.stmt) -> bool:
    """Tell whether a statement stands inside of another one of the same text: told by their places, which takes no walk through the tree."""
    return outer is not inner and end_of(inner) <= end_of(outer) and start_of(outer) <= start_of(inner)


def start_of(node: ast.stmt) -> tuple[int, int]:
    if isinstance(node, _DEFINITIONS) and node.decorator_list:
        return node.decorator_list[0].lineno, 0  # the @ is in front of it, and nothing in front of that
    return node.lineno, node.col_offset


def end_of(node: ast.stmt) -> tuple[int, int]:
    return node.end_lineno or node.lineno, node.end_col_offset or 0


def _header_end(node: ast.stmt) -> int:
    """Give the last line of a simple statement or definition, or of the expressions in the header of a compound one."""
    if type(node) not in SLOTS:
        return end_of(node)[0]
    values = [getattr(node, name) for name in node._fields if name not in SLOTS[type(node)]]
    parts = [part for value in values for part in (value if isinstance(value, list) else [value]) if isinstance(part, ast.AST)]
    inside = [inner for part in parts for inner in ast.walk(part) if isinstance(inner, ast.expr)]
    return max([node.lineno, *(inner.end_lineno or 0 for inner in inside)])


def _bodies(node: ast.stmt) -> list[tuple[list[ast.stmt], tuple[Block, ...]]]:
    """Give the bodies of a compound statement in the order of the source, with the blocks that they are in by it."""
    match node:
        case ast.If() | ast.While():
            return [(node.body, ()), (node.orelse, ())]
        case ast.For():
            return [(node.body, (Block(BlockKind.FOR, node),)), (node.orelse, ())]
        case ast.AsyncFor():
            return [(node.body, (Block(BlockKind.ASYNC_FOR, node),)), (node.orelse, ())]
        case ast.With() | ast.AsyncWith():
            kind = BlockKind.WITH if isinstance(node, ast.With) else BlockKind.ASYNC_WITH
            return [(node.body, tuple(Block(kind, node, item) for item in range(len(node.items))))]
        case ast.Try() | ast.TryStar():
            kind = BlockKind.HANDLER if isinstance(node, ast.Try) else BlockKind.STAR_HANDLER
            handlers = [(handler.body, (Block(kind, handler),)) for handler in node.handlers]
            return [(node.body, ()), *handlers, (node.orelse, ()), (node.finalbody, (Block(BlockKind.FINALLY, node),))]
        case ast.Match():
            return [(case.body, ()) for case in node.cases]
        case _:
            return []


def _definitions(tree: ast.Module) -> Iterator[tuple[str, Definition]]:
    """Give the functions and classes of a module with their qualified names."""
    waiting: list[tuple[str, Scope]] = [("", tree)]
    while waiting:
        prefix, scope = waiting.pop()
        nodes = [place.node for place in places(scope)]
        # A name that is declared global has no prefix, wherever it is defined.
        declared = {name for node in nodes if isinstance(node, ast.Global) for name in node.names}
        for node in nodes:
            if isinstance(node, _DEFINITIONS):
                qualname = node.name if node.name in declared else prefix + node.name
                yield qualname, node
                waiting.append((f"{qualname}." if isinstance(node, ast.ClassDef) else f"{qualname}.<locals>.", node))


class StarHandler(ast.ExceptHandler):
    """The type of the clauses of an `except*`, which are nodes like those of an `except`."""


# type of node -> the fields that hold what has a partner of its own
SLOTS: dict[type[ast.AST], tuple[str, ...]] = {
    **dict.fromkeys([ast.For, ast.AsyncFor, ast.While, ast.If], ("body", "orelse")),
    **dict.fromkeys([ast.Try, ast.TryStar], ("body", "handlers", "orelse", "finalbody")),
    **dict.fromkeys([ast.With, ast.AsyncWith, ast.ExceptHandler, StarHandler, ast.match_case], ("body",)),
    ast.Match: ("cases",),
}
