"""The program's texts and their versions: what each code object was made from, and making the process match the files."""

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
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from types import CellType, CodeType, FrameType, FunctionType
from typing import NamedTuple

from fixcont.editing.caches import Caches
from fixcont.editing.cells import Finder
from fixcont.editing.check import check
from fixcont.editing.closures import NOTHING_MORE, Captured, captured_by
from fixcont.editing.compare import Comparison, compare
from fixcont.editing.files import File, Gone
from fixcont.editing.functions import Namespace, find_function, live_functions, module_namespace, namespaces_of, shifted
from fixcont.editing.install import install
from fixcont.editing.migration import Migrations
from fixcont.editing.plan import Plan
from fixcont.editing.reexports import Importer, named_imports, star_imports
from fixcont.editing.registry import Registry
from fixcont.editing.result import Installed, InstallResult, InstallStatus
from fixcont.editing.stale import Stale, count_stale, list_stale
from fixcont.editing.texts import Kind, Node, Text, forget_trees
from fixcont.editing.unrun import Unrun, UnrunStatements, describe
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


class Rerun(NamedTuple):
    """A statement that was run, and those that are to be run again because of it."""

    statement: Unrun
    more: tuple[Unrun, ...]


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
        migrates_lazily: whether instances of changed classes are migrated when they are used, not when the change is installed.
    """

    def __init__(
        self,
        trap: Callable[[CodeType], CodeType],
        untrapped: Callable[[CodeType], CodeType],
        is_user: Callable[[str], bool],
        *,
        migrates_lazily: bool = False,
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
        self._has_copied = False  # whether a frame was ever given a copy of a variable
        self._stops = 0  # those that are under way
        self._lock = threading.RLock()
        self.unrun = UnrunStatements()
        self.migrations = Migrations(lazily=migrates_lazily)
        #: Told of the texts before and after each install, (old, new) for each file, when all is done.
        self.on_installed: Callable[[Sequence[tuple[Text, Text]]], None] | None = None

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

    def text_for(self, code: CodeType) -> Text | None:
        """Give the text that `code` was made from, None where none is known."""
        file = self._file(code)
        if file is None:
            return None
        if file.is_plain():
            return file.newest
        node = self._identify(code)
        return node.text if node is not None else None

    def newest_text(self, filename: str) -> Text | None:
        """Give the text of a file that is installed, None where the file is not known. The name may be another one of the same file."""
        if self._arrivals:
            self._take_in()
        file = self._files.get(filename)
        if file is None:
            real = os.path.realpath(filename)
            file = next((each for each in list(self._files.values()) if os.path.realpath(each.filename) == real), None)
        return file.newest if file is not None else None

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
        return node is not None and (node.definition.newest is None or node.version < node.definition.version)

    def newest_version(self, code: CodeType) -> int | None:
        """Give the number of the newest version of the function that `code` belongs to, None where the function is gone."""
        file = self._file(code)
        node = self._identify(code) if file is not None and not file.is_plain() else None
        if node is None:
            return 1
        return node.definition.version if node.definition.newest is not None else None

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
                if node.definition.newest is None or node.version < node.definition.version:
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
                return Newest(None, definition.version, Refusal("function-gone", sentence, "bring it back, or go on further out"))
            if node is target and entered is None:
                return Newest(code, target.version)
            return Newest(self._live(target), target.version)

    def captured(self, frame: FrameType, code: CodeType) -> Captured:
        """Find the cells that `code`, which is to take over a live frame, captures and the frame does not have.

        Parameters:
            code: of the newest version of the frame's function, or a variant of it.

        Raises:
            Refused: the cell of a variable is not found, or the code assigns to a copy.
        """
        if not code.co_freevars or (not self._has_copied and set(code.co_freevars) <= set(frame.f_code.co_freevars)):
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
        """Compile the texts that `codes` come from, and parse the function of the first one, so that they need not be after the edit.

        For the time in which the user looks at a stop and edits: it halves the time of the first install of a large file. Syntax
        trees are kept from here on until `release` is called as often as this was.
        """
        with self._lock:
            self._stops += 1
            for number, code in enumerate(codes):
                file = self._file(code)
                if file is not None:
                    with contextlib.suppress(SyntaxError, RecursionError, MemoryError, OverflowError):
                        file.newest.module  # noqa: B018 - compiled once, when first asked for
                        node = None if number else self._identify(code)
                        if node is not None and node.kind is not Kind.MODULE:
                            node.text.tree_around(node)

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

    # Making the process match the files

    def install_changes(self) -> InstallResult:
        """Install what changed in the files since they were loaded or installed: all of it, or nothing.

        Running frames go on with the code that they have. Statements of modules and classes are not run again; new functions,
        methods and classes are made, which runs their decorators, default values and class bodies.

        Returns:
            What was installed, or why nothing was. Does not raise for anything in the files.
        """
        changes: list[tuple[Text, Text]] = []
        result = self._install_changes(changes)
        if changes and self.on_installed is not None:  # without the lock: who is told has locks of his own
            self.on_installed(changes)
        return result

    def _install_changes(self, changes: list[tuple[Text, Text]]) -> InstallResult:
        """Install what changed, and append the texts before and after."""
        with self._lock, self._trees():
            self.remember_loaded()
            try:
                changed, gone = self._read_all()
                comparisons = self._compare_all(changed)
                if not comparisons:
                    return InstallResult(InstallStatus.UNCHANGED, warnings=gone)
                plans = self._check_all(comparisons)
                migrated = self._install(plans)
            except SyntaxError as error:
                return InstallResult(InstallStatus.SYNTAX_ERROR, error=error)
            except Refused as refused:
                unreadable = refused.refusal.code == "file-unreadable"
                return InstallResult(InstallStatus.UNREADABLE if unreadable else InstallStatus.REFUSED, refusal=refused.refusal)
            installed = [each for plan in plans for each in self._commit(plan)]
            warnings = [each for plan in plans for each in plan.warnings.values()]
            changes += [(plan.comparison.old, plan.comparison.new) for plan in plans]
            unrun = [each for plan in plans for each in self.unrun.update(plan.comparison, plan.statements)]
            return InstallResult(
                InstallStatus.INSTALLED,
                tuple(installed),
                (*gone, *warnings),
                tuple(unrun),
                ran=tuple(describe(each) for plan in plans for each in plan.ran),
                migrated=migrated,
                stale=count_stale(self, self._caches, self._changed_functions(plans)),
            )

    def _changed_functions(self, plans: Sequence[Plan]) -> list[tuple[FunctionType, int]]:
        """Give the functions that do something else since these plans were carried out, each with the version that it had."""
        found: dict[int, tuple[FunctionType, int]] = {}
        for plan in plans:
            for assignment in plan.assignments:
                function = assignment.function
                node = self._registry.node(function.__code__) if assignment.name == "__code__" else None
                if node is not None and id(node) in plan.touched:
                    found[id(function)] = function, node.version - 1
        return list(found.values())

    def rerun(self, number: int) -> Rerun | None:
        """Run a statement of a module that is in its file and was not run; see `UnrunStatements.run`.

        What was made from names that it binds anew is made again where that is safe: imports of these names in other modules, default values,
        statements of classes. Statements of modules that read them are listed.
        """
        with self._lock:
            ran = self.unrun.run(
                number, lambda filename: namespaces_of([filename], self._files[filename].module_names), self._trap
            )
            if ran is None:
                return None
            more: list[Unrun] = []
            for namespace, before in ran.rebound:
                for file, names in self._follow_rebound(namespace, before).items():
                    more += self._refresh(file, names)
            return Rerun(ran.statement, tuple(more))

    def _follow_rebound(self, namespace: Namespace, before: Mapping[str, object]) -> dict[File, set[str]]:
        """Let modules have what they imported by a name that is bound anew. Returns the names that are, for each file concerned."""
        module = str(namespace.get("__name__"))
        last = module.rpartition(".")[2].encode()
        concerned: dict[File, set[str]] = {}
        for file in list(self._files.values()) if before else []:
            spaces = namespaces_of([file.filename], file.module_names)
            if any(space is namespace for space in spaces):
                concerned.setdefault(file, set()).update(before)
            if last not in file.newest.source:
                continue
            for importer in spaces:
                for there, here in named_imports(file.newest.tree, importer, module):
                    if there in before and importer.get(here) is before[there]:
                        importer[here] = namespace[there]
                        concerned.setdefault(file, set()).add(here)
        return concerned

    def _refresh(self, file: File, names: set[str]) -> list[Unrun]:
        """Make again what was made from names of a module that are bound to something else now. Returns the statements to be run again."""
        comparison = _compare(file, file.newest)
        plan = self._check_all([comparison], names)[0]
        try:
            install([plan], self._star_importers)
        except Refused:
            return self.unrun.again(plan.statements)
        self._commit(plan)
        return self.unrun.again(plan.statements)

    def _install(self, plans: Sequence[Plan]) -> int:
        """Carry plans out and migrate instances; all of it, or nothing. Returns how many instances were migrated."""
        self.migrations.begin(each for plan in plans for each in _changed_classes(plan))
        try:
            installation = install(plans, self._star_importers)
            try:
                return self.migrations.carry_out()
            except BaseException:
                installation.take_back()
                raise
        except BaseException:
            self.migrations.abandon()
            raise

    def _read_all(self) -> tuple[list[tuple[File, Text]], tuple[Refusal, ...]]:
        """Give the files that changed with what they say now, and a warning for each that is gone."""
        texts: list[tuple[File, Text]] = []
        gone: list[Refusal] = []
        for file in list(self._files.values()):
            try:
                source = file.read()
            except Gone:
                sentence = f"{file.filename} is no longer there; the program keeps what was loaded from it"
                gone.append(Refusal("file-gone", sentence, "bring it back to edit it"))
                continue
            if source is not None:
                texts.append((file, Text(file.filename, source)))
            elif file.is_behind:
                texts.append((file, file.newest))
        return texts, tuple(gone)

    def _compare_all(self, texts: Sequence[tuple[File, Text]]) -> list[Comparison]:
        for _, text in texts:
            _compile(text)
        return [_compare(file, text) for file, text in texts]

    def _star_importers(self) -> Iterator[Importer]:
        """Give the modules of the user's that take all names of others."""
        for file in list(self._files.values()):
            if b"import *" in file.newest.source:
                for namespace in namespaces_of([file.filename], file.module_names):
                    yield Importer(namespace, star_imports(file.newest.tree))

    def _check_all(self, comparisons: Sequence[Comparison], rebound: Set[str] = frozenset()) -> list[Plan]:
        filenames = [each.new.filename for each in comparisons]
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
        return [
            check(
                each, by_file[each.new.filename], spaces[each.new.filename], self._identify, self._trap, self._untrapped, rebound
            )
            for each in comparisons
        ]

    def _commit(self, plan: Plan) -> list[Installed]:
        comparison = plan.comparison
        file = self._files[comparison.new.filename]
        file.commit(comparison)
        file.is_behind = False
        for code, node in plan.kept:
            self._registry.note(code, node)
        self._note_live(comparison.new.module)
        linecache.checkcache(file.filename)
        order = sorted(plan.touched.values(), key=lambda node: node.line)
        return [
            Installed(node.qualname, file.filename, node.version, id(node) in plan.added)
            for node in order
            if node.kind in (Kind.FUNCTION, Kind.CLASS)
        ]


def _changed_classes(plan: Plan) -> Iterator[tuple[type, int, int, bool]]:
    """Give the classes that a plan changes, as `Migrations.begin` takes them."""
    changed = {id(node) for node in plan.comparison.changed}
    for cls, node, concerns in plan.classes.values():
        partner = plan.comparison.partners.get(id(node))
        before = partner.definition.version if partner is not None else 1
        yield cls, before, before + (id(node) in changed), concerns


def _always_new(trap: Callable[[CodeType], CodeType]) -> Callable[[CodeType], CodeType]:
    """Let `trap` never give back what it was given: a text holds its own code objects, and live ones must be free to go."""

    def trapped(code: CodeType) -> CodeType:
        made = trap(code)
        return shifted(made, 0) if made is code else made

    return trapped


def _fits(function: FunctionType, closure: tuple[CellType, ...] | None) -> bool:
    own = function.__closure__ or ()
    return closure is None or (len(own) == len(closure) and all(one is other for one, other in zip(own, closure, strict=True)))


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
