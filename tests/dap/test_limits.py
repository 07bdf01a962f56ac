"""Interrupting what runs in a held thread, whatever the order in which the threads come to it."""

from __future__ import annotations

import signal
import threading
import time
from typing import Any

import pytest

from fixcont_ui.dap import limits
from fixcont_ui.dap.limits import Limited
from support.session import DEADLINE


class Impatient:
    """A clock by which nobody waits for long."""

    monotonic = staticmethod(time.monotonic)

    def __init__(self) -> None:
        self.waits = 0

    def sleep(self, seconds: float) -> None:
        self.waits += 1
        assert self.waits < 2000, "an interrupt is waited for that has come already"
        time.sleep(seconds)


def test_an_interrupt_may_come_before_its_sender_gets_to_note_it(monkeypatch: pytest.MonkeyPatch) -> None:
    has_come = threading.Event()
    kill = signal.pthread_kill

    def kill_slowly(thread: int, number: int) -> None:
        kill(thread, number)
        assert has_come.wait(DEADLINE)

    monkeypatch.setattr(signal, "pthread_kill", kill_slowly)
    monkeypatch.setattr(limits, "CLOCK", Impatient())
    limited, task = Limited(), object()
    sender = threading.Thread(target=lambda: limited.interrupt(task))

    def run() -> Any:
        end = time.monotonic() + DEADLINE
        try:
            sender.start()
            while time.monotonic() < end:
                pass
        except KeyboardInterrupt:
            has_come.set()
            raise

    with limited:
        limited.begin(task)
        with pytest.raises(KeyboardInterrupt), limited.allowed():
            run()
        limited.end()
        sender.join(DEADLINE)
        with limited.allowed():  # nothing of it is left
            pass
