"""A saved stop on the present code: its frames as post-mortem frames of it, which can be replayed.

Each frame is one of the version that ran, as the present interpreter compiles it; the present file counts as the version that came after it. So
all that is known of edited functions holds for it: which function is which, which parameters are new, which statement took the place of which.
"""

from __future__ import annotations

import io
import tokenize
from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from types import CodeType, FrameType, FunctionType, TracebackType
from typing import Any, Protocol

from fixcont.bytecode import interpreter
from fixcont.bytecode.spans import unit_with
from fixcont.continuing.arguments import Arguments
from fixcont.continuing.ways import Replay, Resume, UseValue, Way
from fixcont.errors import Refusal, Refused
from fixcont.postmortem.arguments import arguments_for
from fixcont.postmortem.dead import Context, PostMortem, Texts
from fixcont.postmortem.dead_frames import dead_frame
from fixcont.postmortem.filling import Filling
from fixcont.postmortem.holes import Found, NotSaved, find_holes, names_of, same_path
from fixcont.postmortem.locating import MAIN
from fixcont.postmortem.objects import is_a
from fixcont.postmortem.opening import Opened, OpenedFrame, call_of
from fixcont.postmortem.present import Loads, PresentCode
from fixcont.postmortem.rebuild import Rebuilding
from fixcont.postmortem.reviving import Reviver
from fixcont.postmortem.stacks import names_read
from fixcont.postmortem.standins import Hole, Saved, SavedFunction
from fixcont.stopping.frames import Frame, write_locals
from fixcont.stopping.stop import Stop

_set_traceback = BaseException.__dict__["__traceback__"].__set__  # past what a class may make of the name
_Entry = tuple[FrameType, int, int]  # frame, byte offset of the instruction, line
_ATOMS = (type(None), bool, int, float, str, bytes)


class Related(Texts, Protocol):
    """Texts of which some ran elsewhere."""

    def remember_earlier(self, filename: str, source: bytes) -> bool: ...
    def code_of(self, filename: str, qualname: str, line: int, source: bytes) -> CodeType | None: ...
    def newest_function(self, code: CodeType, namespace: dict[str, Any], /) -> FunctionType | None: ...
    def newest_source(self, filename: str) -> bytes | None: ...


class Home(Context, Loads, Protocol):
    """What a saved stop needs of the session in which it is replayed."""

    @property
    def sources(self) -> Related: ...
    def install(self) -> None: ...
    def at_work(self) -> AbstractContextManager[None]: ...


class Reopened:
    """A saved stop, and the present code of its program once that is loaded.

    Args:
        session: it is installed when the code is loaded, unless it is. A front end that has Ctrl-C for itself at a stop installs it before.
        roots: folders below which the present files are looked for; see `locate`.

    Attributes:
        opened: what was read.
        code: the present files.
        post: the stop on the present code; None before that is loaded.
    """

    def __init__(self, session: Home, opened: Opened, roots: Sequence[str] = ()) -> None:
        self._session = session
        self.opened = opened
        self.code = PresentCode(session, opened, roots)
        self.post: Revived | None = None

    @property
    def stop(self) -> Stop:
        """What is to be shown: the stop as it was saved, or, once there is one, that on the present code."""
        return self.opened.stop if self.post is None else self.post.stop

    def present_file(self, saved: str) -> str | None:
        """Give the file here that is taken for one of the saved stop, None where there is none."""
        self.code.look_again(saved)
        located = self.code.files.get(saved)
        return located.path if located is not None and located.path else None

    def refusal_of(self, frame: Frame) -> Refusal | None:
        """Tell why the function of a frame of the saved stop cannot be loaded, as far as that is known before."""
        saved = frame.saved if isinstance(frame, OpenedFrame) else None
        if saved is None or saved.file not in self.code.files:
            sentence = f"{frame.function} is not in the scope of the user's own files"
            return Refusal("not-trapped", sentence, "select a frame of your own")
        return self.code.files[saved.file].refusal

    def load(self, selected: Frame, stop: Stop | None = None) -> Revived:
        """Load the present code, and make the stop anew on it. Runs the top level of its modules, unless they are loaded.

        Not undone where it is refused: the modules that could be loaded are. What the user has assigned in the saved stop is kept.

        Args:
            selected: a frame of the saved stop or of that on the present code, whose function must be there; the others need not.
            stop: that of the exception of the chain that is looked at; the saved stop unless given.

        Returns:
            The frames of that exception. Where the file of the frame could not be loaded before, and now is, they are others.

        Raises:
            Refused: its module cannot be loaded.
        """
        if self.post is None:
            with self._session.at_work():
                self._load(selected)
                self.post = self._like(Revived(self._session, self.opened, self.code), stop)
        elif self.post.lacks(selected):
            with self._session.at_work():
                self._load(self.post.predecessor(selected))
                self.post.look_again()
        return self.post

    def _load(self, selected: Frame) -> None:
        """Load the files that are not loaded yet. Raises `Refused` where that of a frame of the saved stop is not among those that now are."""
        for saved in self.code.files:
            self.code.look_again(saved)
        refusal = self.refusal_of(selected)
        if refusal is None:
            self._session.install()
            self.code.load()
            refusal = self.code.refusals.get(selected.saved.file) if isinstance(selected, OpenedFrame) else None
        if refusal is not None:
            raise Refused(refusal)

    def _like(self, post: Revived, stop: Stop | None) -> Revived:
        """Give the frames of the same exception of the chain as those of a stop that was opened."""
        before = self.opened.exceptions
        at = next((at for at, each in enumerate(before) if stop is not None and each is stop.exception), -1)
        return post.of(post.exceptions[at]) if at >= 0 and len(before) == len(post.exceptions) else post


class Revived(PostMortem):
    """A saved stop whose values and functions are the present program's.

    Attributes:
        taken_over: names of the main module's variables that are those of the saved stop, as what binds them was not run.
        notes: what else could not be taken over: sentences.
    """

    keeps_sets = False  # it depends on hashes and addresses

    def __init__(self, session: Home, opened: Opened, code: PresentCode) -> None:
        self._code = code
        self._opened = opened
        self._sources = session.sources
        self._reviver = Reviver(code.find_module)
        self._saved: dict[FrameType, OpenedFrame] = {}
        self._new: list[tuple[FrameType, OpenedFrame]] = []  # made, and not yet given what the user had assigned
        self._without: dict[FrameType, Refusal] = {}  # frames of the opened stop for which none could be made
        self._at_entry: dict[FrameType, dict[str, Any]] = {}  # what the call gave for parameters that were bound anew
        self._given: dict[int, dict[str, Any]] = {}  # id of a module's namespace -> what was put there
        self.taken_over: list[str] = []
        self._entries: dict[FrameType, _Entry] = {}  # frame of the opened stop -> its successor
        self._calls: dict[Hashable, FrameType] = {}  # what is equal for frames of one call -> the one that was made for it
        self._codes: dict[Hashable, tuple[CodeType | None, bool]] = {}
        self._related: dict[tuple[str, int], bool] = {}  # path and number of a text -> whether it is known as the one before
        self._revived = [self._reviver.exception(each) for each in opened.exceptions]
        traceback = self._set_tracebacks()
        super().__init__(session, self._revived[-1] if self._revived else None, traceback)
        self._take_over()
        self.notes = list(self._reviver.notes)

    def _set_tracebacks(self) -> TracebackType | None:
        """Let each exception of the chain have come through the frames that are made for it. Returns the traceback of the last one."""
        opened = self._opened
        # Many exceptions may have one traceback: id of that of the opened stop -> that for it.
        made: dict[int, TracebackType | None] = {}
        for old, new in zip(opened.exceptions[:-1], self._revived[:-1], strict=True):
            if id(old.__traceback__) not in made:
                made[id(old.__traceback__)] = self._traceback(opened.came_through(old))
            _set_traceback(new, made[id(old.__traceback__)])
        traceback = self._traceback(opened.stop.frames)
        if self._revived:
            _set_traceback(self._revived[-1], traceback)
        return traceback

    def _take_over(self) -> None:
        """Let new frames have what the user had assigned in the saved stop, and let go of those that they come from."""
        for raw, frame in self._new:
            self._assign_again(raw, frame)
            frame.release()
        self._new.clear()

    # -- what could not be loaded at first

    def lacks(self, frame: Frame) -> bool:
        """Tell whether there is no code here for a frame, as far as was seen when the code was loaded."""
        return frame.raw in self._without

    def predecessor(self, frame: Frame) -> Frame:
        """Give the frame of the saved stop that one which is lacking code stands for."""
        return self._opened.frames[frame.raw]

    def look_again(self) -> None:
        """Make the frames that could not be made, from what is loaded by now. The stops of the whole chain are other ones afterwards."""
        for raw in list(self._without):
            del self._entries[raw], self._without[raw]
        self._codes.clear()
        self._related.clear()
        traceback = self._set_tracebacks()
        self._note_values([traceback, *(each.__traceback__ for each in self._revived)])
        for each in self._of.values():
            is_last = each.exception is (self._revived[-1] if self._revived else None)
            each._look_at(each.exception, traceback if is_last else each.exception.__traceback__)
        self._take_over()

    def index_of(self, frame: Frame) -> int:
        """Give the place in the stop of what was made for a frame of the saved stop; where nothing was, of the frame to show first."""
        entry = self._entries.get(frame.raw)
        places = (at for at, each in enumerate(self.stop.frames) if entry is not None and each.raw is entry[0])
        return next(places, self.stop.selected)

    # -- frames

    def _traceback(self, frames: Sequence[Frame]) -> TracebackType | None:
        """Make a traceback through frames of the opened stop, the innermost first."""
        found: TracebackType | None = None
        for frame in frames:
            if frame.raw not in self._entries:
                assert isinstance(frame, OpenedFrame)
                self._entries[frame.raw] = self._entry(frame)
            raw, lasti, line = self._entries[frame.raw]
            found = TracebackType(found, raw, lasti, line)
        return found

    def _entry(self, frame: OpenedFrame) -> tuple[FrameType, int, int]:
        """Make a frame of the present program, where its module is loaded. Returns it, its instruction and its line."""
        saved = frame.saved
        module = self._code.modules.get(saved.file)
        if module is None:
            raw = frame.raw
            self._without[raw] = self._code.refusals.get(saved.file) or Refusal(
                "not-trapped", f"{saved.function} is not in the scope of the user's own files", "select a frame of your own"
            )
            return raw, -1, frame.line
        path = self._code.files[saved.file].path
        code, is_same = self._code_for(path, frame)
        if code is None:
            sentence = f"{saved.function} is neither in the text that was saved nor in {path}, as this Python compiles them"
            self._without[frame.raw] = Refusal("function-gone", sentence, "select its caller")
            return frame.raw, -1, frame.line
        space = vars(module)
        self._put_globals(path, space, frame)
        raw = self._frame_of_call(code, space, frame)
        unit = unit_with(code, frame.span, frame.line) if is_same else -1
        return raw, 2 * unit if unit >= 0 else -1, frame.line

    def _frame_of_call(self, code: CodeType, space: dict[str, Any], frame: OpenedFrame) -> FrameType:
        """Give the frame that was made for the same call as it is in another traceback; else make one."""
        call = call_of(frame)
        raw = self._calls.get(call) if call is not None else None
        if raw is None:
            raw = dead_frame(code, space, {name: self._reviver.value(each) for name, each in self._before(frame).items()})
            self._saved[raw] = frame
            self._at_entry[raw] = {name: self._reviver.value(value) for name, value in frame.given.items()}
            if call is not None:
                self._calls[call] = raw
        self._new.append((raw, frame))
        return raw

    def _frame(self, raw: FrameType, line: int, lasti: int) -> Frame:
        frame = super()._frame(raw, line, lasti)
        frame.given = self._at_entry.get(raw, {})
        return frame

    def _code_for(self, path: str, frame: OpenedFrame) -> tuple[CodeType | None, bool]:
        """Give code of the version that ran, and whether it is; else, where its text is not known, of the present one."""
        saved = frame.saved
        key = path, saved.function, saved.first_line, saved.text
        if key not in self._codes:
            self._codes[key] = self._find_code(path, frame)
        return self._codes[key]

    def _find_code(self, path: str, frame: OpenedFrame) -> tuple[CodeType | None, bool]:
        saved = frame.saved
        if saved.text is not None and self._is_related(path, saved.text, frame):
            code = self._sources.code_of(path, saved.function, saved.first_line, _encoded(frame.text))
            if code is not None:
                return code, True
        present = self._sources.newest_source(path)
        return (None if present is None else self._sources.code_of(path, saved.function, 0, present)), False

    def _is_related(self, path: str, number: int, frame: OpenedFrame) -> bool:
        """Let a whole text that ran be known as the one before the present one. Returns whether it is."""
        if (path, number) not in self._related:
            source = _encoded(frame.text)
            is_whole = self._opened.document.texts[number].is_whole
            self._related[path, number] = bool(source) and is_whole and self._sources.remember_earlier(path, source)
        return self._related[path, number]

    def _before(self, frame: OpenedFrame) -> dict[str, Any]:
        """Give the variables of a frame of the saved stop, as they were when it was opened."""
        return {name: each for name, each in frame.variables.items() if not _is_unbound(each)}

    def _assign_again(self, raw: FrameType, frame: OpenedFrame) -> None:
        """Let a frame have what the user had assigned in the saved stop: it is then not taken for what the call gave."""
        now = dict(frame.raw.f_locals) if raw.f_code.co_flags & interpreter.OPTIMIZED else {}
        changed = {name: each for name, each in now.items() if each is not frame.variables.get(name) and not _is_unbound(each)}
        self._write(raw, {name: self._reviver.value(each) for name, each in changed.items()})

    def _put_globals(self, path: str, space: dict[str, Any], frame: OpenedFrame) -> None:
        """Give the main module what its statements that were not run have bound."""
        located = self._code.files[frame.saved.file]
        if not located.is_main:
            return
        for name, each in frame.space.items():
            if name not in space and not (name.startswith("__") and name.endswith("__")) and not _is_definition(each):
                space[name] = self._reviver.value(each)
                self._given.setdefault(id(space), {})[name] = None
                self.taken_over.append(name)

    @staticmethod
    def _write(raw: FrameType, values: Mapping[str, Any]) -> None:
        if values:
            known: Any = raw.f_locals
            known.update(values)
            write_locals(raw, known)

    # -- what may be done

    def function_of(self, frame: Frame) -> FunctionType | None:
        if frame.raw not in self._saved:
            return None
        return self._sources.newest_function(frame.code, frame.raw.f_globals)

    def arguments_of(self, frame: Frame, given: Mapping[str, Any]) -> Arguments:
        """As for every post-mortem stop; it raises `Refused` where there are holes in them, too."""
        self.check_frame(frame)
        found = super().arguments_of(frame, given)
        holes = find_holes(self._parameters(frame, found), self._reviver.is_made)
        refusal = self._holes_refusal(holes, frame, may_have_them=False)
        if refusal is not None:
            raise Refused(refusal)
        return found

    def check_frame(self, frame: Frame) -> None:
        refusal = self._without.get(frame.raw)
        if refusal is None and frame.raw not in self._saved:
            refusal = Refusal("not-trapped", f"there is no code here for {frame.function}", "select a frame of your own")
        if refusal is not None:
            raise Refused(refusal)
        if frame.code.co_name == "<module>" and not frame.code.co_flags & interpreter.OPTIMIZED:
            sentence = "to run a module again is to run the program, and its variables are not those that it had"
            raise Refused(Refusal("module-frame", sentence, "replay a function that it has called, or run the program"))

    def refusal_of(self, way: Way) -> Refusal | None:
        """As for every post-mortem stop; besides, where the program would get holes, unless the way lets it."""
        refusal = super().refusal_of(way)
        if refusal is not None or not isinstance(way, Replay):
            return refusal
        found = self.holes_for(way)  # which tells the holes their names, too
        return None if way.with_holes else self._holes_refusal(found, way.frame)

    def plan(self, way: Resume | UseValue, *, with_holes: bool = False) -> Rebuilding:
        """As for every post-mortem stop; it raises `Refused`, too, where the frame holds what is not there and that is not let."""
        if way.frame.raw in self._saved and way.frame.lasti < 0:
            self.check_frame(way.frame)
            sentence = f"the text that {way.frame.function} ran was not saved, or has no such place as this Python compiles it"
            raise Refused(Refusal("no-text", sentence, '"replay" calls the function anew'))
        rebuilding = super().plan(way, with_holes=with_holes)
        if not with_holes:
            refusal = self._holes_refusal(self.holes(way.frame), way.frame)
            if refusal is not None:
                raise Refused(refusal)
        return rebuilding

    # -- holes

    def holes(self, frame: Frame) -> list[Found]:
        """Find the holes in what a frame can reach: its variables, and what it reads of those that were put into its module."""
        given = self._given.get(id(frame.raw.f_globals), {}).keys() & names_read(frame.code)
        variables = {name: frame.raw.f_globals[name] for name in sorted(given) if name in frame.raw.f_globals}
        if frame.code.co_flags & interpreter.OPTIMIZED:
            variables = dict(frame.raw.f_locals) | variables
        return find_holes(variables, self._reviver.is_made)

    def holes_for(self, way: Replay) -> list[Found]:
        """Find the holes that a replay would give to the program. Raises `Refused` where it cannot be done at all."""
        if way.in_the_middle:
            return self.holes(way.frame)
        code, given = arguments_for(self, way.frame, way.arguments)
        known = {*code.co_varnames[: code.co_argcount + code.co_kwonlyargcount], *code.co_freevars}
        outer = set(way.frame.raw.f_locals) & set(code.co_freevars)
        named = given._replace(named={name: each for name, each in given.named.items() if name in known})
        variables = self._parameters(way.frame, named)
        variables |= {name: way.frame.raw.f_locals[name] for name in sorted(outer)}
        space = self._given.get(id(way.frame.raw.f_globals), {}).keys() & names_read(code)
        variables |= {name: way.frame.raw.f_globals[name] for name in sorted(space) if name in way.frame.raw.f_globals}
        return find_holes(variables, self._reviver.is_made)

    @staticmethod
    def _parameters(frame: Frame, given: Arguments) -> dict[str, Any]:
        """Give what a frame was called with by parameter, `*rest` and `**keywords` among them."""
        code = frame.code
        variables = dict(given.named)
        names = code.co_varnames[code.co_argcount + code.co_kwonlyargcount :]
        if code.co_flags & interpreter.VARARGS:
            variables[names[0]], names = given.positional, names[1:]
        if code.co_flags & interpreter.VARKEYWORDS:
            variables[names[0]] = given.keywords
        return variables

    def _holes_refusal(self, found: Sequence[Found], frame: Frame, *, may_have_them: bool = True) -> Refusal | None:
        """Give the refusal of holes, if there are any.

        Args:
            may_have_them: whether the user can let the program have them.
        """
        if not found:
            return None
        number = "a value that is" if len(found) == 1 else f"{len(found)} values that are"
        sentence = f"{frame.function} would get {number} not there: {names_of(found)}"
        instead = f'say "fill {found[0].path} = EXPRESSION"'
        return Refusal("holes", sentence, f"{instead}, or replay --with-holes" if may_have_them else instead)

    def fill(self, frame: Frame, path: str, value: Any) -> None:
        """Put a value into the place of a hole, wherever the frames of the stop have it.

        Raises:
            Refused: there is no hole of that name in the frame, or the value cannot stand there; nothing is changed then.
        """
        holes = [*self.holes(frame), *find_holes(frame.given, self._reviver.is_made)]
        found = next((each for each in holes if same_path(each.path, path)), None)
        if found is None:
            raise Refused(Refusal("no-hole", f"{frame.function} has no hole {path}", '"holes" lists them; others are assigned'))
        raws = [raw for raw in self._saved if raw.f_code.co_flags & interpreter.OPTIMIZED]
        spaces = {id(raw.f_globals): raw.f_globals for raw in self._saved}
        variables = [dict(raw.f_locals) for raw in raws] + [dict(given) for given in self._at_entry.values()]
        variables += [{name: space[name] for name in self._given.get(at, {}) if name in space} for at, space in spaces.items()]
        try:
            filling = Filling(found.hole, value, self._reviver.is_made, self._reviver.note_made)
            changed = iter(filling.everywhere(variables))
        except ValueError as error:
            sentence = f"that cannot be put into {path}: {error}"
            raise Refused(
                Refusal("no-hole", sentence, "give what it stands for: a value, or for items what holds them")
            ) from None
        for raw, now in zip(raws, changed, strict=False):
            was = self.at_death.get(raw, {})
            was.update({name: each for name, each in now.items() if name in was})
            self._write(raw, now)
        for given, now in zip(self._at_entry.values(), changed, strict=False):
            given.update(now)
        for space, now in zip(spaces.values(), changed, strict=False):
            space.update(now)

    # -- what differs

    def differing(self, frame: Frame) -> Iterator[tuple[str, Any, Any]]:
        """Give the plain global variables that a frame's function reads and that are not what they were: name, saved value, present one."""
        opened = self._saved.get(frame.raw)
        if opened is None:
            return
        space = frame.raw.f_globals
        for name in sorted(names_read(frame.code)):
            was, now = opened.space.get(name, NotSaved), space.get(name, NotSaved)
            if (
                type(was) in _ATOMS
                and type(now) in (*_ATOMS, list, dict, tuple, set)
                and (type(was) is not type(now) or was != now)
            ):
                yield name, was, now


def _is_unbound(value: object) -> bool:
    return type(value) is Hole and value.why == "unbound"


def _is_definition(value: object) -> bool:
    """Tell whether a value of the opened stop is a function or class of the main module: it is there, or gone."""
    return (type(value) is SavedFunction or (is_a(value, type) and issubclass(value, Saved))) and value.__module__ == MAIN  # type: ignore[arg-type]


def _encoded(lines: Sequence[str]) -> bytes:
    """Give the bytes of a text, in the encoding that it says of itself."""
    text = "".join(lines)
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(text.encode("utf-8", "replace")).readline)
        return text.encode(encoding)
    except (SyntaxError, LookupError, UnicodeError):
        return text.encode("utf-8", "replace")
