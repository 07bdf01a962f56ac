"""What came of looking at the files on disk and installing what changed in them."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fixcont.editing.decorated import Decorated
from fixcont.editing.stale import StaleCount
from fixcont.editing.unrun import Unrun
from fixcont.errors import Refusal

if TYPE_CHECKING:
    from fixcont.editing.history import Patch


class InstallStatus(enum.Enum):
    """How an install ended. Only `INSTALLED` changed anything in the process."""

    UNCHANGED = "unchanged"
    INSTALLED = "installed"
    SYNTAX_ERROR = "syntax-error"
    UNREADABLE = "unreadable"
    REFUSED = "refused"


@dataclass(frozen=True)
class Installed:
    """One function or class that is another one from now on.

    Attributes:
        qualname: its qualified name, such as "Basket.total".
        filename: the file that it stands in.
        version: 1 is the text that was loaded, 2 the first edit, …
        added: whether the function did not exist before.
    """

    qualname: str
    filename: str
    version: int
    added: bool = False


@dataclass(frozen=True)
class InstallResult:
    """The outcome of one install: everything in it, or nothing.

    Attributes:
        status: how it ended.
        installed: the functions that run new code, in the order of the files.
        warnings: edits that are in the files but have no effect (yet), each with a code, a sentence and what to do.
        unrun: new and changed statements of modules, which were not run.
        ran: new statements of modules that were run, as new definitions need what they bind. Their numbers are 0.
        decorated: definitions that decorators had made which do something else from now on; what they made stays. There is a warning for each
            decorator.
        migrated: how many instances of changed classes were migrated, or will be when they are used.
        refusal: why nothing was installed, or None.
        error: the syntax error with its place, where that is the reason.
        stale: how much still runs old code, of this install or earlier ones; None where nothing was installed.
    """

    status: InstallStatus
    installed: tuple[Installed, ...] = ()
    warnings: tuple[Refusal, ...] = ()
    unrun: tuple[Unrun, ...] = ()
    ran: tuple[Unrun, ...] = ()
    decorated: tuple[Decorated, ...] = ()
    migrated: int = 0
    refusal: Refusal | None = None
    error: SyntaxError | None = None
    stale: StaleCount | None = None


@dataclass(frozen=True)
class UndoResult:
    """What came of taking the last patch back: all of it, or nothing.

    Attributes:
        patch: what was taken back, None where there was nothing, or it was refused.
        restored: the functions and classes that are again what they were, with the versions that they have now.
        gone: qualified names of the functions and classes that the patch had added.
        warnings: what could not be taken back.
        unrun: statements of modules that are in the text again, and in whose place another one was run.
        held_back: files that still say what was undone; that is not installed until they are saved anew.
        refusal: why nothing was done, or None.
    """

    patch: Patch | None = None
    restored: tuple[Installed, ...] = ()
    gone: tuple[str, ...] = ()
    warnings: tuple[Refusal, ...] = ()
    unrun: tuple[Unrun, ...] = ()
    held_back: tuple[str, ...] = ()
    refusal: Refusal | None = None
