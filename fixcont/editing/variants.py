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
from itertools import compress
from types import CodeType
from typing import NamedTuple

from fixcont.bytecode.interpreter import NAME, OPCODE
from fixcont.bytecode.location import Location
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
from fixcont.editing.partners import Side, handlers_of, partners_of
from fixcont.editing.rewriting import compile_tree
from fixcont.editing.spots import (
    COLUMN,
    IS_CALL,
    Positions,
    borrowed_names,
    calls_exit,
    instructions,
    span_at,
    spots_of,
    with_nested,
)
from fixcont.editing.statements import (
    Block,
    BlockKind,
    Definition,
    Place,
    Statements,
    contains,
    nearest,
    place_of_span,
    place_on_line,
    start_of,
)
from fixcont.editing.texts import Kind, Node
from fixcont.errors import Refusal, Refused


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
        exits: where live `with` blocks end that are not among those, outermost first; without those that the new text does not have.
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
    exits: tuple[Exit, ...]
    line: int
    was: int
    calls: tuple[str, ...]
    finallys: tuple[Finally, ...]


def make_variant(
    old: Node, new: Node, location: Location, how: How, line: int | None = None, bound: Collection[str] = ()
) -> Variant:
    """Make the variant for a frame.

    Args:
        old: what the frame runs.
        new: the newest version of it.
        location: where the frame is in that.
        how: where to go on.
        line: for `How.LINE`, of the newest text.
        bound: the names of the variables that are bound in the frame.

    Raises:
        Refused: there is no such place, or it cannot be told.
    """
    if old.kind not in (Kind.FUNCTION, Kind.MODULE, Kind.CLASS):
        raise Refused(Refusal("no-statement", f"{old.qualname} is no statement to go on at", "go on in the function around it"))
    unit = location.unit
    while unit and location.code.co_code[2 * unit] == OPCODE["CACHE"]:  # 3.11 and 3.12 point into the caches of a call
        unit -= 1
    return _Maker(old, new, location, _behind_marker(location.positions, unit), bound).make(how, line)


def _behind_marker(positions: Positions, unit: int) -> int:
    """Return the code unit of the statement behind a marker, where a frame that went on in the middle was held at that."""
    while unit + 1 < len(positions) and positions[unit][2] == COLUMN:
        unit += 1
    return unit


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

    def __init__(self, old: Node, new: Node, location: Location, unit: int, bound: Collection[str]) -> None:
        self.new_node = new
        self.bound = bound
        self.location, self.unit = location, unit
        self.code, self.positions = location.code, location.positions
        self.old, self.old_places = _statements_of(old)
        self.new, self.new_places = _statements_of(new, old)
        self.span = span_at(self.positions, unit)
        place = self._place_of(self.span) if self.span else None
        if place is None:
            raise Refused(Refusal("no-statement", f"no statement of {old.qualname} is known to run", "give a line"))
        self.failed = place
        self.has_failed_exit = False
        self.own = self._opened()
        self.live = (*place.blocks, *self.own)
        self.closing = [each.node for each in self.old_places if _runs_before_finally(each.node, place.node)]
        self.same_text = old.text is new.text
        self.split: dict[ast.stmt, ast.With | ast.AsyncWith] = {}  # `with` statement -> what stands for it, with a marker inside
        self.matches: dict[ast.AST, ast.AST] = {}
        self.is_changed_near = False
        if not self.same_text:
            wanted = [place.node, *(block.node for block in self.live), *self.closing]
            sides = Side(old, self.old, self.old_places), Side(new, self.new, self.new_places)
            self.matches, self.is_changed_near = partners_of(wanted, place.node, *sides)

    def _place_of(self, span: Span) -> Place | None:
        """Return the place of a span; of that of a marker, that of the statement behind it."""
        line, _, column, _ = span
        if column < COLUMN:
            return place_of_span(self.old_places, span)
        is_exit = column > COLUMN
        here = [place for place in self.old_places if place.node.lineno == line]
        return next((place for place in here if isinstance(place.node, (ast.With, ast.AsyncWith)) or not is_exit), None)

    def _opened(self) -> tuple[Block, ...]:
        """Return the blocks that the statement itself has opened: the loop that takes its next item, the first items of a `with`."""
        node = self.failed.node
        if not isinstance(node, (ast.For, ast.AsyncFor, ast.With, ast.AsyncWith)):
            return ()
        open_kinds = self.location.stacks.block_kinds_at(self.unit, failed=True)
        is_with = isinstance(node, (ast.With, ast.AsyncWith))
        is_at_exit = self.span is not None and self.span[2] > COLUMN  # on the way to where it was to go on
        self.has_failed_exit = is_with and (is_at_exit or calls_exit(self.location, self.unit, open_kinds))
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
        exits = [Exit(at, spots_of(code, at + 1), self._kept(around), self._line_in_new(at)) for at, around in reversed(ends)]
        is_same = how is not How.LINE or place.node is self._successor()
        calls = self._calls(how) if is_same and not own else ()  # with blocks of its own it goes on behind them
        copy = self._copy(len(spots)) if is_same else None
        return Variant(
            code, self.new_node, spots, copy, self.live, kept, tuple(exits), place.node.lineno, self.failed.node.lineno, calls,
            tuple(self._finallys(place)),
        )  # fmt: skip

    def _finallys(self, place: Place) -> Iterator[Finally]:
        """Give the `finally` bodies that are ahead both of the statement that failed and of the place where to go on."""
        for node in self.closing:
            assert isinstance(node, (ast.Try, ast.TryStar))
            partner = self._new_node(node)
            if isinstance(partner, (ast.Try, ast.TryStar)) and _runs_before_finally(partner, place.node):
                last = node.finalbody[-1]
                assert last.end_lineno is not None and last.end_col_offset is not None
                first = node.finalbody[0]
                yield Finally(partner.lineno, (first.lineno, first.col_offset), (last.end_lineno, last.end_col_offset))

    def _kept(self, blocks: Sequence[Block]) -> tuple[Kept, ...]:
        return tuple(Kept(block.kind, self._partner(block), _line_of(block), self._statement_line(block)) for block in blocks)

    def _statement_line(self, block: Block) -> int:
        tries = (place.node for place in self.new_places if block.node in handlers_of(place.node))
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
        likes = [at for at, name, _ in instructions(self.code) if OPCODE[name] == op and span_at(self.positions, at) == self.span]
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
        """Return the place of the condition or `try` that the edit has put around a statement, or changed, so that it is not passed by."""
        if self.same_text:
            return place
        if not self.is_changed_near:
            return self._under_another_condition(place) or place
        known = {id(node) for node in self.matches.values()}
        for outer in self.new_places:
            if outer.node.lineno > place.node.lineno:
                break
            if isinstance(outer.node, _GUARDS) and id(outer.node) not in known and contains(outer.node, place.node):
                return outer
        return self._under_another_condition(place) or place

    def _under_another_condition(self, place: Place) -> Place | None:
        """Return the place of the outermost `if` around a statement whose condition the edit has changed.

        Only where no live block is given up; and where nothing has run since it was asked, so that nothing is done twice, or where going on
        at the statement could only fail again.
        """
        before = [each.node for each in _ifs_around(self.old_places, self.failed.node)]
        after = _ifs_around(self.new_places, place.node)
        if len(before) != len(after):
            return None
        for old, new in zip(before, after, strict=True):
            is_changed = ast.dump(old.test) != ast.dump(new.node.test)  # type: ignore[attr-defined]
            is_safe = isinstance(self.failed.node, ast.Raise) or _comes_first_in(old, self.failed.node)
            if is_changed and is_safe and new.blocks == place.blocks:
                return new
        return None

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
            each.col_offset = each.end_col_offset = COLUMN + number
            each.end_lineno = each.lineno
        if isinstance(self.new, (ast.Module, ast.ClassDef)):
            return [spot]
        unbound = [name for name in self.new_node.code.co_varnames if name not in self.bound]
        borrowed = borrowed_names(self.new_node.code).intersection(unbound)  # maybe bound by a comprehension only
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
        for code in with_nested(self.new_node.code):
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
        if _is_repeated(node, path):
            sentence = f"line {self.failed.node.lineno} failed inside of a comprehension, whose first item would get the value"
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
        if not isinstance(self.new, ast.Module):
            around = next(each for each in tree.body if _holds(each, self.new))
            tree = ast.Module([_alone(around, self.new, self.new_node.qualname)], [])
        flags = self.new_node.code.co_flags & FUTURES
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            module = compile_tree(tree, text.filename, flags, text.source)
        for code in with_nested(module):
            if code.co_qualname == self.new_node.qualname and code.co_firstlineno == self.new_node.line:
                spots = spots_of(code)
                if spots:
                    return code, spots
        return module, spots_of(module)

    # -- what it will do again

    def _calls(self, how: How) -> tuple[str, ...]:
        """Return the calls that the failing statement had made before the instruction at which it failed, and makes again."""
        if how is How.SKIP:
            return ()
        node = self.failed.node
        spans = {span_of(each): each for each in own_expressions(node) if isinstance(each, ast.Call)}
        found = []
        calls = self.code.co_code[: 2 * self.unit : 2].translate(IS_CALL) if spans else b""
        for position in compress(self.positions, calls):
            call = spans.pop(position, None)
            if call is not None and position != self.span and not (how is How.USE_VALUE and lies_in(call, self.span)):
                found.append(f"{ast.unparse(call.func)}()")
        return tuple(found)


def _is_repeated(node: ast.AST, path: Sequence[tuple[str, int | None]]) -> bool:
    """Tell whether a path leads into what a comprehension does for each item."""
    owner: object = node
    for step in path:
        if isinstance(owner, _COMPREHENSIONS):
            return True
        owner = follow(owner, step)
    return False


WITHS = (BlockKind.WITH, BlockKind.ASYNC_WITH)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
#: Blocks that have an item of their own on the stack all the time.
_ON_STACK = (BlockKind.FOR, BlockKind.ASYNC_FOR, *WITHS)
#: Instructions that take the next item of a loop.
_TAKES_ITEM = ("FOR_ITER", "GET_ANEXT", "SEND", "YIELD_VALUE", "RESUME", "END_ASYNC_FOR", "LOAD_CONST", "JUMP_BACKWARD")


def _statements_of(node: Node, like: Node | None = None) -> Statements:
    found = node.text.statements_of(node, like)
    if found is None:
        raise Refused(Refusal("no-statement", f"{node.qualname} is not found in {node.text.filename}", "restart the frame"))
    return found


_GUARDS = (ast.If, ast.Try, ast.TryStar, ast.Match)


def _holds(statement: ast.stmt, scope: Definition) -> bool:
    return statement is scope or contains(statement, scope)


def _alone(statement: ast.stmt, scope: Definition, qualname: str) -> ast.stmt:
    """Return of a statement what is needed to compile a function or class in it, which has this qualified name there.

    Of a class around it that is the one statement that holds it: names of a class mean nothing in its methods, unless it declares them global,
    and then they are not qualified by it.
    """
    if statement is scope or not isinstance(statement, ast.ClassDef) or not qualname.startswith(f"{statement.name}."):
        return statement
    inner = next(each for each in statement.body if _holds(each, scope))
    only = copy.copy(statement)
    only.body = [_alone(inner, scope, qualname.removeprefix(f"{statement.name}."))]
    return only


def _ifs_around(among: Sequence[Place], inner: ast.stmt) -> list[Place]:
    return [place for place in among if isinstance(place.node, ast.If) and contains(place.node, inner)]


def _comes_first_in(outer: ast.stmt, inner: ast.stmt) -> bool:
    """Tell whether nothing but conditions stands between an `if` and a statement in it."""
    if not isinstance(outer, ast.If):
        return False
    firsts = [outer.body[0], *outer.orelse[:1]]
    return any(first is inner or _comes_first_in(first, inner) for first in firsts)


def _runs_before_finally(node: ast.AST, inner: ast.stmt) -> bool:
    """Tell whether a node is a `try` statement whose `finally` body runs when the inner statement is left."""
    if not isinstance(node, (ast.Try, ast.TryStar)) or not node.finalbody:
        return False
    return contains(node, inner) and start_of(inner) < start_of(node.finalbody[0])


def _line_of(block: Block) -> int:
    return int(getattr(block.node, "lineno", 0))
