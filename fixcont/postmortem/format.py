"""The file of a saved stop: what is at its head, and how it is written. The format is documented in docs/saved-stops.md."""

from __future__ import annotations

import contextlib
import json
import os
import zlib
from collections.abc import Iterable
from typing import Any, Final

from fixcont.errors import Refusal, Refused

#: In the first line of every file.
FORMAT: Final = "fixcont-saved-stop"
#: The first number grows where older readers would misread the file, the second where there is more that they can leave out.
VERSION: Final = (1, 1)
#: A `wbits` of zlib: with the head and the sum of gzip.
GZIP: Final = 31

_LEVEL: Final = 1
_VALUES_IN_LINE: Final = 200

Line = dict[str, Any]


def chunks(table: list[dict[str, Any]]) -> Iterable[Line]:
    """Give the lines for a table of values."""
    for first in range(0, len(table), _VALUES_IN_LINE):
        yield {"kind": "values", "first": first, "values": table[first : first + _VALUES_IN_LINE]}


def packed(lines: Iterable[Line]) -> bytes:
    """Give the content of a file with these lines, between the first line and the last one, which are added."""
    head = {"format": FORMAT, "version": list(VERSION)}
    compressor = zlib.compressobj(_LEVEL, zlib.DEFLATED, GZIP)
    encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False, check_circular=False).encode
    parts = []
    number = 1
    for line in (head, *lines):
        parts.append(compressor.compress(f"{encode(line)}\n".encode()))
        number += 1
    parts.append(compressor.compress(f"{encode({'kind': 'end', 'lines': number})}\n".encode()))
    parts.append(compressor.flush())
    return b"".join(parts)


def write(path: str, content: bytes) -> None:
    """Write a file as a whole, or leave what is there as it is. Only its owner can read it.

    Raises:
        Refused: "file-not-written".
    """
    folder, name = os.path.split(os.path.abspath(path))
    passing = os.path.join(folder, f".{name[:100]}.{os.urandom(6).hex()}.tmp")
    try:
        descriptor = os.open(passing, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        try:
            with open(descriptor, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(descriptor)
            os.replace(passing, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(passing)
            raise
    except (OSError, ValueError) as error:  # a null byte in the name is a ValueError
        why = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise Refused(
            Refusal("file-not-written", f"cannot write {path}: {why}", "name a file in a folder that is there")
        ) from None
