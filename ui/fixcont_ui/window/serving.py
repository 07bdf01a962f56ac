"""Show a stop in the window: put its parts together, serve it in the held thread, and leave the terminal as it was."""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
import traceback
import weakref
from _thread import start_new_thread
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import BuiltinFunctionType
from typing import TYPE_CHECKING, Any

from fixcont.errors import Refusal
from fixcont.stopping.stop import Stop
from fixcont_ui import wording
from fixcont_ui.held_thread import Exchange
from fixcont_ui.window.memory import Memory
from fixcont_ui.window.model.desk import Desk
from fixcont_ui.window.terminal import KeptOutput, NoGuard

if TYPE_CHECKING:
    from fixcont_ui.prompt import Prompt
    from fixcont_ui.window.application import StopWindow


def serve(prompt: Prompt, stop: Stop, memory: Memory) -> bool:
    """Show a stop until it is answered, or the user wants the prompt. To be called in the held thread.

    Returns:
        Whether the window is to be used on; else the prompt takes over, and has been told why where that is not the user's wish.
    """
    refusal = _refusal(prompt)
    if refusal is not None:
        prompt.refuse(refusal)
        return False
    streams = prompt.streams
    desk = Desk(prompt, stop, memory.unfolded)
    try:
        kept = _kept_output(memory, streams.stdout.fileno())
        streams.stdout.flush()
        with kept.kept(), _heard(prompt, desk) as listen:
            window = _run(prompt, stop, desk, memory, kept, listen)
    except NoGuard as error:
        prompt.refuse(Refusal("no-window", f"the window cannot be opened: {error}", "use the prompt"))
        return False
    except Exception as error:
        _report(prompt, error)
        return prompt.is_answered
    if window.fault is not None:
        _report(prompt, window.fault)
        return False
    for line in "".join(desk.said).splitlines():
        prompt.message(line)
    return prompt.is_answered


def _refusal(prompt: Prompt) -> Refusal | None:
    """Tell why there can be no window."""
    streams, instead = prompt.streams, "use the prompt"
    if not streams.is_terminal or not streams.stdout.isatty():
        return Refusal("no-window", "the window needs a terminal", instead)
    if os.environ.get("TERM", "").lower() in ("", "dumb", "unknown"):
        return Refusal("no-window", "this terminal cannot move its cursor", instead)
    if not isinstance(start_new_thread, BuiltinFunctionType):
        return Refusal("no-window", "threads have been replaced in this program", instead)
    return None


def _kept_output(memory: Memory, terminal: int) -> KeptOutput:
    if memory.kept is None or not memory.kept.is_ours or not memory.kept.is_alive:
        memory.kept = KeptOutput(terminal)
    return memory.kept


def _run(
    prompt: Prompt, stop: Stop, desk: Desk, memory: Memory, kept: KeptOutput, listen: Callable[[StopWindow], None]
) -> StopWindow:
    from prompt_toolkit.enums import EditingMode
    from prompt_toolkit.input import create_input
    from prompt_toolkit.output.color_depth import ColorDepth
    from prompt_toolkit.output.vt100 import Vt100_Output

    from fixcont_ui.terminal.keys import wants_vi
    from fixcont_ui.window.application import StopWindow

    exchange = Exchange()
    if memory.shown is None or memory.shown() is not stop:
        memory.shown = weakref.ref(stop)
        _begin(memory.said, stop, prompt.introduction())
    mode = EditingMode.VI if wants_vi() else EditingMode.EMACS
    window = StopWindow(desk, exchange, memory, desk.view(), kept, mode, prompt.session.at_work)
    with ExitStack() as stack:
        stream = stack.enter_context(open(os.dup(kept.terminal), "w", encoding="utf-8", errors="replace"))
        output = Vt100_Output.from_pty(stream, term=os.environ.get("TERM"), default_color_depth=ColorDepth.from_env())
        listen(window)
        stack.enter_context(_signals(window))
        keyboard = create_input(prompt.streams.stdin)
        stack.enter_context(keyboard.raw_mode())  # before anything is written: from here on Ctrl-S is a key
        window.open(keyboard, output)
        try:
            exchange.serve()
        finally:
            window.close()
    return window


def _begin(said: list[str], stop: Stop, introduction: list[str]) -> None:
    """Let the console begin with why the program is held, in full."""
    if said and said[-1]:
        said.append("")
    lines = [*introduction, *([stop.late] if stop.late else [])]
    if stop.exception is not None:
        lines += wording.exception_lines(stop.exception)
    said[-1:] = [*lines, ""]


@contextmanager
def _heard(prompt: Prompt, desk: Desk) -> Iterator[Callable[[StopWindow], None]]:
    """Let the prompt talk to the window in this block. Gives what tells it which one."""
    names = ("stdin", "stdout", "use_rawinput", "painter", "carets", "_is_rich")
    before = {name: getattr(prompt, name) for name in names}
    output = _ConsoleOutput(desk)
    reader = _ConsoleInput()
    prompt.stdin, prompt.stdout, prompt.use_rawinput = reader, output, False  # type: ignore[assignment]
    prompt.painter, prompt.carets, prompt._is_rich = None, False, False

    def listen(window: StopWindow) -> None:
        output.window = reader.window = window

    try:
        yield listen
    finally:
        for name, value in before.items():
            setattr(prompt, name, value)


class _ConsoleOutput(io.TextIOBase):
    """What the prompt writes to: the window's console.

    While a statement runs that was typed there it also is `sys.stdout`, for all threads: what another one prints goes where it always does.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._held = threading.get_ident()
        self._others = sys.stdout
        self.window: StopWindow | None = None

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return "utf-8"

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if threading.get_ident() != self._held:
            return self._others.write(text) if self._others is not None else len(text)
        window = self.window
        self._desk.said.append(text)
        if window is not None:

            def say() -> None:
                window.console.say(text)
                window.redraw()

            window.post(say)
        return len(text)


class _ConsoleInput(io.TextIOBase):
    """What the prompt, and what is evaluated at it, reads from: a line that is typed in the window's console."""

    def __init__(self) -> None:
        self.window: StopWindow | None = None
        self._held = threading.get_ident()
        self._others = sys.stdin

    def readable(self) -> bool:
        return True

    def readline(self, size: int | None = -1) -> str:  # type: ignore[override]
        window = self.window
        if threading.get_ident() != self._held:
            return self._others.readline() if self._others is not None else ""
        if window is None:
            return ""

        def ask() -> None:
            window.console.ask("")
            if window.app is not None:
                window.app.layout.focus(window.console.input)
            window.redraw()

        window.post(ask)
        return window.exchange.wait_for_answer()


@contextmanager
def _signals(window: StopWindow) -> Iterator[None]:
    """Follow the terminal's size, and draw anew when the process goes on after it was stopped, as far as the program does not care itself."""
    wanted: dict[int, Callable[[], None]] = {signal.SIGWINCH: window.resized, signal.SIGCONT: window.continued}
    before: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        for number, action in wanted.items():
            if signal.getsignal(number) is signal.SIG_DFL:
                before[number] = signal.signal(number, _posting(window, action))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _posting(window: StopWindow, action: Callable[[], None]) -> Callable[[int, Any], None]:
    return lambda number, frame: window.post(action)


def _report(prompt: Prompt, fault: BaseException) -> None:
    place = traceback.extract_tb(fault.__traceback__)
    where = f" (at {os.path.basename(place[-1].filename)}:{place[-1].lineno})" if place else ""
    prompt.report(f"a fault of fixcont itself: the window has ended: {type(fault).__name__}: {fault}{where}")
    if os.environ.get("FIXCONT_DEBUG"):
        traceback.print_exception(fault, file=sys.__stderr__)
