"""What the code objects do not say plainly: the statements of a module or class, and the headers of its definitions."""

from __future__ import annotations

import ast
import itertools
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Union

from fixcont.editing.texts import Kind, Node, Text

Def = Union[ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda]
IMPORTS = (ast.Import, ast.ImportFrom)
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass(frozen=True)
class Item:
    """One statement of a module or class body.

    Attributes:
        key: equal for statements that do the same. Of a definition in it, it says no more than that it is there, since functions and classes
            are compared by themselves.
        statement: its syntax, with all that is in it.
    """

    key: str
    statement: ast.stmt

    @property
    def line(self) -> int:
        """Where it starts."""
        return self.statement.lineno

    @property
    def is_empty(self) -> bool:
        """Whether it does nothing: `pass`, or `...`."""
        statement = self.statement
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            return not isinstance(statement.value.value, str)
        return isinstance(statement, ast.Pass)

    @property
    def definition(self) -> Def | None:
        """The statement, where it is a `def` or `class`, else None."""
        return self.statement if isinstance(self.statement, DEFINITIONS) else None


@dataclass(frozen=True)
class Header:
    """What a `def`, `lambda` or `class` statement evaluates when it runs.

    Attributes:
        positional: names of the parameters that `__defaults__` can reach, in order.
        defaults: parameter name -> its default.
        annotations: parameter name, or "return" -> its annotation.
        decorators: in the order of the source.
        bases: bases and keywords of a class, as text.
    """

    positional: tuple[str, ...]
    keyword_only: tuple[str, ...]
    defaults: dict[str, ast.expr]
    annotations: dict[str, ast.expr]
    decorators: tuple[ast.expr, ...]
    bases: str = ""


def same_expression(one: ast.expr | None, other: ast.expr | None) -> bool:
    """Tell whether two expressions read the same, wherever they stand."""
    if one is None or other is None:
        return one is other
    return ast.dump(one) == ast.dump(other)


def header(definition: Def) -> Header:
    """Read the header of a definition."""
    decorators = () if isinstance(definition, ast.Lambda) else tuple(definition.decorator_list)
    if isinstance(definition, ast.ClassDef):
        bases = ", ".join(ast.dump(part) for part in [*definition.bases, *definition.keywords])
        return Header((), (), {}, {}, decorators, bases)
    args = definition.args
    positional = [*args.posonlyargs, *args.args]
    defaults = {arg.arg: default for arg, default in zip(reversed(positional), reversed(args.defaults), strict=False)}
    defaults.update(
        {arg.arg: default for arg, default in zip(args.kwonlyargs, args.kw_defaults, strict=False) if default is not None}
    )
    every = [*positional, *args.kwonlyargs, *(arg for arg in (args.vararg, args.kwarg) if arg is not None)]
    annotations = {arg.arg: arg.annotation for arg in every if arg.annotation is not None}
    if not isinstance(definition, ast.Lambda) and definition.returns is not None:
        annotations["return"] = definition.returns
    names = tuple(arg.arg for arg in positional)
    return Header(names, tuple(arg.arg for arg in args.kwonlyargs), defaults, annotations, decorators)


def first_line(definition: Def) -> int:
    """Give the line that the code object of a definition starts on."""
    decorators = [] if isinstance(definition, ast.Lambda) else definition.decorator_list
    return min([definition.lineno, *(each.lineno for each in decorators)])


def _name(definition: Def) -> str:
    return "<lambda>" if isinstance(definition, ast.Lambda) else definition.name


class Syntax:
    """The syntax of a text, tied to its nodes: of those pieces of the text that are asked for.

    Lambdas stand in expressions, which are ten times as much to look through as statements: that is done when the first one of a piece is
    asked for.

    Attributes:
        pieces: of the text. Kept, as what is known goes by the ids of their statements.
    """

    def __init__(self, text: Text) -> None:
        self.text = text
        self.pieces = text.pieces
        self._of_node: dict[int, Def] = {}  # id of a node -> the syntax of its definition
        self._nodes: dict[int, Node] = {}  # id of a definition's syntax -> its node
        self._items: dict[int, Item] = {}  # id of a statement -> it, with its key
        self._tied: set[int] = set()  # pieces
        self._with_lambdas: set[int] = set()  # pieces

    def _tie_at(self, line: int) -> None:
        """Tie what is defined in the piece that a line is in."""
        at = self.pieces.at(line)
        if at not in self._tied:
            self._tied.add(at)
            self._tie(at, _definitions(self.pieces.statements([at])), (Kind.CLASS, Kind.FUNCTION))

    def _tie_lambdas_at(self, line: int) -> None:
        at = self.pieces.at(line)
        if at not in self._with_lambdas:
            self._with_lambdas.add(at)
            within = itertools.chain.from_iterable(map(ast.walk, self.pieces.statements([at])))
            lambdas = [each for each in within if isinstance(each, ast.Lambda)]
            self._tie(at, sorted(lambdas, key=lambda each: (each.lineno, each.col_offset)), (Kind.LAMBDA,))

    @cached_property
    def _by_line(self) -> list[Node]:
        return sorted(self.text.module.walk(), key=lambda node: node.line)

    def _tie(self, at: int, definitions: Iterable[Def], kinds: tuple[Kind, ...]) -> None:
        by_place: dict[tuple[str, int], tuple[list[Def], list[Node]]] = {}  # (name, first line) -> what stands there, in order
        for definition in definitions:
            by_place.setdefault((_name(definition), first_line(definition)), ([], []))[0].append(definition)
        lines = self.pieces.lines(at)
        begin, end = (bisect_left(self._by_line, line, key=lambda node: node.line) for line in (lines.start, lines.stop))
        for node in self._by_line[begin:end]:
            if node.kind in kinds:
                by_place.setdefault((node.code.co_name, node.line), ([], []))[1].append(node)
        for those, nodes in by_place.values():
            if len(those) == len(nodes):  # else the compiler left one out, and which one cannot be told
                self._of_node.update((id(node), each) for node, each in zip(nodes, those, strict=True))
                self._nodes.update((id(each), node) for node, each in zip(nodes, those, strict=True))

    def definition(self, node: Node) -> Def | None:
        """Give the syntax of the definition that `node` was compiled from, None where that cannot be told for certain."""
        (self._tie_lambdas_at if node.kind is Kind.LAMBDA else self._tie_at)(node.line)
        return self._of_node.get(id(node))

    def node(self, definition: Def) -> Node | None:
        """Give the node that a `def` or `class` was compiled to, None where the compiler left it out or it cannot be told."""
        (self._tie_lambdas_at if isinstance(definition, ast.Lambda) else self._tie_at)(first_line(definition))
        return self._nodes.get(id(definition))

    def body(self, scope: Node, pieces: Iterable[int] | None = None) -> list[ast.stmt]:
        """Give the statements of the module or class `scope`, in order.

        Args:
            pieces: of a module, where only their statements are of interest.
        """
        if scope.kind is Kind.MODULE:
            return self.pieces.statements(pieces)
        definition = self.definition(scope)
        return definition.body if isinstance(definition, ast.ClassDef) else []

    def bound_among(self, scope: Node, names: Collection[str]) -> set[str]:
        """Give those of some names that the statements of the module or class `scope` bind."""
        return bound_names(self.body(scope, self.pieces.with_any(names))).intersection(names) if names else set()

    def may_read(self, node: Node, names: Collection[str]) -> bool:
        """Tell whether one of these names may be in the definition that `node` was compiled from, without parsing it."""
        return self.pieces.may_have(self.pieces.at(node.line), names)

    def definitions(self, scope: Node, pieces: Iterable[int] | None = None) -> Iterator[Def]:
        """Give the `def` and `class` statements of the module or class `scope`, those in its compound statements too."""
        waiting = list(reversed(self.body(scope, pieces)))
        while waiting:
            statement = waiting.pop()
            if isinstance(statement, DEFINITIONS):
                yield statement
            else:
                waiting += [each for block in reversed(list(blocks_of(statement))) for each in reversed(block)]

    def items(self, scope: Node, pieces: Iterable[int] | None = None) -> list[Item]:
        """Give the statements of the module or class `scope` in order; of a module those of some pieces only, where these are given."""
        found = []
        for statement in self.body(scope, pieces):
            if id(statement) not in self._items:
                self._items[id(statement)] = Item(_key(statement), statement)
            found.append(self._items[id(statement)])
        return found


def _definitions(body: list[ast.stmt]) -> Iterator[Def]:
    """Give the `def` and `class` statements in `body` and in the blocks and definitions there, in the order of the source."""
    for statement in body:
        if isinstance(statement, DEFINITIONS):
            yield statement
            yield from _definitions(statement.body)
        elif not isinstance(statement, (ast.Expr, ast.Assign, ast.Return)):  # the most frequent ones, which have no blocks
            for block in blocks_of(statement):
                yield from _definitions(block)


def _key(statement: ast.stmt) -> str:
    if isinstance(statement, DEFINITIONS):
        kind = "class" if isinstance(statement, ast.ClassDef) else "def"
        return f"{kind} {statement.name}"
    blocks = list(blocks_of(statement))
    if not blocks:
        return ast.dump(statement)
    inside = (f"{{{'; '.join(map(_key, block))}}}" for block in blocks)
    return " ".join([_head(statement), *inside])


def bound_names(statements: Iterable[ast.stmt]) -> set[str]:
    """Give the names that statements of a module or class bind there: by assignment, import, definition, or in any other way.

    What stands under `if TYPE_CHECKING:` is never run.
    """
    names: set[str] = set()
    waiting: list[ast.AST] = list(statements)
    while waiting:
        node = waiting.pop()
        if isinstance(node, DEFINITIONS):
            names.add(node.name)
            waiting += node.decorator_list
        elif isinstance(node, ast.If) and is_type_checking(node.test):
            waiting += node.orelse
        elif isinstance(node, IMPORTS):
            names |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.Name):
            if not isinstance(node.ctx, ast.Load):
                names.add(node.id)
        elif not isinstance(node, ast.Lambda):
            name = getattr(node, "name", None) or getattr(node, "rest", None)  # of `except … as`, `case … as`, `type`
            if isinstance(name, str):
                names.add(name)
            waiting += ast.iter_child_nodes(node)
            waiting += _executed_text(node)
    return names


def _executed_text(node: ast.AST) -> list[ast.stmt]:
    """Give the statements of `exec("…")`, where the text is written out."""
    match node:
        case ast.Call(func=ast.Name(id="exec"), args=[ast.Constant(value=str(text))]):
            try:
                return ast.parse(text).body
            except SyntaxError:
                return []
        case _:
            return []


def is_type_checking(test: ast.expr) -> bool:
    """Tell whether a condition is true for type checkers only."""
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )


def loaded_names(node: ast.AST) -> set[str]:
    """Give the names that syntax may read, those in functions inside of it too."""
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load)}


def blocks_of(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    """Give the blocks of a compound statement."""
    for field in ("body", "orelse", "finalbody"):
        block = getattr(statement, field, None)
        if isinstance(block, list) and block:
            yield block
    for part in [*getattr(statement, "handlers", ()), *getattr(statement, "cases", ())]:
        yield part.body


def _head(statement: ast.stmt) -> str:
    """Say what a statement is, without the statements inside it."""
    parts = [type(statement).__name__]
    for field, value in ast.iter_fields(statement):
        if field in ("body", "orelse", "finalbody"):
            continue
        if field == "handlers":
            parts += [f"{each.name}:{ast.dump(each.type) if each.type else ''}" for each in value]
        elif field == "cases":
            parts += [f"{ast.dump(each.pattern)}:{ast.dump(each.guard) if each.guard else ''}" for each in value]
        elif isinstance(value, ast.AST):
            parts.append(ast.dump(value))
        elif isinstance(value, list):
            parts += [ast.dump(each) if isinstance(each, ast.AST) else repr(each) for each in value]
        else:
            parts.append(repr(value))
    return " ".join(parts)
