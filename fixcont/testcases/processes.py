"""Processes that make and run tests: each gets a request, has a limit of time, and leaves an answer. Nothing of theirs comes into the debuggee."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from typing import Any, Final

from fixcont.errors import Refusal, Refused

_START: Final = "import sys; sys.path[0] = sys.argv[1]; from fixcont.testcases.{0} import main; main()"
_HERE: Final = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_SHOWN: Final = 300


def ask(module: str, request: dict[str, Any], limit: float) -> dict[str, Any]:
    """Run `main` of a module of this package in a process of the same interpreter, and give its answer.

    Args:
        limit: seconds; then the process and those that it has started are killed.

    Raises:
        Refused: there is no answer: the time was over, the user did not want to wait, or the process ended otherwise.
    """
    if not sys.executable:
        raise Refused(Refusal("not-made", "sys.executable does not say which interpreter this is", "set it"))
    with tempfile.TemporaryDirectory(prefix="fixcont-testcase-") as folder:
        paths = [os.path.join(folder, name) for name in ("request", "answer", "output")]
        with open(paths[0], "w", encoding="utf-8") as stream:
            json.dump({**request, "folder": folder}, stream)
        command = [sys.executable, "-c", _START.format(module), _HERE, paths[0], paths[1]]
        with open(paths[2], "wb") as output:
            status = _run(command, output, limit)
        try:
            with open(paths[1], encoding="utf-8") as stream:
                answer: dict[str, Any] = json.load(stream)
        except (OSError, ValueError):
            raise Refused(_no_answer(status, paths[2])) from None
    if "refusal" in answer:
        raise Refused(Refusal(*answer["refusal"]))
    return answer


def _run(command: list[str], output: Any, limit: float) -> int:
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONBREAKPOINT": "0"}
    try:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment, start_new_session=True
        )
    except OSError as error:
        raise Refused(Refusal("not-made", f"{command[0]} cannot be started: {error}", "set sys.executable")) from None
    try:
        return process.wait(limit)
    except subprocess.TimeoutExpired:
        sentence = f"the program was not through after {limit:g} seconds, and its process was ended"
        raise Refused(Refusal("timed-out", sentence, 'give it longer with "--timeout SECONDS"')) from None
    except KeyboardInterrupt:
        raise Refused(Refusal("interrupted", "nothing was written, and the process was ended")) from None
    finally:
        with contextlib.suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _no_answer(status: int, output: str) -> Refusal:
    with open(output, "rb") as stream:
        stream.seek(-min(4000, os.path.getsize(output)), os.SEEK_END)  # a program may have written without end
        lines = [line.strip() for line in stream.read().decode(errors="replace").splitlines() if line.strip()]
    told = f": {lines[-1][:_SHOWN]}" if lines else ""
    how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
    return Refusal("not-made", f"the process that ran the program {how} before it was through{told}")
