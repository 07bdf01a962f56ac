"""Which files are the user's own."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

import fixcont.loading.scope as ours
from fixcont.loading.scope import Scope, is_pseudo


def made(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return str(path)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path / "src"))
    for name in (
        "src/mypkg/__init__.py",
        "src/mypkg/sub/__init__.py",
        "src/mypkg/sub/deep.py",
        "src/mypkgs.py",
        "src/space/a.py",
    ):
        made(tmp_path / name)
    return tmp_path


def test_a_file_outside_the_libraries_is_the_users(project: Path) -> None:
    assert Scope().is_user(str(project / "src/mypkg/sub/deep.py"))
    assert Scope().is_user(str(project / "not/there/yet.py"))
    assert Scope().is_user("relative.py")


@pytest.mark.parametrize("filename", [json.__file__, os.__file__, re.__file__])
def test_the_standard_library_is_not_the_users(filename: str) -> None:
    assert not Scope().is_user(filename)
    assert Scope(["everything"]).is_user(filename)


@pytest.mark.parametrize("directory", ["site-packages", "dist-packages"])
def test_an_installed_file_is_not_the_users(tmp_path: Path, directory: str) -> None:
    filename = made(tmp_path / "venv" / directory / "lib.py")

    assert not Scope().is_user(filename)
    assert Scope(["everything"]).is_user(filename)
    assert Scope(["project", f"*/{directory}/lib.py"]).is_user(filename)


def test_a_name_that_only_looks_like_an_installed_one_is_the_users(tmp_path: Path) -> None:
    assert Scope().is_user(str(tmp_path / "my-site-packages" / "lib.py"))


@pytest.mark.parametrize("patterns", [["project"], ["everything"], ["*"], ["fixcont"], ["fixcont_ui"]])
def test_our_own_files_are_never_the_users(tmp_path: Path, patterns: list[str]) -> None:
    assert not Scope(patterns).is_user(ours.__file__)
    assert not Scope(patterns).is_user(str(tmp_path / "fixcont_ui" / "pdb.py"))


@pytest.mark.parametrize("filename", ["<string>", "<stdin>", "<frozen os>", "<ipython-input-1-2>", ""])
def test_a_name_that_no_file_has_is_never_the_users(filename: str) -> None:
    scope = Scope(["everything", "*"])

    assert not scope.is_user(filename)
    assert is_pseudo(filename)


@pytest.mark.parametrize(
    ("pattern", "inside", "outside"),
    [
        ("mypkg", "src/mypkg/__init__.py", "src/mypkgs.py"),
        ("mypkg", "src/mypkg/sub/deep.py", "src/space/a.py"),
        ("mypkg.*", "src/mypkg/sub/deep.py", "src/mypkgs.py"),
        ("mypkg.sub", "src/mypkg/sub/__init__.py", "src/mypkg/__init__.py"),
        ("my*", "src/mypkgs.py", "src/space/a.py"),
        ("space.a", "src/space/a.py", "src/space/b.py"),
        ("src/**/*.py", "src/mypkg/sub/deep.py", "other/src/mypkg/sub/deep.py"),
        ("src/**/*.py", "src/mypkgs.py", "src/mypkgs.txt"),
        ("src/mypkg/", "src/mypkg/sub/deep.py", "src/mypkgs.py"),
        ("./src/mypkg", "src/mypkg/sub/deep.py", "src/mypkgs.py"),
        ("src/mypkgs.py", "src/mypkgs.py", "src/mypkg/__init__.py"),
        ("*/sub/*", "src/mypkg/sub/deep.py", "src/mypkg/__init__.py"),
        ("src/mypkg?.py", "src/mypkgs.py", "src/mypkg/.py"),
        ("*/vendored/*", "src/vendored/site-packages/x.py", "src/mypkgs.py"),
    ],
)
def test_a_pattern_names_files(project: Path, pattern: str, inside: str, outside: str) -> None:
    scope = Scope([pattern])

    assert scope.is_user(str(project / inside))
    assert not scope.is_user(str(project / outside))


def test_patterns_add_up(project: Path) -> None:
    scope = Scope(["mypkg", "space"])

    assert scope.is_user(str(project / "src/mypkg/sub/deep.py"))
    assert scope.is_user(str(project / "src/space/a.py"))
    assert not scope.is_user(str(project / "src/mypkgs.py"))


def test_a_module_of_the_standard_library_can_be_named() -> None:
    assert Scope(["project", "json"]).is_user(json.__file__)


def test_a_file_is_where_its_content_is(tmp_path: Path) -> None:
    made(tmp_path / "project" / "pkg" / "a.py")
    installed = tmp_path / "site-packages"
    installed.mkdir()
    (installed / "pkg").symlink_to(tmp_path / "project" / "pkg")

    assert Scope().is_user(str(installed / "pkg" / "a.py"))


def test_code_is_asked_for_by_its_file(tmp_path: Path) -> None:
    scope = Scope()

    assert scope.is_user_code(compile("1", str(tmp_path / "a.py"), "exec"))
    assert not scope.is_user_code(compile("1", "<string>", "exec"))
    assert not scope.is_user_code(json.loads.__code__)


def test_names_without_a_file_are_not_kept() -> None:
    scope = Scope()
    for number in range(100):
        scope.is_user(f"<made up {number}>")

    assert not scope._verdicts
