"""Repair the programs of a corpus, each at the stop of its failing test, and count how many tests pass without a new process.

The corpus is QuixBugs (github.com/jkoppel/QuixBugs): one small known bug a program, with its correction and tests. It is fetched by whoever
measures, and not part of this repository; `bugs.txt` lists what is run.

For each program: its tests are run under `--fixcont`. At every stop the corrected program is saved over the faulty one, as an editor would
do it, and the test function is restarted. A program counts as repaired if all its tests pass, in this one process.
A test that runs for too long gets a TimeoutError, as from a plug-in for that.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

REPOSITORY = Path(__file__).resolve().parent.parent.parent
LIST = Path(__file__).with_name("bugs.txt")
_PROMPT = "(fixcont) "
_DEADLINE = 300
_MOST_STOPS = 5

_TIME_LIMIT = """

import signal


@pytest.fixture(autouse=True)
def _time_limit():
    def late(number, frame):
        raise TimeoutError("the test runs for too long")

    signal.signal(signal.SIGVTALRM, late)
    signal.setitimer(signal.ITIMER_VIRTUAL, 6)
    yield
    signal.setitimer(signal.ITIMER_VIRTUAL, 0)
"""


class Outcome(NamedTuple):
    """What became of one program.

    Attributes:
        stops: the type of the exception of each stop.
        status: of the process.
        end: pytest's last line.
    """

    name: str
    stops: tuple[str, ...]
    status: int
    end: str

    @property
    def hangs(self) -> bool:
        return self.stops[:1] == ("TimeoutError",)

    @property
    def is_repaired(self) -> bool:
        return bool(self.stops) and self.status == 0 and "repaired" in self.end


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.corpus_repairs", description=__doc__.partition("\n")[0])
    parser.add_argument("corpus", type=Path, help="a checkout of QuixBugs, or its git directory")
    parser.add_argument("--only", action="append", help="run this program; may be repeated")
    parser.add_argument("--show", action="store_true", help="show what the processes print where a program is not repaired")
    options = parser.parse_args(arguments)
    names = options.only or LIST.read_text(encoding="utf-8").split()
    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(folder) / "corpus"
        _copy(options.corpus, corpus)
        outcomes = [_judged(corpus, name, options.show) for name in names]
    raising = [each for each in outcomes if each.stops and not each.hangs]
    hanging = [each for each in outcomes if each.hangs]
    print(f"python {sys.version.split()[0]}: {len(outcomes)} programs")
    for what, group in (("raise", raising), ("run for too long", hanging)):
        print(f"{len(group)} {what}: {sum(each.is_repaired for each in group)} repaired in the same process")
    print(f"{len(outcomes) - len(raising) - len(hanging)} do not fail")
    return 0 if all(each.is_repaired for each in outcomes) else 1


def _judged(corpus: Path, name: str, is_shown: bool) -> Outcome:
    outcome, transcript = _repair(corpus, name)
    verdict = "repaired" if outcome.is_repaired else "NOT REPAIRED"
    print(f"{name:32} {verdict:14} {' '.join(outcome.stops):40} {outcome.end}", flush=True)
    if is_shown and not outcome.is_repaired:
        print(transcript)
    return outcome


def _copy(source: Path, target: Path) -> None:
    if (source / "python_programs").is_dir():
        shutil.copytree(source, target)
    else:
        target.mkdir()
        archive = subprocess.run(["git", f"--git-dir={source}", "archive", "HEAD"], check=True, capture_output=True).stdout
        subprocess.run(["tar", "-x", "-C", target], input=archive, check=True)
    with open(target / "conftest.py", "a", encoding="utf-8") as conftest:
        conftest.write(_TIME_LIMIT)


def _repair(corpus: Path, name: str) -> tuple[Outcome, str]:
    """Run the tests of a program, and repair it at its stops. Returns what came of it, and all that was printed."""
    faulty, right = (corpus / folder / f"{name}.py" for folder in ("python_programs", "correct_python_programs"))
    before = faulty.read_bytes()
    command = [sys.executable, "-m", "pytest", "--fixcont", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
    environment = {key: value for key, value in os.environ.items() if key not in ("EDITOR", "VISUAL", "FORCE_COLOR")}
    environment |= {"NO_COLOR": "1", "PYTHONPATH": os.pathsep.join(map(str, (REPOSITORY, REPOSITORY / "ui")))}
    process = subprocess.Popen(
        [*command, f"python_testcases/test_{name}.py"],
        cwd=corpus, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    stops: list[str] = []
    printed: list[str] = []
    unanswered = 0  # commands that were given ahead
    try:
        assert process.stdin is not None
        for text in _between_prompts(process, printed):
            found = re.search(r"^[.>]*> fixcont: .* >+\n(?:[a-z].*\n)?(?:[\w.]+\.)?([A-Z]\w+)", text, re.MULTILINE)
            if found is not None:
                stops.append(found[1])
                shutil.copyfile(right, faulty)
                unanswered = 2
                process.stdin.write(b"u 999\nrf\n" if len(stops) <= _MOST_STOPS else b"c\n")
            else:
                unanswered -= 1
                if not unanswered:  # the restart is refused
                    process.stdin.write(b"c\n")
            process.stdin.flush()
        status = process.wait(_DEADLINE)
    finally:
        process.kill()
        process.wait()
        faulty.write_bytes(before)
    transcript = "".join(printed)
    return Outcome(name, tuple(stops), status, transcript.rstrip("\n").rpartition("\n")[2].strip("= ")), transcript


def _between_prompts(process: subprocess.Popen[bytes], printed: list[str]) -> Iterator[str]:
    """Give what the process prints up to each prompt at which it waits; at its end nothing more."""
    assert process.stdout is not None
    text = ""
    while piece := os.read(process.stdout.fileno(), 65536):
        printed.append(piece.decode("utf-8", "replace"))
        text += printed[-1]
        if text.endswith(_PROMPT):
            yield text
            text = ""


if __name__ == "__main__":
    raise SystemExit(main())
