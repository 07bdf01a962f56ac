"""Variants of a function's newest text that can be entered in the middle.

A variant has a marker in front of the statement at which a frame is to go on: statements that the normal flow never reaches, and which
the compiler leaves in place. So the compiler itself makes a spot at which nothing but open blocks lies on the stack, and, as it
must take the path from the function's start to the marker for possible, checks that variables are bound where they may not be.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import enum
import warnings
from collections.abc import Collection, Iterator, Sequence
from types import CodeType
from typing import NamedTuple, TypeVar

from fixcont.bytecode.interpreter import NAME, OPCODE, UNITS
from fixcont.bytecode.stack import block_kinds_at
from fixcont.editing.definitions import FUTURES
from fixcont.editing.statements import (
    Block,
    BlockKind,
    Place,
    Scope,
    find_scope,
    match,
    nearest,
    place_of_span,
    place_on_line,
    places,
)
from fixcont.editing.texts import Kind, Node
from fixcont.errors import Refusal, Refused

#: Under this name `USE_VALUE` finds the value, in a list from which it is taken. No program can spell it.
VALUE_NAME = ".value"
#: The column of markers: no line is as long as this, and the line is that of the statement.
_COLUMN = 1 << 20


class How(enum.Enum):
    """Where to go on."""

    RETRY = enum.auto()  #: at the statement that failed or runs
    LINE = enum.auto()  #: at the statement on a line
    SKIP = enum.auto()  #: behind the statement that failed or runs
    USE_VALUE = enum.auto()  #: at that statement, with a value in the place of the expression that failed


class Kept(NamedTuple):
    """A block around the place where the frame goes on.

    Attributes:
        kind: what it is.
        partner: the index of the live block that it corresponds to, or None.
        line: where it begins.
    """

    kind: BlockKind
    partner: int | None
    line: int


class Variant(NamedTuple):
    """Code that can be entered in the middle.

    Attributes:
        code: as the compiler made it.
        node: the newest version of the function, of which it is a variant.
        spots: code units at which to enter: one for each copy that the compiler made of the statement, as it does in `finally` bodies.
        copy: the index of the spot in the copy that corresponds to the one that the frame runs; None where that is not known.
        live: the blocks around the statement that failed or runs, outermost first.
        kept: the blocks around the place where to go on, outermost first.
        line: of that place.
        was: the line of the statement that failed or runs, in the text that the frame runs.
        calls: what that statement had called already and will call again, as the source has it.
    """

    code: CodeType
    node: Node
    spots: tuple[int, ...]
    copy: int | None
    live: tuple[Block, ...]
    kept: tuple[Kept, ...]
    line: int
    was: int
    calls: tuple[str, ...]


def make_variant(
    old: Node, new: Node, code: CodeType, unit: int, how: How, line: int | None = None, bound: Collection[str] = ()
) -> Variant:
    """Make the variant for a frame.

    Args:
        old: what the frame runs.
        new: the newest version of it.
        code: the frame's code without traps.
        unit: the code unit of `code` of the instruction that failed or runs.
        how: where to go on.
        line: for `How.LINE`, of the newest text.
        bound: the names of the variables that are bound in the frame.

    Raises:
        Refused: there is no such place, or it cannot be told.
    """
    if old.kind not in (Kind.FUNCTION, Kind.MODULE, Kind.CLASS):
        raise Refused(Refusal("no-statement", f"{old.qualname} is no statement to go on at", "go on in the function around it"))
    while unit and code.co_code[2 * unit] == OPCODE["CACHE"]:  # 3.11 and 3.12 point into the caches of a call
        unit -= 1
    return _Maker(old, new, code, unit, bound).make(how, line)


class _Maker:
    """Makes one variant.

    Attributes:
        old, new: the scopes in the two texts.
        failed: where the statement stands that failed or runs.
        live: the live blocks around it, with those that it has opened itself.
        has_failed_exit: whether it is a `with` of which an exit has failed as it was called.
        matches: old statement or handler -> new one.
    """

    def __init__(self, old: Node, new: Node, code: CodeType, unit: int, bound: Collection[str]) -> None:
        self.new_node = new
        self.bound = bound
        self.code, self.unit = code, unit
        self.old, self.new = _scope(old), _scope(new)
        positions = list(code.co_positions())
        self.span = _span(positions, unit)
        place = place_of_span(self.old, self.span) if self.span else None
        if place is None:
            raise Refused(Refusal("no-statement", f"no statement of {old.qualname} is known to run", "give a line"))
        self.failed = place
        self.has_failed_exit = False
        self.own = self._opened()
        self.live = (*place.blocks, *self.own)
        self.same_text = old.text is new.text
        self.matches: dict[ast.AST, ast.AST] = {} if self.same_text else match(self.old, self.new)

    def _opened(self) -> tuple[Block, ...]:
        """Return the blocks that the statement itself has opened: the loop that takes its next item, the first items of a `with`."""
        node = self.failed.node
        if not isinstance(node, (ast.For, ast.AsyncFor, ast.With, ast.AsyncWith)):
            return ()
        open_kinds = block_kinds_at(self.code, self.unit, failed=True)
        is_with = isinstance(node, (ast.With, ast.AsyncWith))
        self.has_failed_exit = is_with and _calls_exit(self.code, self.unit, open_kinds)
        wanted = {ast.For: "i", ast.AsyncFor: "a"}.get(type(node), "w")
        around = [_LETTER[block.kind] for block in self.failed.blocks if block.kind in _LETTER]
        count = sum(kind in "iaw" for kind in open_kinds) - len(around)
        if count <= 0:
            return ()
        if isinstance(node, (ast.With, ast.AsyncWith)):
            kind = BlockKind.WITH if isinstance(node, ast.With) else BlockKind.ASYNC_WITH
            return tuple(Block(kind, node, item) for item in range(min(count, len(node.items) - 1)))
        kind = BlockKind.FOR if wanted == "i" else BlockKind.ASYNC_FOR
        return (Block(kind, node, 0),)

    def make(self, how: How, line: int | None) -> Variant:
        if self.has_failed_exit and how in (How.RETRY, How.USE_VALUE):
            line = self.failed.node.lineno
            sentence = f"the exit of the with of line {line} has failed, and cannot be called again"
            raise Refused(Refusal("exit-failed", sentence, "skip goes on behind it"))
        place = self._place(how, line)
        own: tuple[Block, ...] = ()
        if how in (How.RETRY, How.SKIP) and self.own:
            own = self._own_in_new(place, how)
        edit, blocks = self._edit(place, how, own)
        with edit:
            code = self._compile()
        spots = _spots(code)
        at = line if how is How.LINE and line is not None else place.node.lineno
        if not spots:
            raise Refused(Refusal("no-such-line", f"line {at} is never reached", "choose another line"))
        kept = tuple(Kept(block.kind, self._partner(block), _line_of(block)) for block in blocks)
        is_same = place.node is self._successor()
        calls = self._calls(how) if is_same else ()
        copy = self._copy(len(spots)) if is_same else None
        return Variant(code, self.new_node, spots, copy, self.live, kept, place.node.lineno, self.failed.node.lineno, calls)

    def _copy(self, count: int) -> int | None:
        """Return which of so many copies of the statement the frame runs, by the place of the failing instruction among its likes."""
        op = self.code.co_code[2 * self.unit]
        positions = list(self.code.co_positions())
        likes = [at for at, name, _ in _instructions(self.code) if OPCODE[name] == op and _span(positions, at) == self.span]
        if self.unit not in likes or len(likes) % count:
            return None
        return likes.index(self.unit) // (len(likes) // count)

    # -- where

    def _place(self, how: How, line: int | None) -> Place:
        if how is How.LINE:
            assert line is not None
            place = place_on_line(self.new, line)
            if place is None:
                name = self.new_node.qualname
                raise Refused(Refusal("no-such-line", f"line {line} is not in {name}", "choose one of its lines"))
            return place
        node = self._successor()
        place = next((place for place in places(self.new) if place.node is node), None)
        if place is None:
            lines = nearest(self.old, self.new, self.matches, self.failed.node)
            offer = " or ".join(f"resume {each}" for each in lines)
            sentence = f"the statement of line {self.failed.node.lineno} is no longer in {self.new_node.qualname}"
            raise Refused(Refusal("statement-gone", sentence, offer or "restart the frame"))
        return place

    def _successor(self) -> ast.AST | None:
        """Return the statement of the new text that corresponds to the one that failed or runs."""
        return self.failed.node if self.same_text else self.matches.get(self.failed.node)

    def _own_in_new(self, place: Place, how: How) -> tuple[Block, ...]:
        """Return what of the statement's own open blocks the new one has, too."""
        node = place.node
        if isinstance(node, (ast.For, ast.AsyncFor)):
            has_item = not NAME[self.code.co_code[2 * self.unit]].startswith(_TAKES_ITEM)
            if has_item and how is How.RETRY:
                sentence = "the item that the loop could not take apart is used up"
                raise Refused(Refusal("item-gone", sentence, "skip goes on with the next one"))
            return self.own[:1] if has_item or how is How.RETRY else ()
        if how is How.RETRY and isinstance(node, (ast.With, ast.AsyncWith)) and type(node) is type(self.failed.node):
            count = min(len(self.own), len(node.items) - 1)
            return tuple(Block(block.kind, node, block.item) for block in self.own[:count])
        return ()

    def _partner(self, block: Block) -> int | None:
        """Return the index of the live block to which a block of the new text corresponds."""
        for index, live in enumerate(self.live):
            node = live.node if self.same_text else self.matches.get(live.node)
            if node is block.node and live.item == block.item and live.kind is block.kind:
                return index
        return None

    # -- the text

    def _edit(
        self, place: Place, how: How, own: tuple[Block, ...]
    ) -> tuple[contextlib.AbstractContextManager[None], tuple[Block, ...]]:
        """Return what puts the marker into the new tree for a while, and the blocks around the marker."""
        node = place.node
        marker = self._marker(node)
        if own and isinstance(node, (ast.For, ast.AsyncFor)):
            taking = _at(ast.If(_empty(), [*marker, ast.Continue()], []), node)
            return _replaced(node.body, 0, 0, [taking]), (*place.blocks, Block(own[0].kind, node, 0))
        if own and isinstance(node, (ast.With, ast.AsyncWith)):
            count = len(own)
            inner = type(node)(node.items[count:], node.body)
            outer = type(node)(node.items[:count], [_at(ast.If(_empty(), marker, []), node), ast.copy_location(inner, node)])
            return _replaced(place.body, place.index, 1, [ast.copy_location(outer, node)]), (*place.blocks, *own)
        if how is How.SKIP:
            new = [_at(ast.If(_empty(), marker, []), node)]
            new[0].orelse = [node]
        elif how is How.USE_VALUE:
            new = [_at(ast.If(_empty(), [*marker, *self._with_value(node)], []), node)]
            new[0].orelse = [node]
        else:
            new = [_at(ast.If(_empty(), marker, []), node), node]  # type: ignore[list-item]
        return _replaced(place.body, place.index, 1, new), place.blocks

    def _marker(self, node: ast.stmt) -> list[ast.stmt]:
        """Return the statements at which the variant is entered, behind those that make the compiler check what may be unbound."""
        spot = ast.Expr(_empty())
        _at(spot, node)
        for each in (spot, spot.value):
            each.col_offset = each.end_col_offset = _COLUMN
            each.end_lineno = each.lineno
        if isinstance(self.new, (ast.Module, ast.ClassDef)):
            return [spot]
        own = _names_bound_in(self.new)
        unbound = [name for name in self.new_node.code.co_varnames if name in own and name not in self.bound]
        guard: list[ast.stmt] = [ast.Assign([ast.Name(VALUE_NAME, ast.Store())], _empty())]
        if unbound:
            guard.append(ast.Delete([ast.Name(name, ast.Del()) for name in unbound]))
        return [_at(ast.If(_empty(), guard, []), node), spot]

    def _with_value(self, node: ast.stmt) -> list[ast.stmt]:
        """Return the statement with the value in the place of the expression that failed, and one that lets go of the value."""
        path = _path_to(self.failed.node, self.span)
        changed = copy.deepcopy(node)
        owner: object = changed
        for step in path[:-1]:
            owner = _follow(owner, step)
        if not path or not isinstance(_follow(owner, path[-1]), ast.expr):
            sentence = f"which expression of line {self.failed.node.lineno} failed cannot be told in the new text"
            raise Refused(Refusal("no-expression", sentence, "use retry"))
        replaced = _follow(owner, path[-1])
        assert isinstance(replaced, ast.expr)
        value = ast.copy_location(_value_once(replaced), replaced)
        ast.fix_missing_locations(value)
        field, index = path[-1]
        if index is None:
            setattr(owner, field, value)
        else:
            getattr(owner, field)[index] = value
        return [changed, _at(ast.Delete([ast.Name(VALUE_NAME, ast.Del())]), node)]

    def _compile(self) -> CodeType:
        text = self.new_node.text
        tree = text.tree
        if self.new is not tree:
            around = next(
                (each for each in tree.body if each is self.new or any(node is self.new for node in ast.walk(each))), None
            )
            assert around is not None
            tree = ast.Module([around], [])
        flags = self.new_node.code.co_flags & FUTURES
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            module: CodeType = compile(tree, text.filename, "exec", flags=flags, dont_inherit=True)
        for code in _walk(module):
            if code.co_qualname == self.new_node.qualname and code.co_firstlineno == self.new_node.line and _spots(code):
                return code
        return module

    # -- what it will do again

    def _calls(self, how: How) -> tuple[str, ...]:
        """Return the calls that the failing statement had made before the instruction at which it failed, and makes again."""
        if how is How.SKIP:
            return ()
        node = self.failed.node
        spans = {_span_of(each): each for each in _own_expressions(node) if isinstance(each, ast.Call)}
        found = []
        ops = self.code.co_code[::2]
        for at, position in enumerate(self.code.co_positions()):
            if at >= self.unit:
                break
            call = spans.pop(position, None) if ops[at] in _CALLS else None
            if call is not None and position != self.span and not (how is How.USE_VALUE and _lies_in(call, self.span)):
                found.append(f"{ast.unparse(call.func)}()")
        return tuple(found)


_LETTER = {BlockKind.FOR: "i", BlockKind.ASYNC_FOR: "a", BlockKind.WITH: "w", BlockKind.ASYNC_WITH: "w"}
#: Instructions that take the next item of a loop.
_TAKES_ITEM = ("FOR_ITER", "GET_ANEXT", "SEND", "YIELD_VALUE", "RESUME", "END_ASYNC_FOR", "LOAD_CONST", "JUMP_BACKWARD")
_CALLS = {number for name, number in OPCODE.items() if name in ("CALL", "CALL_KW", "CALL_FUNCTION_EX")}


def _calls_exit(code: CodeType, unit: int, open_kinds: str) -> bool:
    """Tell whether an instruction of a `with` statement calls or awaits an exit."""
    before = [instruction for instruction in _instructions(code) if instruction[0] <= unit]
    name = before[-1][1]
    if name in _AWAITS:
        return next((argument == _AWAITS_EXIT for _, name, argument in reversed(before) if name == "GET_AWAITABLE"), False)
    if name in ("CALL", "PRECALL"):
        nones = [name for _, name, _ in before[-5:-1] if name != "PRECALL"][-3:]
        has_exit = block_kinds_at(code, unit).count("w") > open_kinds.count("w")
        return has_exit and all(name in ("LOAD_CONST", "LOAD_COMMON_CONSTANT") for name in nones)
    return name == "WITH_EXCEPT_START"


def _instructions(code: CodeType) -> Iterator[tuple[int, str, int]]:
    """Give each instruction's code unit, name and argument, of which the low byte does here."""
    raw = code.co_code
    at = 0
    while 2 * at < len(raw):
        yield at, NAME[raw[2 * at]], raw[2 * at + 1]
        at += UNITS[raw[2 * at]]


_AWAITS = ("GET_AWAITABLE", "SEND", "YIELD_VALUE", "RESUME", "JUMP_BACKWARD_NO_INTERRUPT", "CLEANUP_THROW", "END_SEND")
_AWAITS_EXIT = 2  # GET_AWAITABLE's argument


def _scope(node: Node) -> Scope:
    scope = find_scope(node.text.tree, node.qualname, node.line)
    if scope is None:
        raise Refused(Refusal("no-statement", f"{node.qualname} is not found in {node.text.filename}", "restart the frame"))
    return scope


_Span = tuple[int, int, int, int]


def _span(positions: Sequence[tuple[int | None, ...]], unit: int) -> _Span | None:
    """Return where the source of an instruction is. Instructions without a place belong to what is before them."""
    for at in range(unit, -1, -1):
        line, end_line, column, end_column = positions[at]
        if line is not None and end_line is not None and column is not None and end_column is not None:
            return line, end_line, column, end_column
    return None


def _span_of(node: ast.expr) -> tuple[int | None, ...]:
    return node.lineno, node.end_lineno, node.col_offset, node.end_col_offset


def _lies_in(node: ast.expr, span: _Span | None) -> bool:
    """Tell whether an expression is part of the one with this span."""
    if span is None or node.end_lineno is None or node.end_col_offset is None:
        return False
    begin, end = (node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)
    return (span[0], span[2]) <= begin and end <= (span[1], span[3])


def _line_of(block: Block) -> int:
    return int(getattr(block.node, "lineno", 0))


_Node = TypeVar("_Node", bound=ast.AST)


def _empty() -> ast.expr:
    """Return an expression that is false, and which no compiler knows to be."""
    return ast.List([], ast.Load())


def _at(new: _Node, node: ast.stmt) -> _Node:
    """Give nodes that have no place in the source that of a statement."""
    for each in ast.walk(new):
        if "lineno" in each._attributes and not hasattr(each, "lineno"):
            ast.copy_location(each, node)
            each.end_lineno, each.end_col_offset = each.lineno, each.col_offset  # type: ignore[attr-defined]
    return new


@contextlib.contextmanager
def _replaced(body: list[ast.stmt], index: int, count: int, new: Sequence[ast.stmt]) -> Iterator[None]:
    """Replace statements for as long as it takes to compile."""
    before = list(body)
    body[index : index + count] = new
    try:
        yield
    finally:
        body[:] = before


def _spots(code: CodeType) -> tuple[int, ...]:
    build = OPCODE["BUILD_LIST"]
    ops = code.co_code[::2]
    return tuple(at for at, place in enumerate(code.co_positions()) if place[2] == _COLUMN == place[3] and ops[at] == build)


def _walk(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _walk(constant)


class _Bindings(ast.NodeVisitor):
    """Collects the names that a function binds itself."""

    def __init__(self) -> None:
        self.bound: set[str] = set()
        self.elsewhere: set[str] = set()

    def visit_Name(self, node: ast.Name) -> None:
        if not isinstance(node.ctx, ast.Load):
            self.bound.add(node.id)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> None:
        self.bound.add(node.name)
        for each in node.decorator_list:
            self.visit(each)

    visit_AsyncFunctionDef = visit_FunctionDef
    visit_ClassDef = visit_FunctionDef

    def visit_Lambda(self, node: ast.Lambda) -> None:
        return

    def visit_ListComp(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> None:
        """Only what `:=` binds belongs to the function."""
        self.bound.update(each.target.id for each in ast.walk(node) if isinstance(each, ast.NamedExpr))

    visit_SetComp = visit_DictComp = visit_GeneratorExp = visit_ListComp

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        self.bound.update(alias.asname or alias.name.partition(".")[0] for alias in node.names)

    visit_ImportFrom = visit_Import

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.name:
            self.bound.add(node.name)
        self.generic_visit(node)

    def visit_MatchAs(self, node: ast.MatchAs | ast.MatchStar) -> None:
        if node.name:
            self.bound.add(node.name)
        self.generic_visit(node)

    visit_MatchStar = visit_MatchAs

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        if node.rest:
            self.bound.add(node.rest)
        self.generic_visit(node)

    def visit_Global(self, node: ast.Global | ast.Nonlocal) -> None:
        self.elsewhere.update(node.names)

    visit_Nonlocal = visit_Global


def _names_bound_in(function: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    bindings = _Bindings()
    for statement in function.body:
        bindings.visit(statement)
    arguments = function.args
    given = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    return (bindings.bound | {each.arg for each in given if each is not None}) - bindings.elsewhere


# -- the expression that failed

_Step = tuple[str, int | None]


def _follow(owner: object, step: _Step) -> object:
    field, index = step
    found = getattr(owner, field, None)
    if index is None:
        return found
    return found[index] if isinstance(found, list) and index < len(found) else None


def _value_once(expression: ast.expr) -> ast.expr:
    """Return an expression that is the given value the first time, and the expression itself from then on: that of a `while` is run again."""
    given = ast.Name(VALUE_NAME, ast.Load())
    take = ast.Call(ast.Attribute(given, "pop", ast.Load()), [], [])
    return ast.IfExp(given, take, expression)


def _path_to(statement: ast.stmt, span: _Span | None) -> list[_Step]:
    """Return the way from a statement to the expression of exactly this span that is evaluated, [] where there is none."""
    wanted = None if span is None else (span[0], span[1], span[2], span[3])
    work: list[tuple[ast.AST, list[_Step]]] = [(statement, [])]
    found: list[_Step] = []
    while work:
        node, path = work.pop()
        if (
            isinstance(node, ast.expr)
            and _span_of(node) == wanted
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
                    if isinstance(each, (ast.expr, ast.withitem, ast.keyword))
                ]
    return found


def _own_expressions(statement: ast.stmt) -> Iterator[ast.expr]:
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
