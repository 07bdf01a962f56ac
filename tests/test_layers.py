"""The layers go one way: read from the source of every module, without running it."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.once import one_python_is_enough

pytestmark = one_python_is_enough

ROOT = Path(__file__).resolve().parent.parent
ENGINE = ROOT / "fixcont"
FRONT_ENDS = ROOT / "ui" / "fixcont_ui"

DOORS = {"fixcont/__main__.py", "fixcont/prompt.py", "fixcont/pdb.py", "fixcont/dap.py", "fixcont/ipython.py"}
VERSION_ROOM = "fixcont/bytecode/interpreter.py"

# package of the engine -> the other packages of the engine that it may import
ARROWS = {
    "bytecode": set[str](),
    "loading": {"bytecode"},
    "editing": {"bytecode"},
    "continuing": {"bytecode", "editing"},
    "stopping": {"bytecode", "continuing", "editing"},
    "stepping": {"bytecode", "continuing", "editing", "stopping"},
    "postmortem": {"bytecode", "continuing", "editing", "stopping"},
    "testcases": {"bytecode", "postmortem"},
}
ENGINE_MODULES = sorted(ENGINE.rglob("*.py"))
ALL_MODULES = [*ENGINE_MODULES, *sorted(FRONT_ENDS.rglob("*.py"))]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imported(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Give every module that the code imports, anywhere, with the line; for `from a import b` that is `a.b`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative import in line {node.lineno}"
            for alias in node.names:
                yield f"{node.module}.{alias.name}", node.lineno


def without_type_checking(tree: ast.Module) -> ast.Module:
    """Drop the bodies of `if TYPE_CHECKING:`: what is imported there is never imported when the program runs."""

    class Dropper(ast.NodeTransformer):
        def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
            if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
                return node.orelse
            return self.generic_visit(node)

    kept = Dropper().visit(tree)
    assert isinstance(kept, ast.Module)
    return kept


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), name_of(path))


modules = pytest.mark.parametrize("path", ALL_MODULES, ids=name_of)
engine_modules = pytest.mark.parametrize("path", ENGINE_MODULES, ids=name_of)


@engine_modules
def test_the_engine_imports_the_standard_library_and_itself(path: Path) -> None:
    allowed = {"fixcont", *sys.stdlib_module_names}
    if name_of(path) in DOORS:
        allowed.add("fixcont_ui")
    found = [(name, line) for name, line in imported(parse(path)) if name.partition(".")[0] not in allowed]

    assert found == []


@engine_modules
def test_only_the_doors_name_the_front_ends(path: Path) -> None:
    if name_of(path) not in DOORS:
        assert "fixcont_ui" not in path.read_text(encoding="utf-8")


@engine_modules
def test_packages_of_the_engine_import_along_the_arrows(path: Path) -> None:
    parts = path.relative_to(ENGINE).parts
    if len(parts) == 1:
        return  # the top puts the parts together
    allowed = ARROWS[parts[0]] | {parts[0], "errors", "filenames"}
    runtime = imported(without_type_checking(parse(path)))
    names = [(name.split("."), line) for name, line in runtime if name.split(".")[0] == "fixcont"]
    found = [(".".join(name), line) for name, line in names if name[1] not in allowed]

    assert found == []


@engine_modules
def test_only_one_room_compares_versions(path: Path) -> None:
    if name_of(path) == VERSION_ROOM:
        return
    found = [
        (node.attr, node.lineno)
        for node in ast.walk(parse(path))
        if isinstance(node, ast.Attribute)
        and node.attr in {"version_info", "hexversion", "python_version", "python_version_tuple"}
    ]

    assert found == []


@engine_modules
def test_the_engine_prints_nothing(path: Path) -> None:
    found = [
        node.lineno
        for node in ast.walk(parse(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"print", "input"}
    ]

    assert found == []


@modules
def test_modules_have_one_role_each(path: Path) -> None:
    """A module says in its docstring what it is for, and is not too long for one role."""
    tree = parse(path)

    assert ast.get_docstring(tree), "no docstring"
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 600


@pytest.mark.parametrize(
    "source",
    ["import fixcont.stopping.stop", "from fixcont.stopping import stop", "def f():\n    import fixcont.stopping.stop as s"],
)
def test_the_walk_sees_every_form_of_import(source: str) -> None:
    assert [name for name, _ in imported(ast.parse(source))] == ["fixcont.stopping.stop"]
