"""The program's texts and their versions: what each code object was made from, and making the process match the files."""

from __future__ import annotations

import collections
import contextlib
import importlib.util
import linecache
import os
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from types import CellType, CodeType, FunctionType
from typing import NamedTuple

from fixcont.editing.check import check, check_back
from fixcont.editing.compare import Comparison, compare
from fixcont.editing.files import File
from fixcont.editing.functions import Namespace, find_function, live_functions, module_namespace, namespaces_of, shifted
from fixcont.editing.history import History, Patch, PatchedFile
from fixcont.editing.install import install
from fixcont.editing.lineage import Lineage
from fixcont.editing.plan import Plan
from fixcont.editing.registry import Registry
from fixcont.editing.result import Installed, InstallResult, InstallStatus, UndoResult
from fixcont.editing.texts import Kind, Node, Text
from fixcont.editing.undo import comparison_back, take_back
from fixcont.editing.unrun import Unrun, UnrunStatements
from fixcont.editing.variants import How, Variant, make_variant
from fixcont.editing.writing import write_back
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


class Sources:
    """All texts of the user's files, from the one that was loaded to the one that is installed.

    Parameters:
        trap: gives a code object with traps, and traps in all code inside it.
        untrapped: gives the code object as the compiler made it.
        is_user: tells whether a file is in the user's scope.

    Attributes:
        history: the patches that were installed.
        unrun: statements of modules that are in the files and were not run.
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
        self._looked_at: dict[str, int] = {}  # name of a module that was looked at -> id of the module
        self._lock = threading.RLock()
        self.unrun = UnrunStatements()
        self.history = History(self._texts)

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
        """Take in what `remember` noted. It must not wait for the lock: an import may be what an install waits for."""
        with self._lock:
            while self._arrivals:
                arrival = self._arrivals.popleft()
                file = self._files.get(arrival.filename)
                if file is None:
                    file = self._files[arrival.filename] = File(Text(arrival.filename, arrival.source), arrival.status)
                else:
                    file.load(arrival.source)
                if arrival.module_name is not None:
                    file.module_names.add(arrival.module_name)

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
            for name, module in list(sys.modules.items()):
                if self._looked_at.get(name) == id(module):
                    continue
                self._looked_at[name] = id(module)
                namespace = module_namespace(module)
                if namespace is not None:
                    self._look_at(name, namespace)

    def _look_at(self, name: str, namespace: Namespace) -> None:
        filename = namespace.get("__file__")
        if type(filename) is not str or not filename.endswith((".py", ".pyw")) or not self._is_user(filename):
            return
        known = self._files.get(filename)
        if known is not None:
            known.module_names.add(name)
            return
        try:
            status = os.stat(filename)
            with open(filename, "rb") as stream:
                source = stream.read()
        except OSError:
            return
        file = self._files[filename] = File(Text(filename, source, is_certain=False), status)
        file.module_names.add(name)
        file.is_behind = not _is_as_loaded(filename, status)

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
            if node.code.co_freevars != target.code.co_freevars:
                sentence = f"{node.qualname} takes other variables from the function around it than the running version does"
                return Newest(
                    None, definition.last_version, Refusal("closure-changed", sentence, "restart the function around it")
                )
            return Newest(self._live(target), target.version)

    def variant(
        self, frame_code: CodeType, code: CodeType, unit: int, how: How, line: int | None, bound: Collection[str]
    ) -> Variant:
        """Make the variant of the newest version that takes over a frame; see `make_variant`.

        Parameters:
            frame_code: what the frame runs.
            code: the same without traps.

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
            return make_variant(node, target, code, unit, how, line, bound)

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
        named = find_function(namespace, newest.co_qualname)
        if named is not None and named.__code__ is newest and _fits(named, closure):
            return named
        similar: FunctionType | None = None
        for function in live_functions([newest.co_filename], [namespace]):
            if function.__code__ is newest and function.__globals__ is namespace:
                if _fits(function, closure):
                    return function
                similar = function
        if closure is None or len(closure) != len(newest.co_freevars):
            return None
        made = FunctionType(newest, namespace, None, similar.__defaults__ if similar is not None else None, closure)
        made.__kwdefaults__ = dict(similar.__kwdefaults__) if similar is not None and similar.__kwdefaults__ else None
        return made

    def prepare(self, codes: Iterable[CodeType]) -> None:
        """Compile the texts that `codes` come from, so that the first install after a stop need not.

        For the time in which the user looks at a stop and edits: it halves the time of the first install of a large file.
        """
        with self._lock:
            for file in [self._file(code) for code in codes]:
                if file is not None:
                    with contextlib.suppress(SyntaxError, RecursionError, MemoryError, OverflowError):
                        file.newest.module  # noqa: B018 - compiled once, when first asked for

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

    # Making the process match the files

    def install_changes(self) -> InstallResult:
        """Install what changed in the files since they were loaded or installed: all of it, or nothing.

        Running frames go on with the code that they have. Statements of modules and classes are not run again; new functions,
        methods and classes are made, which runs their decorators, default values and class bodies.

        Returns:
            What was installed, or why nothing was. Does not raise for anything in the files.
        """
        with self._lock:
            self.remember_loaded()
            try:
                comparisons = self._compare_all()
                if not comparisons:
                    return InstallResult(InstallStatus.UNCHANGED)
                plans = self._check_all(comparisons)
                installation = install(plans)
            except SyntaxError as error:
                return InstallResult(InstallStatus.SYNTAX_ERROR, error=error)
            except Refused as refused:
                unreadable = refused.refusal.code == "file-unreadable"
                return InstallResult(InstallStatus.UNREADABLE if unreadable else InstallStatus.REFUSED, refusal=refused.refusal)
            installed = [each for plan in plans for each in self._commit(plan)]
            warnings = [each for plan in plans for each in plan.warnings.values()]
            patch = self.history.add([_patched(plan.comparison) for plan in plans], installed, warnings)
            patch.keep_for_undo(installation.restores, self.unrun.waiting())
            unrun = [each for plan in plans for each in self.unrun.update(plan.comparison, plan.statements)]
            return InstallResult(InstallStatus.INSTALLED, tuple(installed), tuple(warnings), tuple(unrun))

    def rerun(self, number: int) -> Unrun | None:
        """Run a statement of a module that is in its file and was not run; see `UnrunStatements.run`."""
        unrun = self.unrun.run(number, lambda filename: namespaces_of([filename], self._files[filename].module_names), self._trap)
        if unrun is not None:
            self.history.note_rerun(unrun)
        return unrun

    def _compare_all(self) -> list[Comparison]:
        texts: list[tuple[File, Text]] = []
        for file in list(self._files.values()):
            source = file.read()
            if source is not None:
                texts.append((file, Text(file.filename, source)))
            elif file.is_behind:
                texts.append((file, file.newest))
        for _, text in texts:
            _compile(text)
        return [_compare(file, text) for file, text in texts]

    def _check_all(self, comparisons: Sequence[Comparison]) -> list[Plan]:
        by_file, spaces = self._live_in([each.new.filename for each in comparisons])
        return [
            check(each, by_file[each.new.filename], spaces[each.new.filename], self._identify, self._trap, self._untrapped)
            for each in comparisons
        ]

    def _live_in(self, filenames: Sequence[str]) -> tuple[dict[str, list[FunctionType]], dict[str, list[Namespace]]]:
        """Give the live functions of files, and the namespaces of the modules that were loaded from them, by file."""
        spaces = {name: namespaces_of([name], self._files[name].module_names) for name in filenames}
        by_file: dict[str, list[FunctionType]] = {name: [] for name in filenames}
        for function in live_functions(filenames, [space for each in spaces.values() for space in each]):
            if self._entered.node(function.__code__) is not None:
                continue
            filename = function.__code__.co_filename
            by_file[filename].append(function)
            namespace = function.__globals__
            # A module that was run without a place in `sys.modules`.
            if namespace.get("__file__") == filename and not any(space is namespace for space in spaces[filename]):
                spaces[filename].append(namespace)
        return by_file, spaces

    def _commit(self, plan: Plan) -> list[Installed]:
        comparison = plan.comparison
        file = self._files[comparison.new.filename]
        file.commit(comparison)
        file.is_behind = False
        self._note_codes(plan)
        linecache.cache.pop(file.filename, None)
        order = sorted(plan.touched.values(), key=lambda node: node.line)
        return [
            Installed(node.qualname, file.filename, node.version, id(node) in plan.added)
            for node in order
            if node.kind in (Kind.FUNCTION, Kind.CLASS)
        ]

    def _note_codes(self, plan: Plan) -> None:
        for code, node in plan.kept:
            self._registry.note(code, node)
        self._note_live(plan.comparison.new.module)

    # Taking it back

    def undo(self) -> UndoResult:
        """Take the last patch back: make the process what it was before that was installed, all of it, or nothing.

        Running frames go on with the code that they have. The files keep what they say; that is not installed again until they are
        saved anew. Not taken back: what new code has done, what definitions and imports did beyond what they bound, what `rerun` has run.

        Returns:
            What was taken back, or why not.
        """
        with self._lock:
            self.remember_loaded()
            patch = self.history.last
            if patch is None:
                return UndoResult(refusal=Refusal("nothing-to-undo", "no patch is installed"))
            try:
                return self._undo(patch)
            except Refused as refused:
                return UndoResult(refusal=refused.refusal)

    def _undo(self, patch: Patch) -> UndoResult:
        files = [(self._files[patched.filename], patched) for patched in patch.files]
        comparisons = [comparison_back(patch, file, patched) for file, patched in files]
        restores, waiting = patch.kept_for_undo()
        by_file, spaces = self._live_in([file.filename for file, _ in files])
        plans = [
            check_back(
                each, by_file[each.new.filename], self._identify, self._trap, self._untrapped, has_header=restores.has_header
            )
            for each in comparisons
        ]
        namespaces = [space for each in spaces.values() for space in each]
        warnings = take_back(plans, namespaces, restores, self._identify)
        held_back = []
        for plan, (file, patched) in zip(plans, files, strict=True):
            assert patched.lineage is not None
            file.take_back(plan.comparison, patched.lineage)
            self._note_codes(plan)
            if file.hold_back(patched.after):
                held_back.append(file.filename)
            _show_text(file)
        unrun = self.unrun.put_back(waiting, comparisons, patch.rerun)
        patch.mark_undone()
        restored = [now for each in patch.installed if (now := self._files[each.filename].installed(each.qualname)) is not None]
        known = {(each.filename, each.qualname) for each in restored}
        gone = [each.qualname for each in patch.installed if (each.filename, each.qualname) not in known]
        told = [each for plan in plans for each in plan.warnings.values()]
        return UndoResult(patch, tuple(restored), tuple(gone), (*told, *warnings), tuple(unrun), tuple(held_back))

    def held_back(self) -> list[str]:
        """Give the files that say what was undone, which is not installed until they are saved anew."""
        with self._lock:
            return [file.filename for file in self._files.values() if file.undone is not None]

    def write_back(self) -> list[tuple[str, Refusal | None]]:
        """Write what is installed into the files that still say what was undone, each whole or not at all.

        Returns:
            The files, each with the reason why it is left alone, or None.
        """
        with self._lock:
            results: list[tuple[str, Refusal | None]] = []
            for file in self._files.values():
                if file.undone is None:
                    continue
                try:
                    write_back(file.filename, file.undone.source if file.undone.was_installed else None, file.newest.source)
                    file.written_back()
                    results.append((file.filename, None))
                except Refused as refused:
                    results.append((file.filename, refused.refusal))
            return results


def _always_new(trap: Callable[[CodeType], CodeType]) -> Callable[[CodeType], CodeType]:
    """Let `trap` never give back what it was given: a text holds its own code objects, and live ones must be free to go."""

    def trapped(code: CodeType) -> CodeType:
        made = trap(code)
        return shifted(made, 0) if made is code else made

    return trapped


def _fits(function: FunctionType, closure: tuple[CellType, ...] | None) -> bool:
    own = function.__closure__ or ()
    return closure is None or (len(own) == len(closure) and all(one is other for one, other in zip(own, closure, strict=True)))


def _patched(comparison: Comparison) -> PatchedFile:
    """Describe for the history what was done to a file."""
    old, new = comparison.old, comparison.new
    if old is new:  # some functions ran a text that is not known
        return PatchedFile(new.filename, None, new.source)
    renamed = {node.qualname: comparison.partners[id(node)].qualname for node in comparison.renamed}
    return PatchedFile(new.filename, old.source, new.source, Lineage.of(comparison), renamed)


def _show_text(file: File) -> None:
    """Let tracebacks show the text that runs, where the file says something else."""
    if file.undone is None:
        linecache.checkcache(file.filename)
    else:
        linecache.cache[file.filename] = (len(file.newest.source), None, file.newest.lines, file.filename)


def _compile(text: Text) -> None:
    try:
        text.module  # noqa: B018 - compiled once, when first asked for
    except (RecursionError, MemoryError, OverflowError) as error:
        refusal = Refusal("cannot-compile", f"{text.filename} is too deeply nested or too large: {type(error).__name__}")
        raise Refused(refusal) from error


def _compare(file: File, text: Text) -> Comparison:
    file.relate_texts()
    try:
        old = file.newest
        old.module  # noqa: B018
    except SyntaxError:
        old = text  # what was taken to be the loaded text cannot be; each function is compared by itself
    comparison = compare(old, text)
    file.revive(comparison)
    return comparison


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
