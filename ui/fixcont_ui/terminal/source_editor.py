"""An editor for Python source as a widget: to be put into the layout of an application, which it knows nothing of.

Whoever uses it gives it a text (`open`), gets the edited one by `on_accept`, and may answer with what is wrong with it. A host that
has a bar of its own leaves this one out, and shows `bar_fragments()`. Which keys edit, vi's or emacs's, is the application's
`editing_mode`; the keys of this editor itself are in `editor_keys.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from prompt_toolkit.application.current import get_app
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition, FilterOrBool, to_filter
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.layout import (
    BufferControl,
    ConditionalContainer,
    ConditionalMargin,
    Container,
    Dimension,
    FormattedTextControl,
    HSplit,
    ScrollbarMargin,
    Window,
)
from prompt_toolkit.layout.processors import BeforeInput, HighlightMatchingBracketProcessor, TabsProcessor
from prompt_toolkit.lexers import PygmentsLexer
from prompt_toolkit.widgets import SearchToolbar
from pygments.lexers.python import PythonLexer

from fixcont_ui.indentation import unit_of
from fixcont_ui.source_file import Fault
from fixcont_ui.terminal import editor_keys
from fixcont_ui.terminal.editor_margin import FaultProcessor, SourceMargin

__all__ = ["ACCEPT_LABEL", "Choice", "Fault", "Question", "SourceEditor"]

ACCEPT_LABEL: Final = "save and install"
_LONG: Final = 1000


@dataclass(frozen=True)
class Choice:
    """One answer to a question: the key, a lower case letter, what it stands for, and what it does."""

    key: str
    label: str
    action: Callable[[], None]


@dataclass(frozen=True)
class Question:
    """What is asked in the bar; Escape is always an answer, and goes back to the text.

    Attributes:
        aside: lines of a diff to be shown above the text meanwhile.
    """

    text: str
    choices: tuple[Choice, ...]
    aside: tuple[str, ...] = ()


class SourceEditor:
    """The widget. Its container is what `__pt_container__` gives; `window` is what is to be focused.

    Attributes:
        buffer: what is edited.
        first_line: the number of the first line of the text in its file.
        running: the line at which a frame stands, marked in the margin; None where there is none.
        fault: what is shown as wrong; None where nothing is.
        question: what is being asked; None where nothing is.
        note: one line that is shown in the bar until the next edit.
        unit: what a block is indented by.
    """

    def __init__(
        self,
        *,
        on_accept: Callable[[str], Fault | Question | None],
        on_cancel: Callable[[], None],
        on_change: Callable[[], None] = lambda: None,
        leaving: Sequence[Choice] = (),
        read_only: FilterOrBool = False,
        bar: bool = True,
        accept_label: str = ACCEPT_LABEL,
    ) -> None:
        """Make an editor with an empty text.

        Args:
            on_accept: called with the text when the user accepts it; what it returns is shown, and the user goes on editing.
            on_cancel: called when the user leaves without accepting; has been asked already where the text was changed.
            on_change: called after each change of the text.
            leaving: more answers to the question what shall become of changes.
            bar: whether the container ends in the lines that show the place, the keys, faults and questions.
            accept_label: what accepting does, in a few words.
        """
        self._on_accept, self._on_cancel, self._on_change = on_accept, on_cancel, on_change
        self._leaving, self._accept_label = tuple(leaving), accept_label
        self._opened = ""
        self.title = ""
        self.first_line = 1
        self.running: int | None = None
        self.fault: Fault | None = None
        self.question: Question | None = None
        self.note = ""
        self.unit = "    "
        self.is_asking = Condition(lambda: self.question is not None)
        self._is_read_only = to_filter(read_only)
        self.buffer = Buffer(read_only=self.is_asking | self._is_read_only, on_text_changed=lambda _: self._changed())
        self._search = SearchToolbar(
            ignore_case=True, forward_search_prompt="search: ", backward_search_prompt="search backward: "
        )
        self.control = BufferControl(
            self.buffer,
            lexer=PygmentsLexer(PythonLexer, sync_from_start=Condition(self._is_short)),
            search_buffer_control=self._search.control,
            preview_search=True,
            include_default_input_processors=True,
            input_processors=[FaultProcessor(self), HighlightMatchingBracketProcessor(), TabsProcessor(8, " ", " ")],
            key_bindings=editor_keys.text_bindings(self),
            focus_on_click=True,
        )
        self.window = Window(
            self.control,
            left_margins=[SourceMargin(self)],
            right_margins=[ConditionalMargin(ScrollbarMargin(), Condition(self._is_cut))],
            wrap_lines=False,
            cursorline=False,
        )
        self._entry = Buffer(multiline=False, accept_handler=self._entered)
        self._entry_window = Window(
            BufferControl(
                self._entry,
                input_processors=[BeforeInput("go to line: ", style="class:editor.question")],
                key_bindings=editor_keys.entry_bindings(self),
            ),
            height=1,
        )
        self.container = self._arranged(bar)

    def __pt_container__(self) -> Container:
        return self.container

    # What a host does with it.

    @property
    def text(self) -> str:
        """The text as it is edited now."""
        return self.buffer.text

    @property
    def is_changed(self) -> bool:
        """Whether the text differs from the one that was opened."""
        return self.buffer.text != self._opened

    @property
    def line(self) -> int:
        """The number of the line with the cursor, as the margin shows it."""
        return self.first_line + self.buffer.document.cursor_position_row

    def open(
        self,
        text: str,
        *,
        first_line: int = 1,
        line: int | None = None,
        column: int = 0,
        running: int | None = None,
        title: str = "",
        edited: str | None = None,
    ) -> None:
        """Show another text, without a past to be undone.

        Args:
            text: lines end in newlines only.
            first_line: the number of its first line.
            line: where the cursor goes; the first line where it is None or not in the text.
            running: the line at which a frame stands.
            edited: the text with changes that were made before; it counts as changed.
        """
        self.title, self.first_line, self.running = title, first_line, running
        self.fault, self.question, self.note = None, None, ""
        self.unit = unit_of(text)
        self._opened = text
        shown = text if edited is None else edited
        self.buffer.reset(Document(shown, self._offset(shown, line if line is not None else first_line, column)))

    def replace(self, text: str) -> None:
        """Put another text in, as an edit that can be undone. The cursor stays in its line as far as there is one."""
        row, column = self.buffer.document.cursor_position_row, self.buffer.document.cursor_position_col
        self.buffer.save_to_undo_stack()
        self.buffer.set_document(Document(text, self._offset(text, self.first_line + row, column)), bypass_readonly=True)

    def rebase(self, text: str) -> None:
        """Let `text` be the one that changes are counted from."""
        self._opened = text

    def widen(self, before: str, after: str) -> None:
        """Put text in front of and behind the edited one, in its past too, so that what was done can still be undone."""
        buffer, shift = self.buffer, len(before)
        stacks = buffer._undo_stack, buffer._redo_stack
        past = [[(before + text + after, cursor + shift) for text, cursor in stack] for stack in stacks]
        document = Document(before + buffer.text + after, buffer.cursor_position + shift)
        self.first_line -= before.count("\n")
        self._opened = before + self._opened + after
        buffer.set_document(document, bypass_readonly=True)
        stacks[0][:], stacks[1][:] = past

    def go_to(self, line: int, column: int = 0) -> None:
        """Put the cursor there; into the nearest line where there is no such line."""
        self.buffer.cursor_position = self._offset(self.buffer.text, line, column)

    def show(self, fault: Fault) -> None:
        """Show what is wrong, with the cursor there."""
        self.fault = fault
        if fault.line is not None:
            self.go_to(fault.line, fault.column)

    def ask(self, question: Question) -> None:
        """Ask in the bar. Nothing is edited until it is answered."""
        self.question = question

    def tell(self, note: str) -> None:
        """Show one line in the bar, until the next edit."""
        self.note = note

    def focus(self) -> None:
        """Focus the text in the running application."""
        get_app().layout.focus(self.window)

    # What keys do.

    def accept(self) -> None:
        """Give the text to the host, and show what it says."""
        self.fault, self.note = None, ""
        answer = self._on_accept(self.buffer.text)
        if isinstance(answer, Fault):
            self.show(answer)
        elif answer is not None:
            self.ask(answer)

    def cancel(self) -> None:
        """Leave; ask before where there are changes."""
        if not self.is_changed:
            self._on_cancel()
            return
        discard = Choice("d", "discard the changes", self._on_cancel)
        self.ask(Question("What was changed is not saved.", (discard, *self._leaving)))

    def choose(self, key: str) -> None:
        """Answer the question by one of its keys; others do nothing."""
        question = self.question
        for choice in question.choices if question is not None else ():
            if choice.key == key.lower():
                self.question = None
                choice.action()
                return

    def back(self) -> None:
        """Go back to the text from a question."""
        self.question = None

    def enter_line(self) -> None:
        """Ask for the number of a line to go to."""
        self._entry.reset()
        get_app().layout.focus(self._entry_window)

    def _entered(self, entry: Buffer) -> bool:
        self.focus()
        text = entry.text.strip()
        if text.isdecimal():
            self.go_to(int(text))
        elif text:
            self.tell(f"not the number of a line: {text}")
        return False

    def _changed(self) -> None:
        self.fault, self.note = None, ""
        self._on_change()

    def _offset(self, text: str, line: int, column: int) -> int:
        document = Document(text)
        row = max(0, min(line - self.first_line, document.line_count - 1))
        return document.translate_row_col_to_index(row, max(0, column))

    # What is shown.

    def _arranged(self, bar: bool) -> Container:
        is_entering = Condition(lambda: get_app().layout.has_focus(self._entry_window))
        aside = Window(FormattedTextControl(self._aside), height=Dimension(max=16), dont_extend_height=True)
        parts: list[Container] = [
            ConditionalContainer(aside, Condition(lambda: self.question is not None and bool(self.question.aside))),
            self.window,
            self._search.container,
            ConditionalContainer(self._entry_window, is_entering),
        ]
        if bar:
            is_roomy = Condition(lambda: get_app().output.get_size().rows > 5)
            title = Window(FormattedTextControl(self._title_line), height=1, style="class:editor.title")
            parts.append(ConditionalContainer(title, is_roomy))
            parts.append(
                Window(
                    FormattedTextControl(self.bar_fragments),
                    wrap_lines=True,
                    dont_extend_height=True,
                    height=Dimension(min=1, max=4),
                )
            )
        return HSplit(parts)

    def _is_short(self) -> bool:
        """Whether colours may be worked out from the first line on at each edit; else from the nearest `def` or `class`."""
        return self.buffer.document.line_count < _LONG

    def _is_cut(self) -> bool:
        """Whether there is more text than is shown."""
        info = self.window.render_info
        return info is not None and info.content_height > info.window_height

    def _aside(self) -> StyleAndTextTuples:
        lines = self.question.aside if self.question is not None else ()
        return [(_diff_style(line), line + "\n") for line in lines]

    def _title_line(self) -> StyleAndTextTuples:
        document = self.buffer.document
        place = f"line {self.line}, column {document.cursor_position_col + 1}"
        changed = " [changed]" if self.is_changed else ""
        return [("class:editor.title", f" {self.title}"), ("class:editor.title.changed", changed), ("", f"  {place}")]

    def bar_fragments(self) -> StyleAndTextTuples:
        """Give what the bar shows: a question, a fault, a note, or the keys."""
        if self.question is not None:
            shown: StyleAndTextTuples = [("class:editor.question", self.question.text + " ")]
            for choice in self.question.choices:
                shown += [("class:editor.key", f" {choice.key}"), ("", f" {choice.label} ")]
            return [*shown, ("class:editor.key", " Esc"), ("", " back to the text")]
        if self.fault is not None:
            place = f"line {self.fault.line}: " if self.fault.line is not None else ""
            return [("class:editor.fault-message", f"! {place}{self.fault.message}")]
        if self.note:
            return [("class:editor.question", self.note)]
        return self.key_fragments()

    def key_fragments(self) -> StyleAndTextTuples:
        """Give the keys of this editor and what they do."""
        shown: StyleAndTextTuples = []
        for key, label in editor_keys.shown_keys(self._accept_label):
            shown += [("", "  " if shown else ""), ("class:editor.key", key), ("", f" {label}")]
        return shown


def _diff_style(line: str) -> str:
    for start, style in (("+++", "title"), ("---", "title"), ("@@", "place"), ("+", "added"), ("-", "removed")):
        if line.startswith(start):
            return f"class:diff.{style}"
    return ""
