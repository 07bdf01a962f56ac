"""All that the corpus asks of the engine: make it active, install what changed, and run again what an install has listed."""

from __future__ import annotations

import importlib
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from types import CodeType
from typing import Any

#: Statements that read what the other one binds list each other again and again.
_MOST_RERUNS = 100


@dataclass(frozen=True)
class Outcome:
    """What the engine says about one install.

    Attributes:
        status: "installed", "unchanged", "refused", …
        code: of the refusal, "" where there is none.
        sentence: of the refusal or the syntax error.
        warnings: (code, sentence) each.
        listed: "file:line: text" of each statement that the engine lists as changed and not run.
        decorated: file and qualified name of each definition of which the engine says that a decorator had made it which changed.
    """

    status: str
    code: str = ""
    sentence: str = ""
    warnings: tuple[tuple[str, str], ...] = ()
    listed: tuple[str, ...] = ()
    decorated: tuple[tuple[str, str], ...] = ()


class _NobodyThere:
    """The front end of a program that never stops."""

    takes_interrupts = False

    def __init__(self) -> None:
        self.faults: list[str] = []

    def stopped(self, stop: Any) -> Any:
        raise AssertionError("nothing is to stop")

    def refused(self, refusal: Any) -> None:
        raise AssertionError("nothing is to be refused")

    def report(self, message: str) -> None:
        self.faults.append(message)


class Engine:
    """A session whose scope is one folder.

    Parameters:
        checkout: the folder in which the package `fixcont` lies.
        scope: the folder of the files that are the user's.
    """

    def __init__(self, checkout: Path, scope: Path) -> None:
        sys.path.insert(0, str(checkout))
        try:
            session = importlib.import_module("fixcont.session")
            self._untrapped: Any = importlib.import_module("fixcont.bytecode.original").untrapped
        finally:
            sys.path.remove(str(checkout))
        self._front_end = _NobodyThere()
        self._session: Any = session.Session(self._front_end, stop="unhandled", scope=[f"{scope}/"])
        self._session.install()
        self._tried: set[int] = set()

    @property
    def faults(self) -> list[str]:
        """What the engine has reported of its own faults."""
        return self._front_end.faults

    def install(self) -> Outcome:
        """Install what changed in the files."""
        result = self._session.sources.install_changes()
        warnings = tuple((each.code, each.sentence) for each in result.warnings)
        if result.error is not None:
            return Outcome(result.status.value, "syntax-error", str(result.error))
        if result.refusal is not None:
            return Outcome(result.status.value, result.refusal.code, result.refusal.sentence)
        listed = tuple(f"{each.filename}:{each.line}: {each.text}" for each in getattr(result, "unrun", ()))
        decorated = tuple((each.filename, each.qualname) for each in getattr(result, "decorated", ()))
        return Outcome(result.status.value, warnings=warnings, listed=listed, decorated=decorated)

    def rerun(self) -> list[str]:
        """Run what the last install has listed, in its order, and what is listed then. Returns what of it failed."""
        failed = []
        for _ in range(_MOST_RERUNS):
            waiting = [each for each in self._waiting() if each.number not in self._tried]
            if not waiting:
                break
            each = waiting[0]
            self._tried.add(each.number)
            try:
                self._session.sources.rerun(each.number)
            except Exception as error:
                failed.append(f"{each.filename}:{each.line}: {each.text}: {type(error).__name__}: {error}")
        return failed

    def _waiting(self) -> list[Any]:
        unrun = getattr(self._session.sources, "unrun", None)
        return list(unrun.all()) if unrun is not None else []

    def untrapped(self, code: CodeType) -> CodeType:
        """Return code as the compiler made it."""
        untrapped: CodeType = self._untrapped(code)
        return untrapped


def place_of(sentence: str) -> tuple[str, int] | None:
    """Return the file and the line that a sentence begins with."""
    found = re.match(r"(.+?\.pyw?):(\d+)\b", sentence)
    return (found[1], int(found[2])) if found is not None else None
