"""The stop as the window shows it, and what the window does to it. All of it happens in the held thread."""

from __future__ import annotations

import difflib
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from prompt_toolkit.completion import CompleteEvent, Completion
from prompt_toolkit.document import Document

from fixcont.errors import Refusal, Refused
from fixcont.stopping.frames import Frame
from fixcont.stopping.stop import Moment, Stop, StopReason
from fixcont_ui import wording
from fixcont_ui.commands import NotDone
from fixcont_ui.create_command import missing_at
from fixcont_ui.creating.missing import Missing
from fixcont_ui.source_file import Fault, SourceFile
from fixcont_ui.terminal.completion import FrameCompleter
from fixcont_ui.values.looks import look
from fixcont_ui.ways import WayRow, accepted_by, way_rows
from fixcont_ui.window.model.saving import fault_in, save
from fixcont_ui.window.model.stack import StackRow, stack_rows
from fixcont_ui.window.model.variables import Path, VariableRow, Variables

if TYPE_CHECKING:
    from fixcont_ui.prompt import Prompt
    from fixcont_ui.window.terminal import KeptOutput

#: Stand for the name of a command; see `Desk.accept`.
SUITS: Final = "(suits)"
OTHER: Final = "(other)"

_TRACED: Final = 20_000  # lines of a text beyond which a line is not followed to another text


@dataclass(frozen=True)
class Source:
    """The text of the selected frame.

    Attributes:
        filename: where it stands.
        function: the qualified name of the frame's function.
        disk: what the file says now; None where there is no file.
        refusal: why it cannot be edited, or None.
        line: the line of `disk` at which the frame stands; None where it has none any more.
        span: of the failing expression in the file, where that is known: line, column, end line, end column.
        old: the text that the frame runs, where the file says something else, and its line.
        old_span: of the failing expression in that text.
        ran_first: whether that text is shown first, and not what the file says.
        breakpoints: lines of `disk` with breakpoints.
    """

    filename: str
    function: str
    disk: SourceFile | None
    refusal: Refusal | None
    line: int | None
    span: tuple[int, int, int, int] | None = None
    old: tuple[str, int] | None = None
    breakpoints: frozenset[int] = frozenset()
    old_span: tuple[int, int, int, int] | None = None
    ran_first: bool = False


@dataclass(frozen=True)
class View:
    """All that is shown of a stop.

    Attributes:
        title: why the program is held.
        thread: the name of the held thread, "" for the main one.
        where: the selected function and its place.
        accept: the names of the commands that the two accept keys end in; "" for none.
        missing: what `create` would make, "" where it cannot.
        is_saved: whether the stop was read from a file.
    """

    title: str
    thread: str
    where: str
    stack: tuple[StackRow, ...]
    variables: tuple[VariableRow, ...]
    ways: tuple[WayRow, ...]
    source: Source
    accept: tuple[str, str]
    missing: str = ""
    is_saved: bool = False


@dataclass(frozen=True)
class Accepted:
    """What came of accepting a text; where nothing else says so, it is saved and the command was given.

    Attributes:
        saved: what the file says now, if it was written.
        fault: why the text does not compile; nothing was written.
        changed: what the file says, where somebody else has changed it; nothing was written.
        refusal: why something could not be done, "" where all could.
        said: the last thing that was said.
        name, argument: of the command that was to follow.
    """

    saved: SourceFile | None = None
    fault: Fault | None = None
    changed: SourceFile | None = None
    refusal: str = ""
    said: str = ""
    name: str = ""
    argument: str = ""


@dataclass
class Unfolded:
    """What the user has unfolded; kept from one stop to the next.

    Attributes:
        folds: the first frames of folds of the stack.
        variables: (file, function) -> ways to variables.
    """

    folds: set[int] = field(default_factory=set)
    variables: dict[tuple[str, str], set[Path]] = field(default_factory=dict)


class Desk:
    """One stop.

    Args:
        prompt: what carries commands out; it looks at the stop already.
        unfolded: what is unfolded, which is changed.

    Attributes:
        said: what the prompt has said in pieces since the last job began; filled by whoever listens to it.
    """

    def __init__(self, prompt: Prompt, stop: Stop, unfolded: Unfolded) -> None:
        self._prompt = prompt
        self._stop = stop
        self._unfolded = unfolded
        self._leaves = False
        self.said: list[str] = []

    @property
    def is_left(self) -> bool:
        """Whether the window is to close: the stop is answered, or the user wants the prompt."""
        return self._leaves or self._prompt.is_answered

    # Looking

    def view(self) -> View:
        """Give what is to be shown now."""
        prompt, stop = self._prompt, self._stop
        selected = prompt.selected if prompt.frame is not None else -1
        code, line = prompt.place
        missing = missing_at(prompt.session, stop)
        return View(
            title=_title(stop),
            thread="" if stop.thread_name == "MainThread" else stop.thread_name,
            where=f"{code.co_qualname}  {os.path.basename(code.co_filename)}:{line}",
            stack=tuple(stack_rows(stop, selected, self._unfolded.folds, self._is_obsolete)),
            variables=tuple(self._variables().rows(self._opened())),
            ways=tuple(self._ways(missing)),
            source=self._source(),
            accept=self._accept(),
            missing="" if prompt.is_saved else _offer(missing),
            is_saved=prompt.is_saved,
        )

    def _accept(self) -> tuple[str, str]:
        """Give the names of the commands that the accept keys end in. At a saved stop those that cannot be given there are none."""
        prompt = self._prompt
        suits, other = accepted_by(self._stop, prompt.frame)
        if not prompt.is_saved:
            return suits, other
        commands = (prompt.command_named(suits), prompt.command_named(other))
        suits, other = ("" if prompt.refusal_of_command(each) is not None else each.name for each in commands)
        return suits, other

    def _is_obsolete(self, frame: Frame) -> bool:
        return frame.is_obsolete or self._prompt.session.sources.is_obsolete(frame.code)

    def _ways(self, missing: Missing | Refusal) -> list[WayRow]:
        prompt = self._prompt
        undo = None if prompt.history.last is not None else Refusal("nothing-to-undo", "no patch is installed")
        others = {"create": missing if isinstance(missing, Refusal) else None, "undo": undo}
        return way_rows(self._stop, prompt.frame, prompt.command_named, prompt.refusal_of_command, others)

    def _source(self) -> Source:
        prompt = self._prompt
        code, line = prompt.place
        filename, old = prompt.file_to_edit(), prompt.text_of_selected()
        disk, refusal = None, None
        try:
            disk = SourceFile.read(filename)
        except Refused as refused:
            refusal = refused.refusal
        if disk is not None and not prompt.is_users_file(filename):
            refusal = Refusal(
                "not-yours", f"{os.path.basename(filename)} is not one of your own files", "widen --scope to edit it"
            )
        ran = "".join(old)
        is_same = disk is None or ran == disk.text or not ran
        now = line if is_same or disk is None else moved(old, disk.text.splitlines(keepends=True), line)
        return Source(
            filename,
            code.co_qualname,
            disk,
            refusal,
            now,
            self._span() if is_same else None,
            (ran, line) if not is_same or disk is None else None,
            self._breakpoints(filename),
            None if is_same and disk is not None else self._span(),
            prompt.is_saved,
        )

    def _span(self) -> tuple[int, int, int, int] | None:
        """Tell where the expression stands that failed or runs."""
        frame = self._prompt.frame
        if frame is None or self._stop.exception is None:
            return None
        span = frame.span
        return span if span is not None and span[0] == frame.line else None

    def _breakpoints(self, filename: str) -> frozenset[int]:
        steps = self._prompt.session.known_steps
        found = steps.breakpoints.all() if steps is not None else []
        real = os.path.realpath(filename)
        return frozenset(each.line for each in found if each.is_enabled and os.path.realpath(each.filename) == real)

    def _variables(self) -> Variables:
        prompt = self._prompt
        raw = prompt.curframe
        assert raw is not None
        others = raw.f_globals if raw.f_locals is not raw.f_globals else None
        return Variables(prompt.variables(), others, self._assign)

    def _assign(self, name: str, value: Any) -> None:
        with self._prompt.assigning() as names:
            names[name] = value

    def _opened(self) -> set[Path]:
        code, _ = self._prompt.place
        return self._unfolded.variables.setdefault((code.co_filename, code.co_qualname), set())

    # Doing

    def select(self, index: int) -> None:
        """Select a frame of the stop."""
        with self._unheard():
            self._prompt.select(index)

    def toggle_fold(self, index: int) -> None:
        """Show or hide the frames of libraries that begin at `index`."""
        self._unfolded.folds ^= {index}

    def toggle(self, path: Path) -> None:
        """Unfold a variable, or fold it."""
        opened = self._opened()
        opened ^= {path}

    def own_look(self, path: Path) -> str:
        """Give a variable's own `repr`, which runs code of the user's."""
        with self._prompt.interruptible(), self._talking():
            return self._variables().own_look(path)

    def set(self, path: Path, expression: str) -> str:
        """Give a variable the value of an expression. Returns what failed, "" where nothing did."""
        prompt = self._prompt
        try:
            with prompt.interruptible(), self._talking():
                value = prompt.value_of(expression)
                self._variables().set(path, value)
        except Refused as refused:
            return str(refused.refusal)
        except BaseException as error:
            return wording.exception_lines(error)[-1]
        return ""

    def accept(self, before: SourceFile | None, text: str, name: str, argument: str) -> Accepted:
        """Save a text, install it, and give a command.

        Args:
            before: what the file said when the text was opened; None where there is nothing to be saved.
            name: of the command; "" where there is none; `SUITS` for the one that suits the frame which is selected by then, `OTHER`
                for the other one of the two.
        """
        if name in (SUITS, OTHER):
            name = self._accept()[name == OTHER]
        saved = None
        if before is not None:
            fault = fault_in(before, text)
            if fault is not None:
                return Accepted(fault=fault)
            try:
                saved = save(before, text)
            except Refused as refused:
                if refused.refusal.code == "file-changed":
                    return self._changed(before.path, refused.refusal, name, argument)
                return Accepted(refusal=str(refused.refusal))
        failed = self.command(name, argument) if name else self._install()
        lines = [line for line in "".join(self.said).splitlines() if line]
        return Accepted(saved, refusal=failed, said="; ".join(lines[-2:]))

    def _changed(self, filename: str, refusal: Refusal, name: str, argument: str) -> Accepted:
        try:
            return Accepted(changed=SourceFile.read(filename), refusal=refusal.sentence, name=name, argument=argument)
        except Refused as refused:
            return Accepted(refusal=str(refused.refusal))

    def _install(self) -> str:
        self.said.clear()
        try:
            self._prompt.install(tell_unchanged=True)
        except NotDone:
            pass
        return self._failure()

    def command(self, name: str, argument: str) -> str:
        """Give a command of the table. Returns why it was not carried out, "" where it was."""
        self.said.clear()
        with self._talking():
            self._prompt.run_command(self._prompt.command_named(name), argument)
        return self._failure()

    def line(self, text: str) -> str:
        """Carry out what was typed in the console. Returns why that failed, as far as one line tells, "" where it did not."""
        prompt = self._prompt
        self.said.clear()
        prompt.cmdqueue.insert(0, text)
        try:
            while prompt.cmdqueue and not self.is_left:
                with prompt.interruptible(), self._talking():
                    line = prompt.precmd(prompt.cmdqueue.pop(0))
                    prompt.postcmd(bool(prompt.onecmd(line)), line)
        except KeyboardInterrupt:
            prompt.cmdqueue.clear()
            prompt.message("--KeyboardInterrupt--")
        return self._failure()

    def completions(self, document: Document) -> list[Completion]:
        """Find what completes what is typed in the console, without running any of the program's code."""
        around = self._prompt.surroundings()
        return list(FrameCompleter(lambda: around).get_completions(document, CompleteEvent(completion_requested=True)))

    def line_with_terminal(self, text: str, kept: KeptOutput | None) -> str:
        """Carry out what was typed in the console, while the terminal is the program's."""
        if kept is None:
            return self.line(text)
        with kept.released():
            return self.line(text)

    def leave(self) -> None:
        """Go on at the prompt."""
        self._leaves = True

    def _failure(self) -> str:
        """Find in what was said why something was not done."""
        lines = "".join(self.said).splitlines()
        found = [number for number, line in enumerate(lines) if line.startswith(("refused:", "*** "))]
        if not found:
            return ""
        last = lines[found[-1] :]
        return "; ".join(line for line in last if line.startswith(("refused:", "*** ", "nearest")))

    @contextmanager
    def _talking(self) -> Iterator[None]:
        """Let what is evaluated in this block talk to the user where the prompt does: the terminal is not free."""
        before = sys.stdin, sys.stdout
        sys.stdin, sys.stdout = self._prompt.stdin, self._prompt.stdout
        try:
            yield
        finally:
            sys.stdin, sys.stdout = before

    @contextmanager
    def _unheard(self) -> Iterator[None]:
        """Let nobody hear what the prompt says in this block."""
        before, self._prompt.stdout = self._prompt.stdout, io.StringIO()
        try:
            yield
        finally:
            self._prompt.stdout = before


def moved(old: list[str], new: list[str], line: int) -> int | None:
    """Tell which line of a text is the one that another text has at `line`, None where there is none."""
    if len(old) + len(new) > _TRACED:
        return None
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for begin, there, size in matcher.get_matching_blocks():
        if begin < line <= begin + size:
            return there + line - begin
    return None


def _title(stop: Stop) -> str:
    if stop.exception is not None:
        return wording.exception_lines(stop.exception)[0]
    if stop.reason is StopReason.BREAKPOINT:
        numbers = ", ".join(map(str, stop.breakpoints))
        title = f"breakpoint {numbers}" if numbers else "breakpoint"
    else:
        titles = {StopReason.ENTRY: "the program begins", StopReason.INTERRUPT: "program interrupted", StopReason.STEP: "step"}
        title = titles.get(stop.reason, stop.reason.value)
    if stop.moment is Moment.CALL:
        title += ", a function begins"
    elif stop.moment is Moment.RETURN:
        title += f", it returns {look(stop.value)}"
    return title


def _offer(missing: Missing | Refusal) -> str:
    if isinstance(missing, Refusal):
        return ""
    stub = missing.stub
    where = f"class {stub.owner} of " if stub.owner else ""
    return f"{stub.header} in {where}{os.path.basename(stub.filename)}"
