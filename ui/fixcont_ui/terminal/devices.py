"""The keyboard and the screen as prompt_toolkit wants them, on the streams of a prompt."""

from __future__ import annotations

import os
from typing import TextIO

from prompt_toolkit.input import Input
from prompt_toolkit.input.vt100 import Vt100Input
from prompt_toolkit.output import ColorDepth, Output
from prompt_toolkit.output.vt100 import Vt100_Output

from fixcont_ui.streams import Streams


def devices(streams: Streams, *, is_sparing: bool = False) -> tuple[Input, Output]:
    """Give keyboard and screen. They keep nothing open that was not open before.

    Args:
        is_sparing: read no further than needed: what is typed ahead of the program stays there for the program.
    """
    term = os.environ.get("TERM")
    screen = Vt100_Output.from_pty(streams.stdout, term=term, default_color_depth=ColorDepth.from_env())
    if is_sparing:
        # The terminal's answer to the question where the cursor is would come behind what was typed ahead, which would have to be read.
        screen.enable_cpr = False
    return (SparingInput if is_sparing else Vt100Input)(streams.stdin), screen


class SparingInput(Vt100Input):
    """A keyboard that is read byte by byte: behind the Enter that ends a line, more would be lost to the program."""

    def __init__(self, stdin: TextIO) -> None:
        super().__init__(stdin)
        read = self.stdin_reader.read
        self.stdin_reader.read = lambda count=1: read(1)  # type: ignore[method-assign]
