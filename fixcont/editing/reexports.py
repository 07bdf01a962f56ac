"""Modules that have taken names of others: by `from … import *` they get new names, and lose those that are gone; by `from … import name`
they get what the name is bound to anew.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from fixcont.editing.functions import Namespace, imported_module, module_namespace

if TYPE_CHECKING:
    from fixcont.editing.install import Installation

_MISSING: Any = object()


class Importer(NamedTuple):
    """A module, and its statements that take names of others, in order."""

    namespace: Namespace
    statements: Sequence[ast.ImportFrom]


def imports_from(tree: ast.Module) -> list[ast.ImportFrom]:
    """Give the statements of a module that take names of others."""
    return [each for each in tree.body if isinstance(each, ast.ImportFrom)]


def follow_imports(installation: Installation, importers: Callable[[bool], Iterable[Importer]]) -> None:
    """Let importers have what an install binds to the names that they have imported; by `*` new ones too, and they lose those that it takes out.

    A name that an importer has bound to something else by now is left as it is.
    """
    if not installation.has_names:
        return
    for importer in importers(installation.has_rebound):
        for statement in importer.statements:
            source = module_namespace(sys.modules.get(imported_module(statement, importer.namespace)))
            if source is None:
                continue
            for name, old in list(installation.rebound(source).items()):
                for alias in statement.names:
                    here = name if alias.name == "*" else (alias.asname or alias.name) if alias.name == name else None
                    if here is not None and importer.namespace.get(here, _MISSING) is old:
                        installation.bind(importer.namespace, here, installation.pending(source)[name])
        stars = (each for each in importer.statements if each.names[0].name == "*")
        sources = [module_namespace(sys.modules.get(imported_module(each, importer.namespace))) for each in stars]
        for source in filter(None, sources):
            for name, value in list(installation.unbound(source).items()):
                if importer.namespace.get(name, _MISSING) is value:
                    installation.unbind(importer.namespace, name)
        lost = installation.unbound(importer.namespace)
        for source in filter(None, sources):
            pending, gone = installation.pending(source), installation.unbound(source)
            names = {name: source[name] for name in lost if name in source and name not in gone} | pending
            for name, value in names.items():
                if _is_exported(name, {**source, **pending}) and _is_free(name, importer.namespace, installation):
                    installation.bind(importer.namespace, name, value)


def exported_names(statement: ast.ImportFrom, namespace: Namespace) -> set[str]:
    """Give the names that `from … import *` takes from the other module as it is now."""
    source = module_namespace(sys.modules.get(imported_module(statement, namespace)))
    return {name for name in source if _is_exported(name, source)} if source is not None else set()


def named_imports(tree: ast.Module, namespace: Namespace, module: str) -> Iterator[tuple[str, str]]:
    """Give the names that a module has imported from another one: there, and here."""
    for statement in tree.body:
        if isinstance(statement, ast.ImportFrom) and imported_module(statement, namespace) == module:
            for alias in statement.names:
                yield alias.name, alias.asname or alias.name


def _is_exported(name: str, source: Namespace) -> bool:
    exported = source.get("__all__")
    return name in exported if isinstance(exported, (list, tuple)) else not name.startswith("_")


def _is_free(name: str, namespace: Namespace, installation: Installation) -> bool:
    return name not in namespace or name in installation.unbound(namespace)
