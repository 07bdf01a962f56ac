"""Versions of a file's text, and the tree of code objects that each of them compiles to.

A `Text` is what a file said at one time. A `Node` is one code object in it: the module, a class body, a function. A
`Definition` is what stays when the file changes: the same function through all its texts. Nodes point to their definition, and a
definition points to its newest node only, so an old text is freed when the last of its code objects is.
"""

from __future__ import annotations

import ast
import contextlib
import enum
import importlib.util
import inspect
import io
import warnings
import weakref
from _thread import allocate_lock
from collections.abc import Callable, Iterator
from types import CodeType
from typing import Any

from fixcont.editing import parsing
from fixcont.editing.pieces import Pieces
from fixcont.editing.rewriting import compile_source
from fixcont.editing.statements import Statements, find_scope, places

_making = allocate_lock()


class Kind(enum.Enum):
    """What a code object was compiled from."""

    MODULE = "module"
    CLASS = "class"
    FUNCTION = "function"
    LAMBDA = "lambda"
    COMPREHENSION = "comprehension"
    TYPE_PARAMETERS = "type parameters"
    ANNOTATIONS = "annotations"


_COMPREHENSIONS = frozenset({"<genexpr>", "<listcomp>", "<setcomp>", "<dictcomp>"})


def kind_of(code: CodeType) -> Kind:
    """Tell what `code` was compiled from."""
    name = code.co_name
    if name == "<module>":
        return Kind.MODULE
    if name == "<lambda>":
        return Kind.LAMBDA
    if name in _COMPREHENSIONS:
        return Kind.COMPREHENSION
    if name.startswith("<generic parameters"):
        return Kind.TYPE_PARAMETERS
    if not code.co_flags & inspect.CO_OPTIMIZED:
        return Kind.CLASS
    if name == "__annotate__" and code.co_varnames[:1] in (("format",), (".format",)):
        return Kind.ANNOTATIONS
    return Kind.FUNCTION


class Definition:
    """One function, class body or module through all the texts of its file.

    Attributes:
        newest: its node in the newest text, or None where that text does not have it.
        last_version: the number of its last version: 1 for the text that was loaded, one more for each installed change. After an undo the
            newest node has a lower one.
    """

    __slots__ = ("_left", "last_version", "newest")

    def __init__(self) -> None:
        self.newest: Node | None = None
        self.last_version = 1
        self._left: list[tuple[int, weakref.ref[Any]]] = []  # id of a namespace, and what the name was bound to there

    def next_version(self) -> int:
        """Return a number that no version has had yet."""
        self.last_version += 1
        return self.last_version

    def leave(self, namespace: dict[str, Any], value: Any) -> None:
        """Note what it had made in a module, as the text no longer has it; it may come back. Keeps nothing alive."""
        self._left = [(place, reference) for place, reference in self._left if place != id(namespace)]
        with contextlib.suppress(TypeError):
            self._left.append((id(namespace), weakref.ref(value)))

    def left_in(self, namespace: dict[str, Any]) -> Any:
        """Return what it had made in a module when it was taken out there, None where that is gone too."""
        return next((reference() for place, reference in self._left if place == id(namespace)), None)


class Node:
    """One code object of a text.

    Attributes:
        text: the text that it was compiled from.
        code: the compiler's own code object, without traps.
        parent: the node whose constants hold it, None for the module.
        index: its place in the constants of the parent's code.
        definition: shared with the nodes of the same function in other texts.
        version: the version of the definition that this node is.
        live: the code object with traps that was put into functions, where there is one.
    """

    __slots__ = ("children", "code", "definition", "index", "kind", "live", "parent", "text", "version")

    def __init__(self, text: Text, code: CodeType, parent: Node | None, index: int) -> None:
        self.text = text
        self.code = code
        self.kind = kind_of(code)
        self.parent = parent
        self.index = index
        self.definition = Definition()
        self.definition.newest = self
        self.version = 1
        self.live: CodeType | None = None
        self.children: list[Node] = [
            Node(text, const, self, place) for place, const in enumerate(code.co_consts) if isinstance(const, CodeType)
        ]

    @property
    def qualname(self) -> str:
        return self.code.co_qualname

    @property
    def line(self) -> int:
        """The line that the definition starts on, that of its first decorator where it has any."""
        return self.code.co_firstlineno

    @property
    def is_scope(self) -> bool:
        """Whether its statements ran once, when the file was loaded."""
        return self.kind is Kind.MODULE or self.kind is Kind.CLASS

    @property
    def is_top_level(self) -> bool:
        """Whether it stands in the module or in a class there, and so exists once."""
        above = self.parent
        while above is not None and (above.is_scope or above.kind is Kind.TYPE_PARAMETERS):
            above = above.parent
        return above is None

    @property
    def outermost(self) -> Node:
        """The outermost function that it stands in: itself, or one around it."""
        node = found = self
        while node.parent is not None:
            if not node.is_scope:
                found = node
            node = node.parent
        return found

    def walk(self) -> Iterator[Node]:
        """Go through the node and all below it, in the order of the source."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            if node.children:
                waiting += reversed(node.children)

    def run_by(self, code: CodeType, trap: Callable[[CodeType], CodeType]) -> None:
        """Note `code` as the live code of this node, and the code inside it as that of the nodes below.

        Traps are appended, so the constants are where the compiler put them.
        """
        self.live = code
        for child in self.children:
            const = code.co_consts[child.index] if child.index < len(code.co_consts) else None
            if not isinstance(const, CodeType) or const.co_name != child.code.co_name:
                const = trap(child.code)
            child.run_by(const, trap)

    def __repr__(self) -> str:
        return f"<Node {self.qualname} {self.text.filename}:{self.line}>"


class Text:
    """What a file said at one time. Compiled and parsed once, when first asked for.

    Attributes:
        filename: as in `co_filename` of the code objects.
        source: the bytes of the file.
        is_certain: whether `source` is known to be what was loaded; else each code object must be compared before it counts as its.
    """

    def __init__(self, filename: str, source: bytes, *, is_certain: bool = True) -> None:
        self.filename = filename
        self.source = source
        self.is_certain = is_certain
        self._lines: list[str] | None = None
        self._module: Node | None = None
        self._nodes: dict[tuple[str, int], list[Node]] | None = None  # (qualified name, first line) -> nodes, in source order
        self._tree: ast.Module | None = None
        self._pieces: Pieces | None = None
        self._statements: dict[int, ast.Module] = {}  # line of a node -> a tree of the top-level statement that begins there
        self._scopes: dict[Node, Statements] = {}

    @property
    def lines(self) -> list[str]:
        """The lines with their ends, as `linecache` gives them."""
        if self._lines is None:
            self._lines = io.StringIO(importlib.util.decode_source(self.source)).readlines()
        return self._lines

    @property
    def module(self) -> Node:
        """The node of the module.

        Raises:
            SyntaxError: the text does not compile.
        """
        if self._module is None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the import has shown them, or the next one will
                code = compile_source(self.source, self.filename)
            made = Node(self, code, None, 0)
            with _making:  # another thread may have made it meanwhile, and there must be one only
                if self._module is None:
                    self._module = made
        return self._module

    @property
    def nodes(self) -> dict[tuple[str, int], list[Node]]:
        """The nodes by qualified name and first line."""
        if self._nodes is None:
            nodes: dict[tuple[str, int], list[Node]] = {}
            for node in self.module.walk():
                nodes.setdefault((node.qualname, node.line), []).append(node)
            self._nodes = nodes
        return self._nodes

    @property
    def tree(self) -> ast.Module:
        """The syntax tree. Costs more than compiling: asked for only when more than function bodies changed."""
        tree, pieces = self._tree, self._pieces  # once: another thread may free them
        if tree is None:
            tree = parsing.parse(self.source, self.filename) if pieces is None else ast.Module(pieces.statements(), [])
            self._tree = tree
            _parsed.add(self)
        return tree

    @property
    def pieces(self) -> Pieces:
        """The text in pieces, whose statements are those of `tree`, but parsed only where they are looked at.

        A piece begins where a function or class begins at the left margin.

        Raises:
            SyntaxError: the text does not compile.
        """
        pieces = self._pieces
        if pieces is None:
            pieces = self._pieces = Pieces(self.lines, self.filename, self._starts(), self._tree)
            _parsed.add(self)
        return pieces

    def _starts(self) -> list[int]:
        if _CHANGES_SYNTAX in self.source:
            return [1]
        found = {
            min([node.line, *(child.line for child in node.children if child.kind in STATEMENTS)])
            for node in self.module.children
            if node.kind in STATEMENTS
        }
        return sorted({1}.union(line for line in found if self.lines[line - 1].startswith(parsing.STARTS)))

    def tree_around(self, node: Node, like: Node | None = None) -> ast.Module:
        """Give a tree that has the statement of the module's top level in which `node` stands, as it is in the whole tree.

        Only that statement is parsed where it is a function or class, so that a long file costs no more than a short one. It may
        share nodes with the tree around `like`, the same in another text, where that has been parsed.
        """
        node = _at_top(node)
        if node.parent is None or node.kind not in STATEMENTS:
            return self.tree
        found = self._statements.get(node.line)  # first: what was found in it before must be found in it again
        if found is None:
            if self._tree is not None:
                return self.tree
            found = self._parsed_like(node, like) or parsing.parse_statement(self.lines, node.line, self.filename)
            if found is None:
                return self.tree
            self._statements[node.line] = found
            _parsed.add(self)
        return found

    def statements_of(self, node: Node, like: Node | None = None) -> Statements | None:
        """Give the statements of a function, class body or module, None where it is not found; see `tree_around`."""
        found = self._scopes.get(node)
        if found is None:
            scope = find_scope(self.tree_around(node, like), node.qualname, node.line)
            if scope is not None:
                found = self._scopes[node] = Statements(scope, places(scope))
        return found

    def _parsed_like(self, node: Node, like: Node | None) -> ast.Module | None:
        if like is None or like.text is self or _at_top(like).line != node.line:
            return None
        known = like.text._statements.get(node.line)
        return None if known is None else parsing.parse_changed(known, like.text.lines, self.lines, self.filename)

    def _forget_trees(self) -> None:
        self._tree = self._pieces = None
        self._statements.clear()
        self._scopes.clear()


def _at_top(node: Node) -> Node:
    """Give what a node stands in that stands in the module itself."""
    while node.parent is not None and node.parent.parent is not None:
        node = node.parent
    return node


#: What `def` and `class` statements are compiled to.
STATEMENTS = frozenset({Kind.FUNCTION, Kind.CLASS, Kind.TYPE_PARAMETERS})
#: The one import from `__future__` that changes what can be parsed.
_CHANGES_SYNTAX = b"barry_as_FLUFL"
_parsed: weakref.WeakSet[Text] = weakref.WeakSet()  # texts that have a syntax tree


def forget_trees() -> None:
    """Free all syntax trees, which are many times as large as the texts; they are made anew when they are asked for."""
    while _parsed:
        _parsed.pop()._forget_trees()
