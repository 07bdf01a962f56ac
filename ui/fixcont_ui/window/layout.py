"""How the panes are arranged, for the size that the terminal has at the moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from prompt_toolkit.application.current import get_app
from prompt_toolkit.filters import Condition, Filter
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.layout import (
    CompletionsMenu,
    ConditionalContainer,
    Container,
    Dimension,
    DynamicContainer,
    Float,
    FloatContainer,
    FormattedTextControl,
    HSplit,
    Layout,
    VSplit,
    Window,
)

if TYPE_CHECKING:
    from fixcont_ui.window.application import StopWindow

_WIDE: Final = 110
_HIGH: Final = 36
#: A terminal smaller than this shows the pane with the focus only.
_SMALL: Final = (60, 16)


def arrange(window: StopWindow) -> Layout:
    """Make the layout of a window."""
    title = Window(FormattedTextControl(window.title_fragments), height=1, style="class:title")
    made: dict[tuple[int, int, bool, bool], Container] = {}  # size, whether console and output have the focus -> the body

    def body_now() -> Container:
        size = get_app().output.get_size()
        key = size.columns, size.rows, window.console.is_in_use(), window.output.has_focus()
        if key not in made:
            made.clear()
            made[key] = _body(window)
        return made[key]

    body = DynamicContainer(body_now)
    everything = HSplit([title, body, window.bar.container, window.status.container])
    overlay = Float(window.overlay.container, left=2, right=2)
    found = Float(CompletionsMenu(max_height=8, scroll_offset=1), xcursor=True, ycursor=True)
    first = window.console.input if window.memory.is_typing else window.source.editor.window
    return Layout(FloatContainer(everything, [found, overlay]), focused_element=first)


def _body(window: StopWindow) -> Container:
    size = get_app().output.get_size()
    if size.columns < _SMALL[0] or size.rows < _SMALL[1]:
        return _only_focused(window)
    left_width = max(26, min(48, size.columns * 36 // 100))
    left = HSplit(
        [
            _of_weight(window.stack.container, 4),
            _of_weight(window.variables.container, 6),
        ],
        width=Dimension.exact(left_width),
    )
    # What has the focus gets more room, where there is little.
    source = _of_weight(window.source.container, 4 if window.console.is_in_use() or window.output.has_focus() else 6)
    if size.columns >= _WIDE and size.rows >= _HIGH:
        below: list[Container] = [_of_weight(VSplit([window.console.container, _rule(), window.output.container]), 4)]
    else:
        below = _sharing(window)
    return VSplit([left, _rule(), HSplit([source, *below])])


def _sharing(window: StopWindow) -> list[Container]:
    """Console and output, of which the one without the focus shows little."""
    has_output = Condition(lambda: bool(window.output.lines))
    is_output = window.output.has_focus()
    console = HSplit(
        [window.console.container],
        height=Dimension.exact(3) if is_output else Dimension(weight=6 if window.console.is_in_use() else 4),
    )
    output = HSplit([window.output.container], height=Dimension(weight=6) if is_output else Dimension.exact(3))
    return [console, ConditionalContainer(output, has_output | window.output.has_focus)]


def _only_focused(window: StopWindow) -> Container:
    panes: list[tuple[Container, Filter]] = [
        (window.stack.container, window.stack.has_focus),
        (window.variables.container, window.variables.has_focus),
    ]
    panes += [(window.console.container, window.console.is_in_use)]
    panes += [(window.output.container, window.output.has_focus)]
    others = ~panes[0][1] & ~panes[1][1] & ~panes[2][1] & ~panes[3][1]
    return HSplit([ConditionalContainer(pane, shows) for pane, shows in [*panes, (window.source.container, others)]])


def _of_weight(container: Container, weight: int) -> Container:
    return HSplit([container], height=Dimension(weight=weight, preferred=weight))


def _rule() -> Window:
    return Window(width=1, char="│", style="class:heading")


def title_fragments(title: str, where: str, thread: str) -> StyleAndTextTuples:
    """Give the line at the top: why the program is held, and where."""
    width = get_app().output.get_size().columns
    where = f"in thread {thread}  {where}" if thread else where
    room = width - len(where) - 4
    if room < 20:
        return [("", f" {title}")]
    shown = title if len(title) <= room else f"{title[: room - 1]}…"
    return [("class:title", f" {shown:{room}}  "), ("class:title.where", where)]
