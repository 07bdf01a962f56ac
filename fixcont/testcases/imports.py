"""The names that a test imports, and those of its variables."""

from __future__ import annotations

import builtins
import importlib
import keyword
import re
import sys
from collections.abc import Iterable
from typing import Any, Final

from fixcont.errors import Refusal, Refused

_BUILTINS: Final = frozenset(dir(builtins))


class Imports:
    """What is imported by which name, in the order in which it was asked for.

    Args:
        is_taken: names that nothing else must get.
    """

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)
        self._names: dict[tuple[str, str], str] = {}  # (module, name in it, or "" for the module) -> name in the test

    def name(self, module: str, qualname: str) -> str:
        """Give the expression for a class or function, which is imported by its outermost name."""
        first, dot, rest = qualname.partition(".")
        if module in ("builtins", ""):
            return qualname
        return self._take(module, first) + dot + rest

    def module(self, name: str) -> str:
        """Give the expression for a module."""
        return self._take(name, "")

    def variable(self, wanted: str) -> str:
        """Give a name for a variable that nothing else has."""
        base = re.sub(r"\W", "_", wanted) or "value"
        if not base.isidentifier() or base in _BUILTINS or keyword.iskeyword(base) or keyword.issoftkeyword(base):
            base = f"{base}_" if base.isidentifier() else f"_{base}"
        return self._free(base)

    def mark(self) -> tuple[set[str], dict[tuple[str, str], str]]:
        """Give what `back_to` goes back to."""
        return set(self._taken), dict(self._names)

    def back_to(self, mark: tuple[set[str], dict[tuple[str, str], str]]) -> None:
        """Forget what was asked for since."""
        self._taken, self._names = set(mark[0]), dict(mark[1])

    def _take(self, module: str, name: str) -> str:
        known = self._names.get((module, name))
        if known is None:
            base = name or module
            if name and name in _BUILTINS:
                base = f"{name}_"
            known = self._names[module, name] = base if "." in base else self._free(base)
            self._taken.add(known.partition(".")[0])
        return known

    def _free(self, base: str) -> str:
        number, name = 1, base
        while name in self._taken:
            number += 1
            name = f"{base.rstrip('_')}_{number}"
        self._taken.add(name)
        return name

    def modules(self) -> list[str]:
        """Give the names of the modules that are imported from."""
        return list(dict.fromkeys(module for module, _ in self._names))

    def lines(self) -> tuple[list[str], list[str]]:
        """Give the import statements of modules of the standard library, and those of others."""
        found: tuple[list[str], list[str]] = [], []
        together: dict[str, list[str]] = {}
        for (module, name), here in self._names.items():
            if not name:
                alias = "" if here == module else f" as {here}"
                found[not _is_standard(module)].append(f"import {module}{alias}")
            else:
                together.setdefault(module, []).append(name if here == name else f"{name} as {here}")
        for module, names in together.items():
            found[not _is_standard(module)].append(f"from {module} import {', '.join(sorted(names))}")
        for each in found:
            each.sort(key=lambda line: (line.startswith("from"), line))
        return found


def _is_standard(module: str) -> bool:
    return module.partition(".")[0] in sys.stdlib_module_names


def resolve(module: str, qualname: str) -> Any:
    """Import what a module has under a name.

    Raises:
        Refused: there is nothing.
    """
    try:
        found: Any = importlib.import_module(module or "builtins")
        for name in qualname.split("."):
            found = getattr(found, name)
    except (ImportError, AttributeError) as error:
        sentence = f"{qualname} cannot be imported from {module}: {error}"
        raise Refused(Refusal("not-importable", sentence, "select a frame whose function a test can import")) from None
    return found
