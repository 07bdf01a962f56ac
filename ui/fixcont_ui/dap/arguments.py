"""The names of the arguments of `launch` and `attach`.

The one list of them: the VS Code extension declares the same ones in its package.json, and docs/ide.md explains them; tests compare
the three. A client may send more, which are its own and are left alone.
"""

from __future__ import annotations

from typing import Final

#: What a client may say when it lets the adapter start a program.
LAUNCH: Final = frozenset(
    {
        "program",
        "module",
        "openStop",
        "unpickle",
        "roots",
        "args",
        "cwd",
        "env",
        "python",
        "console",
        "stopOnEntry",
        "scope",
        "stop",
        "catch",
        "ignore",
        "migrate",
        "justMyCode",
        "autoInstall",
        "evaluateTimeout",
        "showReturnValue",
    }
)

#: What a client may say when it attaches to a program that runs. `python` is for clients that start the adapter: the interpreter that runs it.
ATTACH: Final = frozenset({"connect", "host", "port", "token", "processId", "python", "autoInstall"})
