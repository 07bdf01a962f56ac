"""The folder for what outlives a run: the history of the prompt, and texts that could not be saved where they belong."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping


def state_folder(environment: Mapping[str, str] = os.environ) -> str:
    """Give $XDG_STATE_HOME/fixcont, or ~/.local/state/fixcont. It need not exist."""
    home = environment.get("XDG_STATE_HOME", "")
    if not os.path.isabs(home):
        home = os.path.join(os.path.expanduser("~"), ".local", "state")
    return os.path.join(home, "fixcont")


def keep_text(name: str, text: str) -> str | None:
    """Write a text that would be lost to a file of its own. Returns its path, or None where none can be written.

    Args:
        name: how the file's name begins.
    """
    for folder in (os.path.join(state_folder(), "unsaved"), tempfile.gettempdir()):
        try:
            os.makedirs(folder, mode=0o700, exist_ok=True)
            descriptor, path = tempfile.mkstemp(prefix=f"{name}-", suffix=".py", dir=folder)
            with open(descriptor, "w", encoding="utf-8", errors="surrogateescape") as stream:
                stream.write(text)
        except OSError:
            continue
        return path
    return None
