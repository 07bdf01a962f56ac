"""Lines of a saved text, from which secrets were left out, beside those of the files that are here."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from fixcont.postmortem.reading import SavedText
from fixcont.postmortem.redaction import MARK
from fixcont_ui.present_files import PresentFiles


def is_found(path: Path, saved: str, present: str) -> bool:
    path.write_text(present)
    return PresentFiles(lambda name: str(path)).with_text(SavedText("a.py", 1, saved, True, True)) is not None


@pytest.mark.parametrize(
    ("saved", "present", "expected"),
    [
        ("x = 1", "x = 1", True),
        ("x = 1", "x = 2", False),
        ("key = 'MARK'", "key = 'abc'", True),
        ("key = 'MARK'", "key = ''", True),
        ("key = 'MARK'", "key = '", False),  # one quote is not both
        ("aMARKa", "a", False),
        ("MARK", "anything", True),
        ("a = 'MARK', 'MARK' + b", "a = 'x', 'y' + b", True),
        ("a = 'MARK', 'MARK' + b", "a = 'x' + b", False),
        ("a = 'MARKMARK'", "a = 'x'", True),
        ("aMARKbMARKc", "a.c.b.c", True),
        ("aMARKbMARKb", "a.b", False),
        ("MARK = 1", "x = 1  # 2", False),
        ("a.MARK", "ab12", False),  # no pattern
    ],
)
def test_lines_are_alike_but_for_what_was_left_out(tmp_path: Path, saved: str, present: str, expected: bool) -> None:
    line = saved.replace("MARK", MARK)
    assert is_found(tmp_path / "a.py", f"# first\n{line}\n", f"# first\n{present}\n") is expected


def test_a_line_that_was_made_to_match_for_ever_is_compared_at_once(tmp_path: Path) -> None:
    begin = time.process_time()

    assert not is_found(tmp_path / "a.py", "# " + f"{MARK}-" * 2000 + "!\n", "# " + "-" * 5000 + "\n")
    assert not is_found(tmp_path / "a.py", "# " + MARK * 2000 + "!\n", "# " + "-" * 5000 + "\n")
    assert time.process_time() - begin < 5
