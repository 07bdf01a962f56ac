"""A folder with modules that are loaded through `Sources`, edited, and installed, without any stop."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from types import CodeType, ModuleType

from fixcont.editing.result import InstallResult, InstallStatus
from fixcont.editing.sources import Sources

EDITS = Path(__file__).resolve().parent.parent / "edits"


class Project:
    """A folder with modules that are loaded through `sources`, and edited."""

    def __init__(self, folder: Path, trap: Callable[[CodeType], CodeType], untrapped: Callable[[CodeType], CodeType]) -> None:
        self.folder = folder
        self.trap = trap
        self.untrapped = untrapped
        self.sources = Sources(trap, untrapped, lambda filename: filename.startswith(str(folder)))
        self.loaded: list[str] = []

    def path(self, name: str) -> Path:
        return self.folder / f"{name}.py"

    def load(self, name: str, text: str | None = None, as_name: str | None = None, *, remember: bool = True) -> ModuleType:
        path = self.path(name)
        if text is not None:
            self.write(name, text)
        module_name = as_name or name
        module = ModuleType(module_name)
        module.__file__ = str(path)
        code: CodeType = compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
        if remember:
            self.sources.remember(str(path), path.read_bytes(), module_name)
        sys.modules[module_name] = module
        self.loaded.append(module_name)
        exec(self.trap(code), module.__dict__)
        return module

    def write(self, name: str, text: str) -> None:
        self.path(name).write_text(textwrap.dedent(text))

    def replace(self, name: str, old: str, new: str) -> None:
        text = self.path(name).read_text()
        assert old in text
        self.path(name).write_text(text.replace(old, new))

    def install(self) -> InstallResult:
        return self.sources.install_changes()

    def edit(self, name: str, text: str) -> InstallResult:
        self.write(name, text)
        return self.install()

    def load_case(self, case: str) -> ModuleType:
        return self.load(case, (EDITS / case / "before.py").read_text())

    def edit_case(self, case: str, version: str = "after") -> InstallResult:
        return self.edit(case, (EDITS / case / f"{version}.py").read_text())

    def close(self) -> None:
        """Take the modules out of the process."""
        for name in self.loaded:
            sys.modules.pop(name, None)


def names(result: InstallResult) -> dict[str, int]:
    """Return what was installed: qualified name -> version."""
    assert result.status is InstallStatus.INSTALLED, result
    return {each.qualname: each.version for each in result.installed}


def codes(result: InstallResult) -> list[str]:
    """Return the codes of the warnings of an install."""
    return [warning.code for warning in result.warnings]


def refusal(result: InstallResult) -> tuple[str, str]:
    """Return the code and the sentence of the refusal of an install."""
    assert result.status is InstallStatus.REFUSED and result.refusal is not None, result
    return result.refusal.code, result.refusal.sentence


def unrun(result: InstallResult) -> list[tuple[int, str]]:
    """Return the statements that an install has not run: line and text."""
    return [(each.line, each.text) for each in result.unrun]
