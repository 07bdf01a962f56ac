"""Run an application of prompt_toolkit where it cannot meet the program's event loop: in a thread of its own, with a loop of its own.

prompt_toolkit needs a running asyncio loop, and the stopped thread may be in the middle of one, which would not bear a second. A loop in the
main thread also takes signals and the wake-up descriptor for itself. In another thread it does neither: handlers, descriptor
and running loop of the stopped thread stay as they are. The stopped thread waits meanwhile.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from _thread import start_new_thread
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from types import BuiltinFunctionType, FrameType
from typing import Any, Final, Generic, TypeVar

from prompt_toolkit.application import Application

T = TypeVar("T")

#: Signals that end a process at once, with the terminal as it happens to be.
_ENDING: Final = ("SIGTERM", "SIGHUP")


class CannotRun(Exception):
    """No thread can be started here."""


class _Ended(BaseException):
    """A signal came that ends the process."""

    def __init__(self, number: int) -> None:
        self.number = number


def run(
    application: Application[T],
    at_work: Callable[[], AbstractContextManager[None]],
    when_ended: Callable[[], None] = lambda: None,
) -> T:
    """Run `application` until it ends, and return its result.

    What a signal handler raises in this thread meanwhile, `KeyboardInterrupt` for instance, ends the application first and is raised then. Where a
    signal ends the process, the terminal is made as it was before, and `when_ended` is called.

    Args:
        at_work: entered in the other thread, so that nothing stops there.

    Raises:
        CannotRun: a thread cannot be started: the interpreter is shutting down, or threads are none, as gevent makes them.
        EOFError: the terminal is gone.
        Exception: a fault in the application.
    """
    if not isinstance(start_new_thread, BuiltinFunctionType):
        raise CannotRun("threads have been replaced in this program")
    running = _Running(application, at_work)
    try:
        with _ending_signals_raised():
            running.wait()
    except _Ended as ended:
        when_ended()
        signal.signal(ended.number, signal.SIG_DFL)
        os.kill(os.getpid(), ended.number)
    return running.result()


class _Running(Generic[T]):
    """One application in its thread.

    Attributes:
        _leaving: why it is to end before the user ends it. Set before anything else is done to end it: whoever comes to a point
            from which on it would run looks at it.
        _loop: set once the loop runs.
    """

    def __init__(self, application: Application[T], at_work: Callable[[], AbstractContextManager[None]]) -> None:
        self._application = application
        self._at_work = at_work
        self._leaving: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._results: list[T] = []
        self._error: BaseException | None = None
        self._begun, self._done = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="fixcont-terminal", daemon=True)

    def wait(self) -> None:
        """Start, and wait until the application ends; end it where something is raised here."""
        try:
            try:
                self._thread.start()
            except RuntimeError as error:
                raise CannotRun(str(error)) from None
            # A signal that another thread has taken does not end a wait, so it must not last.
            while not self._done.wait(0.2):
                pass
        except CannotRun:
            raise
        except BaseException as error:
            self._leaving = error
            if self._loop is not None:
                with suppress(RuntimeError):  # it has closed meanwhile
                    self._loop.call_soon_threadsafe(self._exit, error)
            # What was raised may have come before there was a thread; one that begins later ends at once.
            if _wait_deaf(self._begun, 2):
                _wait_deaf(self._done, None)
            raise

    def result(self) -> T:
        if self._error is not None:
            try:
                raise self._error
            finally:
                self._error = None
        return self._results[0]

    def _run(self) -> None:
        # The program's tracers are for its own threads.
        sys.settrace(None)
        sys.setprofile(None)
        self._begun.set()
        try:
            if self._leaving is not None:
                raise self._leaving
            with self._at_work(), asyncio.Runner(debug=False, loop_factory=asyncio.SelectorEventLoop) as runner:
                self._results.append(runner.run(self._main()))
        except BaseException as error:
            self._error = error
        finally:
            self._done.set()

    async def _main(self) -> T:
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(self._failed)
        return await self._application.run_async(
            pre_run=self._look_whether_to_leave, handle_sigint=False, set_exception_handler=False
        )

    def _look_whether_to_leave(self) -> None:
        if self._leaving is not None:
            self._exit(self._leaving)

    def _failed(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """A callback has failed: end with that. prompt_toolkit itself would show it and wait for a key."""
        error = context.get("exception")
        if isinstance(error, BaseException):
            self._exit(error)

    def _exit(self, error: BaseException) -> None:
        future = self._application.future
        if future is not None and not future.done():
            future.set_exception(error)


def _wait_deaf(event: threading.Event, seconds: float | None) -> bool:
    """Wait for an event whatever signals come: the terminal must be as it was before anything else happens."""
    while True:
        try:
            return event.wait(seconds)
        except (KeyboardInterrupt, _Ended):
            continue


@contextmanager
def _ending_signals_raised() -> Iterator[None]:
    """Let signals that would end the process be raised here first, where the program has no handlers of its own for them."""
    before: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        for name in _ENDING:
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is signal.SIG_DFL:
                before[number] = signal.signal(number, _raise_ended)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _raise_ended(number: int, frame: FrameType | None) -> None:
    raise _Ended(number)
