"""Keep code objects with traps in files beside the interpreter's own `.pyc` files."""

from __future__ import annotations

import _imp  # the one way to give unmarshalled code another file name at the speed of C; importlib does the same
import importlib.util
import marshal
import os
import sys
from collections.abc import Iterable
from types import CodeType

from fixcont.bytecode import interpreter

#: Changes with the layout of the files below. A change of the traps themselves changes the fingerprint.
FORMAT = 1

_MAGIC = importlib.util.MAGIC_NUMBER + FORMAT.to_bytes(4, "little")
_FINGERPRINT_SIZE = 8
_STAMP_SIZE = 16
_BUFFER_SIZE = 1 << 18
_HEADER_SIZE = len(_MAGIC) + _FINGERPRINT_SIZE + _STAMP_SIZE


class TrapCache:
    """Trapped code objects on disk, one file for each source file: `__pycache__/name.TAG-fixcont-FORMAT.pyc`.

    A file is good for one text (by modification time, in nanoseconds, and size), one fingerprint and the exact
    interpreter. What is damaged, outdated or unreadable counts as absent, and what cannot be written is not
    written: no method raises an OSError. `sys.pycache_prefix` and `sys.dont_write_bytecode` are honoured.
    Whether a file is in scope must be decided before the cache is asked.
    """

    def __init__(self, fingerprint: bytes) -> None:
        """Take what identifies the code that makes the traps, as `engine_fingerprint` gives it."""
        identity = b"\0".join([fingerprint, sys.version.encode(), repr(interpreter.FINGERPRINT).encode()])
        self._identity = _MAGIC + _hash(identity)
        # What is read into, again and again: to touch as much fresh memory would take longer than all the rest of the reading.
        self._spare: list[bytearray] = []

    def read(self, path: str, status: os.stat_result) -> CodeType | None:
        """Return the trapped code of a source file, or None.

        Args:
            path: the source file; the code objects get this as their file name.
            status: the file's status, taken before anything of it is read.
        """
        try:
            buffer = self._spare.pop()
        except IndexError:  # the first time, and while another thread reads
            buffer = bytearray(_BUFFER_SIZE)
        try:
            with open(self.path_for(path), "rb", buffering=0) as file:
                size = os.fstat(file.fileno()).st_size
                if size > len(buffer):
                    buffer = bytearray(size)
                view = memoryview(buffer)[: file.readinto(buffer)]
            if view[:_HEADER_SIZE] != self._identity + _stamp(status):
                return None
            code = marshal.loads(view[_HEADER_SIZE:])
        except (OSError, NotImplementedError, ValueError, EOFError, TypeError):
            return None
        finally:
            self._spare[:] = [buffer]
        if type(code) is not CodeType:
            return None
        _imp._fix_co_filename(code, path)  # type: ignore[attr-defined] # the project may have been moved since
        return code

    def write(self, path: str, status: os.stat_result, code: CodeType) -> None:
        """Keep the trapped code of a source file, where the interpreter would keep its own code."""
        if sys.dont_write_bytecode:
            return
        try:
            data = self._identity + _stamp(status) + marshal.dumps(code)
            _write_atomically(self.path_for(path), data, status.st_mode)
        except (OSError, NotImplementedError, ValueError):
            return

    def path_for(self, path: str) -> str:
        """Return the path of the file for a source file.

        Raises:
            NotImplementedError: this interpreter keeps no bytecode files.
        """
        place, name = os.path.split(importlib.util.cache_from_source(path))
        tag = f".{sys.implementation.cache_tag}"
        stem, _, optimisation = name.rpartition(tag)
        return os.path.join(place, f"{stem}{tag}-fixcont-{FORMAT}{optimisation}")


def engine_fingerprint(files: Iterable[str] | None = None) -> bytes:
    """Return what changes whenever the code that makes the traps changes.

    Args:
        files: source files to take instead of those of `fixcont.bytecode`.
    """
    contents = []
    for path in sorted(files if files is not None else _engine_files()):
        try:
            with open(path, "rb", buffering=0) as file:
                contents.append(file.read())
        except OSError:
            contents.append(path.encode(errors="surrogateescape"))
    return _hash(b"\0".join(contents))


def _engine_files() -> list[str]:
    directory = os.path.join(os.path.dirname(os.path.dirname(__file__)), "bytecode")
    try:
        return [os.path.join(directory, name) for name in os.listdir(directory) if name.endswith(".py")]
    except OSError:
        return [directory]


def _hash(data: bytes) -> bytes:
    # not hashlib: importing it costs more than all the work of this module
    return importlib.util.source_hash(data)


def _stamp(status: os.stat_result) -> bytes:
    return (status.st_mtime_ns & 0xFFFF_FFFF_FFFF_FFFF).to_bytes(8, "little") + status.st_size.to_bytes(8, "little")


def _write_atomically(path: str, data: bytes, mode: int) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    temporary = f"{path}.{os.getpid()}.{id(data)}"
    descriptor = os.open(temporary, os.O_EXCL | os.O_CREAT | os.O_WRONLY, (mode | 0o200) & 0o666)
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
        os.replace(temporary, path)
    except OSError:
        os.unlink(temporary)
        raise
