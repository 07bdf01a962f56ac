"""Clients of others, found or installed for the tests; where one is not to be had, the test is skipped and says why."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from support.programs import Program
from support.session import DEADLINE, child_environment

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


def code_in_documentation(language: str) -> str:
    """Give the code for a client that docs/ide.md tells its users to copy."""
    text = (CLIENTS.parent.parent.parent / "docs" / "ide.md").read_text(encoding="utf-8")
    found = re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert found, f"there is no {language} in docs/ide.md"
    return "\n".join(found)


class Neovim:
    """Neovim with nvim-dap, as docs/ide.md says how it is set up, without a screen.

    Args:
        folder: where its files go.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._nvim = program_or_skip("nvim", "Debian's package neovim")
        self._plugin = nvim_dap_or_skip()
        (folder / "init.lua").write_text(code_in_documentation("lua"), encoding="utf-8")

    def tour(self, name: str, program: Program, port: int = 0) -> Seen:
        """Let clients/neovim/tour.lua debug a program, which listens at the port where one is given. Gives what its user has seen."""
        seen = self._folder / "seen.json"
        environment = child_environment({
            "FIXCONT_PYTHON": sys.executable,
            "FIXCONT_TEST_DEADLINE": str(DEADLINE),
            "FIXCONT_TOUR": name,
            "FIXCONT_TOUR_PORT": str(port),
            "FIXCONT_TOUR_PROGRAM": str(program.path),
            "FIXCONT_TOUR_SEEN": str(seen),
            **{f"XDG_{kind}_HOME": str(self._folder) for kind in ("CACHE", "CONFIG", "DATA", "STATE")},
        })  # fmt: skip
        command = [
            self._nvim, "--headless", "-u", "NONE", "-i", "NONE", "-n", "--cmd", f"set rtp^={self._plugin}",
            "--cmd", "runtime! plugin/dap.*", "-S", str(self._folder / "init.lua"), "-S", str(CLIENTS / "neovim" / "tour.lua"),
        ]  # fmt: skip
        done = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=4 * DEADLINE, check=False
        )
        assert seen.exists(), done.stdout + done.stderr
        shown = json.loads(seen.read_text(encoding="utf-8"))
        assert not done.returncode and not shown.get("problem"), json.dumps(shown, indent=1) + done.stderr
        return Seen(shown)


class Seen:
    """What a user of a client has seen.

    Attributes:
        stops: of the program, each with what the client has made of it.
        console: the lines of the debug console.
        notes: what the client has told beside it.
        replies: answers to requests that were made by hand.
    """

    def __init__(self, shown: Mapping[str, Any]) -> None:
        self.stops: list[dict[str, Any]] = shown["stops"]
        self.console: list[str] = shown["console"]
        self.notes: list[str] = [each["message"] for each in shown["notes"]]
        self.replies: Mapping[str, Any] = shown["replies"]
        self._events: list[dict[str, Any]] = shown["events"]

    @property
    def reasons(self) -> list[str]:
        """Why the program stopped, each time."""
        return [each["reason"] for each in self.stops]

    def bodies(self, event: str) -> list[dict[str, Any]]:
        """Give the bodies of the events of this name."""
        return [each.get("body") or {} for each in self._events if each["name"] == event]


def emacs_tour_or_skip(folder: Path, program: Program) -> str:
    """Let clients/emacs/tour.el debug a program, in Emacs with dap-mode as docs/ide.md sets it up, without a screen.

    Returns:
        What its user has seen.
    """
    emacs = program_or_skip("emacs", "Debian's packages emacs-nox and elpa-dap-mode")
    packages = next(Path("/usr/share/emacs/site-lisp/elpa").glob("dap-mode-*"), None)
    if packages is None:
        pytest.skip("there is no dap-mode (Debian's package elpa-dap-mode)")
    (folder / "init.el").write_text(code_in_documentation("elisp"), encoding="utf-8")
    python = folder / "bin" / "python3"
    python.parent.mkdir()
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    environment = child_environment({
        "HOME": str(folder),
        "PATH": f"{python.parent}:{os.environ['PATH']}",
        "FIXCONT_TEST_DEADLINE": str(DEADLINE),
        "FIXCONT_TOUR_PROGRAM": str(program.path),
    })  # fmt: skip
    begin = f'(progn (setq package-directory-list (list "{packages.parent}")) (package-initialize))'
    command = [
        emacs, "-Q", "--batch", "--eval", begin, "-l", str(folder / "init.el"), "-l", str(CLIENTS / "emacs" / "tour.el"),
    ]  # fmt: skip
    done = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=4 * DEADLINE, check=False
    )
    assert not done.returncode, done.stdout + done.stderr
    return done.stderr
