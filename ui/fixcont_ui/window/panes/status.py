"""The lines at the bottom: what was said last, a question with its answers, or a line that is asked for."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping

from prompt_toolkit.application.current import get_app
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.layout import BufferControl, ConditionalContainer, FormattedTextControl, HSplit, Window
from prompt_toolkit.layout.dimension import Dimension
from prompt_toolkit.layout.layout import FocusableElement


class Status:
    """See the module.

    Attributes:
        text: what is shown where nothing is asked.
    """

    def __init__(self) -> None:
        self.text = ""
        self._style = ""
        self._label = ""
        self._choices: Mapping[str, tuple[str, Callable[[], None]]] = {}
        self._on_text: Callable[[str], None] = lambda text: None
        self._before: FocusableElement | None = None
        self._entry = Buffer(multiline=False, accept_handler=self._entered)
        self.entry = Window(
            BufferControl(self._entry, key_bindings=self._escape()),
            height=1,
            get_line_prefix=lambda line, wrapped: self._prefix(),
        )
        self.question = Window(
            FormattedTextControl(self._question, focusable=True, show_cursor=False, key_bindings=self._answers()),
            height=Dimension(min=2, max=3),
            wrap_lines=True,
            dont_extend_height=True,
            always_hide_cursor=True,
            style="class:question",
        )
        self._told = Window(
            FormattedTextControl(self._fragments), height=Dimension(min=2, max=4), wrap_lines=True, dont_extend_height=True
        )
        self.is_entering = Condition(lambda: get_app().layout.has_focus(self.entry))
        self.is_asking = Condition(lambda: get_app().layout.has_focus(self.question))
        self.container = HSplit(
            [
                ConditionalContainer(HSplit([self.entry, Window(height=1)]), self.is_entering),
                ConditionalContainer(self.question, self.is_asking),
                ConditionalContainer(self._told, ~self.is_entering & ~self.is_asking),
            ]
        )

    def tell(self, text: str, style: str = "") -> None:
        """Show a text until there is another one."""
        self.text, self._style = text, style

    def enter(self, label: str, on_text: Callable[[str], None], text: str = "") -> None:
        """Ask for a line."""
        self._label, self._on_text = label, on_text
        self._entry.reset()
        self._entry.insert_text(text)
        self._take_focus(self.entry)

    def ask(self, question: str, choices: Mapping[str, tuple[str, Callable[[], None]]]) -> None:
        """Ask a question.

        Args:
            choices: key -> what it stands for, and what it does. Esc goes back always.
        """
        self._label, self._choices = question, choices
        self._take_focus(self.question)

    def back(self) -> None:
        """Leave what is asked."""
        if self._before is not None:
            get_app().layout.focus(self._before)
        self._before = None

    def _take_focus(self, window: Window) -> None:
        layout = get_app().layout
        if not (layout.has_focus(self.entry) or layout.has_focus(self.question)):
            self._before = layout.current_window
        layout.focus(window)

    def _entered(self, buffer: Buffer) -> bool:
        text = buffer.text.strip()
        self.back()
        if text:
            self._on_text(text)
        return False

    def _escape(self) -> KeyBindings:
        bindings = KeyBindings()
        bindings.add("escape", eager=True)(lambda event: self.back())
        return bindings

    def _answers(self) -> KeyBindings:
        bindings = KeyBindings()
        bindings.add("escape", eager=True)(lambda event: self.back())

        def answer(event: KeyPressEvent) -> None:
            choice = self._choices.get(event.data.lower())
            if choice is not None:
                self.back()
                choice[1]()

        for key in "abcdefghijklmnopqrstuvwxyz":
            bindings.add(key, eager=True)(answer)
        return bindings

    def _prefix(self) -> StyleAndTextTuples:
        return [("class:question", f"{self._label}: ")]

    def _question(self) -> StyleAndTextTuples:
        shown: StyleAndTextTuples = [("", self._label)]
        for key, (label, _) in self._choices.items():
            shown += [("", "  "), ("class:key", key), ("", f" {label}")]
        return [*shown, ("", "  "), ("class:key", "Esc"), ("", " back")]

    def _fragments(self) -> StyleAndTextTuples:
        width = max(20, get_app().output.get_size().columns)
        return [(self._style, textwrap.fill(self.text, width))]
