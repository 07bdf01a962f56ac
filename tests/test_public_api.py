"""The public names are those that are promised, and importing them changes nothing."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import fixcont
from support.session import run_python

PROMISED = {"install", "uninstall", "set_trace"}

# Prints what differs in the process after the import, but for the modules themselves.
IMPORT_CHANGES = """\
import builtins, faulthandler, gc, io, os, signal, sys, threading
def state():
    return {
        "meta_path": list(sys.meta_path), "path_hooks": list(sys.path_hooks), "path": list(sys.path),
        "excepthook": sys.excepthook, "threading.excepthook": threading.excepthook, "breakpointhook": sys.breakpointhook,
        "trace": sys.gettrace(), "profile": sys.getprofile(), "builtins": sorted(vars(builtins)), "argv": list(sys.argv),
        "signals": [signal.getsignal(s) for s in signal.valid_signals()], "limit": sys.getrecursionlimit(),
        "streams": (sys.stdin, sys.stdout, sys.stderr, sys.displayhook), "threads": threading.active_count(),
        "environ": dict(os.environ), "gc": gc.callbacks[:], "main": sorted(vars(sys.modules["__main__"]).keys() - {"before", "fixcont"}),
    }
before = state()
import fixcont
after = state()
print([name for name in before if before[name] != after[name]])
print([name for name in ("prompt_toolkit", "pygments", "fixcont_ui", "pdb", "asyncio", "ctypes") if name in sys.modules])
"""


def test_every_promised_name_is_there() -> None:
    assert set(fixcont.__all__) >= PROMISED


def test_all_is_what_is_there() -> None:
    public = {name for name, value in vars(fixcont).items() if not name.startswith("_") and not inspect.ismodule(value)}
    unlisted = {name for name in public - set(fixcont.__all__) if getattr(vars(fixcont)[name], "__module__", "") == "fixcont"}

    assert set(fixcont.__all__) <= set(dir(fixcont))
    assert unlisted == set()


def test_every_public_name_has_a_docstring() -> None:
    assert [name for name in fixcont.__all__ if not inspect.getdoc(getattr(fixcont, name))] == []


def test_importing_changes_nothing_and_loads_no_front_end() -> None:
    ended = run_python(["-c", IMPORT_CHANGES])

    assert (ended.errors, ended.output) == ("", "[]\n[]\n")


def test_the_package_is_typed() -> None:
    root = Path(fixcont.__file__).parent

    assert (root / "py.typed").is_file()
    assert (root.parent / "ui" / "fixcont_ui" / "py.typed").is_file()


def test_every_folder_is_a_package() -> None:
    """A folder without __init__.py works in a checkout, and is easily left out of a wheel."""
    root = Path(fixcont.__file__).parent.parent
    modules = [*(root / "fixcont").rglob("*.py"), *(root / "ui" / "fixcont_ui").rglob("*.py")]

    assert sorted({str(path.parent) for path in modules if not (path.parent / "__init__.py").is_file()}) == []


def test_public_functions_are_annotated() -> None:
    tree = ast.parse(inspect.getsource(fixcont))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")]

    assert [f.name for f in functions if f.returns is None] == []
