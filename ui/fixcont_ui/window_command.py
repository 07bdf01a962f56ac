"""The command `window`."""

from __future__ import annotations

from typing import Final

from fixcont_ui.commands import AppliesTo, Argument, Command
from fixcont_ui.console import Console


def _window(console: Console, argument: str) -> None:
    console.open_window()


WINDOW_COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "window",
        (),
        "window",
        "show this stop and the next ones in a window over the whole terminal",
        "Show the stack, the source of the selected frame, which is edited right there, its variables, a console, what the\n"
        "program prints, and the ways to go on, in a window over the whole terminal. F1 shows all its keys.\n"
        'Needs a terminal. "fixcont --window" begins with it.',
        Argument.NONE,
        AppliesTo.STOP,
        _window,
        goes_on=False,
    ),
)
