"""What was installed when, taking it back, and what that costs."""

from __future__ import annotations

import abc
import gc
import linecache
import os
import subprocess
import sys
import tempfile
import threading
import weakref
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fixcont.bytecode.original import untrapped
from fixcont.bytecode.traps import trap
from fixcont.editing.functions import class_namespace, live_functions
from fixcont.editing.result import InstallStatus, UndoResult
from support.once import cases
from support.project import EDITS, Project, names, unrun


def undo(project: Project) -> UndoResult:
    """Take the last patch back, which must be possible."""
    result = project.sources.undo()
    assert result.refusal is None and result.patch is not None, result
    return result


def restored(result: UndoResult) -> dict[str, int]:
    """Give what an undo has restored: qualified name -> version."""
    return {each.qualname: each.version for each in result.restored}


def refused(result: UndoResult) -> str:
    assert result.refusal is not None and result.patch is None, result
    return result.refusal.code


def touch(path: Path) -> None:
    """Save a file anew as it is."""
    status = os.stat(path)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 5_000_000_000))


def state(module: ModuleType) -> dict[str, Any]:
    """Give all objects that an edit may change in a module, by where they are: not the code, which is compiled anew."""
    found: dict[str, Any] = {}

    def look(path: str, value: Any) -> None:
        found[path] = value
        if isinstance(value, type) and value.__module__ == module.__name__:
            found[f"{path}.__bases__"] = value.__bases__
            for name, each in class_namespace(value).items():
                if name not in ("__dict__", "__weakref__", "__firstlineno__", "__annotations_cache__"):
                    look(f"{path}.{name}", each)
        function = getattr(value, "__func__", value)
        if hasattr(function, "__code__"):
            for name in ("__defaults__", "__kwdefaults__", "__doc__", "__name__", "__qualname__"):
                found[f"{path}.{name}"] = getattr(function, name)
            found[f"{path}.__annotations__"] = dict(function.__annotations__)
            found[f"{path}.__dict__"] = dict(function.__dict__)

    for name, value in vars(module).items():
        if name != "__builtins__":
            look(name, value)
    return found


def assert_same(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert after.keys() == before.keys()
    differs = [
        path
        for path, value in before.items()
        if (after[path] != value if path.endswith((".__annotations__", ".__dict__", "line__")) else after[path] is not value)
    ]
    assert differs == []


# The list


def test_patches_say_what_was_installed(project: Project) -> None:
    project.load("one", "def f():\n    return 1\n")
    project.load("two", "def g():\n    return 1\n")
    history = project.sources.history
    assert history.patches == [] and history.last is None
    assert project.install().status is InstallStatus.UNCHANGED and history.patches == []
    project.write("one", "def f():\n    return 2\n")
    result = project.edit("two", "def g():\n    return 2\nfor x in []: pass\n")
    project.edit("two", "def g():\n    return (\n")
    project.edit("two", "def g():\n    return 3\nfor x in []: pass\n")
    first, second = history.patches
    assert history.last is second
    assert (first.number, second.number) == (1, 2) and first.time <= second.time
    assert first.installed == result.installed and first.warnings == result.warnings
    assert [(each.qualname, each.version) for each in first.installed] == [("f", 2), ("g", 2)]
    assert [(each.qualname, each.version) for each in second.installed] == [("g", 3)]
    assert [Path(each.filename).name for each in first.files] == ["one.py", "two.py"]
    before = first.file(str(project.path("two")))
    after = second.file(str(project.path("two")))
    assert before is not None and after is not None
    assert before.before == b"def g():\n    return 1\n" and after.before is before.after


# Undo


def test_undo_of_a_function(project: Project) -> None:
    module = project.load("one", "def f():\n    return 1\ndef g():\n    return 1\n")
    f = module.f
    project.edit("one", "def f():\n    return 2\n\n\ndef g():\n    return 1\n")
    assert f() == 2
    result = undo(project)
    assert module.f is f and f() == 1 and restored(result) == {"f": 1} and result.gone == ()
    assert module.g.__code__.co_firstlineno == 3
    assert project.sources.version_of(f.__code__) == 1 and not project.sources.is_obsolete(f.__code__)
    assert refused(project.sources.undo()) == "nothing-to-undo"


@pytest.mark.parametrize("case", ["basket", "closures", "namesakes", "additions", "statements"])
def test_undo_is_exact(project: Project, case: str) -> None:
    module = project.load_case(case)
    lines = {value: value.__code__.co_firstlineno for value in vars(module).values() if hasattr(value, "__code__")}
    before = state(module)
    for _ in range(3):
        names(project.edit_case(case))
        undo(project)
        assert_same(before, state(module))
        assert {value: value.__code__.co_firstlineno for value in lines} == lines
        touch(project.path(case))


def test_undo_restores_what_the_functions_do(project: Project) -> None:
    module = project.load_case("basket")
    basket, total = module.Basket([4, 2]), module.Basket([4, 2]).total
    mean = basket.mean
    project.edit_case("basket")
    assert total() == 6
    undo(project)
    with pytest.raises(ZeroDivisionError):
        total()
    assert basket.mean == mean and module.discount(100) == 90


def test_undo_step_by_step(project: Project) -> None:
    text = "def f():\n    return {}\n"
    module = project.load("steps", text.format(1))
    for number in range(2, 6):
        assert names(project.edit("steps", text.format(number))) == {"f": number}
    for number in (4, 3, 2, 1):
        assert restored(undo(project)) == {"f": number} and module.f() == number
    assert refused(project.sources.undo()) == "nothing-to-undo"
    assert names(project.edit("steps", text.format(7))) == {"f": 6}
    assert restored(undo(project)) == {"f": 1} and module.f() == 1


def test_undo_and_the_same_edit_again(project: Project) -> None:
    text = "def f():\n    return {}\n"
    module = project.load("again", text.format(1))
    for number in range(2, 8):
        assert names(project.edit("again", text.format(2))) == {"f": number}
        assert module.f() == 2
        assert restored(undo(project)) == {"f": 1} and module.f() == 1
        assert project.install().status is InstallStatus.UNCHANGED
        touch(project.path("again"))


def test_undo_of_a_patch_of_two_files_is_one_step(project: Project) -> None:
    one = project.load("one", "def f():\n    return 1\n")
    two = project.load("two", "from one import f\ndef g():\n    return f() + 1\n")
    project.write("one", "import functools\n\n@functools.lru_cache\ndef f():\n    return 2\n")
    project.edit("two", "from one import f\ndef g():\n    return f() + 2\n")
    assert two.f is one.f and two.g() == 4
    undo(project)
    assert two.f is one.f and (one.f(), two.g()) == (1, 2) and not hasattr(one, "functools")


def test_frames_of_an_undone_version_are_obsolete(project: Project) -> None:
    text = "def f():\n    yield {}\n    yield\n"
    module = project.load("frames", text.format(1))
    first = module.f()
    next(first)
    project.edit("frames", text.format(2))
    second = module.f()
    assert next(second) == 2
    sources = project.sources
    assert sources.is_obsolete(first.gi_code) and not sources.is_obsolete(second.gi_code)
    undo(project)
    assert not sources.is_obsolete(first.gi_code) and sources.is_obsolete(second.gi_code)
    assert (sources.version_of(first.gi_code), sources.version_of(second.gi_code)) == (1, 2)
    assert sources.text_of(second.gi_code) == text.format(2).splitlines(keepends=True)
    newest = sources.newest(second.gi_code)
    assert newest.code is module.f.__code__ and newest.version == 1
    project.edit("frames", text.format(3))
    assert sources.is_obsolete(first.gi_code) and sources.is_obsolete(second.gi_code)
    assert sources.newest(second.gi_code).version == 3


def test_functions_that_were_made_after_the_patch(project: Project) -> None:
    text = "def outer(x, y=[]):\n    def inner(a={}):\n        return a, {}, x\n    return inner\n"
    module = project.load("late", text.format(1, 1))
    early, default = module.outer("early"), module.outer.__defaults__
    project.edit("late", text.format(2, 2).replace("y=[]", "y=1"))
    late = module.outer("late")
    assert early() == (2, 2, "early") and late() == (2, 2, "late")
    undo(project)
    assert early() == (1, 1, "early") and late() == (1, 1, "late") and module.outer.__defaults__ is default


def test_a_default_that_cannot_be_told_leaves_a_function_that_was_made_since_alone(project: Project) -> None:
    text = "def outer(x):\n    def inner(a=x, b=0):\n        return a, b\n    return inner\n"
    module = project.load("late", text)
    early = module.outer("early")
    project.edit("late", text.replace("a=x", "a=1").replace("return a, b", "return a, b, 1"))
    late = module.outer("late")
    assert early() == (1, 0, 1) and late() == (1, 0, 1)
    result = undo(project)
    assert early() == ("early", 0) and late() == (1, 0, 1)
    assert [warning.code for warning in result.warnings] == ["default-not-evaluated"]


def test_nothing_is_evaluated(project: Project) -> None:
    text = "log = []\ndef note(x):\n    log.append(x)\n    return lambda f: f\n"
    module = project.load("quiet", text + "@note('one')\ndef f(a=log.append('default one')):\n    return 1\n")
    project.edit(
        "quiet", text + "@note('two')\ndef f(a=log.append('default two')):\n    return 2\nclass A:\n    log.append('A')\n"
    )
    seen = list(module.log)
    undo(project)
    assert module.log == seen and not hasattr(module, "A") and module.f() == 1


def test_classes_are_put_back(project: Project) -> None:
    text = """\
        import abc, dataclasses
        class Base: pass
        class Other: pass
        class Shop(Base):
            "Sells."
            size = [1]
            def open(self): return 1
        @dataclasses.dataclass
        class Item:
            name: str
            price: int = 1
        class Shape(abc.ABC):
            @abc.abstractmethod
            def area(self): ...
        """
    module = project.load("classes", text)
    assert module.Item.__doc__ == "Item(name: str, price: int = 1)"  # some versions make it when it is asked for
    before, item, shop = state(module), module.Item("x"), module.Shop()
    after = (
        text.replace("Shop(Base)", "Shop(Other)")
        .replace("[1]", "[2]")
        .replace("Sells", "Buys")
        .replace("price: int = 1", "cost: int = 2")
    )
    after = after.replace(
        "def open(self): return 1", "def close(self): return 2\n            def __eq__(self, other): return True"
    )
    after = after.replace("            @abc.abstractmethod\n", "")
    result = project.edit("classes", after)
    assert result.status is InstallStatus.INSTALLED, result
    assert (
        module.Shop.__bases__ == (module.Other,) and not hasattr(shop, "open") and module.Item("y").cost == 2 and module.Shape()
    )
    undo(project)
    assert_same(before, state(module))
    assert isinstance(shop, module.Base) and shop.open() == 1 and hash(shop) and repr(item) == "Item(name='x', price=1)"
    assert issubclass(module.Shape, abc.ABC)
    with pytest.raises(TypeError, match="abstract"):
        module.Shape()


def test_marks_that_decorators_leave_on_a_function(project: Project) -> None:
    text = "from typing import final\nclass A:\n    {}\n    def f(self):\n        return 1\n"
    module = project.load("marks", text.format("@final"))
    assert module.A.f.__final__
    project.edit("marks", text.format(""))
    assert not hasattr(module.A.f, "__final__")
    undo(project)
    assert module.A.f.__final__
    touch(project.path("marks"))
    project.install()
    project.edit("marks", text.format("@final"))
    assert module.A.f.__final__
    undo(project)
    assert not hasattr(module.A.f, "__final__")


def test_a_class_that_the_patch_added_comes_back_as_the_same_class(project: Project) -> None:
    module = project.load("added", "x = 1\n")
    project.edit("added", "x = 1\nclass A:\n    def f(self):\n        return 1\n")
    a, cls = module.A(), module.A
    result = undo(project)
    assert not hasattr(module, "A") and result.gone == ("A", "A.f")[: len(result.gone)] and "A" in result.gone
    assert names(project.edit("added", "x = 1\nclass A:\n    def f(self):\n        return 2\n"))["A"] == 2
    assert module.A is cls and a.f() == 2


def test_renamed_functions(project: Project) -> None:
    module = project.load("renamed", "def f():\n    return [1]\n")
    f = module.f
    project.edit("renamed", "def g():\n    return [1]\n")
    assert module.g is f and not hasattr(module, "f") and f.__name__ == "g"
    undo(project)
    assert module.f is f and not hasattr(module, "g") and f.__name__ == f.__qualname__ == "f"
    assert project.sources.version_of(f.__code__) == 1
    assert names(project.edit("renamed", "def f():\n    return [2]\n")) == {"f": 3} and f() == [2]


def test_imports_and_names_that_were_added(project: Project) -> None:
    module = project.load("names", "import os\ndef f():\n    return 1\n")
    path = module.os
    project.edit("names", "import sys as os\nimport json\nLIMIT = 3\ndef f():\n    return LIMIT\n")
    assert module.os is sys and module.f() == 3
    undo(project)
    assert module.os is path and not hasattr(module, "json") and not hasattr(module, "LIMIT")


def test_a_name_that_undone_code_still_needs_stays(project: Project) -> None:
    module = project.load("needed", "def f():\n    yield 1\n    yield 1\n")
    project.edit("needed", "def helper():\n    return 2\ndef f():\n    yield helper()\n    yield helper()\n")
    frame = module.f()
    next(frame)
    result = undo(project)
    assert [warning.code for warning in result.warnings] == ["removed-kept"] and "f" in result.warnings[0].sentence
    assert next(frame) == 2 and list(module.f()) == [1, 1]
    frame.close()
    assert names(project.edit("needed", "def helper():\n    return 3\ndef f():\n    yield helper()\n")) == {"f": 3, "helper": 2}
    assert list(module.f()) == [3]
    undo(project)
    assert list(module.f()) == [1, 1]


def test_threads_see_all_of_it_or_nothing(project: Project) -> None:
    text = "def f(a={0}, *, b={0}):\n    return a, b, {0}\n"
    module = project.load("threads", text.format(1))
    seen: set[tuple[int, int, int]] = set()
    done = threading.Event()

    def call() -> None:
        while not done.is_set():
            seen.add(module.f())

    thread = threading.Thread(target=call)
    thread.start()
    try:
        for _ in range(15):
            project.edit("threads", text.format(2))
            undo(project)
            touch(project.path("threads"))
    finally:
        done.set()
        thread.join()
    # Defaults are taken when a call begins, and so is the code; but not by one instruction.
    assert seen <= {(1, 1, 1), (2, 2, 2)}


def test_an_undo_that_fails_changes_nothing(project: Project) -> None:
    module = project.load("fails", "class A:\n    pass\nclass B:\n    pass\nclass C(A):\n    x = 1\ndef f():\n    return 1\n")
    project.edit("fails", "class A:\n    pass\nclass B:\n    pass\nclass C(B):\n    x = 2\ndef f():\n    return 2\n")
    c = module.C
    c.__bases__ = (type("D", (module.B,), {}),)
    before = state(module)
    patch = project.sources.history.last
    assert patch is not None

    class Stubborn:
        def __call__(self) -> None:
            raise MemoryError("no room")

    restores, _ = patch.kept_for_undo()
    restores.note_call(Stubborn(), lambda: None)
    assert refused(project.sources.undo()) == "undo-failed"
    assert_same(before, state(module))
    assert module.f() == 2 and c.x == 2 and project.sources.history.last is patch
    restores.calls.clear()
    undo(project)
    assert module.f() == 1 and c.x == 1 and [base.__name__ for base in c.__bases__] == ["A"]


# What cannot be taken back


def test_a_patch_whose_text_before_is_not_known(project: Project) -> None:
    one = project.load("drift", "def f():\n    return 1\n")
    other = project.load("drift", "def f():\n    return 2\n", as_name="drift_again")
    assert names(project.install()) == {"f": 2}
    assert refused(project.sources.undo()) == "undo-text-unknown"
    assert (one.f(), other.f()) == (2, 2)


def test_a_file_that_was_loaded_again_from_another_text(project: Project) -> None:
    module = project.load("again", "def f():\n    return 1\n")
    project.edit("again", "def f():\n    return 2\n")
    module = project.load("again", "def f():\n    return 3\n")
    assert refused(project.sources.undo()) == "undo-loaded-again"
    assert module.f() == 3


def test_a_file_that_was_loaded_again_from_the_installed_text(project: Project) -> None:
    module = project.load("again", "def f(a=1):\n    return a\n")
    held = module.f
    project.edit("again", "def f(a=2):\n    return a, 2\n")
    module = project.load("again")
    undo(project)
    assert held() == module.f() == 1


# Statements that were not run


def test_statements_that_were_not_run_are_listed_as_before(project: Project) -> None:
    module = project.load("limits", "LIMIT = 10\nWIDTH = 1\n")
    sources = project.sources
    first = project.edit("limits", "LIMIT = 20\nWIDTH = 1\n")
    listed = sources.unrun.all()
    assert unrun(first) == [(1, "LIMIT = 20")]
    project.edit("limits", "\n\nLIMIT = 20\nWIDTH = 2\n")
    assert [(each.line, each.text) for each in sources.unrun.all()] == [(3, "LIMIT = 20"), (4, "WIDTH = 2")]
    undo(project)
    assert sources.unrun.all() == listed
    rerun = sources.rerun(listed[0].number)
    assert rerun is not None and rerun.statement == listed[0] and module.LIMIT == 20
    result = undo(project)
    assert result.patch is not None and result.patch.rerun == [listed[0]]
    # What was run stays run; that the text says something else now is listed.
    assert (
        [(each.line, each.text) for each in result.unrun]
        == [(1, "LIMIT = 10")]
        == [(each.line, each.text) for each in sources.unrun.all()]
    )
    sources.rerun(result.unrun[0].number)
    assert module.LIMIT == 10 and sources.unrun.all() == []


def test_a_statement_that_was_run_does_not_come_back(project: Project) -> None:
    project.load("limits", "LIMIT = 10\n")
    sources = project.sources
    first = project.edit("limits", "LIMIT = 20\n")
    project.edit("limits", "LIMIT = 20\ndef f():\n    return 1\n")
    sources.rerun(first.unrun[0].number)
    undo(project)
    assert sources.unrun.all() == []


# The files


def test_a_function_comes_back_though_a_statement_that_was_run_took_its_name(project: Project) -> None:
    module = project.load("taken", "def name():\n    return 1\n")
    for text in ("name = 0\n", "name = 0\nother = 1\n"):
        project.edit("taken", text)
    assert module.name() == 1
    project.sources.rerun(project.sources.unrun.all()[0].number)
    assert module.name == 0
    undo(project)
    assert module.name == 0
    undo(project)
    assert module.name() == 1


def test_what_was_run_before_an_import_took_its_name_can_be_undone(project: Project) -> None:
    module = project.load("taken", "def name():\n    return 1\n")
    project.sources.rerun(project.edit("taken", "name = 0\n").unrun[0].number)
    project.edit("taken", "import string as name\n")
    undo(project)
    undo(project)
    assert module.name() == 1


def test_what_was_undone_is_not_installed_again_until_it_is_saved(project: Project) -> None:
    module = project.load("held", "def f():\n    return 1\n")
    project.edit("held", "def f():\n    return 2\n")
    result = undo(project)
    path = str(project.path("held"))
    assert result.held_back == (path,) and project.sources.held_back() == [path]
    assert project.install().status is InstallStatus.UNCHANGED and module.f() == 1
    assert project.path("held").read_text() == "def f():\n    return 2\n"
    touch(project.path("held"))
    assert names(project.install()) == {"f": 3} and module.f() == 2
    assert project.sources.held_back() == []


def test_what_is_saved_after_an_undo_is_installed_though_time_and_size_are_the_same(project: Project) -> None:
    module = project.load("held", "def f():\n    return 1\n")
    project.edit("held", "def f():\n    return 2\n")
    undo(project)
    status = os.stat(project.path("held"))
    project.write("held", "def f():\n    return 3\n")
    os.utime(project.path("held"), ns=(status.st_atime_ns, status.st_mtime_ns))
    assert names(project.install()) == {"f": 3} and module.f() == 3


def test_tracebacks_show_the_text_that_runs(project: Project) -> None:
    module = project.load("lines", "def f():\n    return 1 / 0  # one\n")
    project.edit("lines", "# more\ndef f():\n    return 2 / 0  # two\n")

    def shown() -> str:
        with pytest.raises(ZeroDivisionError) as caught:
            module.f()
        entry = caught.traceback[-1]
        linecache.checkcache()  # as `traceback` does before it looks
        return linecache.getline(entry.frame.code.raw.co_filename, entry.lineno + 1)

    assert "# two" in shown()
    undo(project)
    assert "# one" in shown()
    project.edit("lines", "# more\n# and more\ndef f():\n    return 3 / 0  # three\n")
    assert "# three" in shown()


def test_files_are_written_back(project: Project) -> None:
    text = b"def f():\r\n    return '\xe4'\r\n"
    path = project.path("back")
    path.write_bytes(b"# coding: latin-1\r\n" + text)
    path.chmod(0o640)
    module = project.load("back")
    path.write_bytes(b"# coding: latin-1\r\n" + text.replace(b"\xe4", b"\xf6"))
    project.install()
    assert module.f() == "\xf6"
    undo(project)
    assert project.sources.write_back() == [(str(path), None)]
    assert path.read_bytes() == b"# coding: latin-1\r\n" + text and path.stat().st_mode & 0o777 == 0o640
    assert project.sources.held_back() == [] == project.sources.write_back()
    assert project.install().status is InstallStatus.UNCHANGED and module.f() == "\xe4"
    assert [each.name for each in project.folder.iterdir()] == ["back.py"]


def test_two_undos_are_written_back_at_once_and_through_a_link(project: Project) -> None:
    project.load("target", "def f():\n    return 1\n")
    path = project.folder / "linked" / "link.py"
    path.parent.mkdir()
    path.symlink_to(project.path("target"))
    module = project.load("linked/link")
    project.edit("target", "def f():\n    return 2\n")
    project.edit("target", "def f():\n    return 3\n")
    undo(project)
    undo(project)
    assert module.f() == 1
    assert dict(project.sources.write_back())[str(path)] is None
    assert path.is_symlink() and project.path("target").read_text() == "def f():\n    return 1\n"


@pytest.mark.parametrize("when", ["before the undo", "after it"])
def test_a_file_that_was_changed_since_is_left_alone(project: Project, when: str) -> None:
    module = project.load("changed", "def f():\n    return 1\n")
    project.edit("changed", "def f():\n    return 2\n")
    if when == "before the undo":
        project.write("changed", "def f():\n    return 33\n")
    undo(project)
    if when == "after it":
        project.write("changed", "def f():\n    return 33\n")
    [(_, refusal)] = project.sources.write_back()
    assert refusal is not None and refusal.code == "file-changed"
    assert project.path("changed").read_text() == "def f():\n    return 33\n"
    assert [each.name for each in project.folder.iterdir()] == ["changed.py"]
    if when == "before the undo":
        assert project.install().status is InstallStatus.UNCHANGED and module.f() == 1
    else:
        assert names(project.install()) == {"f": 3} and module.f() == 33


@pytest.mark.skipif(os.getuid() == 0 and not hasattr(os, "chflags"), reason="root may write everywhere")
def test_a_file_that_cannot_be_written_is_refused(project: Project) -> None:
    project.load("locked", "def f():\n    return 1\n")
    project.edit("locked", "def f():\n    return 2\n")
    undo(project)
    project.folder.chmod(0o555)
    try:
        [(_, refusal)] = project.sources.write_back()
    finally:
        project.folder.chmod(0o755)
    assert refusal is not None and refusal.code == "file-not-written"


# What it costs


THOUSAND_INSTALLS = """\
import gc, sys, weakref
from pathlib import Path
from fixcont.bytecode.original import untrapped
from fixcont.bytecode.traps import trap
from support.project import Project, names

project, times = Project(Path(sys.argv[1]), trap, untrapped), int(sys.argv[2])
filler = "".join(f"def f{n}(a, b=1):\\n    return [a + b + {n} for a in range(b)]\\n" for n in range(4))
text = filler + "def changing(a=0):\\n    return [n + {} for n in range(a)], {!r}\\n"
module = project.load("many", text.format(0, "x"))
codes = []

def install(number):
    source = text.format(number, "x" * (number % 7))
    codes.append(weakref.ref(module.changing.__code__))
    assert names(project.edit("many", source)) == {"changing": number + 1}

for number in range(1, 101):
    install(number)
gc.collect()
before = sys.getallocatedblocks()
for number in range(101, 101 + times):
    install(number)
gc.collect()
grown = sys.getallocatedblocks() - before
print(sum(each() is not None for each in codes), len(project.sources._registry), grown / times)
"""


@pytest.mark.slow
def test_a_thousand_installs_keep_texts_and_nothing_else(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", THOUSAND_INSTALLS, str(tmp_path), str(cases(1000))]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600, check=True)
    alive, noted, grown = map(float, ended.stdout.split())
    assert alive == 0 and noted < 50
    # Beside its text, a patch has the few small objects that say what it was: no code, no syntax, nothing for each function.
    assert grown < 40, ended.stdout


def test_functions_and_classes_that_a_patch_changed_are_not_kept_alive(project: Project) -> None:
    text = "def outer():\n    def inner(a={0}):\n        return a\n    return inner\nclass A:\n    x = {0}\n"
    module = project.load("alive", text.format(1))
    inner, cls = weakref.ref(module.outer()), weakref.ref(module.A)
    kept = module.outer()
    inner = weakref.ref(kept)
    project.edit("alive", text.format(2))
    assert kept() == 2
    del kept, module.A
    gc.collect()
    assert inner() is None and cls() is None
    undo(project)
    assert module.outer()() == 1


# Any order of edits and undos

CASES = ("basket", "additions", "statements", "closures", "namesakes")


def _texts(case: str) -> list[str]:
    before, after = ((EDITS / case / f"{version}.py").read_text() for version in ("before", "after"))
    return [before, after, "# moved\n\n" + before, after.replace("return ", "return  ").replace(" 1", " 3"), "\n" + after]


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    cases=st.permutations(CASES),
    steps=st.lists(
        st.tuples(st.sampled_from(["edit", "edit", "undo"]), st.integers(0, 4), st.integers(0, 1)), min_size=2, max_size=8
    ),
)
def test_any_order_of_edits_and_undos_is_exact(cases: Sequence[str], steps: Sequence[tuple[str, int, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        project = Project(Path(folder), trap, untrapped)
        try:
            _go_through(project, cases[:2], steps)
        finally:
            project.close()


def _go_through(project: Project, cases: Sequence[str], steps: Sequence[tuple[str, int, int]]) -> None:
    modules = [project.load_case(case) for case in cases]
    before_patches: list[tuple[list[dict[str, Any]], list[tuple[Any, ...]]]] = []  # what was there before each patch in force
    used: dict[tuple[str, str], int] = {}  # (file, qualified name) -> the highest number given so far

    def look() -> tuple[list[dict[str, Any]], list[tuple[Any, ...]]]:
        gc.collect()
        functions = live_functions([str(project.path(case)) for case in cases], map(vars, modules))
        # Those that the text does not define any more are held by the history only. Annotations come anew with their function's header.
        found = [each.__code__ for each in functions if project.sources.newest(each.__code__).refusal is None]
        found = [each for each in found if each.co_name != "__annotate__"]
        codes = [(each, untrapped(each)) for each in found]
        ran = [(code.co_filename, code.co_qualname, code.co_firstlineno, plain.co_code) for code, plain in codes]
        return [state(module) for module in modules], sorted(ran)

    for kind, number, which in steps:
        if kind == "undo":
            result = project.sources.undo()
            if not before_patches:
                assert refused(result) == "nothing-to-undo"
                continue
            assert result.refusal is None, result
            states, ran = before_patches.pop()
            now_states, now_ran = look()
            for one, other in zip(states, now_states, strict=True):
                assert_same(one, other)
            assert now_ran == ran
            assert project.install().status is InstallStatus.UNCHANGED
            continue
        before = look()
        project.write(cases[which], _texts(cases[which])[number])
        touch(project.path(cases[which]))
        installed = project.install()
        if installed.status is InstallStatus.UNCHANGED:
            del before  # it holds functions that an undo is to free
            continue
        assert installed.status is InstallStatus.INSTALLED, installed
        before_patches.append(before)
        del before
        names_of = [(each.filename, each.qualname) for each in installed.installed]
        for each in installed.installed:
            key = each.filename, each.qualname
            if names_of.count(key) == 1 and "namesakes" not in each.filename and key[1] not in ("Shape.name", "Basket.mean"):
                assert each.version > used.get(key, 0), (each, used)
                used[key] = each.version
