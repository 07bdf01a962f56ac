"""Programs in the full-screen window, on a pseudo-terminal."""

from __future__ import annotations

import termios
from collections.abc import Mapping
from typing import Any, Self

from support.screen import ScreenSession


class Window(ScreenSession):
    """A program in the window, with `files` beside it."""

    def __init__(
        self,
        text: str,
        *,
        files: Mapping[str, str] | None = None,
        options: tuple[str, ...] = ("--window",),
        size: tuple[int, int] = (100, 30),
        **more: Any,
    ) -> None:
        self._opened = 0
        super().__init__({"program.py": text, **(files or {})}, ["-m", "fixcont", *options, "program.py"], size=size, **more)

    def __enter__(self) -> Self:
        super().__enter__()
        return self

    @property
    def is_up(self) -> bool:
        return self.screen.is_full_screen and "Stack" in self.text and "(fixcont)" in self.text

    def up(self) -> None:
        """Wait until the window shows, each time it is called once more than before."""
        self._opened += 1
        self.wait_until(lambda: self.raw.count(b"\x1b[?1049h") >= self._opened and self.is_up, "the window did not open")

    def down(self) -> None:
        """Wait until the terminal is what it was."""
        self.wait_until(
            lambda: not self.screen.is_full_screen and not self.screen.takes_mouse and not self.screen.cursor.hidden,
            "the terminal was not given back",
        )

    def console(self, line: str) -> None:
        """Enter a line in the console."""
        self.press("c-x", "4")
        self.wait_for("══ Console")
        self.type(line)
        self.press("enter")

    def quit(self) -> int:
        """End the program."""
        self.press("c-q")
        self.wait_for("End the program")
        self.press("y")
        return self.finish()

    @property
    def is_echoing(self) -> bool:
        return bool(termios.tcgetattr(self._descriptor)[3] & termios.ECHO)

    @property
    def source(self) -> str:
        return (self.folder / "program.py").read_text(encoding="utf-8")
