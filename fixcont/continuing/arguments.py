"""The arguments of a live frame, as they were bound when it was entered, and binding them to the newest version's parameters."""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence
from types import CodeType, FrameType, FunctionType
from typing import Any, Final, NamedTuple

from fixcont.bytecode import interpreter, original, parameters

_MOST: Final = 512  # code objects of which it is remembered what they do with their parameters
_known: Final[dict[int, tuple[weakref.ref[CodeType], parameters.Changes]]] = {}  # id of a code object -> it, and that


class Arguments(NamedTuple):
    """What a call was made with.

    Attributes:
        named: by parameter, but for those that collect.
        positional: what `*args` collected.
        keywords: what `**kwargs` collected.
    """

    named: dict[str, Any]
    positional: tuple[Any, ...]
    keywords: dict[str, Any]


def names(code: CodeType) -> tuple[str, ...]:
    """Return the names of all parameters, the collecting ones last."""
    return code.co_varnames[: parameters.count(code)]


def lost(frame: FrameType) -> list[str]:
    """Return the parameters of a live frame whose objects at entry can no longer be told."""
    code = frame.f_code
    bound, dropped = _changes(code)
    gone = set(bound.difference(original.kept_parameters(code)))
    if dropped - bound:
        # Where the function only ever drops an argument, and has not yet done so, it is still there.
        variables = frame.f_locals
        gone |= {slot for slot in dropped - bound if variables.get(code.co_varnames[slot]) is None}
    return [code.co_varnames[slot] for slot in sorted(gone)]


def may_be_lost(code: CodeType) -> bool:
    """Tell whether what `lost` returns is a matter of the frame, and not of its code alone."""
    bound, dropped = _changes(code)
    return bool(dropped - bound)


def _changes(code: CodeType) -> parameters.Changes:
    """Return the parameters that a function binds anew, and those that it drops. The same code is on a deep stack many times."""
    found = _known.get(id(code))
    if found is None or found[0]() is not code:
        view = original.original_view(code)
        first = original.prefix_units(code)  # what restored the variables in front of the original is no doing of the function
        if len(_known) >= _MOST:
            _known.clear()
        found = _known[id(code)] = (weakref.ref(code), parameters.changes(code, view.ops[first:], view.args[first:]))
    return found[1]


def changed_parameters(frame: FrameType) -> list[str]:
    """Return the parameters that a frame may have bound anew, dropped, or changed (a dict of `**keywords`), where nothing was kept."""
    code = frame.f_code
    if not code.co_flags & interpreter.OPTIMIZED:
        return []
    view = original.original_view(code)
    first = original.prefix_units(code)
    ops, args = view.ops[first:], view.args[first:]
    bound, dropped = parameters.changes(code, ops, args)
    gone = set(bound) | {slot for slot in dropped if frame.f_locals.get(code.co_varnames[slot]) is None}
    keywords = parameters.changed_keywords(code, ops)
    if keywords is not None:
        gone.add(keywords)
    return [code.co_varnames[slot] for slot in sorted(gone)]


def kept(frame: FrameType, stack: tuple[Any, ...]) -> dict[str, Any]:
    """Return the arguments that a frame keeps, since it binds their parameters anew. For `stack` see `at_entry`."""
    code = frame.f_code
    return {code.co_varnames[slot]: value for slot, value in zip(original.kept_parameters(code), stack, strict=False)}


def lost_sentence(function: str, lost: Sequence[str], where: str) -> str:
    """Say that arguments of a call are not to be had any more.

    Args:
        where: what became of them.
    """
    it = "it" if len(lost) == 1 else "them"
    return f"{function} has bound {' and '.join(lost)} anew, or dropped {it}, and what the call gave is {where}"


def grouped(code: CodeType, values: Mapping[str, Any]) -> Arguments:
    """Return what a call was made with, from the values of all parameters."""
    count = code.co_argcount + code.co_kwonlyargcount
    ordered = names(code)
    rest = list(ordered[count:])
    positional = tuple(values[rest.pop(0)]) if code.co_flags & interpreter.VARARGS else ()
    keywords = dict(values[rest.pop(0)]) if code.co_flags & interpreter.VARKEYWORDS else {}
    return Arguments({name: values[name] for name in ordered[:count]}, positional, keywords)


def at_entry(frame: FrameType, stack: tuple[Any, ...]) -> Arguments:
    """Return what a frame was called with.

    Args:
        frame: at a trap, with its variables still there.
        stack: the items of its open blocks; the first of them are the arguments that it rebinds.
    """
    code = frame.f_code
    values = dict(frame.f_locals) | kept(frame, stack)
    named = code.co_argcount + code.co_kwonlyargcount
    ordered = names(code)
    at = named
    positional: tuple[Any, ...] = ()
    keywords: dict[str, Any] = {}
    if code.co_flags & interpreter.VARARGS:
        positional = values[ordered[at]]
        at += 1
    if code.co_flags & interpreter.VARKEYWORDS:
        keywords = values[ordered[at]]
    return Arguments({name: values[name] for name in ordered[:named]}, positional, keywords)


def unbound(code: CodeType, old: CodeType, function: FunctionType | None) -> list[str]:
    """Return the parameters of `code`, the newest version, that would get no value from a frame of `old`.

    Args:
        function: one that runs `code`, for its default values; None if none is known.
    """
    given = set(names(old)[: old.co_argcount + old.co_kwonlyargcount])
    first = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    defaults = _defaults(code, function)
    return [name for name in first if name not in given and name not in defaults]


def _defaults(code: CodeType, function: FunctionType | None) -> dict[str, Any]:
    if function is None:
        return {}
    values = function.__defaults__ or ()
    positional = code.co_varnames[: code.co_argcount]
    found = dict(zip(positional[len(positional) - len(values) :], values, strict=True)) if values else {}
    return found | (function.__kwdefaults__ or {})


def call_arguments(code: CodeType, arguments: Arguments, function: FunctionType | None) -> tuple[list[Any], dict[str, Any]]:
    """Return positional and keyword arguments that bind to `code` as the original call did.

    Parameters that `code` no longer has are dropped; new ones get their defaults, or a collected keyword of that name.
    """
    available = dict(_defaults(code, function))
    keywords = dict(arguments.keywords)
    ordered = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    for name in ordered:
        if name in keywords and name not in arguments.named:
            available[name] = keywords.pop(name)
    available |= arguments.named
    positional = [available[name] for name in ordered[: code.co_argcount]]
    if code.co_flags & interpreter.VARARGS:
        positional += arguments.positional
    by_name = {name: available[name] for name in ordered[code.co_argcount :]}
    if code.co_flags & interpreter.VARKEYWORDS:
        by_name |= keywords
    return positional, by_name


def by_name(code: CodeType, arguments: Arguments) -> dict[str, Any]:
    """Return what the parameters of `code` were given, as far as the original call had them."""
    found = {name: arguments.named[name] for name in names(code) if name in arguments.named}
    at = code.co_argcount + code.co_kwonlyargcount
    if code.co_flags & interpreter.VARARGS:
        found[code.co_varnames[at]] = arguments.positional
        at += 1
    if code.co_flags & interpreter.VARKEYWORDS:
        found[code.co_varnames[at]] = dict(arguments.keywords)
    return found
