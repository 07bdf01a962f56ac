"""The variables of the selected frame as a tree."""

from __future__ import annotations

from collections.abc import Callable

from prompt_toolkit.formatted_text import StyleAndTextTuples

from fixcont_ui.window.model.variables import VariableRow
from fixcont_ui.window.panes.lists import ListPane


class VariablesPane(ListPane[VariableRow]):
    """The list. A click on a row that has something below it unfolds it."""

    def __init__(self, on_press: Callable[[VariableRow], None]) -> None:
        super().__init__(lambda: "Variables", draw, lambda row: None, on_press, "no variables")

    def show_variables(self, rows: list[VariableRow]) -> None:
        """Show another state; the selection stays on the variable that it was on."""
        now = self.selected
        index = next((number for number, row in enumerate(rows) if now is not None and row.path == now.path), None)
        self.show(rows, index if index is not None else min(self.index, max(0, len(rows) - 1)))


def draw(row: VariableRow, width: int) -> StyleAndTextTuples:
    """Draw a row: `+` and `-` in front of what can be unfolded and folded."""
    sign = ("-" if row.is_open else "+") if row.is_expandable else " "
    shown: StyleAndTextTuples = [("", f"{'  ' * row.depth}{sign} "), ("class:variable.name", row.name)]
    if row.look:
        shown += [("class:dim", " = " if not row.name.startswith("…") else " "), ("class:variable.value", row.look)]
    return shown
