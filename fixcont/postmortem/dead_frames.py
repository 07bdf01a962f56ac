"""Frame objects of functions that never ran: what a function's frame leaves behind when it fails at its very beginning.

The interpreter makes them, with their cells and all; a trace function, there for that one call, raises as the function begins.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from types import CellType, CodeType, FrameType, FunctionType
from typing import Any

from fixcont.bytecode import interpreter
from fixcont.bytecode.closures import NEVER_CALLED
from fixcont.postmortem.standins import Hole
from fixcont.stopping.frames import write_locals


class _Enough(BaseException):
    """Ends a function as it begins."""


def dead_frame(code: CodeType, space: dict[str, Any], variables: Mapping[str, Any]) -> FrameType:
    """Make a frame of `code` that has unwound.

    Args:
        code: of a module, a class body or a function of any kind; nothing of it runs.
        space: the global variables.
        variables: the local ones, and those of functions around it. Parameters without one get a hole; a module has none of its own.
    """
    closure = tuple(CellType(variables[name]) if name in variables else CellType() for name in code.co_freevars)
    if not code.co_flags & interpreter.OPTIMIZED:
        names: dict[str, Any] = space if code.co_name == "<module>" else dict(variables)
        keywords: dict[str, Any] = {"closure": closure} if closure else {}
        return _ended(code, lambda: exec(code, space, names, **keywords))
    function: Any = FunctionType(code, space, code.co_name, None, closure)
    function.__dict__[NEVER_CALLED] = True
    missing = Hole("unbound")
    ordered = code.co_varnames
    positional = [variables.get(name, missing) for name in ordered[: code.co_argcount]]
    named = ordered[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    keywords = {name: variables.get(name, missing) for name in named}
    frame = _ended(code, lambda: _run(function(*positional, **keywords), code))
    known: Any = frame.f_locals
    bound = {*code.co_varnames, *code.co_cellvars, *code.co_freevars}
    known.update({name: each for name, each in variables.items() if name in bound})
    write_locals(frame, known)
    return frame


def _run(made: Any, code: CodeType) -> None:
    """Begin what a generator function or the like has made."""
    if code.co_flags & interpreter.ASYNC_GENERATOR:
        made.asend(None).send(None)
    elif code.co_flags & (interpreter.GENERATOR | interpreter.COROUTINE):
        made.send(None)


def _ended(code: CodeType, begin: Callable[[], object]) -> FrameType:
    found: list[FrameType] = []

    def trace(frame: FrameType, event: str, _argument: object) -> None:
        if frame.f_code is code:
            found.append(frame)
            raise _Enough

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        begin()
    except _Enough:
        pass
    finally:
        sys.settrace(before)
    assert found, "the function has not begun"
    return found[0]
