"""What was installed, when, and in the place of what: the patches of a process.

Texts are kept, compiled code is not: what a function said in each version is read from them when somebody asks. What an undo puts back is
kept as well, as long as it can be asked for.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from fixcont.editing.functions import Namespace
from fixcont.editing.lineage import Lineage
from fixcont.editing.restores import Restores
from fixcont.editing.result import Installed
from fixcont.editing.unrun import Unrun, Waiting
from fixcont.errors import Refusal


@dataclass(frozen=True)
class PatchedFile:
    """One file of a patch.

    Attributes:
        before: its text, as bytes, shared with the patch before; None where it is not known what its functions ran.
        after: what was installed.
        lineage: which definitions before are which after; None where `before` is.
        renamed: qualified name of a function after -> what it was before.
        gone: names of the module's functions and classes that the text after does not define.
    """

    filename: str
    before: bytes | None
    after: bytes
    lineage: Lineage | None = None
    renamed: dict[str, str] = field(default_factory=dict)
    gone: frozenset[str] = frozenset()


@dataclass(eq=False)
class Patch:
    """What one install has put into the process, as a whole.

    Attributes:
        number: 1 for the first patch of the process, never used again.
        time: when it was installed, in seconds since the epoch.
        process: the identifier of the process; a fork has its parent's patches too.
        undone: when it was taken back, None while it is in force.
        rerun: statements of modules that were run by `rerun` between this patch and the next.
        migrated: how many instances of changed classes were migrated with it.
    """

    number: int
    files: tuple[PatchedFile, ...]
    installed: tuple[Installed, ...]
    warnings: tuple[Refusal, ...]
    time: float = field(default_factory=time.time)
    process: int = field(default_factory=os.getpid)
    undone: float | None = None
    rerun: list[Unrun] = field(default_factory=list)
    migrated: int = 0
    _restores: Restores | None = None
    _waiting: Waiting = ()

    def file(self, filename: str) -> PatchedFile | None:
        """Give what it did to a file, None where it did nothing to it."""
        return next((each for each in self.files if each.filename == filename), None)

    def keep_for_undo(self, restores: Restores, waiting: Waiting) -> None:
        """Keep what the texts do not tell: other values that it replaced, and the statements that had not been run before it."""
        self._restores, self._waiting = restores, waiting

    def kept_for_undo(self) -> tuple[Restores, Waiting]:
        return self._restores or Restores(), self._waiting

    def mark_undone(self) -> None:
        """Note that it was taken back, and let go of what that took."""
        self.undone = time.time()
        self._restores, self._waiting = None, ()


class History:
    """All patches of a process, oldest first.

    Args:
        texts: gives what is installed of each of the program's files.
    """

    def __init__(self, texts: Callable[[], Mapping[str, bytes]]) -> None:
        self.patches: list[Patch] = []
        self.texts = texts

    @property
    def last(self) -> Patch | None:
        """The last patch that is in force."""
        return next((patch for patch in reversed(self.patches) if patch.undone is None), None)

    def add(self, files: Sequence[PatchedFile], installed: Sequence[Installed], warnings: Sequence[Refusal]) -> Patch:
        """Note a patch that was just installed."""
        patch = Patch(len(self.patches) + 1, tuple(files), tuple(installed), tuple(warnings))
        self.patches.append(patch)
        return patch

    def of_file(self, filename: str) -> list[tuple[Patch, PatchedFile]]:
        """Give the patches of a file, oldest first, those too that were taken back."""
        return [(patch, file) for patch in self.patches if (file := patch.file(filename)) is not None]

    def filenames(self) -> list[str]:
        """Give the files that were ever patched, in the order of their first patch."""
        return list(dict.fromkeys(file.filename for patch in self.patches for file in patch.files))

    def note_rerun(self, unrun: Unrun) -> None:
        """Note that a statement of a module was run."""
        if self.last is not None:
            self.last.rerun.append(unrun)

    def note_rebound(self, filename: str, namespace: Namespace, before: Mapping[str, object]) -> None:
        """Keep what definitions made that are gone, and whose names such a statement has taken: an undo brings the definitions back.

        Args:
            before: name -> what it was bound to.
        """
        for name, value in before.items():
            for patch in reversed(self.patches):
                file = patch.file(filename) if patch.undone is None else None
                if file is not None and name in file.gone:
                    patch.kept_for_undo()[0].note(namespace, name, value)
                    break
