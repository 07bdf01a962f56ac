"""A list of rows of which one is selected, by keys and by the mouse; and the heading that every pane has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from prompt_toolkit.application.current import get_app
from prompt_toolkit.data_structures import Point
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.formatted_text.utils import fragment_list_width
from prompt_toolkit.layout import ConditionalContainer, Container, FormattedTextControl, HSplit, ScrollbarMargin, Window
from prompt_toolkit.layout.controls import UIContent, UIControl
from prompt_toolkit.mouse_events import MouseEvent, MouseEventType

Row = TypeVar("Row")
MouseHandler = Callable[[MouseEvent], object]


def heading(title: Callable[[], str], target: Callable[[], Window], note: Callable[[], str] = lambda: "") -> Window:
    """Make the line above a pane: double where the pane has the focus, and a click on it gives it that."""

    def fragments() -> StyleAndTextTuples:
        has_focus = get_app().layout.has_focus(target())
        line, style = ("═", "class:heading.focused") if has_focus else ("─", "class:heading")
        text = f"{line}{line} {title()}{f' · {note()}' if note() else ''} "

        def clicked(event: MouseEvent) -> object:
            if event.event_type is not MouseEventType.MOUSE_UP:
                return NotImplemented
            get_app().layout.focus(target())
            return None

        return [(style, text, clicked), (style, line * 400, clicked)]

    return Window(FormattedTextControl(fragments), height=1, wrap_lines=False)


def clipped(fragments: StyleAndTextTuples, width: int, style: str) -> StyleAndTextTuples:
    """Fill a row up to a width, so that its look goes over the whole of it; or cut it there."""
    size = fragment_list_width(fragments)
    if size <= width:
        return [*fragments, (style, " " * (width - size))]
    found: StyleAndTextTuples = []
    left = width - 1
    for each in fragments:
        text = each[1][:left]
        found.append((each[0], text))
        left -= fragment_list_width([(each[0], text)])
        if left <= 0:
            break
    return [*found, (style, "…")]


class ListPane(Generic[Row]):
    """A list.

    Args:
        draw: gives the fragments of a row for a width.
        on_select: called when the user has selected a row.
        on_press: called when the user has clicked a row.

    Attributes:
        rows: what is listed.
        index: of the selected row.
    """

    def __init__(
        self,
        title: Callable[[], str],
        draw: Callable[[Row, int], StyleAndTextTuples],
        on_select: Callable[[Row], None],
        on_press: Callable[[Row], None],
        empty: str,
    ) -> None:
        self.rows: list[Row] = []
        self.index = 0
        self._draw = draw
        self._on_select = on_select
        self._on_press = on_press
        self._empty = empty
        self._width = 30
        control = _RowsControl(
            self._measured, self._fragments, focusable=True, show_cursor=False, get_cursor_position=self._cursor
        )
        self.window = _Scrolled(control, right_margins=[ScrollbarMargin()], wrap_lines=False, always_hide_cursor=True)
        self.window.on_scroll = self.move
        self.has_focus = Condition(lambda: get_app().layout.has_focus(self.window))
        self.container: Container = HSplit([heading(title, lambda: self.window), self.window])

    @property
    def selected(self) -> Row | None:
        """The selected row."""
        return self.rows[self.index] if 0 <= self.index < len(self.rows) else None

    def show(self, rows: list[Row], index: int | None = None) -> None:
        """Show other rows. The selection stays where it was unless `index` is given."""
        self.rows = rows
        self.index = max(0, min(self.index if index is None else index, len(rows) - 1))

    def move(self, by: int) -> None:
        """Select another row."""
        index = max(0, min(self.index + by, len(self.rows) - 1))
        if index != self.index:
            self.index = index
            self._on_select(self.rows[index])

    @property
    def page(self) -> int:
        """How many rows are visible."""
        info = self.window.render_info
        return max(1, info.window_height - 1) if info is not None else 10

    def _cursor(self) -> Point:
        return Point(0, self.index)

    def _fragments(self) -> StyleAndTextTuples:
        width = self._width
        if not self.rows:
            return [("class:dim", f"  {self._empty}")]
        shown: StyleAndTextTuples = []
        for number, row in enumerate(self.rows):
            is_here = number == self.index
            look = ("class:selected" if self.has_focus() else "class:selected.unfocused") if is_here else ""
            drawn = clipped(self._draw(row, width), width, "")
            handler = self._handler(number)
            shown += [(f"{each[0]} {look}", each[1], handler) for each in drawn]
            shown.append(("", "\n", handler))
        return shown[:-1]

    def _measured(self, width: int) -> int:
        """Take note of the width that there is. Returns the number of rows."""
        self._width = width
        return len(self.rows)

    def _handler(self, number: int) -> MouseHandler:
        def handle(event: MouseEvent) -> object:
            if event.event_type is not MouseEventType.MOUSE_UP:
                return NotImplemented
            get_app().layout.focus(self.window)
            if number < len(self.rows):
                was = self.index
                self.index = number
                if was != number:
                    self._on_select(self.rows[number])
                self._on_press(self.rows[number])
            return None

        return handle


class _RowsControl(FormattedTextControl):
    """Rows that fill the width that they get: so they are drawn once that is known, and not before."""

    def __init__(self, measured: Callable[[int], int], *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._measured = measured

    def preferred_width(self, max_available_width: int) -> int:
        return 10

    def preferred_height(self, width: int, max_available_height: int, wrap_lines: bool, get_line_prefix: Any) -> int | None:
        return self._measured(width)

    def create_content(self, width: int, height: int | None) -> UIContent:
        self._measured(width)
        return super().create_content(width, height)


class _Scrolled(Window):
    """A window of a list: the wheel moves its selection, as what is selected is always in sight."""

    on_scroll: Callable[[int], None]

    def _scroll_up(self) -> None:
        self.on_scroll(-1)

    def _scroll_down(self) -> None:
        self.on_scroll(1)


class TextPane:
    """Lines of text of which the last ones are shown, unless one has scrolled back.

    Attributes:
        lines: (style, text).
        back: how many lines the end of what is shown is away from the last one.
    """

    def __init__(self, title: Callable[[], str], note: Callable[[], str] = lambda: "", below: Container | None = None) -> None:
        self.lines: list[tuple[str, str]] = []
        self.back = 0
        control: UIControl = FormattedTextControl(
            self._fragments, focusable=True, show_cursor=False, get_cursor_position=self._cursor
        )
        self.window = _Scrolled(control, right_margins=[ScrollbarMargin()], wrap_lines=True, always_hide_cursor=True)
        self.window.on_scroll = self.move
        self.has_focus = Condition(lambda: get_app().layout.has_focus(self.window))
        parts: list[Container] = [heading(title, lambda: self.target, note), self.window]
        if below is not None:
            parts.append(ConditionalContainer(below, True))
        self.target: Window = self.window
        self.container: Container = HSplit(parts)

    def move(self, by: int) -> None:
        """Scroll; towards the end where `by` is positive."""
        self.back = max(0, min(self.back - by, max(0, len(self.lines) - 1)))

    @property
    def page(self) -> int:
        """How many lines are visible."""
        info = self.window.render_info
        return max(1, info.window_height - 1) if info is not None else 10

    def _cursor(self) -> Point:
        return Point(0, max(0, len(self.lines) - 1 - self.back))

    def _fragments(self) -> StyleAndTextTuples:
        shown: StyleAndTextTuples = []
        for style, text in self.lines[: len(self.lines) - self.back]:
            shown += [(style, text), ("", "\n")]
        return shown[:-1]
