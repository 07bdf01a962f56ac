"""Take a patch back: the text before it becomes the newest one again, and everything else that it assigned gets the value it had.

Two parts, in one step. Functions get the code of the text before, all that are alive, those too that were made since. That is worked out as
for an install, but for which definition was which: that was written down. The rest (names of modules, attributes and bases of classes,
defaults, annotations) is put back from what the install noted: the very same objects. Nothing of the user's is evaluated or run.

Not taken back: what definitions, decorators and imports did when the patch was installed, beyond what it bound; what new code has done since;
statements of modules that were run one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from types import CodeType

from fixcont.editing.compare import Comparison, compare
from fixcont.editing.files import File
from fixcont.editing.functions import Namespace, find_class
from fixcont.editing.history import Patch, PatchedFile
from fixcont.editing.install import Installation
from fixcont.editing.plan import UNTIL_RESTART, Plan
from fixcont.editing.removals import needs
from fixcont.editing.restores import MISSING, Restore, Restores
from fixcont.editing.running import running_code
from fixcont.editing.texts import Kind, Node, Text
from fixcont.errors import Refusal, Refused

_INSTEAD = "edit the file, and install that"


def comparison_back(patch: Patch, file: File, patched: PatchedFile) -> Comparison:
    """Compare the newest text of a file with the one before a patch.

    Raises:
        Refused: there is none, or the file was loaded from another text meanwhile.
    """
    if patched.before is None or patched.lineage is None:
        sentence = f"what ran before patch {patch.number} is not known: {file.filename} had changed before fixcont saw it"
        raise Refused(Refusal("undo-text-unknown", sentence, _INSTEAD))
    if file.newest.source != patched.after:
        sentence = f"{file.filename} was loaded again, from another text, since patch {patch.number}"
        raise Refused(Refusal("undo-loaded-again", sentence, _INSTEAD))
    older = Text(file.filename, patched.before)
    comparison = compare(file.newest, older, patched.lineage.partners(older, file.newest))
    for _, node, definition in patched.lineage.lost_in(older):
        comparison.targets[id(definition)] = node
    return comparison


def take_back(
    plans: Sequence[Plan], namespaces: Iterable[Namespace], restores: Restores, identify: Callable[[CodeType], Node | None]
) -> list[Refusal]:
    """Carry out what was planned for the functions, and put everything else back, at once.

    Args:
        namespaces: of the modules that were loaded from the files.

    Returns:
        Warnings: names that stay, as code that is still running may need them.

    Raises:
        Refused: an assignment failed; everything is as it was.
    """
    kept, warnings = _needed(plans, restores, identify)
    _leave(plans, namespaces)
    installation = Installation()
    try:
        for plan in plans:
            for assignment in plan.assignments:
                installation.set_function(*assignment)
        for restore in restores:
            if (id(restore.where), restore.name) not in kept:
                installation.put_back(restore)
        for undo, redo in reversed(restores.calls):
            installation.do(undo, redo)
        installation.commit()
    except Exception as error:
        installation.take_back()
        sentence = f"putting back what was there raised {type(error).__name__}: {error}"
        raise Refused(Refusal("undo-failed", sentence, _INSTEAD)) from error
    except BaseException:
        installation.take_back()
        raise
    return warnings


def _needed(
    plans: Sequence[Plan], restores: Restores, identify: Callable[[CodeType], Node | None]
) -> tuple[set[tuple[int, str]], list[Refusal]]:
    """Find names that the patch added and that code which goes on running may look up."""
    added = [restore for restore in restores if restore.value is MISSING and not _is_special(restore)]
    if not added:
        return set(), []
    codes = running_code()
    kept: set[tuple[int, str]] = set()
    warnings: dict[str, Refusal] = {}
    for restore in added:
        user = next((code for code in codes for plan in plans if needs(code, restore.name, identify, plan.comparison)), None)
        if user is not None:
            kept.add((id(restore.where), restore.name))
            sentence = f"{restore.name} is not taken out: undone code of {user.co_qualname} that still runs may need it"
            warnings[restore.name] = Refusal("removed-kept", sentence, UNTIL_RESTART)
    return kept, list(warnings.values())


def _is_special(restore: Restore) -> bool:
    return restore.name.startswith("__") and restore.name.endswith("__")


def _leave(plans: Sequence[Plan], namespaces: Iterable[Namespace]) -> None:
    """Let classes that the patch made be the same ones if they come back while something holds them."""
    spaces = list(namespaces)
    for plan in plans:
        for old in plan.comparison.removed:
            for namespace in spaces if old.kind is Kind.CLASS else ():
                cls = find_class(namespace, old.qualname)
                if cls is not None and namespace.get("__file__", old.text.filename) == old.text.filename:
                    old.definition.leave(namespace, cls)
