"""The user's editor: which one, how it is told the line, and what happens when it fails."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from fixcont_ui import editor
from fixcont_ui.editor import EditorFailed
from support.editor import ScriptedEditor

FILE = "/my code/prices.py"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["vi"], ["vi", "+8", FILE]),
        (["/usr/bin/vim.basic", "-u", "NONE"], ["/usr/bin/vim.basic", "-u", "NONE", "+8", FILE]),
        (["nvim"], ["nvim", "+8", FILE]),
        (["emacs-29.1"], ["emacs-29.1", "+8", FILE]),
        (["emacsclient", "-t"], ["emacsclient", "-t", "+8", FILE]),
        (["nano"], ["nano", "+8", FILE]),
        (["micro"], ["micro", "+8", FILE]),
        (["joe"], ["joe", "+8", FILE]),
        (["kak"], ["kak", "+8", FILE]),
        (["code"], ["code", "--wait", "--goto", f"{FILE}:8"]),
        (["code", "-w"], ["code", "-w", "--goto", f"{FILE}:8"]),
        (["codium", "--wait"], ["codium", "--wait", "--goto", f"{FILE}:8"]),
        (["subl"], ["subl", "-w", f"{FILE}:8"]),
        (["hx"], ["hx", f"{FILE}:8"]),
        (["zed"], ["zed", "--wait", f"{FILE}:8"]),
        (["kate"], ["kate", "--block", "--line", "8", FILE]),
        (["gvim"], ["gvim", "--nofork", "+8", FILE]),
        (["ed"], ["ed", FILE]),
        (["/opt/My Editor/edit"], ["/opt/My Editor/edit", FILE]),
    ],
)
def test_each_editor_is_told_the_line_in_its_own_manner(words: list[str], expected: list[str]) -> None:
    assert editor.command_at_line(words, FILE, 8) == expected


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"VISUAL": "vim", "EDITOR": "nano"}, ["vim"]),
        ({"VISUAL": "", "EDITOR": "nano"}, ["nano"]),
        ({"VISUAL": "  ", "EDITOR": "code --wait"}, ["code", "--wait"]),
        ({"EDITOR": "'/opt/My Editor/edit' --new \"two words\""}, ["/opt/My Editor/edit", "--new", "two words"]),
        ({"EDITOR": r"/opt/My\ Editor/edit"}, ["/opt/My Editor/edit"]),
    ],
)
def test_the_variables_are_read_as_commands(environment: dict[str, str], expected: list[str]) -> None:
    assert editor.find_editor(environment) == expected


def test_a_program_with_spaces_in_its_path_needs_no_quotes(tmp_path: Path) -> None:
    program = tmp_path / "my editor"
    program.touch()

    assert editor.find_editor({"EDITOR": str(program)}) == [str(program)]


def test_an_open_quote_is_told() -> None:
    with pytest.raises(EditorFailed, match=r"\$EDITOR cannot be read as a command"):
        editor.find_editor({"EDITOR": "vim 'x"})


def test_without_variables_the_first_usual_editor_is_taken(tmp_path: Path) -> None:
    for name in ("vi", "nano"):
        program = tmp_path / name
        program.touch()
        program.chmod(0o755)

    assert editor.find_editor({"PATH": str(tmp_path)}) == ["nano"]


def test_no_editor_at_all_is_told(tmp_path: Path) -> None:
    with pytest.raises(EditorFailed, match="no editor found"):
        editor.find_editor({"PATH": str(tmp_path)})


def test_the_editor_runs_on_the_file(tmp_path: Path, scripted_editor: Callable[..., ScriptedEditor]) -> None:
    path = tmp_path / "my file.py"
    path.write_text("x = 1\n")
    scripted = scripted_editor({"x = 1": "x = 2"}, name="vim")

    editor.edit(str(path), 7, {**os.environ, **scripted.environment})

    assert path.read_text() == "x = 2\n"
    assert scripted.calls == [["+7", str(path)]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("#!/bin/sh\nexit 3\n", "ended with status 3"),
        ("#!/bin/sh\nkill -9 $$\n", "was ended by signal 9"),
        ("#!/no/such/interpreter\n", "was not found"),
        ("", "could not be started"),
    ],
)
def test_an_editor_that_fails_is_told(tmp_path: Path, text: str, message: str) -> None:
    program = tmp_path / "my-editor"
    program.write_text(text)
    program.chmod(0o755)

    with pytest.raises(EditorFailed, match=message):
        editor.edit("x.py", 1, {"EDITOR": str(program)})


def test_a_missing_editor_is_told() -> None:
    with pytest.raises(EditorFailed, match="'/no/such/editor' was not found"):
        editor.edit("x.py", 1, {"EDITOR": "/no/such/editor"})


def test_ctrl_c_is_the_editors(tmp_path: Path) -> None:
    program = tmp_path / "my-editor"
    program.write_text('#!/bin/sh\nkill -INT $PPID\nprintf "done" > "$1"\n')
    program.chmod(0o755)
    path = tmp_path / "file.py"
    before = signal.getsignal(signal.SIGINT)

    editor.edit(str(path), 1, {**os.environ, "EDITOR": str(program), "VISUAL": ""})

    assert path.read_text() == "done"
    assert signal.getsignal(signal.SIGINT) is before


DEFINITIONS = """\
import functools

class Basket:
    @functools.cache
    def total(self):
        def inner():
            pass
        return inner

    if True:
        async def load(self): ...

def total(): ...
"""


@pytest.mark.parametrize(
    ("qualname", "line"),
    [
        ("Basket", 3),
        ("Basket.total", 5),
        ("Basket.total.<locals>.inner", 6),
        ("Basket.load", 11),
        ("total", 13),
        ("gone", 2),
        ("total.<locals>.<lambda>", 2),
    ],
)
def test_the_line_is_that_of_the_function_in_the_file_as_it_is_now(tmp_path: Path, qualname: str, line: int) -> None:
    path = tmp_path / "basket.py"
    path.write_text(DEFINITIONS)

    assert editor.line_to_edit(str(path), qualname, 2) == line


def test_the_line_is_that_of_the_syntax_error_where_there_is_one(tmp_path: Path) -> None:
    path = tmp_path / "basket.py"
    path.write_text("def f():\n    pass\n\nx = (\n")

    assert editor.line_to_edit(str(path), "f", 1) == 4


def test_a_file_that_is_gone_gives_the_frames_own_line(tmp_path: Path) -> None:
    assert editor.line_to_edit(str(tmp_path / "gone.py"), "f", 17) == 17
