"""The import hook and its cache: modules in scope get traps, and nobody sees that they did."""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import marshal
import os
import runpy
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.machinery import SourceFileLoader
from pathlib import Path
from textwrap import dedent
from types import CodeType, ModuleType
from zipimport import zipimporter

import pytest

from fixcont.loading.cache import TrapCache, engine_fingerprint
from fixcont.loading.importing import LoadedText, install_hook, remove_hook
from fixcont.loading.scope import Scope

ROOT = Path(__file__).resolve().parents[2]
MARK = "a mark that stands for traps"


def marked(code: CodeType) -> CodeType:
    """Stand for `trap`: what it gives can be told from plain code, and marshalled."""
    nested = (marked(constant) if isinstance(constant, CodeType) else constant for constant in code.co_consts)
    return code.replace(co_consts=(*nested, MARK))


def is_marked(code: CodeType | None) -> bool:
    assert code is not None
    return MARK in code.co_consts


@dataclass
class Imports:
    """A directory on `sys.path` with the hook installed, and what the hook has told."""

    directory: Path
    trap: Callable[[CodeType], CodeType] = marked
    scope: Scope = field(default_factory=Scope)
    cache: TrapCache | None = None
    told: list[tuple[str, bytes | None, CodeType]] = field(default_factory=list)
    faults: list[BaseException] = field(default_factory=list)

    def install(self) -> None:
        install_hook(self.scope, self.trap, lambda *loaded: self.told.append(loaded), self.cache, self.faults.append)

    def write(self, name: str, text: str) -> Path:
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))
        importlib.invalidate_caches()
        return path

    def load(self, name: str, text: str | None = None) -> ModuleType:
        if text is not None:
            self.write(f"{name}.py", text)
        sys.modules.pop(name, None)
        return importlib.import_module(name)

    def code(self) -> CodeType:
        """Return the code that was loaded last."""
        return self.told[-1][2]


@pytest.fixture
def imports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Imports]:
    directory = tmp_path / "imports"
    directory.mkdir()
    monkeypatch.syspath_prepend(str(directory))
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    before = set(sys.modules)
    imports = Imports(directory)
    imports.install()
    yield imports
    remove_hook()
    for name in set(sys.modules) - before:
        if str(directory) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def test_an_imported_module_runs_with_traps(imports: Imports) -> None:
    text = "import sys\ncode = sys._getframe().f_code\ndef f(): pass\n"

    module = imports.load("one", text)

    assert is_marked(module.code)
    assert is_marked(module.f.__code__)
    assert imports.told == [(str(imports.directory / "one.py"), text.encode(), module.code)]


def test_a_module_out_of_scope_stays_plain(imports: Imports) -> None:
    imports.write("site-packages/lib.py", "def f(): pass")
    sys.path.insert(0, str(imports.directory / "site-packages"))

    module = imports.load("lib")

    assert not is_marked(module.f.__code__)
    assert imports.told == []


def test_a_module_in_a_zip_file_runs_with_traps(imports: Imports) -> None:
    path = imports.directory / "app.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("zipped.py", "def f(): pass")
    sys.path.insert(0, str(path))

    module = imports.load("zipped")

    assert is_marked(module.f.__code__)
    assert imports.told == [(str(path / "zipped.py"), None, imports.code())]
    assert not is_marked(zipimporter(str(path)).get_code("zipped"))


def test_a_module_that_runpy_runs_has_traps(imports: Imports) -> None:
    imports.write("main.py", "def f(): pass")

    assert is_marked(runpy.run_module("main")["f"].__code__)


def test_who_only_asks_for_the_code_gets_the_plain_one(imports: Imports) -> None:
    module = imports.load("one", "x = 1")
    loader = module.__loader__
    assert isinstance(loader, SourceFileLoader)

    assert not is_marked(loader.get_code("one"))
    assert not is_marked(SourceFileLoader.get_code(loader, "one"))
    assert not is_marked(super(SourceFileLoader, loader).get_code("one"))


def test_the_import_system_shows_nothing_of_us(imports: Imports) -> None:
    hooked = imports.load("one", "x = 1")
    remove_hook()
    plain = imports.load("one")

    for module in (hooked, plain):
        assert type(module.__loader__) is SourceFileLoader
        assert module.__spec__ is not None
        assert module.__spec__.loader is module.__loader__
    assert hooked.__cached__ == plain.__cached__ if hasattr(plain, "__cached__") else not hasattr(hooked, "__cached__")
    assert list(vars(hooked)) == list(vars(plain))


def test_a_removed_hook_leaves_the_loaders_as_they_were(imports: Imports) -> None:
    inherited = importlib.machinery.SourceFileLoader.__mro__[2].get_code  # type: ignore[attr-defined]
    remove_hook()

    assert "get_code" not in vars(SourceFileLoader)
    assert SourceFileLoader.get_code is inherited
    assert type(vars(zipimporter)["get_code"]) is type(marked)
    assert not is_marked(imports.load("one", "def f(): pass").f.__code__)
    remove_hook()


def test_a_method_that_another_tool_put_there_is_kept(imports: Imports, monkeypatch: pytest.MonkeyPatch) -> None:
    remove_hook()
    asked = []

    def get_code(self: SourceFileLoader, fullname: str) -> CodeType | None:
        asked.append(fullname)
        return super(SourceFileLoader, self).get_code(fullname)

    monkeypatch.setattr(SourceFileLoader, "get_code", get_code, raising=False)
    imports.install()
    module = imports.load("one", "def f(): pass")
    remove_hook()

    assert is_marked(module.f.__code__)
    assert asked == ["one"]
    assert vars(SourceFileLoader)["get_code"] is get_code


def loaded_by(loader: SourceFileLoader) -> ModuleType:
    """Return the module that a loader loads when it is asked as the import system asks."""
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def test_a_loader_that_transforms_what_it_loads_gets_its_way(imports: Imports, tmp_path: Path) -> None:
    class Transforming(SourceFileLoader):
        def source_to_code(self, data: object, path: object, *_rest: object, **_options: object) -> CodeType:  # type: ignore[override]
            return compile(b"transformed = True\ndef f(): pass", str(path), "exec")

    path = imports.write("other.py", "x = 1")
    module = loaded_by(Transforming("other", str(path)))

    assert module.transformed
    assert is_marked(module.f.__code__)


def test_a_loader_that_overrides_get_code_is_left_alone(imports: Imports) -> None:
    class Own(SourceFileLoader):
        def get_code(self, fullname: str) -> CodeType | None:
            code = super().get_code(fullname)
            assert not is_marked(code)
            return code

    path = imports.write("other.py", "def f(): pass")
    module = loaded_by(Own("other", str(path)))

    assert not is_marked(module.f.__code__)


def test_a_fault_of_the_trap_leaves_the_module_plain(imports: Imports) -> None:
    def failing(code: CodeType) -> CodeType:
        raise RuntimeError("a fault")

    imports.trap = failing
    imports.install()

    assert imports.load("one", "x = 1").x == 1
    assert [str(fault) for fault in imports.faults] == ["a fault"]


def test_a_fault_of_the_listener_does_not_reach_the_module(imports: Imports) -> None:
    faults: list[BaseException] = []

    def failing(*_loaded: object) -> None:
        raise RuntimeError("a fault")

    install_hook(imports.scope, marked, failing, None, faults.append)

    assert is_marked(imports.load("one", "def f(): pass").f.__code__)
    assert [str(fault) for fault in faults] == ["a fault"]


@pytest.mark.parametrize("cache", [None, TrapCache(b"lazy")])
def test_the_text_can_be_asked_for_later(imports: Imports, cache: TrapCache | None) -> None:
    texts: list[LoadedText] = []
    install_hook(imports.scope, marked, cache=cache, on_loaded_lazily=lambda path, text, code: texts.append(text))

    imports.load("one", "x = 1\n")
    imports.load("one")
    path = imports.write("one.py", "x = 22\n")
    imports.load("one")
    path.unlink()

    assert [text.read() for text in texts] == [b"x = 1\n", b"x = 1\n", b"x = 22\n"]
    assert [text.status.st_size for text in texts if text.status] == [6, 6, 7]


def test_the_text_that_was_loaded_is_told_even_if_the_file_changes(imports: Imports) -> None:
    imports.load("one", "x = 1\n")
    imports.load("one", "x = 22\n")

    assert [text for _, text, _ in imports.told] == [b"x = 1\n", b"x = 22\n"]


# -- bytecode files


@pytest.fixture
def cached(imports: Imports) -> Imports:
    imports.cache = TrapCache(b"marks")
    imports.install()
    return imports


def cache_file(imports: Imports, name: str) -> Path:
    assert imports.cache is not None
    return Path(imports.cache.path_for(str(imports.directory / f"{name}.py")))


def plain_file(imports: Imports, name: str) -> Path:
    return Path(importlib.util.cache_from_source(str(imports.directory / f"{name}.py")))


def refuse(code: CodeType) -> CodeType:
    raise AssertionError("the cache was not used")


def test_the_interpreters_own_bytecode_is_written_and_plain(cached: Imports) -> None:
    cached.load("one", "def f(): pass")

    plain = marshal.loads(plain_file(cached, "one").read_bytes()[16:])
    assert not is_marked(plain)
    assert cache_file(cached, "one").parent == plain_file(cached, "one").parent


def test_trapped_code_is_taken_from_the_cache(cached: Imports) -> None:
    first = cached.load("one", "def f(): pass").f.__code__
    plain_file(cached, "one").write_bytes(b"not to be read")
    cached.trap = refuse
    cached.install()

    second = cached.load("one").f.__code__

    assert second == first
    assert cached.faults == []
    assert cached.told[0][1] == cached.told[1][1] == b"def f(): pass"


def test_the_interpreters_bytecode_is_written_again_when_it_is_missing(cached: Imports) -> None:
    cached.load("one", "x = 1")
    plain_file(cached, "one").unlink()
    cached.load("one")

    assert plain_file(cached, "one").exists()


def test_a_changed_file_is_not_taken_from_the_cache(cached: Imports) -> None:
    cached.load("one", "x = 1")

    assert cached.load("one", "x = 2222").x == 2222


@pytest.mark.parametrize("damage", [lambda data: b"", lambda data: data[:50], lambda data: data[:-1], lambda data: data + b"x",
                                    lambda data: bytes(len(data)), lambda data: data[:40] + b"\xff" * (len(data) - 40)])  # fmt: skip
def test_a_damaged_cache_file_is_ignored_and_mended(cached: Imports, damage: Callable[[bytes], bytes]) -> None:
    cached.load("one", "def f(): pass")
    path = cache_file(cached, "one")
    good = path.read_bytes()
    path.write_bytes(damage(good))

    assert is_marked(cached.load("one").f.__code__)
    assert path.read_bytes() == good


def test_other_traps_do_not_share_the_cache(cached: Imports) -> None:
    cached.load("one", "def f(): pass")
    cached.cache = TrapCache(b"others")
    cached.trap = lambda code: code.replace(co_consts=(*code.co_consts, "others"))
    cached.install()

    assert "others" in cached.load("one").__loader__.get_code("one").co_consts + cached.code().co_consts  # type: ignore[union-attr]


def test_the_scope_decides_before_the_cache(cached: Imports) -> None:
    cached.load("one", "def f(): pass")
    cached.scope = Scope(["other"])
    cached.install()

    assert not is_marked(cached.load("one").f.__code__)


def test_no_bytecode_is_written_where_python_writes_none(cached: Imports, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    cached.load("one", "x = 1")

    assert not (cached.directory / "__pycache__").exists()


def test_the_prefix_of_bytecode_files_is_honoured(cached: Imports, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path / "prefix"))

    cached.load("one", "x = 1")

    assert not (cached.directory / "__pycache__").exists()
    assert cache_file(cached, "one").is_relative_to(tmp_path / "prefix")
    assert cache_file(cached, "one").exists()


def test_a_directory_that_cannot_be_written_is_no_reason_to_fail(cached: Imports) -> None:
    (cached.directory / "__pycache__").write_text("a file where the directory should be")

    assert is_marked(cached.load("one", "def f(): pass").f.__code__)
    assert cached.faults == []


def test_a_module_that_was_moved_has_its_new_file_name(cached: Imports, tmp_path: Path) -> None:
    cached.load("one", "def f(): pass")
    moved = tmp_path / "moved"
    cached.directory.rename(moved)
    sys.path.insert(0, str(moved))
    cached.trap = refuse
    cached.install()
    importlib.invalidate_caches()

    assert cached.load("one").f.__code__.co_filename == str(moved / "one.py")


def test_no_temporary_files_stay(cached: Imports) -> None:
    cached.load("one", "x = 1")

    assert len(os.listdir(cached.directory / "__pycache__")) == 2


def test_the_fingerprint_changes_with_the_engine(tmp_path: Path) -> None:
    path = tmp_path / "engine.py"
    path.write_text("one")
    first = engine_fingerprint([str(path)])
    path.write_text("two")

    assert engine_fingerprint([str(path)]) != first
    assert engine_fingerprint() == engine_fingerprint()


# -- imports that fail

FAILING = {
    "syntax": "def f(:\n    pass\n",
    "coding": "# coding: nothing\n",
    "null": "x = '\0'\n",
    "warned": "x = '\\d'\ny = = 1\n",
    "missing": "import not_there_at_all\n",
    "failing": "def f():\n    1 / 0\nf()\n",
    "exits": "raise SystemExit('bye')\n",
    "interrupted": "raise KeyboardInterrupt\n",
    "nested": "import failing\n",
    "directory": None,
}
START = """
    import importlib, sys, warnings
    warnings.simplefilter("always")
    if "--hook" in sys.argv:
        from fixcont.loading.importing import install_hook
        from fixcont.loading.scope import Scope
        install_hook(Scope(), lambda code: code.replace(co_consts=(*code.co_consts, "mark")), lambda *loaded: None)
    if "--by-hand" in sys.argv:
        import importlib.util
        spec = importlib.util.find_spec(sys.argv[1])
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
    elif "--run" in sys.argv:
        import runpy
        runpy.run_module(sys.argv[1])
    else:
        __import__(sys.argv[1])
"""


def outcome(directory: Path, *arguments: str) -> tuple[str, str, int]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    completed = subprocess.run(
        [sys.executable, "start.py", *arguments], cwd=directory, env=environment, capture_output=True, text=True, timeout=60
    )
    return completed.stdout, completed.stderr, completed.returncode


@pytest.mark.parametrize("way", ["--import", "--by-hand", "--run"])
@pytest.mark.parametrize("name", FAILING)
def test_an_import_that_fails_shows_what_python_shows(tmp_path: Path, name: str, way: str) -> None:
    for module, text in FAILING.items():
        if text is not None:
            (tmp_path / f"{module}.py").write_text(text)
    (tmp_path / "directory.py").symlink_to("directory.py")  # a loop: it cannot be read
    (tmp_path / "start.py").write_text(dedent(START))

    plain = outcome(tmp_path, name, way)

    assert outcome(tmp_path, name, way, "--hook") == plain
    assert plain[2] != 0


def test_a_file_that_cannot_be_read_shows_what_python_shows(imports: Imports) -> None:
    import traceback

    shown = []
    path = imports.write("one.py", "x = 1")
    for install in (remove_hook, imports.install):
        install()
        loader = SourceFileLoader("one", str(path.with_name("absent.py")))
        with pytest.raises(FileNotFoundError) as caught:
            loader.exec_module(ModuleType("one"))
        shown.append(traceback.format_tb(caught.tb)[1:])

    assert shown[0] == shown[1]
    assert len(shown[0]) == 3
