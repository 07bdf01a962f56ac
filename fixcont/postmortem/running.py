"""Run what replays a frame, to its end. For stops this is the outermost frame: what lies further out waits, and handles nothing.

Knows nothing of post-mortems; prediction and stops know this module by its name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from fixcont.bytecode import interpreter
from fixcont.errors import Quit


class Ended(NamedTuple):
    """How it ended: with a value, or with an exception."""

    value: Any
    error: BaseException | None = None


def run(call: Callable[[], Any], flags: int) -> Ended:
    """Call something to its end.

    A generator is run through: the value is the list of what it yields. A coroutine is run in an event loop of its own, and so is an
    async generator, for the list of what it yields. Where the user ends the program at a stop, that is raised.

    Args:
        flags: GENERATOR, COROUTINE or ASYNC_GENERATOR, for what is called, or 0.
    """
    try:
        if flags == interpreter.GENERATOR:
            return Ended(list(call()))
        if flags == interpreter.COROUTINE:
            return Ended(_awaited(call))
        if flags == interpreter.ASYNC_GENERATOR:
            return Ended(_awaited(lambda: _collected(call)))
        return Ended(call())
    except Quit:
        raise
    except BaseException as error:
        return Ended(None, error)


def _awaited(call: Callable[[], Any]) -> Any:
    import asyncio  # only where a coroutine is replayed

    with asyncio.Runner() as runner:
        return runner.run(_await(call))


async def _await(call: Callable[[], Any]) -> Any:
    return await call()


async def _collected(call: Callable[[], Any]) -> list[Any]:
    """Run what drives an async generator; see `reentry`."""
    driver = call().cell_contents
    values = []
    while await driver:
        values.append(~driver)
        driver(None)
    return values
