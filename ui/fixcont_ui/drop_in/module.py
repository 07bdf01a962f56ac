"""Makes a module that stands in the place of pdb: pdb's own functions, working with our class.

The functions are not written anew, which would fit one version of Python only. They are the running interpreter's, given the
namespace of the module as theirs: where they say `Pdb` they mean ours.
"""

from __future__ import annotations

import pdb
import sys
from collections.abc import Iterator
from types import CodeType, FunctionType, ModuleType
from typing import Any, Final

from fixcont_ui.drop_in import breaks
from fixcont_ui.drop_in.debugger import Pdb

#: What a module has of its own.
_OF_EACH_MODULE: Final = frozenset(
    "__name__ __file__ __spec__ __loader__ __package__ __path__ __cached__ __builtins__ __annotations__ __conditional_annotations__".split()
)
#: What the module has only to be filled.
_SCAFFOLDING: Final = ("TYPE_CHECKING", "fill")
#: Classes of pdb whose objects ours are in the place of.
_EXCHANGED: Final = frozenset({"Pdb", "_PdbServer", "_PdbClient"})

#: How `attach` has the other process import the debugger, and what is to stand there: ours where that process has it.
_IMPORTING: Final = "import pdb, sys"
_IMPORTING_OURS: Final = (
    "import importlib, sys; from importlib.util import find_spec; "
    "pdb = importlib.import_module('fixcont.pdb' if find_spec('fixcont') else 'pdb')"
)


def fill(namespace: dict[str, Any]) -> None:
    """Fill the namespace of a module with all that pdb has."""
    shared = dict(_shared(namespace))
    namespace.update(shared)
    namespace["Pdb"] = Pdb
    breaks.PLAIN[0] = Pdb
    Pdb.__module__ = namespace["__name__"]
    for name in ("do_debug", "_create_recursive_debugger"):
        method = vars(pdb.Pdb).get(name)
        if method is not None:  # the debugger in the debugger is one of ours, too
            setattr(Pdb, name, rebound(method, namespace))
    for name in sorted(_EXCHANGED - {"Pdb"}):
        if hasattr(pdb, name):
            namespace[name] = _class_of_ours(getattr(pdb, name), namespace)
    for name in _SCAFFOLDING:
        namespace.pop(name, None)
    module = sys.modules.get(namespace["__name__"])
    if module is not None and vars(module) is namespace:
        module.__class__ = _StandIn


def _shared(namespace: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in vars(pdb).items():
        if name in _OF_EACH_MODULE or name in _EXCHANGED:
            continue
        if isinstance(value, FunctionType) and value.__globals__ is vars(pdb) and not _assigns(value.__code__):
            yield name, rebound(value, namespace)
        else:
            yield name, value


def _assigns(code: CodeType) -> bool:
    """Tell whether a function sets a global of its module, where pdb's methods look for it."""
    import dis

    return any(instruction.opname == "STORE_GLOBAL" for instruction in dis.get_instructions(code))


def rebound(function: FunctionType, namespace: dict[str, Any]) -> FunctionType:
    """Return a function that does the same in another namespace."""
    code = _importing_ours(function.__code__)
    copy = FunctionType(code, namespace, function.__name__, function.__defaults__, function.__closure__)
    copy.__kwdefaults__ = function.__kwdefaults__
    copy.__doc__ = function.__doc__
    copy.__qualname__ = function.__qualname__
    copy.__module__ = namespace["__name__"]
    copy.__annotations__ = function.__annotations__
    copy.__dict__.update(function.__dict__)
    return copy


def _importing_ours(code: CodeType) -> CodeType:
    constants = tuple(
        constant.replace(_IMPORTING, _IMPORTING_OURS) if isinstance(constant, str) and "_connect" in constant else constant
        for constant in code.co_consts
    )
    return code if constants == code.co_consts else code.replace(co_consts=constants)


def _class_of_ours(original: type, namespace: dict[str, Any]) -> type:
    """Return a class like one of pdb's, whose methods mean our classes where they name pdb's."""
    methods = {
        name: rebound(method, namespace)
        for name, method in vars(original).items()
        if isinstance(method, FunctionType) and method.__globals__ is vars(pdb)
    }
    bases = (original, Pdb) if issubclass(original, pdb.Pdb) else (original,)
    return type(original.__name__, bases, {"__module__": namespace["__name__"], "__doc__": original.__doc__, **methods})


class _StandIn(ModuleType):
    """The module. What is set in it (`pdb.line_prefix`, say) is set in pdb as well, whose methods look there."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in _EXCHANGED and name in vars(pdb) and vars(pdb)[name] is vars(self).get(name):
            setattr(pdb, name, value)
        super().__setattr__(name, value)
