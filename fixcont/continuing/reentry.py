"""Callables that take a frame over: the newest version of its function, or a value to return.

A trap calls them in the frame that it gives up, and the frame returns what they return. They are C callables where that can be, so that no
frame of ours lies between the debuggee's frames.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from functools import partial
from types import CellType, CodeType, FrameType, FunctionType
from typing import Any

from fixcont.bytecode import interpreter
from fixcont.bytecode.closures import COPIES, STANDS_IN
from fixcont.continuing import arguments
from fixcont.continuing.arguments import Arguments

_KINDS = interpreter.GENERATOR | interpreter.COROUTINE | interpreter.ASYNC_GENERATOR


def kind_flags(code: CodeType) -> int:
    """Return GENERATOR, COROUTINE or ASYNC_GENERATOR, or 0 for code that just runs."""
    return code.co_flags & _KINDS


def named_cells(code: CodeType, cells: tuple[CellType, ...]) -> dict[str, CellType]:
    """Return the cells that a trap gives, by the names of their variables."""
    return dict(zip(code.co_cellvars + code.co_freevars, cells, strict=True))


def captured_cells(code: CodeType, cells: tuple[CellType, ...]) -> dict[str, CellType]:
    """Return those of the cells that a trap gives that are of variables of the function around it, by name."""
    first = len(code.co_cellvars)
    return dict(zip(code.co_freevars, cells[first:], strict=True))


def calling(
    code: CodeType,
    frame: FrameType,
    given: Arguments,
    cells: Mapping[str, CellType],
    function: FunctionType | None,
    copies: frozenset[str],
) -> Callable[[], Any]:
    """Return a callable that runs `code` in the place of a function's frame.

    Args:
        code: the newest version.
        frame: what it replaces; its globals and captured variables are used.
        given: what to call it with.
        cells: by name, of the captured variables.
        function: a function that runs `code`, for its default values; None if none is known.
        copies: the names of cells that are copies; see `closures.Captured`.
    """
    made = _function(code, frame, cells, copies)
    positional, keywords = arguments.call_arguments(code, given, function)
    return _driven(code, partial(made, *positional, **keywords))


def entering(
    code: CodeType, frame: FrameType, given: Arguments, cells: Mapping[str, CellType], copies: frozenset[str]
) -> Callable[[], Any]:
    """Return a callable that runs `code`, which starts in the middle, in the place of a function's frame.

    Args:
        code: from `fixcont.bytecode.entry`.
        frame: what it replaces.
        given: what the frame was called with. What `code` has a parameter for and this has not is None: the code overwrites it.
        cells: by name, of the captured variables.
        copies: the names of those that are copies; see `closures.Captured`.
    """
    available = arguments.by_name(code, given)
    ordered = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    positional = [available.get(name) for name in ordered[: code.co_argcount]]
    named = {name: available.get(name) for name in ordered[code.co_argcount :]}
    made = _function(code, frame, cells, copies)
    return _driven(code, partial(made, *positional, *given.positional[: _takes_more(code)], **named))


def _takes_more(code: CodeType) -> int | None:
    return None if code.co_flags & interpreter.VARARGS else 0


def _function(code: CodeType, frame: FrameType, cells: Mapping[str, CellType], copies: frozenset[str]) -> FunctionType:
    made = FunctionType(code, frame.f_globals, code.co_name, None, tuple(cells[name] for name in code.co_freevars))
    made.__qualname__ = code.co_qualname
    made.__dict__[STANDS_IN] = True
    if copies:
        made.__dict__[COPIES] = copies
    return made


def _driven(code: CodeType, call: Callable[[], Any]) -> Callable[[], Any]:
    return partial(_drive, call) if kind_flags(code) == interpreter.ASYNC_GENERATOR else call


#: References to a snapshot that nobody but its frame has: the frame's, that of the variable here, and that of the argument.
_UNSHARED = 3


def forget_variables(frame: FrameType) -> list[Any]:
    """Let a function's frame that is given up drop what its variables hold: it stays on the stack for as long as its successor runs.

    Captured variables stay, since other functions share them.

    Returns:
        What they held. Destructors run when that goes away.
    """
    code = frame.f_code
    variables = frame.f_locals
    own = [name for name in code.co_varnames if name not in code.co_cellvars and name in variables]
    held = [variables[name] for name in own]
    for name in own:
        variables[name] = None
    if own and not interpreter.LOCALS_WRITE_THROUGH:
        import ctypes  # only here, and only for a restart: it is slow to load

        ctypes.pythonapi.PyFrame_LocalsToFast(ctypes.py_object(frame), ctypes.c_int(0))
    if not interpreter.LOCALS_WRITE_THROUGH and sys.getrefcount(variables) <= _UNSHARED and sys.gettrace() is None:
        variables.clear()  # the snapshot stays in the frame, with what captured variables hold
    return held


def executing_module(code: CodeType, frame: FrameType) -> Callable[[], Any]:
    """Return a callable that runs a module's code again, in its globals as they are."""
    return partial(exec, code, frame.f_globals)


def executing_class(code: CodeType, frame: FrameType, cells: Mapping[str, CellType]) -> Callable[[], Any]:
    """Return a callable that runs a class body again, in its emptied namespace.

    The namespace must be a plain dict. `__class__` and what else the body's methods capture of it are new cells.
    """
    closure = tuple(cells[name] for name in code.co_freevars)
    return partial(_execute_class, code, frame.f_globals, frame.f_locals, closure)


def continuing_class(code: CodeType, frame: FrameType, cells: Mapping[str, CellType]) -> Callable[[], Any]:
    """Return a callable that goes on with a class body, in its namespace as it is."""
    return partial(_go_on_class, code, frame.f_globals, frame.f_locals, tuple(cells[name] for name in code.co_freevars))


def _go_on_class(code: CodeType, namespace: dict[str, Any], attributes: Any, closure: tuple[CellType, ...]) -> Any:
    if closure:
        exec(code, namespace, attributes, closure=closure)
    else:
        exec(code, namespace, attributes)
    return attributes.get("__classcell__")


def _execute_class(code: CodeType, namespace: dict[str, Any], attributes: dict[str, Any], closure: tuple[CellType, ...]) -> Any:
    attributes.clear()
    return _go_on_class(code, namespace, attributes, closure)


def returning(value: Any, flags: int) -> Callable[[], Any]:
    """Return a callable that makes a frame with these kind flags return `value`. It gives the value away: it can be called once."""
    if flags == interpreter.GENERATOR:
        return partial(_ended_generator, [value])
    if flags == interpreter.COROUTINE:
        return partial(_ended_coroutine, [value])
    if flags == interpreter.ASYNC_GENERATOR:
        return partial(_drive, _ended_async_generator)
    return [value].pop


def _ended_generator(box: list[Any]) -> Generator[None, None, Any]:
    return box.pop()
    yield


async def _ended_coroutine(box: list[Any]) -> Any:
    return box.pop()


async def _ended_async_generator() -> AsyncGenerator[None, None]:
    return
    yield


def _drive(call: Callable[[], AsyncGenerator[Any, Any]]) -> CellType:
    return CellType(_Driver(call()))


class _Driver:
    """What the shell of an async generator works with, in place of the `yield from` that async generators lack.

    The shell's instructions are those of `while await x: try: x((yield ~x)) except: -x`, with x this object.
    """

    __slots__ = ("_generator", "_next", "_value")

    def __init__(self, generator: AsyncGenerator[Any, Any]) -> None:
        self._generator = generator
        self._next: Callable[[], Any] = generator.__anext__
        self._value: Any = None

    def __await__(self) -> Generator[Any, None, bool]:
        """Take the generator one step further; tell whether it yielded."""
        return self._step().__await__()

    async def _step(self) -> bool:
        try:
            self._value = await self._begun()
        except StopAsyncIteration:
            return False
        return True

    def _begun(self) -> Any:
        """Begin the step. What was thrown in must not stay with this object, nor in a variable: its traceback would lead back to it."""
        step, self._next = self._next, self._generator.__anext__
        return step()

    def __invert__(self) -> Any:
        """Return, once, the value that was yielded."""
        value, self._value = self._value, None
        return value

    def __call__(self, sent: Any) -> None:
        """Take what was sent."""
        self._next = partial(self._generator.asend, sent)

    def __neg__(self) -> None:
        """Take the exception being handled, which was thrown in. The shell's own entry leaves its traceback."""
        exception = sys.exc_info()[1]
        assert exception is not None
        if exception.__traceback__ is not None:
            exception.__traceback__ = exception.__traceback__.tb_next
        self._next = partial(self._generator.athrow, exception)
