"""Keep code objects with traps in files beside the interpreter's own `.pyc` files."""

from __future__ import annotations

import _imp  # the one way to give unmarshalled code another file name at the speed of C; importlib does the same
import importlib.util
import marshal
import os
import sys
from collections.abc import Iterable
from types import CodeType
from typing import NamedTuple

from fixcont.bytecode import interpreter

#: Changes with the layout of the files below. A change of the traps themselves changes the fingerprint.
FORMAT = 1

_MAGIC = importlib.util.MAGIC_NUMBER + FORMAT.to_bytes(4, "little")
_NUMBER_SIZE = 8
_BUFFER_SIZE = 1 << 18
_COMPRESSED, _AS_IT_IS = b"z", b"="


class Entry(NamedTuple):
    """What is kept of a source file: its trapped code, and its text as `pack` gives it."""

    code: CodeType
    packed: bytes


class TrapCache:
    """Trapped code objects on disk, one file for each source file: `__pycache__/name.TAG-fixcont-FORMAT.pyc`.

    A file is good for one text (by modification time, in nanoseconds, and size), one fingerprint and the exact
    interpreter. What is damaged, outdated or unreadable counts as absent, and what cannot be written is not
    written: no method raises an OSError. `sys.pycache_prefix` and `sys.dont_write_bytecode` are honoured.
    Whether a file is in scope must be decided before the cache is asked.

    The text is kept too, for those who edit the file: to copy it, small as it is, takes an import less time than to read the
    source file, most of which goes into touching fresh memory.
    """

    def __init__(self, fingerprint: bytes) -> None:
        """Take what identifies the code that makes the traps, as `engine_fingerprint` gives it."""
        identity = b"\0".join([fingerprint, sys.version.encode(), repr(interpreter.FINGERPRINT).encode()])
        self._identity = _MAGIC + importlib.util.source_hash(identity)  # hashlib would cost more than all the rest
        # What is read into, again and again: to touch as much fresh memory would take longer than all the rest of the reading.
        self._spare: list[bytearray] = []

    def read(self, path: str, status: os.stat_result) -> Entry | None:
        """Return what is kept of a source file, or None.

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
            return self._entry(view, path, status)
        except (OSError, NotImplementedError, ValueError, EOFError, TypeError):
            return None
        finally:
            self._spare[:] = [buffer]

    def _entry(self, view: memoryview, path: str, status: os.stat_result) -> Entry | None:
        stamp = self._identity + _stamp(status)
        sizes, begin = len(stamp), len(stamp) + 2 * _NUMBER_SIZE
        text_size = int.from_bytes(view[sizes : sizes + _NUMBER_SIZE], "little")
        body = begin + text_size
        if view[:sizes] != stamp or view[sizes + _NUMBER_SIZE : begin] != _number(len(view) - body):
            return None
        code = marshal.loads(view[body:])
        if type(code) is not CodeType:
            return None
        _imp._fix_co_filename(code, path)  # type: ignore[attr-defined] # the project may have been moved since
        return Entry(code, bytes(view[begin:body]))

    def write(self, path: str, status: os.stat_result, entry: Entry) -> None:
        """Keep what belongs to a source file where the interpreter would keep its own code."""
        if sys.dont_write_bytecode:
            return
        try:
            body = marshal.dumps(entry.code)
            header = self._identity + _stamp(status) + _number(len(entry.packed)) + _number(len(body))
            _write_atomically(self.path_for(path), header + entry.packed + body, status.st_mode)
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
    return importlib.util.source_hash(b"\0".join(contents))


def _engine_files() -> list[str]:
    directory = os.path.join(os.path.dirname(os.path.dirname(__file__)), "bytecode")
    try:
        return [os.path.join(directory, name) for name in os.listdir(directory) if name.endswith(".py")]
    except OSError:
        return [directory]


def pack(text: bytes) -> bytes:
    """Return a text in a form that takes less room, for `unpack`."""
    try:
        import zlib
    except ImportError:  # an interpreter without it
        return _AS_IT_IS + text
    return _COMPRESSED + zlib.compress(text, 1)


def unpack(packed: bytes) -> bytes | None:
    """Return a text that was packed; None if it is damaged."""
    if packed[:1] == _AS_IT_IS:
        return packed[1:]
    try:
        import zlib

        return zlib.decompress(memoryview(packed)[1:])
    except Exception:  # zlib.error, which has no name where there is no zlib
        return None


def _number(number: int) -> bytes:
    return (number & 0xFFFF_FFFF_FFFF_FFFF).to_bytes(_NUMBER_SIZE, "little")


def _stamp(status: os.stat_result) -> bytes:
    return _number(status.st_mtime_ns) + _number(status.st_size)


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
