"""The lines that were typed at prompts, kept from one run to the next."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from typing import Final

from prompt_toolkit.history import History

from fixcont_ui.state_folder import state_folder

_MOST: Final = 1000


class KeptHistory(History):
    """A history in a file: one line for each entry, its newlines written as `\\n`, the oldest first.

    Where the file cannot be read or written it is a history of this run only. Entries that begin with a space are not kept
    in the file. It is cut to the newest thousand when it has grown to twice that.
    """

    def __init__(self, path: str | None = None) -> None:
        super().__init__()
        self.path = path if path is not None else os.path.join(state_folder(), "history")

    def load_history_strings(self) -> Iterable[str]:
        """Give the entries, newest first."""
        entries = self._read()
        if len(entries) > 2 * _MOST:
            entries = entries[-_MOST:]
            self._write(entries)
        return [_decoded(entry) for entry in reversed(entries[-_MOST:])]

    def store_string(self, string: str) -> None:
        if string.startswith(" ") or not string.strip():
            return
        try:
            os.makedirs(os.path.dirname(self.path), mode=0o700, exist_ok=True)
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
            # One write for the whole entry: several programs may be at it.
            descriptor = os.open(self.path, flags, 0o600)
            try:
                os.write(descriptor, (_encoded(string) + "\n").encode("utf-8", "surrogateescape"))
            finally:
                os.close(descriptor)
        except (OSError, ValueError):
            pass  # it is remembered in this run all the same

    def _read(self) -> list[str]:
        try:
            with open(self.path, encoding="utf-8", errors="surrogateescape") as file:
                return [line.rstrip("\n") for line in file if line.strip()]
        except (OSError, ValueError):
            return []

    def _write(self, entries: Iterable[str]) -> None:
        temporary = ""
        try:
            descriptor, temporary = tempfile.mkstemp(prefix=".history-", dir=os.path.dirname(self.path))
            with open(descriptor, "w", encoding="utf-8", errors="surrogateescape") as file:
                file.writelines(entry + "\n" for entry in entries)
            os.replace(temporary, self.path)
        except (OSError, ValueError):
            if temporary and os.path.exists(temporary):
                os.remove(temporary)


def _encoded(entry: str) -> str:
    return entry.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")


def _decoded(line: str) -> str:
    parts = line.split("\\\\")
    return "\\".join(part.replace("\\n", "\n").replace("\\r", "\r") for part in parts)
