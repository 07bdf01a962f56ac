"""The helpers of the tests do what they say."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import support.session
from support.editor import ScriptedEditor
from support.programs import Program
from support.session import PROMPT, DebugSession, child_environment, run_python

# A stand-in for fixcont, so that these tests fail for the helpers' own faults only.
ECHO = f"""\
import sys
print("started", sys.argv[1:])
while True:
    print({PROMPT!r}, end="", flush=True)
    line = sys.stdin.readline().strip()
    if line in ("", "q"):
        print("bye"); print("oh", file=sys.stderr); sys.exit(3)
    print("got", line)
"""


def echo_session(tmp_path: Path, **options: str) -> DebugSession:
    return DebugSession(["-c", ECHO], ["one"], launcher=(), folder=tmp_path, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["pipe", "terminal"])
def test_session_talks_to_the_prompt_and_sees_the_end(tmp_path: Path, kind: str) -> None:
    with echo_session(tmp_path, kind=kind) as session:
        assert session.stop() == "started ['one']\n"
        assert session.command("p 1") == "got p 1\n"
        assert session.command("p 2") == "got p 2\n"
        assert session.command("q").startswith("bye\n")
        ended = session.finish()

    assert ended.status == 3
    assert ended.output.endswith(f"got p 2\n{PROMPT}bye\n" + ("oh\n" if kind == "terminal" else ""))
    assert ended.errors == ("" if kind == "terminal" else "oh\n")


@pytest.mark.parametrize("kind", ["pipe", "terminal"])
def test_end_of_input_reaches_the_program(tmp_path: Path, kind: str) -> None:
    with echo_session(tmp_path, kind=kind) as session:
        session.stop()
        session.end_input()

        assert session.finish().status == 3


def test_a_wait_in_vain_shows_the_transcript_and_where_the_process_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with echo_session(tmp_path) as session:
        session.stop()
        session.command("p 1")
        monkeypatch.setattr(support.session, "DEADLINE", 0.1)
        with pytest.raises(
            AssertionError, match=r"(?s)'never' did not come within.*started.*«p 1».*got p 1.*line \d+ in <module>"
        ):
            session.expect("never")
        monkeypatch.undo()
        assert session.finish().status == -signal.SIGABRT


def test_a_session_left_without_its_end_fails_the_test_and_leaves_no_process(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="without finish"), echo_session(tmp_path) as session:
        session.stop()

    with pytest.raises(ProcessLookupError):
        os.kill(session.pid, 0)


def test_the_failure_of_a_test_is_not_hidden_by_the_session(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="mine"), echo_session(tmp_path):
        raise KeyError("mine")


def test_output_that_ends_before_the_prompt_is_a_failure(tmp_path: Path) -> None:
    with DebugSession(["-c", "print('only this')"], launcher=(), folder=tmp_path) as session:
        with pytest.raises(AssertionError, match=r"(?s)before the output ended.*only this"):
            session.stop()
        assert session.finish().status == 0


def test_edit_replaces_what_stands_once(small_program: Callable[[str], Program]) -> None:
    program = small_program("one = 1\ntwo = 2  # @two\n")

    assert program.line("two") == 2
    program.edit({"one = 1": "one = 10", "two = 2": "two = 20"})
    assert program.text == "one = 10\ntwo = 20  # @two\n"
    with pytest.raises(AssertionError, match="stands 0 times"):
        program.edit({"three": "3"})
    with pytest.raises(AssertionError, match="stands 2 times"):
        program.edit({"0": "1"})
    with pytest.raises(AssertionError, match="label @three stands 0 times"):
        program.line("three")


def test_the_editor_applies_one_edit_a_start(tmp_path: Path, scripted_editor: Callable[..., ScriptedEditor]) -> None:
    file = tmp_path / "file.py"
    file.write_text("a\n")
    editor = scripted_editor({"a": "b"}, {"b": "c"}, name="vi")
    texts = []
    for _ in range(3):
        subprocess.run([editor.environment["EDITOR"], "+1", file], check=True, env=child_environment())
        texts.append(file.read_text())

    assert texts == ["b\n", "c\n", "c\n"]
    assert editor.calls == [["+1", str(file)]] * 3
    assert editor.path.name == "vi"


def test_children_do_not_inherit_our_python_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONSTARTUP", "x")
    monkeypatch.setenv("EDITOR", "y")
    ended = run_python(["-c", "import os; print(os.environ.get('PYTHONSTARTUP'), os.environ.get('EDITOR'), os.environ['Z'])"],
                       environment={"Z": "z"})  # fmt: skip

    assert (ended.status, ended.output, ended.errors) == (0, "None None z\n", "")
