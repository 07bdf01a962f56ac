"""Making the process match the files, and telling the client what came of it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from fixcont.editing.result import InstallResult, InstallStatus
from fixcont.errors import Refusal
from fixcont_ui import history_wording, wording
from fixcont_ui.dap import messages
from fixcont_ui.dap.failures import Failure
from fixcont_ui.dap.places import file_source
from fixcont_ui.dap.watching import signature_of

if TYPE_CHECKING:
    from fixcont_ui.dap.debuggee import Debuggee

#: What becomes of an edit that cannot be installed.
_NOTHING_CHANGED: Final = "nothing was installed, and the program runs the code that it ran before"


def install(debuggee: Debuggee) -> InstallResult:
    """Install what has changed in the files, in the calling thread, and tell the client of it.

    What cannot be installed is tried again with whatever needs it, but told once for what the files say.
    """
    result = debuggee.session.sources.install_changes()
    lines = wording.install_lines(result)
    refusal = refusal_in(result)
    told = None if refusal is None else (refusal, frozenset((each, signature_of(each)) for each in debuggee.session.filenames()))
    if told is not None and told == debuggee.told_refusal:
        return result
    debuggee.told_refusal = told
    if result.status is InstallStatus.INSTALLED:
        _tell_installed(debuggee, result)
    elif refusal is not None:
        _tell_refused(debuggee, refusal)
    if lines:
        debuggee.say("\n".join(lines), "console" if refusal is None else "stderr")
    return result


def install_or_fail(debuggee: Debuggee) -> InstallResult:
    """Install what has changed, before something that makes no sense without it.

    Raises:
        Failure: it cannot be installed.
    """
    result = install(debuggee)
    refusal = refusal_in(result)
    if refusal is not None:
        raise Failure(refusal)
    return result


def refusal_in(result: InstallResult) -> Refusal | None:
    """Tell why nothing could be installed, None where it could or nothing had changed."""
    if wording.is_current(result):
        return None
    if result.refusal is not None:
        return result.refusal
    error = result.error
    if isinstance(error, SyntaxError):
        place = f"{os.path.basename(error.filename or '')}:{error.lineno}"
        return Refusal("syntax-error", f"{place} does not compile: {error.msg}", "mend it and save it again")
    return Refusal("not-installed", f"what changed could not be installed ({result.status.value})")


def undo(debuggee: Debuggee, *, writes: bool) -> list[str]:
    """Take the last patch back.

    Args:
        writes: let the files say again what is installed.

    Returns:
        What came of it, in lines.

    Raises:
        Failure: it cannot be taken back.
    """
    sources = debuggee.session.sources
    result = sources.undo()
    lines = history_wording.undo_lines(result)
    if result.refusal is not None:
        raise Failure(result.refusal)
    if writes:
        lines += history_wording.written_lines(sources.write_back())
    elif sources.held_back():
        lines.append(history_wording.held_back_line(sources.held_back()))
    debuggee.say("\n".join(lines))
    if debuggee.client is not None and debuggee.held:
        debuggee.client.invalidate("stacks", "variables")
    return lines


def _tell_installed(debuggee: Debuggee, result: InstallResult) -> None:
    client = debuggee.client
    if client is None:
        return
    names = ", ".join(each.qualname for each in result.installed)
    client.tell(messages.event("hotcodereplace", {"changeType": "STARTING", "message": "installing what has changed"}))
    for warning in result.warnings:
        client.tell(messages.event("hotcodereplace", {"changeType": "WARNING", "message": str(warning)}))
    client.tell(
        messages.event("hotcodereplace", {"changeType": "END", "message": f"installed: {names}" if names else "installed"})
    )
    for filename in dict.fromkeys(each.filename for each in result.installed):
        source = file_source(filename, is_user=True)
        if source is not None:
            client.tell(messages.event("loadedSource", {"reason": "changed", "source": source}))
    if debuggee.held:
        client.invalidate("stacks", "variables")


def _tell_refused(debuggee: Debuggee, refusal: Refusal) -> None:
    client = debuggee.client
    if client is not None:
        message = "; ".join(filter(None, [refusal.sentence, refusal.instead, _NOTHING_CHANGED]))
        client.tell(messages.event("hotcodereplace", {"changeType": "STARTING", "message": "installing what has changed"}))
        client.tell(messages.event("hotcodereplace", {"changeType": "ERROR", "message": message}))
        if not client.shows_installs:
            client.output(f"{message}\n", "important")
