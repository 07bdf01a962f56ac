"""What fixcont says when something cannot be done: refusals, which are values, and errors, which are raised."""

from __future__ import annotations

from typing import NamedTuple


class Refusal(NamedTuple):
    """Why something cannot be done.

    A refusal is a value first, so that a front end can grey out a command and show the reason; whoever asks
    for the thing all the same gets it raised, as `Refused`.

    Attributes:
        code: a stable name, documented in docs/limitations.md, such as "not-trapped".
        sentence: one sentence about this very case, for people, without a full stop.
        instead: what can be done instead, or "" where there is nothing to say.
    """

    code: str
    sentence: str
    instead: str = ""

    def __str__(self) -> str:
        text = f"{self.code}: {self.sentence}"
        return f"{text}; {self.instead}" if self.instead else text


class FixcontError(Exception):
    """The base of the errors that fixcont raises to its callers."""


class Refused(FixcontError):
    """Something was asked for that is refused; nothing was touched."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(str(refusal))
        self.refusal = refusal


class DoesNotVerify(FixcontError):
    """A trapped code object failed verification. It is never run; the code object stays without traps."""


class Unwinding(BaseException):
    """Carries a decision outward through the frames that it gives up.

    Not an `Exception`: `except Exception` in the debuggee must not swallow it. Never visible to the debuggee
    but as the exception that its `finally` blocks and `__exit__` methods see while they run.
    """


class Quit(SystemExit):
    """The user ended the program at a stop. A `SystemExit`, so that event loops, thread pools and test runners let it through."""
