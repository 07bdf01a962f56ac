"""The process beside the window that keeps what the program prints."""

from __future__ import annotations

import os
import select
import socket
from pathlib import Path
from threading import Thread

import pytest

from fixcont_ui.window.guard import CLOSE, END_MARK, Guard
from support.session import DEADLINE


def test_it_does_not_wait_for_the_end_of_what_was_printed_where_that_has_come_already(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float | None] = []
    plain = select.select

    def noted(reading: list[int], writing: list[int], failing: list[int], seconds: float | None) -> object:
        waits.append(seconds)
        return plain(reading, writing, failing, seconds)

    monkeypatch.setattr(select, "select", noted)
    window, control = socket.socketpair()
    window.settimeout(DEADLINE)
    master, slave = os.pipe()
    shown, terminal = os.pipe()
    spool = os.open(tmp_path / "spool", os.O_RDWR | os.O_CREAT)
    guard = Guard(control.fileno(), master, terminal, spool, os.getpid())
    guard.is_showing = True
    os.write(slave, b"printed" + END_MARK)
    window.send(CLOSE)  # both are there when it looks
    thread = Thread(target=guard.run)
    thread.start()
    assert window.recv(1) == b"d"
    assert window.recv(1) == CLOSE
    assert os.read(shown, 100) == b"printed"
    os.close(slave)
    window.close()
    thread.join()
    assert 2.0 not in waits
    control.close()
    for descriptor in (master, shown, terminal, spool, guard.life):
        if descriptor >= 0:
            os.close(descriptor)
