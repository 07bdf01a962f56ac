"""Saved stops in an IDE: opened by an adapter or by a client that connects, on the text that ran."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from support.dap_client import Client
from support.dap_session import ADAPTER, Debugging, Listening, attached, launched
from support.programs import Program, copy_program, write_program
from support.session import child_environment


def save(program: Program, path: Path, *options: str, python: str = sys.executable, arguments: Sequence[str] = ()) -> Path:
    """Run a program that fails, and have its stop saved."""
    command = [python, "-m", "fixcont", "--save-stop", str(path), *options, str(program.path), *arguments]
    ended = subprocess.run(command, env=child_environment(), cwd=program.folder, capture_output=True, text=True, check=False, timeout=120)
    assert path.exists(), ended.stderr
    return path


@pytest.fixture
def till(tmp_path: Path) -> Program:
    return copy_program("till", tmp_path)


@contextmanager
def opened(program: Program, path: Path, **arguments: Any) -> Iterator[Debugging]:
    """Let an adapter open a saved stop."""
    with Client.stdio(ADAPTER, folder=program.folder) as client:
        session = Debugging(client, program)
        session.begin("launch", openStop=str(path), **arguments)
        yield session
        if not client.sent("disconnect"):
            client.request("disconnect")
            client.wait_for_event("exited", {"exitCode": 0})
            client.wait_for_event("terminated")


def test_it_is_stopped_at_once(till: Program, tmp_path: Path) -> None:
    path = save(till, tmp_path / "a.stop")
    with opened(till, path) as session:
        frame = session.stopped(at="")
        print(session.client.transcript)
        session.frame("charge")
        for f in session.frames():
            print(f)
            print(session.client.variables(f["id"]))
        print(session.client.request("exceptionInfo", threadId=session.thread))
        print(session.client.request("modules"))
        print(session.client.request("fixcont/ways", frameId=frame["id"]))
        print(session.client.failure("restartFrame", frameId=frame["id"]))
        print(session.client.failure("next", threadId=session.thread))
        assert 0
