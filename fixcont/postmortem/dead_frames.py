"""Frame objects of functions that never ran: what a function's frame leaves behind when it fails at its very beginning.

The interpreter makes them, with their cells and all; a trace function, there for that one call, raises as the function begins.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Mapping
from types import CellType, CodeType, FrameType, FunctionType
from typing import Any

from fixcont.bytecode import interpreter, parameters
from fixcont.bytecode.closures import NEVER_CALLED
from fixcont.postmortem.holes import NotSaved
from fixcont.postmortem.standins import Hole
from fixcont.stopping.frames import write_locals


class _Enough(BaseException):
    """Ends a function as it begins."""


def dead_frame(code: CodeType, space: dict[str, Any], variables: Mapping[str, Any]) -> FrameType:
    """Make a frame of `code` that has unwound.

    Args:
        code: of a module, a class body or a function of any kind; nothing of it runs.
        space: the global variables.
        variables: the local ones, and those of functions around it. Parameters without one are unbound, as after `del`, or,
            where the interpreter cannot unbind them, a hole; a module has none of its own.
    """
    closure = tuple(CellType(variables[name]) if name in variables else CellType() for name in code.co_freevars)
    if not code.co_flags & interpreter.OPTIMIZED:
        names: dict[str, Any] = space if code.co_name == "<module>" else dict(variables)
        keywords: dict[str, Any] = {"closure": closure} if closure else {}
        return _ended(code, lambda: exec(code, space, names, **keywords))
    function: Any = FunctionType(code, space, code.co_name, None, closure)
    function.__dict__[NEVER_CALLED] = True
    missing = NotSaved(Hole("unbound"))
    ordered = code.co_varnames
    positional = [variables.get(name, missing) for name in ordered[: code.co_argcount]]
    named = ordered[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    keywords = {name: variables.get(name, missing) for name in named}
    frame = _ended(code, lambda: _run(function(*positional, **keywords), code))
    bound = {*code.co_varnames, *code.co_cellvars, *code.co_freevars}
    known = {name: each for name, each in variables.items() if name in bound}
    unbound = [name for name in code.co_varnames[: parameters.count(code)] if name not in variables]
    if unbound:
        known.update(_unbind(frame, unbound, missing))
    snapshot: Any = frame.f_locals
    snapshot.update(known)
    write_locals(frame, snapshot)
    return frame


def _unbind(frame: FrameType, names: list[str], missing: NotSaved) -> dict[str, NotSaved]:
    """Unbind parameters of a frame that has unwound, where it has nothing else yet. Returns what stands for those that cannot be."""
    if interpreter.SNAPSHOT_UNBINDS:
        import ctypes  # only here: it is slow to load

        snapshot = frame.f_locals
        for name in names:
            snapshot.pop(name, None)
        ctypes.pythonapi.PyFrame_LocalsToFast(ctypes.py_object(frame), ctypes.c_int(1))
        return {}
    if interpreter.LOCALS_WRITE_THROUGH and not frame.f_code.co_cellvars and not frame.f_code.co_freevars:
        frame.clear()  # the collector does not look into it any more; with cells it could not be written into, either
        return {}
    for each in gc.get_referents(frame):
        if type(each) is CellType and _contents(each) is missing:
            del each.cell_contents
    return {name: missing for name in names if name in frame.f_locals}


def _contents(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # empty
        return None


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
