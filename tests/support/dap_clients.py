"""Clients of others, found or installed for the tests; where one is not to be had, the test is skipped and says why."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

import pytest

CLIENTS: Final = Path(__file__).resolve().parent.parent / "dap" / "clients"

_INSTALLING: Final = 60.0  # seconds that an install may take
_NEOVIM: Final = "FIXCONT_NVIM_DAP"


def cache_folder() -> Path:
    """Give the folder in which what was installed for the tests is kept."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fixcont-tests"


def program_or_skip(name: str, package: str) -> str:
    """Find a program on the PATH.

    Args:
        package: where it can be had, for who reads why the test was skipped.
    """
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"there is no {name} ({package})")
    return found


def node_modules_or_skip(client: Path) -> Path:
    """Install what the package.json of a client names, once for each version of its lock. Gives its node_modules."""
    npm = program_or_skip("npm", "Node.js has it")
    program_or_skip("node", "Node.js 18 or newer")
    lock = client / "package-lock.json"
    folder = cache_folder() / f"{client.name}-{hashlib.sha256(lock.read_bytes()).hexdigest()[:16]}"
    if not (folder / "node_modules").is_dir():
        _install(npm, client, folder)
    return folder / "node_modules"


def _install(npm: str, client: Path, folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(dir=folder.parent))
    try:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(client / name, made)
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--fetch-retries=0"]
        done = subprocess.run(command, cwd=made, capture_output=True, text=True, timeout=_INSTALLING, check=False)
        if done.returncode:
            pytest.skip(f"npm cannot install the client: {done.stderr.strip()[:500]}")
        with contextlib.suppress(OSError):  # another process was faster
            made.rename(folder)
    except subprocess.TimeoutExpired:
        pytest.skip(f"npm has not installed the client within {_INSTALLING:g} seconds")
    finally:
        shutil.rmtree(made, ignore_errors=True)


def nvim_dap_or_skip() -> Path:
    """Find nvim-dap: where FIXCONT_NVIM_DAP says, or among the plugins of the user's Neovim."""
    named = os.environ.get(_NEOVIM)
    data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "nvim"
    usual = [data / "lazy" / "nvim-dap", *data.glob("site/pack/*/*/nvim-dap"), data / "plugged" / "nvim-dap"]
    for folder in [Path(named)] if named else usual:
        if (folder / "lua" / "dap.lua").is_file():
            return folder
    pytest.skip(
        f"there is no nvim-dap {f'in {named}' if named else f'among the plugins of Neovim; {_NEOVIM} may name its folder'}"
    )
