"""The stack: a row for each frame, innermost first."""

from __future__ import annotations

from collections.abc import Callable

from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.utils import get_cwidth

from fixcont_ui.window.model.stack import StackRow
from fixcont_ui.window.panes.lists import ListPane


class StackPane(ListPane[StackRow]):
    """The list. Selecting a row selects its frame."""

    def __init__(self, on_select: Callable[[StackRow], None], on_press: Callable[[StackRow], None]) -> None:
        super().__init__(lambda: "Stack", draw, on_select, on_press, "no frames")

    def show_stack(self, rows: list[StackRow]) -> None:
        """Show another state of the stack; the selection goes to the selected frame, or stays on its fold."""
        now = self.selected
        if now is not None and now.is_fold:
            index = next((number for number, row in enumerate(rows) if row.is_fold and row.index == now.index), None)
            if index is not None and not (rows[index].is_open and any(row.is_selected for row in rows[index + 1 :])):
                self.show(rows, index)
                return
        self.show(rows, next((number for number, row in enumerate(rows) if row.is_selected), 0))


def draw(row: StackRow, width: int) -> StyleAndTextTuples:
    """Draw a row: `>` in front of the selected frame; `~` and `x` as in `StackRow.marks`; `+` and `-` in front of folds."""
    if row.is_fold:
        sign = "-" if row.is_open else "+"
        return [("class:dim", f" {sign} {row.function}" + (f"  {row.place}" if row.place else ""))]
    sign = ">" if row.is_selected else " "
    style = "class:frame.user" if row.is_user else "class:dim"
    marks = f" {row.marks}" if row.marks else ""
    name = row.function.rpartition("<locals>.")[2]
    indent = "" if row.is_user else "  "
    room = width - 2 - len(indent) - len(marks) - get_cwidth(row.place) - 1
    name = name if get_cwidth(name) <= room else f"{name[: max(1, room - 1)]}…"
    gap = " " * max(1, room - get_cwidth(name) + 1)
    return [(style, f"{sign} {indent}{name}"), ("class:dim", f"{gap}{row.place}"), ("class:mark", marks)]
