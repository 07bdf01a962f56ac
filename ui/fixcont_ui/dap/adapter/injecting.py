"""Making a process that runs already listen, where the interpreter lets others run something in it."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from pathlib import Path

from fixcont_ui.dap.adapter.roots import ROOTS
from fixcont_ui.dap.failures import failure

_PATIENCE = 20.0  # seconds: it comes when the main thread runs Python code next
_LOOK = 0.05

_SCRIPT = """\
def _listen():
    import sys
    before = sys.path[:]
    sys.path[:0] = {roots!r}
    try:
        import fixcont, fixcont_ui
    finally:
        sys.path[:] = before
    try:
        host, port = fixcont.listen()
        told = f"{{host}} {{port}}"
    except BaseException as error:
        told = f"! {{error}}"
    with open({answer!r} + ".part", "w", encoding="utf-8") as stream:
        stream.write(told)
    import os
    os.replace({answer!r} + ".part", {answer!r})

_listen()
del _listen
"""


async def listen_in(process: int) -> tuple[str, int]:
    """Make a process listen for clients.

    Returns:
        Where it listens.

    Raises:
        Failure: this interpreter cannot, the process does not let it, or does not come to it.
    """
    execute = getattr(sys, "remote_exec", None)
    if execute is None:
        sentence = "attaching to a process by its number needs Python 3.14 or newer, for the adapter and for the process"
        raise failure("cannot-attach", sentence, "start the program with: fixcont --listen PORT SCRIPT", is_shown=True)
    with tempfile.TemporaryDirectory(prefix="fixcont-") as folder:
        os.chmod(folder, 0o711)
        script, answer = Path(folder, "listen.py"), Path(folder, "answer")
        script.write_text(_SCRIPT.format(roots=ROOTS, answer=str(answer)), encoding="utf-8")
        script.chmod(0o644)
        try:
            execute(process, str(script))
        except (OSError, RuntimeError, ValueError) as error:
            raise failure(
                "cannot-attach", f"process {process} does not let others run code in it: {error}", is_shown=True
            ) from None
        return _read(process, await _answer(answer, process))


async def _answer(answer: Path, process: int) -> str:
    waited = 0.0
    while not answer.exists():
        if waited > _PATIENCE:
            sentence = f"process {process} has not run any Python code in its main thread for {_PATIENCE:g} seconds"
            raise failure("cannot-attach", sentence, "try again when it does", is_shown=True)
        await asyncio.sleep(_LOOK)
        waited += _LOOK
    return answer.read_text(encoding="utf-8")


def _read(process: int, told: str) -> tuple[str, int]:
    if told.startswith("!"):
        raise failure("cannot-attach", f"process {process} cannot listen:{told[1:]}", is_shown=True)
    host, port = told.split()
    return host, int(port)
