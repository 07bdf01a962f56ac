"""The line that is typed at the prompt, with colours, completion, history and suggestions."""

from __future__ import annotations

import ast
import codeop
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager

from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.cursor_shapes import ModalCursorShapeConfig
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition, emacs_insert_mode, is_searching, vi_insert_mode, vi_navigation_mode
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.history import History
from prompt_toolkit.input import Input
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.layout.utils import explode_text_fragments
from prompt_toolkit.lexers import Lexer, PygmentsLexer
from prompt_toolkit.output import Output
from prompt_toolkit.shortcuts import CompleteStyle, PromptSession
from pygments.lexers.python import PythonLexer

from fixcont_ui.completion import Surroundings
from fixcont_ui.indentation import indentation_after
from fixcont_ui.terminal import apart
from fixcont_ui.terminal.completion import FrameCompleter
from fixcont_ui.terminal.palette import STYLE

_UNIT = "    "


class LineReader:
    """Reads one entry after the other, each of one line or of several.

    Attributes:
        surroundings: of the entry that is being typed.
    """

    def __init__(
        self,
        keyboard: Input,
        screen: Output,
        *,
        history: History,
        is_vi: bool,
        at_work: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self.surroundings = Surroundings()
        self._at_work = at_work
        self._session: PromptSession[str] = PromptSession(
            history=history,
            auto_suggest=AutoSuggestFromHistory(),
            completer=FrameCompleter(lambda: self.surroundings),
            complete_while_typing=False,
            complete_style=CompleteStyle.COLUMN,
            lexer=_EntryLexer(self._is_command),
            style=STYLE,
            include_default_pygments_style=False,
            vi_mode=is_vi,
            cursor=ModalCursorShapeConfig() if is_vi else None,
            multiline=True,
            prompt_continuation=lambda width, number, is_soft: "... ".rjust(width) if not is_soft else "",
            enable_suspend=True,
            enable_history_search=False,
            key_bindings=self._bindings(),
            input=keyboard,
            output=screen,
        )
        self._session.app.terminal_size_polling_interval = 0.25
        self._session.app.ttimeoutlen = 0.1

    def read(self, prompt: str, surroundings: Surroundings) -> str:
        """Let the user type. Returns the entry; several lines end in a newline.

        Raises:
            EOFError: Ctrl-D in an empty line, or the terminal is gone.
            KeyboardInterrupt: Ctrl-C.
            apart.CannotRun, Exception: see `apart.run`.
        """
        self.surroundings = surroundings
        session = self._session
        session.message = [("class:prompt", prompt)]
        session.default_buffer.reset(Document())
        try:
            entry = apart.run(session.app, self._at_work)
        finally:
            self.surroundings = Surroundings()  # values of the program must not live longer than without us
        return entry.rstrip(" \t\n") + "\n" if "\n" in entry.rstrip() else entry.rstrip()

    def _is_command(self, line: str) -> str:
        """Give the command that a line begins with, "" where it is Python."""
        word = line.lstrip().split(" ", 1)[0].rstrip()
        return word if word in self.surroundings.commands else ""

    def _is_unfinished(self, text: str) -> bool:
        if self._is_command(text.split("\n", 1)[0]):
            return False
        return is_unfinished(text.lstrip().removeprefix("!"))

    def _bindings(self) -> KeyBindings:
        bindings = KeyBindings()
        inserts = (vi_insert_mode | emacs_insert_mode) & ~is_searching
        in_margin = Condition(lambda: _is_in_margin(self._session.default_buffer.document))

        @bindings.add("enter", filter=(inserts | vi_navigation_mode) & ~is_searching)
        def _enter(event: KeyPressEvent) -> None:
            buffer = event.current_buffer
            if buffer.complete_state is not None and buffer.complete_state.current_completion is not None:
                buffer.complete_state = None  # the first Enter takes the completion
            elif self._is_unfinished(buffer.text):
                indentation = indentation_after(buffer.document.text_before_cursor, _UNIT)
                buffer.insert_text("\n" + indentation)
            else:
                buffer.validate_and_handle()

        @bindings.add("tab", filter=inserts & in_margin)
        def _indent(event: KeyPressEvent) -> None:
            event.current_buffer.insert_text(_UNIT)

        @bindings.add("backspace", filter=inserts & in_margin)
        def _dedent(event: KeyPressEvent) -> None:
            margin = event.current_buffer.document.current_line_before_cursor
            event.current_buffer.delete_before_cursor(len(margin) % len(_UNIT) or len(_UNIT) if margin else 1)

        return bindings


class _EntryLexer(Lexer):
    """Python, but for the command that the entry may begin with."""

    def __init__(self, command_of: Callable[[str], str]) -> None:
        self._command_of = command_of
        self._python = PygmentsLexer(PythonLexer)

    def lex_document(self, document: Document) -> Callable[[int], StyleAndTextTuples]:
        lines = self._python.lex_document(document)

        def line(number: int) -> StyleAndTextTuples:
            fragments = lines(number)
            command = self._command_of(document.lines[0]) if number == 0 else ""
            if not command:
                return fragments
            begin = len(document.lines[0]) - len(document.lines[0].lstrip())
            marked = explode_text_fragments(fragments)
            for index in range(begin, begin + len(command)):
                marked[index] = ("class:command", marked[index][1])
            return marked

        return line


def is_unfinished(text: str) -> bool:
    """Whether a statement needs more lines, as the interactive interpreter sees it: a block ends with an empty line."""
    compiler = codeop.CommandCompiler()
    compiler.compiler.flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # As in pdb, what stands in one line needs no empty one behind it.
            return compiler(text.rstrip(" \t") + ("" if "\n" in text else "\n"), "<stdin>", "single") is None
    except (SyntaxError, ValueError, OverflowError, RecursionError, MemoryError):
        return False  # whoever runs it says what is wrong


def _is_in_margin(document: Document) -> bool:
    """Whether the cursor stands in front of the text of a later line."""
    return document.cursor_position_row > 0 and not document.current_line_before_cursor.strip()
