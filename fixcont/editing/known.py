"""The texts of the user's files and their versions: which text a code object was made from, and the newest version of it."""

from __future__ import annotations

import collections
import contextlib
import importlib.util
import itertools
import linecache
import os
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import CellType, CodeType, FrameType, FunctionType
from typing import NamedTuple

from fixcont import filenames
from fixcont.bytecode.location import Location
from fixcont.editing.caches import Caches
from fixcont.editing.cells import Finder
from fixcont.editing.closures import NOTHING_MORE, Captured, captured_by
from fixcont.editing.files import File
from fixcont.editing.functions import Namespace, find_function, live_functions, module_namespace, namespaces_of, shifted
from fixcont.editing.registry import Registry
from fixcont.editing.stale import Stale, list_stale
from fixcont.editing.texts import Kind, Node, Text, forget_trees
from fixcont.editing.variants import How, Variant, make_variant
from fixcont.errors import Refusal, Refused

_STARTED = time.time()


@dataclass(frozen=True)
class Newest:
    """The newest version of a function.

    Attributes:
        code: what to run, with traps; None where there is none.
        version: its number, or that of the last version there was.
        refusal: why there is no code, or None.
    """

    code: CodeType | None
    version: int
    refusal: Refusal | None = None


class _Arrival(NamedTuple):
    filename: str
    source: bytes
    module_name: str | None
    status: os.stat_result | None


class KnownTexts:
    """All texts of the user's files, from the one that was loaded to the one that is installed.

    Parameters:
        trap: gives a code object with traps, and traps in all code inside it.
        untrapped: gives the code object as the compiler made it.
        is_user: tells whether a file is in the user's scope.
    """

    def __init__(
        self, trap: Callable[[CodeType], CodeType], untrapped: Callable[[CodeType], CodeType], is_user: Callable[[str], bool]
    ) -> None:
        self._trap = _always_new(trap)
        self._untrapped = untrapped
        self._is_user = is_user
        self._arrivals: collections.deque[_Arrival] = collections.deque()
        self._files: dict[str, File] = {}  # co_filename -> what is known of the file
        self._registry = Registry()
        self._entered = Registry()  # code that started in the middle: each ran once, for one frame, and is never put anywhere
        self._caches = Caches()
        self._looked_at: dict[str, int] = {}  # name of a module that was looked at -> id of the module
        self._looked_over: tuple[list[str], list[int]] = ([], [])  # the names and ids of all modules when they were looked at
        self._has_copied = False  # whether a frame was ever given a copy of a variable
        self._stops = 0  # those that are under way
        self._lock = threading.RLock()

    # What was loaded

    def remember(
        self, filename: str, source_bytes: bytes, module_name: str | None = None, status: os.stat_result | None = None
    ) -> None:
        """Note the text that a module was loaded from.

        Parameters:
            filename: as in `co_filename` of its code.
            source_bytes: what was compiled.
            status: the file's when it was loaded; as it is now if none is given.
        """
        if status is None:
            try:
                status = os.stat(filename)
            except OSError:
                status = None
        self._arrivals.append(_Arrival(filename, source_bytes, module_name, status))

    def _take_in(self) -> None:
        """Take in what `remember` noted. It must not wait for the lock: an import may be what an install waits for.

        Nor does it here: who asks for a text may hold what an install waits for in another thread. Then it is taken in at the next call.
        """
        if not self._lock.acquire(blocking=False):
            return
        try:
            while self._arrivals:
                arrival = self._arrivals.popleft()
                file = self._files.get(arrival.filename)
                if file is None:
                    file = self._files[arrival.filename] = File(Text(arrival.filename, arrival.source), arrival.status)
                else:
                    file.load(arrival.source)
                if arrival.module_name is not None:
                    file.module_names.add(arrival.module_name)
        finally:
            self._lock.release()

    def _texts(self) -> dict[str, bytes]:
        """Give what is installed, by file."""
        with self._lock:
            self.remember_loaded()
            return {file.filename: file.newest.source for file in self._files.values()}

    def _file(self, code: CodeType) -> File | None:
        if self._arrivals:
            self._take_in()
        return self._files.get(code.co_filename)

    def remember_loaded(self) -> None:
        """Note the texts of the user's modules that were loaded before anyone called `remember` for them.

        What a module was loaded from is gone by then. The file counts as unchanged if it has the time and size that are noted in
        the module's cached bytecode, or, without such a cache, if it is older than the start of fixcont. Either way each function
        is compared before it counts as one of that text. A file that did change is installed at the next `install_changes`:
        then all functions get to be as the file says, but statements that changed meanwhile cannot be told.
        """
        with self._lock:
            self._take_in()
            loaded = list(sys.modules.items())  # at once: an import in another thread may fail meanwhile
            there = [name for name, _ in loaded], [id(module) for _, module in loaded]
            if there == self._looked_over:
                return
            for name, module in loaded:
                if self._looked_at.get(name) == id(module):
                    continue
                namespace = module_namespace(module)
                if namespace is not None:
                    self._look_at(name, namespace)
                self._looked_at[name] = id(module)
            self._looked_over = there  # last: Ctrl-C on the way leaves the rest to the next call

    def _look_at(self, name: str, namespace: Namespace) -> None:
        filename = namespace.get("__file__")
        if type(filename) is not str or not filename.endswith((".py", ".pyw")) or not self._is_user(filename):
            return
        known = self._files.get(filename)
        if known is not None:
            known.module_names.add(name)
            return
        self._look_at_file(name, filename)

    def _look_at_file(self, name: str, filename: str) -> None:
        try:
            status = os.stat(filename)
            with open(filename, "rb") as stream:
                source = stream.read()
        except OSError:
            return
        before = _shown_text(filename, source)
        if before is not None:  # what a traceback has shown is nearer to what was loaded than what is there now
            file = File(Text(filename, before, is_certain=False), None)
        else:
            file = File(Text(filename, source, is_certain=False), status)
            file.is_behind = not _is_as_loaded(filename, status)
        file.module_names.add(name)
        self._files[filename] = file

    def remember_dead(self, frames: Iterable[FrameType]) -> None:
        """Note the texts of the files of frames that have unwound, where their modules don't tell any more that they came from there.

        So it is with the main module, once the interpreter has run it and is interactive. A file that has changed since it was loaded, though
        that was not seen, gets to be as it says at the next `install_changes`.
        """
        with self._lock:
            self.remember_loaded()
            for frame in frames:
                code, name = frame.f_code, frame.f_globals.get("__name__")
                is_users = is_cell(code.co_filename) or self._is_user(code.co_filename)
                if code.co_filename not in self._files and is_users and _has_text_only(code.co_filename):
                    source = "".join(linecache.getlines(code.co_filename)).encode()
                    self._files[code.co_filename] = File(Text(code.co_filename, source, is_certain=False), None)
                elif code.co_filename not in self._files and is_users:
                    self._look_at_file(name if type(name) is str else "__main__", code.co_filename)
                file = self._files.get(code.co_filename)
                if file is not None and not file.is_plain() and self._identify(code) is None:
                    file.is_behind = True

    def remember_earlier(self, filename: str, source: bytes) -> bool:
        """Note that a text which ran in another process is the version before the one that is loaded here.

        Returns:
            Whether it is: not where the file is not known, or one of the two does not compile.
        """
        with self._lock:
            self.remember_loaded()
            file = self._files.get(filename)
            if file is None:
                return False
            try:
                file.relate_texts()
                file.precede(source)
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                return False
            self._note_functions(file)
            return True

    def _note_functions(self, file: File) -> None:
        """Note that the functions which were loaded from a file run its newest text, where they do."""
        namespaces = namespaces_of(file.filename, file.module_names)
        for function in live_functions([file.filename], namespaces):
            node = self._identify(function.__code__)
            if node is not None and node.text is file.newest and not node.is_scope and node.live is None:
                node.run_by(function.__code__, self._trap)
                self._note_live(node)

    def code_of(self, filename: str, qualname: str, line: int, source: bytes) -> CodeType | None:
        """Give code, without traps, of a function as a text of a file has it. None where it has none, or more than one.

        Parameters:
            line: the one that it begins at; 0 for any.
            source: the text, one that was loaded or was told to `remember_earlier`.
        """
        with self._lock:
            file = self._files.get(filename)
            text = next((each for each in file.loaded if each.source == source), None) if file is not None else None
            if text is None:
                return None
            named = [node for node in text.module.walk() if node.qualname == qualname]
            nodes = [node for node in named if node.line == line] or named
            if len(nodes) != 1:
                return None
            made = shifted(nodes[0].code, 0)
            self._registry.note(made, nodes[0])
            return made

    # Which version is which

    def text_of(self, code: CodeType) -> list[str] | None:
        """Give the lines of the text that `code` was made from, None where no text is known."""
        file = self._file(code)
        if file is None:
            return None
        if file.is_plain():
            return file.newest.lines
        node = self._identify(code)
        return node.text.lines if node is not None else None

    def all_texts(self) -> list[str]:
        """Give each text that was loaded from a file of the user's, and those that are installed."""
        with self._lock:
            self.remember_loaded()
            texts = [text for file in self._files.values() for text in (*file.loaded, file.newest)]
            return ["\n".join(line.rstrip("\n") for line in text.lines) for text in dict.fromkeys(texts)]

    def text_for(self, code: CodeType) -> Text | None:
        """Give the text that `code` was made from, None where none is known."""
        file = self._file(code)
        if file is None:
            return None
        if file.is_plain():
            return file.newest
        node = self._identify(code)
        return node.text if node is not None else None

    def filenames(self) -> list[str]:
        """Give the names of the files that are loaded. Waits for nobody."""
        return list(dict.fromkeys([*self._files.copy(), *(each.filename for each in self._arrivals.copy())]))

    def newest_text(self, filename: str) -> Text | None:
        """Give the text of a file that is installed, None where the file is not known. The name may be another one of the same file."""
        if self._arrivals:
            self._take_in()
        file = self._files.get(filename)
        if file is None:
            real = filenames.real(filename)
            file = next((each for each in list(self._files.values()) if filenames.real(each.filename) == real), None)
        return file.newest if file is not None else None

    def newest_source(self, filename: str) -> bytes | None:
        """Give the installed text of a file as bytes, None where the file is not known."""
        text = self.newest_text(filename)
        return None if text is None else text.source

    def newest_texts(self) -> list[Text]:
        """Give the installed texts of all files."""
        with self._lock:
            self.remember_loaded()
            return [file.newest for file in self._files.values()]

    def version_of(self, code: CodeType) -> int:
        """Give the number of the version of its function that `code` is: 1 is the text that was loaded."""
        file = self._file(code)
        if file is None or file.is_plain():
            return 1
        node = self._identify(code)
        return node.version if node is not None else 1

    def is_obsolete(self, code: CodeType) -> bool:
        """Tell whether a newer version of its function is installed, or its function is gone."""
        file = self._file(code)
        if file is None or file.is_plain():
            return False
        node = self._identify(code)
        return node is not None and (node.definition.newest is None or node.version != node.definition.newest.version)

    def newest_version(self, code: CodeType) -> int | None:
        """Give the number of the newest version of the function that `code` belongs to, None where the function is gone."""
        file = self._file(code)
        node = self._identify(code) if file is not None and not file.is_plain() else None
        if node is None:
            return 1
        return node.definition.newest.version if node.definition.newest is not None else None

    def is_variant(self, code: CodeType) -> bool:
        """Tell whether `code` was made for one frame to go on in the middle."""
        return self._entered.node(code) is not None

    def old_codes(self) -> list[CodeType]:
        """Give all obsolete code objects that are alive, also those that only older code holds among its constants."""
        with self._lock:
            for code, node in list(self._registry.alive()):
                if node.text is not self._files[node.text.filename].newest:
                    self._note_inside(code, node)
            found: dict[int, CodeType] = {}
            for code, node in itertools.chain(self._registry.alive(), self._entered.alive()):
                if node.definition.newest is None or node.version != node.definition.newest.version:
                    found[id(code)] = code
            return list(found.values())

    def _note_inside(self, code: CodeType, node: Node) -> None:
        """Note the code objects among the constants of `code`, which are where the compiler put them: functions that it makes run them."""
        for child in node.children:
            inner = code.co_consts[child.index] if child.index < len(code.co_consts) else None
            if isinstance(inner, CodeType) and inner.co_qualname == child.qualname:
                if self._registry.node(inner) is None:
                    self._registry.note(inner, child)
                self._note_inside(inner, child)

    def stale(self, stop: Sequence[FrameType] = ()) -> list[Stale]:
        """Find what still runs old code, or was computed by it, and name where it is held. Runs none of the debuggee's code.

        Parameters:
            stop: the live frames of the stop at which it is asked.

        Returns:
            The finds, frames first. They hold none of the debuggee's objects.
        """
        with self._lock:
            return list_stale(self, self._caches, stop)

    def newest(self, code: CodeType) -> Newest:
        """Find the newest installed version of the function that `code` belongs to.

        Code of files that are not the user's is its own newest version.
        """
        with self._lock:
            file = self._file(code)
            entered = self._entered.node(code)
            node = entered or (self._identify(code) if file is not None and not file.is_plain() else None)
            if node is None:
                return Newest(code, 1)
            definition, target = node.definition, node.definition.newest
            if target is None:
                sentence = f"{node.qualname} is no longer in {node.text.filename}"
                return Newest(
                    None, definition.last_version, Refusal("function-gone", sentence, "bring it back, or go on further out")
                )
            if node is target and entered is None:
                return Newest(code, target.version)
            return Newest(self._live(target), target.version)

    def captures_more(self, old: CodeType, code: CodeType) -> bool:
        """Tell whether `code`, which is to take over a frame of `old`, captures what is to be looked for; see `captured`."""
        return bool(code.co_freevars) and (self._has_copied or not set(code.co_freevars) <= set(old.co_freevars))

    def captured(self, frame: FrameType, code: CodeType) -> Captured:
        """Find the cells that `code`, which is to take over a live frame, captures and the frame does not have.

        Parameters:
            code: of the newest version of the frame's function, or a variant of it.

        Raises:
            Refused: the cell of a variable is not found, or the code assigns to a copy.
        """
        if not self.captures_more(frame.f_code, code):
            return NOTHING_MORE
        with self._lock:
            node = self._identify(frame.f_code)
            if node is None or node.definition.newest is None:
                return NOTHING_MORE
            filename, namespace = frame.f_code.co_filename, frame.f_globals
            functions = [
                (function, known)
                for function in live_functions([filename], [namespace])
                if (known := self._identify(function.__code__)) is not None
            ]
            finder = Finder(functions, self._identify, lambda node: node.definition)
            captured = captured_by(frame, code, node.definition, functions, finder)
            self._has_copied = self._has_copied or bool(captured.copies)
            return captured

    def variant(self, frame_code: CodeType, location: Location, how: How, line: int | None, bound: Collection[str]) -> Variant:
        """Make the variant of the newest version that takes over a frame; see `make_variant`.

        Parameters:
            frame_code: what the frame runs.
            location: where it is in that.

        Raises:
            Refused: there is no such place, or no text is known.
        """
        with self._lock:
            node = self._identify(frame_code)
            if node is None:
                raise Refused(Refusal("no-text", f"the text of {frame_code.co_qualname} is not known", "restart the frame"))
            target = node.definition.newest
            if target is None:
                raise Refused(Refusal("function-gone", f"{node.qualname} is no longer in {node.text.filename}", "bring it back"))
            return make_variant(node, target, location, how, line, bound)

    def note(self, code: CodeType, node: Node) -> None:
        """Note that `code`, which starts in the middle, is a variant of a version that was found before."""
        self._entered.note(code, node)

    def newest_function(
        self, code: CodeType, namespace: Namespace, closure: tuple[CellType, ...] | None = None
    ) -> FunctionType | None:
        """Give a function that runs the newest version of the one that `code` belongs to.

        Parameters:
            code: what a frame runs, of whatever version.
            namespace: the globals of the frame.
            closure: the cells of its free variables, in the order of `co_freevars`; None where any will do.

        Returns:
            The program's own function object where one has this code, these globals and these cells. Else a new one with these
            cells and the default values of one that differs in its cells, or none. None where `newest` refuses, or where there
            is no such function and no cells were given.
        """
        newest = self.newest(code).code
        if newest is None:
            return None
        node = self._identify(newest)

        def runs_newest(function: FunctionType) -> bool:
            # There may be several copies of its code: a module, say, that is entered again brings its functions along.
            code = function.__code__
            return code is newest or (
                node is not None and code.co_qualname == newest.co_qualname and self._identify(code) is node
            )

        named = find_function(namespace, newest.co_qualname)
        if named is not None and runs_newest(named) and _fits(named, closure):
            return named
        similar: FunctionType | None = None
        for function in live_functions([newest.co_filename], [namespace]):
            if runs_newest(function) and function.__globals__ is namespace:
                if _fits(function, closure):
                    return function
                similar = function
        if closure is None or len(closure) != len(newest.co_freevars):
            return None
        made = FunctionType(newest, namespace, None, similar.__defaults__ if similar is not None else None, closure)
        made.__kwdefaults__ = dict(similar.__kwdefaults__) if similar is not None and similar.__kwdefaults__ else None
        return made

    def hold(self) -> None:
        """Keep syntax trees from here on, for a stop, until `release` is called as often as this was."""
        with self._lock:
            self._stops += 1

    def prepare(self, codes: Iterable[CodeType]) -> None:
        """Compile the texts that `codes` come from, and parse the function of the first one, so that they need not be after the edit.

        For the time in which the user looks at a stop and edits: it halves the time of the first install of a large file.
        """
        with self._lock:
            for number, code in enumerate(codes):
                file = self._file(code)
                if file is not None:
                    with contextlib.suppress(SyntaxError, RecursionError, MemoryError, OverflowError):
                        file.newest.module  # noqa: B018 - compiled once, when first asked for
                        node = None if number else self._identify(code)
                        if node is not None and node.kind is not Kind.MODULE:
                            node.text.statements_of(node)

    def release(self) -> None:
        """Free what was kept for a stop, at its end."""
        with self._lock:
            self._stops -= 1
            if not self._stops:
                forget_trees()

    @contextlib.contextmanager
    def _trees(self) -> Iterator[None]:
        """Free the syntax trees that are made meanwhile, but at a stop, which frees them at its end."""
        try:
            yield
        finally:
            if not self._stops:
                forget_trees()

    def _identify(self, code: CodeType) -> Node | None:
        node = self._registry.node(code) or self._entered.node(code)
        if node is not None:
            return node
        file = self._file(code)
        if file is None:
            return None
        try:
            file.relate_texts()
            node = file.node(code, self._untrapped(code))
        except SyntaxError:  # a text that was taken to be the loaded one, and was not
            return None
        if node is not None:
            self._registry.note(code, node)
        return node

    def _live(self, node: Node) -> CodeType:
        if node.live is None:
            root = node.outermost if not node.is_scope else node
            root.run_by(self._trap(root.code), self._trap)
            self._note_live(root)
        assert node.live is not None
        return node.live

    def _note_live(self, root: Node) -> None:
        for node in root.walk():
            if node.live is not None:
                self._registry.note(node.live, node)


def _always_new(trap: Callable[[CodeType], CodeType]) -> Callable[[CodeType], CodeType]:
    """Let `trap` never give back what it was given: a text holds its own code objects, and live ones must be free to go."""

    def trapped(code: CodeType) -> CodeType:
        made = trap(code)
        return shifted(made, 0) if made is code else made

    return trapped


def _fits(function: FunctionType, closure: tuple[CellType, ...] | None) -> bool:
    own = function.__closure__ or ()
    return closure is None or (len(own) == len(closure) and all(one is other for one, other in zip(own, closure, strict=True)))


def is_cell(filename: str) -> bool:
    """Tell whether a name that no file can have is that of a text which the interpreter knows: a cell, or what was typed."""
    return filename.startswith("<") and filename.endswith(">") and _has_text_only(filename)


def _has_text_only(filename: str) -> bool:
    """Tell whether the interpreter knows a text of this name, which is that of no file. Kernels give cells the names of files."""
    entry = linecache.cache.get(filename)
    return entry is not None and len(entry) == 4 and entry[1] is None and not os.path.exists(filename)


def _shown_text(filename: str, source: bytes) -> bytes | None:
    """Give the text of a file that the interpreter has shown lines of, where that is another one than `source`, which the file says now."""
    entry = linecache.cache.get(filename)
    if entry is None or len(entry) != 4 or entry[1] is None or "coding" in "".join(entry[2][:2]):
        return None
    text = "".join(entry[2])
    try:
        is_same = importlib.util.decode_source(source).rstrip("\n") == text.rstrip("\n")
    except (SyntaxError, UnicodeError):
        is_same = False
    return None if is_same else text.encode()


def _is_as_loaded(filename: str, status: os.stat_result) -> bool:
    """Tell whether a file is still what its module was loaded from, by the cached bytecode or the file's time."""
    try:
        with open(importlib.util.cache_from_source(filename), "rb") as stream:
            stamp = stream.read(16)
    except (OSError, NotImplementedError):
        return status.st_mtime <= _STARTED
    if len(stamp) < 16 or stamp[4:8] != bytes(4):  # flags other than 0: checked by hash, no time is noted
        return status.st_mtime <= _STARTED
    noted = int.from_bytes(stamp[8:12], "little"), int.from_bytes(stamp[12:16], "little")
    return noted == (int(status.st_mtime) & 0xFFFFFFFF, status.st_size & 0xFFFFFFFF)
