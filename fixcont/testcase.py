"""A test of a call at a stop, with what the session knows of the texts: what the function was given, and what its files said."""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any, Final

from fixcont.bytecode import interpreter
from fixcont.continuing.arguments import Arguments, names
from fixcont.errors import Refusal, Refused
from fixcont.postmortem.activations import function_of
from fixcont.postmortem.arguments import recovered
from fixcont.postmortem.main_module import what_runs
from fixcont.postmortem.objects import class_dictionary, classes, name_of
from fixcont.testcases.graphs import Graph, describe, with_article
from fixcont.testcases.writing import TIMEOUT, Failure, Written, what_was_changed, write_test

if TYPE_CHECKING:
    from fixcont.editing.history import PatchedFile
    from fixcont.editing.texts import Text
    from fixcont.session import Session
    from fixcont.stopping.frames import Frame
    from fixcont.stopping.stop import Stop

_INSTEAD: Final = "select a frame of a function in a file"


def write_testcase(
    stop: Stop, frame: Frame, path: str, given: Mapping[str, Any], session: Session, limit: float = TIMEOUT
) -> Written:
    """Write a test of the call that a frame is the activation of; see `fixcont.testcases.writing.write_test`.

    Nothing of the program is run in this process for that.

    Args:
        given: what takes the place of the original arguments, by parameter.

    Raises:
        Refused: there can be no such test; nothing was written.
    """
    return write_test(failure_at(stop, frame, given, session), path, limit)


def failure_at(stop: Stop, frame: Frame, given: Mapping[str, Any], session: Session) -> Failure:
    """Describe the call that a frame is the activation of. Runs nothing. Raises `Refused`."""
    raw = frame.raw
    if not raw.f_code.co_flags & interpreter.OPTIMIZED:
        what = "a module" if raw.f_code.co_name == "<module>" else "the body of a class"
        raise Refused(Refusal("not-importable", f"{what} is not called, so there is no call to test", _INSTEAD))
    if not os.path.isfile(frame.filename):
        sentence = f"{frame.function} is not in a file, so no test can import it"
        raise Refused(Refusal("not-importable", sentence, _INSTEAD))
    newest = session.versions.newest(raw.f_code)
    if newest.code is None:
        assert newest.refusal is not None
        raise Refused(newest.refusal)
    made = _made_by(stop, frame)
    before, after = _before(stop, frame, session), _after(session)
    what_was_changed(newest.code.co_qualname, before, after)
    module = _module_of(frame)
    arguments = _arguments(stop, frame, given, session)
    error = stop.exception
    return Failure(
        module=module,
        filename=frame.filename,
        qualname=newest.code.co_qualname,
        line=frame.line,
        arguments=_described(raw.f_code, arguments, made, raw.f_globals.get("__name__") == "__main__", module),
        error=None if error is None else (type(error).__qualname__, _message(error)),
        before=before,
        after=after,
        path=[each for each in sys.path if type(each) is str],
    )


def _made_by(stop: Stop, frame: Frame) -> type | None:
    """Give the class that a test has to call in the place of a constructor; None where the frame is of none, or of that which the class itself has.

    Raises:
        Refused: it is the constructor of a class above, which was called by another one: a test can only make an object as a whole.
    """
    code = frame.code
    if code.co_name != "__init__" or not code.co_argcount:
        return None
    made = type(frame.raw.f_locals.get(code.co_varnames[0]))
    if made is type(None):  # it was deleted
        return None
    holder = next(each for each in classes(made) if "__init__" in class_dictionary(each))
    own = f"{name_of(holder)[1]}.__init__"
    if own == code.co_qualname:
        return None if made is holder else made
    callers = stop.frames[stop.frames.index(frame) + 1 :]
    if any(each.code.co_qualname == own for each in callers):
        instead = f"select the frame of {own}"
    else:
        instead = f"select the frame of its caller{f', {callers[0].function}' if callers else ''}"
    sentence = f"{frame.function} is making {with_article(name_of(made)[1])}, which only its own constructor can be asked for"
    raise Refused(Refusal("not-importable", sentence, instead))


def _module_of(frame: Frame) -> str:
    """Give the name by which a test can import the module of a frame."""
    space = frame.raw.f_globals
    name = space.get("__name__")
    if type(name) is not str:
        raise Refused(Refusal("not-importable", f"the module of {frame.function} has no name", _INSTEAD))
    if name != "__main__":
        return name
    runs = what_runs(frame.filename)
    if runs is not None:
        sentence = f"importing {os.path.basename(frame.filename)} would run the program: {runs}"
        raise Refused(Refusal("would-run", sentence, "put that under \"if __name__ == '__main__':\""))
    spec = space.get("__spec__")
    if spec is not None and type(getattr(spec, "name", None)) is str:  # python -m
        found: str = spec.name
        return found
    stem = os.path.splitext(os.path.basename(frame.filename))[0]
    if not stem.isidentifier():
        sentence = f"{os.path.basename(frame.filename)} has no name that an import statement could have"
        raise Refused(Refusal("not-importable", sentence, "rename it"))
    return stem


def _arguments(stop: Stop, frame: Frame, given: Mapping[str, Any], session: Session) -> Arguments:
    strange = next((each for each in given if each not in names(frame.code)), None)
    if strange is not None:
        raise Refused(Refusal("no-parameter", f"{frame.function} has no parameter {strange}", "give one of its parameters"))
    if stop.arguments_of is None:
        raise Refused(Refusal("post-mortem", f"what {frame.function} was called with is not known here"))
    if frame.code.co_name == "__init__" and frame.code.co_argcount:
        given = {frame.code.co_varnames[0]: None, **given}  # is made anew
    try:
        return stop.arguments_of(frame, given)
    except Refused as refused:
        if refused.refusal.code != "argument-rebound":
            raise
        told = recovered(_Callers(stop, session), frame) if frame.is_live else {}
        try:
            return stop.arguments_of(frame, {**told, **given})
        except Refused as again:
            raise Refused(again.refusal._replace(instead='give it: "testcase FILE NAME=EXPRESSION"')) from None


class _Callers:
    """What the calls of a live stack still tell."""

    def __init__(self, stop: Stop, session: Session) -> None:
        self._frames = stop.frames
        self._session = session

    def caller_of(self, frame: Frame) -> Frame | None:
        at = next(at for at, each in enumerate(self._frames) if each is frame)
        return next(iter(self._frames[at + 1 :]), None)

    def function_of(self, frame: Frame) -> FunctionType | None:
        return function_of(frame.raw)

    def is_running(self, frame: Frame) -> bool:
        return False  # it waits at the call

    def tree_of(self, code: CodeType) -> ast.Module | None:
        text = self._session.sources.text_for(code)
        try:
            return text.tree if text is not None else None
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def _described(code: CodeType, arguments: Arguments, made: type | None, is_main: bool, module: str) -> Graph:
    named = dict(arguments.named)
    if made is not None:  # in the place of the object that it has yet to make
        named[code.co_varnames[0]] = made
    elif code.co_name == "__init__" and code.co_argcount:
        del named[code.co_varnames[0]]
    graph = describe(named, arguments.positional, arguments.keywords)
    return renamed(graph, module) if is_main else graph


def renamed(graph: Graph, module: str) -> Graph:
    """Give a graph whose classes and functions of the main module are those of the module that is imported from the same file."""
    entries = []
    for entry in graph.entries:
        for key in ("type", "name"):
            if isinstance(entry.get(key), list) and entry[key][0] == "__main__":
                entry = {**entry, key: [module, entry[key][1]]}
        entries.append(entry)
    return replace(graph, entries=entries)


def _before(stop: Stop, frame: Frame, session: Session) -> dict[str, bytes]:
    """Give what the files said when a call began: all that was changed by the first patch that it has not seen, and those behind it.

    That is the first one of this stop, or one that the frame of the call, or one that it has called, runs the text before.
    """
    sources = session.sources
    patches = [patch for patch in sources.history.patches if patch.undone is None]
    at = sum(patch.time < stop.began for patch in patches)
    for each in stop.frames:
        text = sources.text_for(each.code)
        places = [
            number for number, patch in enumerate(patches) if text is not None and _is_before(patch.file(text.filename), text)
        ]
        at = min([at, *places[-1:]])
        if each is frame:
            break
    if at == len(patches) and not frame.is_live:  # it may have died long before anybody looked
        at = 0
    found = _shown_by(stop, frame, session)
    for patch in patches[at:]:
        for file in patch.files:
            if file.before is not None:
                found.setdefault(file.filename, file.before)
    return found


def _shown_by(stop: Stop, frame: Frame, session: Session) -> dict[str, bytes]:
    """Give the files of which the frame of a call, or one that it has called, runs an older text: that of a saved stop may never have been
    installed here."""
    found: dict[str, bytes] = {}
    for each in stop.frames[: stop.frames.index(frame) + 1]:
        text = session.sources.text_for(each.code)
        newest = session.sources.newest_text(text.filename) if text is not None else None
        if text is not None and newest is not None and text.source != newest.source:
            found.setdefault(text.filename, text.source)
    return found


def _is_before(file: PatchedFile | None, text: Text) -> bool:
    return file is not None and file.before == text.source


def _after(session: Session) -> dict[str, bytes]:
    """Give what is installed of the files that say something else."""
    found = {}
    for filename in session.sources.held_back():
        text = session.sources.newest_text(filename)
        if text is not None:
            found[filename] = text.source
    return found


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return ""
