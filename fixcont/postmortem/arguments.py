"""The original arguments of a dead frame.

What a live frame keeps at the bottom of its stack for a restart is gone. An argument that the function has bound anew is recovered where
its caller still has it: where it stands in the call as a constant, or as a plain variable of a caller that is dead as well.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from types import CodeType, FrameType, FunctionType
from typing import TYPE_CHECKING, Any, Protocol

from fixcont.bytecode import interpreter
from fixcont.continuing.arguments import Arguments, changed_parameters, grouped, lost_sentence, names, unbound
from fixcont.errors import Refusal, Refused
from fixcont.postmortem.expressions import Unknown, called_by, expression_at, is_certain, value_of

if TYPE_CHECKING:
    from fixcont.postmortem.dead import PostMortem
    from fixcont.stopping.frames import Frame


def arguments_for(post: PostMortem, frame: Frame, given: Mapping[str, Any]) -> tuple[CodeType, Arguments]:
    """Return the newest version of a dead frame's function, and what to call it with.

    Args:
        given: what takes the place of the original arguments, by parameter.

    Raises:
        Refused: there is no function to call, or an argument is not known.
    """
    raw = frame.raw
    code = _newest(post, frame)
    known = {*names(raw.f_code), *names(code)}
    strange = next((name for name in given if name not in known), None)
    if strange is not None:
        raise Refused(Refusal("no-parameter", f"{frame.function} has no parameter {strange}", "give one of its parameters"))
    if not raw.f_code.co_flags & interpreter.OPTIMIZED:
        return code, Arguments({}, (), {})
    values = _values(post, frame, given)
    function = post.function_of(frame)
    lacking = [name for name in unbound(code, raw.f_code, function) if name not in given]
    if lacking:
        sentence = f"{frame.function} has a new parameter, {lacking[0]}, for which this call has no value"
        raise Refused(Refusal("parameters-differ", sentence, f"give it a default value, or say {_to_give(lacking)}"))
    found = grouped(raw.f_code, values)
    new = {name: given[name] for name in given if name not in names(raw.f_code)}
    return code, found._replace(named=found.named | new)


def original_arguments(post: PostMortem, frame: Frame, given: Mapping[str, Any]) -> Arguments:
    """Return what a dead frame was called with, as `arguments_for`, whatever the newest version of its function wants."""
    return grouped(frame.raw.f_code, _values(post, frame, given))


def newest_of(post: PostMortem, frame: Frame) -> CodeType:
    """Give the newest code of a dead frame's function, as its text has it. Raises `Refused` where there is none that could be run."""
    post.check_frame(frame)
    code = frame.raw.f_code
    if not code.co_flags & interpreter.OPTIMIZED and code.co_name != "<module>":
        sentence = f"the body of the class {frame.function} is no function, and its class was never made"
        raise Refused(Refusal("class-body", sentence, 'select its caller, and "replay --retry" runs the class statement again'))
    newest, refusal = post.context.versions.newest(code)
    if newest is None:
        assert refusal is not None
        raise Refused(refusal)
    return newest


def _newest(post: PostMortem, frame: Frame) -> CodeType:
    code = frame.raw.f_code
    if code.co_name.startswith("<") and ".0" in code.co_varnames[:1]:
        what = "generator expression" if code.co_name == "<genexpr>" else "comprehension"
        raise Refused(Refusal("comprehension", f"a {what} has used up what it runs over", "replay the function around it"))
    newest = newest_of(post, frame)
    if newest is code:  # of a text that is not known, perhaps: what was installed then is with the function
        function = post.function_of(frame)
        return function.__code__ if function is not None else code
    return newest


def _values(post: PostMortem, frame: Frame, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the value of each parameter, as the call had it."""
    raw = frame.raw
    values = {name: raw.f_locals[name] for name in names(raw.f_code) if name in raw.f_locals}
    at_death = post.at_death.get(raw, {})
    lost = [
        name
        for name in changed_parameters(raw)
        if name not in given and not (name in values and name in at_death and values[name] is not at_death[name])
    ]
    if lost:
        told = {**recovered(post, frame), **frame.given}
        values |= {name: told[name] for name in lost if name in told}
        lost = [name for name in lost if name not in told]
    lost += [name for name in names(raw.f_code) if name not in values and name not in given and name not in lost]
    if lost:
        sentence = lost_sentence(frame.function, lost, "not kept")
        raise Refused(Refusal("argument-rebound", sentence, f"say {_to_give(lost)}"))
    return values | {name: given[name] for name in given if name in names(raw.f_code)}


def _to_give(lacking: list[str]) -> str:
    return '"replay ' + ", ".join(f"{name}=EXPRESSION" for name in lacking) + '"'


class Callers(Protocol):
    """What is asked of the stop that a frame is in."""

    def caller_of(self, frame: Frame) -> Frame | None: ...
    def function_of(self, frame: Frame) -> FunctionType | None: ...
    def is_running(self, frame: Frame) -> bool: ...
    def tree_of(self, code: CodeType) -> ast.Module | None: ...


def recovered(post: Callers, frame: Frame) -> dict[str, Any]:
    """Return the arguments that the caller's call still tells."""
    caller = post.caller_of(frame)
    function = post.function_of(frame)
    if caller is None or function is None or caller.span is None or post.is_running(caller):
        return {}
    tree = post.tree_of(caller.code)
    node = expression_at(tree, caller.span) if tree is not None else None
    if not isinstance(node, ast.Call):
        return {}
    try:
        bound = called_by(node, caller.raw)
    except Unknown:
        return {}
    if bound.function is not function:
        return {}
    first = (frame.raw.f_locals.get(frame.code.co_varnames[0]),) if bound.makes and frame.code.co_varnames else bound.first
    return _told(node, caller.raw, frame.code, first)


def _told(node: ast.Call, caller: FrameType, code: CodeType, first: tuple[Any, ...]) -> dict[str, Any]:
    """Bind the expressions of a call to the parameters of a function, as far as they are certain and tell a value."""
    ordered = code.co_varnames[: code.co_argcount]
    found = dict(zip(ordered, first, strict=False))
    expressions: dict[str, ast.expr] = {}
    for name, argument in zip(ordered[len(first) :], node.args, strict=False):
        if isinstance(argument, ast.Starred):
            break
        expressions[name] = argument
    expressions |= {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg is not None}
    bound = {each.target.id for each in ast.walk(node) if isinstance(each, ast.NamedExpr)}  # by a later argument, perhaps
    for name, expression in expressions.items():
        if isinstance(expression, ast.Name) and (expression.id in bound or not is_certain(expression.id, caller)):
            continue
        if isinstance(expression, (ast.Constant, ast.Name)):
            try:
                found[name] = value_of(expression, caller)
            except Unknown:
                continue
    return found
