"""The keys of the editor for source, on top of those that vi or emacs have."""

from __future__ import annotations

import itertools
import string
from typing import TYPE_CHECKING, Final

from prompt_toolkit.application.current import get_app
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.document import Document
from prompt_toolkit.enums import EditingMode
from prompt_toolkit.filters import (
    Condition,
    emacs_insert_mode,
    emacs_mode,
    has_selection,
    is_searching,
    vi_insert_mode,
    vi_navigation_mode,
)
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys
from prompt_toolkit.search import SearchDirection, start_search
from prompt_toolkit.selection import SelectionState, SelectionType

from fixcont_ui.indentation import indentation_after

if TYPE_CHECKING:
    from fixcont_ui.terminal.source_editor import SourceEditor

# Keys and what they do; True for those that are shown on narrow screens too.
_EMACS: Final = (
    ("Ctrl-F", "find", True),
    ("F3", "next", False),
    ("Ctrl-G", "line", True),
    ("Ctrl-Z", "undo", True),
    ("Ctrl-Y", "redo", False),
    ("Ctrl-C", "leave", True),
)
_VI: Final = (
    ("/", "find", True),
    ("n", "next", False),
    (":", "line", True),
    ("u", "undo", True),
    ("Ctrl-R", "redo", False),
    ("Ctrl-C", "leave", True),
)
_WIDE: Final = 100


def shown_keys(accept_label: str) -> list[tuple[str, str]]:
    """Give the keys that the bar shows, in the mode that is set."""
    app = get_app()
    is_wide = app.output.get_size().columns >= _WIDE
    keys = _VI if app.editing_mode is EditingMode.VI else _EMACS
    return [("F5", accept_label), *((key, label) for key, label, is_always in keys if is_wide or is_always)]


def text_bindings(editor: SourceEditor) -> KeyBindings:
    """Make the bindings that apply while the text is focused."""
    bindings = KeyBindings()
    _bind_verbs(bindings, editor)
    _bind_answers(bindings, editor)
    _bind_indentation(bindings, editor)
    _bind_past(bindings, editor)
    _bind_search(bindings)
    return bindings


def entry_bindings(editor: SourceEditor) -> KeyBindings:
    """Make the bindings of the line that asks for a number."""
    bindings = KeyBindings()

    @bindings.add("escape", eager=True)
    @bindings.add("c-c", eager=True)
    @bindings.add("c-g", eager=True)
    def _back(event: KeyPressEvent) -> None:
        editor.focus()

    return bindings


def _bind_verbs(bindings: KeyBindings, editor: SourceEditor) -> None:
    is_free = ~editor.is_asking

    @bindings.add("f5", filter=is_free)
    @bindings.add("c-s", filter=is_free)
    @bindings.add("c-x", "c-s", filter=emacs_mode & is_free)
    def _accept(event: KeyPressEvent) -> None:
        editor.accept()

    @bindings.add("c-c", filter=is_free, eager=True)
    @bindings.add("c-q", filter=is_free)
    @bindings.add("c-x", "c-c", filter=emacs_mode & is_free)
    def _cancel(event: KeyPressEvent) -> None:
        editor.cancel()

    # By default these two go through a history.
    @bindings.add("escape", "<", filter=emacs_mode)
    def _first(event: KeyPressEvent) -> None:
        event.current_buffer.cursor_position = 0

    @bindings.add("escape", ">", filter=emacs_mode)
    def _last(event: KeyPressEvent) -> None:
        event.current_buffer.cursor_position = len(event.current_buffer.text)

    @bindings.add("c-g", filter=is_free & ~has_selection)
    @bindings.add(":", filter=vi_navigation_mode & is_free)
    def _line(event: KeyPressEvent) -> None:
        editor.enter_line()


def _bind_answers(bindings: KeyBindings, editor: SourceEditor) -> None:
    def answer(event: KeyPressEvent) -> None:
        editor.choose(event.data)

    # One by one, as a binding for any key would also take the mouse and the terminal's own answers.
    for key in string.ascii_letters:
        bindings.add(key, filter=editor.is_asking, eager=True)(answer)

    @bindings.add("escape", filter=editor.is_asking, eager=True)
    @bindings.add("c-c", filter=editor.is_asking, eager=True)
    @bindings.add("c-g", filter=editor.is_asking, eager=True)
    def _back(event: KeyPressEvent) -> None:
        editor.back()


def _bind_indentation(bindings: KeyBindings, editor: SourceEditor) -> None:
    inserts = (vi_insert_mode | emacs_insert_mode) & ~editor.is_asking
    in_margin = Condition(lambda: _is_in_margin(editor.buffer))

    # As by default, but what is typed is undone in words and not in characters.
    @bindings.add(Keys.Any, filter=inserts, save_before=lambda event: not event.is_repeat or event.data.isspace())
    def _insert(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text(event.data * event.arg)

    @bindings.add("enter", filter=inserts)
    def _enter(event: KeyPressEvent) -> None:
        _break_line(editor.buffer, editor.unit)

    @bindings.add("tab", filter=(inserts & in_margin) | (emacs_mode & has_selection & ~editor.is_asking))
    def _indent(event: KeyPressEvent) -> None:
        _shift_lines(editor.buffer, editor.unit, 1)

    @bindings.add("tab", filter=inserts & ~in_margin)
    def _space(event: KeyPressEvent) -> None:
        width = len(editor.unit.expandtabs(4))
        column = editor.buffer.document.cursor_position_col
        editor.buffer.insert_text("\t" if editor.unit == "\t" else " " * (width - column % width))

    @bindings.add("s-tab", filter=~editor.is_asking)
    def _dedent(event: KeyPressEvent) -> None:
        _shift_lines(editor.buffer, editor.unit, -1)

    @bindings.add("backspace", filter=inserts & in_margin)
    def _back(event: KeyPressEvent) -> None:
        margin = editor.buffer.document.current_line_before_cursor
        whole = len(margin) % len(editor.unit) or len(editor.unit)
        fits = margin.endswith(editor.unit[:1] * whole)
        editor.buffer.delete_before_cursor(whole if fits else 1)


def _bind_past(bindings: KeyBindings, editor: SourceEditor) -> None:
    buffer = editor.buffer
    is_free = ~editor.is_asking

    @bindings.add("c-z", filter=is_free, save_before=lambda event: False)
    def _undo(event: KeyPressEvent) -> None:
        buffer.undo()

    # Where nothing was undone it stays what it is in emacs, which pastes by it.
    @bindings.add(
        "c-y", filter=emacs_mode & is_free & Condition(lambda: bool(buffer._redo_stack)), save_before=lambda event: False
    )
    def _redo(event: KeyPressEvent) -> None:
        buffer.redo()


def _bind_search(bindings: KeyBindings) -> None:
    @bindings.add("c-f", filter=~is_searching)
    def _search(event: KeyPressEvent) -> None:
        start_search(direction=SearchDirection.FORWARD)

    @bindings.add("f3", filter=~is_searching)
    def _next(event: KeyPressEvent) -> None:
        state = event.app.current_search_state
        if state.text:
            event.current_buffer.apply_search(state, include_current_position=False)
        else:
            start_search(direction=SearchDirection.FORWARD)


def search_bindings() -> KeyBindings:
    """Make the bindings that apply while a search is typed; to be added to the application's."""
    bindings = KeyBindings()

    @bindings.add("c-f", filter=is_searching)
    @bindings.add("f3", filter=is_searching)
    def _further(event: KeyPressEvent) -> None:
        target = event.app.layout.search_target_buffer_control
        if target is not None:
            state = target.search_state
            state.text = event.current_buffer.text
            # The cursor is still where the search began; what is shown is the first place from there.
            target.buffer.apply_search(state, include_current_position=True)
            target.buffer.apply_search(state, include_current_position=False)

    return bindings


def _is_in_margin(buffer: Buffer) -> bool:
    before = buffer.document.current_line_before_cursor
    return (bool(before) and not before.strip()) or (not before and not buffer.document.current_line.strip())


def _break_line(buffer: Buffer, unit: str) -> None:
    """Begin a line, indented as its place wants it. What was only margin goes."""
    if buffer.selection_state is not None:
        buffer.cut_selection()
    document = buffer.document
    indentation = indentation_after(document.text_before_cursor, unit)
    behind = document.current_line_after_cursor
    buffer.delete(len(behind) - len(behind.lstrip(" \t")))
    before = document.current_line_before_cursor
    buffer.delete_before_cursor(len(before) - len(before.rstrip(" \t")))
    buffer.insert_text("\n" + indentation)


def _shift_lines(buffer: Buffer, unit: str, by: int) -> None:
    """Indent or dedent the line with the cursor, or the selected ones, which stay selected."""
    document = buffer.document
    first = last = document.cursor_position_row
    if buffer.selection_state is not None:
        begin, end = document.selection_range()
        first, _ = document.translate_index_to_position(begin)
        last, column = document.translate_index_to_position(end)
        last -= 1 if column == 0 and last > first else 0
    lines = list(document.lines)
    for row in range(first, last + 1):
        lines[row] = _shifted(lines[row], unit, by, is_alone=first == last)
    row, column = document.cursor_position_row, document.cursor_position_col
    column = max(0, column + len(lines[row]) - len(document.lines[row]))
    text = "\n".join(lines)
    was_selected = buffer.selection_state is not None
    starts = [0, *itertools.accumulate(len(line) + 1 for line in lines)]
    buffer.document = Document(text, starts[last] + len(lines[last]) if was_selected else starts[row] + column)
    if was_selected:
        buffer.selection_state = SelectionState(starts[first], SelectionType.CHARACTERS)


def _shifted(line: str, unit: str, by: int, *, is_alone: bool) -> str:
    margin = len(line) - len(line.lstrip(" \t"))
    if by > 0:
        if not line.strip() and not is_alone:
            return line
        if unit.startswith(" "):
            return " " * (len(unit) - margin % len(unit)) + line
        return unit + line
    if line.startswith("\t"):
        return line[1:]
    return line[(margin % len(unit) or min(margin, len(unit))) if margin else 0 :]
