"""Making the process match the files: installing what changed, running what was not run, and taking it back."""

from __future__ import annotations

import ast
import linecache
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import AbstractContextManager, nullcontext
from types import CodeType, FunctionType
from typing import NamedTuple

from fixcont.editing.check import check, check_back
from fixcont.editing.compare import Comparison, compare
from fixcont.editing.decorated import Decorated, describe_decorated, find_decorated
from fixcont.editing.files import File, Gone
from fixcont.editing.functions import Namespace, code_inside, live_functions, namespaces_of, namespaces_of_each
from fixcont.editing.history import History, Patch, PatchedFile
from fixcont.editing.install import Installation, install
from fixcont.editing.known import KnownTexts
from fixcont.editing.lineage import Lineage
from fixcont.editing.migration import Migrations
from fixcont.editing.plan import Assignment, Plan, Statement
from fixcont.editing.reexports import Importer, imports_from, named_imports
from fixcont.editing.removals import PutOff, TakeOut
from fixcont.editing.result import Installed, InstallResult, InstallStatus, UndoResult
from fixcont.editing.stale import count_stale
from fixcont.editing.syntax import Syntax, loaded_names
from fixcont.editing.texts import Kind, Text
from fixcont.editing.undo import comparison_back, take_back
from fixcont.editing.unrun import Unrun, UnrunStatements, describe
from fixcont.editing.writing import write_back
from fixcont.errors import Refusal, Refused


class Rerun(NamedTuple):
    """A statement that was run, and those that are to be run again because of it."""

    statement: Unrun
    more: tuple[Unrun, ...]


class Sources(KnownTexts):
    """The texts of the user's files, and what makes the process match them.

    Parameters:
        trap: gives a code object with traps, and traps in all code inside it.
        untrapped: gives the code object as the compiler made it.
        is_user: tells whether a file is in the user's scope.
        migrates_lazily: whether instances of changed classes are migrated when they are used, not when the change is installed.
        at_work: gives what is entered while the user's code is evaluated for an install: what that raises is told, and must not stop.

    Attributes:
        history: the patches that were installed.
        unrun: statements of modules that are in the files and were not run.
        migrations: which version of their class instances are of.
        on_installed: told of the texts before and after each install or undo, (old, new) for each file, when all is done.
    """

    def __init__(
        self,
        trap: Callable[[CodeType], CodeType],
        untrapped: Callable[[CodeType], CodeType],
        is_user: Callable[[str], bool],
        *,
        migrates_lazily: bool = False,
        at_work: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        super().__init__(trap, untrapped, is_user)
        self._at_work = at_work
        self.unrun = UnrunStatements()
        self._put_off: list[PutOff] = []  # names that earlier installs would have taken out
        self.history = History(self._texts)
        self.migrations = Migrations(lazily=migrates_lazily)
        self.on_installed: Callable[[Sequence[tuple[Text, Text]]], None] | None = None
        self._untold: deque[Sequence[tuple[Text, Text]]] = deque()  # what `on_installed` has not been told of yet
        self._telling = threading.RLock()

    # Making the process match the files

    def install_changes(self) -> InstallResult:
        """Install what changed in the files since they were loaded or installed: all of it, or nothing.

        Running frames go on with the code that they have. Statements of modules and classes are not run again; new functions,
        methods and classes are made, which runs their decorators, default values and class bodies.

        Returns:
            What was installed, or why nothing was. Does not raise for anything in the files.
        """
        result = self._install_changes()
        self._tell_installed()
        return result

    def _tell_installed(self) -> None:
        """Tell of what was installed, in that order, whichever thread installed it. Without the lock: who is told has locks of his own."""
        with self._telling:
            while self._untold:
                changes = self._untold.popleft()
                if self.on_installed is not None:
                    self.on_installed(changes)

    def _install_changes(self) -> InstallResult:
        with self._lock, self._trees():
            self.remember_loaded()
            try:
                changed, gone = self._read_all()
                comparisons = self._compare_all(changed)
                if not comparisons:
                    return InstallResult(InstallStatus.UNCHANGED, warnings=gone)
                plans = self._check_all(comparisons)
                plans[0].removals += [TakeOut(each, self._identify) for each in self._put_off]
                decorated = self._find_decorated(comparisons)
                installation, migrated = self._install(plans)
            except SyntaxError as error:
                return InstallResult(InstallStatus.SYNTAX_ERROR, error=error)
            except Refused as refused:
                unreadable = refused.refusal.code == "file-unreadable"
                return InstallResult(InstallStatus.UNREADABLE if unreadable else InstallStatus.REFUSED, refusal=refused.refusal)
            installed = [each for plan in plans for each in self._commit(plan)]
            put_off = [*self._put_off, *(each for plan in plans for each in plan.put_off)]
            self._put_off = [each for each in put_off if each.stands]
            warnings = [each for plan in plans for each in plan.warnings.values()] + describe_decorated(decorated)
            patch = self.history.add([_patched(plan.comparison) for plan in plans], installed, warnings)
            patch.keep_for_undo(installation.restores, self.unrun.waiting())
            patch.migrated = migrated
            self._untold.append([(plan.comparison.old, plan.comparison.new) for plan in plans])
            unrun = [each for plan in plans for each in self.unrun.update(plan.comparison, plan.statements)]
            unrun += self.unrun.again(self._made_from_what_was(installation))
            return InstallResult(
                InstallStatus.INSTALLED,
                tuple(installed),
                (*gone, *warnings),
                tuple(unrun),
                ran=tuple(describe(each) for plan in plans for each in plan.ran),
                decorated=tuple(decorated),
                migrated=migrated,
                stale=count_stale(self, self._caches, self._changed_functions(plans)),
            )

    def _find_decorated(self, comparisons: Sequence[Comparison]) -> list[Decorated]:
        files = [each for each in list(self._files.values()) if b"@" in each.newest.source]
        loaded = [(file.newest, spaces) for file, spaces in self._with_namespaces(files)]
        return find_decorated(comparisons, loaded, self._identify)

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

    def _made_from_what_was(self, installation: Installation) -> Iterator[Statement]:
        """Give assignments of modules that have read a name which an install has bound to something else."""
        if not installation.has_rebound:
            return
        for file, spaces in self._with_namespaces(self._files.values()):
            names = {name for space in spaces for name in installation.rebound(space)}
            if names:
                syntax = Syntax(file.newest)
                for item in syntax.items(file.newest.module, syntax.pieces.with_any(names)):
                    is_assignment = isinstance(item.statement, (ast.Assign, ast.AnnAssign, ast.AugAssign))
                    if is_assignment and loaded_names(item.statement) & names:
                        yield Statement(file.newest.module, item)

    def rerun(self, number: int) -> Rerun | None:
        """Run a statement of a module that is in its file and was not run; see `UnrunStatements.run`.

        What was made from names that it binds anew is made again where that is safe: imports of these names in other modules, default values,
        statements of classes. Statements of modules that read them are listed.
        """
        with self._lock:
            ran = self.unrun.run(number, lambda filename: namespaces_of(filename, self._files[filename].module_names), self._trap)
            if ran is None:
                return None
            self.history.note_rerun(ran.statement)
            more: list[Unrun] = []
            for namespace, before in ran.rebound:
                self.history.note_rebound(ran.statement.filename, namespace, before)
                for file, names in self._follow_rebound(namespace, before).items():
                    more += self._refresh(file, names)
            return Rerun(ran.statement, tuple(more))

    def _follow_rebound(self, namespace: Namespace, before: Mapping[str, object]) -> dict[File, set[str]]:
        """Let modules have what they imported by a name that is bound anew. Returns the names that are, for each file concerned."""
        module = str(namespace.get("__name__"))
        last = module.rpartition(".")[2].encode()
        concerned: dict[File, set[str]] = {}
        further: list[tuple[Namespace, dict[str, object]]] = []
        for file, spaces in self._with_namespaces(self._files.values()) if before else []:
            if any(space is namespace for space in spaces):
                concerned.setdefault(file, set()).update(before)
            if last not in file.newest.source:
                continue
            for importer in spaces:
                for there, here in named_imports(file.newest.tree, importer, module):
                    if there in before and importer.get(here) is before[there] and importer[here] is not namespace[there]:
                        importer[here] = namespace[there]
                        further.append((importer, {here: before[there]}))
        for importer, names in further:
            for file, found in self._follow_rebound(importer, names).items():
                concerned.setdefault(file, set()).update(found)
        return concerned

    def _refresh(self, file: File, names: set[str]) -> list[Unrun]:
        """Make again what was made from names of a module that are bound to something else now. Returns the statements to be run again."""
        comparison = _compare(file, file.newest)
        plan = self._check_all([comparison], names)[0]
        try:
            install([plan], self._importers, self._is_users)
        except Refused:
            return self.unrun.again(plan.statements)
        self._commit(plan)
        return self.unrun.again(plan.statements)

    def _install(self, plans: Sequence[Plan]) -> tuple[Installation, int]:
        """Carry plans out and migrate instances; all of it, or nothing. Returns what was done, and how many instances were migrated."""
        self.migrations.begin(each for plan in plans for each in _changed_classes(plan))
        try:
            with self._at_work():
                installation = install(plans, self._importers, self._is_users, lambda: self._made_meanwhile(plans))
                try:
                    return installation, self.migrations.carry_out()
                except BaseException:
                    installation.take_back()
                    raise
        except BaseException:
            self.migrations.abandon()
            raise

    def _is_users(self, function: FunctionType) -> bool:
        return function.__code__.co_filename in self._files

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

    def _importers(self, everyone: bool) -> Iterator[Importer]:
        """Give the modules of the user's that take names of others; unless it is everyone's, those that take all names only."""
        word = b"import " if everyone else b"import *"
        importing = [file for file in self._files.values() if word in file.newest.source]
        for file, spaces in self._with_namespaces(importing):
            for namespace in spaces:
                yield Importer(namespace, imports_from(file.newest.tree))

    def _with_namespaces(self, files: Iterable[File]) -> list[tuple[File, list[Namespace]]]:
        """Give files, each with the namespaces of the modules that were loaded from it."""
        listed = list(files)
        spaces = namespaces_of_each({file.filename: file.module_names for file in listed}) if listed else {}
        return [(file, spaces[file.filename]) for file in listed]

    def _check_all(self, comparisons: Sequence[Comparison], rebound: Set[str] = frozenset()) -> list[Plan]:
        by_file, spaces = self._live_in([each.new.filename for each in comparisons])
        plans = [
            check(
                each, by_file[each.new.filename], spaces[each.new.filename], self._identify, self._trap, self._untrapped, rebound
            )
            for each in comparisons
        ]
        for plan in plans:
            plan.functions += [(each, each.__code__) for each in by_file[plan.comparison.new.filename]]
        return plans

    def _made_meanwhile(self, plans: Sequence[Plan]) -> Iterator[Assignment]:
        """Give what functions get that run old code, and were made since these plans: by what is evaluated for them, or by other threads."""
        by_file, _ = self._live_in([plan.comparison.new.filename for plan in plans])
        for plan in plans:
            known = {id(function) for function, _ in plan.functions}
            made = [each for each in by_file[plan.comparison.new.filename] if id(each) not in known]
            if made:
                old = {id(inner) for _, code in plan.functions for inner in code_inside(code)}
                made = [each for each in made if id(each.__code__) in old]
                more = check_back(plan.comparison, made, self._identify, self._trap, self._untrapped, has_header=lambda _: False)
                plan.kept += more.kept
                plan.warnings |= more.warnings
                yield from more.assignments

    def _live_in(self, filenames: Sequence[str]) -> tuple[dict[str, list[FunctionType]], dict[str, list[Namespace]]]:
        """Give the live functions of files, and the namespaces of the modules that were loaded from them, by file."""
        spaces = namespaces_of_each({name: self._files[name].module_names for name in filenames})
        by_file: dict[str, list[FunctionType]] = {name: [] for name in filenames}
        for function in live_functions(filenames, [space for each in spaces.values() for space in each]):
            if self._entered.node(function.__code__) is not None or function.__code__.co_name == "<module>":
                continue  # the latter is what a dead frame of a module holds, and is never called
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
        with self._lock, self._trees():
            self.remember_loaded()
            patch = self.history.last
            if patch is None:
                return UndoResult(refusal=Refusal("nothing-to-undo", "no patch is installed"))
            try:
                result = self._undo(patch)
            except Refused as refused:
                return UndoResult(refusal=refused.refusal)
        self._tell_installed()
        return result

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
        self._untold.append([(comparison.old, comparison.new) for comparison in comparisons])
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
        if patch.migrated:
            sentence = f"the data of instances that were migrated ({patch.migrated}) stays as the migration has left it"
            told.append(Refusal("migration-kept", sentence, "assign it anew where that matters"))
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


def _changed_classes(plan: Plan) -> Iterator[tuple[type, int, int, bool]]:
    """Give the classes that a plan changes, as `Migrations.begin` takes them."""
    changed = {id(node) for node in plan.comparison.changed}
    for cls, node, concerns in plan.classes.values():
        partner = plan.comparison.partners.get(id(node))
        before = partner.version if partner is not None else 1
        yield cls, before, before + (id(node) in changed), concerns


def _patched(comparison: Comparison) -> PatchedFile:
    """Describe for the history what was done to a file."""
    old, new = comparison.old, comparison.new
    if old is new:  # some functions ran a text that is not known
        return PatchedFile(new.filename, None, new.source)
    renamed = {node.qualname: comparison.partners[id(node)].qualname for node in comparison.renamed}
    gone = frozenset(node.code.co_name for node in comparison.removed if node.parent is old.module)
    return PatchedFile(new.filename, old.source, new.source, Lineage.of(comparison), renamed, gone)


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
