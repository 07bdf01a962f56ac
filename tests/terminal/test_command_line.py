"""The command line: whose each word is, and what is said of a wrong one."""

from __future__ import annotations

import subprocess
import sys

import pytest

from fixcont_ui import command_line
from fixcont_ui.command_line import Options, UsageError, read_options
from support.session import child_environment


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("s.py", Options("s.py")),
        ("s.py a -c x --stop y -m z", Options("s.py", arguments=["a", "-c", "x", "--stop", "y", "-m", "z"])),
        ("-m mod --stop x", Options("mod", True, ["--stop", "x"])),
        ("-mmod -- x", Options("mod", True, ["--", "x"])),
        ("-- -s.py x", Options("-s.py", arguments=["x"])),
        ("-c w -c c s.py", Options("s.py", commands=["w", "c"])),
        ("-cw s.py", Options("s.py", commands=["w"])),
        ("--stop raised s.py", Options("s.py", stop="raised")),
        ("--stop=never s.py", Options("s.py", stop="never")),
        ("--catch KeyError --catch=a.B s.py", Options("s.py", catch=["KeyError", "a.B"])),
        ("--ignore KeyError s.py", Options("s.py", ignore=["KeyError"])),
        ("--scope project --scope lib/* s.py", Options("s.py", scope=["project", "lib/*"])),
        ("--stop-at-entry -m mod", Options("mod", True, stop_at_entry=True)),
        ("--patch-file out.patch s.py", Options("s.py", patch_file="out.patch")),
        ("--patch-file=out.patch -m mod x", Options("mod", True, ["x"], patch_file="out.patch")),
        ("-", Options("-")),
    ],
)
def test_options_end_at_the_program(words: str, expected: Options) -> None:
    assert read_options(words.split()) == expected


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("", "no program"),
        ("-c w", "no program"),
        ("--", "no program|unknown option"),
        ("--stop", "--stop needs a value"),
        ("--stop sometimes s.py", "wants one of unhandled, uncaught, raised, never, not 'sometimes'"),
        ("--catch= s.py", "--catch needs a value"),
        ("--stop-at-entry=1 s.py", "takes no value"),
        ("--patch-file= s.py", "--patch-file needs a value"),
        ("--patch-file", "--patch-file needs a value"),
        ("--unknown s.py", "unknown option --unknown"),
        ("-x s.py", "unknown option -x"),
        ("-m", "-m needs a value"),
    ],
)
def test_a_wrong_command_line_is_told(words: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_options(words.split())


def test_a_wrong_command_line_ends_with_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.main([]) == 2

    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("usage: fixcont")
    assert "error: no program" in shown.err


@pytest.mark.parametrize(("option", "text"), [("--help", "usage: fixcont"), ("-h", "--stop-at-entry"), ("--version", "fixcont ")])
def test_texts_that_are_asked_for(option: str, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.main([option]) == 0

    assert text in capsys.readouterr().out


def test_nothing_heavy_is_imported_before_the_first_stop() -> None:
    heavy = {"pdb", "bdb", "cmd", "argparse", "asyncio", "prompt_toolkit", "pygments", "subprocess", "readline"}
    source = "import sys, fixcont_ui.command_line, fixcont_ui.first_stop; print(*sys.modules)"

    done = subprocess.run(
        [sys.executable, "-S", "-c", source], capture_output=True, text=True, check=True, env=child_environment(), timeout=30
    )

    assert set(done.stdout.split()) & heavy == set()
