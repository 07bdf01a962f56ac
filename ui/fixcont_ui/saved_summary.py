"""A saved stop as one object of JSON, for programs; documented in docs/saved-stops.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fixcont.postmortem.opening import Opened, OpenedFrame
from fixcont.postmortem.standins import Hole, Saved
from fixcont_ui.values.looks import look

VERSION: Final = 1
_LOOK: Final = 400


def summary(opened: Opened) -> dict[str, Any]:
    """Give the summary of a saved stop."""
    document = opened.document
    stop = opened.stop
    return {
        "format": "fixcont-saved-stop-summary",
        "version": VERSION,
        "saved": document.time,
        "reason": document.reason,
        "thread": document.thread,
        "exception": document.exception,
        "exceptions": [
            {
                "type": ".".join(filter(None, each.type)),
                "message": each.message,
                "notes": list(each.notes),
                "cause": each.cause,
                "context": None if each.suppresses_context else each.context,
                "members": list(each.members),
            }
            for each in document.exceptions
        ],
        "selected": stop.selected,
        "frames": [_frame(frame) for frame in stop.frames if isinstance(frame, OpenedFrame)],
        "threads": [
            {"name": each.name, "frames": [{"function": f, "file": file, "line": line} for f, file, line in each.frames]}
            for each in document.threads
        ],
        "process": document.process,
        "left_out": document.holes,
    }


def _frame(frame: OpenedFrame) -> dict[str, Any]:
    line = frame.text[frame.line - 1].strip() if 0 < frame.line <= len(frame.text) else ""
    saved = frame.saved
    variables: Mapping[str, Any] = frame.raw.f_locals if saved.scope != "module" else frame.raw.f_globals
    return {
        "function": frame.function,
        "file": frame.filename,
        "line": frame.line,
        "text": line,
        "is_user": frame.is_user,
        "is_obsolete": frame.is_obsolete,
        "arguments": list(saved.parameters.names) if saved.parameters is not None else None,
        "variables": {
            name: {"type": _type(value), "look": _look(value)} for name, value in variables.items() if name != "__name__"
        }
        if saved.variables is not None
        else None,
    }


def _type(value: object) -> str:
    if type(value) is Hole:
        return value.type_name
    kind = type(value)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _look(value: object) -> str:
    """Say how a value looks: as its own `repr` said, where that is known; what was not saved says so."""
    if type(value) is Hole or isinstance(value, Saved):
        text = repr(value)
        return text if len(text) <= _LOOK else f"{text[:_LOOK]}…"
    return look(value)
