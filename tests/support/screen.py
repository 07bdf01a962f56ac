"""Programs on a real pseudo-terminal, with a model of its screen: what a person in front of it would see.

A test types and waits until the screen shows what it is to show; nothing is timed. Whole screens are compared with files under
tests/terminal/screens/, attributes and cursor included; with FIXCONT_WRITE_SCREENS=1 in the environment the files are written anew.
"""

from __future__ import annotations

import errno
import fcntl
import os
import pty
import re
import selectors
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import pyte
import pytest

from support.once import cases
from support.session import DEADLINE, child_environment

SCREENS: Final = Path(__file__).resolve().parent.parent / "terminal" / "screens"
SIZES: Final = ((80, 24), (140, 45))


def size_name(size: tuple[int, int]) -> str:
    """Name a size in the ids of tests."""
    return f"{size[0]}x{size[1]}"


#: Both on the first Python, one on the others.
TRIED_SIZES: Final = SIZES[: cases(len(SIZES))]
at_each_size = pytest.mark.parametrize("size", TRIED_SIZES, ids=size_name)

#: Name of a key -> what a terminal sends for it.
KEYS: Final[dict[str, str]] = {
    **{f"c-{letter}": chr(ord(letter) - ord("a") + 1) for letter in "abcdefghijklmnopqrstuvwxyz"},
    "enter": "\r",
    "tab": "\t",
    "s-tab": "\x1b[Z",
    "escape": "\x1b",
    "backspace": "\x7f",
    "delete": "\x1b[3~",
    "up": "\x1b[A",
    "down": "\x1b[B",
    "right": "\x1b[C",
    "left": "\x1b[D",
    "home": "\x1b[H",
    "end": "\x1b[F",
    "page-up": "\x1b[5~",
    "page-down": "\x1b[6~",
    "s-up": "\x1b[1;2A",
    "s-down": "\x1b[1;2B",
    "c-_": "\x1f",
    **dict(zip([f"f{number}" for number in range(1, 5)], ["\x1bOP", "\x1bOQ", "\x1bOR", "\x1bOS"], strict=True)),
    **{
        f"f{number}": f"\x1b[{code}~" for number, code in zip(range(5, 13), (15, 17, 18, 19, 20, 21, 23, 24), strict=True)
    },
}  # fmt: skip

_ALTERNATE_SCREEN: Final = 1049 << 5  # as pyte numbers private modes


class Terminal(pyte.Screen):  # type: ignore[misc, unused-ignore]
    """A screen that answers the program's questions, and that has the second screen that full-screen programs use."""

    def __init__(self, columns: int, lines: int, answer: Callable[[bytes], None]) -> None:
        self._answer = answer
        self._behind: Any = None
        super().__init__(columns, lines)

    def write_process_input(self, data: str) -> None:
        self._answer(data.encode())

    def report_device_status(self, mode: int, **how: Any) -> None:
        if not how.get("private"):
            super().report_device_status(mode)

    def set_mode(self, *modes: int, **how: Any) -> None:
        if how.get("private") and 1049 in modes and self._behind is None:
            self._behind = deepcopy((self.buffer, self.cursor))
            self.erase_in_display(2)
            self.cursor_position()
        super().set_mode(*modes, **how)

    def reset_mode(self, *modes: int, **how: Any) -> None:
        if how.get("private") and 1049 in modes and self._behind is not None:
            self.buffer, self.cursor = self._behind
            self._behind = None
            self.dirty.update(range(self.lines))
        super().reset_mode(*modes, **how)

    @property
    def is_full_screen(self) -> bool:
        """Whether the program has switched to the second screen."""
        return self._behind is not None

    @property
    def takes_mouse(self) -> bool:
        """Whether the program has asked to be told of the mouse."""
        return any(number << 5 in self.mode for number in (1000, 1002, 1003))


class ScreenSession:
    """A program on a terminal of its own. Use it in a `with` statement; leaving that kills what still runs.

    Attributes:
        folder: the program's current folder, made for it and removed in the end; its name has the same width always.
        screen: the model of the terminal.
    """

    def __init__(
        self,
        files: Mapping[str, str] | None = None,
        command: Sequence[str] = (),
        *,
        size: tuple[int, int] = (80, 24),
        environment: Mapping[str, str] | None = None,
        term: str = "xterm-256color",
    ) -> None:
        """Start `command` (the words behind `python`, for instance `["-m", "fixcont", "program.py"]`) among `files`.

        `files` are name -> text, or a name that ends in a slash -> the path of a folder to be copied. The program has no NO_COLOR
        in its environment, and its history and settings in `folder`.
        """
        self.folder = Path(tempfile.mkdtemp(prefix="fx-", dir="/tmp"))
        for name, text in (files or {}).items():
            if name.endswith("/"):
                shutil.copytree(text, self.folder / name)
            else:
                (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
                (self.folder / name).write_text(text, encoding="utf-8")
        ours, theirs = pty.openpty()
        self._descriptor = ours
        self._raw = b""
        self._typed: list[str] = []
        self.screen = Terminal(*size, self._send)
        self._stream = pyte.ByteStream(self.screen)
        _set_size(theirs, *size)
        variables = child_environment({"TERM": term, "HOME": str(self.folder), **(environment or {})})
        for name in ("NO_COLOR", "XDG_STATE_HOME", "INPUTRC", "PROMPT_TOOLKIT_NO_CPR"):
            if name not in (environment or {}):
                variables.pop(name, None)
        self._process = subprocess.Popen(
            [sys.executable, *command],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=self.folder,
            env=variables,
            start_new_session=True,
            preexec_fn=_take_terminal,
        )
        os.close(theirs)
        self._selector = selectors.DefaultSelector()
        self._selector.register(ours, selectors.EVENT_READ)

    def __enter__(self) -> ScreenSession:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._selector.close()
        os.close(self._descriptor)
        shutil.rmtree(self.folder, ignore_errors=True)

    # What a person does.

    def type(self, text: str) -> None:
        """Type characters."""
        self._typed.append(text)
        self._send(text.encode())

    def press(self, *keys: str) -> None:
        """Press keys by their names in `KEYS`; any other word is typed as it is."""
        for key in keys:
            self._typed.append(f"<{key}>")
            self._send(KEYS.get(key, key).encode())

    def paste(self, text: str) -> None:
        """Paste as terminals do that tell the program so."""
        self.type(f"\x1b[200~{text}\x1b[201~")

    def click(self, column: int, row: int) -> None:
        """Click with the left button; both from 0."""
        where = f"{column + 1};{row + 1}"
        self.type(f"\x1b[<0;{where}M\x1b[<0;{where}m")

    def wheel(self, column: int, row: int, *, down: bool = True) -> None:
        """Turn the wheel by one."""
        self.type(f"\x1b[<{65 if down else 64};{column + 1};{row + 1}M")

    def resize(self, columns: int, rows: int) -> None:
        """Give the terminal another size."""
        self.screen.resize(rows, columns)
        _set_size(self._descriptor, columns, rows)
        self._process.send_signal(signal.SIGWINCH)

    def interrupt(self) -> None:
        """Send what Ctrl-C sends where the terminal makes a signal of it, but to the program only."""
        self._process.send_signal(signal.SIGINT)

    def hang_up(self) -> None:
        """Close the terminal window."""
        os.kill(self._process.pid, signal.SIGHUP)

    # What a person sees.

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def lines(self) -> list[str]:
        """The lines of the screen, without spaces at their ends."""
        return [line.rstrip() for line in self.screen.display]

    @property
    def text(self) -> str:
        """The lines as one text, without empty ones at the end."""
        return "\n".join(self.lines).rstrip("\n")

    @property
    def raw(self) -> bytes:
        """All that the program has written."""
        return self._raw

    def attributes(self, row: int) -> list[tuple[int, int, str]]:
        """Give the runs of one line that are not plain: first column, column behind the last, and how they look."""
        runs: list[tuple[int, int, str]] = []
        for column in range(self.screen.columns):
            look = _look(self.screen.buffer[row][column])
            if not look:
                continue
            if runs and runs[-1][1] == column and runs[-1][2] == look:
                runs[-1] = (runs[-1][0], column + 1, look)
            else:
                runs.append((column, column + 1, look))
        return runs

    def look_of(self, text: str) -> str:
        """Give how the first place of `text` on the screen looks, as in `attributes`; it must look the same all over."""
        for row, line in enumerate(self.screen.display):
            column = line.find(text)
            if column >= 0:
                looks = {_look(self.screen.buffer[row][column + offset]) for offset, each in enumerate(text) if each != " "}
                assert len(looks) == 1, f"{text!r} looks like {looks}"
                return looks.pop()
        raise AssertionError(self._failure(f"{text!r} is not on the screen"))

    def wait_for(self, pattern: str) -> str:
        """Wait until the screen's text matches the regular expression. Returns the match."""
        compiled = re.compile(pattern, re.MULTILINE)
        self.wait_until(lambda: compiled.search(self.text) is not None, f"the screen does not show {pattern!r}")
        match = compiled.search(self.text)
        assert match is not None
        return match[0]

    def wait_until(self, condition: Callable[[], bool], otherwise: str = "it did not come") -> None:
        """Wait until `condition` is true of what the terminal has received."""
        end = time.monotonic() + DEADLINE
        while not condition():
            if not self._receive(end):
                raise AssertionError(self._failure(otherwise))

    def finish(self) -> int:
        """Wait until the program ends. Returns its exit status."""
        end = time.monotonic() + DEADLINE
        while self._receive(end):
            pass
        try:
            return self._process.wait(max(0.1, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise AssertionError(self._failure("the program did not end")) from None

    def matches(self, name: str) -> None:
        """Wait until the screen is, to the last attribute, the one in the file `name` for this size.

        Raises:
            AssertionError: nothing more came, and it is another one.
        """
        path = SCREENS / f"{name}-{self.screen.columns}x{self.screen.lines}.txt"
        if os.environ.get("FIXCONT_WRITE_SCREENS"):
            self._settle()
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self.snapshot(), encoding="utf-8")
        wanted = path.read_text(encoding="utf-8") if path.exists() else f"there is no {path}\n"
        end = time.monotonic() + DEADLINE / 3
        while self.snapshot() != wanted:
            if not self._receive(end):
                raise AssertionError(
                    self._failure(f"the screen is not that of {path.name}:\n{_difference(wanted, self.snapshot())}")
                )

    def snapshot(self) -> str:
        """Give the screen as a golden file has it: lines in bars, the cursor, the runs that are not plain. Paths are made the same."""
        lines = [f"|{self._normal(line):{self.screen.columns}}|" for line in self.screen.display]
        cursor = "hidden" if self.screen.cursor.hidden else f"line {self.screen.cursor.y + 1}, column {self.screen.cursor.x + 1}"
        looks = []
        for row in range(self.screen.lines):
            for begin, end, look in self.attributes(row):
                looks.append(f"{row + 1}: {begin + 1}-{end} {look}")
        return "\n".join([*lines, f"cursor: {cursor}", *looks]) + "\n"

    def _normal(self, line: str) -> str:
        name = os.fspath(self.folder)
        return line.replace(name, "/tmp/fx-" + "." * (len(name) - len("/tmp/fx-")))

    def _settle(self) -> None:
        """Take in what comes until nothing has come for a while: only for writing files anew."""
        while self._receive(time.monotonic() + 1.0):
            pass

    def _send(self, data: bytes) -> None:
        while data:
            try:
                data = data[os.write(self._descriptor, data) :]
            except OSError as error:
                if error.errno != errno.EIO:
                    raise
                return  # the program is gone

    def _receive(self, end: float) -> bool:
        """Take in the next piece. Returns False where the time `end` comes first, or the terminal is closed."""
        if not self._selector.select(max(0.0, end - time.monotonic())):
            return False
        try:
            piece = os.read(self._descriptor, 65536)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            return False
        self._raw += piece
        self._stream.feed(piece)
        return bool(piece)

    def _failure(self, what: str) -> str:
        typed = "".join(self._typed)
        return f"{what}\n--- typed: {typed!r}\n--- the screen:\n{self.text}\n--- end of the screen"


def _take_terminal() -> None:
    """Make standard input the controlling terminal, so that Ctrl-C and /dev/tty work as for a person; so does the end of it."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # ignored where the tests run in the background
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _set_size(descriptor: int, columns: int, rows: int) -> None:
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def _look(cell: Any) -> str:
    """Describe how a cell of the screen looks, "" where it is plain."""
    words = [name for name in ("bold", "italics", "underscore", "strikethrough", "reverse", "blink") if getattr(cell, name)]
    if cell.fg != "default":
        words.append(cell.fg)
    if cell.bg != "default":
        words.append(f"on {cell.bg}")
    plain_space = cell.data == " " and not {"reverse", "underscore"} & set(words) and cell.bg == "default"
    return "" if plain_space else " ".join(words)


def _difference(wanted: str, found: str) -> str:
    import difflib

    return "\n".join(difflib.unified_diff(wanted.splitlines(), found.splitlines(), "wanted", "found", lineterm="", n=1))
