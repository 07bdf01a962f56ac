"""A console in the selected frame: the prompt's commands and Python statements, and what they say."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from prompt_toolkit.application.current import get_app
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.history import InMemoryHistory
from prompt_toolkit.layout import BufferControl, HSplit, Window
from prompt_toolkit.layout.processors import AppendAutoSuggestion

from fixcont_ui.window.panes.lists import TextPane

_LINES: Final = 2000
PROMPT: Final = "(fixcont) "


class ConsolePane(TextPane):
    """The console.

    Args:
        on_line: called with a line that was entered.

    Attributes:
        is_in_use: whether it has the focus.
        asked: what stands in front of the line while the held thread waits for one, None while it does not.
    """

    def __init__(self, said: list[str], typed: list[str], on_line: Callable[[str], None]) -> None:
        super().__init__(lambda: "Console", lambda: "")
        self._said = said
        self._typed = typed
        self._on_line = on_line
        self.asked: str | None = None
        self._found = _Found()
        self.buffer = Buffer(
            multiline=False,
            history=InMemoryHistory(typed),
            accept_handler=self._entered,
            auto_suggest=AutoSuggestFromHistory(),
            completer=self._found,
        )
        self.control = BufferControl(self.buffer, input_processors=[AppendAutoSuggestion()])
        self.input = Window(self.control, height=1, get_line_prefix=self._prefix, wrap_lines=False)
        self.is_typing = Condition(lambda: get_app().layout.has_focus(self.input))
        self.is_in_use = self.is_typing | self.has_focus
        self.target = self.input
        self.container = HSplit([self.container, self.input])
        self._show()

    def say(self, text: str) -> None:
        """Show text behind what was said; it may end in the middle of a line."""
        for number, line in enumerate(text.split("\n")):
            if number == 0 and self._said:
                self._said[-1] += line
            else:
                self._said.append(line)
        self._show()

    def ask(self, prompt: str) -> None:
        """Wait for a line that the held thread has asked for; what it has said last in a line stands in front of it."""
        self.asked = prompt or (self._said[-1] if self._said else "")
        if self._said and self._said[-1] and not prompt:
            self._said[-1] = ""
        self._show()

    def offer(self, document: Document, found: list[Completion]) -> None:
        """Show what completes a text, unless another one stands there by now."""
        if self.is_typing() and self.buffer.document == document:
            self._found.completions = found
            self.buffer.start_completion(insert_common_part=True)

    def turn(self, by: int) -> bool:
        """Select the next completion, or with -1 the one before. Returns False where none are shown."""
        if self.buffer.complete_state is None:
            return False
        if by > 0:
            self.buffer.complete_next()
        else:
            self.buffer.complete_previous()
        return True

    def take(self) -> bool:
        """Take the selected completion. Returns False where none is."""
        state = self.buffer.complete_state
        if state is None or state.current_completion is None:
            return False
        self.buffer.complete_state = None
        return True

    def _entered(self, buffer: Buffer) -> bool:
        text = buffer.text
        self.say(f"{self.asked if self.asked is not None else PROMPT}{text}\n")
        self.asked = None
        self.back = 0
        if text and (not self._typed or self._typed[-1] != text):
            self._typed.append(text)
        self._on_line(text)
        return False

    def _prefix(self, line: int, wrapped: int) -> StyleAndTextTuples:
        return [("class:prompt", self.asked if self.asked is not None else PROMPT)]

    def _show(self) -> None:
        del self._said[:-_LINES]
        said = self._said if not self._said or self._said[-1] else self._said[:-1]
        self.lines = [(_style(line), line.expandtabs()) for line in said]


class _Found(Completer):
    """Gives what the held thread has found."""

    def __init__(self) -> None:
        self.completions: list[Completion] = []

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        return self.completions


def _style(line: str) -> str:
    if line.startswith(("refused:", "*** ")):
        return "class:refused"
    return "class:prompt" if line.startswith(PROMPT) else ""
