"""Completion at the prompt, as prompt_toolkit asks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from fixcont_ui.completion import Surroundings, proposals


class FrameCompleter(Completer):
    """Completes from a live frame, without running any of the program's code."""

    def __init__(self, surroundings: Callable[[], Surroundings]) -> None:
        self._surroundings = surroundings

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:
        for each in proposals(document.text_before_cursor, self._surroundings()):
            yield Completion(each.text, start_position=-each.length, display_meta=each.about)
