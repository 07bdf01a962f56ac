"""Going on in the middle of a frame: which of its open blocks are kept, and the code that takes it over.

The problem: loops and `with` blocks of a frame are items on its value stack, the newest text may have other blocks, and the compiler copies
`finally` bodies, so that one statement stands at several places, each with another stack.

Solution: the blocks around the statement that failed are told from the syntax tree, and so are those around the place where to go
on; both are laid against the stacks there. A place can be entered if each block that it needs corresponds to a live one, in the same
order. Live `with` blocks that it does not need are exited first.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from types import CellType, CodeType, FrameType, MappingProxyType
from typing import Any, NamedTuple

from fixcont.bytecode import interpreter, original
from fixcont.bytecode.entry import Contents, Leaving, enter_at
from fixcont.bytecode.flights import handlers_passed
from fixcont.bytecode.interpreter import NAME
from fixcont.bytecode.stack import Stacks
from fixcont.bytecode.traps import trap
from fixcont.continuing import arguments, checks, reentry
from fixcont.continuing.checks import Versions
from fixcont.continuing.unwinding import Answer, TrapState, releasing
from fixcont.continuing.ways import Landing, Resume, Skip, UseValue
from fixcont.editing.closures import NOTHING_MORE, Captured
from fixcont.editing.markers import VALUE_NAME
from fixcont.editing.statements import Block, BlockKind
from fixcont.editing.variants import WITHS, How, Kept, Variant
from fixcont.errors import DoesNotVerify, Refusal, Refused

Middle = Resume | UseValue | Skip

_LOOPS = (BlockKind.FOR, BlockKind.ASYNC_FOR)
_HANDLERS = (BlockKind.HANDLER, BlockKind.STAR_HANDLER)
_FIRST = {
    BlockKind.FOR: "i", BlockKind.ASYNC_FOR: "a", BlockKind.WITH: "w", BlockKind.ASYNC_WITH: "w",
    BlockKind.HANDLER: "e", BlockKind.STAR_HANDLER: "e",
}  # fmt: skip
_IN_STAR = "exgu"  #: what the body of an `except*` clause has
_SECOND = {"i": "n", "w": "s", "e": "x"}
_NAMES = {
    BlockKind.FOR: "loop", BlockKind.ASYNC_FOR: "loop", BlockKind.WITH: "with block", BlockKind.ASYNC_WITH: "with block",
    BlockKind.HANDLER: "except block", BlockKind.STAR_HANDLER: "except* block", BlockKind.FINALLY: "finally block",
}  # fmt: skip
_STATEMENTS = {
    **_NAMES, BlockKind.WITH: "with", BlockKind.ASYNC_WITH: "with",
    **dict.fromkeys([BlockKind.HANDLER, BlockKind.STAR_HANDLER, BlockKind.FINALLY], "try statement"),
}  # fmt: skip

_NONE: Mapping[int, str] = MappingProxyType({})

#: Where the items of a block lie on a stack: from, to. Empty for a `finally` body that no exception led to.
_Part = tuple[int, int]


class Spot(NamedTuple):
    """A place of a variant, and what of a live frame lies on the stack there.

    Attributes:
        unit: the code unit of the variant.
        kinds: the kinds of the items of blocks there.
        sources: for each of them, the index in `live_kinds` of the live item that it is.
    """

    unit: int
    kinds: str
    sources: tuple[int, ...]


class Stage(NamedTuple):
    """`with` blocks that are left on the way.

    Attributes:
        spot: the place that their exits belong to.
        closed: the indices in `live_kinds` of the exits, innermost first.
        is_async: for each of them, whether it is that of an `async with`.
        line: of the innermost `with` in the variant.
    """

    spot: Spot
    closed: tuple[int, ...]
    is_async: tuple[bool, ...]
    line: int


class Plan(NamedTuple):
    """How a frame will go on.

    Attributes:
        landing: where, for the user.
        variant: the text that takes over.
        stacks: those of its code.
        spot: where in the variant.
        live_kinds: the kinds of the items of blocks at the statement that failed or runs.
        stages: the `with` blocks that are left first, in order.
        value: for `UseValue`, in a tuple.
        captured: the cells that the variant captures and the frame does not have.
    """

    landing: Landing
    variant: Variant
    stacks: Stacks
    spot: Spot
    live_kinds: str
    stages: tuple[Stage, ...]
    value: tuple[Any, ...]
    captured: Captured = NOTHING_MORE


def plan_for(way: Middle, versions: Versions, state: TrapState | None, callee: FrameType | None) -> Plan:
    """Work out how a frame can go on; nothing is touched.

    Args:
        way: what the user wants.
        versions: knows the texts.
        state: what the frame's trap says, where it is in one: a stop may come late.
        callee: what the frame has called, if it is not the innermost one.

    Raises:
        Refused: it cannot.
    """
    raw, lasti = way.frame.raw, way.frame.lasti
    if lasti < 0:
        sentence = f"the exception came up before {raw.f_code.co_qualname} went on in the middle, so no statement has failed now"
        raise Refused(Refusal("no-statement", sentence, "restart the frame, or go on in its caller"))
    location = way.frame.location
    code, unit = location.code, location.unit
    bound = raw.f_locals.keys() if raw.f_code.co_flags & interpreter.OPTIMIZED else ()
    how = {UseValue: How.USE_VALUE, Skip: How.SKIP}.get(type(way), How.RETRY)
    line = way.line if isinstance(way, Resume) else None
    variant = versions.variant(raw.f_code, location, How.LINE if line is not None else how, line, set(bound))
    try:
        live_kinds = location.stacks.block_kinds_at(unit, failed=True)
    except (ValueError, IndexError) as problem:
        raise Refused(
            Refusal("not-verified", f"{raw.f_code.co_qualname} cannot be taken over: {problem}", "restart it")
        ) from problem
    there = live_kinds
    if callee is not None and callee.f_code.co_flags & interpreter.GENERATOR and _asks_for_item(code, unit):
        if how is How.RETRY and line is None:
            raise Refused(_used_up(callee, raw))
        there = live_kinds[: live_kinds.rindex("i")]
    if state is not None:
        passed = handlers_passed(raw.f_code, lasti, state.handler)
        _check_finallys(variant, code, [row.target - original.prefix_units(raw.f_code) for row in passed])
        kept = len(original.kept_parameters(raw.f_code))
        there = live_kinds[: min([_laid(live_kinds, state.layout[kept:]), *(row.depth - kept for row in passed)])]
    plan = lay(variant, there, _value(way), is_part=there != live_kinds)
    if interpreter.LOOP_KEEPS_INDEX and "n" in plan.spot.kinds:
        _check_loops(plan, state, len(original.kept_parameters(raw.f_code)))
    return plan._replace(captured=versions.captured(raw, variant.code))


def _asks_for_item(code: CodeType, unit: int) -> bool:
    """Tell whether a `for` loop waits for its next item. Where that runs a generator, 3.12 has the frame stand at a cache of FOR_ITER."""
    while NAME[code.co_code[2 * unit]] == "CACHE":
        unit -= 1
    return NAME[code.co_code[2 * unit]] == "FOR_ITER"


def _used_up(generator: FrameType, raw: FrameType) -> Refusal:
    """Return why a loop cannot ask once more for an item of a generator: that is unwound, and the loop would end as if it were at its end."""
    name, line = generator.f_code.co_qualname, raw.f_lineno
    sentence = f"{name}, from which the loop of line {line} takes its items, ends as it unwinds"
    return Refusal("item-gone", sentence, f"go on in {name}, or resume {line} begins the loop anew")


def _check_finallys(variant: Variant, code: CodeType, passed: Sequence[int]) -> None:
    """Refuse where a `finally` body that has run for the exception in flight would run again behind the place where to go on.

    Args:
        code: what the frame runs, without traps.
        passed: the code units of the handlers in which the exception has been.
    """
    begins = [next((place for place in _places(code, at)), None) for at in passed]
    for each in variant.finallys:
        if any(begin is not None and each.first <= begin < each.last for begin in begins):
            sentence = f"line {variant.line} is inside the try of line {each.line}, whose finally has run already"
            raise Refused(Refusal("finally-ran", sentence, f"resume {each.line} begins it anew"))


def _places(code: CodeType, unit: int) -> Iterator[tuple[int, int]]:
    """Give line and column of the instructions from a code unit on that have a place in the source."""
    for line, _, column, _ in islice(code.co_positions(), unit + 1, None):
        if line is not None and column is not None:
            yield line, column


def _check_loops(plan: Plan, state: TrapState | None, kept: int) -> None:
    """Refuse where a loop over a list or tuple is kept: how far it has come lies on the stack, where it cannot be read."""
    live = _live_items(plan.live_kinds, state, kept) if state is not None else None
    for kind, source in zip(plan.spot.kinds, plan.spot.sources, strict=True):
        if kind == "i" and (live is None or not hasattr(type(live[source]), "__next__")):
            sentence = f"how far a loop around line {plan.landing.line} has come cannot be read on this version of Python"
            raise Refused(Refusal("loop-index", sentence, "restart the frame, or go on outside of the loop"))


def _laid(kinds: str, layout: str) -> int:
    """Return how many of the items of these kinds are there in a layout; "x" is gone where it was on top."""
    at = 0
    for index, kind in enumerate(kinds):
        if layout[at : at + 1] == kind:
            at += 1
        elif kind != "x":
            return index
    return len(kinds)


def _value(way: Middle) -> tuple[Any, ...]:
    return (way.value,) if isinstance(way, UseValue) else ()


def lay(variant: Variant, live_kinds: str, value: tuple[Any, ...], *, is_part: bool, lost: Mapping[int, str] = _NONE) -> Plan:
    """Lay the blocks of a variant against those of a frame, and return the plan. Raises `Refused`.

    Args:
        live_kinds: the kinds of the items of blocks that the frame has.
        value: as in `Plan`.
        is_part: whether it had more when the statement failed.
        lost: index of a block of the frame -> why that cannot be entered again, to be said behind its name.
    """
    return _Planner(variant, live_kinds, value, is_part, lost).plan()


class _Planner:
    """Lays the blocks of a variant against those of the live frame."""

    def __init__(self, variant: Variant, live_kinds: str, value: tuple[Any, ...], is_part: bool, lost: Mapping[int, str]) -> None:
        self.variant = variant
        self.stacks = Stacks(variant.code)
        self.live_kinds = live_kinds
        self.value = value
        self.is_part = is_part
        self.lost = lost
        self.live = block_parts(live_kinds, [block.kind for block in variant.live])

    def plan(self) -> Plan:
        """Return the plan for the copy that the frame runs, or for the one that keeps most of what is live. Raises `Refused`."""
        variant = self.variant
        spots = variant.spots if variant.copy is None else variant.spots[variant.copy : variant.copy + 1]
        found = [self._laid_at(unit, variant.kept) for unit in spots]
        fitting = [each for each in found if isinstance(each, Spot)]
        if not fitting:
            raise Refused(next(each for each in found if isinstance(each, Refusal)))
        spot = max(fitting, key=lambda spot: len(spot.kinds))
        closed = self._closed(set(spot.sources))
        return Plan(
            self._landing(closed), variant, self.stacks, spot, self.live_kinds, self._stages(closed, spot), self.value
        )  # fmt: skip

    def _laid_at(self, unit: int, blocks: Sequence[Kept]) -> Spot | Refusal:
        """Lay the blocks around a place of the variant against the live ones."""
        kinds = self.stacks.block_kinds_at(unit)
        parts = block_parts(kinds, [block.kind for block in blocks])
        sources: list[int] = []
        last = -1
        for index, (block, part) in enumerate(zip(blocks, parts, strict=True)):
            if part is None:
                return self._differ(block, blocks[index + 1 :])
            if part[0] == part[1]:
                continue
            live = None if block.partner is None else self.live[block.partner]
            # The exception that a `finally` body keeps is gone from the stack where it was on top; "e" tells as much.
            if live is None or _without_x(kinds, part) != _without_x(self.live_kinds, live) or live[0] <= last:
                return self._differ(block, blocks[index + 1 :])
            sources += [min(live[0] + at, live[1] - 1) for at in range(part[1] - part[0])]
            last = live[0]
        if len(sources) != len(kinds):
            return Refusal("blocks-differ", f"line {self.variant.line} cannot be entered from outside", "choose another line")
        return Spot(unit, kinds, tuple(sources))

    def _differ(self, block: Kept, inner: Sequence[Kept]) -> Refusal:
        """Return the refusal for a place in a block that is not live, with the nearest line from which it is reached."""
        where = f"line {self.variant.line} is inside the {_NAMES[block.kind]} of line {block.line}"
        is_left = block.partner is not None and self.live[block.partner] is None
        usual = ", which has been left already" if self.is_part and is_left else ", which is not running"
        why = usual if block.partner is None else self.lost.get(block.partner, usual)
        sentence = f"{where}{why}"
        if block.kind in WITHS and all(each.partner is not None or each.statement == block.statement for each in inner):
            return Refusal("blocks-differ", sentence, f"resume {block.statement} enters the with anew")
        return Refusal("blocks-differ", sentence, f"resume {block.statement} begins the {_STATEMENTS[block.kind]} anew")

    def _closed(self, kept: set[int]) -> list[int]:
        """Return the indices of the live blocks whose exits are to be called, innermost first."""
        blocks = list(enumerate(zip(self.variant.live, self.live, strict=True)))
        return [
            index for index, (block, part) in reversed(blocks) if block.kind in WITHS and part is not None and part[0] not in kept
        ]

    def _stages(self, closed: Sequence[int], target: Spot) -> tuple[Stage, ...]:
        """Return how blocks are left: each where it ends in the new text, so that what its exit raises goes to the handlers there.

        The blocks around must be open there, or they would be passed by if that happens. Where they are not, as the text is another
        one now, a block is left together with the one around it, or where the frame goes on.
        """
        stages: list[Stage] = []  # the outermost first
        outer: set[int] = set()
        for index in reversed(closed):
            item = self._item(index)
            is_async = self.variant.live[index].kind is BlockKind.ASYNC_WITH
            spot, line = self._end_of(index)
            fits = (
                spot is not None and "n" not in spot.kinds
            )  # how far a loop has come may be unknown: as it is given up, that is no harm
            if spot is not None and fits and outer <= set(spot.sources) and all(source < item for source in spot.sources):
                stages.append(Stage(spot, (item,), (is_async,), line))
            elif stages:
                last = stages[-1]
                stages[-1] = last._replace(closed=(item, *last.closed), is_async=(is_async, *last.is_async))
            else:
                stages.append(Stage(target, (item,), (is_async,), self.variant.line))
            outer.add(item)
        return tuple(reversed(stages))

    def _item(self, index: int) -> int:
        part = self.live[index]
        assert part is not None
        return part[0]

    def _end_of(self, index: int) -> tuple[Spot | None, int]:
        """Return where a live `with` block ends in the new text, if it does; and its line there."""
        end = next((each for each in self.variant.exits if each.block == index), None)
        if end is None:
            return None, 0
        copy = self.variant.copy
        units = end.spots[copy : copy + 1] if copy is not None and len(end.spots) == len(self.variant.spots) else end.spots
        found = [spot for spot in (self._laid_at(unit, end.kept) for unit in units) if isinstance(spot, Spot)]
        return max(found, key=lambda spot: len(spot.kinds), default=None), end.line

    def _landing(self, closed: Sequence[int]) -> Landing:
        variant = self.variant
        loops = sum(block.kind in _LOOPS for block in variant.kept)
        withs = sum(block.kind in WITHS for block in variant.kept)
        lines = tuple(_line_of(variant.live[index]) for index in closed)
        return Landing(variant.node.qualname, variant.line, variant.was, loops, withs, lines, variant.calls)


def _without_x(kinds: str, part: _Part) -> str:
    return kinds[part[0] : part[1]].removesuffix("x")


def _line_of(block: Block) -> int:
    return int(getattr(block.node, "lineno", 0))


def block_parts(kinds: str, blocks: Sequence[BlockKind]) -> list[_Part | None]:
    """Tell which items of a stack belong to which block; None for those that are not there, and what is around by them.

    An exception has led to a `finally` body, or a `return`, or nothing: so it has items or not. `except` bodies must have theirs, so
    as many are left for them.
    """
    parts: list[_Part | None] = []
    at = 0
    for index, kind in enumerate(blocks):
        size = _size(kinds[at:], kind, blocks[index + 1 :])
        if size is None:
            return parts + [None] * (len(blocks) - index)
        parts.append((at, at + size))
        at += size
    return parts


def _size(kinds: str, block: BlockKind, inner: Sequence[BlockKind]) -> int | None:
    """Return how many of the next items belong to a block."""
    first = kinds[:1]
    if block is BlockKind.FINALLY:
        if first == "r":
            return 1
        handlers = sum(kind in _HANDLERS for kind in inner)
        if first != "e" or kinds.count("e") <= handlers:
            return 0
    elif first != _FIRST[block]:
        return None
    elif block is BlockKind.STAR_HANDLER:
        return len(_IN_STAR) if kinds.startswith(_IN_STAR) else None
    return 2 if kinds[1:2] == _SECOND.get(first, "-") else 1


class Takeover:
    """Arrives in the frame that is to go on, and hands it over."""

    def __init__(self, plan: Plan, versions: Versions) -> None:
        self._plan = plan
        self._versions = versions

    def __call__(self, frame: FrameType, state: TrapState) -> Answer:
        try:
            return self._handing_over(frame, state)
        except (DoesNotVerify, ValueError, IndexError, TypeError) as problem:
            raise AssertionError(f"the plan for {frame.f_code.co_qualname} does not fit its frame: {problem}") from problem

    def _handing_over(self, frame: FrameType, state: TrapState) -> Answer:
        plan, old = self._plan, frame.f_code
        live = _live_items(plan.live_kinds, state, len(original.kept_parameters(old)))
        given = arguments.at_entry(frame, state.stack) if old.co_flags & interpreter.OPTIMIZED else None
        takeover = taking_over(plan, self._versions, frame, state.cells, live, given)
        if given is None:
            return None, takeover
        return releasing(takeover, reentry.forget_variables(frame))


def taking_over(
    plan: Plan,
    versions: Versions,
    frame: FrameType,
    cells: tuple[CellType, ...],
    live: Sequence[Any],
    given: arguments.Arguments | None,
) -> Callable[[], Any]:
    """Return a callable that goes on where a plan says, in the place of a frame. It can be called once.

    Args:
        cells: of the frame's captured variables, as in `TrapState`.
        live: the values of the items of blocks, for `plan.live_kinds`.
        given: what the frame was called with; None for a module or a class body.
    """
    old = frame.f_code
    code = _trapped_variant(plan)
    named, variables = _variables(frame, cells, code, plan.captured.cells)
    if plan.value and old.co_flags & interpreter.OPTIMIZED:
        variables[VALUE_NAME] = list(plan.value)
    kept = _kept_arguments(code, given)
    leaving = [_leaving(stage, plan, live, kept) for stage in plan.stages]
    entry = enter_at(code, plan.spot.unit, Contents(*_lying_at(plan.spot, live, kept), variables, named, leaving))
    versions.note(entry, plan.variant)
    variables.clear()
    if given is not None:
        return reentry.entering(entry, frame, given, named, plan.captured.copies)
    if plan.value:
        (frame.f_locals if checks.is_class_body(old) else frame.f_globals)[VALUE_NAME] = list(plan.value)
    if checks.is_class_body(old):
        return reentry.continuing_class(entry, frame, named)
    return reentry.executing_module(entry, frame)


def _trapped_variant(plan: Plan) -> CodeType:
    variant = plan.variant
    functions = {node.code: node.live for node in variant.node.children if node.live is not None}  # which it has in common
    code = trap(variant.code, plan.stacks, functions)
    if not original.is_trapped(code):
        raise DoesNotVerify("it carries no traps")
    return code


def _live_items(kinds: str, state: TrapState, kept: int) -> list[Any]:
    """Return the values of the items of blocks, for those kinds. For "e" it is the exception that is handled there."""
    values = iter(state.stack[kept:])
    laid: list[tuple[str, Any]] = [(kind, None if kind in "snl" else next(values)) for kind in state.layout[kept:]]
    saved = [value for kind, value in laid if kind == "e"][1:] + [state.handled]
    found: list[Any] = []
    at = levels = 0
    for kind in kinds:
        here, value = laid[at] if at < len(laid) else ("", None)
        if kind == here:
            at += 1
        elif kind == "x":  # gone where it was on top: it is what is handled there
            value = found[-1]
        else:
            raise ValueError(f"the stack is {state.layout} where {kinds} was expected")
        found.append(saved[levels] if kind == "e" else value)
        levels += kind == "e"
    return found


#: From 3.14 on a module or class body notes here which of the annotations that stand in an `if` it has come by. A marker makes an annotation
#: such a one that was none, and the start of the body, which makes the set, is not run.
_CONDITIONAL = "__conditional_annotations__"


def _variables(
    frame: FrameType, given: tuple[CellType, ...], code: CodeType, captured: Mapping[str, CellType]
) -> tuple[dict[str, CellType], dict[str, Any]]:
    """Return the cells and the other variables that the new code gets.

    A variable that was the frame's own and is one of the function around it from now on, or the other way round, is another one. What was
    captured is what a new variable of the same name begins with.
    """
    old = frame.f_code
    named = reentry.named_cells(old, given)
    around = reentry.captured_cells(old, given) | dict(captured)
    cells = {name: cell for name, cell in named.items() if name not in around or name not in code.co_cellvars}
    cells |= {name: around[name] for name in code.co_freevars if name in around}
    if not old.co_flags & interpreter.OPTIMIZED:
        if _CONDITIONAL in code.co_cellvars:
            cells.setdefault(_CONDITIONAL, CellType(set()))
        elif _CONDITIONAL in code.co_names:
            frame.f_globals.setdefault(_CONDITIONAL, set())
        return cells, {}
    variables = dict(frame.f_locals)
    for name in code.co_cellvars:
        if name not in cells:
            cells[name] = CellType(variables[name]) if name in variables else CellType()
    return cells, {
        name: value for name, value in variables.items() if name not in code.co_cellvars and name not in code.co_freevars
    }


def _kept_arguments(code: CodeType, given: arguments.Arguments | None) -> list[Any]:
    """Return the arguments that lie at the bottom of the stack of trapped code."""
    if given is None:
        return []
    collected = arguments.by_name(code, given)
    return [collected.get(code.co_varnames[slot]) for slot in original.kept_parameters(code)]


def _lying_at(spot: Spot, live: Sequence[Any], kept: Sequence[Any]) -> tuple[str, list[Any]]:
    """Return the kinds and the items on the stack at a place."""
    return "p" * len(kept) + spot.kinds, [*kept, *(live[index] for index in spot.sources)]


def _leaving(stage: Stage, plan: Plan, live: Sequence[Any], kept: Sequence[Any]) -> Leaving:
    """Return what exits the `with` blocks of a stage."""
    kinds, items = _lying_at(stage.spot, live, kept)
    call = None
    if len(stage.closed) == 1:
        begin = stage.closed[0]
        part = range(begin, begin + 1 + plan.live_kinds.startswith("s", begin + 1))
        kinds += "".join(plan.live_kinds[index] for index in part)
        items += [live[index] for index in part]
    else:
        call = _calling([_exit(live[index]) for index in stage.closed], stage.is_async)
    return Leaving(stage.spot.unit, kinds, items, call, any(stage.is_async), stage.line)


def _calling(exits: Sequence[Any], is_async: Sequence[bool]) -> Callable[[], object]:
    """Return what calls exits in their order. One that fails does not keep the others from being called."""
    if not any(is_async):
        stack = contextlib.ExitStack()
        for exit_ in reversed(exits):
            stack.push(exit_)
        return stack.close
    async_stack = contextlib.AsyncExitStack()
    for exit_, is_awaited in reversed(list(zip(exits, is_async, strict=True))):
        (async_stack.push_async_exit if is_awaited else async_stack.push)(exit_)
    return async_stack.aclose


def _exit(item: Any) -> Any:
    if type(item) is not tuple:
        return item
    *self_, exit_ = item
    return partial(exit_, *self_)
