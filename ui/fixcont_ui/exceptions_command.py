"""The command `exceptions`, as pdb has it from Python 3.13 on; the frames of earlier exceptions can be replayed besides."""

from __future__ import annotations

from typing import Final

from fixcont.errors import Refused
from fixcont_ui.commands import AppliesTo, Argument, Command, NotDone
from fixcont_ui.console import Console

_LONGEST: Final = 80


def _exceptions(console: Console, argument: str) -> None:
    chain = console.chain()
    if not chain:
        console.complain("there is no exception here")
        raise NotDone
    if not argument:
        for number, each in enumerate(chain):
            console.say(_line(console, number, each, is_shown=each is console.shown_exception()))
        return
    if int(argument) >= len(chain):
        console.complain("No exception with that number")
        raise NotDone
    try:
        console.look_at_exception(chain[int(argument)])
    except Refused as refused:
        console.refuse(refused.refusal)
        raise NotDone from None
    console.show_selected()


def _line(console: Console, number: int, exception: BaseException, *, is_shown: bool) -> str:
    shown = console.call(lambda: repr(exception))
    if len(shown) > _LONGEST:
        shown = shown[: _LONGEST - 3] + "..."
    place = "  -" if exception.__traceback__ is None else f"{number:>3}"
    return f"{'>' if is_shown else ' '} {place} {shown}"


EXCEPTIONS_COMMAND: Final = Command(
    "exceptions",
    (),
    "exceptions [number]",
    "list the exceptions that led to this one, or look at the frames of one of them",
    "List the causes of the exception, and what was being handled when it was raised, the earliest first; or look at the\n"
    "frames that one of them has left. These have unwound. At a post-mortem stop they can be replayed as all others; at a\n"
    "live one they can be looked at, and the last number leads back.",
    Argument.NUMBER,
    AppliesTo.STOP,
    _exceptions,
    goes_on=False,
)
