"""Write a text back into the user's file: whole or not at all, and only over what is known to be there."""

from __future__ import annotations

import contextlib
import os
import tempfile

from fixcont.errors import Refusal, Refused


def write_back(filename: str, expected: bytes | None, text: bytes) -> None:
    """Replace what a file says, keeping its mode. Where the name is a link, the file that it leads to is replaced.

    Args:
        expected: what the file must say now, unless it says `text` already; None where it is known to say something else.
        text: byte for byte, line ends and all.

    Raises:
        Refused: the file says something else, or cannot be written; it is as it was.
    """
    path = os.path.realpath(filename)
    try:
        status = os.stat(path)
        descriptor, temporary = tempfile.mkstemp(prefix=f".{os.path.basename(path)}.", dir=os.path.dirname(path))
    except OSError as error:
        raise _not_written(filename, error) from error
    try:
        with open(descriptor, "wb") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        with contextlib.suppress(OSError):
            os.chown(temporary, status.st_uid, status.st_gid)
        os.chmod(temporary, status.st_mode & 0o7777)
        if _is_to_be_replaced(filename, path, expected, text):
            os.replace(temporary, path)
        else:
            _remove(temporary)
    except OSError as error:
        _remove(temporary)
        raise _not_written(filename, error) from error
    except BaseException:
        _remove(temporary)
        raise


def _is_to_be_replaced(filename: str, path: str, expected: bytes | None, text: bytes) -> bool:
    with open(path, "rb") as stream:
        found = stream.read()
    if found not in (expected, text):
        sentence = f"{filename} was changed after the text that was undone had been installed, and is left alone"
        raise Refused(Refusal("file-changed", sentence, "edit it, or save it again to have it installed"))
    return found != text


def _not_written(filename: str, error: OSError) -> Refused:
    reason = error.strerror or type(error).__name__
    return Refused(Refusal("file-not-written", f"{filename} cannot be written: {reason}", "write it back in your editor"))


def _remove(path: str) -> None:
    with contextlib.suppress(OSError):
        os.remove(path)
