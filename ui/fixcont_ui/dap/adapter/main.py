"""The adapter as a program: `python -m fixcont.dap`."""

from __future__ import annotations

import asyncio
import sys

_USAGE = """\
usage: python -m fixcont.dap

Speak the Debug Adapter Protocol on standard input and output. IDEs start this; see docs/ide.md.
"""


def main() -> int:
    """Serve one client. Returns the exit status."""
    if len(sys.argv) > 1:
        wants_help = sys.argv[1] in ("-h", "--help")
        print(_USAGE, end="", file=sys.stdout if wants_help else sys.stderr)
        return 0 if wants_help else 2
    try:
        asyncio.run(_serve())
    except KeyboardInterrupt:
        return 130
    return 0


async def _serve() -> None:
    from fixcont_ui.dap.adapter.adapter import Adapter

    adapter = Adapter()
    adapter.start()
    await adapter.over
    adapter.finish()
