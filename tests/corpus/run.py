"""The command line: collect the list, or apply what is on it."""

from __future__ import annotations

import argparse
import collections
import json
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

from tests.corpus import apply
from tests.corpus.apply import Judge, Verdict
from tests.corpus.collect import choose
from tests.corpus.edits import LIST, Edit, read_edits, write_edits
from tests.corpus.histories import History, find_clone
from tests.corpus.repositories import DEPENDENCIES, REPOSITORIES

_KINDS = (apply.APPLIED, apply.WITH_WARNINGS, apply.REFUSED, apply.WRONG, apply.NOT_HERE)


def main(words: Sequence[str]) -> int:
    """Collect or apply. Returns 1 if an edit was applied wrongly, else 0."""
    parser = argparse.ArgumentParser(prog="python -m tests.corpus", description=__doc__, epilog=_how_to_get_them())
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("clones", type=Path, help="the folder with the clones")
    parser.add_argument("--collect", type=int, metavar="N", help="choose N edits of each repository and write the list")
    parser.add_argument("--list", type=Path, default=LIST, help="the list of edits")
    parser.add_argument("--only", default="", help="repositories and commits that hold this text")
    parser.add_argument(
        "--engine", type=Path, default=Path(__file__).resolve().parent.parent.parent, help="a checkout of fixcont"
    )
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--json", type=Path, help="where to write the verdicts, one a line")
    parser.add_argument("--keep", type=Path, help="a folder in which the trees are left")
    options = parser.parse_args(words)
    return _collect(options) if options.collect else _apply(options)


def _how_to_get_them() -> str:
    clones = "\n".join(f"  git clone --bare {each.address}" for each in REPOSITORIES)
    return f"The clones:\n{clones}\n\nWhat they import:\n  pip install {' '.join(DEPENDENCIES)}"


def _histories(clones: Path) -> dict[str, History]:
    found = {}
    for repository in REPOSITORIES:
        clone = find_clone(clones, repository.name)
        if clone is not None:
            found[repository.name] = History(clone, repository.packages)
        else:
            print(f"no clone of {repository.name}: git clone --bare {repository.address}", file=sys.stderr)
    return found


def _collect(options: argparse.Namespace) -> int:
    histories = _histories(options.clones)
    chosen: dict[str, list[Edit]] = {}
    for edit in read_edits(options.list) if options.list.exists() else []:
        chosen.setdefault(edit.repository, []).append(edit)
    for repository in REPOSITORIES:
        if repository.name in histories and options.only in repository.name:
            chosen[repository.name] = list(choose(histories[repository.name], repository, options.collect))
            print(f"{repository.name:<32} {len(chosen[repository.name])}", flush=True)
            write_edits([edit for each in REPOSITORIES for edit in chosen.get(each.name, [])], options.list)
    return 0


def _apply(options: argparse.Namespace) -> int:
    histories = _histories(options.clones)
    edits = [each for each in read_edits(options.list) if each.repository in histories and options.only in str(each)]

    def judge(edit: Edit) -> Verdict:
        try:
            return Judge(histories[edit.repository], options.engine.resolve(), options.keep).judge(edit)
        except Exception:
            print(f"while judging {edit}", file=sys.stderr)
            raise

    verdicts: list[Verdict] = []
    with ThreadPoolExecutor(options.jobs) as pool:
        for verdict in pool.map(judge, edits):
            verdicts.append(verdict)
            print(_line(verdict), flush=True)
            if options.json is not None:
                with options.json.open("a") as stream:
                    stream.write(json.dumps(asdict(verdict)) + "\n")
    print(_table(verdicts))
    return int(any(verdict.kind == apply.WRONG for verdict in verdicts))


def _line(verdict: Verdict) -> str:
    edit = verdict.edit
    return f"{edit.repository} {edit.commit[:10]} {edit.file}: {verdict.kind} {verdict.code} {' '.join(verdict.what.split())}".rstrip()


def _table(verdicts: Sequence[Verdict]) -> str:
    rows = [f"{'':<32}" + "".join(f"{kind:>25}" for kind in _KINDS)]
    names = list(dict.fromkeys(verdict.edit.repository for verdict in verdicts))
    for name in [*names, ""]:
        counts = collections.Counter(each.kind for each in verdicts if name in ("", each.edit.repository))
        rows.append(f"{name or 'all':<32}" + "".join(f"{counts[kind]:>25}" for kind in _KINDS))
    codes = collections.Counter(each.code for each in verdicts if each.kind == apply.REFUSED)
    rows += [f"  refused: {code:<28} {count}" for code, count in codes.most_common()]
    return "\n".join(["", *rows])
