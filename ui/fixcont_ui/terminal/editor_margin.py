"""What stands beside the lines of an editor, and what marks a fault in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.layout.controls import UIContent
from prompt_toolkit.layout.margins import Margin
from prompt_toolkit.layout.processors import Processor, Transformation, TransformationInput
from prompt_toolkit.layout.utils import explode_text_fragments

if TYPE_CHECKING:
    from prompt_toolkit.layout.containers import WindowRenderInfo

    from fixcont_ui.terminal.source_editor import SourceEditor


class SourceMargin(Margin):
    """The numbers of the lines in their file, with signs: `->` where a frame stands, `!!` where a fault is."""

    def __init__(self, editor: SourceEditor) -> None:
        self._editor = editor

    def get_width(self, get_ui_content: Callable[[], UIContent]) -> int:
        return self._digits(get_ui_content().line_count) + 4

    def create_margin(self, window_render_info: WindowRenderInfo, width: int, height: int) -> StyleAndTextTuples:
        editor = self._editor
        digits = self._digits(window_render_info.ui_content.line_count)
        shown: StyleAndTextTuples = []
        last: int | None = None
        for row in window_render_info.displayed_lines:
            if row != last:
                number = editor.first_line + row
                style, sign = self._mark(number)
                shown.append((style, f"{number:>{digits}} {sign:2} "))
            shown.append(("", "\n"))
            last = row
        return shown

    def _mark(self, number: int) -> tuple[str, str]:
        editor = self._editor
        if editor.fault is not None and editor.fault.line == number:
            return "class:editor.number.fault", "!!"
        if number == editor.running:
            return "class:editor.number.running", "->"
        return "class:editor.number.current" if number == editor.line else "class:editor.number", ""

    def _digits(self, lines: int) -> int:
        return max(3, len(str(self._editor.first_line + lines - 1)))


class FaultProcessor(Processor):
    """Underlines the text that is at fault."""

    def __init__(self, editor: SourceEditor) -> None:
        self._editor = editor

    def apply_transformation(self, transformation_input: TransformationInput) -> Transformation:
        fault, fragments = self._editor.fault, transformation_input.fragments
        if fault is None or fault.line is None or transformation_input.lineno != fault.line - self._editor.first_line:
            return Transformation(fragments)
        marked = explode_text_fragments(fragments)
        end = fault.end_column if fault.end_column is not None and fault.end_column > fault.column else fault.column + 1
        for index in range(fault.column, min(end, len(marked))):
            marked[index] = (f"{marked[index][0]} class:editor.fault", marked[index][1])
        return Transformation(marked)
