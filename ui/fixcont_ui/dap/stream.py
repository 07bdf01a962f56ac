"""The base protocol: messages in JSON, each behind a header that says how many bytes it has."""

from __future__ import annotations

import json
import math
import re
from collections import deque
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

MAX_LENGTH: Final = 64 * 1024 * 1024  # bytes of one message
MAX_DEPTH: Final = 200  # arrays and objects in each other; no message of the protocol comes near

_MAX_HEADER: Final = 8192  # bytes of one message's headers
_LENGTH_DIGITS: Final = 10  # a number of more digits is no length that could be skipped
_KEPT: Final = 64  # bytes that what _LENGTH_LINE finds may have, and more
_NAME: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_BEGIN_OF_LINE: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z\r-]")
_BEGIN: Final = re.compile(rb"content-length", re.IGNORECASE)
_LENGTH_LINE: Final = re.compile(rb"content-length[ \t]{0,8}:[ \t]{0,8}[0-9]{1,10}[ \t]{0,8}\r?\n", re.IGNORECASE)
_LENGTH_LINE_CUT: Final = re.compile(rb"content-length[ \t]{0,8}(:[ \t]{0,8}([0-9]{1,10}[ \t]{0,8}\r?)?)?\Z", re.IGNORECASE)
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
#: The headers as nearly all peers write them.
_PLAIN_HEADERS: Final = re.compile(rb"Content-Length: ([0-9]{1,10})\r\n\r\n")
_NO_BRACKETS: Final = bytes(set(range(256)) - set(b'[]{}"'))
_STRING: Final = re.compile(rb'"[^"]*+"?')
_NO_LENGTH: Final = "a message has no header Content-Length"


class Broken(NamedTuple):
    """Stands among the messages for something that is none.

    Attributes:
        reason: what is wrong with it, for people, without a full stop.
    """

    reason: str


class Head(dict[str, Any]):
    """A message of which nobody needs more than the first fields, which are those of this dict.

    Attributes:
        rest: the bytes behind these fields, as they came, from the comma or the last bracket on.
    """

    __slots__ = ("rest",)

    def __init__(self, fields: Mapping[str, Any], rest: bytes) -> None:
        super().__init__(fields)
        self.rest = rest


def with_field(message: Mapping[str, Any], name: str, value: Any) -> dict[str, Any]:
    """Give a message as it is, with another value for a field, which is the last one where it was not there."""
    changed = {**message, name: value}
    return Head(changed, message.rest) if isinstance(message, Head) else changed


def encode(message: Mapping[str, Any]) -> bytes:
    """Give the bytes of a message with its header. Lone surrogates, which UTF-8 cannot have, are escaped as JSON escapes them.

    Raises:
        ValueError: the message holds a number that JSON does not have, or holds itself.
        TypeError: it holds something else than JSON.
    """
    text = _ENCODER.encode(message)
    body = text.encode("utf-8", "backslashreplace")
    if type(message) is Head:
        body = body[:-1] + message.rest
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


class Decoder:
    """Takes the bytes that a peer sends, in pieces as they come, and gives its messages.

    What is no message is told by a `Broken` in its place, once; then the decoder looks for the next header. It does not raise,
    keeps no more than one message, and takes time linear in what it is fed. How the bytes are cut makes no difference.
    """

    def __init__(self, max_length: int = MAX_LENGTH) -> None:
        """`max_length`: how many bytes a message may have; a longer one is told as broken, and skipped without being stored."""
        self._max_length = max_length
        self._buffer = bytearray()
        self._at = 0  # where in the buffer the next thing begins
        self._seen = 0  # up to where the buffer has no end of the line that begins at `_at`
        self._header_size = 0  # bytes of the headers so far
        self._length: int | None = None  # what Content-Length has said, while the headers go on
        self._unsure_length: int | None = None  # what a header has said whose name has something printed in front of it
        self._body: int | None = None  # the size of the body that is being read
        self._skip = 0  # bytes of a body that is too long, still to come
        self._lost = False  # whether the next header is being looked for
        self._found: list[dict[str, Any] | Broken] = []

    def feed(self, data: bytes) -> list[dict[str, Any] | Broken]:
        """Take the next bytes. Returns what they complete, in order."""
        self._buffer += data
        while self._advance():
            pass
        del self._buffer[: self._at]
        self._seen = max(0, self._seen - self._at)
        self._at = 0
        found, self._found = self._found, []
        return found

    def _advance(self) -> bool:
        """Do the next step. Returns False where it needs more bytes."""
        if self._skip:
            return self._skip_body()
        if self._body is not None:
            return self._read_body(self._body)
        if self._lost:
            return self._look_for_header()
        return self._read_header_line()

    def _skip_body(self) -> bool:
        taken = min(self._skip, len(self._buffer) - self._at)
        self._at += taken
        self._skip -= taken
        return not self._skip

    # Headers

    def _read_header_line(self) -> bool:
        plain = None if self._header_size else _PLAIN_HEADERS.match(self._buffer, self._at)
        if plain is not None:
            self._at, self._length = plain.end(), int(plain[1])
            self._end_headers()
            return True
        end = self._buffer.find(b"\n", max(self._at, self._seen))
        if end < 0:
            self._seen = len(self._buffer)
            size = self._seen - self._at
            if self._header_size + size > _MAX_HEADER:
                self._lose("a header is too long")
                return True
            if size and not _BEGIN_OF_LINE.match(self._buffer, self._at):
                self._lose(_no_header(self._buffer[self._at : self._at + 1]))  # a peer that sends no headers need not end a line
                return True
            return False
        line = bytes(self._buffer[self._at : end]).removesuffix(b"\r")
        self._header_size += end + 1 - self._at
        if self._header_size > _MAX_HEADER:
            self._lose("a header is too long")
        elif line:
            self._take_header(line, end + 1)
        else:
            self._at = end + 1
            self._end_headers()
        return True

    def _take_header(self, line: bytes, end: int) -> None:
        name, colon, value = line.partition(b":")
        name, digits = name.rstrip(b" \t").lower(), value.strip(b" \t")
        is_length = digits.isdigit() and len(digits) <= _LENGTH_DIGITS
        if not colon or not _NAME.fullmatch(name):
            self._lose(_no_header(line if _BEGIN_OF_LINE.match(line) else line[:1]))
            return
        if name == b"content-length":
            if not is_length:
                self._lose(f"Content-Length is {_shown(digits)}, not a number of bytes")
                return
            if self._length not in (None, int(digits)):
                self._lose("a message has two headers Content-Length")
                return
            self._length = int(digits)
        elif name.endswith(b"content-length") and is_length:
            self._unsure_length = int(digits)
        self._at = end

    def _end_headers(self) -> None:
        length, unsure, size = self._length, self._unsure_length, self._header_size
        self._length, self._unsure_length, self._header_size = None, None, 0
        if length is None and unsure is not None:
            self._found.append(Broken(_NO_LENGTH))
            length = unsure
        if length is not None:
            if length > self._max_length:
                self._found.append(Broken(f"a message of {length} bytes is longer than {self._max_length}"))
                self._skip = length
            else:
                self._body = length
        elif size > len(b"\r\n"):  # an empty line between two messages does no harm
            self._lose(_NO_LENGTH)

    # Bodies

    def _read_body(self, length: int) -> bool:
        end = self._at + length
        if len(self._buffer) < end:
            return False
        body = bytes(self._buffer[self._at : end])
        self._body = None
        try:
            self._found.append(self._parsed(body))
        except (RecursionError, MemoryError):
            self._found.append(Broken("a message is too deeply nested"))
        except UnicodeDecodeError:
            self._lose_body("a message is not in UTF-8", body, end)
            return True
        except ValueError as error:
            self._lose_body(f"a message is no JSON: {error}", body, end)
            return True
        self._at = end
        return True

    def _parsed(self, body: bytes) -> dict[str, Any] | Broken:
        """Read a body. Raises `ValueError`, `RecursionError` or `MemoryError` where it cannot be read."""
        if is_too_deep(body):
            raise RecursionError
        message = _JSON.decode(body.decode("utf-8"))
        return message if type(message) is dict else Broken("a message is no JSON object")

    def _lose_body(self, reason: str, body: bytes, end: int) -> None:
        """Go on behind a body that is none: in it, if its length was wrong and the next message begins there.

        Line ends stand in JSON between things only, so what looks like a header is one. The last one is taken, so that nothing is
        read more than twice.
        """
        begin = end - len(body)
        headers = deque(_LENGTH_LINE.finditer(body), maxlen=1)
        self._at = begin + headers[0].start() if headers else max(begin, end - _KEPT)
        self._lose(reason)

    # Between messages, when it is not clear where the next one begins

    def _lose(self, reason: str) -> None:
        self._found.append(Broken(reason))
        self._lost = True
        self._length, self._unsure_length, self._header_size = None, None, 0

    def _look_for_header(self) -> bool:
        while begin := _BEGIN.search(self._buffer, self._at):
            self._at = begin.start()
            if _LENGTH_LINE.match(self._buffer, self._at):
                self._lost = False
                self._seen = self._at
                return True
            if _LENGTH_LINE_CUT.match(self._buffer, self._at):
                return False
            self._at += 1
        self._at = max(self._at, len(self._buffer) - len(b"content-length") + 1)
        return False


def is_too_deep(body: bytes) -> bool:
    """Whether arrays and objects are deeper in each other than `MAX_DEPTH`.

    Asked before the parser is, which overflows the stack where the program has set a high limit of recursion.
    """
    if body.count(b"[") + body.count(b"{") <= MAX_DEPTH:
        return False
    if b"\\" in body:
        body = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    # Two quotes side by side are the ends of one string, or stand between two: what is in a string stays in one without them.
    rest = body.translate(None, _NO_BRACKETS).replace(b'""', b"")
    depth = 0
    for byte in _STRING.sub(b"", rest) if b'"' in rest else rest:
        if byte in b"[{":
            depth += 1
            if depth > MAX_DEPTH:
                return True
        else:
            depth -= 1
    return False


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is no JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError(f"{digits[:40]} is too large")
    return number


#: Takes no number that `encode` could not write again.
_JSON: Final = json.JSONDecoder(parse_constant=_no_constant, parse_float=_finite)


def _no_header(line: bytes | bytearray) -> str:
    return f"{_shown(line)} is no header"


def _shown(data: bytes | bytearray) -> str:
    return repr(bytes(data[:40]).decode("ascii", "backslashreplace"))
