"""Bare clones: which commits changed what, and the package's tree as of a commit."""

from __future__ import annotations

import subprocess
import tarfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

#: In front of the package's own folder.
_ROOTS = ("", "src/", "lib/")
#: What is no part of a package that runs.
_OUTSIDE = ("tests", "test", "testing", "_vendor", "vendored")


@dataclass(frozen=True)
class Change:
    """One file that a commit changed: "A" added, "M" modified, "D" deleted."""

    status: str
    path: str


class History:
    """The history of one package in a bare clone.

    Parameters:
        clone: a folder made by `git clone --bare` or `--mirror`.
        packages: the names of the top-level packages.
    """

    def __init__(self, clone: Path, packages: tuple[str, ...]) -> None:
        self.clone = clone
        self._places = tuple(f"{root}{package}" for root in _ROOTS for package in packages)

    def commits(self, since: str) -> list[str]:
        """Return the commits without those that merge, oldest first, that changed something in the package."""
        found = self._git("log", "--no-merges", "--reverse", "--format=%H", f"--since={since}", "HEAD", "--", *self._places)
        return found.decode().split()

    def changes(self, commit: str) -> list[Change]:
        """Return the files in the package that a commit changed; none for a first commit."""
        try:
            listing = self._git("diff", "--name-status", "--no-renames", f"{commit}^", commit, "--", *self._places)
        except subprocess.CalledProcessError:
            return []
        rows = [line.split("\t") for line in listing.decode().splitlines()]
        return [Change(status[0], path) for status, path in rows]

    def read(self, commit: str, path: str) -> bytes:
        """Return a file as it was after a commit."""
        return self._git("show", f"{commit}:{path}")

    def lay_out(self, commit: str, folder: Path) -> None:
        """Write the package as it was after a commit into a folder, which is made if it is not there."""
        folder.mkdir(exist_ok=True)
        listing = self._git("ls-tree", "--name-only", commit, *self._places).decode().splitlines()
        left_out = [f":(exclude,glob)**/{name}/**" for name in _OUTSIDE]
        archive = self._git("archive", commit, "--", *listing, *left_out)
        with tarfile.open(fileobj=BytesIO(archive)) as packed:
            packed.extractall(folder, filter="data")

    def module_of(self, path: str) -> tuple[str, str] | None:
        """Return the folder to be put on the path, and the module that a file is; None for what is not imported."""
        place = next((each for each in self._places if path.startswith(f"{each}/")), None)
        if place is None or not path.endswith(".py"):
            return None
        root, _, package = place.rpartition("/")
        parts = [package, *path[len(place) + 1 : -3].split("/")]
        if not all(part.isidentifier() for part in parts) or parts[-1] == "__main__" or not set(parts).isdisjoint(_OUTSIDE):
            return None
        return root, ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    def _git(self, *words: str) -> bytes:
        return subprocess.run(["git", "-C", str(self.clone), *words], capture_output=True, check=True).stdout


def find_clone(clones: Path, name: str) -> Path | None:
    """Return the clone of "owner/name" among several: `name.git`, `name`, `owner+name`, or what is in a folder `repo` there."""
    owner, _, short = name.partition("/")
    for candidate in (f"{short}.git", short, f"{owner}+{short}/repo", f"{owner}+{short}", f"{owner}/{short}"):
        if (clones / candidate / "HEAD").is_file():
            return clones / candidate
        if (clones / candidate / ".git").is_dir():
            return clones / candidate / ".git"
    return None
