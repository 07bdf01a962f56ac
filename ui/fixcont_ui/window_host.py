"""What the window needs of the prompt: the same console, told to look elsewhere, without lines of text for it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

from fixcont.stopping.stop import Stop
from fixcont_ui.terminal_console import TerminalConsole

if TYPE_CHECKING:
    from fixcont_ui.streams import Streams
    from fixcont_ui.window.memory import Memory


class WindowHost(TerminalConsole):
    """A console that a window can be opened on.

    Attributes:
        is_windowed: whether stops are shown in the window.
    """

    is_windowed = False
    _memory: Memory | None = None

    @property
    def is_saved(self) -> bool:
        """Whether the stop was read from a file: what is shown is the text that ran, and there is no program to go on."""
        return False

    def select(self, index: int) -> None:
        """Select a frame of the stop, by its index."""
        pdb_itself: Any = self
        pdb_itself._select_frame(len(self.stop.frames) - 1 - index)

    def text_of_selected(self) -> list[str]:
        """Give the lines of the text that the selected frame runs."""
        assert self.curframe is not None
        return self._text_of(self.curframe)

    def introduction(self) -> list[str]:
        """Give lines that the window's console begins with, before why the program is held."""
        return []

    def is_users_file(self, filename: str) -> bool:
        """Tell whether a file is one of the user's own."""
        return self.session.scope.is_user(filename)

    def variables(self) -> Mapping[str, Any]:
        """Give the variables of the selected frame."""
        names: Mapping[str, Any] = self._locals()
        return names

    @contextmanager
    def assigning(self) -> Iterator[dict[str, Any]]:
        """Give the variables of the selected frame; what is assigned there takes effect in it."""
        with self._assigning():
            yield self._locals()

    def value_of(self, expression: str) -> Any:
        """Evaluate in the selected frame. Raises what that raises."""
        assert self.curframe is not None
        code = compile(expression.strip(), "<fixcont>", "eval")
        with self._assigning():
            return eval(code, self.curframe.f_globals, self._locals())

    def use(self, streams: Streams) -> None:
        if self.is_windowed and streams.is_terminal:
            _start_flow(streams.stdout)
        super().use(streams)

    def show_window(self, stop: Stop) -> bool:
        """Show a stop in the window until it is answered or the window is left. Returns False where there can be no window."""
        from fixcont_ui.window.memory import Memory
        from fixcont_ui.window.serving import serve

        if self._memory is None:
            self._memory = Memory()
        self.is_windowed = serve(self, stop, self._memory)  # type: ignore[arg-type]
        return self.is_windowed


def _start_flow(stream: TextIO) -> None:
    """Let the terminal take what is written, although a Ctrl-S has come that was meant for the window before it closed."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import termios

        with contextlib.suppress(termios.error):
            termios.tcflow(stream.fileno(), termios.TCOOFF)  # else the next one would not apply
            termios.tcflow(stream.fileno(), termios.TCOON)
