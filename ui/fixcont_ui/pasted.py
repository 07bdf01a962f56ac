"""Several statements in one entry, as they are pasted: told apart, so that each runs as if it had been typed alone."""

from __future__ import annotations

import ast
import warnings


def statements(text: str) -> list[str]:
    """Give the statements of a text, each with the newline at its end; the text itself where it cannot be parsed.

    Statements that share a line stay together.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            flags = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
            tree = compile(text, "<stdin>", "exec", flags, dont_inherit=True)
    except (SyntaxError, ValueError, OverflowError, RecursionError, MemoryError):
        return [text]
    assert isinstance(tree, ast.Module)
    spans: list[tuple[int, int]] = []
    for node in tree.body:
        first = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", ()))])
        last = node.end_lineno or node.lineno
        if spans and first <= spans[-1][1]:
            first, _ = spans.pop()
        spans.append((first, last))
    lines = text.split("\n")
    return ["\n".join(lines[first - 1 : last]) + "\n" for first, last in spans]
