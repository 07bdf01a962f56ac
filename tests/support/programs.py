"""Programs of tests/programs as files that a test may edit."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = Path(__file__).resolve().parent.parent / "programs"
DEMOS = Path(__file__).resolve().parent.parent.parent / "demos"

_LABEL = re.compile(r"#\s*@(\w+)")


@dataclass(frozen=True)
class Program:
    """A program in a folder of its own, with whatever files it came with.

    Attributes:
        path: the file to run or to edit.
    """

    path: Path

    @property
    def folder(self) -> Path:
        return self.path.parent

    @property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    def line(self, label: str) -> int:
        """Give the number, from 1, of the line that carries `# @label`; it must stand in the file exactly once."""
        numbers = [number for number, line in enumerate(self.text.splitlines(), 1) if label in _LABEL.findall(line)]
        assert len(numbers) == 1, f"label @{label} stands {len(numbers)} times in {self.path}"
        return numbers[0]

    def edit(self, replace: Mapping[str, str]) -> None:
        """Save the file with each key of `replace` turned into its value. Every key must stand in the file exactly once."""
        self.path.write_text(replaced(self.text, replace, str(self.path)), encoding="utf-8")

    def other(self, name: str) -> Program:
        """Give another file of the same folder."""
        return Program(self.folder / name)


def replaced(text: str, replace: Mapping[str, str], where: str) -> str:
    """Give `text` with each key of `replace`, which must occur exactly once, turned into its value."""
    for old, new in replace.items():
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {where}"
        text = text.replace(old, new)
    return text


def copy_program(name: str, folder: Path) -> Program:
    """Copy tests/programs/NAME.py, or the folder tests/programs/NAME with its main.py, below `folder`."""
    return _copy(PROGRAMS, name, folder)


def copy_demo(name: str, folder: Path) -> Program:
    """Copy demos/NAME.py with all of demos/data below `folder`."""
    program = _copy(DEMOS, name, folder)
    shutil.copytree(DEMOS / "data", program.folder / "data", dirs_exist_ok=True)
    return program


def write_program(folder: Path, text: str, name: str = "program.py") -> Program:
    """Write `text` as a program of its own, for a scenario that is too small for a file in tests/programs."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return Program(path)


def _copy(source: Path, name: str, folder: Path) -> Program:
    target = folder / "program"
    if (source / name).is_dir():
        shutil.copytree(source / name, target, ignore=shutil.ignore_patterns("__pycache__"))
        return Program(target / "main.py")
    target.mkdir(parents=True)
    return Program(Path(shutil.copy(source / f"{name}.py", target)))
