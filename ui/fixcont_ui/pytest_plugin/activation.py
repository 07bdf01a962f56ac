"""Making fixcont active in a run of pytest: by its options, or where an IDE debugs the process that runs it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from types import FrameType
from typing import TYPE_CHECKING, Any

import pytest

from fixcont import set_trace
from fixcont.errors import Refused
from fixcont.session import Session, active
from fixcont.stopping.stop import FrontEnd
from fixcont_ui.pytest_plugin.distributed.connection import VARIABLE
from fixcont_ui.pytest_plugin.expected import OUTCOMES
from fixcont_ui.pytest_plugin.front_end import TestFrontEnd
from fixcont_ui.pytest_plugin.modules import trap_rewritten_modules
from fixcont_ui.pytest_plugin.repairs import Repairs
from fixcont_ui.pytest_plugin.running import Running
from fixcont_ui.pytest_plugin.telling import Telling

if TYPE_CHECKING:
    from fixcont_ui.pytest_plugin.distributed.worker import Reporting


def activate(config: pytest.Config, *, is_debugged: bool) -> None:
    """Let failing tests stop in this process, and modules in the user's scope get traps, those with rewritten asserts too.

    Called before the first conftest is loaded. Ends with `pytest_unconfigure`.

    Args:
        is_debugged: whether an IDE debugs this process already.

    Raises:
        pytest.UsageError: this version of pytest loads test modules in a way that is not known, the options make no sense, or fixcont is
            active already.
    """
    address, is_worker = os.environ.pop(VARIABLE, ""), _is_worker()
    if is_worker and not address:
        return  # its controller is on another machine
    _check(config, is_debugged=is_debugged, is_worker=is_worker)
    if not is_worker and is_distributed(config):
        _control(config, is_debugged=is_debugged)
        return
    _keep_from_rewriting(config)
    repairs = Repairs(config)
    reporting = None
    try:
        if is_worker:
            reporting = _work(repairs, address)
        end = _join(repairs) if is_debugged else repairs.session.uninstall if is_worker else _begin(repairs)
    except Refused as refused:
        raise pytest.UsageError(f"--fixcont: {refused}") from None
    undo = trap_rewritten_modules(repairs.session, config)
    plugins = [_Activity(lambda: (undo(), end())), Running(repairs, reporting)]
    if reporting is None:
        plugins.append(Telling(config, repairs))
    _register(config, plugins)


def _register(config: pytest.Config, plugins: Iterable[object]) -> None:
    for plugin in plugins:
        config.pluginmanager.register(plugin, f"fixcont-{type(plugin).__name__.strip('_').lower()}")


def _control(config: pytest.Config, *, is_debugged: bool) -> None:
    """Serve the stops of other processes, in which the tests run; in this one nothing stops."""
    if is_debugged:
        with Repairs(config).uncaptured():
            print("fixcont: the tests run in other processes, which are not debugged; give -n 0", file=sys.stderr)
        return
    from fixcont_ui.pytest_plugin.distributed.controller import Controlling

    controlling = Controlling(config)
    _register(config, (controlling, Telling(config, controlling)))


def _work(repairs: Repairs, address: str) -> Reporting:
    """Have the controller show failures of this worker's tests."""
    from fixcont_ui.pytest_plugin.distributed.worker import Controller, Reporting, TestsAtController

    controller = Controller(address, os.environ.get("PYTEST_XDIST_WORKER", "?"))
    shows = TestsAtController(controller, repairs)
    shows.session = _make(repairs, shows)
    shows.session.install(loaded=True)
    controller.connect()
    return Reporting(controller, repairs)


def _is_worker() -> bool:
    """Tell whether this is a worker of pytest-xdist: that has pytest run by what it was sent. Variables are inherited by other runs."""
    frame: FrameType | None = sys._getframe()
    while frame is not None and frame.f_globals.get("__name__") != "__channelexec__":
        frame = frame.f_back
    return frame is not None


def _check(config: pytest.Config, *, is_debugged: bool, is_worker: bool) -> None:
    options = config.known_args_namespace
    if options.fixcont_wait_for_client and not options.fixcont_listen:
        raise pytest.UsageError("--fixcont-wait-for-client needs --fixcont-listen")
    if options.fixcont_listen and options.fixcont_window:
        raise pytest.UsageError("--fixcont-listen and --fixcont-window exclude each other: stops are shown in one place")
    if (options.fixcont_listen or options.fixcont_window) and is_distributed(config) and not is_worker:
        instead = "give -n 0, or --fixcont, which shows them at the prompt"
        name, what = ("listen", "an IDE") if options.fixcont_listen else ("window", "the window")
        raise pytest.UsageError(f"--fixcont-{name}: {what} cannot show stops of pytest-xdist's workers; {instead}")
    if options.fixcont_listen and is_debugged:
        raise pytest.UsageError("--fixcont-listen: an IDE debugs this process already")


def _begin(repairs: Repairs) -> Callable[[], object]:
    """Make a session. Returns what ends it."""
    options = repairs.config.known_args_namespace
    if options.fixcont_listen:
        from fixcont_ui.dap.starting import listen_for

        with repairs.uncaptured():
            listen_for(
                lambda shows: _make(repairs, shows),
                options.fixcont_listen,
                waits=options.fixcont_wait_for_client,
                name="pytest",
                loaded=True,
            )
    else:
        from fixcont_ui.pytest_plugin.terminal import TestTerminal

        terminal = TestTerminal(repairs)
        terminal.session = _make(repairs, terminal)
        terminal.session.install(loaded=True)
    return repairs.session.uninstall


def _make(repairs: Repairs, shows: FrontEnd) -> Session:
    repairs.front_end = TestFrontEnd(repairs, shows)
    repairs.session = Session(repairs.front_end, ignore=OUTCOMES)
    return repairs.session


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

    def __init__(self, end: Callable[[], object]) -> None:
        self._end = end
        self._hook_before: Any = None

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
    options = config.known_args_namespace
    processes = getattr(options, "numprocesses", None)
    if getattr(options, "usepdb", False):  # pytest-xdist leaves it then
        return False
    return bool(processes) or (
        processes is None and (bool(getattr(options, "tx", None)) or getattr(options, "dist", "no") != "no")
    )


def _breakpoint(*args: Any, **keywords: Any) -> Any:
    if os.environ.get("PYTHONBREAKPOINT"):
        return sys.__breakpointhook__(*args, **keywords)
    return set_trace(*args, **keywords)
