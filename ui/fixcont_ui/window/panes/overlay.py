"""What is shown over everything else: the help screen, and explanations."""

from __future__ import annotations

import textwrap

from prompt_toolkit.application.current import get_app
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.layout import ConditionalContainer, FormattedTextControl, ScrollbarMargin, Window
from prompt_toolkit.layout.dimension import Dimension
from prompt_toolkit.layout.layout import FocusableElement
from prompt_toolkit.widgets import Frame

from fixcont_ui.window.keys import help_lines


class Overlay:
    """A box with lines. While it is open it has the focus.

    Attributes:
        is_open: whether it shows.
    """

    def __init__(self) -> None:
        self._title = ""
        self._lines: list[StyleAndTextTuples] = []
        self._top = 0
        self._before: FocusableElement | None = None
        control = FormattedTextControl(self._fragments, focusable=True, show_cursor=False)
        self.window = Window(
            control,
            wrap_lines=True,
            right_margins=[ScrollbarMargin()],
            always_hide_cursor=True,
            height=self._height,
            get_vertical_scroll=lambda window: self._top,
        )
        self.is_open = Condition(lambda: get_app().layout.has_focus(self.window))
        frame = Frame(self.window, title=lambda: self._title)
        self.container = ConditionalContainer(frame, self.is_open)

    def help(self) -> None:
        """Show all keys."""
        width = max(len(key) for key, _ in help_lines())
        room = self._room() - width - 4
        lines: list[StyleAndTextTuples] = []
        for key, told in help_lines():
            if key:
                first, *more = textwrap.wrap(told, max(20, room)) or [""]
                lines.append([("class:key", f"  {key:{width}}"), ("", f"  {first}")])
                lines += [[("", f"{'':{width + 4}}{line}")] for line in more]
            else:
                lines.append([("class:heading.focused", told)])
        self._open("All keys (arrows scroll, Esc closes)", lines)

    def explain(self, title: str, text: str) -> None:
        """Show a text."""
        lines = [each for line in text.splitlines() for each in textwrap.wrap(line, self._room(), drop_whitespace=False) or [""]]
        self._open(f"{title} (Esc closes)", [[("", line)] for line in lines])

    def move(self, by: int) -> None:
        """Scroll."""
        info = self.window.render_info
        room = info.window_height if info is not None else 10
        self._top = max(0, min(self._top + by, len(self._lines) - room))

    def close(self) -> None:
        """Give the focus back."""
        layout = get_app().layout
        if self._before is not None:
            layout.focus(self._before)
        self._before = None

    def _open(self, title: str, lines: list[StyleAndTextTuples]) -> None:
        layout = get_app().layout
        if not layout.has_focus(self.window):
            self._before = layout.current_window
        self._title, self._lines, self._top = title, lines, 0
        layout.focus(self.window)

    def _room(self) -> int:
        return max(20, get_app().output.get_size().columns - 7)

    def _height(self) -> Dimension:
        rows = get_app().output.get_size().rows
        return Dimension(max=max(1, rows - 4), preferred=min(len(self._lines), max(1, rows - 4)))

    def _fragments(self) -> StyleAndTextTuples:
        shown: StyleAndTextTuples = []
        for line in self._lines:
            shown += [*line, ("", "\n")]
        return shown[:-1]
