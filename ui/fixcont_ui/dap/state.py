"""The states of a session with a client, and which requests are in order in each."""

from __future__ import annotations

import enum
from typing import Final

from fixcont_ui.dap.failures import failure


class State(enum.Enum):
    """Where a session with a client is. It only goes down this list."""

    CONNECTED = "connected"  #: nothing was said yet
    INITIALIZED = "initialized"  #: both sides know what the other can do
    CONFIGURING = "being configured"  #: the client sets breakpoints
    RUNNING = "running"  #: the program runs, or is held
    ENDED = "ended"


_ORDER: Final = list(State)
#: Request -> the states in which it is in order, from the first to the last. All others: from `CONFIGURING` on.
_PLACES: Final = {
    "initialize": (State.CONNECTED, State.CONNECTED),
    "launch": (State.INITIALIZED, State.INITIALIZED),
    "attach": (State.INITIALIZED, State.INITIALIZED),
    "configurationDone": (State.CONFIGURING, State.CONFIGURING),
    "disconnect": (State.CONNECTED, State.ENDED),
    "cancel": (State.CONNECTED, State.ENDED),
}
_OTHERS: Final = (State.CONFIGURING, State.RUNNING)
#: What comes next in a state, for who has sent something else.
_NEXT: Final = {
    State.CONNECTED: "send initialize first",
    State.INITIALIZED: "send launch or attach first",
    State.CONFIGURING: "",
    State.RUNNING: "",
    State.ENDED: "start another session",
}


class Progress:
    """The state machine of one session.

    Attributes:
        state: where it is.
    """

    def __init__(self) -> None:
        self.state = State.CONNECTED

    def check(self, command: str) -> None:
        """Raise `Failure` where a request is out of order."""
        first, last = _PLACES.get(command, _OTHERS)
        if not _ORDER.index(first) <= _ORDER.index(self.state) <= _ORDER.index(last):
            sentence = f"{command} is out of order: the session is {self.state.value}"
            raise failure("out-of-order", sentence, _NEXT[self.state])

    def advance(self, state: State) -> None:
        """Go on to a later state."""
        assert _ORDER.index(state) > _ORDER.index(self.state), f"from {self.state} to {state}"
        self.state = state

    def end(self) -> bool:
        """Go to the last state. Returns whether it was not there yet."""
        was_there, self.state = self.state is State.ENDED, State.ENDED
        return not was_there
