"""Traps for modules whose asserts pytest rewrites: its loader makes their code, and executes it, by itself.

`AssertionRewritingHook.exec_module` gets the code from a cache of its own, or rewrites the file and fills the cache, by three functions of its
module. Exchanging these changes what it executes without a frame of ours in the tracebacks of modules that fail, and leaves its cache as
it is: the code that is written there is the plain one. Texts of these files that an edit compiles are rewritten by the same class of pytest.
"""

from __future__ import annotations

import ast
import os
import sys
import threading
from collections.abc import Callable
from types import CodeType
from typing import Any, Final

import pytest

from fixcont.editing.rewriting import is_rewritten, rewrite_with
from fixcont.session import Session

_NAMES: Final = ("_read_pyc", "_rewrite_test", "_write_pyc")
_OPT_OUT: Final = "PYTEST_DONT_REWRITE"


def trap_rewritten_modules(session: Session, config: pytest.Config) -> Callable[[], None]:
    """Give modules that are loaded with rewritten asserts traps, and have their edits rewritten.

    Returns:
        What takes that back. Modules that were loaded keep their traps.

    Raises:
        pytest.UsageError: this pytest does not have the functions that are exchanged.
    """
    from _pytest.assertion import rewrite

    module: Any = rewrite
    before = {name: getattr(module, name, None) for name in _NAMES}
    if None in before.values() or not hasattr(module, "AssertionRewriter"):
        raise pytest.UsageError(f"--fixcont does not know how pytest {pytest.__version__} loads test modules")
    loading = _Loading(session, config, before)
    for name in _NAMES:
        setattr(module, name, getattr(loading, name.strip("_")))

    def undo() -> None:
        for name, function in before.items():
            setattr(module, name, function)

    return undo


class _Loading:
    """What stands in the place of pytest's functions."""

    def __init__(self, session: Session, config: pytest.Config, plain: dict[str, Any]) -> None:
        self._session = session
        self._config = config
        self._plain = plain
        self._last = threading.local()  # `codes`: the trapped code that was made last, and the code without traps

    def read_pyc(self, path: Any, *args: Any, **keywords: Any) -> CodeType | None:
        code: CodeType | None = self._plain["_read_pyc"](path, *args, **keywords)
        return None if code is None else self._trapped(os.fspath(path), code)

    def rewrite_test(self, path: Any, *args: Any, **keywords: Any) -> Any:
        *facts, code = self._plain["_rewrite_test"](path, *args, **keywords)
        trapped = self._trapped(os.fspath(path), code)
        self._last.codes = trapped, code
        return (*facts, trapped)

    def write_pyc(self, state: Any, code: CodeType, *args: Any, **keywords: Any) -> Any:
        trapped, plain = getattr(self._last, "codes", (None, None))
        self._last.codes = None, None
        return self._plain["_write_pyc"](state, plain if trapped is code else code, *args, **keywords)

    def _trapped(self, filename: str, code: CodeType) -> CodeType:
        if not self._session.scope.is_user(code.co_filename):
            return code
        try:
            with open(filename, "rb") as stream:
                source = stream.read()
            rewrite_with(code.co_filename, _rewriting_like(filename, self._config))
            trapped = self._session.prepare(code, code.co_filename)
            self._session.on_loaded(code.co_filename, source, trapped)
        except Exception as fault:
            self._session.front_end.report(f"{filename} runs without traps: {type(fault).__name__}: {fault}")
            return code
        return trapped


def compile_rewritten_modules_alike() -> None:
    """Have edits of modules rewritten that pytest has loaded with rewritten asserts before fixcont was active, or without its knowing.

    These have no traps of `trap_rewritten_modules`; those that their functions have got since are no matter here.
    """
    from _pytest.assertion.rewrite import AssertionRewritingHook

    for module in list(sys.modules.values()):
        specification = getattr(module, "__spec__", None)
        loader, origin = getattr(specification, "loader", None), getattr(specification, "origin", None)
        if isinstance(loader, AssertionRewritingHook) and isinstance(origin, str) and not is_rewritten(origin):
            rewrite_with(origin, _rewriting_like(origin, loader.config))


def _rewriting_like(filename: str, config: pytest.Config) -> Callable[[ast.Module, bytes], None]:
    def rewrite(tree: ast.Module, source: bytes) -> None:
        from _pytest.assertion.rewrite import rewrite_asserts

        if _OPT_OUT.encode() not in source or _OPT_OUT not in (ast.get_docstring(ast.parse(source)) or ""):
            rewrite_asserts(tree, source, filename, config)

    return rewrite
