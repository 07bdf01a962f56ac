"""Programs under us and under plain Python: the same output, the same errors, the same status, byte for byte."""

from __future__ import annotations

import os
import py_compile
import re
import signal
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent

import pytest

ROOT = Path(__file__).resolve().parents[2]

#: What stands between `python` and the program: the runner alone, and the whole command with all that it puts in place.
DOORS = {"runner": ("-m", "runner_driver"), "command": ("-m", "fixcont", "--stop", "never")}
#: Runs a program by the runner alone.
DRIVER = """
    import sys
    from fixcont.loading import runner

    arguments = sys.argv[1:]
    if arguments[0] == "-m":
        status = runner.run_module(arguments[1], arguments[2:], lambda code, filename: code)
    else:
        status = runner.run_script(arguments[0], arguments[1:], lambda code, filename: code)
    if status:
        sys.exit(status)
"""


@dataclass(frozen=True)
class Outcome:
    """What the world sees of a program that has ended."""

    stdout: str
    stderr: str
    status: int


@dataclass(frozen=True)
class Case:
    """A program in one or more files, and how it is started.

    Attributes:
        name: names the case in the test report.
        files: text of each file, by its path below the directory in which the program is started.
        command: what follows `python`.
        expects: a piece of what plain Python must show, so that the case cannot become empty.
        status: the exit status that plain Python must have.
        options: options of the interpreter.
        stdin: what the program reads.
    """

    name: str
    files: dict[str, str]
    command: Sequence[str] = ("main.py",)
    expects: str = ""
    status: int = 0
    options: Sequence[str] = ()
    stdin: str = field(default="", repr=False)


def run(directory: Path, command: Sequence[str], stdin: str = "", merged: bool = False) -> Outcome:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    python_path = os.pathsep.join([str(ROOT), str(ROOT / "ui"), str(directory.parent / "driver")])
    environment = {**inherited, "PYTHONPATH": python_path, "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
    completed = subprocess.run(
        [sys.executable, *command],
        cwd=directory,
        env=environment,
        input=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if merged else subprocess.PIPE,
        text=True,
        timeout=60,
    )
    stdout, stderr = (re.sub("0x[0-9a-f]{6,}", "ADDRESS", text or "") for text in (completed.stdout, completed.stderr))
    return Outcome(stdout, stderr, completed.returncode)


def write(directory: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(dedent(text).encode())


@pytest.fixture
def place(tmp_path: Path) -> Path:
    directory = tmp_path / "place"
    directory.mkdir()
    write(tmp_path / "driver", {"runner_driver.py": DRIVER})
    return directory


@pytest.fixture(params=DOORS.values(), ids=list(DOORS))
def door(request: pytest.FixtureRequest) -> Sequence[str]:
    """The part of the command line that stands between `python` and the program."""
    found: Sequence[str] = request.param
    return found


def assert_same(place: Path, door: Sequence[str], case: Case) -> None:
    write(place, case.files)
    for merged in (False, True):  # merged: what comes first must come first
        plain = run(place, [*case.options, *case.command], case.stdin, merged)
        ours = run(place, [*case.options, *door, *case.command], case.stdin, merged)
        assert ours == plain
        assert case.expects in plain.stdout + plain.stderr
        assert plain.status == case.status
        if not (plain.stdout and plain.stderr):
            break


NAMESPACE = """
    import sys
    for name, value in list(globals().items()):
        print(name, type(value).__name__, value if isinstance(value, (str, dict)) and name != "__builtins__" else "")
    print(sys.argv, sys.path, __file__, sys._getframe().f_code.co_filename)
    print(type(__spec__), __spec__ and (__spec__.name, __spec__.origin, __spec__.parent))
    print(__loader__.name, __loader__.path, sys.modules["__main__"].__dict__ is globals())
"""
SEES_ITSELF = """
    import dataclasses, inspect, pickle, typing
    from dataclasses import dataclass

    @dataclass
    class Point:
        x: "int"
        y: "Point | None" = None

    def area(point: Point) -> "Point":
        return point

    print(pickle.loads(pickle.dumps(Point(1))), Point.__module__)
    print(typing.get_type_hints(Point), typing.get_type_hints(area))
    print(inspect.getsource(area), inspect.getsourcefile(Point), inspect.getmodule(area).__name__)
"""
CHAINED = """
    def inner():
        return 1 / 0

    def middle():
        try:
            inner()
        except ZeroDivisionError as error:
            raise ValueError("middle") from error

    print("before")
    try:
        middle()
    except ValueError:
        {}["missing"]
"""
ENDS = """
    import atexit, sys, threading, time

    def late():
        time.sleep(0.1)
        print("thread", "__file__" in globals(), threading.current_thread().daemon)

    atexit.register(lambda: print("atexit", "__file__" in globals(), "__cached__" in globals()))
    threading.Thread(target=late).start()
    print("main")
"""
HOOK = """
    import sys

    def hook(kind, error, traceback):
        print("hook", kind, error, traceback.tb_frame.f_code.co_name, traceback is error.__traceback__, sys.exc_info())
        print(sys.last_type, sys.last_value, sys.last_traceback is traceback, getattr(sys, "last_exc", None))

    sys.excepthook = hook
    1 / 0
"""
FAILING_HOOK = """
    import sys

    def hook(kind, error, traceback):
        raise RuntimeError("in the hook")

    sys.excepthook = hook
    1 / 0
"""
THREADS = """
    import sys, threading

    def leave():
        sys.exit(5)

    def fail():
        raise ValueError("in a thread")

    for target in (leave, fail):
        thread = threading.Thread(target=target, name=target.__name__)
        thread.start()
        thread.join()
    print("alive")
"""
POOL = """
    import multiprocessing

    def square(x):
        return x * x

    if __name__ == "__main__":
        with multiprocessing.get_context("{method}").Pool(2) as pool:
            print(pool.map(square, range(5)))
    else:
        assert (__name__, __file__.rpartition("/")[2]) in (("__mp_main__", "main.py"), ("__mp_main__", "mod.py"))
"""
WARNS = """
    import warnings

    def old():
        warnings.warn("old", DeprecationWarning, stacklevel=2)

    old()
    x = 1
    x is 1
"""
BROKEN_IMPORT = """
    import pkg.good
    import pkg.{module}
"""
PACKAGE = {
    "pkg/__init__.py": "print('package', __name__)",
    "pkg/__main__.py": "import sys; print(__name__, __package__, sys.argv, __spec__.name); from . import good",
    "pkg/good.py": "print('good', __name__)",
    "pkg/syntax.py": "def f(:\n    pass\n",
    "pkg/missing.py": "import not_there_at_all",
    "pkg/failing.py": "def f():\n    raise KeyError('k')\nf()\n",
    "pkg/exits.py": "raise SystemExit(9)",
}

SCRIPTS = [
    Case("empty", {"main.py": ""}),
    Case("namespace", {"main.py": NAMESPACE}, ("main.py", "a", "-b", "--", "-m"), "'main.py', 'a', '-b', '--', '-m'"),
    Case("dot path", {"main.py": NAMESPACE}, ("./main.py",), "/./main.py"),
    Case("unnormalised path", {"a/main.py": NAMESPACE, "b/x": ""}, ("b/../a/main.py",), "/b/../a"),
    Case("safe path", {"main.py": NAMESPACE}, options=("-P",)),
    Case("isolated from the environment", {"main.py": "import sys; print(sys.flags)"}, options=("-s", "-O", "-Xdev")),
    Case(
        "docstring and future",
        {"main.py": "'doc'\nfrom __future__ import annotations\nx: y = 1\nprint(__doc__, __annotations__)"},
    ),
    Case("itself", {"main.py": SEES_ITSELF}, expects="Point(x=1, y=None)"),
    Case("standard input", {"main.py": "print(input(), input())"}, expects="one two", stdin="one\ntwo\n"),
    Case("no newline, CRLF, BOM", {"main.py": "\ufeffif 1:\r\n    print('''a\r\nb''')"}, expects="a"),
    Case("coding", {"main.py": "# coding: latin-1\nprint(ascii('é'))"}, expects="\\xc3"),
    Case("chained exceptions", {"main.py": CHAINED}, expects="KeyError: 'missing'", status=1),
    Case(
        "exception group", {"main.py": "raise ExceptionGroup('g', [ValueError(1), TypeError(2)])"}, expects="TypeError", status=1
    ),
    Case("base exception", {"main.py": "class Odd(BaseException): pass\nraise Odd"}, expects="Odd", status=1),
    Case("suggestion", {"main.py": "prnt(1)"}, expects="print", status=1),
    Case("note", {"main.py": "e = ValueError('v'); e.add_note('noted'); raise e"}, expects="noted", status=1),
    Case("ends", {"main.py": ENDS}, expects="atexit False"),
    Case("ends with a failure", {"main.py": f"{ENDS}\n    1 / 0"}, expects="atexit False", status=1),
    Case("ends with an exit", {"main.py": f"{ENDS}\n    sys.exit(4)"}, expects="atexit", status=4),
    Case("exit nothing", {"main.py": "import sys; sys.exit()"}),
    Case("exit zero", {"main.py": "raise SystemExit(0)"}),
    Case("exit number", {"main.py": "raise SystemExit(300)"}, status=44),
    Case("exit text", {"main.py": "import sys; print('out'); sys.exit('because')"}, expects="because", status=1),
    Case("exit object", {"main.py": "raise SystemExit([1, 2])"}, expects="[1, 2]", status=1),
    Case("exit at once", {"main.py": "import os; print('lost'); os._exit(7)"}, status=7),
    Case("exit builtin", {"main.py": "exit(3)"}, status=3),
    Case("excepthook", {"main.py": HOOK}, expects="hook <class 'ZeroDivisionError'>", status=1),
    Case("failing excepthook", {"main.py": FAILING_HOOK}, expects="Error in sys.excepthook", status=1),
    Case("exiting excepthook", {"main.py": "import sys; sys.excepthook = lambda *a: sys.exit(6)\n1/0"}, status=6),
    Case("no excepthook", {"main.py": "import sys; del sys.excepthook\n1/0"}, expects="sys.excepthook is missing", status=1),
    Case("no stderr", {"main.py": "import sys; sys.stderr = None\n1/0"}, status=1),
    Case("threads", {"main.py": THREADS}, expects="in a thread"),
    Case("exit handler fails", {"main.py": "import atexit; atexit.register(lambda: 1/0)"}, expects="ZeroDivisionError"),
    Case("unraisable", {"main.py": "class A:\n    def __del__(self): 1/0\na = A()"}, expects="Exception ignored"),
    Case("warnings", {"main.py": WARNS}, expects="SyntaxWarning", options=("-Wdefault",)),
    Case("warning is an error", {"main.py": "x = 1\nx is 1"}, expects="SyntaxError", status=1, options=("-Werror",)),
    Case("closed output", {"main.py": "import os, sys; os.close(1); print('x')"}, expects="", status=120),
    Case("syntax error", {"main.py": "x = (1,\ny = = 2\n"}, expects="SyntaxError", status=1),
    Case("indentation error", {"main.py": "if 1:\nx\n"}, expects="IndentationError", status=1),
    Case("unclosed", {"main.py": "x = '''abc\n\n"}, expects="SyntaxError", status=1),
    Case("return outside", {"main.py": "x = 1\nreturn x\n"}, expects="outside function", status=1),
    Case("no such file", {}, ("absent.py",), expects="can't open file", status=2),
    Case("directory with nothing", {"d/x.py": ""}, ("d",), expects="can't find '__main__' module", status=1),
    Case("interrupt", {"main.py": "print('x')\nraise KeyboardInterrupt"}, expects="KeyboardInterrupt", status=-signal.SIGINT),
    Case(
        "interrupt by signal",
        {"main.py": f"{ENDS}\n    import signal; signal.raise_signal(signal.SIGINT)"},
        status=-signal.SIGINT,
    ),
    Case("killed", {"main.py": "import os, signal; os.kill(os.getpid(), signal.SIGTERM)"}, status=-signal.SIGTERM),
    *(
        Case(f"imports {module}", {"main.py": BROKEN_IMPORT.format(module=module), **PACKAGE}, expects="good", status=status)
        for module, status in (("syntax", 1), ("missing", 1), ("failing", 1), ("exits", 9), ("absent", 1))
    ),
    *(
        Case(f"pool by {method}", {"main.py": POOL.format(method=method)}, expects="[0, 1, 4, 9, 16]")
        for method in ("spawn", "forkserver", "fork")
    ),
    Case("directory", {"d/__main__.py": NAMESPACE, "d/other.py": ""}, ("d", "x"), expects="'d', 'x'"),
    Case("directory, safe path", {"d/__main__.py": NAMESPACE}, ("./d/", "x"), options=("-P",)),
    Case("directory that fails", {"d/__main__.py": CHAINED}, ("d",), expects="<frozen runpy>", status=1),
    Case("directory with syntax error", {"d/__main__.py": "x = = 1"}, ("d",), expects="SyntaxError", status=1),
]
MODULES = [
    Case("module", {"mod.py": NAMESPACE}, ("-m", "mod", "a", "-m"), expects="mod.py', 'a', '-m']"),
    Case("module, safe path", {"mod.py": ""}, ("-m", "mod"), expects="No module named mod", status=1, options=("-P",)),
    Case("module that fails", {"mod.py": CHAINED}, ("-m", "mod"), expects="<frozen runpy>", status=1),
    Case("module that exits", {"mod.py": "import sys; sys.exit('bye')"}, ("-m", "mod"), expects="bye", status=1),
    Case("module that ends", {"mod.py": ENDS}, ("-m", "mod"), expects="atexit True"),
    Case("module that is interrupted", {"mod.py": "raise KeyboardInterrupt"}, ("-m", "mod"), status=-signal.SIGINT),
    Case("module with syntax error", {"mod.py": "x = = 1"}, ("-m", "mod"), expects="SyntaxError", status=1),
    Case("module with hook", {"mod.py": HOOK}, ("-m", "mod"), expects="hook", status=1),
    Case("module itself", {"mod.py": SEES_ITSELF}, ("-m", "mod"), expects="Point(x=1, y=None)"),
    Case("module pool", {"mod.py": POOL.format(method="spawn")}, ("-m", "mod"), expects="[0, 1, 4, 9, 16]"),
    Case("module runs module", {"mod.py": "import runpy; runpy.run_module('one')", "one.py": "1/0"}, ("-m", "mod"), status=1),
    Case("package", PACKAGE, ("-m", "pkg", "x"), expects="pkg/__main__.py', 'x']"),
    Case("submodule", PACKAGE, ("-m", "pkg.good"), expects="good __main__"),
    Case("submodule that fails", PACKAGE, ("-m", "pkg.failing"), expects="KeyError", status=1),
    Case("submodule absent", PACKAGE, ("-m", "pkg.absent"), expects="No module named pkg.absent", status=1),
    Case("package without main", {"p/__init__.py": ""}, ("-m", "p"), expects="cannot be directly executed", status=1),
    Case("package that fails", {"p/__init__.py": "1/0", "p/m.py": ""}, ("-m", "p.m"), expects="ZeroDivisionError", status=1),
    Case("package imports module", {"p/__init__.py": "import p.m", "p/m.py": ""}, ("-m", "p.m"), expects="RuntimeWarning"),
    Case("namespace package", {"p/m.py": NAMESPACE}, ("-m", "p.m"), expects="'p'"),
    Case("file for a module", {"mod.py": ""}, ("-m", "mod.py"), expects="mod.py", status=1),
    Case("no such module", {}, ("-m", "absent_module"), expects="No module named absent_module", status=1),
    Case("library module", {}, ("-m", "json.tool", "--sort-keys"), expects='"a": 1', stdin='{"a": 1}'),
    Case("built-in module", {}, ("-m", "sys"), expects="No code object available for sys", status=1),
]


@pytest.mark.parametrize("case", SCRIPTS, ids=lambda case: case.name)
def test_a_script_runs_as_under_python(place: Path, door: Sequence[str], case: Case) -> None:
    assert_same(place, door, case)


@pytest.mark.parametrize("case", MODULES, ids=lambda case: case.name)
def test_a_module_runs_as_under_python(place: Path, door: Sequence[str], case: Case) -> None:
    assert_same(place, door, case)


def test_a_zip_file_runs_as_under_python(place: Path, door: Sequence[str]) -> None:
    with zipfile.ZipFile(place / "app.zip", "w") as archive:
        archive.writestr(
            "__main__.py", dedent(NAMESPACE.replace("__loader__.path", "__loader__.archive").replace("__loader__.name", "1"))
        )
        archive.writestr("helper.py", "")
    assert_same(place, door, Case("zip", {}, ("app.zip", "x"), expects="app.zip/__main__.py"))


def test_a_zip_file_that_fails_shows_the_traceback_of_python(place: Path, door: Sequence[str]) -> None:
    with zipfile.ZipFile(place / "app.zip", "w") as archive:
        archive.writestr("__main__.py", "import helper")
        archive.writestr("helper.py", "def f():\n    1/0\nf()\n")
    assert_same(place, door, Case("zip", {}, ("app.zip",), expects="ZeroDivisionError", status=1))


def test_a_link_is_followed_to_its_directory(place: Path, door: Sequence[str]) -> None:
    write(place, {"real/main.py": NAMESPACE, "links/x": ""})
    (place / "links" / "link.py").symlink_to(Path("..") / "real" / "main.py")
    assert_same(place, door, Case("link", {}, ("links/link.py",), expects="/real'"))


@pytest.mark.parametrize("name", ["main.pyc", "main"])
def test_a_bytecode_file_runs_as_under_python(place: Path, door: Sequence[str], name: str) -> None:
    write(place, {"main.py": NAMESPACE + "\n    1/0"})
    py_compile.compile(str(place / "main.py"), cfile=str(place / name), doraise=True)
    assert_same(place, door, Case("pyc", {}, (name,), expects="ZeroDivisionError", status=1))


def test_a_damaged_bytecode_file_is_told_as_by_python(place: Path, door: Sequence[str]) -> None:
    (place / "main.pyc").write_bytes(b"not bytecode at all")
    assert_same(place, door, Case("pyc", {}, ("main.pyc",), expects="Bad magic number", status=1))


def test_standard_input_is_refused(place: Path, door: Sequence[str]) -> None:
    outcome = run(place, [*door, "-"])

    assert "script-from-stdin" in outcome.stderr
    assert outcome.status != 0


def test_an_interrupted_program_shows_its_traceback_once(place: Path, door: Sequence[str]) -> None:
    write(place, {"main.py": "raise KeyboardInterrupt('once')"})

    outcome = run(place, [*door, "main.py"])

    assert outcome.stderr.count("once") == 2  # the line and the message
    assert outcome.status == -signal.SIGINT
