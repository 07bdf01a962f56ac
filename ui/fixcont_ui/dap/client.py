"""A session with one client: its requests are carried out and answered, and it hears of what happens."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from fixcont.errors import Refusal, Refused
from fixcont_ui.dap import messages
from fixcont_ui.dap.channel import Channel
from fixcont_ui.dap.checking import check_arguments
from fixcont_ui.dap.failures import Failure, failure
from fixcont_ui.dap.handlers import find_handler
from fixcont_ui.dap.later import Body, Later
from fixcont_ui.dap.state import Progress, State
from fixcont_ui.dap.stream import Broken

if TYPE_CHECKING:
    import socket

    from fixcont.stepping.breakpoints import Breakpoint
    from fixcont.stepping.engine import Stepping
    from fixcont_ui.dap import protocol
    from fixcont_ui.dap.debuggee import Debuggee
    from fixcont_ui.dap.held import HeldThread


class Client:
    """See the module. All of it happens in the loop's thread, but for `output` and `event`.

    Args:
        connection: to the client.
        token: what the client must give; "" where everybody may connect.
        ended: called when the client is gone.

    Attributes:
        debuggee: what it debugs.
        progress: which requests are in order.
        can: what the client has said of itself: the arguments of `initialize`.
        options: the arguments of `launch` or `attach`.
        named_breakpoints: numbers of the breakpoints on functions that the client has set by their names.
    """

    def __init__(self, debuggee: Debuggee, connection: socket.socket, token: str, ended: Callable[[Client], None]) -> None:
        self.debuggee = debuggee
        self.progress: Final = Progress()
        self.can: Mapping[str, Any] = {}
        self.options: Mapping[str, Any] = {}
        self.named_breakpoints: list[int] = []
        self._followed: Stepping | None = None
        self._token = token
        self._ended = ended
        self._was_heard = False
        self._unanswered: dict[int, Later] = {}  # number of a request -> its answer
        self.channel: Final = Channel(debuggee.loop, connection, self._received, self._closed)

    # What comes from the client.

    def _received(self, message: dict[str, Any] | Broken) -> None:
        if isinstance(message, Broken):
            self._answer_broken(message.reason)
            return
        kind = message.get("type")
        if kind == "response":
            return  # nothing is asked of clients from here
        if kind != "request" or not isinstance(message.get("command"), str) or not _is_number(message.get("seq")):
            self._answer_broken("not a request: it has no type, no command or no seq")
            return
        self._was_heard = True
        self._carry_out(message)

    def _answer_broken(self, reason: str) -> None:
        self.channel.send(messages.refused({}, Refusal("broken-message", reason)))
        if not self._was_heard:
            self.channel.end()  # whoever begins like this does not speak the protocol

    def _carry_out(self, message: dict[str, Any]) -> None:
        command, arguments = message["command"], message.get("arguments")
        try:
            answer = self._handle(command, {} if arguments is None else arguments)
        except Failure as failed:
            self._respond(message, None, failed)
        except Refused as refused:
            self._respond(message, None, Failure(refused.refusal))
        except Exception as error:
            self._respond(message, None, failure("internal-error", f"a fault of fixcont itself: {type(error).__name__}: {error}"))
            raise  # the loop tells of it
        else:
            if isinstance(answer, Later):
                self._unanswered[message["seq"]] = answer
                answer.tell(lambda body, failed: self._respond(message, body, failed))
            else:
                self._respond(message, answer, None)

    def _handle(self, command: str, arguments: Any) -> Body | Later:
        handler = find_handler(command)
        if handler is None:
            raise failure("unknown-command", f"there is no request {command}")
        wrong = check_arguments(command, arguments)
        if wrong or not isinstance(arguments, dict):
            raise failure("bad-arguments", wrong or f"{command}: the arguments must be an object")
        self.progress.check(command)
        return handler(self, arguments)

    def _respond(self, message: Mapping[str, Any], body: Body, failed: Failure | None) -> None:
        self._unanswered.pop(message["seq"], None)
        if failed is not None:
            self.channel.send(messages.refused(message, failed.refusal, show_user=failed.is_shown))
        else:
            self.channel.send(messages.response(message, body))

    def _closed(self) -> None:
        """The connection is gone, whether the client said so before or not."""
        self._forget_breakpoints()
        if self.progress.end() and self.is_served:
            self.debuggee.left(goes_on=self.debuggee.was_started_for_it)
        self._ended(self)

    # What handlers use.

    @property
    def is_served(self) -> bool:
        """Whether it is this client's business what becomes of the program: others only knock at the door."""
        return self.debuggee.client is self or self.debuggee.was_started_for_it

    @property
    def is_waiting(self) -> bool:
        """Whether a request of the client's has no answer yet, other than the one that is being carried out."""
        return bool(self._unanswered)

    @property
    def debugs(self) -> bool:
        """Whether the program is debugged at all, and not only started."""
        return not self.options.get("noDebug")

    @property
    def no_breakpoints(self) -> str:
        """Why no breakpoint can be set, "" where it can."""
        return "" if self.debugs else "the program was started without debugging"

    def authorize(self, token: object) -> None:
        """Raise `Failure` where the client does not know the token."""
        if not self._token:
            return
        from hmac import compare_digest  # where it is needed: it is slow to load

        if not (isinstance(token, str) and compare_digest(token.encode(), self._token.encode())):
            raise failure(
                "wrong-token", "the token is missing or wrong", "give the one that was told when the program began to listen"
            )

    def begin(self, options: Mapping[str, Any]) -> None:
        """Go on to being configured."""
        if self.debuggee.client is not None:
            raise failure("client-connected", "another client is connected", "disconnect it first")
        self.options = options
        self.progress.advance(State.CONFIGURING)
        self.debuggee.serve(self)

    def _forget_breakpoints(self) -> None:
        """Delete the client's breakpoints: nobody would be told of them any more."""
        engine, self._followed = self._followed, None
        if engine is not None:
            engine.breakpoints.listeners.remove(self._breakpoint_changed)
            engine.breakpoints.log_listeners.remove(self._logged)
            engine.breakpoints.remove([each.number for each in engine.breakpoints.all()])

    def end(self, *, goes_on: bool) -> None:
        """End the session, as the client has asked for it."""
        self._forget_breakpoints()
        if self.progress.end() and self.is_served:
            self.debuggee.left(goes_on=goes_on)

    def tell(self, event: protocol.Event) -> None:
        """Tell the client of something; from any thread. What it is not ready for yet it does not hear of."""
        self.channel.send(event)

    def goodbye(self, sent: Callable[[], None]) -> None:
        """Tell that the program is over. `sent` is called when everything has been sent."""
        self.progress.end()
        self.tell(messages.event("terminated"))
        self._ended = lambda client: sent()
        self.channel.end()

    def output(self, text: str, category: str) -> None:
        """Show a text; from any thread."""
        self.tell(messages.event("output", {"category": category, "output": text}))

    def cancel(self, number: int) -> None:
        """Give up on a request that has no answer yet."""
        later = self._unanswered.get(number)
        if later is not None:
            later.cancel()

    def tell_process(self) -> None:
        """Tell which process it is."""
        name = self.debuggee.name or (sys.argv[0] if sys.argv else "")
        self.tell(messages.event("process", {
            "name": os.path.abspath(name) if name else "python", "systemProcessId": os.getpid(), "isLocalProcess": True,
            "startMethod": "launch" if self.debuggee.was_started_for_it else "attach",
        }))  # fmt: skip

    def catch_up(self) -> None:
        """Tell of the threads that are held already."""
        for held in list(self.debuggee.held):
            self.stopped(held)

    @property
    def shows_installs(self) -> bool:
        """Whether the client itself shows the event `hotcodereplace`: our extension for VS Code does."""
        return str(self.can.get("clientID", "")).startswith("vscode") and self.can.get("adapterID") == "fixcont"

    # Lines and columns are counted from 1 here, and as the client wants it there.

    def line(self, given: int) -> int:
        """Give the line that the client means."""
        return given if self.can.get("linesStartAt1", True) else given + 1

    def shown_line(self, line: int) -> int:
        """Give a line as the client counts."""
        return line if self.can.get("linesStartAt1", True) else line - 1

    def shown_column(self, column: int) -> int:
        """Give a column, counted from 1, as the client counts."""
        return column if self.can.get("columnsStartAt1", True) else column - 1

    def column(self, given: int) -> int:
        """Give the column, counted from 1, that the client means."""
        return given if self.can.get("columnsStartAt1", True) else given + 1

    def invalidate(self, *areas: str) -> None:
        """Tell that what the client has shown is not so any more; from any thread."""
        if self.can.get("supportsInvalidatedEvent"):
            self.tell(messages.event("invalidated", {"areas": list(areas)}))

    def show_anew(self, held: HeldThread, *, same_frames: bool) -> None:
        """Have the client ask anew for what it has shown of a held thread; in that thread. See `Debuggee.show_anew`."""
        if self.can.get("supportsInvalidatedEvent"):
            self.invalidate("all")
        elif not same_frames:  # it would name frames and values that are not there any more
            self._tell_stopped(held)

    # What happens in the program.

    def stopped(self, held: HeldThread) -> None:
        """Tell that a thread is held."""
        if self.progress.state is State.RUNNING and not held.is_left and held.is_to_be_told(self):
            self._tell_stopped(held)

    def _tell_stopped(self, held: HeldThread) -> None:
        from fixcont_ui.dap.handlers.stack import stopped_event

        self.tell(messages.event("stopped", stopped_event(self, held)))

    def follow_breakpoints(self, engine: Stepping) -> None:
        """Have the client told of what becomes of breakpoints."""
        if self._followed is None:
            self._followed = engine
            engine.breakpoints.listeners.append(self._breakpoint_changed)
            engine.breakpoints.log_listeners.append(self._logged)

    def _breakpoint_changed(self, found: Breakpoint) -> None:
        from fixcont_ui.dap.handlers.breakpoints import changed_event

        engine = self._followed
        if engine is not None:
            self.tell(changed_event(self, found, is_gone=engine.breakpoints.get(found.number) is None))

    def _logged(self, found: Breakpoint, text: str) -> None:
        self.output(text + "\n", "console")

    def went_on(self, ident: int) -> None:
        """Tell that a thread goes on without the client having asked for it."""
        if self.progress.state is State.RUNNING:
            number = self.debuggee.threads.number(ident)
            self.tell(messages.event("continued", {"threadId": number, "allThreadsContinued": False}))


def _is_number(value: object) -> bool:
    return type(value) is int
