"""The VS Code extension: it builds, its own tests pass, and what is packaged is what it should be."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest

from fixcont_ui.dap.arguments import ATTACH, LAUNCH
from support.once import one_python_is_enough

ROOT = Path(__file__).resolve().parent.parent.parent
EXTENSION = ROOT / "ui" / "vscode"
GUIDE = ROOT / "docs" / "ide.md"

#: The oldest Node.js that packs extensions.
OLDEST_NODE = 20

#: How npm names what it is when the registry cannot be reached.
UNREACHABLE = re.compile(r"ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ECONNREFUSED|ECONNRESET|ENETUNREACH|ERR_SOCKET_TIMEOUT|ENOTCACHED")


def npm(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "CI": "true", "NO_COLOR": "1", "NO_UPDATE_NOTIFIER": "1"}
    return subprocess.run(["npm", *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=300)


def run(folder: Path, *arguments: str) -> str:
    ended = npm(folder, *arguments)
    assert ended.returncode == 0, f"npm {' '.join(arguments)}\n{ended.stdout}\n{ended.stderr}"
    return ended.stdout


def modules() -> Path:
    """Give the folder with what the extension is built with; it is filled again only when the list of it has changed."""
    folder, listed = EXTENSION / "node_modules", EXTENSION / "package-lock.json"
    filled = folder / ".package-lock.json"
    if not filled.exists() or filled.stat().st_mtime < listed.stat().st_mtime:
        ended = npm(EXTENSION, "ci", "--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund")
        if ended.returncode and UNREACHABLE.search(ended.stderr):
            pytest.skip("npm's registry cannot be reached")
        assert ended.returncode == 0, ended.stderr
        os.utime(filled)
    return folder


@pytest.mark.slow
@one_python_is_enough
def test_the_extension_is_built_tested_and_packaged(tmp_path: Path) -> None:
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("npm and Node.js are not installed")
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(version.lstrip("v").partition(".")[0]) < OLDEST_NODE:
        pytest.skip(f"Node.js {version} is too old to pack extensions")
    installed = modules()
    folder = tmp_path / "vscode"
    shutil.copytree(EXTENSION, folder, ignore=shutil.ignore_patterns("node_modules", "out", "*.vsix"))
    (folder / "node_modules").symlink_to(installed)

    run(folder, "run", "lint")
    tested = run(folder, "test")
    assert re.search(r"^# fail 0$", tested, re.MULTILINE), tested
    passed = re.search(r"^# pass (\d+)$", tested, re.MULTILINE)
    assert passed is not None and int(passed[1]) > 100, tested
    run(folder, "run", "package")

    with zipfile.ZipFile(folder / "fixcont.vsix") as packed:
        names = set(packed.namelist())
        manifest: dict[str, Any] = json.loads(packed.read("extension/package.json"))
    check_files(names, manifest)
    check_contributions(manifest["contributes"])


def check_files(names: set[str], manifest: dict[str, Any]) -> None:
    contributes = manifest["contributes"]
    icons = [icon for command in contributes["commands"] for icon in paths_of(command.get("icon"))]
    for wanted in (manifest["main"], manifest["icon"], *icons, "readme.md", "changelog.md", "LICENSE.txt"):
        assert f"extension/{wanted.removeprefix('./')}" in names, wanted
    assert not [name for name in names if re.search(r"/test/|node_modules|\.ts$|\.map$|package-lock|\.npmrc", name)]


def paths_of(icon: str | dict[str, str] | None) -> list[str]:
    return list(icon.values()) if isinstance(icon, dict) else []


def check_contributions(contributes: dict[str, Any]) -> None:
    (debugger,) = contributes["debuggers"]
    assert (debugger["type"], debugger["languages"]) == ("fixcont", ["python"])
    assert contributes["breakpoints"] == [{"language": "python"}]
    declared = debugger["configurationAttributes"]
    for request, known in (("launch", LAUNCH), ("attach", ATTACH)):
        properties = declared[request]["properties"]
        assert set(properties) == known, request
        assert all(each["description"].endswith(".") for each in properties.values()), request
    offered = [snippet["body"] for snippet in debugger["configurationSnippets"]]
    assert [each["request"] for each in offered] == ["launch", "launch", "launch", "launch", "attach", "attach"]
    for each in (*offered, *debugger["initialConfigurations"]):
        assert set(each) - {"name", "type", "request"} <= set(declared[each["request"]]["properties"])
    buttons = {each["command"] for each in contributes["menus"]["debug/toolBar"]}
    assert {f"fixcont.{name}" for name in ("restartFrame", "retry", "returnFromFrame", "useValue")} <= buttons
    assert contributes["configuration"]["properties"]["fixcont.autoInstall"]["enum"] == ["auto", "manual"]


def test_the_list_of_what_it_is_built_with_names_no_host() -> None:
    listed = json.loads((EXTENSION / "package-lock.json").read_text(encoding="utf-8"))
    assert [name for name, each in listed["packages"].items() if "resolved" in each] == []


def test_the_guide_explains_every_argument() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    for heading, known in (("launch", LAUNCH), ("attach", ATTACH)):
        table = text.partition(f"| argument of `{heading}` |")[2].partition("\n\n")[0]
        cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
        explained = {name.partition(".")[0] for cell in cells for name in re.findall(r"`([\w.]+)`", cell)}
        assert explained == known, heading
