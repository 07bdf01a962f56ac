"""What ran the program of a saved stop: the interpreter, the command line, the packages, the other threads."""

from __future__ import annotations

import os
import sys
import threading
from _thread import get_ident
from collections.abc import Iterator
from itertools import islice
from types import FrameType
from typing import Any, Final

from fixcont.continuing.unwinding import is_ours
from fixcont.postmortem import plain
from fixcont.postmortem.format import Line
from fixcont.postmortem.objects import own_dictionary
from fixcont.postmortem.redaction import MARK, Redaction

_THREADS: Final = 200
_FRAMES: Final = 100  # of one thread
_DISTRIBUTION: Final = (".dist-info", ".egg-info")


def process_line(redaction: Redaction, with_environment: bool) -> Line:
    """Describe the process.

    Args:
        with_environment: give the environment variables too, without those that are secrets.
    """
    line: Line = {
        "kind": "process",
        "python": sys.version.split()[0],
        "implementation": sys.implementation.name,
        "platform": sys.platform,
        "machine": os.uname().machine if hasattr(os, "uname") else "",
        "executable": _clean(sys.executable or ""),
        "arguments": [_clean(each) for each in redaction.arguments(each for each in sys.argv if type(each) is str)],
        "folder": _folder(),
        "pid": os.getpid(),
        "packages": dict(sorted(_packages())),
    }
    if with_environment:
        line["environment"] = {
            _clean(name): MARK if redaction.is_secret(name) else _clean(redaction.scrub(value))
            for name, value in sorted(os.environ.items())
        }
    return line


def _packages() -> set[tuple[str, str]]:
    """Give the names and versions of installed packages. Read from the names of their folders: asking each takes too long."""
    found = set()
    for folder in dict.fromkeys(each for each in sys.path if type(each) is str):
        try:
            names = os.listdir(folder)
        except OSError:
            continue
        for name in names:
            if name.endswith(_DISTRIBUTION):
                package, _, version = name.rpartition(".")[0].partition("-")
                found.add((_clean(package), _clean(version.partition("-")[0])))
    return found


def thread_lines() -> Iterator[Line]:
    """Describe all threads but the present one: where they are, without their variables."""
    known: dict[int, Any] = dict(vars(threading).get("_active", {}))  # asking for them takes a lock, which a held thread may have
    present = get_ident()  # whose innermost frame is the one of this generator: a variable that holds it would be a cycle
    others = [(ident, raw) for ident, raw in islice(sys._current_frames().items(), _THREADS) if ident != present]
    for ident, raw in others:
        thread = known.get(ident)
        name = own_dictionary(thread).get("_name") if thread is not None else None
        if thread is None and _is_asking(raw):
            continue
        yield {
            "kind": "thread",
            "name": _clean(name) if type(name) is str else "",
            "ident": ident,
            "frames": [_frame(each) for each in islice(_stack(raw), _FRAMES)],
        }


def _is_asking(raw: FrameType) -> bool:
    return any(each.f_globals.get("__name__") == "fixcont.postmortem.asking" for each in _stack(raw))


def _stack(raw: FrameType | None) -> Iterator[FrameType]:
    while raw is not None:
        yield raw
        raw = raw.f_back


def _frame(raw: FrameType) -> Line:
    code = raw.f_code
    return {
        "function": _clean(code.co_qualname),
        "file": _clean(code.co_filename),
        "line": raw.f_lineno or code.co_firstlineno,
        **({"is_ours": True} if is_ours(raw) else {}),
    }


def _folder() -> str:
    try:
        return _clean(os.getcwd())
    except OSError:
        return ""


def _clean(text: str) -> str:
    return text if plain.is_unicode(text) else text.encode("utf-8", "backslashreplace").decode()
