"""Run a script or a module as the main program, as `python SCRIPT` and `python -m MODULE` run it.

What the program sees of itself and what the world sees of it are the same as without us: `__main__`, `sys.argv`,
`sys.path[0]`, streams, traceback and exit status. How the interpreter does it is in `Modules/main.c` and
`Python/pythonrun.c`; modules, directories and zip files go through `runpy`, whose frames show in tracebacks.

Differences that remain: frames of ours lie below the program's first frame while it runs, `sys.orig_argv` is that of the
real command line, and a script whose bytes cannot be decoded gets the words of `compile` instead of those of the file reader.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import marshal
import os
import runpy
import sys
from collections.abc import Callable, Iterable
from types import CodeType, ModuleType, TracebackType
from typing import Any

from fixcont.bytecode import interpreter
from fixcont.errors import Refusal, Refused
from fixcont.loading.importing import OnLoaded

#: Called with the code object that is to be the main program and its file name; answers with what is run in its place.
Prepare = Callable[[CodeType, str], CodeType]

#: What shows an exception as the interpreter does, whatever the program makes of `sys.__excepthook__`.
_show = sys.__excepthook__

_PYC_HEADER_SIZE = 16
_COULD_NOT_START = 2


def run_script(path: str, argv: Iterable[str], prepare: Prepare, on_loaded: OnLoaded | None = None) -> int:
    """Run a script, a `.pyc` file, a directory or a zip file with a `__main__.py`, as `python path argv…` does.

    `sys.modules["__main__"]` is a new module afterwards, `sys.argv` and `sys.path` are the program's. An exception that the
    program did not catch has been shown, by its own `sys.excepthook` if it has one, when this function returns.

    Args:
        path: the file as it was named on the command line.
        argv: the arguments behind it.
        prepare: gives the code of the main program its traps, or leaves it as it is. For a directory or
            a zip file the import hook may have trapped the code already. It must not raise.
        on_loaded: told of the main program just before it runs, as by the import hook.

    Returns:
        The exit status: 0, 1 after an exception that was not caught, 2 if the script cannot be opened. The caller ends
        with it; threads are joined and `atexit` handlers run by the interpreter when it ends.

    Raises:
        SystemExit: the program's own, for the interpreter to act upon.
        KeyboardInterrupt: the program was interrupted and that has been shown already. Let it reach the interpreter, which
            shows nothing more and ends by SIGINT.
        Refused: "script-from-stdin".
    """
    if path == "-":
        sentence = "a program cannot be read from standard input, which the commands come from"
        raise Refused(Refusal("script-from-stdin", sentence, "write it to a file"))
    sys.argv[:] = [path, *argv]
    absolute = _absolute(path)
    if _is_importable(absolute):
        _put_on_path(absolute)
        return _run_module("__main__", False, prepare, on_loaded)
    try:
        with open(absolute, "rb") as file:
            data = file.read()
    except OSError as error:
        sys.stderr.write(f"{sys.orig_argv[0]}: can't open file {absolute!r}: [Errno {error.errno}] {error.strerror}\n")
        return _COULD_NOT_START
    if not sys.flags.safe_path:
        _put_on_path(os.path.dirname(os.path.realpath(path)))
    return _run_file(absolute, data, prepare, on_loaded)


def run_module(name: str, argv: Iterable[str], prepare: Prepare, on_loaded: OnLoaded | None = None) -> int:
    """Run a module or a package as `python -m name argv…` does.

    Arguments, result and exceptions are those of `run_script`; SystemExit is raised, with the text that says why, also if
    there is no such module. The import hook may have trapped the code already when `prepare` gets it.
    """
    sys.argv[:] = ["-m", *argv]
    if not sys.flags.safe_path:
        _put_on_path(os.getcwd())
    return _run_module(name, True, prepare, on_loaded)


def _run_file(path: str, data: bytes, prepare: Prepare, on_loaded: OnLoaded | None) -> int:
    is_bytecode = path.endswith(".pyc") or data.startswith(importlib.util.MAGIC_NUMBER[:2])
    machinery = importlib.machinery
    loader = (machinery.SourcelessFileLoader if is_bytecode else machinery.SourceFileLoader)("__main__", path)
    main = _new_main(loader)
    names = main.__dict__
    names["__file__"] = path
    if interpreter.MAIN_HAS_CACHED:
        names["__cached__"] = None

    def run() -> None:
        if is_bytecode:
            code = _unmarshal(data)
        else:
            code = compile(data, path, "exec", dont_inherit=True)
        prepared = prepare(code, path)
        if on_loaded is not None:
            on_loaded(path, None if is_bytecode else data, prepared)
        exec(prepared, names)

    keeps_file = False
    try:
        return _run_as_program(run, flush=True)
    except SystemExit:
        keeps_file = interpreter.EXIT_KEEPS_MAIN_FILE
        raise
    finally:
        if not keeps_file:  # the interpreter takes them away before threads are joined and exit handlers run
            names.pop("__file__", None)
            names.pop("__cached__", None)


def _unmarshal(data: bytes) -> CodeType:
    if data[:4] != importlib.util.MAGIC_NUMBER:
        raise RuntimeError("Bad magic number in .pyc file")
    code = marshal.loads(memoryview(data)[_PYC_HEADER_SIZE:])
    if type(code) is not CodeType:
        raise RuntimeError("Bad code object in .pyc file")
    return code


def _run_module(name: str, alter_argv: bool, prepare: Prepare, on_loaded: OnLoaded | None) -> int:
    private: Any = runpy
    locate = private._get_module_details

    def locate_and_prepare(*args: Any) -> tuple[str, importlib.machinery.ModuleSpec, CodeType]:
        private._get_module_details = locate  # only the main program is prepared, not what it runs with runpy itself
        found, spec, code = locate(*args)
        prepared = prepare(code, code.co_filename)
        if on_loaded is not None:
            on_loaded(code.co_filename, _source_of(spec), prepared)
        return found, spec, prepared

    _new_main(importlib.machinery.BuiltinImporter)
    private._get_module_details = locate_and_prepare
    try:
        return _run_as_program(lambda: private._run_module_as_main(name, alter_argv), flush=False)
    finally:
        private._get_module_details = locate


def _source_of(spec: importlib.machinery.ModuleSpec) -> bytes | None:
    if type(spec.loader) is not importlib.machinery.SourceFileLoader:
        return None
    try:
        return spec.loader.get_data(spec.loader.path)
    except OSError:
        return None


def _new_main(loader: Any) -> ModuleType:
    """Put a module `__main__` in place that is as the interpreter makes it at its start."""
    main = ModuleType("__main__")
    if interpreter.MAIN_HAS_ANNOTATIONS:
        main.__annotations__ = {}
    main.__dict__["__builtins__"] = sys.modules["builtins"]
    main.__loader__ = loader
    sys.modules["__main__"] = main
    return main


# -- the end of the program


def _run_as_program(run: Callable[[], object], flush: bool) -> int:
    """Run the program and do with its last exception what the interpreter does.

    Args:
        run: runs it.
        flush: write out the streams first, as the interpreter does for a script.
    """
    failure: BaseException | None = None
    try:
        run()
    except BaseException as error:
        failure = error
    if flush:
        _flush()
    if failure is None:
        return 0
    # Out of the `except` block: sys.excepthook sees no exception that is being handled.
    try:
        _strip(failure)
        if isinstance(failure, SystemExit):
            raise failure
        _show_uncaught(failure)
        if isinstance(failure, KeyboardInterrupt):
            _show_nothing_more()
            raise failure
    finally:
        failure = None
    return 1


def _strip(error: BaseException) -> None:
    """Take our frames out of a traceback, wherever they are: `runpy` calls us to locate the main program."""
    kept = [entry for entry in _entries(error.__traceback__) if entry.tb_frame.f_globals is not globals()]
    first: TracebackType | None = None
    for entry in reversed(kept):
        entry.tb_next = first
        first = entry
    BaseException.with_traceback(error, first)


def _entries(traceback: TracebackType | None) -> list[TracebackType]:
    entries = []
    while traceback is not None:
        entries.append(traceback)
        traceback = traceback.tb_next
    return entries


def _show_uncaught(error: BaseException) -> None:
    """Do as `PyErr_Print` does: remember the exception, and give it to `sys.excepthook`."""
    if interpreter.KEEPS_LAST_EXC:
        setattr(sys, "last_exc", error)  # noqa: B010 - 3.11 does not have it
    sys.last_type, sys.last_value, sys.last_traceback = type(error), error, error.__traceback__
    hook = getattr(sys, "excepthook", None)
    if hook is None:
        _write_error("sys.excepthook is missing\n")
        _show(type(error), error, error.__traceback__)
        return
    failed: BaseException | None = None
    try:
        hook(type(error), error, error.__traceback__)
    except BaseException as second:
        failed = second
    if failed is None:
        return
    _strip(failed)
    if isinstance(failed, SystemExit):
        raise failed
    _write_error("Error in sys.excepthook:\n")
    _show(type(failed), failed, failed.__traceback__)
    _write_error("\nOriginal exception was:\n")
    _show(type(error), error, error.__traceback__)


def _show_nothing_more() -> None:
    """Make the interpreter silent about the exception that is on its way to it, and only about that one."""
    before = sys.excepthook

    def restore(_kind: type[BaseException], error: BaseException, _traceback: TracebackType | None) -> None:
        sys.excepthook = before
        _strip(error)
        sys.last_traceback = error.__traceback__

    sys.excepthook = restore


def _write_error(text: str) -> None:
    if sys.stderr is not None:
        sys.stderr.write(text)


def _flush() -> None:
    for stream in (sys.stderr, sys.stdout):
        try:
            stream.flush()
        except Exception:  # as the interpreter: what cannot be written now is tried again at the end, and reported then
            continue


# -- paths, as the interpreter writes them


def _absolute(path: str) -> str:
    if os.name != "posix":
        return os.path.abspath(path)
    return path if path.startswith("/") else f"{os.getcwd()}/{path}"  # nothing is normalised


def _put_on_path(first: str) -> None:
    """Put the program's own directory first, in the place of what the interpreter put there for us."""
    if sys.flags.safe_path:
        sys.path.insert(0, first)
    else:
        sys.path[:1] = [first]


def _is_importable(path: str) -> bool:
    """Say whether modules can be imported from a path: whether it is a directory or a zip file."""
    for hook in sys.path_hooks:
        try:
            importer = hook(path)
        except ImportError:
            continue
        sys.path_importer_cache.setdefault(path, importer)
        return True
    return False
