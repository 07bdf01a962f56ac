"""The stops of the program `depot`, saved by a run of a copy that is gone afterwards."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final, NamedTuple

from support.programs import copy_program
from support.session import child_environment

#: An expression for a lock.
LOCK: Final = '__import__("threading").Lock()'


class Saved(NamedTuple):
    """The stops of a program, and the folder in which it was; that is no longer there."""

    folder: Path
    was: Path

    def stop(self, name: str) -> Path:
        """Give the file of the stop in a function of the main module."""
        return self.folder / f"{name}.stop"


def save_depot(folder: Path, python: str = sys.executable) -> Saved:
    """Run the program in a folder of its own, and have its stops saved.

    Args:
        python: that runs it.
    """
    was = copy_program("depot", folder / "elsewhere").folder
    saved = subprocess.run(
        [python, "main.py", str(folder)],
        cwd=was,
        env=child_environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert saved.returncode == 0, saved.stderr
    shutil.rmtree(was)
    return Saved(folder, was)
