"""Making fixcont active in a run of pytest."""

from __future__ import annotations

import sys
from typing import Any, Final

import pytest

from fixcont import set_trace
from fixcont.errors import Refused
from fixcont.session import Session
from fixcont_ui.pytest_plugin.front_end import TestFrontEnd
from fixcont_ui.pytest_plugin.modules import trap_rewritten_modules
from fixcont_ui.pytest_plugin.repairs import Repairs
from fixcont_ui.pytest_plugin.running import Running
from fixcont_ui.pytest_plugin.telling import Telling
from fixcont_ui.pytest_plugin.terminal import TestTerminal

#: With these tests and plug-ins talk to themselves. The names are those that the classes give themselves, which need not be where they are.
_OUTCOMES: Final = (pytest.skip.Exception, pytest.xfail.Exception, pytest.exit.Exception)
_IGNORED: Final = ("hypothesis.errors.UnsatisfiedAssumption", "hypothesis.errors.StopTest")


def activate(config: pytest.Config) -> None:
    """Let failing tests stop in this process, and modules in the user's scope get traps, those with rewritten asserts too.

    Called before the first conftest is loaded. Ends with `pytest_unconfigure`.

    Raises:
        pytest.UsageError: this version of pytest loads test modules in a way that is not known, or fixcont is active already.
    """
    _keep_from_rewriting(config)
    repairs = Repairs(config)
    terminal = TestTerminal(repairs)
    ignored = [*(f"{kind.__module__}.{kind.__qualname__}" for kind in _OUTCOMES), *_IGNORED]
    session = terminal.session = repairs.session = Session(TestFrontEnd(repairs, terminal), ignore=ignored)
    try:
        session.install(loaded=True)
    except Refused as refused:
        raise pytest.UsageError(f"--fixcont: {refused}") from None
    undo = trap_rewritten_modules(session, config)
    for plugin in (_Activity(session, undo), Running(repairs), Telling(repairs)):
        config.pluginmanager.register(plugin, f"fixcont-{type(plugin).__name__.strip('_').lower()}")


def _keep_from_rewriting(config: pytest.Config) -> None:
    """Let pytest not rewrite the asserts of fixcont's own modules, which it does with those of every installed plug-in."""
    hook: Any = config.pluginmanager.rewrite_hook
    marked = getattr(hook, "_must_rewrite", None)
    if isinstance(marked, set):
        marked -= {"fixcont", "fixcont_ui"}
    known = getattr(hook, "_marked_for_rewrite_cache", None)
    if isinstance(known, dict):
        known.clear()


class _Activity:
    """Begins with the configuration and ends with it."""

    def __init__(self, session: Session, undo: Any) -> None:
        self._session = session
        self._undo = undo
        self._hook_before: Any = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_cmdline_main(self, config: pytest.Config) -> None:
        if is_distributed(config):
            raise pytest.UsageError(
                "--fixcont cannot be used with pytest-xdist: its workers have no terminal where a stop could be answered; "
                "give -n 0, or -p no:xdist"
            )

    def pytest_configure(self) -> None:
        if sys.breakpointhook is sys.__breakpointhook__:
            self._hook_before = sys.breakpointhook
            sys.breakpointhook = _breakpoint

    def pytest_unconfigure(self) -> None:
        if self._hook_before is not None:
            sys.breakpointhook = self._hook_before
        self._undo()
        self._session.uninstall()


def is_distributed(config: pytest.Config) -> bool:
    """Tell whether tests are to run in other processes than this one."""
    options = config.option
    processes = getattr(options, "numprocesses", None)
    return bool(processes) or (
        processes is None and (bool(getattr(options, "tx", None)) or getattr(options, "dist", "no") != "no")
    )


def _breakpoint(*args: Any, **keywords: Any) -> Any:
    import os

    if os.environ.get("PYTHONBREAKPOINT"):
        return sys.__breakpointhook__(*args, **keywords)
    return set_trace(*args, **keywords)
