"""The source of the selected frame: an editor on its file."""

from __future__ import annotations

import os
from collections.abc import Callable

from prompt_toolkit.application.current import get_app
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.layout import ConditionalContainer, FormattedTextControl, HSplit, ScrollOffsets, Window
from prompt_toolkit.layout.containers import WindowRenderInfo
from prompt_toolkit.layout.controls import UIContent
from prompt_toolkit.layout.dimension import Dimension
from prompt_toolkit.layout.margins import Margin
from prompt_toolkit.layout.processors import Processor, Transformation, TransformationInput
from prompt_toolkit.layout.utils import explode_text_fragments

from fixcont_ui.source_file import Fault as FileFault
from fixcont_ui.source_file import SourceFile
from fixcont_ui.terminal.source_editor import Fault, Question, SourceEditor
from fixcont_ui.window.memory import Draft
from fixcont_ui.window.model.desk import Source
from fixcont_ui.window.panes.lists import heading


class SourcePane:
    """The editor, and below it what is wrong with its text.

    Args:
        drafts: name of a file -> what was edited and not saved; kept up to date.
        on_accept: called when the user accepts the text by a key of the editor.

    Attributes:
        editor: the editor.
        source: what is shown; None before anything is.
        shows_old: whether the text is the one that the frame runs, not the one of the file.
    """

    def __init__(self, drafts: dict[str, Draft], on_accept: Callable[[], None]) -> None:
        self._drafts = drafts
        self._on_accept = on_accept
        self._before: SourceFile | None = None
        self._place: object = None
        self._ran: object = None  # which text a frame ran, and where, of those that are shown before what the file says
        self._refusal = ""
        self.source: Source | None = None
        self.shows_old = False
        self.is_read_only = Condition(lambda: self._before is None or self.shows_old or self._is_refused())
        self.editor = SourceEditor(
            on_accept=self._accepted, on_cancel=lambda: None, on_change=self._changed, read_only=self.is_read_only, bar=False
        )
        self.editor.window.scroll_offsets = ScrollOffsets(top=3, bottom=4)
        self.editor.window.left_margins = [_BreakpointMargin(self), *self.editor.window.left_margins]
        self.editor.control.input_processors = [*(self.editor.control.input_processors or []), _SpanProcessor(self)]
        self.has_focus = Condition(lambda: get_app().layout.has_focus(self.editor.window))
        note = Window(FormattedTextControl(self._note), height=Dimension(min=1, max=5), wrap_lines=True, dont_extend_height=True)
        self.container = HSplit(
            [
                heading(self._title, lambda: self.editor.window, self._state),
                self.editor,
                ConditionalContainer(note, Condition(lambda: bool(self._note()))),
            ]
        )

    # What is edited.

    @property
    def before(self) -> SourceFile | None:
        """What the file said when its text was opened."""
        return self._before

    @property
    def text(self) -> str:
        """The text as it is edited now."""
        return self.editor.text

    @property
    def is_changed(self) -> bool:
        """Whether the text shown is not saved."""
        return self._before is not None and not self.shows_old and self.editor.is_changed

    def keep(self) -> None:
        """Note what is not saved, so that it is not lost."""
        if self._before is None or self.shows_old:
            return
        if self.editor.is_changed:
            self._drafts[self._before.path] = Draft(self._before, self.editor.text)
        else:
            self._drafts.pop(self._before.path, None)

    def discard(self) -> None:
        """Forget what was edited in the file that is shown."""
        if self._before is not None:
            self._drafts.pop(self._before.path, None)
            self._before, self._place = None, None

    def rebase(self, disk: SourceFile) -> None:
        """Let what is edited be an edit of what the file says now: the next time it is saved it takes the place of that."""
        self._before = disk

    def saved(self, disk: SourceFile) -> None:
        """Note that the text was saved."""
        self._before = disk
        self._drafts.pop(disk.path, None)
        self.editor.rebase(disk.text)
        self._refusal = ""

    # What is shown.

    def show(self, source: Source) -> None:
        """Show the source of a frame. The cursor goes to its line unless it is where it was."""
        place = source.filename, source.function, source.line, source.old
        is_new = place != self._place
        self.source, self._place = source, place
        if self.shows_old and not is_new:
            return
        ran = (source.filename, source.function, source.old) if source.ran_first and source.old is not None else None
        if source.disk is None or (ran is not None and ran != self._ran):
            self.keep()
            self._ran = ran
            self._open_old()
            return
        is_same_text = self._before is not None and self._before.path == source.filename and not self.shows_old
        if is_same_text and (self._before == source.disk or self.editor.is_changed):
            self.editor.running = source.line
            if is_new and source.line is not None:
                self._go_to(source)
            return
        self.keep()
        self._open(source)

    def toggle_old(self) -> bool:
        """Show the text that the frame runs, or that of the file again. Returns whether there is another one."""
        if self.source is None or self.source.old is None or self.source.disk is None:
            return False
        if self.shows_old:
            self._open(self.source)
        else:
            self.keep()
            self._open_old()
        return True

    def show_fault(self, fault: FileFault) -> None:
        """Show why the text does not compile, there."""
        self.editor.show(Fault(fault.message, fault.line, fault.column, fault.end_column))

    def show_refusal(self, text: str) -> None:
        """Show why the text is not installed, until it is edited."""
        self._refusal = text

    def ask(self, question: Question) -> None:
        """Ask below the text."""
        self.editor.ask(question)

    def _open(self, source: Source) -> None:
        assert source.disk is not None
        self.shows_old = False
        draft = self._drafts.get(source.filename)
        self._before = draft.before if draft is not None else source.disk
        self._refusal = ""
        self.editor.open(
            self._before.text,
            line=source.line or 1,
            column=self._column(source),
            running=source.line,
            title=os.path.basename(source.filename),
            edited=draft.text if draft is not None else None,
        )

    def _open_old(self) -> None:
        assert self.source is not None
        self.shows_old = True
        text, line = self.source.old or ("", 1)
        column = _column_in(text, line, self.source.old_span)
        self.editor.open(text, line=line, column=column, running=line, title=os.path.basename(self.source.filename))

    def _go_to(self, source: Source) -> None:
        if source.line is not None:
            self.editor.go_to(source.line, self._column(source))

    def _column(self, source: Source) -> int:
        """Give the column of the failing expression, or of what the line begins with."""
        assert source.disk is not None
        return 0 if source.line is None else _column_in(source.disk.text, source.line, source.span)

    def _accepted(self, text: str) -> None:
        self._on_accept()

    def _changed(self) -> None:
        self._refusal = ""

    def _is_refused(self) -> bool:
        return self.source is not None and self.source.refusal is not None

    def _title(self) -> str:
        if self.source is None:
            return "Source"
        return f"{os.path.basename(self.source.filename)}  {self.source.function.rpartition('<locals>.')[2]}"

    def _state(self) -> str:
        if self.shows_old:
            has_file = self.source is not None and self.source.disk is not None
            if self.source is not None and self.source.ran_first:
                return "what ran (Ctrl-T: the file)" if has_file else "what ran; no file here"
            return "what the frame runs (Ctrl-T: the file)" if has_file else "no file"
        if self._is_refused():
            return "read only"
        if self.editor.is_changed:
            return "changed (Ctrl-S accepts)"
        if self.source is None or self.source.old is None:
            return ""
        return "not what ran (Ctrl-T)" if self.source.ran_first else "an older text runs (Ctrl-T)"

    def _note(self) -> StyleAndTextTuples:
        if self.editor.question is not None or self.editor.fault is not None or self.editor.note:
            return self.editor.bar_fragments()
        return [("class:refused", f"! {self._refusal}")] if self._refusal else []


class _BreakpointMargin(Margin):
    """A `B` beside lines with breakpoints."""

    def __init__(self, pane: SourcePane) -> None:
        self._pane = pane

    def get_width(self, get_ui_content: Callable[[], UIContent]) -> int:
        return 1

    def create_margin(self, window_render_info: WindowRenderInfo, width: int, height: int) -> StyleAndTextTuples:
        source = self._pane.source
        lines = source.breakpoints if source is not None and not self._pane.shows_old else frozenset()
        shown: StyleAndTextTuples = []
        last: int | None = None
        for row in window_render_info.displayed_lines:
            has = row != last and row + 1 in lines
            shown += [("class:breakpoint" if has else "", "B" if has else " "), ("", "\n")]
            last = row
        return shown


class _SpanProcessor(Processor):
    """Marks the expression that failed, as long as the text was not edited."""

    def __init__(self, pane: SourcePane) -> None:
        self._pane = pane

    def apply_transformation(self, transformation_input: TransformationInput) -> Transformation:
        fragments, source = transformation_input.fragments, self._pane.source
        span = None if source is None else source.old_span if self._pane.shows_old else source.span
        if span is None or self._pane.editor.is_changed:
            return Transformation(fragments)
        line, column, end_line, end_column = span
        number = transformation_input.lineno + 1
        if not line <= number <= end_line:
            return Transformation(fragments)
        text = transformation_input.document.lines[transformation_input.lineno]
        begin = _characters(text, column) if number == line else len(text) - len(text.lstrip())
        end = _characters(text, end_column) if number == end_line else len(text)
        marked = explode_text_fragments(fragments)
        for index in range(begin, min(end, len(marked))):
            marked[index] = (f"{marked[index][0]} class:source.failing", marked[index][1])
        return Transformation(marked)


def _column_in(text: str, line: int, span: tuple[int, int, int, int] | None) -> int:
    """Give the column of the failing expression, or of what the line begins with."""
    lines = text.split("\n")
    if line > len(lines):
        return 0
    found = lines[line - 1]
    if span is not None and span[0] == line:
        return len(found.encode()[: span[1]].decode(errors="ignore"))
    return len(found) - len(found.lstrip())


def _characters(line: str, offset: int) -> int:
    """Give the column in characters of one in bytes."""
    return len(line.encode()[:offset].decode(errors="ignore"))
