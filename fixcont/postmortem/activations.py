"""What is left of a frame that has unwound: its function, its cells, and whether it has unwound at all.

An unwound frame object owns what the activation held, but for its value stack. Its function and its cells are not attributes of it; the
collector knows them.
"""

from __future__ import annotations

import gc
import sys
from types import CellType, CodeType, FrameType, FunctionType
from typing import Any


def is_on_a_stack(frame: FrameType) -> bool:
    """Tell whether a frame is on the stack of a thread."""
    is_found = False
    stacks: list[FrameType | None] = [*sys._current_frames().values()]
    while stacks:  # emptied, as the frame of this function is among them: a cycle would keep all of their variables alive
        running = stacks.pop()
        while running is not None:
            is_found = is_found or running is frame
            running = running.f_back
    return is_found


def function_of(frame: FrameType) -> FunctionType | None:
    """Return the function object that was called, None where it cannot be told."""
    code = frame.f_code
    for each in gc.get_referents(frame):
        if type(each) is FunctionType and each.__globals__ is frame.f_globals and _is_version_of(each.__code__, code):
            return each
    return None


def _is_version_of(code: CodeType, other: CodeType) -> bool:
    return code is other or (code.co_qualname, code.co_filename) == (other.co_qualname, other.co_filename)


def cells_of(frame: FrameType) -> tuple[CellType, ...]:
    """Return the cells of a frame's captured variables, those that it makes first, in the order of the code object.

    Where they cannot be told from other cells that its variables hold, they are new ones with the same values.
    """
    code = frame.f_code
    names = code.co_cellvars + code.co_freevars
    if not names:
        return ()
    variables: dict[str, Any] = dict(frame.f_locals)
    found = [each for each in gc.get_referents(frame) if type(each) is CellType]
    if len(found) == len(names) and all(_holds(cell, variables, name) for cell, name in zip(found, names, strict=True)):
        return tuple(found)
    function = function_of(frame)
    closure = function.__closure__ or () if function is not None else ()
    outer = closure if len(closure) == len(code.co_freevars) else tuple(_cell(variables, name) for name in code.co_freevars)
    return (*(_cell(variables, name) for name in code.co_cellvars), *outer)


def _holds(cell: CellType, variables: dict[str, Any], name: str) -> bool:
    try:
        return name in variables and cell.cell_contents is variables[name]
    except ValueError:  # empty
        return name not in variables


def _cell(variables: dict[str, Any], name: str) -> CellType:
    return CellType(variables[name]) if name in variables else CellType()
