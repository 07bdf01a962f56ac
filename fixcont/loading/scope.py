"""Which files are the user's own: only their code gets traps, and only their frames are stopped in."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Sequence
from types import CodeType

from fixcont import filenames

#: Words for a pattern that are not patterns.
PROJECT = "project"
EVERYTHING = "everything"

#: Directories whose whole content was installed, and not written, by the user.
_INSTALLED = frozenset({"site-packages", "dist-packages"})
#: The front ends may lie anywhere, and the engine imports nothing of them: they are known by the name of their package.
_FRONT_ENDS = f"{__name__.partition('.')[0]}_ui"


class _Verdicts(dict[str, bool]):
    """File name as code objects give it -> whether it is the user's. Filled as it is asked."""

    def __init__(self, decide: Callable[[str], bool]) -> None:
        super().__init__()
        self._decide = decide
        self._directories: dict[str, str] = {}  # as it is named -> where it is

    def __missing__(self, filename: str) -> bool:
        if is_pseudo(filename):
            return False  # not kept: programs make up such names without end
        verdict = self[filename] = self._decide(self._real_path(filename))
        return verdict

    def _real_path(self, filename: str) -> str:
        """Do as `os.path.realpath`, which looks at each directory of a path; but a process has many files in few directories."""
        named, name = os.path.split(filename)
        if os.path.islink(filename) or name in ("", os.curdir, os.pardir):
            return filenames.real(filename)
        directory = self._directories.get(named)
        if directory is None:
            directory = self._directories[named] = filenames.real(named)
        return os.path.join(directory, name)


class Scope:
    """The files that are the user's own.

    A pattern is one of

    - "project": every file that lies neither in the standard library nor below a directory named `site-packages` or
      `dist-packages`;
    - "everything": every file, those of libraries too;
    - a path: "src/**/*.py", "*/vendored/*", "/home/me/tool/". `*` stands for any text, slashes too, and `**/` also for nothing.
      A path that starts neither with a slash nor with `*` is below the current directory of now. A directory
      stands for all that is in it;
    - the dotted name of a module or a package: "mypkg", "mypkg.sub", "mypkg.*". It stands for all that is below it, too.

    Several patterns add up. Never in scope are the files of fixcont itself, and names that no file can have, such
    as `<string>` and `<frozen os>`: what `exec` runs has no text that could be edited.
    Symbolic links are followed: a file is where its content is. Each name is looked at once.
    """

    def __init__(self, patterns: Sequence[str] = (PROJECT,)) -> None:
        self.patterns = tuple(patterns)
        self._own = _own_directories()
        self._standard = _standard_library()
        self._project = PROJECT in self.patterns
        self._everything = EVERYTHING in self.patterns
        named = [pattern for pattern in self.patterns if pattern not in (PROJECT, EVERYTHING)]
        self._paths = [_path_pattern(pattern) for pattern in named if _is_path(pattern)]
        self._modules = [_module_pattern(pattern) for pattern in named if not _is_path(pattern)]
        self._verdicts = _Verdicts(self._decide)

    def is_user(self, filename: str) -> bool:
        """Say whether a file, named as code objects name it, is the user's own."""
        return self._verdicts[filename]

    def is_user_code(self, code: CodeType) -> bool:
        """Say whether a code object comes from a file of the user's own."""
        return self._verdicts[code.co_filename]

    def _decide(self, path: str) -> bool:
        if is_below(path, self._own) or _FRONT_ENDS in _parts(path):
            return False
        if self._everything or (self._project and not self._is_library(path)):
            return True
        if any(pattern.fullmatch(path) for pattern in self._paths):
            return True
        return bool(self._modules) and any(pattern.fullmatch(name) for name in _dotted_names(path) for pattern in self._modules)

    def _is_library(self, path: str) -> bool:
        return is_below(path, self._standard) or not _INSTALLED.isdisjoint(_parts(path))


def is_pseudo(filename: str) -> bool:
    """Say whether a code object's file name is one that no file has: empty, `<string>`, `<frozen os>`."""
    return not filename or (filename[0] == "<" and filename[-1] == ">")


def is_below(path: str, directories: Sequence[str]) -> bool:
    """Say whether a path lies in one of some directories, which end in a separator."""
    return os.path.normcase(path).startswith(tuple(directories))


def _parts(path: str) -> list[str]:
    return os.path.normpath(path).split(os.sep)


def _directory(path: str) -> str:
    """Return a directory in the form that `is_below` takes."""
    return os.path.join(os.path.normcase(os.path.realpath(path)), "")


def _own_directories() -> tuple[str, ...]:
    return (_directory(os.path.dirname(os.path.dirname(__file__))),)


def _standard_library() -> tuple[str, ...]:
    """Return where the standard library lies: its directory, its half for this platform, the zip file it may be in.

    `sysconfig` knows too, but importing it costs as much as the whole of this package.
    """
    library = os.path.dirname(os.__file__)
    name = os.path.basename(library)
    platform_half = os.path.join(sys.base_exec_prefix, sys.platlibdir, name)
    zipped = os.path.join(os.path.dirname(library), name.replace(".", "") + ".zip")
    return tuple({_directory(place) for place in (library, platform_half, zipped)})


def _is_path(pattern: str) -> bool:
    return "/" in pattern or os.sep in pattern or pattern.endswith(".py") or "**" in pattern


def _path_pattern(pattern: str) -> re.Pattern[str]:
    if not pattern.startswith("*"):
        pattern = os.path.join(os.getcwd(), os.path.expanduser(pattern))
        if "*" not in pattern and "?" not in pattern:
            pattern = os.path.realpath(pattern)
            if os.path.isdir(pattern):
                pattern = os.path.join(pattern, "*")
        else:
            pattern = os.path.normpath(pattern)
    return re.compile(_expression(pattern), re.DOTALL)


def _module_pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(_expression(pattern.removesuffix(".*")) + r"(?:\..*)?", re.DOTALL)


def _expression(pattern: str) -> str:
    pieces = re.split(r"(\*\*/|\*+|\?)", pattern.replace(os.sep, "/") if os.sep != "/" else pattern)
    wild = {"**/": "(?:.*/)?", "?": "[^/]"}
    written = [wild.get(piece, ".*") if piece[:1] in ("*", "?") else re.escape(piece) for piece in pieces]
    return "".join(written).replace("/", r"[/\\]") if os.sep != "/" else "".join(written)


def _dotted_names(path: str) -> set[str]:
    """Return the names under which a file can be imported: from each directory of `sys.path`, and by its packages."""
    stem = os.path.splitext(path)[0]
    roots = {os.path.realpath(entry or os.curdir) for entry in sys.path}
    roots.add(_package_root(os.path.dirname(path)))
    below = [stem[len(root) :].strip(os.sep) for root in roots if stem.startswith(os.path.join(root, ""))]
    return {".".join(name.split(os.sep)).removesuffix(".__init__") for name in below}


def _package_root(directory: str) -> str:
    """Return the innermost directory around a file that is not a package itself."""
    while os.path.isfile(os.path.join(directory, "__init__.py")) and os.path.dirname(directory) != directory:
        directory = os.path.dirname(directory)
    return directory
