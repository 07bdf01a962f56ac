"""`await` at the prompt: statements that await something are run as far as they get without the program's event loop.

A stopped thread may be in the middle of a loop. That loop cannot turn until the program goes on, and turning it from within would run
other tasks of the program at a stop. So in such a thread the statement is driven step by step: what needs no waiting (a result that
is there, a free lock, a filled queue, plain coroutines) works, in the program's own thread and loop. As soon as it waits for
something it is closed and refused. Where no loop runs in the stopped thread, it gets a loop of its own in a thread of its own.
"""

from __future__ import annotations

import ast
import contextvars
import inspect
import sys
import threading
import warnings
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager
from types import CodeType
from typing import TYPE_CHECKING, Any, Final

from fixcont.errors import Refusal, Refused

if TYPE_CHECKING:
    import asyncio

#: So often may a statement give way to other tasks, which do not run: then it waits for one of them.
_MOST_TURNS: Final = 1000

_NEEDS_THE_LOOP: Final = Refusal(
    "needs-the-loop",
    "this waits for the program's event loop, which stands still at a stop; what it did before that is not undone",
    'put it into the function with "fix", and go on with "retry"',
)


def compiled(text: str) -> CodeType | None:
    """Compile a statement that awaits something at its top level; None where it is another one, or none."""
    if "await" not in text and "async" not in text:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            code = compile(text + "\n", "<stdin>", "single", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    except (SyntaxError, ValueError, OverflowError, RecursionError, MemoryError):
        return None
    return code if code.co_flags & inspect.CO_COROUTINE else None


def drive(coroutine: Coroutine[Any, Any, Any], at_work: Callable[[], AbstractContextManager[None]]) -> Any:
    """Run a coroutine to its end. Returns its result; its exceptions come out.

    Args:
        at_work: entered in the other thread where there is one, so that nothing stops there.

    Raises:
        Refused: it waits for the program's loop. It has been closed.
    """
    if _loop_runs_here():
        return _step(coroutine)
    return _run_apart(coroutine, at_work)


def _loop_runs_here() -> bool:
    """Whether a loop runs in this thread: asyncio's, or that of a frame which awaits something under another library."""
    running = sys.modules.get("asyncio.events")  # a program that has not loaded it has no such loop
    if running is not None and running._get_running_loop() is not None:
        return True
    trio = sys.modules.get("trio")
    return trio is not None and bool(trio.lowlevel.in_trio_run())


def _step(coroutine: Coroutine[Any, Any, Any]) -> Any:
    try:
        for _ in range(_MOST_TURNS):
            try:
                awaited = coroutine.send(None)
            except StopIteration as end:
                return end.value
            if awaited is not None:
                if getattr(awaited, "_asyncio_future_blocking", None):
                    awaited._asyncio_future_blocking = False  # nobody is going to wait for it
                break
    finally:
        coroutine.close()
    raise Refused(_NEEDS_THE_LOOP)


def _run_apart(coroutine: Coroutine[Any, Any, Any], at_work: Callable[[], AbstractContextManager[None]]) -> Any:
    import asyncio  # where it is needed: it is slow to load

    results: list[Any] = []
    errors: list[BaseException] = []
    tasks: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]]] = []
    context = contextvars.copy_context()

    async def main() -> Any:
        task = asyncio.current_task()
        assert task is not None
        tasks.append((asyncio.get_running_loop(), task))
        return await coroutine

    def run() -> None:
        try:
            with at_work(), asyncio.Runner() as runner:
                results.append(runner.run(main(), context=context))
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, name="fixcont-await", daemon=True)
    try:
        thread.start()
    except RuntimeError as error:
        coroutine.close()
        raise Refused(Refusal("no-thread", f"nothing can be awaited here: {error}")) from None
    try:
        thread.join()
    except BaseException:  # Ctrl-C
        for loop, task in tasks:
            loop.call_soon_threadsafe(task.cancel)
        thread.join()
        raise
    if errors:
        raise errors[0]
    return results[0]
