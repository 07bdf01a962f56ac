"""Transcripts of debug adapter sessions, made comparable: what differs from run to run is given a name instead."""

from __future__ import annotations

import difflib
import json
import os
import re
import sys
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

TRANSCRIPTS: Final = Path(__file__).resolve().parent.parent / "dap" / "transcripts"
_REPOSITORY: Final = Path(__file__).resolve().parent.parent.parent
_WIDE: Final = 120

# attribute -> what its number is the number of
_REFERENCES: Final = {
    "threadId": "thread",
    "frameId": "frame",
    "variablesReference": "variables",
    "valueLocationReference": "location",
    "declarationLocationReference": "location",
    "locationReference": "location",
    "sourceReference": "source",
    "targetId": "target",
    "breakpointId": "breakpoint",
    "hitBreakpointIds": "breakpoint",
    "moduleId": "module",
    "threadIds": "thread",
    "progressId": "progress",
    "requestId": "request",
}
# attribute that holds objects with an `id` -> what that is the number of
_HOLDERS: Final = {
    "threads": "thread",
    "stackFrames": "frame",
    "breakpoints": "breakpoint",
    "breakpoint": "breakpoint",
    "targets": "target",
    "modules": "module",
    "module": "module",
}
# attribute -> the word for its value
_WORDS: Final = {
    "processId": "PID",
    "systemProcessId": "PID",
    "shellProcessId": "PID",
    "port": "PORT",
    "timestamp": "TIME",
    "dateTimeStamp": "TIME",
    "token": "TOKEN",
}
_TEXTS: Final = (
    (re.compile(r"\b0x[0-9a-f]{6,}\b"), "0xADDRESS"),
    (re.compile(r"\b\d+(?:\.\d+)? ?(ms|milliseconds|seconds|s)\b"), r"TIME \1"),
    (re.compile(r"\b(pid|process) \d+\b"), r"\1 PID"),
    (re.compile(r"\bsaved \d{4}-\d\d-\d\d [\d:]+ UTC by Python \S+ on \w+"), "saved TIME by PYTHON"),
    (re.compile(r"(127\.0\.0\.1|localhost):\d+\b"), r"\1:PORT"),
)


class Entry(NamedTuple):
    """One message of a session.

    Attributes:
        sent: whether the client sent it.
        message: the message; for what was no message, a mapping with the one key "broken".
        after: for a message that was sent, how many had come when the last one came that the client had waited for until then.
    """

    sent: bool
    message: Mapping[str, Any]
    after: int = 0


class Scrubber:
    """Replaces what differs from run to run. The same thing gets the same name throughout a session.

    Numbers of threads, frames and the like become "thread 1", "frame 2" in the order in which they are first seen; paths begin with
    the word for a known folder.
    """

    def __init__(self, folders: Mapping[str, str]) -> None:
        """`folders`: path -> the word for it, beside those of the interpreter and the repository."""
        paths = sysconfig.get_paths()
        known = {
            sys.executable: "PYTHON",
            os.path.realpath(sys.executable): "PYTHON",
            paths["purelib"]: "SITE",
            paths["stdlib"]: "LIB",
            str(_REPOSITORY): "REPOSITORY",
            **folders,
        }
        self._folders = sorted(known.items(), key=lambda item: -len(item[0]))
        self._seen: dict[str, dict[Any, str]] = {}  # kind -> number -> name

    def scrubbed(self, value: Any, key: str = "", holder: str = "") -> Any:
        """Give a JSON value with names in place of what differs. `key` is the attribute that it is, in the object that is `holder`."""
        if isinstance(value, Mapping):
            inner = key or holder
            return {name: self.scrubbed(each, name, inner) for name, each in value.items() if name not in ("seq", "request_seq")}
        if isinstance(value, list):
            if key in _REFERENCES:
                return [self.scrubbed(each, key, holder) for each in value]
            return [self.scrubbed(each, "", key) for each in value]
        if value is None or isinstance(value, bool):
            return value
        kind = _HOLDERS.get(holder, "") if key == "id" else _REFERENCES.get(key, "")
        if kind and value != 0:
            seen = self._seen.setdefault(kind, {})
            return seen.setdefault(value, f"{kind} {len(seen) + 1}")
        if key in _WORDS:
            return _WORDS[key]
        return self.text(value) if isinstance(value, str) else value

    def text(self, text: str) -> str:
        """Give a text with names in place of paths, addresses, times and process ids."""
        for path, word in self._folders:
            text = text.replace(path, word)
        for pattern, replacement in _TEXTS:
            text = pattern.sub(replacement, text)
        return text


def in_order(entries: Sequence[Entry]) -> Iterator[Entry]:
    """Give the entries in an order that does not depend on which side was faster.

    That is the order in which they came, and each message of ours right behind the one that the test had waited for when it sent it.
    """
    ours = [entry for entry in entries if entry.sent]
    theirs = [entry for entry in entries if not entry.sent]
    yield from (entry for entry in ours if entry.after == 0)
    for number, entry in enumerate(theirs, 1):
        yield entry
        yield from (each for each in ours if each.after == number)


def golden(entries: Sequence[Entry], folders: Mapping[str, str]) -> str:
    """Give the text of a transcript as its file has it.

    What the program prints comes by another way than the rest, in pieces of any size: it stands at the end.
    """
    scrubber = Scrubber(folders)
    printed: dict[str, str] = {}
    lines = []
    for entry in in_order(entries):
        message = entry.message
        body = message.get("body") or {}
        if message.get("event") == "output" and body.get("category") in ("stdout", "stderr"):
            printed[body["category"]] = printed.get(body["category"], "") + body["output"]
            continue
        lines.append(_line(entry.sent, scrubber.scrubbed(message)))
    for category, text in sorted(printed.items()):
        lines.append(f"{category}: {json.dumps(scrubber.text(text), ensure_ascii=False)}")
    return "\n".join(lines) + "\n"


def compare(name: str, found: str) -> str:
    """Compare a transcript with the file of that name. Returns the difference, "" where there is none.

    With FIXCONT_WRITE_TRANSCRIPTS in the environment the file is written instead.
    """
    path = TRANSCRIPTS / f"{name}.txt"
    if os.environ.get("FIXCONT_WRITE_TRANSCRIPTS"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(found, encoding="utf-8")
    wanted = path.read_text(encoding="utf-8") if path.exists() else f"there is no {path}\n"
    return "\n".join(difflib.unified_diff(wanted.splitlines(), found.splitlines(), "wanted", "found", lineterm="", n=2))


def _line(sent: bool, message: Mapping[str, Any]) -> str:
    arrow = "-->" if sent else "<--"
    kind, rest = message.get("type"), message.get("body")
    if "broken" in message:
        return f"{arrow} broken: {message['broken']}"
    if kind == "event":
        title = f"event {message.get('event')}"
    elif kind == "response":
        title = f"{message.get('command')} {'done' if message.get('success') else 'failed'}"
    else:
        title, rest = f"request {message.get('command')}", message.get("arguments")
    if rest is None:
        return f"{arrow} {title}"
    text = json.dumps(rest, ensure_ascii=False)
    if len(text) > _WIDE:
        text = json.dumps(rest, ensure_ascii=False, indent=2).replace("\n", "\n    ")
    return f"{arrow} {title} {text}"
