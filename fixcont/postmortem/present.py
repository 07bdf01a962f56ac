"""The present code of the program of a saved stop: which files they are, and loading them as modules."""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from types import CodeType, ModuleType, TracebackType
from typing import Any, Protocol

from fixcont.continuing.unwinding import is_ours
from fixcont.errors import Refusal, Refused
from fixcont.postmortem.locating import MAIN, Located, locate
from fixcont.postmortem.main_module import pruned
from fixcont.postmortem.opening import Opened, OpenedFrame, load_pickle, open_stop
from fixcont.postmortem.reading import Document
from fixcont.postmortem.reviving import NotFound


class Scoped(Protocol):
    """Which files are the user's own."""

    def is_user(self, filename: str, /) -> bool: ...


class Loads(Protocol):
    """What loading needs of the session."""

    @property
    def scope(self) -> Scoped: ...
    def prepare(self, code: CodeType, filename: str) -> CodeType: ...
    def on_loaded(self, filename: str, source: bytes | None, code: CodeType) -> None: ...


def files_of(opened: Opened, roots: Sequence[str]) -> dict[str, Located]:
    """Find the present files of the user's own frames of a saved stop: of its stack, the outermost first, and of the exceptions that led to it.

    Returns:
        Those that there are and that are not, by the name that the stop has for them.
    """
    files: dict[str, Located] = {}
    for frame in [*reversed(opened.stop.frames), *opened.frames.values()]:
        saved = frame.saved if isinstance(frame, OpenedFrame) else None
        if saved is not None and saved.is_user and saved.file not in files:
            assert isinstance(frame, OpenedFrame)
            files[saved.file] = locate(saved.file, frame.module_name or MAIN, roots)
    return files


def extend_path(files: Iterable[Located]) -> None:
    """Let files be found by the names of their modules, as they were."""
    known = list(files)
    folders = [each.folder for each in known if each.folder]
    for each in known:
        if each.is_main and each.package:
            top = each.folder
            for _ in each.package.split("."):
                top = os.path.dirname(top)
            folders.append(top)
    sys.path[:0] = [each for each in dict.fromkeys(folders) if each not in sys.path]


def open_with_pickles(document: Document, roots: Sequence[str] = ()) -> Opened:
    """Make a stop of what was read, with the pickles in it, which can run anything: only for files that are trusted.

    The classes that they name are found where the present files of the program are (`roots` as for `locate`). Raises as `open_stop`.
    """
    extend_path(files_of(open_stop(document), roots).values())
    return open_stop(document, load_pickle)


class PresentCode:
    """The present files of a saved stop's own functions.

    Args:
        roots: folders below which they are looked for; see `locate`.

    Attributes:
        files: see `files_of`.
        modules: those that are loaded, by the same name.
        refusals: why others are not, by the same name.
    """

    def __init__(self, session: Loads, opened: Opened, roots: Sequence[str] = ()) -> None:
        self._session = session
        self._opened = opened
        self.files = files_of(opened, roots)
        self._roots = roots
        self.modules: dict[str, ModuleType] = {}
        self.refusals: dict[str, Refusal] = {}
        self._imported: dict[str, ModuleType | NotFound] = {}  # by its name, of modules that values name

    def look_again(self, saved: str) -> None:
        """Look for a file anew: it may have come, or gone, as long as it is not loaded."""
        located = self.files.get(saved)
        if located is not None and saved not in self.modules:
            self.files[saved] = locate(saved, located.module, self._roots)

    def load(self) -> None:
        """Load all files that are not loaded yet, which runs their top level. What fails is in `refusals` afterwards."""
        importlib.invalidate_caches()
        self._imported.clear()
        extend_path(self.files.values())
        for saved, located in self.files.items():
            if saved in self.modules:
                continue
            self.refusals.pop(saved, None)
            try:
                self.modules[saved] = self._load(located)
            except Refused as refused:
                self.refusals[saved] = refused.refusal

    def find_module(self, name: str) -> ModuleType:
        """Import a module that a value names. Raises `NotFound`, with what the import raised."""
        if name == MAIN:
            main = next((each for saved, each in self.modules.items() if self.files[saved].is_main), None)
            if main is None:
                raise NotFound("the program's main module is not loaded")
            return main
        known = self._imported.get(name)
        if known is None:
            try:
                known = importlib.import_module(name)
            except (Exception, SystemExit) as error:
                known = NotFound(f"importing {name} raised {type(error).__name__}: {error}")
            self._imported[name] = known
        if isinstance(known, NotFound):
            raise known
        return known

    # -- one file

    def _load(self, located: Located) -> ModuleType:
        if located.refusal is not None:
            raise Refused(located.refusal)
        if not self._session.scope.is_user(located.path):
            sentence = f"{located.path} is not in the scope of the user's own files"
            raise Refused(Refusal("not-trapped", sentence, "open the stop with --scope FILES, so that it is"))
        run: Callable[[], ModuleType] = lambda: self._import(located)  # noqa: E731
        if located.is_main:
            run = lambda: self._main(located)  # noqa: E731
        elif not located.folder:
            run = lambda: self._by_file(located)  # noqa: E731
        try:
            return run()
        except Refused:
            raise
        except (Exception, SystemExit) as error:
            place = "" if isinstance(error, SyntaxError) else _place(error.__traceback__)
            sentence = f"{located.path} cannot be loaded: {type(error).__name__}: {error}{place}"
            is_missing = isinstance(error, ModuleNotFoundError)
            mend = "install that, or open the stop with a Python that has it" if is_missing else "mend that"
            raise Refused(Refusal("not-loaded", sentence, f'{mend}, and say "replay" again')) from error

    @staticmethod
    def _import(located: Located) -> ModuleType:
        before = sys.modules.get(located.module)
        module = importlib.import_module(located.module)
        origin = vars(module).get("__file__")
        if type(origin) is str and os.path.realpath(origin) == os.path.realpath(located.path):
            return module
        if before is None:
            sys.modules.pop(located.module, None)
        sentence = f"importing {located.module} gives {origin or 'something without a file'}, not {located.path}"
        raise Refused(Refusal("another-module", sentence, "start fixcont with a Python and a folder where it gives that file"))

    @staticmethod
    def _by_file(located: Located) -> ModuleType:
        """Load a module whose name is not that of its file, as plug-ins are."""
        spec = importlib.util.spec_from_file_location(located.module, located.path)
        if spec is None or spec.loader is None or located.module in sys.modules:
            sentence = f"{located.path} cannot be loaded as {located.module}"
            raise Refused(Refusal("another-module", sentence, "give the module another name"))
        module = importlib.util.module_from_spec(spec)
        sys.modules[located.module] = module
        try:
            spec.loader.exec_module(module)
        except BaseException:
            sys.modules.pop(located.module, None)
            raise
        return module

    def _main(self, located: Located) -> ModuleType:
        """Load the program's own file, under its own name, without running the program."""
        with open(located.path, "rb") as stream:
            source = stream.read()
        found = pruned(located.path, source, self._stood(located.saved))
        code = self._session.prepare(compile(found.tree, located.path, "exec", dont_inherit=True), located.path)
        module = ModuleType(MAIN)
        names: dict[str, Any] = vars(module)
        names["__file__"], names["__builtins__"] = located.path, sys.modules["builtins"]
        names["__loader__"] = importlib.machinery.SourceFileLoader(MAIN, located.path)
        if located.package:
            names["__package__"] = located.package
        before, arguments = sys.modules.get(MAIN), sys.argv[:]
        saved_arguments = self._opened.document.process.get("arguments")
        sys.modules[MAIN] = module
        sys.argv[:] = [located.path, *(saved_arguments[1:] if isinstance(saved_arguments, list) else [])]
        try:
            self._session.on_loaded(located.path, source, code)
            exec(code, names)
        except BaseException:
            sys.argv[:] = arguments
            if before is not None:
                sys.modules[MAIN] = before
            raise
        return module

    def _stood(self, saved: str) -> tuple[str, int] | None:
        """Give the text of the main module that ran, and the line at which it stood in it."""
        frames = [each for each in self._opened.stop.frames if isinstance(each, OpenedFrame)]
        frame = next((each for each in frames if each.saved.file == saved and each.saved.scope == "module"), None)
        return None if frame is None or not frame.text else ("".join(frame.text), frame.line)


def _place(traceback: TracebackType | None) -> str:
    """Say where an import has failed."""
    place = ""
    while traceback is not None:
        raw = traceback.tb_frame
        if not is_ours(raw) and not raw.f_code.co_filename.startswith("<frozen "):
            place = f" ({raw.f_code.co_filename}:{traceback.tb_lineno})"
        traceback = traceback.tb_next
    return place
