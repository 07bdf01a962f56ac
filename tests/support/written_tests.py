"""Test files that the program has written, run as their user would."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from support.session import child_environment


def run_tests(file: Path) -> subprocess.CompletedProcess[str]:
    """Run pytest on a file, without the test suite's own path."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=line", str(file)]
    variables = child_environment({"PYTHONDONTWRITEBYTECODE": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"})
    return subprocess.run(command, cwd=file.parent, env=variables, capture_output=True, text=True, check=False, timeout=60)
