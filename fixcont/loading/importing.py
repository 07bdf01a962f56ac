"""Give traps to modules while they are imported.

The problem: the code object that the import machinery is about to execute has to be exchanged, and nobody may see
that it was: not by `__loader__`, `__spec__` or `sys.meta_path`, not in the traceback of an import that fails, not by asking
a loader for its code.

Things that don't work:

- A finder of our own on `sys.meta_path`: the debuggee sees it, and reorders it.
- A function in the place of `SourceFileLoader.get_code` that calls the original: when the original raises, our
  frame is in the traceback. Python hides only unbroken runs of its own import frames, so that one strange
  frame makes all of them visible.
- A function that disguises itself by its file name: its lines are wrong.

Solution: a descriptor in the place of the function. Looking up `loader.get_code` runs our `__get__`, and that is over
before anything is called, so it leaves no frame behind. There we see who asks. The import machinery and `runpy` get a
callable that answers with the trapped code; all others get the plain method. If the plain method raises, the
exception is kept and the callable that is handed out raises it again, from C, with the traceback that it had.

What remains: a loader class that overrides `get_code` or executes modules in its own way, and `zipimporter.load_module`,
give plain code.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import sys
from collections.abc import Callable, Generator
from functools import partial
from types import CodeType, FrameType, ModuleType
from typing import Any
from zipimport import zipimporter

from fixcont.loading.cache import Entry, TrapCache, pack, unpack
from fixcont.loading.scope import Scope

Trap = Callable[[CodeType], CodeType]
#: Called with the file name, the bytes of the file that were compiled (None when they are not known), and the code to be run.
OnLoaded = Callable[[str, bytes | None, CodeType], None]
#: The same, with the text to be asked for when it is needed.
OnLoadedLazily = Callable[[str, "LoadedText", CodeType], None]
OnFault = Callable[[BaseException], None]
GetCode = Callable[[str], CodeType | None]

_SourceFileLoader = importlib.machinery.SourceFileLoader
#: The one function by which all loaders written in Python execute a module.
_EXEC_MODULE = _SourceFileLoader.exec_module.__code__
_ABSENT: Any = object()


class LoadedText:
    """The text that a module was loaded from, whatever became of the file since.

    Attributes:
        status: the file's status when it was loaded; None where there is no such file.
    """

    __slots__ = ("_packed", "status")

    def __init__(self, packed: bytes | None, status: os.stat_result | None) -> None:
        self._packed = packed
        self.status = status

    def read(self) -> bytes | None:
        """Return the bytes that were compiled; None for a module in a zip file, and if the file changed while it was loaded."""
        return None if self._packed is None else unpack(self._packed)


def install_hook(
    scope: Scope,
    trap: Trap,
    on_loaded: OnLoaded | None = None,
    cache: TrapCache | None = None,
    on_fault: OnFault | None = None,
    *,
    on_loaded_lazily: OnLoadedLazily | None = None,
) -> None:
    """Trap the code of every module in scope that is imported from now on, from a source file or a zip file.

    The interpreter's own bytecode files are read and written as without the hook. Calling it again replaces the
    arguments of the last call. Modules that are loaded already are not touched.

    Args:
        scope: says which files are the user's; asked before the cache is.
        trap: gives a code object its traps. An `Exception` that it raises is a fault: the module then runs plain.
        on_loaded: told of each module just before it is executed, in the importing thread, with the import lock of the
            module held. The bytes are None for a module in a zip file, and when the file changed while it was loaded.
        cache: where trapped code is kept; it must belong to this very `trap`. None to keep nothing.
        on_fault: told of exceptions in the hook's own work; the import goes on without traps.
        on_loaded_lazily: told as `on_loaded`. With this one alone, a module that comes from the cache loads without
            its source file being read, which is a tenth of a plain import's time.
    """
    remove_hook()
    hook = _Hook(scope, trap, on_loaded, cache, on_fault, on_loaded_lazily)
    for loader_class, answer in ((_SourceFileLoader, hook.answer_for_file), (zipimporter, hook.answer_for_zip)):
        setattr(loader_class, "get_code", _TrappedGetCode(loader_class, answer))  # noqa: B010 - it replaces a method


def remove_hook() -> None:
    """Import without traps again. Modules that were imported with traps keep them."""
    for loader_class in (_SourceFileLoader, zipimporter):
        descriptor = vars(loader_class).get("get_code")
        if isinstance(descriptor, _TrappedGetCode):
            descriptor.remove()


class _TrappedGetCode:
    """The attribute `get_code` of a loader class: the plain one for everybody but those who execute the code."""

    def __init__(self, owner: type, answer: Callable[[Any, FrameType, GetCode], GetCode | None]) -> None:
        self._owner = owner
        self._before = vars(owner).get("get_code", _ABSENT)  # absent when it is inherited
        self._plain = getattr(owner, "get_code")  # noqa: B009 - mypy must not know it as a method
        self._answer = answer

    def __get__(self, loader: Any, owner: type | None = None) -> Any:
        if loader is None:
            return self._plain
        plain = self._plain.__get__(loader, owner)
        caller = sys._getframe(1)
        code = caller.f_code
        if code is _EXEC_MODULE or (code.co_name == "_get_module_details" and caller.f_globals.get("__name__") == "runpy"):
            return self._answer(loader, caller, plain) or plain
        return plain

    def remove(self) -> None:
        if self._before is _ABSENT:
            del self._owner.get_code  # type: ignore[attr-defined]
        else:
            setattr(self._owner, "get_code", self._before)  # noqa: B010


class _Hook:
    """What is done when the code of a module is asked for in order to be executed."""

    def __init__(
        self,
        scope: Scope,
        trap: Trap,
        on_loaded: OnLoaded | None,
        cache: TrapCache | None,
        on_fault: OnFault | None,
        on_loaded_lazily: OnLoadedLazily | None,
    ) -> None:
        self._scope = scope
        self._trap = trap
        self._on_loaded = on_loaded
        self._cache = cache
        self._on_fault = on_fault
        self._on_loaded_lazily = on_loaded_lazily

    def answer_for_file(self, loader: Any, _caller: FrameType, plain: GetCode) -> GetCode | None:
        """Return a `get_code` that gives the trapped code of a source file; None to leave the plain one."""
        attributes = object.__getattribute__(loader, "__dict__")  # a subclass may have made properties of them
        path, name = attributes.get("path"), attributes.get("name")
        if type(path) is not str or type(name) is not str or not self._scope.is_user(path):
            return None
        try:
            code, text = self._load(loader, path, lambda: plain(name))
        except BaseException as error:
            return _raising(error)
        if code is None:
            return None
        self._tell(path, text, code)
        return _giving(name, code, plain)

    def _load(self, loader: Any, path: str, plain: Callable[[], CodeType | None]) -> tuple[CodeType | None, LoadedText]:
        """Return the trapped code of a source file, and its text. Raises what the plain loader raises."""
        # what a subclass compiles need not be what the file says, so only the plain loader's code can be looked up by file
        cache = self._cache if type(loader) is _SourceFileLoader else None
        status = _status_of(path)
        entry = _cached(cache, path, status)
        if entry is not None:
            return entry.code, LoadedText(entry.packed, status)
        compiled = plain()
        if type(compiled) is not CodeType:
            return None, _NO_TEXT
        code = self._trapped(compiled)
        text = read_unchanged(path, status)
        if text is None or status is None:
            return code, _NO_TEXT
        packed = pack(text)
        if cache is not None and code is not compiled:
            cache.write(path, status, Entry(code, packed))
        return code, LoadedText(packed, status)

    def answer_for_zip(self, _loader: Any, caller: FrameType, plain: GetCode) -> GetCode | None:
        """Return a `get_code` that gives the trapped code of a module in a zip file; None to leave the plain one."""
        name = _module_name(caller)
        if name is None:
            return None
        try:
            compiled = plain(name)
            if type(compiled) is not CodeType or not self._scope.is_user(compiled.co_filename):
                return None
            code = self._trapped(compiled)
        except BaseException as error:
            return _raising(error)
        self._tell(code.co_filename, _NO_TEXT, code)
        return _giving(name, code, plain)

    def _trapped(self, code: CodeType) -> CodeType:
        try:
            return self._trap(code)
        except Exception as error:
            self._report(error)
            return code

    def _tell(self, path: str, text: LoadedText, code: CodeType) -> None:
        try:
            if self._on_loaded_lazily is not None:
                self._on_loaded_lazily(path, text, code)
            if self._on_loaded is not None:
                source = read_unchanged(path, text.status)  # faster than to unpack it
                self._on_loaded(path, text.read() if source is None else source, code)
        except Exception as error:
            self._report(error)

    def _report(self, error: Exception) -> None:
        if self._on_fault is not None:
            self._on_fault(error)


_NO_TEXT = LoadedText(None, None)


def read_unchanged(path: str, status: os.stat_result | None) -> bytes | None:
    """Return the bytes of a file; None if it cannot be read or is no longer what it was when its status was taken."""
    if status is None:
        return None
    try:
        with open(path, "rb", buffering=0) as file:
            data = file.read()
            now = os.fstat(file.fileno())
    except OSError:
        return None
    return data if (now.st_mtime_ns, now.st_size) == (status.st_mtime_ns, status.st_size) else None


def _status_of(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)
    except (OSError, ValueError):
        return None


def _cached(cache: TrapCache | None, path: str, status: os.stat_result | None) -> Entry | None:
    """Return what the cache has, if the interpreter need not be asked so that it writes its own bytecode file."""
    if cache is None or status is None:
        return None
    if not sys.dont_write_bytecode:
        try:
            os.stat(importlib.util.cache_from_source(path))
        except (OSError, NotImplementedError, ValueError):
            return None
    return cache.read(path, status)


def _module_name(caller: FrameType) -> str | None:
    """Return the name of the module that is being executed, without running code of the debuggee."""
    variables = caller.f_locals
    module = variables.get("module")
    name = vars(module).get("__name__") if type(module) is ModuleType else variables.get("mod_name")
    return name if type(name) is str else None


def _giving(name: str, code: CodeType, plain: GetCode) -> GetCode:
    def get_code(fullname: str) -> CodeType | None:
        return code if fullname == name else plain(fullname)

    return get_code


def _raising(error: BaseException) -> GetCode | None:
    """Return a callable that raises an exception again as if it had been raised by what is called in its place.

    The callable is made of parts that are written in C, so that it adds nothing to the traceback, and `throw` into a
    generator that has ended raises the exception as it is. Our own frames are cut off the traceback.
    """
    if isinstance(error, StopIteration):
        return None  # `next` would swallow it; the plain method raises it again
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_frame.f_globals is globals():
        traceback = traceback.tb_next
    ended = _nothing()
    next(ended, None)
    throwing = map(ended.throw, (BaseException.with_traceback(error, traceback),))
    return partial(next, throwing)  # its argument, the name of the module, becomes the unused default of `next`


def _nothing() -> Generator[None, None, None]:
    yield from ()
