"""The window itself: an application of prompt_toolkit, in a thread of its own.

It shows views, which are plain values, and has the held thread do everything that concerns the program (`Exchange`). So whatever the
held thread is busy with, the window can be scrolled, resized, and asked to interrupt it.
"""

from __future__ import annotations

import asyncio
import contextvars
import os
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, TypeVar

from prompt_toolkit.application import Application, create_app_session
from prompt_toolkit.enums import EditingMode
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.input import Input
from prompt_toolkit.output import Output

from fixcont_ui.held_thread import Exchange
from fixcont_ui.window import layout
from fixcont_ui.window.actions import Actions
from fixcont_ui.window.memory import Memory
from fixcont_ui.window.model.desk import Desk, View
from fixcont_ui.window.panes.bar import BarPane
from fixcont_ui.window.panes.console import ConsolePane
from fixcont_ui.window.panes.output import OutputPane
from fixcont_ui.window.panes.overlay import Overlay
from fixcont_ui.window.panes.source import SourcePane
from fixcont_ui.window.panes.stack import StackPane
from fixcont_ui.window.panes.status import Status
from fixcont_ui.window.panes.variables import VariablesPane
from fixcont_ui.window.style import STYLE

if TYPE_CHECKING:
    from fixcont_ui.window.terminal import KeptOutput

Result = TypeVar("Result")

_POLL = 0.25  # seconds between looks at the terminal's size, where no signal tells of it
_LONG = 0.4  # seconds after which it is told that something runs
_RUNNING = "running… Ctrl-C interrupts it"
_PIECE = 256 * 1024


class StopWindow:
    """The window on one stop.

    Args:
        desk: the stop; used in the held thread only.
        exchange: carries work there.
        memory: what is kept from window to window.
        view: what is to be shown first.
        kept: what the program prints; None where that is not kept.
        mode: which keys edit.
        at_work: entered in the window's thread, so that nothing stops there.

    Attributes:
        view: what is shown.
        fault: what ended the window, where that was a fault of its own.
    """

    def __init__(
        self,
        desk: Desk,
        exchange: Exchange,
        memory: Memory,
        view: View,
        kept: KeptOutput | None = None,
        mode: EditingMode = EditingMode.EMACS,
        at_work: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self.desk, self.exchange, self.memory, self.view, self.kept = desk, exchange, memory, view, kept
        self.fault: BaseException | None = None
        self._mode = mode
        self._at_work = at_work
        self._offset = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._context: contextvars.Context | None = None  # of the window's thread; never that of the held one
        self._is_up = threading.Event()
        self._thread: threading.Thread | None = None
        self.app: Application[None] | None = None
        self.actions = Actions(self)
        self.stack = StackPane(self.actions.select_row, self.actions.press_row)
        self.variables = VariablesPane(self.actions.press_variable)
        self.source = SourcePane(memory.drafts, self.actions.accept)
        self.console = ConsolePane(memory.said, memory.typed, self.actions.line)
        self.output = OutputPane(memory.printed)
        self.bar = BarPane(self.actions.choose, self.actions.point)
        self.overlay = Overlay()
        self.status = Status()

    # Called in the held thread.

    def open(self, input: Input, output: Output) -> None:
        """Show the window, from a thread of its own, until `close`."""
        self._thread = threading.Thread(target=self._run, args=(input, output), name="fixcont window", daemon=True)
        self._thread.start()
        self._is_up.wait()

    def close(self) -> None:
        """Take the window away, and wait until the terminal is what it was."""
        if self._thread is not None:
            self.post(self._exit)
            self._thread.join()

    def post(self, action: Callable[[], None]) -> None:
        """Have something done in the window's thread. Nothing happens where the window is gone."""
        loop = self._loop
        if loop is not None:
            try:
                loop.call_soon_threadsafe(action, context=self._context)
            except RuntimeError:
                pass  # closed

    # Called in the window's thread.

    def do(self, work: Callable[[Desk], Result], then: Callable[[Result], None] = lambda result: None) -> None:
        """Have something done in the held thread; then show what is to be shown then, and call `then` with what came of it."""

        self._tell_if_long()

        def job() -> None:
            result = work(self.desk)
            if self.desk.is_left:
                self.post(lambda: then(result))
                self.exchange.close()
                return
            view = self.desk.view()

            def show() -> None:
                self.show(view)
                then(result)

            self.post(show)

        self.exchange.submit(job)

    def _tell_if_long(self) -> None:
        """Tell after a while that the held thread is still at work, until it is not."""
        number = self.exchange.submitted

        def tell() -> None:
            if self.exchange.done <= number and not self.exchange.is_waiting:
                self.status.tell(_RUNNING)
                self.redraw()

        if self._loop is not None:
            self._loop.call_later(_LONG, tell)

    def show(self, view: View) -> None:
        """Show another view."""
        self.view = view
        if self.status.text == _RUNNING:
            self.status.tell("")
        self.stack.show_stack(list(view.stack))
        self.variables.show_variables(list(view.variables))
        self.bar.ways = view.ways
        self.source.show(view.source)
        self.redraw()

    def redraw(self) -> None:
        """Draw what has changed."""
        if self.app is not None:
            self.app.invalidate()

    def title_fragments(self) -> StyleAndTextTuples:
        """Give the line at the top."""
        return layout.title_fragments(self.view.title, self.view.where, self.view.thread)

    def _run(self, input: Input, output: Output) -> None:
        sys.settrace(None)  # what traces the program's threads must not see this one
        sys.setprofile(None)
        self._loop = asyncio.SelectorEventLoop()
        try:
            with self._at_work(), create_app_session(input=input, output=output):
                self._loop.run_until_complete(self._main(input, output))
        except BaseException as error:
            self.fault = error
        finally:
            self._is_up.set()
            self.exchange.close()
            self._loop.close()

    async def _main(self, input: Input, output: Output) -> None:
        self._context = contextvars.copy_context()
        self.app = app = Application[None](
            layout=layout.arrange(self),
            key_bindings=self.actions.bindings(),
            style=STYLE,
            include_default_pygments_style=False,
            full_screen=True,
            mouse_support=True,
            editing_mode=self._mode,
            input=input,
            output=output,
            terminal_size_polling_interval=_POLL,
        )
        app.ttimeoutlen = 0.05
        app.timeoutlen = 1.0
        self.show(self.view)
        self.actions.greet()
        app.after_render += self._rendered
        asyncio.get_running_loop().set_exception_handler(self._failed)
        if self.kept is not None:
            asyncio.get_running_loop().add_reader(self.kept.control, self._printed)
        try:
            await app.run_async(pre_run=self._is_up.set, set_exception_handler=False, handle_sigint=False)
        finally:
            self.source.keep()
            if self.kept is not None:
                self._take_printed()
                asyncio.get_running_loop().remove_reader(self.kept.control)

    def _failed(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Tell of a fault in what was called by the loop, and go on."""
        error = context.get("exception")
        place = traceback.extract_tb(error.__traceback__)[-1:] if error is not None else []
        where = "".join(f" (at {os.path.basename(each.filename)}:{each.lineno})" for each in place)
        self.status.tell(
            f"a fault of fixcont itself: {type(error).__name__}: {error or context.get('message')}{where}", "class:refused"
        )
        if error is not None and os.environ.get("FIXCONT_DEBUG"):
            self.console.say("".join(traceback.format_exception(error)))
        self.redraw()

    def _rendered(self, app: Application[None]) -> None:
        """Draw once more: what is as long as what is shown is known only once it was shown."""
        app.after_render -= self._rendered
        app.invalidate()

    def _exit(self) -> None:
        if self.app is not None and self.app.is_running and not self.app.is_done:
            self.memory.is_typing = self.app.layout.has_focus(self.console.input)
            self.app.exit()

    def _printed(self) -> None:
        assert self.kept is not None
        if not self.kept.take_nudges():
            asyncio.get_running_loop().remove_reader(self.kept.control)
        self._take_printed()
        self.redraw()

    def _take_printed(self) -> None:
        assert self.kept is not None
        data, self._offset = self.kept.printed(self._offset, _PIECE)
        if data:
            self.output.take(data)

    def resized(self) -> None:
        """Hear that the terminal has another size."""
        if self.kept is not None:
            self.kept.resize()
        app: Any = self.app
        if app is not None and app.is_running:
            app._on_resize()

    def continued(self) -> None:
        """Hear that the process runs again after it was stopped: whoever had the terminal meanwhile has changed its modes."""
        app: Any = self.app
        if app is None or not app.is_running:
            return
        with app.input.raw_mode():
            pass  # puts them back when it is left: so they are set once more below
        app.input.raw_mode().__enter__()
        app.renderer.reset(_scroll=True)
        app._request_absolute_cursor_position()
        self.redraw()
