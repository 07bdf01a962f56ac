"""The captured variables of functions and frames: give a function others, find the cells of a frame, tell who assigns to what.

A function refuses code with another number of captured variables than it has cells, and its cells are read-only for Python code.
The interpreter's C interface has a documented function that exchanges them, `PyFunction_SetClosure`. Between that and the assignment of
the code the function must not be called: it would read cells that are not there. So both are done by one call of C code, in which
the thread does not look for signals and lets no other thread run.

Things that don't work: a new function object in the place of the old one, since tuples, bound methods and C code hold the old one; code for
the old one that takes its cells from constants, since `super()` looks for `__class__` among the captured variables of the running
code by their number, and since a cell in a constant leads to cycles that the collector does not see.
"""

from __future__ import annotations

import _thread
import collections
import functools
import gc
import operator
import sys
from collections.abc import Callable
from types import AsyncGeneratorType, CellType, CodeType, CoroutineType, FrameType, FunctionType, GeneratorType
from typing import Any, NamedTuple, TypeAlias

from fixcont.bytecode import interpreter, original
from fixcont.bytecode.interpreter import DIRECTION, NAME, OPCODE, UNITS
from fixcont.bytecode.parameters import stored_slots, stores_free
from fixcont.bytecode.snapshots import forget_snapshot

#: In the `__dict__` of functions that were made to take a frame over: others stand for the function that the program knows.
STANDS_IN = "__@fixcont__stands_in"
#: The same, of one that is held by a frame that was made to be looked at, and is never called.
NEVER_CALLED = "__@fixcont__never_called"
#: There: the names of variables for which a function has a cell of its own, with the value of a running frame's variable.
COPIES = "__@fixcont__copies"

Suspended: TypeAlias = "GeneratorType[Any, Any, Any] | CoroutineType[Any, Any, Any] | AsyncGeneratorType[Any, Any]"


class Body(NamedTuple):
    """What a function runs.

    Attributes:
        code: its `__code__`.
        closure: its `__closure__`.
    """

    code: CodeType
    closure: tuple[CellType, ...] | None


def body_of(function: FunctionType) -> Body:
    """Return what a function runs now."""
    return Body(function.__code__, function.__closure__)


def can_exchange() -> bool:
    """Tell whether functions can get other cells here.

    Not without `ctypes`, not where threads run at the same time, and not where an audit hook is written in Python: it would be called
    for the assignment of the code, in the middle of the exchange, and let other threads run.
    """
    return _set_closure() is not None and getattr(sys, "_is_gil_enabled", _always)() and not _has_audit_hook()


def exchanging(function: FunctionType, body: Body) -> list[Callable[[], object]]:
    """Return the calls of C code that give a function other code and other cells. They must be made in turn, with nothing in between.

    Args:
        body: as many cells as the code has captured variables, in that order.

    Raises:
        ValueError: the numbers differ.
        TypeError: what should be a cell is none.
        RuntimeError: it cannot be done here, see `can_exchange`.
    """
    closure = body.closure or ()
    if len(closure) != len(body.code.co_freevars):
        raise ValueError(f"{len(closure)} cells for {len(body.code.co_freevars)} captured variables")
    if not all(type(cell) is CellType for cell in closure):
        raise TypeError("a closure is made of cells")  # the interpreter does not look, and would crash
    set_closure = _set_closure()
    if set_closure is None:
        raise RuntimeError("ctypes is not there")
    return [
        functools.partial(set_closure, function, closure or None),
        functools.partial(setattr, function, "__code__", body.code),
    ]


@functools.cache
def _set_closure() -> Callable[[FunctionType, tuple[CellType, ...] | None], int] | None:
    try:
        import ctypes  # only here, and only once a closure changes: it is slow to load

        prototype = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.py_object, ctypes.py_object)
        return prototype(("PyFunction_SetClosure", ctypes.pythonapi))
    except (ImportError, AttributeError):
        return None


class _Probe(BaseException):
    """Raised where Python code runs that should not."""


def _has_audit_hook() -> bool:
    """Tell whether audit events run Python code.

    The interpreter does not tell its hooks. So an exception is made to be raised in a thread as soon as that runs an instruction of Python, and an
    event is fired from C code. A hook gets the exception before it has begun; without one the thread gets it after the event.

    The exception is never called off: up to 3.12 the interpreter would go on looking for it for ever, which is slow, and on 3.11 it would not get
    past the start of the next function that is traced. The thread is one of its own, since handlers of signals run in the main thread only: none
    can get the exception there.
    """
    import ctypes

    raise_in = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_ulong, ctypes.py_object)(("PyThreadState_SetAsyncExc", ctypes.pythonapi))
    passed: list[bool] = []
    is_over = _thread.allocate_lock()

    def probe() -> None:
        steps: list[Callable[[], object]] = [
            functools.partial(raise_in, _thread.get_ident(), _Probe),
            functools.partial(sys.audit, "fixcont.probe"),
            functools.partial(passed.append, True),
        ]
        call: Callable[[Callable[[], object]], object] = operator.call
        collects = gc.isenabled()
        gc.disable()  # what the collector calls would get the exception: finalizers, and callbacks of weak references
        for _ in range(100):  # a collection that is due takes place now
            pass
        try:
            collections.deque(map(call, steps), maxlen=0)
            for _ in range(100):  # the exception comes at the first turn at the latest
                pass
            passed.clear()  # somebody else got it
        except _Probe:
            pass
        finally:
            if collects:
                gc.enable()
            is_over.release()

    is_over.acquire()
    try:
        _thread.start_new_thread(probe, ())
    except RuntimeError:  # no more threads: then it is not known
        return True
    is_over.acquire()
    return not passed


def _always() -> bool:
    return True


def is_cell_of(cell: CellType, frame: FrameType, name: str) -> bool:
    """Tell whether `cell` is that of a function's variable `name` in a live frame.

    Cells of frames cannot be read, and equal contents prove nothing. So something unique is put into the cell for a moment, and looked for
    among the frame's variables. In that moment nothing is called, so that no other thread and no handler of a signal can see it.
    """
    if not frame.f_code.co_flags & interpreter.OPTIMIZED:
        return False
    mark = object()
    held = list(frame.f_locals.values())  # a snapshot that is written over frees nothing then
    collects = gc.isenabled()
    gc.disable()
    is_full = True
    before = seen = None
    try:
        before = cell.cell_contents
    except ValueError:
        is_full = False
    cell.cell_contents = mark
    try:
        seen = frame.f_locals[name]
    except KeyError:
        seen = None
    if is_full:
        cell.cell_contents = before
    else:
        del cell.cell_contents
    if collects:
        gc.enable()
    if not interpreter.LOCALS_WRITE_THROUGH:
        frame.f_locals  # noqa: B018 - takes the mark out of the snapshot
    del held
    forget_snapshot(frame)
    return seen is mark


def cells_of_suspended(suspended: Suspended, code: CodeType) -> dict[str, CellType]:
    """Return the cells of a generator or coroutine that is not running, by name; nothing where they cannot be told.

    The collector sees what a suspended frame holds, in the order of its slots.
    """
    found = [each for each in gc.get_referents(suspended) if type(each) is CellType]
    slots = {name: slot for slot, name in enumerate(code.co_varnames)}
    names = sorted(code.co_cellvars, key=lambda name: slots.get(name, len(slots))) + list(code.co_freevars)
    return dict(zip(names, found, strict=True)) if len(found) == len(names) else {}


def may_bind_later(frame: FrameType, name: str) -> bool:
    """Tell whether a live frame may bind or delete its variable `name`, or a function in it may, from where it is now to its end.

    Where it is now is not known of a frame that is in a trap: then it counts from the frame's beginning.
    """
    code = frame.f_code
    if any(stores_free(constant, name) for constant in code.co_consts):
        return True
    view = original.original_view(code)
    slots = {each: slot for slot, each in enumerate(code.co_varnames)}
    for each in code.co_cellvars:
        slots.setdefault(each, len(slots))
    is_in_trap = frame.f_lasti >= original.original_end(code)
    reached = _reached(view, 0 if is_in_trap else max(frame.f_lasti, 0) // 2)
    extended = OPCODE["EXTENDED_ARG"]
    ops = bytes(op if at in reached or op == extended else 0 for at, op in enumerate(view.ops))
    stored, dropped = stored_slots(code, ops, view.args)
    return slots.get(name) in stored | dropped


def binds_captured(code: CodeType, name: str) -> bool:
    """Tell whether a function, or one in it, assigns to the variable `name` of the function around it."""
    return stores_free(code, name)


_ENDS = {"RETURN_VALUE", "RETURN_CONST", "RERAISE", "RAISE_VARARGS"}
_ALWAYS_JUMPS = {"JUMP_FORWARD", "JUMP_BACKWARD", "JUMP_BACKWARD_NO_INTERRUPT"}


def _reached(view: original.OriginalView, start: int) -> set[int]:
    """Return the code units of the instructions that may run after the one at `start`, which is running."""
    arguments = _arguments(view)
    while start > 0 and start not in arguments:  # the caches of a call
        start -= 1
    handlers = [(row.start, row.end, row.target) for row in view.rows]
    reached: set[int] = set()
    seen: set[int] = {start}
    waiting = [start]
    while waiting:
        at = waiting.pop()
        op = view.ops[at]
        name = NAME[op]
        following = at + UNITS[op]
        ways = [target for first, end, target in handlers if first <= at < end]
        if name not in _ENDS and name not in _ALWAYS_JUMPS:
            ways.append(following)
        if DIRECTION[op]:
            ways.append(following + arguments[at] * DIRECTION[op])
        for way in ways:
            if way in arguments:
                reached.add(way)
                if way not in seen:
                    seen.add(way)
                    waiting.append(way)
    return reached


def _arguments(view: original.OriginalView) -> dict[int, int]:
    """Return the full argument of each instruction by its code unit; EXTENDED_ARG counts as one."""
    found: dict[int, int] = {}
    at = argument = 0
    while at < len(view.ops):
        op = view.ops[at]
        argument = argument << 8 | view.args[at]
        found[at] = argument
        if op != OPCODE["EXTENDED_ARG"]:
            argument = 0
        at += UNITS[op]
    return found
