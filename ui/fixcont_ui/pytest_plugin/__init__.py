"""`pytest --fixcont`: a failing test stops before anything unwinds. This module registers the options; nothing else is imported without them.

PYTEST_DONT_REWRITE: pytest would rewrite the modules of all plug-ins.
"""

from __future__ import annotations

import sys

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("fixcont", "repair failing tests while they run")
    group.addoption(
        "--fixcont",
        action="store_true",
        help="stop where a test fails, before anything unwinds, at a prompt where the failing function or the test can be fixed",
    )
    group.addoption("--fixcont-window", action="store_true", help="the same, with a window in place of the prompt")
    group.addoption(
        "--fixcont-listen",
        metavar="[HOST:]PORT",
        default="",
        help="the same, with an IDE that connects to the port, by the Debug Adapter Protocol, in place of the prompt",
    )
    group.addoption(
        "--fixcont-wait-for-client", action="store_true", help="do not start before an IDE has connected and set its breakpoints"
    )
    group.addoption(
        "--no-refixture",
        action="store_true",
        help="restartframe on a test function keeps its function-scoped fixtures as they are; else they are set up again",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    options = early_config.known_args_namespace
    is_debugged = _is_debugged()
    if is_debugged or options.fixcont or options.fixcont_window or options.fixcont_listen or options.fixcont_wait_for_client:
        from fixcont_ui.pytest_plugin.activation import activate

        activate(early_config, is_debugged=is_debugged)


def _is_debugged() -> bool:
    """Tell whether an IDE debugs this process, without importing anything for it."""
    sessions = sys.modules.get("fixcont.session")
    session = sessions.active() if sessions is not None else None
    return session is not None and type(session.front_end).__module__ == "fixcont_ui.dap.debuggee"
