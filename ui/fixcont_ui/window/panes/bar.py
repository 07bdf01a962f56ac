"""The bar of the ways to go on. What cannot be done stands in parentheses, with its reason where it is selected or under the mouse."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from prompt_toolkit.application.current import get_app
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.layout import FormattedTextControl, Window
from prompt_toolkit.layout.dimension import Dimension
from prompt_toolkit.mouse_events import MouseEvent, MouseEventType

from fixcont_ui.ways import WayRow
from fixcont_ui.window.keys import KEYS

#: Name of a command -> the key that gives it.
_KEYS: Final = {key.action.partition(":")[2]: key.shown for key in KEYS if key.action.startswith("way:")}


class BarPane:
    """The bar.

    Args:
        on_press: called with the way that the user has chosen.
        on_point: called with the way that is selected, or under the mouse.

    Attributes:
        ways: what is shown.
        index: of the selected one.
    """

    def __init__(self, on_press: Callable[[WayRow], None], on_point: Callable[[WayRow], None]) -> None:
        self.ways: Sequence[WayRow] = ()
        self.index = 0
        self._on_press = on_press
        self._on_point = on_point
        control = FormattedTextControl(self._fragments, focusable=True, show_cursor=False)
        self.window = Window(control, height=self._height, always_hide_cursor=True, style="class:bar")
        self.has_focus = Condition(lambda: get_app().layout.has_focus(self.window))
        self.container = self.window

    @property
    def selected(self) -> WayRow | None:
        """The selected way."""
        return self.ways[self.index] if self.index < len(self.ways) else None

    def move(self, by: int) -> None:
        """Select another one."""
        if self.ways:
            self.index = (self.index + by) % len(self.ways)
            self._on_point(self.ways[self.index])

    def move_row(self, by: int) -> None:
        """Select the one above or below."""
        rows = self._rows()
        row = next(number for number, each in enumerate(rows) if self.index in each)
        if 0 <= row + by < len(rows):
            at = rows[row].index(self.index)
            self.index = rows[row + by][min(at, len(rows[row + by]) - 1)]
            self._on_point(self.ways[self.index])

    def _label(self, way: WayRow) -> str:
        key = _KEYS.get(way.command.name)
        text = f"{key} {way.label}" if key else way.label
        return f"({text})" if way.refusal is not None else f" {text} "

    def _rows(self) -> list[list[int]]:
        """Arrange the ways in as many rows as they need."""
        width = get_app().output.get_size().columns
        rows: list[list[int]] = [[]]
        used = 0
        for number, way in enumerate(self.ways):
            size = len(self._label(way))
            if used + size > width and rows[-1]:
                rows.append([])
                used = 0
            rows[-1].append(number)
            used += size
        return rows

    def _height(self) -> Dimension:
        return Dimension.exact(max(1, len(self._rows())))

    def _fragments(self) -> StyleAndTextTuples:
        shown: StyleAndTextTuples = []
        for row in self._rows():
            for number in row:
                way = self.ways[number]
                style = "class:way" if way.refusal is None else "class:way.refused"
                if number == self.index and self.has_focus():
                    style += " class:selected"
                shown.append((style, self._label(way), self._handler(number)))
            shown.append(("", "\n"))
        return shown[:-1]

    def _handler(self, number: int) -> Callable[[MouseEvent], object]:
        def handle(event: MouseEvent) -> object:
            if number >= len(self.ways):
                return None
            if event.event_type is MouseEventType.MOUSE_UP:
                self.index = number
                self._on_press(self.ways[number])
                return None
            if event.event_type is MouseEventType.MOUSE_MOVE:
                self._on_point(self.ways[number])
                return None
            return NotImplemented

        return handle
