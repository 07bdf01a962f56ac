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
from typing import Any, NamedTuple

from fixcont.bytecode.interpreter import NAME, OPCODE, UNITS
from fixcont.bytecode.stack import block_kinds_at
from fixcont.editing.definitions import FUTURES
from fixcont.editing.markers import (
    VALUE_NAME,
    Span,
    empty_list,
    follow,
    names_bound_in,
    own_expressions,
    path_to,
    placed_at,
    replaced,
    span_of,
    value_once,
)  # fmt: skip
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


class Finally(NamedTuple):
    """A `finally` body that runs when the statement that failed is left, and the place where to go on as well.

    Attributes:
        line: of its `try`, in the new text.
        first, last: where it begins and ends in the text that the frame runs: line and column.
    """

    line: int
    first: tuple[int, int]
    last: tuple[int, int]


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
        finallys: those around both places, outermost first.
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
    finallys: tuple[Finally, ...]


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
        old_places, new_places: their statements.
        failed: where the statement stands that failed or runs.
        live: the live blocks around it, with those that it has opened itself.
        has_failed_exit: whether it is a `with` of which an exit has failed as it was called.
        closing: the `try` statements whose `finally` body runs when it is left.
        matches: old statement or handler -> new one.
        is_changed_near: whether the edit changed the statement that failed or the lines around it.
    """

    def __init__(self, old: Node, new: Node, code: CodeType, unit: int, bound: Collection[str]) -> None:
        self.new_node = new
        self.bound = bound
        self.code, self.unit = code, unit
        self.old, self.new = _scope(old), _scope(new)
        self.old_places, self.new_places = places(self.old), places(self.new)
        positions = list(code.co_positions())
        self.span = _span(positions, unit)
        place = place_of_span(self.old, self.span) if self.span else None
        if place is None:
            raise Refused(Refusal("no-statement", f"no statement of {old.qualname} is known to run", "give a line"))
        self.failed = place
        self.has_failed_exit = False
        self.own = self._opened()
        self.live = (*place.blocks, *self.own)
        self.closing = [each.node for each in self.old_places if _runs_before_finally(each.node, place.node)]
        self.same_text = old.text is new.text
        self.is_changed_near = False
        self.matches: dict[ast.AST, ast.AST] = {} if self.same_text else self._matches(old, new)

    def _matches(self, old: Node, new: Node) -> dict[ast.AST, ast.AST]:
        """Return which old statements and handlers the new ones correspond to: at least of those that matter."""
        wanted: list[ast.AST] = [self.failed.node, *(block.node for block in self.live), *self.closing]
        lines = _same_lines(_text_of(self.old, old), _text_of(self.new, new), _first_line(self.old), _first_line(self.new))
        known = {_place_of(node): node for place in self.new_places for node in (place.node, *_handlers(place.node))}
        found: dict[ast.AST, ast.AST] = {}
        for node in wanted:
            end = node.end_lineno if node is self.failed.node else None
            same = _moved_place(node, lines, end)
            partner = known.get(same) if same is not None else self._only_change(node, lines)
            if partner is None:
                self.is_changed_near = True
                return match(self.old, self.new)
            found[node] = partner
        return found

    def _only_change(self, node: ast.AST, lines: dict[int, int]) -> ast.AST | None:
        """Return the one statement of the new text that takes the place of the only old one that was edited, if that is it."""
        old = [place.node for place in self.old_places if place.node.lineno not in lines]
        same = set(lines.values())
        new = [place.node for place in self.new_places if place.node.lineno not in same]
        if old != [node] or len(new) != 1 or _place_of(new[0])[::2] != _place_of(node)[::2]:
            return None
        return new[0]

    def _opened(self) -> tuple[Block, ...]:
        """Return the blocks that the statement itself has opened: the loop that takes its next item, the first items of a `with`."""
        node = self.failed.node
        if not isinstance(node, (ast.For, ast.AsyncFor, ast.With, ast.AsyncWith)):
            return ()
        open_kinds = block_kinds_at(self.code, self.unit, failed=True)
        is_with = isinstance(node, (ast.With, ast.AsyncWith))
        self.has_failed_exit = is_with and _calls_exit(self.code, self.unit, open_kinds)
        around = sum(block.kind in _ON_STACK for block in self.failed.blocks)
        count = sum(kind in "iaw" for kind in open_kinds) - around
        if count <= 0:
            return ()
        if isinstance(node, (ast.For, ast.AsyncFor)):
            return (Block(BlockKind.FOR if isinstance(node, ast.For) else BlockKind.ASYNC_FOR, node, 0),)
        kind = BlockKind.WITH if isinstance(node, ast.With) else BlockKind.ASYNC_WITH
        return tuple(Block(kind, node, item) for item in range(min(count, len(node.items) - 1)))

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
        is_same = how is not How.LINE or place.node is self._successor()
        calls = self._calls(how) if is_same and not own else ()  # with blocks of its own it goes on behind them
        copy = self._copy(len(spots)) if is_same else None
        return Variant(
            code, self.new_node, spots, copy, self.live, kept, place.node.lineno, self.failed.node.lineno, calls,
            tuple(self._finallys(place)),
        )  # fmt: skip

    def _finallys(self, place: Place) -> Iterator[Finally]:
        """Give the `finally` bodies that are ahead both of the statement that failed and of the place where to go on."""
        for node in self.closing:
            assert isinstance(node, (ast.Try, ast.TryStar))
            partner = node if self.same_text else self.matches.get(node)
            if isinstance(partner, (ast.Try, ast.TryStar)) and _runs_before_finally(partner, place.node):
                last = node.finalbody[-1]
                assert last.end_lineno is not None and last.end_col_offset is not None
                first = node.finalbody[0]
                yield Finally(partner.lineno, (first.lineno, first.col_offset), (last.end_lineno, last.end_col_offset))

    def _copy(self, count: int) -> int | None:
        """Return which of so many copies of the statement the frame runs, by the place of the failing instruction among its likes."""
        if count == 1:
            return 0
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
        place = next((place for place in self.new_places if place.node is node), None)
        if place is None:
            lines = nearest(self.old, self.new, self.matches, self.failed.node)
            offer = " or ".join(f"resume {each}" for each in lines)
            sentence = f"the statement of line {self.failed.node.lineno} is no longer in {self.new_node.qualname}"
            raise Refused(Refusal("statement-gone", sentence, offer or "restart the frame"))
        return place if how is How.USE_VALUE else self._guarded(place)

    def _guarded(self, place: Place) -> Place:
        """Return the place of the condition or `try` that the edit has put around a statement, so that it is not passed by."""
        if self.same_text or not self.is_changed_near:
            return place
        known = {id(node) for node in self.matches.values()}
        for outer in self.new_places:
            if outer.node.lineno > place.node.lineno:
                break
            if isinstance(outer.node, _GUARDS) and id(outer.node) not in known and _contains(outer.node, place.node):
                return outer
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
            taking = placed_at(ast.If(empty_list(), [*marker, ast.Continue()], []), node)
            return replaced(node.body, 0, 0, [taking]), (*place.blocks, Block(own[0].kind, node, 0))
        if own and isinstance(node, (ast.With, ast.AsyncWith)):
            count = len(own)
            inner = type(node)(node.items[count:], node.body)
            outer = type(node)(
                node.items[:count], [placed_at(ast.If(empty_list(), marker, []), node), ast.copy_location(inner, node)]
            )
            return replaced(place.body, place.index, 1, [ast.copy_location(outer, node)]), (*place.blocks, *own)
        if how is How.SKIP:
            new = [placed_at(ast.If(empty_list(), marker, []), node)]
            new[0].orelse = [node]
        elif how is How.USE_VALUE:
            new = [placed_at(ast.If(empty_list(), [*marker, *self._with_value(node)], []), node)]
            new[0].orelse = [node]
        else:
            new = [placed_at(ast.If(empty_list(), marker, []), node), node]  # type: ignore[list-item]
        return replaced(place.body, place.index, 1, new), place.blocks

    def _marker(self, node: ast.stmt) -> list[ast.stmt]:
        """Return the statements at which the variant is entered, behind those that make the compiler check what may be unbound."""
        spot = ast.Expr(empty_list())
        placed_at(spot, node)
        for each in (spot, spot.value):
            each.col_offset = each.end_col_offset = _COLUMN
            each.end_lineno = each.lineno
        if isinstance(self.new, (ast.Module, ast.ClassDef)):
            return [spot]
        unbound = [name for name in self.new_node.code.co_varnames if name not in self.bound]
        if _borrowed(self.new_node.code).intersection(unbound):  # maybe by a comprehension only
            own = names_bound_in(self.new)
            unbound = [name for name in unbound if name in own]
        guard: list[ast.stmt] = [ast.Assign([ast.Name(VALUE_NAME, ast.Store())], empty_list())]
        if unbound:
            guard.append(ast.Delete([ast.Name(name, ast.Del()) for name in unbound]))
        return [placed_at(ast.If(empty_list(), guard, []), node), spot]

    def _with_value(self, node: ast.stmt) -> list[ast.stmt]:
        """Return the statement with the value in the place of the expression that failed, and one that lets go of the value."""
        path = path_to(self.failed.node, self.span)
        changed = copy.deepcopy(node)
        owner: object = changed
        for step in path[:-1]:
            owner = follow(owner, step)
        if not path or not isinstance(follow(owner, path[-1]), ast.expr):
            sentence = f"which expression of line {self.failed.node.lineno} failed cannot be told in the new text"
            raise Refused(Refusal("no-expression", sentence, "use retry"))
        replaced = follow(owner, path[-1])
        assert isinstance(replaced, ast.expr)
        value = ast.copy_location(value_once(replaced), replaced)
        ast.fix_missing_locations(value)
        field, index = path[-1]
        if index is None:
            setattr(owner, field, value)
        else:
            getattr(owner, field)[index] = value
        return [changed, placed_at(ast.Delete([ast.Name(VALUE_NAME, ast.Del())]), node)]

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
        spans = {span_of(each): each for each in own_expressions(node) if isinstance(each, ast.Call)}
        found = []
        ops = self.code.co_code[::2]
        for at, position in enumerate(self.code.co_positions()):
            if at >= self.unit:
                break
            call = spans.pop(position, None) if ops[at] in _CALLS else None
            if call is not None and position != self.span and not (how is How.USE_VALUE and _lies_in(call, self.span)):
                found.append(f"{ast.unparse(call.func)}()")
        return tuple(found)


#: Blocks that have an item of their own on the stack all the time.
_ON_STACK = (BlockKind.FOR, BlockKind.ASYNC_FOR, BlockKind.WITH, BlockKind.ASYNC_WITH)
#: Instructions that take the next item of a loop.
_TAKES_ITEM = ("FOR_ITER", "GET_ANEXT", "SEND", "YIELD_VALUE", "RESUME", "END_ASYNC_FOR", "LOAD_CONST", "JUMP_BACKWARD")
_CALLS = {number for name, number in OPCODE.items() if name in ("CALL", "CALL_KW", "CALL_FUNCTION_EX")}


def _borrowed(code: CodeType) -> set[str]:
    """Return the names of variables that inlined comprehensions use for their own."""
    borrow = OPCODE.get("LOAD_FAST_AND_CLEAR", -1)
    raw, names = code.co_code, code.co_varnames
    if len(names) > 256:
        return set(names)
    return {names[raw[at + 1]] for at in range(0, len(raw), 2) if raw[at] == borrow and raw[at + 1] < len(names)}


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


def _span(positions: Sequence[tuple[int | None, ...]], unit: int) -> Span | None:
    """Return where the source of an instruction is. Instructions without a place belong to what is before them."""
    for at in range(unit, -1, -1):
        line, end_line, column, end_column = positions[at]
        if line is not None and end_line is not None and column is not None and end_column is not None:
            return line, end_line, column, end_column
    return None


_GUARDS = (ast.If, ast.Try, ast.TryStar, ast.Match)


def _contains(outer: ast.stmt, inner: ast.stmt) -> bool:
    return outer is not inner and any(node is inner for node in ast.walk(outer))


def _runs_before_finally(node: ast.AST, inner: ast.stmt) -> bool:
    """Tell whether a node is a `try` statement whose `finally` body runs when the inner statement is left."""
    if not isinstance(node, (ast.Try, ast.TryStar)) or not node.finalbody:
        return False
    before = [*node.body, *node.handlers, *node.orelse]
    return any(each is inner for part in before for each in ast.walk(part))


def _first_line(scope: Scope) -> int:
    if isinstance(scope, ast.Module):
        return 1
    return min([scope.lineno, *(each.lineno for each in scope.decorator_list)])


def _text_of(scope: Scope, node: Node) -> list[str]:
    last = None if isinstance(scope, ast.Module) else scope.end_lineno
    return node.text.lines[_first_line(scope) - 1 : last]


def _same_lines(old: list[str], new: list[str], old_first: int, new_first: int) -> dict[int, int]:
    """Return the lines at the beginning and the end of a text that are the same in another: number there -> number here."""
    shorter = min(len(old), len(new))
    first = next((at for at in range(shorter) if old[at] != new[at]), shorter)
    last = next((at for at in range(shorter - first) if old[-1 - at] != new[-1 - at]), shorter - first)
    lines = {old_first + at: new_first + at for at in range(first)}
    lines.update((old_first + len(old) - 1 - at, new_first + len(new) - 1 - at) for at in range(last))
    return lines


_Spot = tuple[type, int, int]


def _place_of(node: ast.AST) -> _Spot:
    return type(node), node.lineno, node.col_offset  # type: ignore[attr-defined]


def _moved_place(node: Any, lines: dict[int, int], end: int | None) -> _Spot | None:
    """Return where a statement is in the new text if its first line, or all its lines up to `end`, are the same there."""
    first = lines.get(node.lineno)
    if first is None or any(
        lines.get(line) != first + line - node.lineno for line in range(node.lineno, (end or node.lineno) + 1)
    ):
        return None
    return type(node), first, node.col_offset


def _handlers(node: ast.stmt) -> list[ast.ExceptHandler]:
    return getattr(node, "handlers", [])


def _lies_in(node: ast.expr, span: Span | None) -> bool:
    """Tell whether an expression is part of the one with this span."""
    if span is None or node.end_lineno is None or node.end_col_offset is None:
        return False
    begin, end = (node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)
    return (span[0], span[2]) <= begin and end <= (span[1], span[3])


def _line_of(block: Block) -> int:
    return int(getattr(block.node, "lineno", 0))


def _spots(code: CodeType) -> tuple[int, ...]:
    build = OPCODE["BUILD_LIST"]
    ops = code.co_code[::2]
    return tuple(at for at, place in enumerate(code.co_positions()) if place[2] == _COLUMN == place[3] and ops[at] == build)


def _walk(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _walk(constant)
