"""The commands that step, in pdb's words, and `jump`."""

from __future__ import annotations

from typing import Final

from fixcont.continuing.ways import Landing, Resume, Step, StepKind
from fixcont.errors import Refusal
from fixcont_ui import wording
from fixcont_ui.commands import AppliesTo, Argument, Command, NotDone, go, live_frame
from fixcont_ui.console import Console


def _step(console: Console, argument: str) -> None:
    console.install(tell_unchanged=False)
    stop = console.stop
    go(console, Step(stop.frames[stop.selected], StepKind.INTO))


def _next(console: Console, argument: str) -> None:
    console.install(tell_unchanged=False)
    go(console, Step(live_frame(console), StepKind.OVER))


def _return(console: Console, argument: str) -> None:
    console.install(tell_unchanged=False)
    go(console, Step(live_frame(console), StepKind.OUT))


def _until(console: Console, argument: str) -> None:
    frame = live_frame(console)
    line = frame.line + 1
    if argument:
        if not argument.isdecimal():
            console.complain(f"Error in argument: {argument!r}")
            raise NotDone
        line = int(argument)
        if line <= frame.line:
            console.complain('"until" line number is smaller than current line number')
            raise NotDone
    console.install(tell_unchanged=False)
    go(console, Step(frame, StepKind.UNTIL, line))


def _jump(console: Console, argument: str) -> None:
    if not argument.isdecimal():
        console.complain("The 'jump' command requires a line number")
        raise NotDone
    frame, line = live_frame(console), int(argument)
    console.install(tell_unchanged=False)
    landing_of = console.stop.landing_of
    way = Resume(frame, line, halts=True)
    landing = landing_of(way)
    if isinstance(landing, Refusal):
        console.refuse(landing, lambda other: isinstance(landing_of(Resume(other, line)), Landing))
        raise NotDone
    if landing.closes:
        for told in wording.landing_lines(landing, skips=False):
            console.say(told)
    console.answer(way)


STEPPING_COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "step",
        ("s",),
        "s(tep)",
        "go on to the next line, into functions of your own that are called",
        "Run on to the next line of your own code, in the current function or in one that is called or returned to.\n"
        "Functions of libraries are run through; what of your own they call is not. It stops as a function begins\n"
        "(--Call--) and as it returns (--Return--). At an exception that is let go on first: at the next line that runs.\n"
        "Changed files are installed first.",
        Argument.NONE,
        AppliesTo.STOP,
        _step,
    ),
    Command(
        "next",
        ("n",),
        "n(ext)",
        "go on to the next line of the selected function",
        "Run on to the next line of the selected frame, or until it returns (--Return--). Calls are run through. A coroutine\n"
        "that waits keeps the step, whatever other tasks do meanwhile. Changed files are installed first.",
        Argument.NONE,
        AppliesTo.FRAME,
        _next,
    ),
    Command(
        "until",
        ("unt",),
        "unt(il) [line]",
        "go on to a line further down in the selected function",
        'As "next", to a line with a higher number than the current one: it does not go back in a loop. With a line, to\n'
        "that one or one below it. Changed files are installed first.",
        Argument.ANY,
        AppliesTo.FRAME,
        _until,
    ),
    Command(
        "return",
        ("r",),
        "r(eturn)",
        "go on until the selected function returns",
        "Run on until the selected frame returns; the value is shown behind the function's name. An exception that leaves it\n"
        "leads to the next line of its caller. Changed files are installed first.",
        Argument.NONE,
        AppliesTo.FRAME,
        _return,
    ),
    Command(
        "jump",
        ("j",),
        "j(ump) line",
        "go to another line of the selected function, and stop there",
        'As "resume line", but the line does not run yet: the prompt stands there. The frames that the selected one has called\n'
        'unwind. Loops and "with" blocks around the line must be running ones.',
        Argument.ANY,
        AppliesTo.FRAME,
        _jump,
    ),
)
