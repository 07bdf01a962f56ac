"""Reading the file of a saved stop. Nothing in it is run, imported or unpickled, and it is believed only as far as it was checked.

Whatever the bytes are, the outcome is a `Document` or `Unreadable`, within bounds of memory and time that depend on `max_size`.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final, NoReturn

from fixcont.errors import Refusal, Refused
from fixcont.postmortem.format import FORMAT, GZIP, VERSION
from fixcont.postmortem.shapes import BadShape, Shape

#: Bytes of a file, unpacked, that are read unless the caller says otherwise.
MAX_SIZE: Final = 64_000_000
_MAX_LINE: Final = 16_000_000
_MAX_VALUES: Final = 1_000_000
_LINE: Final = 256  # bytes that lines have at least, taken together
_MAX_EXCEPTIONS: Final = 1_000
_MAX_FIRST: Final = 1_000_000  # line at which a text may begin
_MAX_FIRSTS: Final = 20_000_000  # of all texts together: that many lines are put in front of them
_MAX_DIGITS: Final = 20  # of an integer that stands in JSON
_CHUNK: Final = 1 << 16
_GZIP_HEAD: Final = b"\x1f\x8b"


class Unreadable(Refused):
    """A file is no saved stop that can be read. Its refusal says why: "not-a-saved-stop", "damaged", "newer-format", "too-large", or
    "file-unreadable"."""


@dataclass(frozen=True)
class SavedText:
    """A text that frames ran, or a version of it.

    Attributes:
        first: the number of its first line in the file.
        is_certain: whether it is known to be what was loaded, not read from the file afterwards.
        is_whole: whether it is the whole file.
    """

    file: str
    first: int
    text: str
    is_certain: bool
    is_whole: bool


@dataclass(frozen=True)
class SavedParameters:
    names: tuple[str, ...]
    positional_only: int
    positional: int
    keyword_only: int
    collects_positional: bool
    collects_keywords: bool
    rebound: tuple[str, ...]


@dataclass(frozen=True)
class SavedFrame:
    """A frame of a stack.

    Attributes:
        span: line, column, end line, end column of the expression that failed or runs.
        text: index into the document's texts.
        module: index into the document's modules.
        variables: name -> reference; None where they were not saved.
        activation: the same number as for another frame where both are of the same call, at different times; None where that was not told.
        given: name -> reference to what the call gave for a parameter that is bound anew, where that was known.
    """

    function: str
    name: str
    file: str
    line: int
    first_line: int
    span: tuple[int, int, int, int] | None
    is_user: bool
    is_live: bool
    is_obsolete: bool
    text: int | None
    scope: str
    parameters: SavedParameters | None
    module: int | None
    variables: dict[str, Any] | None
    given: dict[str, Any]
    activation: int | None


@dataclass(frozen=True)
class SavedModule:
    name: str
    variables: dict[str, Any]


@dataclass(frozen=True)
class SavedException:
    """An exception. The others that it names are indexes into the document's exceptions."""

    type: tuple[str, str]
    builtin: tuple[str, ...]
    message: str | None
    value: Any
    stack: int | None
    notes: tuple[str, ...]
    cause: int | None
    context: int | None
    suppresses_context: bool
    members: tuple[int, ...]


@dataclass(frozen=True)
class SavedThread:
    name: str
    frames: tuple[tuple[str, str, int], ...]  #: function, file, line


@dataclass
class Document:
    """What is in a file.

    Attributes:
        version: of its format.
        time, reason, moment, late, thread, selected: of the stop.
        exception: index of the exception in flight.
        value: reference to what the innermost frame was about to return; None where that was not so.
        holes: why something was left out -> how often.
        process: what ran the program, as it lies in the file: strings, lists of them, and dictionaries of them.
        stacks: frames, innermost first; the first stack is that of the stop.
        left_out: stack -> how many frames in its middle were left out.
        values: the table of values, unchecked: see `rebuilding`.
    """

    version: tuple[int, int] = VERSION
    time: str = ""
    reason: str = ""
    moment: str = ""
    late: str = ""
    thread: str = ""
    selected: int = 0
    exception: int | None = None
    value: list[Any] | None = None
    holes: dict[str, int] = field(default_factory=dict)
    process: dict[str, Any] = field(default_factory=dict)
    texts: list[SavedText] = field(default_factory=list)
    modules: list[SavedModule] = field(default_factory=list)
    stacks: dict[int, list[SavedFrame]] = field(default_factory=dict)
    left_out: dict[int, int] = field(default_factory=dict)
    exceptions: list[SavedException] = field(default_factory=list)
    threads: list[SavedThread] = field(default_factory=list)
    values: list[dict[str, Any]] = field(default_factory=list)


def read(path: str, max_size: int = MAX_SIZE) -> Document:
    """Read a saved stop.

    Args:
        max_size: bytes, unpacked, beyond which it is refused.

    Raises:
        Unreadable: it cannot be.
    """
    try:
        with open(path, "rb") as stream:
            return _document(path, stream, max_size)
    except (OSError, ValueError) as error:  # a null byte in the name is a ValueError
        why = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise Unreadable(Refusal("file-unreadable", f"cannot read {path}: {why}")) from None


def _document(path: str, stream: BinaryIO, max_size: int) -> Document:
    lines = _parsed(path, _lines(path, stream, max_size))
    document = Document(version=_version(path, next(lines, None)))
    number = 1
    is_over = False
    try:
        for line in lines:
            if is_over:
                raise BadShape("there is something behind its end")
            number += 1
            is_over = _take(document, line, number)
        if not is_over:
            raise BadShape("its end is missing")
        _check_indexes(document)
    except BadShape as error:
        _damaged(path, str(error))
    return document


def _damaged(path: str, why: str) -> NoReturn:
    raise Unreadable(Refusal("damaged", f"{path} is damaged: {why}", "save the stop again, or copy the file again")) from None


def _too_large(path: str, what: str) -> NoReturn:
    sentence = f"{path} holds more than {what}"
    raise Unreadable(Refusal("too-large", sentence, "where you trust it, open it with --max-size BYTES")) from None


def _version(path: str, head: dict[str, Any] | None) -> tuple[int, int]:
    found = head.get("version") if head is not None and head.get("format") == FORMAT else None
    if type(found) is not list or len(found) != 2 or not all(type(each) is int for each in found):
        raise Unreadable(Refusal("not-a-saved-stop", f"{path} is not a saved stop of fixcont"))
    if found[0] > VERSION[0]:
        sentence = f"{path} has format {found[0]}.{found[1]}, and this fixcont knows {VERSION[0]}.{VERSION[1]}"
        raise Unreadable(Refusal("newer-format", sentence, "open it with a newer fixcont"))
    return found[0], found[1]


# -- bytes to lines


def _lines(path: str, stream: BinaryIO, max_size: int) -> Iterator[bytes]:
    """Unpack the file line by line."""
    parts: list[bytes] = []
    held = 0  # bytes of the line that is not complete
    number, most = 0, max_size // _LINE
    for piece in _unpacked(path, stream, max_size):
        *whole, rest = piece.split(b"\n")
        for line in whole:
            yield b"".join((*parts, line))
            parts, held = [], 0
            number += 1
            if number > most:
                _too_large(path, f"{most} lines")
        parts.append(rest)
        held += len(rest)
        if held > _MAX_LINE:
            _damaged(path, "one of its lines is too long")
    if held:
        _damaged(path, "its last line is not complete")


def _unpacked(path: str, stream: BinaryIO, max_size: int) -> Iterator[bytes]:
    unpacker = zlib.decompressobj(GZIP)
    size = 0
    is_first = True
    try:
        while not unpacker.eof:
            packed = unpacker.unconsumed_tail or stream.read(_CHUNK)
            if is_first and not packed.startswith(_GZIP_HEAD):
                raise Unreadable(Refusal("not-a-saved-stop", f"{path} is not a saved stop of fixcont"))
            is_first = False
            if not packed:
                _damaged(path, "it is cut short")
            piece = unpacker.decompress(packed, _CHUNK)
            size += len(piece)
            if size > max_size:
                _too_large(path, f"{max_size} bytes")
            yield piece
    except zlib.error:
        _damaged(path, "it cannot be unpacked")
    if unpacker.unused_data or stream.read(1):
        _damaged(path, "there is something behind its end")


def _parsed(path: str, lines: Iterator[bytes]) -> Iterator[dict[str, Any]]:
    for line in lines:
        try:
            found = _DECODER.decode(line.decode())
        except (ValueError, RecursionError):
            _damaged(path, "one of its lines is no JSON")
        if type(found) is not dict:
            _damaged(path, "one of its lines is no object")
        yield found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _integer(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:  # however many this process allows: reading them takes long
        raise ValueError("too many digits")
    return int(digits)


_DECODER: Final = json.JSONDecoder(parse_constant=_no_constant, parse_int=_integer)


# -- lines to what they mean


def _take(document: Document, line: dict[str, Any], number: int) -> bool:
    """Put a line into the document. Returns whether it is the last one."""
    shape = Shape(line)
    kind = shape.text("kind")
    if kind == "end":
        if shape.number("lines") != number:
            raise BadShape("lines are missing")
        return True
    take = _TAKERS.get(kind)
    if take is not None:  # there may be more in a later version
        take(document, shape)
    return False


def _take_stop(document: Document, shape: Shape) -> None:
    for name in ("time", "reason", "moment", "late", "thread"):
        setattr(document, name, shape.text(name))
    document.selected = shape.number("selected")
    document.exception = shape.index("exception")
    document.value = [shape.raw["value"]] if "value" in shape.raw else None
    document.holes = {name: each for name, each in shape.mapping("holes").items() if type(each) is int}


def _take_process(document: Document, shape: Shape) -> None:
    document.process = {
        name: each for name, each in shape.raw.items() if name != "kind" and (type(each) in (str, int) or _is_of_texts(each))
    }


def _is_of_texts(value: object) -> bool:
    if type(value) is list:
        return all(type(each) is str for each in value)
    return type(value) is dict and all(type(each) is str for each in value.values())


def _take_text(document: Document, shape: Shape) -> None:
    text = SavedText(
        shape.text("file"), shape.number("first"), shape.text("text"), shape.flag("is_certain"), shape.flag("is_whole")
    )
    if not 1 <= text.first <= _MAX_FIRST:
        raise BadShape("a text begins nowhere")
    document.texts.append(text)


def _take_module(document: Document, shape: Shape) -> None:
    document.modules.append(SavedModule(shape.text("name"), shape.mapping("variables")))


def _take_frame(document: Document, shape: Shape) -> None:
    inside = shape.inside("parameters")
    frame = SavedFrame(
        function=shape.text("function"),
        name=shape.text("name"),
        file=shape.text("file"),
        line=shape.line("line"),
        first_line=shape.line("first_line"),
        span=shape.span("span"),
        is_user=shape.flag("is_user"),
        is_live=shape.flag("is_live"),
        is_obsolete=shape.flag("is_obsolete"),
        text=shape.index("text"),
        scope=shape.text("scope"),
        parameters=None if inside is None else _parameters(inside),
        module=shape.index("module"),
        variables=shape.mapping("locals") if "locals" in shape.raw else None,
        given=shape.mapping("given") if "given" in shape.raw else {},
        activation=shape.index("activation") if "activation" in shape.raw else None,
    )
    document.stacks.setdefault(shape.number("stack"), []).append(frame)


def _parameters(shape: Shape) -> SavedParameters:
    found = SavedParameters(
        names=shape.texts("names"),
        positional_only=shape.number("positional_only"),
        positional=shape.number("positional"),
        keyword_only=shape.number("keyword_only"),
        collects_positional=shape.flag("collects_positional"),
        collects_keywords=shape.flag("collects_keywords"),
        rebound=shape.texts("rebound"),
    )
    number = found.positional + found.keyword_only + found.collects_positional + found.collects_keywords
    if found.positional_only > found.positional or number != len(found.names) or len(set(found.names)) != number:
        raise BadShape("a frame has other parameters than it says")
    return found


def _take_left_out(document: Document, shape: Shape) -> None:
    document.left_out[shape.number("stack")] = shape.number("frames")


def _take_exception(document: Document, shape: Shape) -> None:
    if len(document.exceptions) >= _MAX_EXCEPTIONS:
        raise BadShape("it has too many exceptions")
    document.exceptions.append(
        SavedException(
            type=shape.type("type"),
            builtin=shape.texts("builtin"),
            message=None if shape.raw.get("message") is None else shape.text("message"),
            value=shape.raw.get("value"),
            stack=shape.index("stack"),
            notes=shape.texts("notes") if "notes" in shape.raw else (),
            cause=shape.index("cause"),
            context=shape.index("context"),
            suppresses_context=shape.flag("suppresses_context"),
            members=shape.indexes("members"),
        )
    )


def _take_thread(document: Document, shape: Shape) -> None:
    frames = [Shape.of(each) for each in shape.array("frames")]
    found = tuple((each.text("function"), each.text("file"), each.line("line")) for each in frames)
    document.threads.append(SavedThread(shape.text("name"), found))


def _take_values(document: Document, shape: Shape) -> None:
    values = shape.array("values")
    if shape.number("first") != len(document.values) or len(document.values) + len(values) > _MAX_VALUES:
        raise BadShape("its values are not in order")
    if any(type(each) is not dict for each in values):
        raise BadShape("one of its values is no object")
    document.values += values


_TAKERS: Final = {
    "stop": _take_stop,
    "process": _take_process,
    "text": _take_text,
    "module": _take_module,
    "frame": _take_frame,
    "left out": _take_left_out,
    "exception": _take_exception,
    "thread": _take_thread,
    "values": _take_values,
}


def _check_indexes(document: Document) -> None:
    """See that what is named by its place is there."""
    if not document.reason:
        raise BadShape("the stop is missing")
    frames = document.stacks.get(0, [])
    if sum(each.first for each in document.texts) > _MAX_FIRSTS:
        raise BadShape("its texts begin too far down")
    if not (0 <= document.selected < len(frames) or (not frames and document.selected == 0)):
        raise BadShape("the selected frame is missing")
    stops = len(document.exceptions)
    named = [document.exception]
    for each in document.exceptions:
        named += [each.cause, each.context, *each.members]
    if any(each is not None and each >= stops for each in named):
        raise BadShape("an exception is missing")
    for stack in document.stacks.values():
        for frame in stack:
            if (frame.text or 0) >= max(1, len(document.texts)) or (frame.module or 0) >= max(1, len(document.modules)):
                raise BadShape("what a frame runs is missing")
            if (frame.text is not None and not document.texts) or (frame.module is not None and not document.modules):
                raise BadShape("what a frame runs is missing")
