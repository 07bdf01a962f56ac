"""`fixcont.install` into a running process, and `uninstall`: everything as before."""

from __future__ import annotations

import builtins
import importlib
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

import fixcont
from fixcont.bytecode.original import is_trapped
from fixcont.bytecode.stubs import HOOK_NAME
from fixcont.errors import Refused
from fixcont.session import Session, active
from support.front_end import ScriptedFrontEnd, attempt, give_back, propagate, restart

MODULE = """
class Thing:
    def method(self): raise ValueError("method")
    @property
    def attribute(self): raise ValueError("property")
def fail(): raise ValueError("fail")
def outer(callback): return callback()
def numbers():
    yield 1
    raise ValueError("generator")
closure = (lambda value: lambda: value / 0)(1)
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "loaded_before.py").write_text(MODULE)
    (tmp_path / "loaded_after.py").write_text(MODULE)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    importlib.invalidate_caches()
    yield importlib.import_module("loaded_before")
    fixcont.uninstall()
    for name in ("loaded_before", "loaded_after"):
        sys.modules.pop(name, None)


def install(front_end: ScriptedFrontEnd, module: Any, **options: Any) -> None:
    fixcont.install(front_end=front_end, scope=(str(Path(module.__file__).parent),), **options)


def state_of_the_process() -> dict[str, object]:
    return {
        "builtins": sorted(vars(builtins)),
        "meta path": list(sys.meta_path),
        "path hooks": list(sys.path_hooks),
        "signal": signal.getsignal(signal.SIGINT),
        "trace": sys.gettrace(),
        "profile": sys.getprofile(),
        "excepthook": sys.excepthook,
        "unraisablehook": sys.unraisablehook,
        "import": builtins.__import__,
        "recursion": sys.getrecursionlimit(),
    }


def test_functions_that_are_loaded_get_traps_and_lose_them(module: Any) -> None:
    codes = {name: value.__code__ for name, value in vars(module).items() if hasattr(value, "__code__")}
    method = module.Thing.method.__code__
    before = state_of_the_process()
    front_end = ScriptedFrontEnd([give_back(5)] * 4, module.__file__)
    install(front_end, module)
    assert active() is not None
    assert all(is_trapped(getattr(module, name).__code__) for name in codes)
    assert [module.fail(), module.Thing().method(), module.Thing().attribute, module.closure()] == [5, 5, 5, 5]

    fixcont.uninstall()
    assert active() is None
    assert state_of_the_process() == before
    assert {name: getattr(module, name).__code__ for name in codes} == codes
    assert module.Thing.method.__code__ == method
    assert isinstance(attempt(module.fail).error, ValueError)
    assert len(front_end.saw) == 4


def test_modules_that_are_imported_later_get_traps_until_it_is_uninstalled(module: Any) -> None:
    front_end = ScriptedFrontEnd([give_back(5)], module.__file__)
    install(front_end, module)
    later = importlib.import_module("loaded_after")
    assert is_trapped(later.fail.__code__)
    assert later.fail() == 5
    fixcont.uninstall()
    assert not is_trapped(later.fail.__code__)
    del sys.modules["loaded_after"]
    assert not is_trapped(importlib.import_module("loaded_after").fail.__code__)


def test_running_generators_keep_the_code_that_they_have(module: Any) -> None:
    front_end = ScriptedFrontEnd([give_back("end")], module.__file__)
    early = module.numbers()
    next(early)
    install(front_end, module)
    assert isinstance(attempt(next, early).error, ValueError)
    assert front_end.saw == []
    late = module.numbers()
    next(late)
    fixcont.uninstall()
    assert isinstance(attempt(next, late).error, ValueError), "its traps do nothing any more"
    assert front_end.saw == []


def test_uninstalling_at_a_stop_leaves_the_frames_alone(module: Any) -> None:
    def leave(stop: Any) -> Any:
        fixcont.uninstall()
        return propagate(stop)

    front_end = ScriptedFrontEnd([leave], module.__file__)
    install(front_end, module)
    assert isinstance(attempt(module.outer, module.fail).error, ValueError)
    assert len(front_end.saw) == 1
    assert HOOK_NAME not in vars(builtins)


def test_installing_again_after_uninstalling(module: Any) -> None:
    for _ in range(3):
        front_end = ScriptedFrontEnd([restart(), give_back(5)], module.__file__)
        install(front_end, module)
        assert module.fail() == 5
        assert len(front_end.saw) == 2
        fixcont.uninstall()


def test_installing_twice_changes_nothing_and_two_sessions_are_refused(module: Any) -> None:
    front_end = ScriptedFrontEnd([], module.__file__)
    install(front_end, module)
    session = active()
    fixcont.install(front_end=front_end)
    assert active() is session
    with pytest.raises(Refused):
        Session(front_end).install()


def test_uninstalling_without_an_installation_does_nothing() -> None:
    before = state_of_the_process()
    fixcont.uninstall()
    assert state_of_the_process() == before


def test_a_mode_that_there_is_not_is_refused() -> None:
    before = state_of_the_process()
    with pytest.raises(Refused):
        fixcont.install(stop="sometimes", front_end=ScriptedFrontEnd([], ""))
    assert state_of_the_process() == before


def test_what_an_install_evaluates_does_not_stop(live: Any) -> None:
    """It is refused; a stop in the middle of an install would be answered by nobody. Without an answer, a stop fails the test."""
    loaded = live("class A:\n    x = 1\n\ndef f():\n    return 1\n")
    loaded.program.path.write_text("class A:\n    x = 1 / 0\n\ndef f():\n    return 2\n")
    result = loaded.session.sources.install_changes()
    assert result.refusal is not None and result.refusal.code == "definition-failed"
    assert loaded.call("f") == 1 and loaded.front_end.saw == []
