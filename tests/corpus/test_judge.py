"""The judge sees what it is there to see: a package in a repository of its own, and edits with and without a difference."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.corpus.apply import APPLIED, NOT_HERE, REFUSED, WITH_WARNINGS, WRONG, Judge, Verdict
from tests.corpus.collect import choose
from tests.corpus.compare import names_on_line
from tests.corpus.edits import Edit, read_edits, write_edits
from tests.corpus.histories import History, find_clone
from tests.corpus.repositories import Repository

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="histories are read by git")

BEFORE = '''
import functools

def price(amount, tax=2):
    return amount * tax

@functools.lru_cache
def cached(amount):
    return amount

class Basket:
    """A basket."""
    size = 3
    @property
    def total(self):
        return self.size
'''


class Clone:
    """A repository with one package."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._git("init", "--quiet")

    def commit(self, **texts: str) -> str:
        """Write modules of the package, commit them, and return the commit."""
        (self.folder / "src" / "shop").mkdir(parents=True, exist_ok=True)
        for name, text in {"__init__": "", **texts}.items():
            (self.folder / "src" / "shop" / f"{name}.py").write_text(text)
        self._git("add", "-A")
        self._git("-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "--quiet", "--message", "change")
        return self._git("rev-parse", "HEAD").strip()

    @property
    def history(self) -> History:
        return History(self.folder / ".git", ("shop",))

    def _git(self, *words: str) -> str:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        done = subprocess.run(["git", *words], cwd=self.folder, env=environment, check=True, capture_output=True, text=True)
        return done.stdout


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    folder = tmp_path / "shop"
    folder.mkdir()
    return Clone(folder)


def judge(clone: Clone, engine: Path | None = None, **texts: str) -> Verdict:
    clone.commit(core=BEFORE)
    edit = Edit("a/shop", clone.commit(**texts), "src/shop/core.py")
    return Judge(clone.history, *([engine] if engine is not None else [])).judge(edit)


def test_an_edit_that_is_applied_is_called_so(clone: Clone) -> None:
    verdict = judge(clone, core=BEFORE.replace("tax=2", "tax=3").replace("return amount\n", "return amount + 1\n"))
    assert (verdict.kind, verdict.unnamed, verdict.warnings) == (APPLIED, (), ())


def test_an_edit_that_is_refused_is_called_so(clone: Clone, tmp_path: Path) -> None:
    engine = _engine(tmp_path, "status=Some(value='refused'), error=None, warnings=(), refusal=Some(code='why', sentence='So.')")
    verdict = judge(clone, engine, core=BEFORE.replace("tax=2", "tax=3"))
    assert (verdict.kind, verdict.code, verdict.what) == (REFUSED, "why", "So.")


def test_an_edit_whose_new_version_cannot_be_imported_is_not_judged(clone: Clone) -> None:
    assert judge(clone, core=BEFORE + "\ndef new(x=undefined):\n    pass\n").kind == NOT_HERE


def test_what_an_install_leaves_as_it_was_is_wrong(clone: Clone, tmp_path: Path) -> None:
    changes = {
        "tax=2": "tax=3",
        "amount * tax": "amount + tax",
        "def cached(amount)": "# moved\ndef cached(amount)",
        "A basket": "The basket",
        "class Basket:": "class Basket(Exception):",
        "size = 3": "size = 4",
        "return self.size": "return 1",
    }
    text = BEFORE
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    verdict = judge(clone, _engine(tmp_path, "status=Some(value='installed'), error=None, warnings=(), refusal=None"), core=text)
    assert verdict.kind == WRONG
    assert {each.path[:2] for each in verdict.unnamed} >= {
        ("price", "defaults"), ("price", "code"), ("cached", "_lru_cache_wrapper"), ("Basket", "__doc__"), ("Basket", "<class>"),
        ("Basket", "size"), ("Basket", "total"),
    }  # fmt: skip


def test_what_is_named_is_counted_apart(clone: Clone, tmp_path: Path) -> None:
    warning = "Some(code='not-done', sentence='src/shop/core.py:4: the function keeps its default')"
    engine = _engine(tmp_path, f"status=Some(value='installed'), error=None, refusal=None, warnings=({warning},)")
    verdict = judge(clone, engine, core=BEFORE.replace("tax=2", "tax=3"))
    assert (verdict.kind, verdict.unnamed, verdict.named) == (WITH_WARNINGS, (), 1)


def test_what_a_changed_decorator_had_made_is_named_and_nothing_else_is(clone: Clone) -> None:
    text = "from unittest import mock\ndef mark(cls):\n    cls.size = 1\n    return cls\n@mark\nclass A:\n    pass\nclass B:\n    pass\nmark(B)\n"
    clone.commit(core=text)
    edit = Edit("a/shop", clone.commit(core=text.replace("size = 1", "size = 2")), "src/shop/core.py")
    verdict = Judge(clone.history).judge(edit)
    assert [code for code, _ in verdict.warnings] == ["decorated-before"] and verdict.named == 1
    assert verdict.kind == WRONG and [each.path for each in verdict.unnamed] == [("B", "size")]


def test_the_name_of_a_function_that_classes_share_is_that_of_its_definition(clone: Clone) -> None:
    text = "def same(self, other):\n    return self is other\n\ndef give(cls):\n    cls.same = same\n    same.__qualname__ = cls.__name__ + '.same'\n    return cls\n"
    classes = "@give\nclass {}:\n    pass\n"
    clone.commit(core=text + classes.format("A") + classes.format("C"))
    more = text + classes.format("A") + classes.format("B") + classes.format("C")
    verdict = Judge(clone.history).judge(Edit("a/shop", clone.commit(core=more), "src/shop/core.py"))
    assert verdict.kind == APPLIED


def _engine(folder: Path, result: str) -> Path:
    """Return a folder with an engine that does nothing and says of each install what it is told to."""
    package = folder / "idle" / "fixcont"
    (package / "bytecode").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "bytecode" / "__init__.py").touch()
    (package / "bytecode" / "original.py").write_text("def untrapped(code):\n    return code\n")
    (package / "session.py").write_text(
        "from types import SimpleNamespace as Some\n"
        "class Session:\n"
        "    def __init__(self, *args, **kwargs):\n"
        f"        self.sources = Some(install_changes=lambda: Some({result}))\n"
        "    def install(self):\n"
        "        pass\n"
    )
    return package.parent


def test_chooses_commits_that_change_functions_and_can_be_imported(clone: Clone, tmp_path: Path) -> None:
    clone.commit(core=BEFORE)
    clone.commit(core=BEFORE + "\n# a comment\n")
    clone.commit(core=BEFORE + "\nraise ValueError\n")
    clone.commit(core=BEFORE)
    wanted = clone.commit(core=BEFORE.replace("tax=2", "tax").replace("* tax", "* 3"))
    chosen = list(choose(clone.history, Repository("a/shop", ("shop",), "2000-01-01"), 5))
    assert chosen == [Edit("a/shop", wanted, "src/shop/core.py")]
    write_edits(chosen, tmp_path / "list")
    assert read_edits(tmp_path / "list") == chosen
    assert find_clone(tmp_path, "a/shop") == tmp_path / "shop" / ".git"


def test_a_line_stands_for_what_its_statement_binds() -> None:
    source = b"import os, sys as system\nclass A:\n    'text'\n    x: int = 1\n    def f(self):\n        y = 1\nif a:\n    b = c[0] = 1\n"
    assert names_on_line(source, 1) == ["os", "system"]
    assert names_on_line(source, 3) == ["A.__doc__"]
    assert names_on_line(source, 4) == ["A.x"]
    assert names_on_line(source, 6) == ["A.f"]
    assert names_on_line(source, 8) == ["b", "c"]
    assert names_on_line(b"class A:\n    __slots__ = ('x', 'y')\n", 2) == ["A.__slots__", "A.x", "A.y"]
    assert names_on_line(b"exec('def f(): pass\\nx = 1')\n", 1) == ["exec", "f", "x"]


def test_the_list_names_enough_commits_of_several_packages() -> None:
    edits = read_edits()
    assert len({edit.commit for edit in edits}) >= 220
    assert len({edit.repository for edit in edits}) >= 5
