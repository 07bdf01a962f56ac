"""Every benchmark gives figures. How good they are depends on the machine and is not tested."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from support.session import child_environment

ROOT = Path(__file__).resolve().parent.parent.parent
NAMES = [
    "happy_path", "instruction_counts", "raised_and_caught", "loading", "start_up", "save_to_restarted", "save_to_installed", "resume_after_edit", "ten_thousand_restarts",
    "breakpoints", "pdb_breakpoints", "framing", "debug_adapter", "saved_stops",
]  # fmt: skip


def run(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "tests" / "benchmarks" / "run.py"), *words]
    return subprocess.run(command, env=child_environment(), capture_output=True, text=True, check=False, timeout=300)


@pytest.mark.parametrize("name", NAMES)
def test_gives_figures(name: str) -> None:
    done = run("--smoke", "--json", name)
    assert done.returncode == 0, done.stderr
    figures = [json.loads(line) for line in done.stdout.splitlines()]
    if figures and "skipped" in figures[0]:
        pytest.skip(figures[0]["skipped"])
    assert figures
    for figure in figures:
        assert isinstance(figure["value"], (int, float)), figure


def test_an_unknown_name_is_an_error() -> None:
    done = run("nothing_of_the_kind")
    assert done.returncode == 2
    assert "happy_path" in done.stderr
