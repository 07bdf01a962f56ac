"""What the arguments of requests name: threads, frames and values of stops."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from fixcont_ui.dap.debuggee import LOOK
from fixcont_ui.dap.failures import Failure, failure
from fixcont_ui.dap.held import HeldThread
from fixcont_ui.dap.later import Body, Later

if TYPE_CHECKING:
    from fixcont_ui.dap.client import Client


def held_thread(client: Client, number: int) -> HeldThread:
    """Find the held thread of a number. Raises `Failure` where that one is not held."""
    ident = client.debuggee.threads.ident(number)
    held = client.debuggee.find(ident) if ident is not None else None
    if held is None:
        raise Failure(client.debuggee.program.not_held(f"thread {number}", ident), is_shown=False)
    return held


def of_frame(client: Client, number: int) -> tuple[HeldThread, int]:
    """Find a frame by its id: the thread, and the index in its stop. Raises `Failure` where its stop has ended."""
    for held in client.debuggee.held:
        index = held.frame_index(number)
        if index is not None and not held.is_left:
            return held, index
    raise failure("stale-reference", "the stop that this frame was of has ended", "ask for the stack again")


def in_frame(client: Client, number: int, work: Callable[[HeldThread, int], Body], seconds: float = LOOK) -> Later:
    """Do something with a frame, in its thread."""
    held, index = of_frame(client, number)
    return held.submit(lambda: work(held, index), seconds)


def of_value(client: Client, number: int) -> tuple[HeldThread, Any]:
    """Find what a reference stands for. Raises `Failure` where its stop has ended."""
    for held in client.debuggee.held:
        value = held.referred(number)
        if value is not None and not held.is_left:
            return held, value
    raise failure("stale-reference", "the stop that this value was of has ended", "ask for the variables again")


def selected_frame(client: Client, arguments: Mapping[str, Any]) -> tuple[HeldThread, int]:
    """Find the frame that a request names, else the one to be shown first in the thread that stopped last."""
    number = arguments.get("frameId")
    if isinstance(number, int):
        return of_frame(client, number)
    held = next((each for each in reversed(client.debuggee.held) if not each.is_left), None)
    if held is None:
        raise failure("not-stopped", "the program runs", "pause it first")
    check_frames(held)
    return held, held.stop.selected


def check_frames(held: HeldThread) -> None:
    """Raise `Failure` where a stop has no frames: it was made of an exception that was never raised."""
    if not held.stop.frames:
        from fixcont_ui.opened_console import NO_FRAMES

        raise Failure(NO_FRAMES, is_shown=False)


def evaluation_limit(client: Client) -> float:
    """Give the seconds that what the user evaluates may take."""
    given = client.options.get("evaluateTimeout")
    return float(given) if isinstance(given, (int, float)) and given > 0 else 60.0
