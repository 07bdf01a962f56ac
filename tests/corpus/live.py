"""The process of one edit: load the old version under the engine, edit, install, and describe what is there then.

    python -c "from tests.corpus.live import main; main()" JOB

JOB is a JSON file, see `Job`; what came of it is written beside it. Without an engine the module is imported and described, no more.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
import traceback
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Job:
    """What one process does.

    Attributes:
        folder: of the package's tree.
        root: the folder in it that goes on the path.
        module: to be imported.
        engine: the folder that holds the package `fixcont`, "" to do without.
        write: the files that the edit writes, relative to the folder -> where the new text lies; None for a file that goes.
        report: where the outcome and the description are written.
    """

    folder: str
    root: str
    module: str
    engine: str
    write: dict[str, str | None]
    report: str


def main() -> None:
    """Do the job that the command line names."""
    job = Job(**json.loads(Path(sys.argv[1]).read_text()))
    sys.argv[1:] = []
    Path(job.report).write_text(json.dumps(_do(job)))


def _do(job: Job) -> dict[str, Any]:
    from tests.corpus.describe import Description

    sys.path.insert(0, str(Path(job.folder, job.root)))
    if not job.engine:
        importlib.import_module(job.module)
        return {"description": Description(job.folder, lambda code: code).data()}
    from tests.corpus.engine import Engine

    engine = Engine(Path(job.engine), Path(job.folder))
    importlib.import_module(job.module)
    report: dict[str, Any] = {"loaded": sorted(sys.modules)}
    if job.write:
        _write(job)
        begin = time.perf_counter()
        try:
            report["outcome"] = asdict(engine.install())
            report["seconds"] = time.perf_counter() - begin
            report["failed"] = engine.rerun()
        except Exception:
            report["outcome"] = {"status": "fault", "code": "fault", "sentence": traceback.format_exc(), "warnings": []}
            report["seconds"] = time.perf_counter() - begin
    report["faults"] = engine.faults
    report["description"] = Description(job.folder, engine.untrapped).data()
    return report


def _write(job: Job) -> None:
    for name, text in job.write.items():
        target = Path(job.folder, name)
        if text is None:
            target.unlink(missing_ok=True)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(Path(text).read_bytes())
