"""CPython's own tests of pdb, from the interpreter's own copy, with `fixcont.pdb` in pdb's place."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from support.session import child_environment

pytestmark = pytest.mark.slow

_SCRIPT = Path(__file__).resolve().parent.parent / "support" / "cpython_pdb_tests.py"
_SECONDS = 900

#: Tests that cannot pass, each with the reason. There is none.
CANNOT_PASS: dict[str, str] = {}


def outcomes(how: str, module: str, folder: Path, names: list[str]) -> tuple[dict[str, str], str]:
    """Run the tests of a module in a process of its own. Returns what came of each, and what was said."""
    folder.mkdir()
    results = folder / "results.json"
    done = subprocess.run(
        [sys.executable, _SCRIPT, how, module, *names],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd=folder,
        env=child_environment({"FIXCONT_RESULTS": str(results)}),
        timeout=_SECONDS,
        check=False,
    )
    assert results.exists(), done.stderr
    found: dict[str, str] = json.loads(results.read_text(encoding="utf-8"))
    return found, done.stderr


def fails(found: dict[str, str]) -> set[str]:
    return {name for name, outcome in found.items() if outcome == "failed"}


def skip_where_it_is_missing(module: str) -> None:
    if importlib.util.find_spec("test") is None or importlib.util.find_spec(module) is None:
        pytest.skip(f"this Python has no {module}")
    if module == "test.test_remote_pdb" and not getattr(sys, "is_remote_debug_enabled", bool)():
        pytest.skip("this Python cannot be attached to")


@pytest.mark.parametrize("module", ["test.test_pdb", "test.test_bdb", "test.test_remote_pdb"])
def test_pdbs_own_tests_pass_with_ours_in_its_place(module: str, tmp_path: Path) -> None:
    skip_where_it_is_missing(module)
    found, said = outcomes("stand-in", module, tmp_path / "ours", [])
    failed = fails(found) - CANNOT_PASS.keys()
    if failed:  # some fail on this machine whatever is in pdb's place
        plain, _ = outcomes("plain", module, tmp_path / "plain", sorted({name.partition("#")[0] for name in failed}))
        failed -= fails(plain)

    assert sorted(failed) == [], said
    assert len(found) > 25
