"""Whether the program may change what one of its loops runs over, told by its text: nothing of it is run.

What code does with the same value under another name is not seen, and neither is what libraries call.
"""

from __future__ import annotations

import ast
import builtins
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeGuard

_SPECIAL: Final = "special methods"  # what runs without being named
_MODULE: Final = "<module>"
_CONSTRUCTORS: Final = ("__init__", "__new__", "__post_init__")
_BY_NAME: Final = ("getattr", "setattr", "delattr", "vars", "exec", "eval", "globals", "locals")  # these reach what no text names
_READERS: Final = ("index", "count", "get", "keys", "values", "items", "copy")  # methods that change nothing


def is_length(node: ast.AST) -> TypeGuard[ast.Call]:
    """Tell whether a node is a call of `len` with one argument."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "len" and len(node.args) == 1


def name_in(node: ast.AST) -> str:
    """Return the name of the variable or attribute that a node is, "" where it is none."""
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def binds(nodes: Iterable[ast.AST], is_it: Callable[[ast.AST], bool]) -> bool:
    """Tell whether some nodes bind a variable or attribute anew, or delete it.

    Args:
        is_it: tells which of them stand for it.
    """
    return any(not isinstance(getattr(node, "ctx", None), ast.Load) for node in nodes if is_it(node))


def only_looks(nodes: Sequence[ast.AST], is_it: Callable[[ast.AST], bool]) -> bool:
    """Tell whether some nodes only look at what a variable or attribute has.

    Args:
        is_it: tells which of them stand for it.
    """
    looked = {id(each) for node in nodes for each in _looked_at(node)}
    return all(id(node) in looked for node in nodes if is_it(node))


def _looked_at(node: ast.AST) -> Iterator[ast.expr]:
    """Give the expressions whose values a node looks at, and neither changes nor gives to anybody."""
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
        yield node.value
    elif isinstance(node, ast.Compare):
        yield from (each for how, each in zip(node.ops, node.comparators, strict=True) if isinstance(how, (ast.In, ast.NotIn)))
    elif isinstance(node, (ast.For, ast.comprehension)):
        yield node.iter
    elif is_length(node):
        yield node.args[0]
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        yield node.func  # `table.items()`: a list that is called is none
        if node.func.attr in _READERS:
            yield node.func.value


class Program:
    """The user's files, as far as their texts tell what may run while a loop does.

    Args:
        texts: of all files that are loaded, each as often as it has been loaded or installed.
        keeps_sets: whether sets have their items in the order that they had as the loop ran.
    """

    def __init__(self, texts: Iterable[str], *, keeps_sets: bool) -> None:
        self.keeps_sets = keeps_sets
        self._files = [_File(text) for text in dict.fromkeys(texts)]

    def reached(self, nodes: Sequence[ast.AST], ran: Iterable[str], variable: str) -> Iterator[Sequence[ast.AST]]:
        """Give some nodes, and each piece of code that may run while they do, or has run since, and may know a variable.

        That is whatever the nodes say the name of, directly or through others: whichever class it is in, and whoever calls it. Special
        methods run unseen. Where something is called that no name tells, each function counts that says the variable.

        Args:
            ran: names of functions whose `except` and `finally` bodies have run.
            variable: its name, or that of the attribute.
        """
        seen: set[str] = set()
        waiting = [nodes, *self._pieces(_SPECIAL)]
        waiting += [_handlers(each) for name in ran for each in self._pieces(name)]
        while waiting:
            within = waiting.pop()
            yield within
            for name in {name_in(node) for node in within} - seen:
                seen.add(name)
                waiting += self._pieces(name)
            if _SPECIAL not in seen and any(self._is_untold(node) for node in within):
                seen.add(_SPECIAL)
                yield from (each for file in self._files if variable in file.text for each in file.functions())

    def _pieces(self, name: str) -> list[Sequence[ast.AST]]:
        return [piece for file in self._files for piece in file.pieces(name)]

    def _is_untold(self, node: ast.AST) -> bool:
        """Tell whether a node calls what no name tells: an item, a result, a parameter, what a loop gives."""
        if not isinstance(node, ast.Call):
            return False
        name = name_in(node.func)
        if isinstance(node.func, ast.Name):
            return name in _BY_NAME or not (hasattr(builtins, name) or any(file.tells(name) for file in self._files))
        return not name or any(file.assigns(name) for file in self._files)


class _File:
    def __init__(self, text: str) -> None:
        self.text = text
        self._index: defaultdict[str, list[Sequence[ast.AST]]] | None = None
        self._told: set[str] = set()  # names of functions, classes, and what is imported
        self._assigned: set[str] = set()  # names of attributes that may have been given any function

    def pieces(self, name: str) -> Sequence[Sequence[ast.AST]]:
        """Give what may run where a name is called or asked for."""
        if name != _SPECIAL and name != _MODULE and name not in self.text:
            return ()
        return self._indexed().get(name, ())

    def tells(self, name: str) -> bool:
        """Tell whether a name is that of something that can be looked at, or comes from elsewhere."""
        return name in self.text and bool(self._indexed()) and name in self._told

    def assigns(self, name: str) -> bool:
        """Tell whether an attribute of this name is given a value that may be any function."""
        return name in self.text and bool(self._indexed()) and name in self._assigned

    def functions(self) -> Iterator[Sequence[ast.AST]]:
        """Give all functions, but for what constructors do to their own objects."""
        return (piece for name, pieces in self._indexed().items() if name != _MODULE for piece in pieces)

    def _indexed(self) -> Mapping[str, Sequence[Sequence[ast.AST]]]:
        if self._index is None:
            index: defaultdict[str, list[Sequence[ast.AST]]] = defaultdict(list)
            self._index = index
            try:
                everything = list(ast.walk(ast.parse(self.text)))
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                return index
            index[_MODULE].append(everything)
            for node in everything:
                self._note(node, index)
        return self._index

    def _note(self, node: ast.AST, index: defaultdict[str, list[Sequence[ast.AST]]]) -> None:
        if isinstance(node, ast.ClassDef):
            self._told.add(node.name)
            makes = [each for each in node.body if isinstance(each, ast.FunctionDef) and each.name in _CONSTRUCTORS]
            index[node.name] += [_constructing(each) for each in makes]
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name not in _CONSTRUCTORS:
            self._told.add(node.name)
            is_special = node.name.startswith("__") and node.name.endswith("__")
            index[_SPECIAL if is_special else node.name].append(list(ast.walk(node)))
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            self._told.update(each.asname or each.name.partition(".")[0] for each in node.names)
            for each in node.names:
                if each.asname:
                    index[each.asname].append([ast.Name(each.name.rpartition(".")[2], ast.Load())])
        for target, value in assignments(node):
            name = name_in(target)
            is_plain = isinstance(value, (ast.Name, ast.Attribute, ast.Lambda))
            if isinstance(target, ast.Name) and is_plain:
                self._told.add(name)
            elif isinstance(target, ast.Attribute):
                self._assigned.add(name)
            if is_plain:
                index[name].append(list(ast.walk(value)))


def assignments(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Give what a node assigns to, and the expressions of the values."""
    if not isinstance(node, (ast.Assign, ast.AnnAssign, ast.NamedExpr)) or node.value is None:
        return
    for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple) and len(target.elts) == len(node.value.elts):
            yield from zip(target.elts, node.value.elts, strict=True)
        else:
            yield target, node.value


def _constructing(node: ast.FunctionDef) -> list[ast.AST]:
    """Give what a constructor does to other objects than its own."""
    first = node.args.args[0].arg if node.args.args else ""
    return [
        each
        for each in ast.walk(node)
        if not (isinstance(each, ast.Attribute) and isinstance(each.value, ast.Name) and each.value.id == first)
    ]


def _handlers(nodes: Iterable[ast.AST]) -> list[ast.AST]:
    """Give what is in the `except` and `finally` bodies among some nodes."""
    bodies = [
        statement for node in nodes if isinstance(node, (ast.Try, ast.TryStar)) for statement in (*node.handlers, *node.finalbody)
    ]
    return [each for statement in bodies for each in ast.walk(statement)]
