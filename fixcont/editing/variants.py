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
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from itertools import compress, count, islice
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
    holder_of,
    lies_in,
    names_bound_in,
    own_expressions,
    path_to,
    placed_at,
    replaced,
    span_of,
    split_with,
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

#: The column of the marker: no line is as long as this, and the line is that of the statement. Those at exits have the next ones.
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
        statement: the line of the statement that it belongs to: of an `except` or `finally` body the `try`.
    """

    kind: BlockKind
    partner: int | None
    line: int
    statement: int


class Exit(NamedTuple):
    """Where in the new text a live `with` block ends that the place where the frame goes on is not in.

    Attributes:
        block: the index of the live block.
        spots: code units in front of the `with`, or of its item: there what the exit raises goes to the handlers that are around.
        kept: the blocks around, outermost first.
        line: of the `with` statement.
    """

    block: int
    spots: tuple[int, ...]
    kept: tuple[Kept, ...]
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
        exits: where live `with` blocks end that are not among those, outermost first; without those that the new text does not have.
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
    exits: tuple[Exit, ...]
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
        old_places, new_places: their statements.
        failed: where the statement stands that failed or runs.
        live: the live blocks around it, with those that it has opened itself.
        has_failed_exit: whether it is a `with` of which an exit has failed as it was called.
        matches: old statement or handler -> new one.
    """

    def __init__(self, old: Node, new: Node, code: CodeType, unit: int, bound: Collection[str]) -> None:
        self.new_node = new
        self.bound = bound
        self.code, self.unit = code, unit
        self.old, self.new = _scope(old), _scope(new, old)
        self.old_places, self.new_places = places(self.old), places(self.new)
        self.span = _span(code, unit)
        place = self._place_of(self.span) if self.span else None
        if place is None:
            raise Refused(Refusal("no-statement", f"no statement of {old.qualname} is known to run", "give a line"))
        self.failed = place
        self.has_failed_exit = False
        self.own = self._opened()
        self.live = (*place.blocks, *self.own)
        self.same_text = old.text is new.text
        self.split: dict[
            ast.stmt, ast.With | ast.AsyncWith
        ] = {}  # `with` statement -> what stands for it, with a marker between items
        self.matches: dict[ast.AST, ast.AST] = {} if self.same_text else self._matches(old, new)

    def _place_of(self, span: Span) -> Place | None:
        """Return the place of a span; of that of a marker, that of the statement behind it."""
        line, _, column, _ = span
        if column < _COLUMN:
            return place_of_span(self.old_places, span)
        is_exit = column > _COLUMN
        here = [place for place in self.old_places if place.node.lineno == line]
        return next((place for place in here if isinstance(place.node, (ast.With, ast.AsyncWith)) or not is_exit), None)

    def _matches(self, old: Node, new: Node) -> dict[ast.AST, ast.AST]:
        """Return which old statements and handlers the new ones correspond to: at least of those that matter."""
        wanted: list[Any] = [self.failed.node, *(block.node for block in self.live)]
        lines = _same_lines(_text_of(self.old, old), _text_of(self.new, new), _first_line(self.old), _first_line(self.new))
        moved = [_moved_place(node, lines, node.end_lineno if node is self.failed.node else None) for node in wanted]
        on_lines = {same[1] for same in moved if same is not None}
        here = [node for node in (place.node for place in self.new_places) if node.lineno in on_lines or type(node) in _TRIES]
        known = {_place_of(each): each for node in here for each in (node, *_handlers(node))}
        found: dict[ast.AST, ast.AST] = {}
        for node, same in zip(wanted, moved, strict=True):
            partner = known.get(same) if same is not None else self._only_change(node, lines)
            if partner is None:
                return match(self.old, self.new)  # what was edited is near
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
        is_at_exit = self.span is not None and self.span[2] > _COLUMN  # on the way to where it was to go on
        self.has_failed_exit = is_with and (is_at_exit or _calls_exit(self.code, self.unit, open_kinds))
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
        kept = self._kept(blocks)
        with edit, contextlib.ExitStack() as edits:
            ends = [(index, around) for index in self._left(kept) if (around := self._mark_exit(index, edits)) is not None]
            code, spots = self._compile()
        at = line if how is How.LINE and line is not None else place.node.lineno
        if not spots:
            raise Refused(Refusal("no-such-line", f"line {at} is never reached", "choose another line"))
        exits = [Exit(at, _spots(code, at + 1), self._kept(around), self._line_in_new(at)) for at, around in reversed(ends)]
        is_same = how is not How.LINE or place.node is self._successor()
        calls = self._calls(how) if is_same and not own else ()  # with blocks of its own it goes on behind them
        copy = self._copy(len(spots)) if is_same else None
        return Variant(
            code, self.new_node, spots, copy, self.live, kept, tuple(exits), place.node.lineno, self.failed.node.lineno, calls
        )  # fmt: skip

    def _kept(self, blocks: Sequence[Block]) -> tuple[Kept, ...]:
        return tuple(Kept(block.kind, self._partner(block), _line_of(block), self._statement_line(block)) for block in blocks)

    def _statement_line(self, block: Block) -> int:
        tries = (place.node for place in self.new_places if block.node in _handlers(place.node))
        return next(tries, block.node).lineno  # type: ignore[attr-defined, no-any-return]

    def _left(self, kept: Sequence[Kept]) -> list[int]:
        """Return the indices of the live `with` blocks that are not kept, innermost first."""
        partners = {block.partner for block in kept}
        return [at for at, block in reversed([*enumerate(self.live)]) if block.kind in WITHS and at not in partners]

    def _new_node(self, node: ast.AST) -> ast.AST | None:
        """Return the node of the new text that corresponds to one of the old text."""
        return node if self.same_text else self.matches.get(node)

    def _line_in_new(self, index: int) -> int:
        return int(getattr(self._new_node(self.live[index].node), "lineno", 0))

    def _mark_exit(self, index: int, edits: contextlib.ExitStack) -> tuple[Block, ...] | None:
        """Put a marker in front of a live `with` block, or between its items, for as long as `edits` is open.

        Returns:
            The blocks around the marker; None where the new text does not have it.
        """
        block = self.live[index]
        node = self._new_node(block.node)
        place = next((place for place in self.new_places if place.node is node), None)
        if place is None or not isinstance(node, (ast.With, ast.AsyncWith)) or type(node) is not type(block.node):
            return None
        standing = self.split.get(node, node)
        holder = holder_of(self.new, standing)
        if holder is None or block.item >= len(node.items):
            return None
        marker = placed_at(ast.If(empty_list(), self._marker(node, index + 1), []), node)
        at = next(at for at, each in enumerate(holder) if each is standing)
        if not block.item:
            edits.enter_context(replaced(holder, at, 0, [marker]))
            return place.blocks
        outer = self.split[node] = split_with(standing, block.item, marker)
        edits.enter_context(replaced(holder, at, 1, [outer]))
        return (*place.blocks, *(Block(block.kind, node, item) for item in range(block.item)))

    def _copy(self, count: int) -> int | None:
        """Return which of so many copies of the statement the frame runs, by the place of the failing instruction among its likes."""
        if count == 1:
            return 0
        op = self.code.co_code[2 * self.unit]
        positions = list(self.code.co_positions())
        likes = [
            at for at, name, _ in _instructions(self.code) if OPCODE[name] == op and _last_span(positions[: at + 1]) == self.span
        ]
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
        if self.same_text or len(self.matches) <= len(self.live) + 1:  # nothing changed near it
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
        return self._new_node(self.failed.node)

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
            node = self._new_node(live.node)
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
            outer = split_with(node, len(own), placed_at(ast.If(empty_list(), marker, []), node))
            self.split[node] = outer
            return replaced(place.body, place.index, 1, [outer]), (*place.blocks, *own)
        if how is How.SKIP:
            new = [placed_at(ast.If(empty_list(), marker, []), node)]
            new[0].orelse = [node]
        elif how is How.USE_VALUE:
            new = [placed_at(ast.If(empty_list(), [*marker, *self._with_value(node)], []), node)]
            new[0].orelse = [node]
        else:
            new = [placed_at(ast.If(empty_list(), marker, []), node), node]  # type: ignore[list-item]
        return replaced(place.body, place.index, 1, new), place.blocks

    def _marker(self, node: ast.stmt, number: int = 0) -> list[ast.stmt]:
        """Return the statements at which the variant is entered, behind those that make the compiler check what may be unbound.

        Args:
            number: 0 where the frame goes on, others for exits on the way.
        """
        spot = ast.Expr(empty_list())
        placed_at(spot, node)
        for each in (spot, spot.value):
            each.col_offset = each.end_col_offset = _COLUMN + number
            each.end_lineno = each.lineno
        if isinstance(self.new, (ast.Module, ast.ClassDef)):
            return [spot]
        unbound = [name for name in self.new_node.code.co_varnames if name not in self.bound]
        borrowed = _borrowed(self.new_node.code).intersection(unbound)  # maybe bound by a comprehension only
        if borrowed and not borrowed.isdisjoint(self._names_from_elsewhere()):
            own = names_bound_in(self.new)
            unbound = [name for name in unbound if name in own]
        guard: list[ast.stmt] = [ast.Assign([ast.Name(VALUE_NAME, ast.Store())], empty_list())]
        if unbound:
            guard.append(ast.Delete([ast.Name(name, ast.Del()) for name in unbound]))
        return [placed_at(ast.If(empty_list(), guard, []), node), spot]

    def _names_from_elsewhere(self) -> set[str]:
        """Return names that may mean something else than a variable of the function, so that to delete them might change what they mean."""
        names = {
            name for place in self.new_places if isinstance(place.node, (ast.Global, ast.Nonlocal)) for name in place.node.names
        }
        for code in _walk(self.new_node.code):
            names.update(code.co_names, code.co_freevars)
        return names

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

    def _compile(self) -> tuple[CodeType, tuple[int, ...]]:
        """Return the code of the variant, and the spots in it."""
        text = self.new_node.text
        tree = text.tree_around(self.new_node)
        if self.new is not tree:
            line = self.new.lineno  # type: ignore[union-attr]
            around = next(
                each for each in tree.body if each.lineno <= line <= (each.end_lineno or line) and _holds(each, self.new)
            )
            tree = ast.Module([around], [])
        flags = self.new_node.code.co_flags & FUTURES
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            module: CodeType = compile(tree, text.filename, "exec", flags=flags, dont_inherit=True)
        for code in _walk(module):
            if code.co_qualname == self.new_node.qualname and code.co_firstlineno == self.new_node.line:
                spots = _spots(code)
                if spots:
                    return code, spots
        return module, _spots(module)

    # -- what it will do again

    def _calls(self, how: How) -> tuple[str, ...]:
        """Return the calls that the failing statement had made before the instruction at which it failed, and makes again."""
        if how is How.SKIP:
            return ()
        node = self.failed.node
        spans = {span_of(each): each for each in own_expressions(node) if isinstance(each, ast.Call)}
        found = []
        calls = self.code.co_code[: 2 * self.unit : 2].translate(_IS_CALL) if spans else b""
        for position in compress(self.code.co_positions(), calls):
            call = spans.pop(position, None)
            if call is not None and position != self.span and not (how is How.USE_VALUE and lies_in(call, self.span)):
                found.append(f"{ast.unparse(call.func)}()")
        return tuple(found)


WITHS = (BlockKind.WITH, BlockKind.ASYNC_WITH)
#: Blocks that have an item of their own on the stack all the time.
_ON_STACK = (BlockKind.FOR, BlockKind.ASYNC_FOR, *WITHS)
#: Instructions that take the next item of a loop.
_TAKES_ITEM = ("FOR_ITER", "GET_ANEXT", "SEND", "YIELD_VALUE", "RESUME", "END_ASYNC_FOR", "LOAD_CONST", "JUMP_BACKWARD")
#: For `bytes.translate`: opcodes to 1, where they are such, or 0; without an instruction of Python for each.
_IS_CALL = bytes(name in ("CALL", "CALL_KW", "CALL_FUNCTION_EX") for name in NAME)
_IS_BUILD = bytes(name == "BUILD_LIST" for name in NAME)


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


def _scope(node: Node, like: Node | None = None) -> Scope:
    scope = find_scope(node.text.tree_around(node, like), node.qualname, node.line)
    if scope is None:
        raise Refused(Refusal("no-statement", f"{node.qualname} is not found in {node.text.filename}", "restart the frame"))
    return scope


def _span(code: CodeType, unit: int) -> Span | None:
    """Return where the source of an instruction is. Instructions without a place belong to what is before them."""
    nearest = deque(islice(code.co_positions(), unit + 1), maxlen=_NEAR)
    return _last_span(nearest) or (_last_span(list(islice(code.co_positions(), unit + 1))) if unit >= _NEAR else None)


_NEAR = 50  # that many instructions hardly ever lack a place one after the other


def _last_span(positions: Sequence[tuple[int | None, ...]]) -> Span | None:
    for line, end_line, column, end_column in reversed(positions):
        if line is not None and end_line is not None and column is not None and end_column is not None:
            return line, end_line, column, end_column
    return None


_TRIES = (ast.Try, ast.TryStar)
_GUARDS = (ast.If, ast.Try, ast.TryStar, ast.Match)


def _holds(statement: ast.stmt, scope: Scope) -> bool:
    return statement is scope or any(node is scope for node in ast.walk(statement))


def _contains(outer: ast.stmt, inner: ast.stmt) -> bool:
    return outer is not inner and any(node is inner for node in ast.walk(outer))


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


def _line_of(block: Block) -> int:
    return int(getattr(block.node, "lineno", 0))


def _spots(code: CodeType, number: int = 0) -> tuple[int, ...]:
    """Return where the marker with this number is."""
    builds = code.co_code[::2].translate(_IS_BUILD)
    places = zip(compress(count(), builds), compress(code.co_positions(), builds), strict=False)
    column = _COLUMN + number
    return tuple(at for at, place in places if place[2] == column == place[3])


def _walk(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _walk(constant)
