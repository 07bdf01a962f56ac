"""Serving the stops of workers at the controller's terminal, in its main thread.

The main thread is the one that shows the progress of the run, so nothing is mixed into a prompt. Meanwhile what comes from the other workers is taken,
and they get more tests, every now and then; what is to be shown of that is kept until the stop is answered.
"""

from __future__ import annotations

import io
import os
import select
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, Final

from fixcont_ui.pytest_plugin.distributed.connection import Message
from fixcont_ui.pytest_plugin.distributed.host import Host, Worker
from fixcont_ui.pytest_plugin.distributed.keyboard import Keyboard
from fixcont_ui.pytest_plugin.terminal import begin_line

_MOMENT: Final = 0.1  # seconds between looks at the other workers


class Desk:
    """See the module.

    Args:
        host: where workers wait.
        config: of the controller.
        look_after_others: takes what has come from the other workers.
    """

    def __init__(self, host: Host, config: Any, look_after_others: Callable[[], None]) -> None:
        self._host = host
        self._config = config
        self._look_after_others = look_after_others
        self._keyboard: Keyboard | None = None
        self._is_serving = False

    def serve(self) -> None:
        """Serve all workers that wait, and show what they have said. Does nothing while it is at it already."""
        if self._is_serving:
            return
        self._is_serving = True
        try:
            self._show(self._host.said())
            while self._host.waiting:
                self._serve(self._host.waiting.popleft())
                self._show(self._host.said())
        finally:
            self._is_serving = False

    def _show(self, texts: list[str]) -> None:
        reporter = self._config.pluginmanager.getplugin("terminalreporter")
        for text in texts:
            if reporter is not None:
                begin_line(reporter)
                reporter.write_line(f"fixcont: {text}")

    def _serve(self, worker: Worker) -> None:
        if not self._host.serve(worker):
            return
        try:
            with self._terminal(f"[{worker.name}] {worker.where}") as keyboard:
                _Turn(self._host, worker, keyboard, self._look_after_others).serve()
        finally:
            self._host.leave()

    @contextmanager
    def _terminal(self, title: str) -> Iterator[Keyboard]:
        """Give the streams back to the user, and keep what would be shown of the run."""
        manager = self._config.pluginmanager
        capturing, reporter = manager.getplugin("capturemanager"), manager.getplugin("terminalreporter")
        with ExitStack() as stack:
            if capturing is not None:
                capturing.suspend(in_=True)
                stack.callback(capturing.resume)
            if reporter is not None:
                begin_line(reporter)
                reporter.write_sep(">", f"fixcont: {title}")
                reporter.flush()
                stack.enter_context(_kept(reporter))
            self._keyboard = self._keyboard or Keyboard()
            stack.enter_context(self._keyboard.held())
            yield self._keyboard


@contextmanager
def _kept(reporter: Any) -> Iterator[None]:
    """Keep what is written of the run's progress until the end of a block."""
    writer = reporter._tw
    before, kept = writer._file, io.StringIO()
    writer._file = kept
    try:
        yield
    finally:
        writer._file = before
        before.write(kept.getvalue())
        before.flush()


class _Turn:
    """One stop."""

    def __init__(self, host: Host, worker: Worker, keyboard: Keyboard, look_after_others: Callable[[], None]) -> None:
        self._host = host
        self._worker = worker
        self._keyboard = keyboard
        self._look_after_others = look_after_others
        self._wants_line = False
        self._is_lent = False
        self._is_done = False
        self._was_interrupted = False  # by a signal

    def serve(self) -> None:
        """Pass on what is typed and shown until the stop is answered."""
        with self._signals():
            self._worker.connection.send("turn", is_terminal=self._keyboard.is_terminal)
            while not self._is_done:
                self._wait()
                while (message := self._host.message()) is not None:
                    self._take(message)
                self._type()
                self._look_after_others()

    def _wait(self) -> None:
        """Wait for something to be typed or to be shown."""
        reads = self._wants_line and not self._keyboard.lines
        if self._keyboard.is_terminal:  # a Ctrl-C has to be seen at once
            reads = not self._is_lent
        if reads and self._keyboard.is_over:
            self._keyboard.lines.append("")
            reads = False
        if self._was_interrupted or (self._wants_line and self._keyboard.lines):
            return
        found, _, _ = select.select([0, self._host.wake] if reads else [self._host.wake], [], [], _MOMENT)
        if 0 in found:
            self._keyboard.read()

    def _type(self) -> None:
        """Give the worker what was typed."""
        lines = self._keyboard.lines
        if self._is_done:  # the worker runs tests again, which are not to be interrupted
            return
        if None in lines:
            lines.clear()  # what was typed before is dropped with the line
            self._was_interrupted = True
        if self._was_interrupted:
            self._was_interrupted = False
            self._interrupt()
        elif self._wants_line and lines:
            self._wants_line = False
            self._worker.connection.send("line", text=lines.popleft())

    def _interrupt(self) -> None:
        """End the line that is typed, or what the worker evaluates."""
        if self._wants_line:
            self._wants_line = False
            _write("\n")
            self._worker.connection.send("interrupt")
        elif not self._is_lent:
            with suppress(OSError):
                os.kill(self._worker.pid, signal.SIGINT)

    def _take(self, message: Message) -> None:
        kind = message["kind"]
        if kind == "out":
            _write(str(message.get("text", "")))
        elif kind == "read":
            self._wants_line = True
        elif kind == "lend":
            self._lend()
        elif kind == "done":
            self._is_done = True
            if message.get("is_gone"):
                _write(f"\nfixcont: {self._worker.name} has ended\n")
            if message.get("ends"):
                self._host.end()

    def _lend(self) -> None:
        """Leave the terminal to another program until the worker says that it is back, or is gone."""
        self._is_lent = True
        with self._keyboard.free():
            self._worker.connection.send("lent")
            while not self._is_done:
                select.select([self._host.wake], [], [], _MOMENT)
                message = self._host.message()
                if message is not None and message["kind"] == "back":
                    break
                if message is not None:
                    self._take(message)
                self._look_after_others()
        self._is_lent = self._was_interrupted = False

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Take the signal of Ctrl-C for what the key is, wherever it comes from."""

        def arrived(number: int, frame: object) -> None:
            self._was_interrupted = True

        before = signal.signal(signal.SIGINT, arrived)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)


def _write(text: str) -> None:
    with suppress(OSError, ValueError):
        sys.stdout.write(text)
        sys.stdout.flush()
