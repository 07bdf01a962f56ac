"""Going on in the callers of a replayed frame: each is made anew at the statement of its call, with the value in the place of the call."""

from __future__ import annotations

import ast
import inspect
from typing import Any, NamedTuple

from fixcont.bytecode import interpreter
from fixcont.continuing import reentry
from fixcont.continuing.ways import UseValue
from fixcont.errors import Refusal, Refused
from fixcont.postmortem import rebuild
from fixcont.postmortem.dead import PostMortem
from fixcont.postmortem.expressions import Bound, Unknown, attribute_of, bound_to, called_by, expression_at, value_of
from fixcont.postmortem.running import Ended, run
from fixcont.stopping.frames import Frame


class Outward(NamedTuple):
    """How far it came.

    Attributes:
        function: the qualified name of what ended last.
        ended: how.
        callers: the qualified names of the callers that went on to their ends, innermost first.
        refusal: why the next caller did not go on; None where there is none, or one has raised.
        repeated: of each caller that went on and whose statement had called something before: its qualified name, and these calls, as the
            source has them. They were made again.
    """

    function: str
    ended: Ended
    callers: tuple[str, ...]
    refusal: Refusal | None
    repeated: tuple[tuple[str, tuple[str, ...]], ...]


def go_outward(post: PostMortem, frame: Frame, ended: Ended, *, with_holes: bool = False) -> Outward:
    """Go on in the callers of a frame that has ended with a value, until one raises, or cannot be gone on in.

    Args:
        with_holes: as of a `Replay`.
    """
    callers: list[str] = []
    repeated: list[tuple[str, tuple[str, ...]]] = []
    inner = frame
    while ended.error is None:
        caller = post.caller_of(inner)
        if caller is None:
            break
        try:
            way = UseValue(caller, _value_for(post, inner, caller, ended.value))
            rebuilding = post.plan(way, with_holes=with_holes)
            call = rebuild.takeover(post, way, rebuilding)
        except Refused as refused:
            return Outward(inner.function, ended, tuple(callers), refused.refusal, tuple(repeated))
        if rebuilding.plan.landing.calls:
            repeated.append((caller.function, rebuilding.plan.landing.calls))
        ended = run(call, reentry.kind_flags(caller.code))
        inner = caller
        if ended.error is None:
            callers.append(caller.function)
    return Outward(inner.function, ended, tuple(callers), None, tuple(repeated))


def _value_for(post: PostMortem, callee: Frame, caller: Frame, value: Any) -> Any:
    """Return the value of the expression of the caller that has called a frame which ended with `value`. Raises `Refused`."""
    if post.is_running(caller):
        sentence = f"{caller.function} is still running: it has handled the exception itself"
        raise Refused(Refusal("still-running", sentence, "use the value in what it does next"))
    if callee.code.co_flags & (interpreter.GENERATOR | interpreter.ASYNC_GENERATOR):
        sentence = f"what {callee.function} yields goes to line {caller.line} of {caller.function} one by one"
        raise Refused(Refusal("generator", sentence, "replay --resume the statement that makes the generator, in that frame"))
    if not post.is_users(caller):
        sentence = f"{caller.function} is not in the scope of the user's own files"
        raise Refused(Refusal("not-trapped", sentence, "select a frame further out, and replay it"))
    try:
        bound = _called(post, callee, caller)
    except Unknown:
        raise Refused(_between(callee, caller)) from None
    function = post.function_of(callee)
    if bound is None or function is None or bound.function is not function:
        raise Refused(_between(callee, caller))
    first = _first_variable(callee)
    if bound.makes:  # the call gives what it makes, which is the first argument of `__init__`
        return first
    if bound.first and callee.code.co_argcount and first is not bound.first[0]:  # another object stands there by now
        raise Refused(_between(callee, caller))
    return value


def _called(post: PostMortem, callee: Frame, caller: Frame) -> Bound | None:
    tree = post.tree_of(caller.code)
    node = expression_at(tree, caller.span) if tree is not None and caller.span is not None else None
    if node is None:
        return None
    is_awaited = isinstance(node, ast.Await)
    made = _made_for(node.value if isinstance(node, ast.Await) else node, callee, caller)
    bound = called_by(node, caller.raw) if made is None else bound_to(made)
    is_coroutine = bool(bound.function.__code__.co_flags & interpreter.COROUTINE)
    return bound if is_awaited == is_coroutine else None


def _made_for(call: ast.expr, callee: Frame, caller: Frame) -> Any:
    """Return the method of an object that only the call had, as `Shop(rows).run()` has it; None where it is no such call.

    The callee has the object, as its first variable. Raises `Unknown`.
    """
    if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Call)):
        return None
    kind = value_of(call.func.value.func, caller.raw)
    made = _first_variable(callee)
    if type(kind) is not type or type(made) is not kind or inspect.getattr_static(kind, "__new__") is not object.__new__:
        raise Unknown
    return attribute_of(made, call.func.attr)


def _first_variable(frame: Frame) -> Any:
    names = frame.code.co_varnames
    return frame.raw.f_locals.get(names[0]) if names else None


def _between(callee: Frame, caller: Frame) -> Refusal:
    sentence = (
        f"line {caller.line} of {caller.function} does not call {callee.function} directly, or cannot be told to, so what it "
        "would have made of the value is not known"
    )
    return Refusal("not-called-directly", sentence, '"replay --retry" in that frame runs the statement again')
