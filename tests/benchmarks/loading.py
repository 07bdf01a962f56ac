"""What loading costs: trapping a file against compiling it, and an import from the cache against a plain one."""

from __future__ import annotations

import gc
import importlib
import marshal
import os
import shutil
import statistics
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from time import process_time

from fixcont.bytecode.traps import trap
from fixcont.session import Session
from tests.benchmarks.measuring import Figure, NoStops, Size, pairs_in_turns, ratio_of, temporary_folder

_LIBRARY = Path(os.__file__).parent
#: Of all kinds and sizes, and harmless when they are imported again under another name.
_FILES = (
    "_pydecimal", "argparse", "ast", "bdb", "calendar", "cmd", "configparser", "copy", "csv", "dataclasses", "datetime", "difflib",
    "dis", "doctest", "fractions", "ftplib", "heapq", "inspect", "ipaddress", "locale", "mailbox", "optparse", "pathlib", "pdb",
    "pickle", "pickletools", "platform", "plistlib", "pprint", "pydoc", "random", "shutil", "smtplib", "ssl", "statistics",
    "subprocess", "tarfile", "textwrap", "tokenize", "traceback", "typing", "zipfile",
)  # fmt: skip
_SMOKE_FILES = ("cmd", "heapq")
_PREFIX = "loaded_again_"


def measure(size: Size) -> Iterator[Figure]:
    """Yield the ratios."""
    names = _SMOKE_FILES if size.is_smoke else _FILES
    paths = [path for name in names if (path := _LIBRARY / f"{name}.py").exists()]
    yield from _trapping(paths, size)
    yield from _importing(paths, size)


# -- trapping


def _trapping(paths: list[Path], size: Size) -> Iterator[Figure]:
    texts = [path.read_bytes() for path in paths]
    gc.collect()
    gc.disable()
    try:
        first, *rounds = [_compile_and_trap(paths, texts) for _ in range(1 + max(2, size.pairs // 3))]
    finally:
        gc.enable()
    whole = [(sum(one for one, _ in pairs), sum(other for _, other in pairs)) for pairs in rounds]
    worst = max(
        (statistics.median(pairs[index][1] / pairs[index][0] for pairs in rounds), path.name) for index, path in enumerate(paths)
    )
    yield ratio_of("trapping / compiling a file", whole, 1.0, f"{len(paths)} files; worst: {worst[1]} {worst[0]:.2f}")
    yield ratio_of("the same, the first time in the process", [(sum(one for one, _ in first), sum(other for _, other in first))])
    codes = [compile(text, str(path), "exec", dont_inherit=True) for path, text in zip(paths, texts, strict=True)]
    plain = sum(len(marshal.dumps(code)) for code in codes)
    trapped = sum(len(marshal.dumps(trap(code))) for code in codes)
    yield Figure("size of marshalled code", trapped / plain)


def _compile_and_trap(paths: list[Path], texts: list[bytes]) -> list[tuple[float, float]]:
    pairs = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for path, text in zip(paths, texts, strict=True):
            begin = process_time()
            code = compile(text, str(path), "exec", dont_inherit=True)
            between = process_time()
            trap(code)
            pairs.append((between - begin, process_time() - between))
    return pairs


# -- importing


def _importing(paths: list[Path], size: Size) -> Iterator[Figure]:
    with temporary_folder() as folder:
        names = []
        for path in paths:
            names.append(_PREFIX + path.stem)
            shutil.copy(path, folder / f"{names[-1]}.py")
        sys.path.insert(0, str(folder))
        writes = sys.dont_write_bytecode
        sys.dont_write_bytecode = False
        try:
            plain, cached = _Imports(names, active=False), _Imports(names, active=True)
            for _ in range(2):  # fill both caches, then read them once
                plain()
                cached()
            pairs = pairs_in_turns(plain, cached, size.pairs)
        finally:
            sys.dont_write_bytecode = writes
            sys.path.remove(str(folder))
            _forget(names)
        yield ratio_of("cached import / plain import", pairs, 1.1, f"{len(names)} files, read and executed")


class _Imports:
    """Imports modules anew at each call and returns the CPU seconds that it took."""

    def __init__(self, names: list[str], *, active: bool) -> None:
        self._names = names
        self._session = Session(NoStops()) if active else None

    def __call__(self) -> float:
        _forget(self._names)
        importlib.invalidate_caches()
        if self._session is not None:
            self._session.install()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                begin = process_time()
                for name in self._names:
                    importlib.import_module(name)
                return process_time() - begin
        finally:
            if self._session is not None:
                self._session.uninstall()


def _forget(names: list[str]) -> None:
    for name in names:
        sys.modules.pop(name, None)
