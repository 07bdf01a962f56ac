"""Making fixcont active in a run of pytest: by its options, or where an IDE debugs the process that runs it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

from fixcont import set_trace
from fixcont.errors import Refused
from fixcont.session import Session, active
from fixcont.stopping.stop import FrontEnd
from fixcont_ui.pytest_plugin.expected import OUTCOMES
from fixcont_ui.pytest_plugin.front_end import TestFrontEnd
from fixcont_ui.pytest_plugin.modules import trap_rewritten_modules
from fixcont_ui.pytest_plugin.repairs import Repairs
from fixcont_ui.pytest_plugin.running import Running
from fixcont_ui.pytest_plugin.telling import Telling


def activate(config: pytest.Config, *, is_debugged: bool) -> None:
    """Let failing tests stop in this process, and modules in the user's scope get traps, those with rewritten asserts too.

    Called before the first conftest is loaded. Ends with `pytest_unconfigure`.

    Args:
        is_debugged: whether an IDE debugs this process already.

    Raises:
        pytest.UsageError: this version of pytest loads test modules in a way that is not known, the options make no sense, or fixcont is
            active already.
    """
    _check(config, is_debugged=is_debugged)
    _keep_from_rewriting(config)
    repairs = Repairs(config)
    try:
        end = _join(repairs) if is_debugged else _begin(repairs)
    except Refused as refused:
        raise pytest.UsageError(f"--fixcont: {refused}") from None
    undo = trap_rewritten_modules(repairs.session, config)
    activity = _Activity(repairs, lambda: (undo(), end()), is_asked_for=not is_debugged)
    for plugin in (activity, Running(repairs), Telling(repairs)):
        config.pluginmanager.register(plugin, f"fixcont-{type(plugin).__name__.strip('_').lower()}")


def _check(config: pytest.Config, *, is_debugged: bool) -> None:
    options = config.known_args_namespace
    if options.fixcont_wait_for_client and not options.fixcont_listen:
        raise pytest.UsageError("--fixcont-wait-for-client needs --fixcont-listen")
    if options.fixcont_listen and options.fixcont_window:
        raise pytest.UsageError("--fixcont-listen and --fixcont-window exclude each other: stops are shown in one place")
    if options.fixcont_listen and is_debugged:
        raise pytest.UsageError("--fixcont-listen: an IDE debugs this process already")


def _begin(repairs: Repairs) -> Callable[[], object]:
    """Make a session. Returns what ends it."""
    options = repairs.config.known_args_namespace

    def make(shows: FrontEnd) -> Session:
        repairs.front_end = TestFrontEnd(repairs, shows)
        repairs.session = Session(repairs.front_end, ignore=OUTCOMES)
        return repairs.session

    if options.fixcont_listen:
        from fixcont_ui.dap.starting import listen_for

        with repairs.uncaptured():
            listen_for(make, options.fixcont_listen, waits=options.fixcont_wait_for_client, name="pytest", loaded=True)
    else:
        from fixcont_ui.pytest_plugin.terminal import TestTerminal

        terminal = TestTerminal(repairs)
        terminal.session = make(terminal)
        terminal.session.install(loaded=True)
    return repairs.session.uninstall


def _join(repairs: Repairs) -> Callable[[], object]:
    """Have the session that there is show failures of tests. Returns what takes that back."""
    session = active()
    assert session is not None
    before = session.front_end
    repairs.session = session
    session.front_end = repairs.front_end = TestFrontEnd(repairs, before)

    def end() -> None:
        session.front_end = before

    return end


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

    def __init__(self, repairs: Repairs, end: Callable[[], object], *, is_asked_for: bool) -> None:
        self._repairs = repairs
        self._end = end
        self._is_asked_for = is_asked_for
        self._hook_before: Any = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_cmdline_main(self, config: pytest.Config) -> None:
        if not is_distributed(config):
            return
        if not self._is_asked_for:
            with self._repairs.uncaptured():
                print("fixcont: the tests run in other processes, which are not debugged; give -n 0", file=sys.stderr)
        elif config.option.fixcont_listen:
            raise pytest.UsageError(
                "--fixcont-listen cannot be used with pytest-xdist: an IDE debugs one process; give -n 0, or --fixcont for the prompt"
            )
        else:
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
        self._end()


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
