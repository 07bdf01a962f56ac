"""Saving a stop or an exception, with what the session knows of the program, where one is active."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from fixcont.loading.scope import Scope
from fixcont.postmortem import saving
from fixcont.postmortem.saving import Saved, Surroundings
from fixcont.postmortem.wanted import Wanted

if TYPE_CHECKING:
    from fixcont.session import Session
    from fixcont.stopping.stop import Stop


def surroundings(session: Session | None) -> Surroundings:
    """Give what a session knows of the program, or what can be known without one."""
    if session is None:
        return Surroundings(Scope().is_user)
    import importlib.util

    sources = session.sources

    def versions_of(filename: str) -> Sequence[str]:
        patches = [file for _, file in sources.history.of_file(filename)]
        texts = [text for file in patches for text in (file.before, file.after) if text is not None]
        return [importlib.util.decode_source(text) for text in dict.fromkeys(texts)]

    return Surroundings(session.scope.is_user, sources.text_of, versions_of, session.at_work)


def save_stop(stop: Stop, path: str | os.PathLike[str], wanted: Wanted, session: Session) -> Saved:
    """Save a stop of a session; see `fixcont.postmortem.saving.save_stop`."""
    return saving.save_stop(stop, os.fspath(path), wanted, surroundings(session))


def save_exception(exception: BaseException, path: str | os.PathLike[str], wanted: Wanted) -> Saved:
    """Save an exception; see `fixcont.postmortem.saving.save_exception`."""
    loaded = sys.modules.get("fixcont.session")  # where it is not, no session is active: it takes long to load
    session: Session | None = loaded.active() if loaded is not None else None
    around = surroundings(session)
    if session is None:
        return saving.save_exception(exception, os.fspath(path), wanted, around)
    with session.at_work():
        return saving.save_exception(exception, os.fspath(path), wanted, around)
