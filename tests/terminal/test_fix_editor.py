"""Editing a function in the terminal: what is written, and what becomes of the text where it cannot be. Keys in, file out."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from fixcont.errors import Refused
from fixcont_ui.terminal.fix_editor import Draft, FixEditor, Place, Terminal
from support.screen import KEYS

MODULE = """\
import math

def area(radius):
    return math.pi * radius * radius

def report(radius):
    print(area(radius))
"""


class Desk:
    """A file, and editings of its function `area` by prepared keys.

    Attributes:
        drafts: what is kept from one editing to the next.
        messages: what each editing said.
    """

    def __init__(self, folder: Path, text: bytes = MODULE.encode()) -> None:
        self.path = folder / "shapes.py"
        self.path.write_bytes(text)
        self.drafts: dict[tuple[str, str], Draft] = {}
        self.messages: list[str] = []
        self.editing: FixEditor | None = None

    def edit(
        self, *keys: str, line: int = 4, line_text: str = "    return math.pi * radius * radius", meanwhile: str = ""
    ) -> bool:
        """Edit `area` as `keys` say; they must leave the editor. `meanwhile` is what another program then writes before they do."""
        place = Place(str(self.path), "area", 3, line, line_text)
        self.editing = FixEditor(place, self.drafts)
        if meanwhile:
            self.path.write_text(meanwhile)
        with create_pipe_input() as keyboard:
            keyboard.send_text("".join(KEYS.get(key, key) for key in keys))
            terminal = Terminal(keyboard, DummyOutput(), False, nullcontext)
            try:
                return self.editing.run(terminal)
            finally:
                self.messages.append(self.editing.message)

    @property
    def text(self) -> str:
        return self.path.read_text()


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return Desk(tmp_path)


def test_accepting_writes_the_function_into_its_file(desk: Desk) -> None:
    assert desk.edit("# why", "enter", "f5") is True
    assert desk.text == MODULE.replace("    return math", "    # why\n    return math")
    assert desk.messages == [""]


def test_the_cursor_is_where_the_frame_stands(desk: Desk) -> None:
    desk.edit("c-e", " + 0", "f5")

    assert desk.text == MODULE.replace("radius * radius", "radius * radius + 0")


def test_the_cursor_is_at_the_def_where_the_file_says_something_else(desk: Desk) -> None:
    desk.edit("c-e", "  # why", "f5", line_text="    return 3 * radius")

    assert desk.text == MODULE.replace("def area(radius):", "def area(radius):  # why")


def test_only_the_function_is_edited_until_the_whole_file_is_asked_for(desk: Desk) -> None:
    desk.edit("c-e", " + 0", "f2", "escape", "<", "# first", "enter", "f5")

    assert desk.text == "# first\n" + MODULE.replace("radius * radius", "radius * radius + 0")


def test_a_syntax_error_writes_nothing_and_is_shown_at_its_place(desk: Desk) -> None:
    assert desk.edit("c-e", " +", "f5", "c-c", "d") is False
    assert desk.text == MODULE
    assert desk.messages == ["nothing was saved"]


def test_after_a_syntax_error_one_goes_on_editing(desk: Desk) -> None:
    assert desk.edit("c-e", " +", "f5", "c-e", " 1", "f5") is True
    assert desk.text == MODULE.replace("radius * radius", "radius * radius + 1")


def test_line_ends_of_every_line_and_the_mark_are_kept(tmp_path: Path) -> None:
    text = b"\xef\xbb\xbf" + MODULE.replace("\n", "\r\n").replace("import math\r\n", "import math\n").encode()
    desk = Desk(tmp_path, text)
    desk.edit("c-e", " + 0", "enter", "c-z", "f5")

    assert desk.path.read_bytes() == text.replace(b"radius * radius", b"radius * radius + 0")


def test_the_encoding_is_that_of_the_cookie(tmp_path: Path) -> None:
    text = ("# coding: latin-1\n# gr\u00f6\u00dfe\n" + MODULE.split("\n", 2)[2]).encode("latin-1")
    desk = Desk(tmp_path, text)
    desk.edit("c-e", " + 0  # \u00e4", "f5")
    assert desk.path.read_bytes() == text.replace(b"radius * radius", b"radius * radius + 0  # \xe4")
    before = desk.path.read_bytes()

    assert desk.edit("c-e", "\u20ac", "f5", "c-c", "d", line=1, line_text="") is False
    assert desk.path.read_bytes() == before


def test_mode_and_link_are_kept(desk: Desk, tmp_path: Path) -> None:
    desk.path.chmod(0o750)
    target = desk.path.rename(tmp_path / "target.py")
    desk.path.symlink_to(target)
    desk.edit("c-e", " + 0", "f5")

    assert desk.path.is_symlink()
    assert "+ 0" in target.read_text()
    assert stat.S_IMODE(target.stat().st_mode) == 0o750
    assert sorted(os.listdir(tmp_path)) == ["shapes.py", "target.py"]


THEIRS_ELSEWHERE = MODULE.replace("print(area(radius))", "print('area', area(radius))")
THEIRS_HERE = MODULE.replace("radius * radius", "radius ** 2")


def test_a_file_that_changed_meanwhile_is_not_written_over(desk: Desk) -> None:
    assert desk.edit("c-e", " + 0", "f5", "escape", "c-c", "d", meanwhile=THEIRS_HERE) is False
    assert desk.text == THEIRS_HERE


def test_mine_is_kept_where_one_says_so(desk: Desk) -> None:
    assert desk.edit("c-e", " + 0", "f5", "k", meanwhile=THEIRS_HERE) is True
    assert desk.text == MODULE.replace("radius * radius", "radius * radius + 0")


def test_theirs_is_taken_and_edited_further(desk: Desk) -> None:
    assert desk.edit("c-e", " + 0", "f5", "t", "c-e", " + 1", "f5", meanwhile=THEIRS_HERE) is True
    assert desk.text == THEIRS_HERE.replace("radius ** 2", "radius ** 2 + 1")


def test_both_are_merged_where_they_do_not_overlap(desk: Desk) -> None:
    assert desk.edit("c-e", " + 0", "f5", "m", "f5", meanwhile=THEIRS_ELSEWHERE) is True
    assert desk.text == THEIRS_ELSEWHERE.replace("radius * radius", "radius * radius + 0")


def test_overlapping_changes_are_not_merged(desk: Desk) -> None:
    assert desk.edit("c-e", " + 0", "f5", "m", "f5", "k", meanwhile=THEIRS_HERE) is True
    assert desk.text == MODULE.replace("radius * radius", "radius * radius + 0")


def test_what_is_left_is_there_again_the_next_time(desk: Desk) -> None:
    assert desk.edit("c-e", " + 0", "c-c", "k") is False
    assert "kept for the next" in desk.messages[0]
    assert desk.text == MODULE

    assert desk.edit("f5") is True
    assert desk.text == MODULE.replace("radius * radius", "radius * radius + 0")
    assert desk.drafts == {}


def test_what_is_left_of_the_whole_file_is_there_again(desk: Desk) -> None:
    desk.edit("c-e", " + 0", "f2", "escape", "<", "# first", "enter", "c-c", "k")
    desk.edit("f5")

    assert desk.text == "# first\n" + MODULE.replace("radius * radius", "radius * radius + 0")


def test_a_file_that_is_gone_loses_nothing(desk: Desk, tmp_path: Path) -> None:
    place = Place(str(desk.path), "area", 3)
    editing = FixEditor(place, desk.drafts)
    desk.path.unlink()
    with create_pipe_input() as keyboard:
        keyboard.send_text(KEYS["c-e"] + "  # why" + KEYS["f5"] + "s")
        assert editing.run(Terminal(keyboard, DummyOutput(), False, nullcontext)) is False
    kept = Path(editing.message.removeprefix("what was typed is in "))

    assert kept.read_text() == "def area(radius):  # why\n    return math.pi * radius * radius"
    assert kept.parent == tmp_path / "state" / "fixcont" / "unsaved"


def test_the_end_of_the_input_loses_nothing(desk: Desk) -> None:
    editing = FixEditor(Place(str(desk.path), "area", 3), desk.drafts)
    with create_pipe_input() as keyboard:
        keyboard.send_text("# why")
        keyboard.close()
        assert editing.run(Terminal(keyboard, DummyOutput(), False, nullcontext)) is False
    assert "what was typed is in" in editing.message


@pytest.mark.parametrize("change", [lambda path: path.unlink(), lambda path: path.chmod(0o444)], ids=["gone", "read-only"])
def test_what_cannot_be_edited_is_refused_at_once(desk: Desk, change: Callable[[Path], None]) -> None:
    change(desk.path)
    with pytest.raises(Refused) as refused:
        FixEditor(Place(str(desk.path), "area", 3), desk.drafts)

    assert refused.value.refusal.code in ("no-file", "file-not-written")


def test_a_terminal_without_room_is_refused(desk: Desk) -> None:
    class Tiny(DummyOutput):
        def get_size(self) -> object:  # type: ignore[override]
            return type("Size", (), {"rows": 2, "columns": 80})()

    editing = FixEditor(Place(str(desk.path), "area", 3), desk.drafts)
    with create_pipe_input() as keyboard, pytest.raises(Refused, match="too small"):
        editing.run(Terminal(keyboard, Tiny(), False, nullcontext))


def test_a_file_with_a_syntax_error_is_opened_there(tmp_path: Path) -> None:
    desk = Desk(tmp_path, MODULE.replace("print(area(radius))", "print(area(radius)").encode())
    desk.edit("c-e", ")", "f5")

    assert desk.text == MODULE
