"""How a session with a client begins and ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fixcont.continuing.ways import QuitProgram
from fixcont.stopping.interrupt import end_main_thread
from fixcont_ui.dap import messages
from fixcont_ui.dap.capabilities import CAPABILITIES, check_client
from fixcont_ui.dap.debuggee import LOOK
from fixcont_ui.dap.later import Body, Later
from fixcont_ui.dap.state import State

if TYPE_CHECKING:
    from fixcont_ui.dap.client import Client
    from fixcont_ui.dap.failures import Failure


def initialize(client: Client, arguments: Mapping[str, Any]) -> Body:
    """Tell each other what either can do."""
    check_client(arguments)
    client.can = arguments
    client.progress.advance(State.INITIALIZED)
    return CAPABILITIES


def launch(client: Client, arguments: Mapping[str, Any]) -> Body:
    """Begin a session with a program that the adapter has started; it waits to be configured."""
    return attach(client, arguments)


def attach(client: Client, arguments: Mapping[str, Any]) -> Body:
    """Begin a session with a program that runs, or waits."""
    client.authorize(arguments.get("token"))
    client.begin(arguments)
    client.tell_process()
    client.tell(messages.event("initialized"))
    return None


def configuration_done(client: Client, arguments: Mapping[str, Any]) -> Body | Later:
    """Let the program run, and tell of the threads that were held before the client came."""
    client.progress.advance(State.RUNNING)
    debuggee = client.debuggee

    def let_run() -> None:
        debuggee.configured()
        if debuggee.greeting:
            client.output(debuggee.greeting, "console")
        client.catch_up()

    if not client.is_waiting:
        debuggee.loop.call_soon(let_run)  # once this is answered
        return None
    done = Later()

    def answer(body: Body, failed: Failure | None) -> None:
        done.succeed()
        debuggee.loop.call_soon(let_run)

    # Breakpoints that are being set have to be there before the program runs.
    debuggee.wherever(lambda: None, LOOK).tell(answer)
    return done


def disconnect(client: Client, arguments: Mapping[str, Any]) -> Body:
    """End the session. The program goes on, unless it is to be held for the next client, or to end."""
    if arguments.get("terminateDebuggee") and client.is_served:
        terminate(client, {})
    client.end(goes_on=not arguments.get("suspendDebuggee"))
    client.debuggee.loop.call_soon(client.channel.end)
    return None


def terminate(client: Client, arguments: Mapping[str, Any]) -> Body:
    """End the program, its `finally` blocks and `with` exits running on the way."""
    held = [each for each in client.debuggee.held if not each.is_left]
    for each in held:
        each.let_go(QuitProgram())
    if not any(client.debuggee.threads.number(each.ident) == 1 for each in held):
        end_main_thread()
    return None


def cancel(client: Client, arguments: Mapping[str, Any]) -> Body:
    """Interrupt what a request has begun."""
    number = arguments.get("requestId")
    if isinstance(number, int):
        client.cancel(number)
    return None
