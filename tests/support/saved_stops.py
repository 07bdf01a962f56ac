"""Stops that programs leave behind in files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from support.programs import Program
from support.session import child_environment


def save_stop(program: Program, path: Path, *options: str, python: str = sys.executable) -> Path:
    """Run a program that fails, and have its stop saved.

    Args:
        path: of the file of the stop.
        options: besides, for the command that runs it.
        python: that runs it.

    Returns:
        The path.
    """
    command = [python, "-m", "fixcont", "--save-stop", str(path), *options, str(program.path)]
    ended = subprocess.run(
        command, env=child_environment(), cwd=program.folder, capture_output=True, text=True, check=False, timeout=120
    )
    assert ended.returncode == 1 and path.exists(), ended.stderr
    return path
