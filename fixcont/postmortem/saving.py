"""A stop, or the traceback of an exception, into a file: frames, texts, values, the chain of exceptions, threads, and what ran it all."""

from __future__ import annotations

import binascii
import datetime
import threading
from collections.abc import Callable, Hashable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from types import CodeType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from fixcont.bytecode.snapshots import forget_snapshot
from fixcont.errors import Unwinding
from fixcont.postmortem import plain
from fixcont.postmortem.asking import Answer, ask
from fixcont.postmortem.format import Line, chunks, packed, write
from fixcont.postmortem.objects import class_dictionary, classes, is_a, name_of, own_dictionary
from fixcont.postmortem.process import process_line, thread_lines
from fixcont.postmortem.redacting import reaching_secrets, redact_entries, redact_references
from fixcont.postmortem.redaction import Redaction
from fixcont.postmortem.stacks import Place, Stacks, places_of_stop, places_of_traceback
from fixcont.postmortem.values import Recorder
from fixcont.postmortem.wanted import Wanted

if TYPE_CHECKING:
    from fixcont.stopping.stop import Stop

_CHAIN: Final = 50  # exceptions of a chain, members of groups included
_LOOK: Final = 2_000  # characters of a `repr`
_MESSAGE: Final = 10_000
_PICKLE: Final = 1_000_000  # bytes of one


class Surroundings(NamedTuple):
    """What is known of the program beside the stop.

    Attributes:
        is_user: tells whether a file is the user's own.
        text_of: gives the lines that a code object was made from, None where they are not known for certain.
        versions_of: gives all texts of a file that were installed, oldest first; nothing where it was never edited.
        guard: gives what is entered while code of the program is called, so that nothing stops in it.
    """

    is_user: Callable[[str], bool]
    text_of: Callable[[CodeType], list[str] | None] = lambda code: None
    versions_of: Callable[[str], Sequence[str]] = lambda filename: ()
    guard: Callable[[], AbstractContextManager[object]] = nullcontext


class Saved(NamedTuple):
    """What was saved.

    Attributes:
        size: bytes of the file.
        values: how many, not counting short texts and numbers.
        holes: why something was left out -> how often.
    """

    path: str
    size: int
    frames: int
    values: int
    holes: dict[str, int]


class _About(NamedTuple):
    """What a stop is, without its frames."""

    reason: str
    moment: str
    late: str
    thread: str
    value: Any
    has_value: bool


def save_stop(stop: Stop, path: str, wanted: Wanted, around: Surroundings) -> Saved:
    """Save a stop.

    Args:
        path: the file, which is replaced as a whole where it is there.

    Returns:
        What is in it. Not undone: what the `repr` of objects did.

    Raises:
        Refused: "file-not-written".
    """
    returns = stop.moment.value == "return"
    about = _About(stop.reason.value, stop.moment.value, stop.late, stop.thread_name, stop.value, returns)
    return _Saving(wanted, around).save(about, places_of_stop(stop), stop.selected, stop.exception, path)


def save_exception(exception: BaseException, path: str, wanted: Wanted, around: Surroundings) -> Saved:
    """Save an exception with the frames that it came through, and those that are still alive around them. As `save_stop`."""
    places = places_of_traceback(exception.__traceback__, with_callers=True)
    about = _About("exception", "line", "", threading.current_thread().name, None, False)
    selected = next((number for number, each in enumerate(places) if around.is_user(each.raw.f_code.co_filename)), 0)
    try:
        return _Saving(wanted, around).save(about, places, selected, exception, path)
    finally:
        for place in places:
            forget_snapshot(place.raw)


class _Saving:
    """One save."""

    def __init__(self, wanted: Wanted, around: Surroundings) -> None:
        self._wanted = wanted
        self._around = around
        self._redaction = Redaction(wanted.redact)
        self._recorder = Recorder(wanted.limits, self._redaction)
        self._stacks = Stacks(self._recorder, wanted.limits, around)
        self._exceptions: list[BaseException] = []
        self._exception_lines: list[Line] = []

    def save(self, about: _About, places: Sequence[Place], selected: int, exception: BaseException | None, path: str) -> Saved:
        self._stacks.add(places)
        if exception is not None:
            self._exception(exception, is_first=True)
        stop = self._stop_line(about, selected, exception)
        self._recorder.run()
        process = process_line(self._redaction, self._wanted.environment)
        self._redact()
        self._ask()
        lines = self._lines(stop, process)
        content = packed(lines)
        write(path, content)
        holes = dict(self._recorder.holes)
        return Saved(path, len(content), len(places), len(self._recorder.table), holes)

    def _lines(self, stop: Line, process: Line) -> Iterable[Line]:
        yield stop | {"holes": dict(self._recorder.holes)}
        yield process
        yield from self._exception_lines
        yield from self._stacks.lines()
        yield from thread_lines()
        yield from chunks(self._recorder.table)

    def _stop_line(self, about: _About, selected: int, exception: BaseException | None) -> Line:
        line: Line = {
            "kind": "stop",
            "time": datetime.datetime.now(datetime.UTC).isoformat(),
            "reason": about.reason,
            "moment": about.moment,
            "late": about.late,
            "thread": readable(about.thread),
            "selected": selected,
            "exception": None if exception is None else 0,
        }
        if about.has_value:
            line["value"] = self._recorder.reference(about.value, 0)
        return line

    # -- exceptions

    def _exception(self, exception: BaseException, *, is_first: bool = False) -> int | None:
        """Note an exception and those that it hangs together with. Returns its number."""
        for number, known in enumerate(self._exceptions):
            if known is exception:
                return number
        if len(self._exceptions) >= _CHAIN or isinstance(exception, Unwinding):
            return None
        number = len(self._exceptions)
        self._exceptions.append(exception)
        kind = type(exception)
        line: Line = {
            "kind": "exception",
            "type": list(name_of(kind)),
            "builtin": [name_of(each)[1] for each in classes(kind) if name_of(each)[0] == "builtins" and each is not object],
            "message": None,
            "value": self._recorder.reference(exception, 0),
            "stack": 0 if is_first else self._stacks.add(places_of_traceback(exception.__traceback__)),
        }
        self._exception_lines.append(line)
        notes = own_dictionary(exception).get("__notes__")
        if type(notes) is list:
            line["notes"] = [each for each in notes if type(each) is str and plain.is_unicode(each)]
        # Past what a class may make of these names; the traceback is asked for as Python does.
        line["cause"] = self._linked(BaseException.__dict__["__cause__"].__get__(exception))
        line["context"] = self._linked(BaseException.__dict__["__context__"].__get__(exception))
        line["suppresses_context"] = bool(BaseException.__dict__["__suppress_context__"].__get__(exception))
        if is_a(exception, BaseExceptionGroup):
            members = BaseExceptionGroup.__dict__["exceptions"].__get__(exception)
            line["members"] = [found for each in members if (found := self._exception(each)) is not None]
        return number

    def _linked(self, exception: BaseException | None) -> int | None:
        return None if exception is None else self._exception(exception)

    # -- at the end

    def _redact(self) -> None:
        redaction = self._redaction
        if not redaction.has_secrets:
            return
        found = redact_entries(self._recorder.table, redaction.scrub)
        for names in self._stacks.variables():
            found += redact_references(names, redaction.scrub)
        self._stacks.change_texts(redaction.scrub_source)
        for line in self._exception_lines:
            if "notes" in line:
                line["notes"] = list(map(redaction.scrub, line["notes"]))
        if found:
            self._recorder.holes["redacted"] += found

    def _ask(self) -> None:
        """Ask objects for what only they can tell: messages of exceptions, then how objects look, then pickles."""
        table = self._recorder.table
        telling = reaching_secrets(table) if self._recorder.holes["redacted"] else set()
        looks = {number: value for number, value in self._recorder.to_look_at.items() if table[number].get("t") == "object"}
        questions: dict[Hashable, Callable[[], Any]] = {
            ("message", number): partial(_message, each)
            for number, each in enumerate(self._exceptions)
            if not (_quotes_arguments(each) and self._holds(self._exception_lines[number]["value"], telling))
        }
        questions |= {number: partial(_look, value) for number, value in looks.items() if number not in telling}
        answers = ask(questions, self._wanted.limits.repr_seconds, self._around.guard)
        for key, answer in answers.items():
            if type(key) is int:
                self._put_look(table[key], answer)
            elif type(key) is tuple:
                self._exception_lines[key[1]]["message"] = self._cleaned(answer.value)
        for number in looks.keys() & telling:
            table[number]["no_repr"] = "redacted"
        if self._wanted.pickles:
            self._ask_for_pickles(telling)

    def _holds(self, reference: Any, telling: set[int]) -> bool:
        """Tell whether one of an exception's arguments would tell a secret."""
        if type(reference) is not list:
            return False
        arguments = self._recorder.table[reference[0]].get("base", {}).get("v", [])
        return any(type(each) is dict and "hole" in each for each in arguments) or any(
            type(each) is list and each[0] in telling for each in arguments
        )

    def _put_look(self, entry: dict[str, Any], answer: Answer) -> None:
        if answer.failure:
            entry["no_repr"] = answer.failure
            self._recorder.holes["repr"] += 1
        else:
            entry["repr"] = self._cleaned(answer.value)

    def _ask_for_pickles(self, telling: set[int]) -> None:
        objects = self._recorder.objects()
        questions: dict[Hashable, Callable[[], Any]] = {
            number: partial(_pickle, value) for number, value in objects if number not in telling
        }
        for number, answer in ask(questions, self._wanted.limits.seconds, self._around.guard).items():
            assert type(number) is int
            if answer.failure:
                self._recorder.table[number]["no_pickle"] = answer.failure
            else:
                self._recorder.table[number]["pickle"] = answer.value

    def _cleaned(self, text: Any) -> str | None:
        return self._redaction.scrub(text) if type(text) is str else None


def _quotes_arguments(exception: BaseException) -> bool:
    """Tell whether the message of an exception is made of its arguments, by their own `repr`."""
    above = next(each for each in classes(type(exception)) if "__str__" in class_dictionary(each))
    return name_of(above)[0] == "builtins"


def _message(exception: BaseException) -> str:
    return readable(str(exception)[:_MESSAGE])


def _look(value: Any) -> str:
    text = repr(value)
    return readable(text if len(text) <= _LOOK else f"{text[:_LOOK]}… ({len(text)} characters)")


def _pickle(value: Any) -> str:
    import pickle

    data = pickle.dumps(value, protocol=4)
    if len(data) > _PICKLE:
        raise OverflowError
    return binascii.b2a_base64(data, newline=False).decode()


def readable(text: str) -> str:
    """Give a text that can be written: half surrogate pairs as escapes; of a subclass's object the text itself."""
    text = str.__str__(text)
    return text if plain.is_unicode(text) else text.encode("utf-8", "backslashreplace").decode()
