"""Stops saved by real programs, and opened by others: at the prompt, as JSON, and by another version of Python."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import fixcont
from support.programs import Program, copy_program
from support.screen import ScreenSession
from support.session import DebugSession, child_environment

VERSIONS = ("3.11", "3.12", "3.13", "3.14", "3.15")
_ROOT = Path(__file__).resolve().parent.parent.parent


def fixcont_command(
    *words: str | os.PathLike[str], python: str = sys.executable, typed: str = "", folder: Path | None = None
) -> subprocess.CompletedProcess[str]:
    command = [python, "-m", "fixcont", *(os.fspath(word) for word in words)]
    return subprocess.run(
        command,
        env=child_environment({"EDITOR": "true", "VISUAL": "true"}),
        cwd=folder,
        input=typed,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.fixture
def till(tmp_path: Path) -> Program:
    return copy_program("till", tmp_path)


def test_save_stop_asks_nobody_and_changes_nothing(till: Program, tmp_path: Path) -> None:
    plain = subprocess.run([sys.executable, till.path], capture_output=True, text=True, check=False, timeout=60)
    saved = fixcont_command("--save-stop", tmp_path / "a.stop", till.path)

    assert (saved.returncode, saved.stdout) == (plain.returncode, plain.stdout) == (1, "closing 2\n")
    told, _, errors = saved.stderr.partition("\n")
    assert told.startswith(f"fixcont: saved to {tmp_path / 'a.stop'}: ")
    assert errors == plain.stderr
    assert [each.name for each in tmp_path.glob("*.stop")] == ["a.stop"]


def test_it_is_saved_before_anything_unwinds(till: Program, tmp_path: Path) -> None:
    fixcont_command("--save-stop", tmp_path / "a.stop", till.path)
    found = json.loads(fixcont_command("--open", tmp_path / "a.stop", "--json").stdout)

    charge = next(frame for frame in found["frames"] if frame["function"] == "charge")
    assert (charge["line"], charge["text"]) == (till.line("total"), "amount = order.total()  # @total")
    assert charge["arguments"] == ["order", "rate", "connection"]
    assert set(charge["variables"]) == {"order", "rate", "connection", "history"}
    assert found["exceptions"][found["exception"]]["type"] == "builtins.TypeError"
    assert found["left_out"]["redacted"] >= 1
    assert "opensesame" not in json.dumps(found)


def test_a_program_that_ends_well_leaves_no_file(tmp_path: Path) -> None:
    (tmp_path / "fine.py").write_text("try:\n    1 / 0\nexcept ZeroDivisionError:\n    print('fine')\n")
    ended = fixcont_command("--save-stop", tmp_path / "a.stop", tmp_path / "fine.py")

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "fine\n", "")
    assert not (tmp_path / "a.stop").exists()


def test_stops_of_several_threads_get_files_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "threads.py").write_text(
        "import threading\ndef fail(n):\n    1 / n\nfor _ in range(3):\n    thread = threading.Thread(target=fail, args=(0,))\n"
        "    thread.start()\n    thread.join()\n"
    )
    ended = fixcont_command("--save-stop", "a.stop", "threads.py", folder=tmp_path)

    assert ended.returncode == 0
    assert sorted(each.name for each in tmp_path.glob("*.stop")) == ["a-2.stop", "a-3.stop", "a.stop"]


def test_a_disk_that_is_full_is_told_and_the_program_goes_on(till: Program, tmp_path: Path) -> None:
    (tmp_path / "a.stop").mkdir()
    ended = fixcont_command("--save-stop", tmp_path / "a.stop", till.path)

    assert ended.returncode == 1
    assert "fixcont: the stop is not saved: file-not-written" in ended.stderr
    assert ended.stderr.rstrip().splitlines()[-1].startswith("TypeError")


def test_the_stop_at_the_prompt(till: Program, tmp_path: Path) -> None:
    fixcont_command("--save-stop", tmp_path / "a.stop", till.path)
    call = till.line("call")
    till.path.write_text("# another version of the code is here\n")
    typed = """\
w
up
up
args
p order.lines[0][0] + 1, history[0] is order, order.placed.year
p connection
p connection.password
l
locals()["rate"]
rate = 3
p rate
order.total()
retry
restartframe
break 3
save b.stop
fix
q
"""
    ended = fixcont_command("--open", tmp_path / "a.stop", typed=typed, folder=tmp_path)
    output = ended.stdout

    assert ended.returncode == 0, ended.stderr
    assert "TypeError: unsupported operand type(s) for *: 'decimal.Decimal' and 'NoneType'" in output
    assert f"till.py({call})main()  [post-mortem]" in output
    assert "(Decimal('3.50'), True, 2024)" in output
    assert "<Connection password=<not saved: str, redacted>>" in output
    assert "amount = order.total()  # @total" in output  # the text that ran, not what is in the file now
    assert "AttributeError: Order has no saved attribute total, and code is not saved" in output
    assert output.count("refused: post-mortem") == 4
    assert "opensesame" not in output
    assert not (tmp_path / "b.stop").exists()


def test_save_at_a_stop_of_a_running_program(till: Program, tmp_path: Path) -> None:
    with DebugSession(till) as session:
        session.stop()
        answer = session.command(f"save {tmp_path / 'a.stop'} depth=3 redact=rate")
        assert "saved to" in answer
        assert "name the file" in session.command("save")
        assert "bad-limit" in session.command(f"save {tmp_path / 'b.stop'} depth=x")
        assert "file-not-written" in session.command("save /no/such/folder/a.stop")
        session.send("c")
        ended = session.finish()
    assert ended.status == 1
    found = json.loads(fixcont_command("--open", tmp_path / "a.stop", "--json").stdout)
    charge = next(frame for frame in found["frames"] if frame["function"] == "charge")
    assert charge["variables"]["rate"]["look"] == "<not saved: float, redacted>"
    assert any(frame["function"] == "main" for frame in found["frames"])


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "not-a-saved-stop"),
        (b"print('x')\n", "not-a-saved-stop"),
        (b"\x1f\x8b\x08\x00", "damaged"),
        (None, "file-unreadable"),
    ],
)
def test_what_cannot_be_opened(tmp_path: Path, content: bytes | None, code: str) -> None:
    path = tmp_path / "a.stop"
    if content is not None:
        path.write_bytes(content)
    for words in ([], ["--json"]):
        ended = fixcont_command("--open", path, *words)
        assert (ended.returncode, ended.stdout) == (2, "")
        assert ended.stderr.startswith(f"fixcont: error: {code}: ")
        assert len(ended.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "words",
    [["--json"], ["--open", "a.stop", "x.py"], ["--save-stop", "/no/folder/a.stop", "x.py"], ["--save-limit", "depth=2", "x.py"],
     ["--save-stop", "a.stop", "--window", "x.py"], ["--save-stop", "a.stop", "--save-limit", "depht=2", "x.py"], ["--open", "a.stop", "--max-size", "big"],
     ["--open", "a.stop", "--json", "--listen", "0"], ["--open", "a.stop", "--json", "--window"], ["--open", "a.stop", "--wait-for-client", "--listen", "0"]],
)  # fmt: skip
def test_options_that_make_no_sense(words: list[str]) -> None:
    ended = fixcont_command(*words)

    assert ended.returncode == 2
    assert "fixcont: error: " in ended.stderr


def test_an_exception_that_was_never_raised_has_no_frames(tmp_path: Path) -> None:
    fixcont.save(LookupError("none"), tmp_path / "a.stop")
    ended = fixcont_command("--open", tmp_path / "a.stop", typed="p 1\n")

    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.splitlines()[-2:] == [
        "LookupError: none",
        "there are no frames: the exception was saved before it was raised",
    ]


# -- in the window


def opened_in_the_window(folder: Path, change: Callable[[Program], object]) -> ScreenSession:
    """Save the stop of a program, change its file, and open the stop."""
    ledger = copy_program("ledger", folder)
    fixcont_command("--save-stop", folder / "a.stop", ledger.path)
    change(ledger)
    return ScreenSession({}, ["-m", "fixcont", "--open", str(folder / "a.stop"), "--window"], size=(120, 40))


def test_a_saved_stop_is_shown_on_the_text_that_ran_and_the_file_is_edited(tmp_path: Path) -> None:
    def change(ledger: Program) -> None:
        ledger.edit({"def amount(text):\n": "def amount(text):\n    # of another version\n"})

    with opened_in_the_window(tmp_path, change) as window:
        window.wait_until(lambda: window.screen.is_full_screen and "here: /" in window.text)
        assert "what ran (Ctrl-T: the file)" in window.text
        assert re.search(r'16 ->  +raise LookupError\("no amount"\) from error', window.text)
        assert "of another version" not in window.text
        assert re.search(r"> amount +ledger.py:16 x", window.text) and re.search(r"  book +ledger.py:21 x", window.text)
        assert "text = 'x'" in window.text
        assert "left out: 1 (items), 1 (text)" in window.text
        window.wait_for(r"\(F7 restart\)")  # in parentheses: it cannot be gone
        window.press("f7")
        window.wait_for("refused: post-mortem")
        window.press("c-t")
        window.wait_for("of another version")
        window.wait_for(r"not what ran \(Ctrl-T\)")
        window.wait_for(r"17 ->  +raise LookupError")
        window.press("end")
        window.type("  # edited")
        window.press("c-s")
        window.wait_for("replay amount")  # on the edited file; it fails as before, and that is a live stop
        window.wait_for(r" F7 restart ")
        window.press("f5")
        window.wait_for("an older text runs")
        assert 'LookupError("no amount") from error  # @fails  # edited\n' in (tmp_path / "program/ledger.py").read_text()
        window.press("s-tab", "s-tab", "down")
        window.wait_for("ledger = <Ledger entries=")
        window.wait_for(r"amounts = \[0, 1, 2")
        window.press("c-t")
        window.wait_for(r"21 ->  +return amount\(text\) \+ sum\(amounts\)")  # what ran, in another frame
        window.press("c-x")
        window.type("4")
        window.type("replay --with-holes text='12'\r")  # what is typed next at the stop that follows goes to the console, too
        window.wait_for("book returned 4498512")
        window.type("p 2 * 21\r")
        window.wait_for(r"│42 ")
        window.press("c-q")
        window.wait_for("End the program")
        window.press("y")
        assert window.finish() == 0
        assert not window.screen.is_full_screen


def test_a_saved_stop_whose_file_is_not_there(tmp_path: Path) -> None:
    with opened_in_the_window(tmp_path, lambda ledger: ledger.path.unlink()) as window:
        window.wait_until(lambda: window.screen.is_full_screen and "not here: /" in window.text)
        assert re.search(r'16 ->  +raise LookupError\("no amount"\) from error', window.text)
        window.press("f5")
        assert window.finish() == 0


# -- other versions


def _python(version: str) -> str | None:
    """Give a Python of that version that starts; None where there is none."""
    path = shutil.which(f"python{version}")
    if path is None:
        return None
    started = subprocess.run(
        [path, "-c", "import sys; print(sys.version)"], capture_output=True, text=True, check=False, timeout=60
    )
    return path if started.returncode == 0 and started.stdout.startswith(version) else None


_OPEN = """\
import json, sys
from fixcont.postmortem.opening import open_stop
from fixcont.postmortem.reading import read
stop = open_stop(read(sys.argv[1])).stop
frame = next(each for each in stop.frames if each.function == "charge")
names = dict(frame.raw.f_locals)
print(json.dumps([str(stop.exception), frame.line, sorted(names), str(names["order"].lines[0][0]), names["order"].placed.isoformat(),
    names["history"][0] is names["order"], repr(names["connection"]), frame.text[frame.line - 1].strip()]))
"""
_SAVE = """\
import runpy, sys, fixcont
try:
    runpy.run_path(sys.argv[1], run_name="__main__")
except TypeError as error:
    fixcont.save(error, sys.argv[2])
"""


def _run(python: str, *words: str) -> str:
    ended = subprocess.run(
        [python, "-c", *words], env=child_environment(), capture_output=True, text=True, check=False, timeout=120
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.mark.parametrize("version", VERSIONS)
def test_another_version_of_python_opens_and_saves(till: Program, tmp_path: Path, version: str) -> None:
    other = _python(version)
    if other is None:
        pytest.skip(f"there is no Python {version} that starts here")
    here, there = tmp_path / "here.stop", tmp_path / "there.stop"
    _run(sys.executable, _SAVE, str(till.path), str(here))
    _run(other, _SAVE, str(till.path), str(there))

    told: list[list[Any]] = []
    for python, path in ((sys.executable, here), (sys.executable, there), (other, here), (other, there)):
        told.append(json.loads(_run(python, _OPEN, str(path))))

    assert told[0] == told[1] == told[2] == told[3]
    assert told[0][1:4] == [till.line("total"), ["connection", "history", "order", "rate"], "2.50"]
    assert told[0][5:7] == [True, "<Connection password=<not saved: str, redacted>>"]
