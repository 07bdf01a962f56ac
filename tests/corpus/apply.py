"""Apply one edit in a process of its own, and judge what came of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.corpus.compare import Difference, Named, differences, names_on_line
from tests.corpus.edits import Edit
from tests.corpus.engine import place_of
from tests.corpus.histories import History
from tests.corpus.live import Job

#: Seconds for one process.
DEADLINE = 180
_REPOSITORY = Path(__file__).resolve().parent.parent.parent

APPLIED = "applied"
WITH_WARNINGS = "applied with warnings"
REFUSED = "refused"
WRONG = "wrong"
NOT_HERE = "cannot be imported here"


@dataclass(frozen=True)
class Verdict:
    """What came of an edit.

    Attributes:
        edit: which one.
        kind: one of the words above.
        code: of the refusal.
        what: the sentence of the refusal, or the first difference.
        warnings: (code, sentence) each.
        listed: statements that were listed and then run again.
        failed: those of them that raised.
        unnamed: the differences that no warning names.
        named: how many differences are named by a warning.
        seconds: that the install took.
    """

    edit: Edit
    kind: str
    code: str = ""
    what: str = ""
    warnings: tuple[tuple[str, str], ...] = ()
    listed: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    unnamed: tuple[Difference, ...] = ()
    named: int = 0
    seconds: float = 0.0


class Judge:
    """Applies edits of one repository.

    Parameters:
        history: of the repository.
        engine: the folder that holds the package `fixcont`.
        keep: where to leave the trees; None to take them away.
    """

    def __init__(self, history: History, engine: Path = _REPOSITORY, keep: Path | None = None) -> None:
        self._history = history
        self._engine = engine
        self._keep = keep

    def judge(self, edit: Edit) -> Verdict:
        """Load the parent's tree, apply the commit, and compare with a fresh import."""
        if self._keep is not None:
            return self._judge_in(Path(tempfile.mkdtemp(dir=self._keep, prefix=edit.commit[:10])), edit)
        with tempfile.TemporaryDirectory() as name:
            return self._judge_in(Path(name).resolve(), edit)

    def _judge_in(self, folder: Path, edit: Edit) -> Verdict:
        old, new, alone = folder / "live", folder / "new", folder / "old"
        place = self._history.module_of(edit.file)
        assert place is not None
        root, module = place
        for tree, commit in ((old, f"{edit.commit}^"), (new, edit.commit)):
            self._history.lay_out(commit, tree)
        changes = self._history.changes(edit.commit)
        write = {
            each.path: None if each.status == "D" else str(new / each.path)
            for each in changes
            if each.status == "D" or (new / each.path).is_file()
        }
        fresh = self._run(Job(str(new), root, module, "", {}, str(folder / "fresh.json")))
        if "died" in fresh:
            return Verdict(edit, NOT_HERE, what=fresh["died"])
        live = self._run(Job(str(old), root, module, str(self._engine), write, str(folder / "live.json")))
        if "died" in live:
            self._history.lay_out(f"{edit.commit}^", alone)
            before = self._run(Job(str(alone), root, module, "", {}, str(folder / "old.json")))
            return Verdict(edit, NOT_HERE if "died" in before else WRONG, code="died", what=live["died"])
        outcome = live["outcome"]
        warnings = tuple((code, sentence) for code, sentence in outcome["warnings"])
        if outcome["status"] not in ("installed", "unchanged"):
            what = outcome["sentence"].replace(str(old), "").strip()
            kind = WRONG if outcome["status"] == "fault" else REFUSED
            return Verdict(edit, kind, outcome["code"], what, seconds=live["seconds"])
        found = differences(live["description"], fresh["description"])
        named = _named(self._history, edit, (*warnings, *(("listed", each) for each in outcome["listed"])), old)
        named += _made_before(self._history, outcome["decorated"], old)
        unnamed = [each for each in found if not any(name.covers(each) for name in named)]
        count = len(found) - len(unnamed)
        if unnamed:
            unnamed = self._without_noise(edit, root, module, folder, unnamed)
        warnings = tuple((code, sentence.replace(f"{old}/", "")) for code, sentence in warnings)
        listed, failed = (tuple(each.replace(f"{old}/", "") for each in part) for part in (outcome["listed"], live["failed"]))
        kind = WRONG if unnamed or failed or live["faults"] else WITH_WARNINGS if warnings or listed else APPLIED
        what = str(unnamed[0]) if unnamed else "; ".join([*failed, *live["faults"]])
        return Verdict(edit, kind, "", what, warnings, listed, failed, tuple(unnamed), count, live["seconds"])

    def _without_noise(self, edit: Edit, root: str, module: str, folder: Path, found: list[Difference]) -> list[Difference]:
        """Leave out places that differ between two imports of the old version, one of them under the engine, as well."""
        trees = []
        for name, engine in (("quiet", ""), ("trapped", str(self._engine))):
            tree = folder / name
            self._history.lay_out(f"{edit.commit}^", tree)
            trees.append(self._run(Job(str(tree), root, module, engine, {}, str(folder / f"{name}.json"))))
        if any("died" in each for each in trees):
            return found
        noise = {(each.module, each.path) for each in differences(trees[1]["description"], trees[0]["description"])}
        return [each for each in found if (each.module, each.path) not in noise]

    def _run(self, job: Job) -> dict[str, Any]:
        path = Path(job.report).with_suffix(".job")
        path.write_text(json.dumps(asdict(job)))
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        environment.update(PYTHONPATH=str(_REPOSITORY), PYTHONHASHSEED="0", PYTHONWARNINGS="ignore")
        command = [sys.executable, "-X", "faulthandler", "-P", "-c", "from tests.corpus.live import main; main()", str(path)]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True, env=environment, cwd=job.folder, timeout=DEADLINE)
        except subprocess.TimeoutExpired:
            return {"died": f"it took more than {DEADLINE} seconds"}
        except subprocess.CalledProcessError as error:
            return {"died": f"exit status {error.returncode}: {error.stderr.strip()[-600:]}"}
        report: dict[str, Any] = json.loads(Path(job.report).read_text())
        return report


def _named(history: History, edit: Edit, warnings: tuple[tuple[str, str], ...], folder: Path) -> list[Named]:
    found = []
    for code, sentence in warnings:
        place = place_of(sentence)
        if place is None:
            found += _gone(history, sentence, folder)
            continue
        path = os.path.relpath(folder / place[0], folder)
        module = history.module_of(path)
        if module is None:
            continue
        is_old = code == "removed-kept" or "of the old text" in sentence
        source = history.read(f"{edit.commit}^" if is_old else edit.commit, path)
        found += [Named(module[1], name) for name in names_on_line(source, place[1]) if name]
    return found


def _made_before(history: History, decorated: list[tuple[str, str]], folder: Path) -> list[Named]:
    """Return what decorators had made which changed."""
    places = [(history.module_of(os.path.relpath(path, folder)), name) for path, name in decorated]
    return [Named(place[1], name) for place, name in places if place is not None]


def _gone(history: History, sentence: str, folder: Path) -> list[Named]:
    """Return the attribute that a package has of a module, where a sentence says that the module's file is gone."""
    path, _, rest = sentence.partition(".py ")
    module = history.module_of(os.path.relpath(folder / f"{path}.py", folder)) if rest else None
    if module is None or "." not in module[1]:
        return []
    package, _, name = module[1].rpartition(".")
    return [Named(package, name)]
