"""The versions of a function, read from the kept texts; and what was repaired, as one diff."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from fixcont.editing.diffs import Summary, shown_path, summarize, unified_diff
from fixcont.editing.versions import Versions, find, versions
from support.project import Project

SHOP = """\
import functools

@functools.cache
def total(x):
    return x

class Shop:
    limit = {limit}

    @property
    def size(self):
        return {size}

    @size.setter
    def size(self, value):
        pass

    def total(self):
        def inner():
            return {inner}
        return inner()
"""


def shop(limit: int = 1, size: int = 1, inner: int = 1) -> str:
    return SHOP.format(limit=limit, size=size, inner=inner)


def of(project: Project, name: str, qualname: str) -> Versions:
    found = versions(project.sources.history, str(project.path(name)), qualname)
    assert found is not None
    return found


def shown(found: Versions) -> list[tuple[int, int | None, bool]]:
    """Give number, patch and whether it is the newest, for each version."""
    return [(each.number, each.patch.number if each.patch else None, each.is_newest) for each in found.versions]


def summary(project: Project) -> Summary:
    found = summarize(project.sources.history, str(project.folder))
    assert found is not None
    return found


# Finding one by its name


def test_names_are_bare_or_qualified(project: Project) -> None:
    project.load("shop", shop())
    project.load("other", "def total():\n    pass\ndef alone():\n    pass\n")
    history = project.sources.history
    path, other = str(project.path("shop")), str(project.path("other"))
    assert find(history, "Shop.total") == [(path, "Shop.total")]
    assert find(history, "inner") == [(path, "Shop.total.<locals>.inner")] == find(history, "total.inner")
    assert find(history, "total") == [(path, "total"), (other, "total")]
    assert find(history, "shop.total") == [(path, "total")]
    assert find(history, "alone") == [(other, "alone")] and find(history, "nowhere") == []


def test_files_that_were_patched_go_first(project: Project) -> None:
    project.load("shop", shop())
    project.load("other", "def total():\n    return 1\n")
    project.edit("other", "def total():\n    return 2\n")
    assert find(project.sources.history, "total") == [(str(project.path("other")), "total")]


def test_a_function_that_is_gone_is_found(project: Project) -> None:
    project.load("gone", "def f():\n    return 1\nx = 1\n")
    project.edit("gone", "x = 1\n")
    [(_, name)] = find(project.sources.history, "f")
    [first, second] = of(project, "gone", name).versions
    assert first.number == 1 and list(second.lines) == [] and second.before == (1, first.lines) and not second.is_newest


# Its versions


def test_a_function_that_was_never_edited_has_one(project: Project) -> None:
    project.load("shop", shop())
    assert shown(of(project, "shop", "Shop.total")) == [(1, None, True)]
    assert versions(project.sources.history, str(project.path("shop")), "nothing") is None
    assert versions(project.sources.history, "/no/such/file.py", "f") is None


def test_each_edit_is_a_version(project: Project) -> None:
    project.load("shop", shop())
    project.edit("shop", shop(size=2))
    project.edit("shop", "# more\n" + shop(size=2, inner=2))
    project.edit("shop", "# more\n" + shop(size=3, inner=2))
    size = of(project, "shop", "Shop.size")
    assert shown(size) == [(1, None, False), (2, 1, False), (3, 3, True)]
    assert "".join(size.versions[1].lines).count("def size") == 2 and "        return 2\n" in size.versions[1].lines
    assert size.versions[2].before == (2, size.versions[1].lines)
    assert shown(of(project, "shop", "Shop.total.<locals>.inner")) == [(1, None, False), (2, 2, True)]
    assert shown(of(project, "shop", "total")) == [(1, None, True)]
    assert "".join(of(project, "shop", "total").versions[0].lines).startswith("@functools.cache\n")
    assert shown(of(project, "shop", "Shop")) == [(1, None, False), (1, 1, False), (1, 2, False), (1, 3, True)]
    assert len(of(project, "shop", "<module>").versions) == 4


def test_a_comment_is_no_version(project: Project) -> None:
    project.load("comment", "def f():\n    return 1\n")
    project.edit("comment", "def f():\n    # one\n    return 1\n")
    project.edit("comment", "def f():\n    # one\n    return 2\n")
    assert shown(of(project, "comment", "f")) == [(1, None, False), (2, 2, True)]


def test_versions_and_undo(project: Project) -> None:
    text = "def f():\n    return {}\n"
    project.load("back", text.format(1))
    project.edit("back", text.format(2))
    project.edit("back", text.format(3))
    project.sources.undo()
    assert shown(of(project, "back", "f")) == [(1, None, False), (2, 1, True), (3, 2, False)]
    project.edit("back", text.format(4))
    found = of(project, "back", "f")
    assert shown(found) == [(1, None, False), (2, 1, False), (3, 2, False), (4, 3, True)]
    assert found.versions[3].before == (2, found.versions[1].lines)
    for _ in range(2):
        project.sources.undo()
    assert shown(of(project, "back", "f")) == [(1, None, True), (2, 1, False), (3, 2, False), (4, 3, False)]


def test_a_renamed_function_has_the_versions_of_the_old_name(project: Project) -> None:
    project.load("renamed", "def f():\n    return [1]\n")
    project.edit("renamed", "def g():\n    return [1]\n")
    project.edit("renamed", "def g():\n    return [2]\n")
    found = of(project, "renamed", "g")
    assert shown(found) == [(1, None, False), (2, 1, False), (3, 2, True)]
    assert found.versions[0].lines == ["def f():\n", "    return [1]\n"]


def test_an_added_function_begins_with_its_patch(project: Project) -> None:
    project.load("added", "x = 1\n")
    project.edit("added", "x = 1\ndef f():\n    return 1\n")
    project.edit("added", "x = 1\ndef f():\n    return 2\n")
    assert shown(of(project, "added", "f")) == [(1, 1, False), (2, 2, True)]


# What was repaired


def test_nothing_installed_and_everything_undone_sum_up_to_nothing(project: Project) -> None:
    project.load("one", "def f():\n    return 1\n")
    history = project.sources.history
    assert summarize(history, str(project.folder)) is None
    project.edit("one", "def f():\n    return 2\n")
    assert summarize(history, str(project.folder)) is not None
    project.sources.undo()
    assert summarize(history, str(project.folder)) is None


def test_edited_back_sums_up_to_nothing(project: Project) -> None:
    project.load("one", "def f():\n    return 1\n")
    project.edit("one", "def f():\n    return 2\n")
    project.edit("one", "def f():\n    return 1\n")
    assert summarize(project.sources.history, str(project.folder)) is None


def test_what_a_parent_process_has_installed_is_not_told_again(project: Project) -> None:
    project.load("one", "def f():\n    return 1\n")
    project.edit("one", "def f():\n    return 2\n")
    project.sources.history.patches[0].process += 1
    assert summarize(project.sources.history, str(project.folder)) is None


def test_only_what_is_another_one_in_the_end_counts(project: Project) -> None:
    project.load("shop", shop())
    project.load("one", "def f():\n    return 1\n")
    project.edit("shop", shop(limit=2, size=2))
    project.write("one", "def f():\n    return 2\n")
    project.edit("shop", shop(limit=2, inner=5))
    found = summary(project)
    assert found.patches == 2
    assert [(each.path, each.functions, each.classes) for each in found.files] == [
        ("shop.py", ("Shop.total", "Shop.total.<locals>.inner"), ("Shop",)),
        ("one.py", ("f",), ()),
    ]


TEXTS = [
    (b"def f():\n    return 1\n", b"def f():\n    return 2\n"),
    (b"def f():\n    return 1", b"def f():\n    return 2"),
    (b"def f():\n    return 1", b"def f():\n    return 1\n\n"),
    (b"# coding: latin-1\ndef f():\r\n    return '\xe4'\r\n", b"# coding: latin-1\ndef f():\r\n    return '\xf6'\r\n"),
    (
        b"def f():\n    return 1\n\x0c\ndef g():\n    return '\\r'\n",
        b"def f():\n    return 2\n\x0c\n\ndef g():\n    return '\\r'\n",
    ),
    (b"", b"x = 1\n"),
]


@pytest.mark.parametrize("name", ["one.py", "with space/ä.py"])
@pytest.mark.parametrize(("before", "after"), TEXTS)
@pytest.mark.parametrize("command", [["patch", "-p1", "--binary"], ["git", "apply"]], ids=["patch", "git"])
def test_the_diff_can_be_applied(tmp_path: Path, name: str, before: bytes, after: bytes, command: list[str]) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(before)
    diff = b"".join(unified_diff(shown_path(str(path), str(tmp_path)), before, after))
    subprocess.run(command, input=diff, cwd=tmp_path, check=True, capture_output=True, env={**os.environ, "GIT_DIR": "/nowhere"})
    assert path.read_bytes() == after


def test_paths_are_shown_relative_to_the_folder_where_they_can_be(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (tmp_path / "link").symlink_to(folder)
    assert shown_path(f"{folder}/./sub/one.py", str(folder)) == "sub/one.py"
    assert shown_path(f"{tmp_path}/link/one.py", str(folder)) == "one.py"
    assert shown_path(f"{tmp_path}/folders/one.py", str(folder)) == f"{tmp_path}/folders/one.py"
    assert shown_path("/one.py", "/") == "one.py"
