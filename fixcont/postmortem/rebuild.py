"""A dead frame made anew from its variables: on the newest code, at the statement that failed or at another line.

As a live frame goes on in the middle (`fixcont.continuing.resume`), but that its value stack is gone. Of the blocks that were open, a loop is
entered again where its place is certain, an `except` block where the exception that it handled is known. The exit of a `with` block
and the body of a `finally` have run, so these are not.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any, NamedTuple

from fixcont.bytecode import interpreter, parameters
from fixcont.continuing import resume
from fixcont.continuing.arguments import Arguments, names
from fixcont.continuing.ways import Resume, UseValue
from fixcont.editing.statements import Block, BlockKind
from fixcont.editing.variants import How, Variant
from fixcont.errors import DoesNotVerify, Refusal, Refused
from fixcont.postmortem.activations import cells_of
from fixcont.postmortem.arguments import newest_of
from fixcont.postmortem.expressions import Unknown
from fixcont.postmortem.positions import iterator_at

if TYPE_CHECKING:
    from fixcont.postmortem.dead import PostMortem

_NEEDED = {"blocks-differ": "blocks-gone"}


class Rebuilding(NamedTuple):
    """How a dead frame will go on.

    Attributes:
        plan: as for a live one.
        items: what lies on its stack, for `plan.live_kinds`.
    """

    plan: resume.Plan
    items: list[Any]


def plan(post: PostMortem, way: Resume | UseValue) -> Rebuilding:
    """Work out how a dead frame can go on; nothing is touched. Raises `Refused`."""
    try:
        return _plan(post, way)
    except Refused as refused:
        raise Refused(_in_our_words(refused.refusal)) from None
    except SyntaxError as error:
        raise Refused(Refusal("cannot-compile", str(error), '"replay" calls the function anew')) from error


def _plan(post: PostMortem, way: Resume | UseValue) -> Rebuilding:
    frame, raw = way.frame, way.frame.raw
    _check(post, way)
    versions = post.context.versions
    location = frame.location
    how = How.USE_VALUE if isinstance(way, UseValue) else How.RETRY
    line = way.line if isinstance(way, Resume) else None
    bound = set(raw.f_locals.keys()) if raw.f_code.co_flags & interpreter.OPTIMIZED else set()
    variant = versions.variant(raw.f_code, location, How.LINE if line is not None else how, line, bound)
    for each in variant.finallys:
        sentence = f"line {variant.line} is inside the try of line {each.line}, whose finally has run already"
        raise Refused(Refusal("finally-ran", sentence, f"resume {each.line} begins it anew"))
    try:
        kinds = location.stacks.block_kinds_at(location.unit, failed=True)
    except (ValueError, IndexError) as problem:
        raise Refused(Refusal("not-verified", f"{frame.function} cannot be taken over: {problem}", "restart it")) from problem
    items, lost = _items(post, frame.raw, variant, kinds)
    value = (way.value,) if isinstance(way, UseValue) else ()
    laid = resume.lay(variant, kinds[: len(items)], value, is_part=len(items) < len(kinds), lost=lost)
    return Rebuilding(laid._replace(captured=versions.captured(raw, variant.code)), items)


def _check(post: PostMortem, way: Resume | UseValue) -> None:
    frame = way.frame
    code = frame.code
    if not post.is_users(frame):
        sentence = f"{frame.function} is not in the scope of the user's own files"
        raise Refused(Refusal("not-trapped", sentence, "replay a frame of your own, or widen the scope"))
    newest = newest_of(post, frame)
    mask = interpreter.GENERATOR | interpreter.COROUTINE | interpreter.ASYNC_GENERATOR
    if code.co_flags & interpreter.OPTIMIZED and (newest.co_flags ^ code.co_flags) & mask:
        sentence = f"{frame.function} is another kind of function now than the one that failed"
        raise Refused(Refusal("kind-changed", sentence, "restart it"))
    callee = post.callee_of(frame)
    if isinstance(way, Resume) and way.line is None and callee is not None and callee.code.co_flags & interpreter.GENERATOR:
        if _asks_for_item(frame.raw, frame.lasti):
            sentence = f"{callee.function}, from which the loop of line {frame.line} takes its items, has ended as it unwound"
            raise Refused(Refusal("item-gone", sentence, f"resume {frame.line} begins the loop anew"))


def _asks_for_item(raw: FrameType, lasti: int) -> bool:
    code = raw.f_code.co_code
    while lasti > 0 and interpreter.NAME[code[lasti]] == "CACHE":
        lasti -= 2
    return interpreter.NAME[code[lasti]] == "FOR_ITER"


def _in_our_words(refusal: Refusal) -> Refusal:
    """Say of a dead frame what is said of live ones."""
    instead = refusal.instead
    if instead.startswith("resume "):
        instead = f"replay --{instead}"
    elif instead == "use retry":
        instead = "replay --retry runs the statement again"
    elif instead.startswith("restart"):
        instead = '"replay" calls the function anew'
    return Refusal(_NEEDED.get(refusal.code, refusal.code), refusal.sentence, instead)


# -- the blocks that were open


def _items(post: PostMortem, raw: FrameType, variant: Variant, kinds: str) -> tuple[list[Any], dict[int, str]]:
    """Return the items of blocks that can be had again, the outermost first: what is inside of the first that cannot is gone, too.

    Returns:
        The items, and for the index of a block why it is not among them, where more is to be said than that it has been left.
    """
    items: list[Any] = []
    parts = resume.block_parts(kinds, [block.kind for block in variant.live])
    for index, (block, part) in enumerate(zip(variant.live, parts, strict=True)):
        if part is None or part[0] != len(items):
            break
        if part[0] == part[1]:
            continue
        try:
            found = _item(post, raw, variant, block)
        except Unknown as unknown:
            return items, {index: str(unknown)} if unknown.args else {}
        items += [found if kind != "n" else None for kind in kinds[part[0] : part[1]]]
    return items, {}


def _item(post: PostMortem, raw: FrameType, variant: Variant, block: Block) -> Any:
    """Return what a block that was open had on the stack. Raises `Unknown`, which has what to say behind the block's name, if there is more."""
    if block.kind is BlockKind.FOR and isinstance(block.node, ast.For):
        tree = post.tree_of(raw.f_code)
        # A loop whose own line has failed was about to take an item, or had taken one that it could not take apart.
        if tree is None or block.node.lineno == variant.was:
            raise Unknown
        try:
            return iterator_at(block.node, tree, raw, post.program, _ran(post, raw))
        except Unknown as unknown:
            raise Unknown(f", whose place is not certain: {unknown}") from None
        except (StopIteration, RuntimeError):
            raise Unknown(", whose place is not certain: what it runs over has other items now") from None
    if block.kind is BlockKind.HANDLER:
        return _handled(post, raw)
    raise Unknown


def _ran(post: PostMortem, raw: FrameType) -> list[str]:
    """Return the names of the functions whose handlers may have run since a frame failed: its own, and those of its callers."""
    names = [frame.code.co_name for frame in post.stop.frames]
    at = next((at for at, frame in enumerate(post.stop.frames) if frame.raw is raw), 0)
    return names[at:]


def _handled(post: PostMortem, raw: FrameType) -> BaseException:
    """Return the exception that a frame was handling: one in the chain of contexts that came to a handler there. Raises `Unknown`."""
    found: list[BaseException] = []
    error = post.exception.__context__ if post.exception is not None else None
    while error is not None and len(found) < 2 and not any(error is each for each in found):
        if error.__traceback__ is not None and error.__traceback__.tb_frame is raw:
            found.append(error)
        error = error.__context__
    if len(found) != 1:
        raise Unknown(", and which exception that handled is not certain")
    return found[0]


# -- doing it


def takeover(post: PostMortem, way: Resume | UseValue, rebuilding: Rebuilding) -> Callable[[], Any]:
    """Return a callable that goes on in the place of a dead frame. It can be called once.

    Raises:
        Refused: it cannot be made after all.
    """
    raw = way.frame.raw
    given = _given(raw.f_code, raw.f_locals) if raw.f_code.co_flags & interpreter.OPTIMIZED else None
    cells = cells_of(raw)
    try:
        return resume.taking_over(rebuilding.plan, post.context.versions, raw, cells, rebuilding.items, given)
    except (DoesNotVerify, ValueError, IndexError, TypeError) as problem:
        sentence = f"{way.frame.function} cannot be taken over: {problem}"
        raise Refused(Refusal("not-verified", sentence, '"replay" calls the function anew')) from problem


def _given(code: CodeType, variables: Mapping[str, Any]) -> Arguments:
    """Return the parameters with the values that they have: what the frame restarts with, if it is restarted at a later stop."""
    count = code.co_argcount + code.co_kwonlyargcount
    ordered = names(code)
    assert len(ordered) == parameters.count(code)
    rest = [variables.get(name) for name in ordered[count:]]
    positional = rest.pop(0) if code.co_flags & interpreter.VARARGS else ()
    keywords = rest.pop(0) if code.co_flags & interpreter.VARKEYWORDS else {}
    named = {name: variables.get(name) for name in ordered[:count]}
    return Arguments(named, positional if type(positional) is tuple else (), keywords if type(keywords) is dict else {})
