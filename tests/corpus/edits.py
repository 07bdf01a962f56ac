"""The list of edits: one line each, repository, commit and file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

LIST = Path(__file__).parent / "edits.tsv"
_HEADING = "repository\tcommit\tfile"


@dataclass(frozen=True)
class Edit:
    """A commit, and the file of it that is loaded as a module before and edited then."""

    repository: str
    commit: str
    file: str


def read_edits(path: Path = LIST) -> list[Edit]:
    """Read the list."""
    rows = path.read_text().splitlines()[1:]
    return [Edit(*row.split("\t")) for row in rows if row]


def write_edits(edits: Iterable[Edit], path: Path = LIST) -> None:
    """Write the list."""
    rows = [f"{edit.repository}\t{edit.commit}\t{edit.file}" for edit in edits]
    path.write_text("\n".join([_HEADING, *rows]) + "\n")
