"""Compiling texts whose code is not what the compiler makes of the text alone: somebody rewrites their syntax trees first.

pytest does so with the asserts of test modules. What an edit compiles of such a file has to be rewritten likewise, or its functions would
differ from the loaded ones although nobody has changed them, and lose what the rewriting is for.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable
from types import CodeType

#: Changes a tree in place. Gets the tree, of a whole text or of one statement as it stands in it, and the text (empty where it is not known).
Rewrite = Callable[[ast.Module, bytes], None]

_rewrites: dict[str, Rewrite] = {}  # file name, as in `co_filename` -> what rewrites its trees


def rewrite_with(filename: str, rewrite: Rewrite) -> None:
    """Compile texts of a file with their trees rewritten from now on, as the code that was loaded from it was.

    Args:
        filename: as in `co_filename` of that code.
        rewrite: an exception that it raises counts as a fault: what was to be compiled is compiled as it is.
    """
    _rewrites[filename] = rewrite


def is_rewritten(filename: str) -> bool:
    """Tell whether `rewrite_with` was called for a file."""
    return filename in _rewrites


def compile_source(source: bytes, filename: str) -> CodeType:
    """Compile a text as the module that is loaded from it. Raises what `compile` raises."""
    if filename in _rewrites:
        tree = _rewritten(ast.parse(source, filename), source, filename)
        if tree is not None:
            code: CodeType = compile(tree, filename, "exec", dont_inherit=True)
            return code
    return compile(source, filename, "exec", dont_inherit=True)


def compile_tree(tree: ast.Module, filename: str, flags: int, source: bytes = b"") -> CodeType:
    """Compile statements of a text. The tree stays as it is."""
    if filename in _rewrites:
        tree = _rewritten(copy.deepcopy(tree), source, filename) or tree
    code: CodeType = compile(tree, filename, "exec", flags=flags, dont_inherit=True)
    return code


def _rewritten(tree: ast.Module, source: bytes, filename: str) -> ast.Module | None:
    try:
        _rewrites[filename](tree, source)
    except Exception:
        return None  # it is half rewritten
    return tree
