"""What the arguments of requests name: threads, frames and values of stops."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from fixcont_ui.dap.debuggee import LOOK
from fixcont_ui.dap.failures import Failure, failure
from fixcont_ui.dap.held import HeldThread, stale
from fixcont_ui.dap.later import Body, Later

if TYPE_CHECKING:
    from fixcont_ui.dap.client import Client

_T = TypeVar("_T")


def held_thread(client: Client, number: int) -> HeldThread:
    """Find the held thread of a number. Raises `Failure` where that one is not held."""
    ident = client.debuggee.threads.ident(number)
    held = client.debuggee.find(ident) if ident is not None else None
    if held is None:
        raise Failure(client.debuggee.program.not_held(f"thread {number}", ident), is_shown=False)
    return held


def in_frame(client: Client, number: int, work: Callable[[HeldThread, int], Body], seconds: float = LOOK) -> Later:
    """Do something with a frame, in its thread.

    Args:
        number: its id.
        work: is given the thread, and the index in its stop. That is looked up as the work begins: what the client has sent before may let
            the thread look at another stop.

    Raises:
        Failure: its stop has ended, or is not looked at any more. Where that turns out later, it is the answer.
    """
    held = next((each for each in client.debuggee.held if each.has_frame(number) and not each.is_left), None)
    if held is None:
        raise stale("frame", "the stack")
    return held.submit(lambda: work(held, held.frame_index(number)), seconds)


def in_selected_frame(
    client: Client, arguments: Mapping[str, Any], work: Callable[[HeldThread, int], Body], seconds: float = LOOK
) -> Later:
    """Do something with the frame that a request names, else with the one to be shown first in the thread that stopped last."""
    number = arguments.get("frameId")
    if isinstance(number, int):
        return in_frame(client, number, work, seconds)
    held = next((each for each in reversed(client.debuggee.held) if not each.is_left), None)
    if held is None:
        raise failure("not-stopped", "the program runs", "pause it first")

    def in_first() -> Body:
        check_frames(held)
        return work(held, held.stop.selected)

    return held.submit(in_first, seconds)


def with_value(
    client: Client, number: int, kind: type[_T], what: str, work: Callable[[HeldThread, _T], Body], seconds: float = LOOK
) -> Later:
    """Do something with what a reference stands for, in its thread; it is looked up as the work begins, as by `in_frame`.

    Args:
        number: the reference.
        kind: of what it must be.
        what: to call it in the failure.
    """
    held = next((each for each in client.debuggee.held if each.has_value(number) and not each.is_left), None)
    if held is None:
        raise stale(what, f"the {what}s")

    def in_its_thread() -> Body:
        value = held.referred(number, kind)
        if value is None:
            raise stale(what, f"the {what}s")
        return work(held, value)

    return held.submit(in_its_thread, seconds)


def check_frames(held: HeldThread) -> None:
    """Raise `Failure` where a stop has no frames: it was made of an exception that was never raised."""
    if not held.stop.frames:
        from fixcont_ui.opened_console import NO_FRAMES

        raise Failure(NO_FRAMES, is_shown=False)


def evaluation_limit(client: Client) -> float:
    """Give the seconds that what the user evaluates may take."""
    given = client.options.get("evaluateTimeout")
    return float(given) if isinstance(given, (int, float)) and given > 0 else 60.0
