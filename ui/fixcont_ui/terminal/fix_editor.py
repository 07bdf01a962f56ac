"""`fix` in the terminal itself: the selected function on a full screen, edited, checked, and written back into its file."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, MutableMapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final

from prompt_toolkit.application import Application
from prompt_toolkit.enums import EditingMode
from prompt_toolkit.filters import Condition
from prompt_toolkit.input import Input
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent, merge_key_bindings
from prompt_toolkit.layout import Layout
from prompt_toolkit.output import Output

from fixcont.errors import Refusal, Refused
from fixcont_ui.merging import merge
from fixcont_ui.source_file import Fault, SourceFile, span_of, syntax_fault
from fixcont_ui.state_folder import keep_text
from fixcont_ui.terminal import apart
from fixcont_ui.terminal.editor_keys import search_bindings
from fixcont_ui.terminal.palette import STYLE
from fixcont_ui.terminal.source_editor import Choice, Question, SourceEditor

#: Fewer lines than these show nothing that could be edited.
_LEAST_ROWS: Final = 4
_LEAST_COLUMNS: Final = 20
#: So many lines of a diff are shown beside a question.
_SHOWN: Final = 14


@dataclass(frozen=True)
class Place:
    """What is to be edited.

    Attributes:
        qualname: of the function, "<module>" for the whole file.
        near: the line at which its code object begins.
        line: where a frame stands in it, and how that line reads in the text that the frame runs.
    """

    path: str
    qualname: str
    near: int
    line: int = 0
    line_text: str = ""


@dataclass(frozen=True)
class Draft:
    """What was typed and not saved: the text of the function, or that of the whole file."""

    text: str
    is_whole: bool


@dataclass(frozen=True)
class Terminal:
    """Where the editor is shown.

    Attributes:
        at_work: see `fixcont_ui.terminal.apart.run`.
    """

    input: Input
    output: Output
    is_vi: bool
    at_work: Callable[[], AbstractContextManager[None]]


class FixEditor:
    """One editing of one function. What was typed and not saved is kept in `drafts`, from one editing to the next.

    Attributes:
        message: what is to be said when it is over, "" where there is nothing to say.
    """

    def __init__(self, place: Place, drafts: MutableMapping[tuple[str, str], Draft]) -> None:
        """Read the file.

        Raises:
            Refused: it cannot be read or written.
        """
        self._place = place
        self._drafts = drafts
        self._key = (place.path, place.qualname)
        self._file = SourceFile.read(place.path)
        refusal = self._file.write_refusal()
        if refusal is not None:
            raise Refused(refusal)
        self.message = ""
        self._saved = False
        self._before = self._after = ""  # the text of the file in front of and behind what is edited
        self._name = os.path.basename(place.path)
        leaving = Choice("k", 'keep them for the next "fix -i"', self._leave)
        self.editor = SourceEditor(on_accept=self._accept, on_cancel=self._discard, leaving=(leaving,))
        self._application: Application[None] | None = None
        self._open()

    def run(self, terminal: Terminal) -> bool:
        """Let the user edit. Returns whether the file was written.

        Raises:
            Refused: the terminal is too small.
            apart.CannotRun, KeyboardInterrupt, Exception: see `apart.run`; what was typed is kept.
        """
        size = terminal.output.get_size()
        if size.rows < _LEAST_ROWS or size.columns < _LEAST_COLUMNS:
            sentence = f"the terminal is too small to edit in ({size.columns} by {size.rows})"
            raise Refused(Refusal("editor-failed", sentence, "make it larger, or edit the file in another editor"))
        self._application = self._made(terminal)
        try:
            apart.run(self._application, terminal.at_work, when_ended=self._keep_in_file)
        except EOFError:
            self._keep_in_file()
            self.message = self.message or "the terminal is gone"
        except BaseException:
            self._keep_draft()
            raise
        finally:
            self._application = None
        return self._saved

    def _made(self, terminal: Terminal) -> Application[None]:
        bindings = KeyBindings()

        @bindings.add("f2", filter=Condition(lambda: self._is_part) & ~self.editor.is_asking)
        def _widen(event: KeyPressEvent) -> None:
            self._widen()

        application: Application[None] = Application(
            Layout(self.editor.container, self.editor.window),
            key_bindings=merge_key_bindings([bindings, search_bindings()]),
            style=STYLE,
            include_default_pygments_style=False,
            full_screen=True,
            mouse_support=True,
            editing_mode=EditingMode.VI if terminal.is_vi else EditingMode.EMACS,
            input=terminal.input,
            output=terminal.output,
            terminal_size_polling_interval=0.25,
        )
        application.ttimeoutlen = 0.1  # so long does Escape wait for what may follow it
        application.timeoutlen = 0.3
        return application

    # What is shown.

    @property
    def _is_part(self) -> bool:
        return bool(self._before or self._after)

    def _open(self) -> None:
        place, text = self._place, self._file.text
        draft = self._drafts.pop(self._key, None)
        span = None if draft is not None and draft.is_whole else span_of(text, place.qualname, place.near)
        part, first = self._cut(text, span)
        lines = text.split("\n")
        fault = syntax_fault(self._file.data, place.path)
        running = place.line if place.line and lines[place.line - 1 : place.line] == [place.line_text] else None
        if fault is not None:
            line, column = fault.line, fault.column
        elif running is not None and (span is None or span[0] <= running <= span[1]):
            line, column = running, len(place.line_text) - len(place.line_text.lstrip())
        else:
            line, column = first if span is not None else place.near, 0
        edited = draft.text if draft is not None else None
        self.editor.open(part, first_line=first, line=line, column=column, running=running, title=self._title(), edited=edited)
        if draft is not None:
            self.editor.tell("what you typed before is here again")
        elif fault is not None:
            self.editor.show(fault)

    def _cut(self, text: str, span: tuple[int, int] | None) -> tuple[str, int]:
        """Divide a text of the whole file. Returns what is to be edited, and the number of its first line."""
        lines = text.split("\n")
        first, last = span if span is not None else (1, len(lines))
        self._before = "".join(line + "\n" for line in lines[: first - 1])
        self._after = "".join("\n" + line for line in lines[last:])
        return "\n".join(lines[first - 1 : last]), first

    def _title(self) -> str:
        name = "" if self._place.qualname == "<module>" else f": {self._place.qualname}"
        return f"{self._name}{name}  (F2 whole file)" if self._is_part else self._name

    def _widen(self) -> None:
        self.editor.widen(self._before, self._after)
        self._before = self._after = ""
        self.editor.title = self._title()

    # Accepting.

    def _whole(self) -> str:
        return self._before + self.editor.text + self._after

    def _accept(self, text: str) -> Fault | Question | None:
        encoded = self._file.encoded(self._whole())
        fault = encoded if isinstance(encoded, Fault) else syntax_fault(encoded, self._place.path)
        if fault is not None:
            return fault
        assert isinstance(encoded, bytes)
        now = self._now()
        if now is not None and now.data not in (self._file.data, encoded):
            return self._changed_meanwhile(now, encoded)
        return self._write(encoded, self._file.data)

    def _now(self) -> SourceFile | None:
        """Read the file as it is now; None where that fails, which writing will tell of."""
        try:
            return SourceFile.read(self._place.path)
        except Refused:
            return None

    def _write(self, data: bytes, over: bytes) -> Question | None:
        try:
            self._file.write(data, over)
        except Refused as refused:
            now = self._now()
            if refused.refusal.code == "file-changed" and now is not None:
                return self._changed_meanwhile(now, data)
            return self._not_written(refused.refusal)
        self._saved = True
        self._exit()
        return None

    def _not_written(self, refusal: Refusal) -> Question:
        choices = (
            Choice("s", "save the text to another file", self._save_elsewhere),
            Choice("k", 'leave, and keep it for the next "fix -i"', self._leave),
        )
        return Question(f"{refusal.sentence}.", choices)

    # The file was changed by somebody else.

    def _changed_meanwhile(self, now: SourceFile, mine: bytes) -> Question:
        choices = (
            Choice("m", "merge both", lambda: self._merge(now)),
            Choice("k", "keep mine, over theirs", lambda: self._keep_mine(now, mine)),
            Choice("t", "take the file's", lambda: self._take(now, now.text, "this is what the file says")),
        )
        aside = _diff(self._file.text, now.text, self._name)
        return Question(f"{self._name} was changed by another program meanwhile, see above.", choices, aside)

    def _keep_mine(self, now: SourceFile, mine: bytes) -> None:
        question = self._write(mine, now.data)
        if question is not None:
            self.editor.ask(question)

    def _merge(self, now: SourceFile) -> None:
        merged = merge(self._file.text, self._whole(), now.text)
        if merged.text is None:
            first, last = merged.conflicts[0]
            lines = f"line {first}" if first == last else f"lines {first} to {last}"
            self.editor.tell(f"both changed {lines}: merge that by hand, or choose another way")
            return
        self._take(now, merged.text, "merged: look it over, and accept it")

    def _take(self, now: SourceFile, text: str, note: str) -> None:
        """Go on with another text of the whole file, as an edit of what it says now."""
        place = self._place
        spans = [span_of(each, place.qualname, place.near) if self._is_part else None for each in (now.text, text)]
        if None in spans:
            spans = [None, None]
        self._file = now
        self.editor.rebase(self._cut(now.text, spans[0])[0])
        part, first = self._cut(text, spans[1])
        self.editor.first_line, self.editor.running, self.editor.title = first, None, self._title()
        self.editor.replace(part)
        self.editor.tell(note)

    # Leaving.

    def _discard(self) -> None:
        self.message = "nothing was saved" if self.editor.is_changed else ""
        self._exit()

    def _leave(self) -> None:
        self._keep_draft()
        self._exit()

    def _save_elsewhere(self) -> None:
        self._keep_in_file()
        self._exit()

    def _keep_draft(self) -> None:
        if self.editor.is_changed:
            self._drafts[self._key] = Draft(self.editor.text, not self._is_part)
            self.message = 'nothing was saved; what was typed is kept for the next "fix -i"'

    def _keep_in_file(self) -> None:
        if not self.editor.is_changed:
            return
        path = keep_text(os.path.splitext(self._name)[0], self.editor.text)
        if path is None:
            self._keep_draft()
        else:
            self.message = f"what was typed is in {path}"

    def _exit(self) -> None:
        if self._application is not None:
            self._application.exit()


def _diff(before: str, after: str, name: str) -> tuple[str, ...]:
    lines = list(
        difflib.unified_diff(before.split("\n"), after.split("\n"), f"{name} as you began", f"{name} now", lineterm="", n=1)
    )
    if len(lines) > _SHOWN:
        return (*lines[: _SHOWN - 1], f"… {len(lines) - _SHOWN + 1} more lines")
    return tuple(lines)
