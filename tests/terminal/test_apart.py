"""Applications of prompt_toolkit in a thread of their own: what comes from outside ends them, and nothing is left behind."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from types import FrameType
from typing import Any

import pytest
from prompt_toolkit.application import Application
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.layout import Layout, Window
from prompt_toolkit.output import DummyOutput

from fixcont_ui.terminal import apart


@contextmanager
def application(keys: str = "", on_run: Any = None) -> Iterator[Application[str]]:
    """Make an application that ends at `q`, fails at `f`, and calls `on_run` at `r`."""
    bindings = KeyBindings()

    @bindings.add("q")
    def _quit(event: KeyPressEvent) -> None:
        event.app.exit(result="quit")

    @bindings.add("f")
    def _fail(event: KeyPressEvent) -> None:
        raise LookupError("a fault")

    @bindings.add("r")
    def _run(event: KeyPressEvent) -> None:
        on_run()

    with create_pipe_input() as keyboard:
        keyboard.send_text(keys)
        yield Application(Layout(Window()), key_bindings=bindings, input=keyboard, output=DummyOutput())


def test_the_result_comes_back() -> None:
    with application("q") as each:
        assert apart.run(each, nullcontext) == "quit"
        each.input.send_text("q")  # type: ignore[attr-defined]
        assert apart.run(each, nullcontext) == "quit"


def test_a_fault_ends_it_and_comes_out() -> None:
    with application("f") as each, pytest.raises(LookupError):
        apart.run(each, nullcontext)


def test_nothing_stops_in_its_thread() -> None:
    entered: list[str] = []

    @contextmanager
    def at_work() -> Iterator[None]:
        entered.append(threading.current_thread().name)
        yield

    with application("q") as each:
        apart.run(each, at_work)

    assert entered == ["fixcont-terminal"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, TimeoutError])
def test_what_a_signal_raises_ends_it_first(error: type[BaseException]) -> None:
    def handler(number: int, frame: FrameType | None) -> None:
        raise error

    before = signal.signal(signal.SIGUSR1, handler)
    try:
        with application("r", lambda: signal.raise_signal(signal.SIGUSR1)) as each:
            with pytest.raises(error):
                apart.run(each, nullcontext)
            assert not each.is_running
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert all(thread.name != "fixcont-terminal" for thread in threading.enumerate())


def test_handlers_are_as_before() -> None:
    numbers = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGWINCH]
    before = [signal.getsignal(number) for number in numbers]
    with application("q") as each:
        apart.run(each, nullcontext)

    assert [signal.getsignal(number) for number in numbers] == before


def test_where_no_thread_can_start_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with application("q") as each, pytest.raises(apart.CannotRun, match="shutdown"):
        apart.run(each, nullcontext)


def test_threads_that_are_none_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "start_new_thread", lambda *arguments: None)
    with application("q") as each, pytest.raises(apart.CannotRun, match="replaced"):
        apart.run(each, nullcontext)
