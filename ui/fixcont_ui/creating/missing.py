"""What a program misses at a stop, and which stub would be put in its place.

Three exceptions tell of something that is missing: a name that is not bound; an attribute that a class of the user's own does not have; a method
that a base class leaves to its subclasses. Nothing of the user's is run to find out.
"""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import CodeType, FrameType, ModuleType
from typing import Any, Protocol

from fixcont.errors import Refusal, Refused
from fixcont.stopping.frames import Frame
from fixcont.stopping.stop import Stop
from fixcont_ui.creating.naming import parameters_of
from fixcont_ui.creating.stubs import Kind, Stub, find_class, find_definition

_Function = ast.FunctionDef | ast.AsyncFunctionDef


class Texts(Protocol):
    """What is asked about the program's texts."""

    def text_of(self, code: CodeType) -> list[str] | None:
        """Give the lines of the text that a code object was made from."""

    def newest_text(self, filename: str) -> Any:
        """Give the installed text of a file, None where it is none of the program's."""


@dataclass(frozen=True)
class Missing:
    """What is missing.

    Attributes:
        stub: what would be put in its place.
        retry: the frame whose statement is then to be tried again.
    """

    stub: Stub
    retry: Frame


def find_missing(stop: Stop, texts: Texts, is_user: Callable[[str], bool]) -> Missing:
    """Tell what is missing at a stop.

    Raises:
        Refused: nothing is, or no stub can stand for it.
    """
    error = stop.exception
    if isinstance(error, UnboundLocalError) or not isinstance(error, (NameError, AttributeError, NotImplementedError)):
        raise _refused("nothing-missing", "this stop is not for a name that is missing", "write what you want with fix")
    frame = stop.frames[stop.selected]
    if isinstance(error, NotImplementedError):
        return _override(stop, frame, texts, is_user)
    name = getattr(error, "name", None)
    if not _raised_in(error, frame) or not isinstance(name, str):
        raise _refused("nothing-missing", f"it was not {frame.function} that asked for the name", "write what you want with fix")
    tree = _tree(frame, texts)
    use = _use(tree, frame, name, ast.Name if isinstance(error, NameError) else ast.Attribute)
    if use is None:
        raise _refused("nothing-missing", f"the text of {frame.function} does not tell where {name} is used")
    if isinstance(error, NameError):
        return Missing(_for_name(frame, _known(frame.filename, texts), name, use), frame)
    return Missing(_for_attribute(error.obj, frame, name, use, texts, is_user), frame)


# Where and how the name is used


@dataclass(frozen=True)
class _Use:
    """A name as it is used.

    Attributes:
        call: the call of it, None where it is only read.
        is_awaited: whether the result of the call is awaited.
        parents: the nodes around it, innermost first.
    """

    node: ast.expr
    call: ast.Call | None
    is_awaited: bool
    parents: Sequence[ast.AST]


def _tree(frame: Frame, texts: Texts) -> ast.Module:
    lines = texts.text_of(frame.code)
    try:
        return ast.parse("".join(lines or ()))
    except (SyntaxError, ValueError, RecursionError):
        raise _refused("nothing-missing", f"the text of {frame.function} is not known") from None


def _use(tree: ast.Module, frame: Frame, name: str, kind: type[ast.expr]) -> _Use | None:
    """Find the failing use by where its instruction ends in the text: where it begins differs between versions of Python."""
    positions = list(frame.code.co_positions())
    if not 0 <= frame.lasti // 2 < len(positions):
        return None
    _, line, _, column = positions[frame.lasti // 2]
    for node, parents in _with_parents(tree):
        if isinstance(node, kind) and (node.end_lineno, node.end_col_offset) == (line, column):
            if name in (getattr(node, "id", None), getattr(node, "attr", None)):
                call = parents[0] if isinstance(parents[0], ast.Call) and parents[0].func is node else None
                is_awaited = call is not None and isinstance(parents[1], ast.Await)
                return _Use(node, call, is_awaited, parents)
    return None


def _with_parents(tree: ast.AST) -> Iterator[tuple[ast.AST, list[ast.AST]]]:
    pending: list[tuple[ast.AST, list[ast.AST]]] = [(tree, [])]
    while pending:
        node, parents = pending.pop()
        yield node, parents
        pending.extend((child, [node, *parents]) for child in ast.iter_child_nodes(node))


# A name


def _for_name(frame: Frame, filename: str, name: str, use: _Use) -> Stub:
    spaces = (_variables(frame.raw), frame.raw.f_globals)

    def stub(kind: Kind, parameters: str | None, base: str = "") -> Stub:
        return Stub(kind, filename, "", name, parameters, frame.function, frame.line, base, is_async=use.is_awaited)

    parent = use.parents[0]
    is_raised = any(isinstance(each, (ast.Raise, ast.ExceptHandler)) for each in use.parents[:3])
    if name.isupper():
        raise _refused("not-a-function", f"{name} is read as a value here, which no stub can stand for", "assign it in the file")
    if name[:1].isupper():
        parameters = parameters_of(use.call, spaces, "self") if use.call is not None and not is_raised else None
        return stub(Kind.CLASS, parameters, "Exception" if is_raised else "")
    if use.call is not None:
        return stub(Kind.FUNCTION, parameters_of(use.call, spaces))
    if isinstance(parent, (ast.Call, ast.keyword, ast.FunctionDef, ast.AsyncFunctionDef, ast.Starred)):
        return stub(Kind.FUNCTION, "*args" if isinstance(parent, (ast.Call, ast.keyword)) else "function")
    raise _refused("not-a-function", f"{name} is read as a value here, which no stub can stand for", "assign it in the file")


def _variables(frame: FrameType) -> dict[str, Any]:
    return dict(frame.f_locals)


# An attribute


def _for_attribute(owner: object, frame: Frame, name: str, use: _Use, texts: Texts, is_user: Callable[[str], bool]) -> Stub:
    spaces = (_variables(frame.raw), frame.raw.f_globals)
    if isinstance(owner, ModuleType):
        filename = vars(owner).get("__file__")
        if not isinstance(filename, str) or not is_user(filename) or use.call is None:
            raise _refused("not-yours", f"module {vars(owner).get('__name__')} is not one of your own files")
        parameters = parameters_of(use.call, spaces)
        return Stub(Kind.FUNCTION, _known(filename, texts), "", name, parameters, is_async=use.is_awaited)
    cls = owner if isinstance(owner, type) else type(owner)
    filename = _file_of(cls, texts, is_user)
    if isinstance(owner, type):
        if use.call is None:
            raise _refused(
                "not-a-function", f"{name} is read as a value here, which no stub can stand for", "assign it in the class"
            )
        parameters = parameters_of(use.call, spaces, "cls")
        return Stub(Kind.CLASS_METHOD, filename, cls.__qualname__, name, parameters, decorators=("classmethod",))
    if use.call is None:
        return Stub(Kind.PROPERTY, filename, cls.__qualname__, name, "self", decorators=("property",))
    parameters = parameters_of(use.call, spaces, "self")
    return Stub(Kind.METHOD, filename, cls.__qualname__, name, parameters, is_async=use.is_awaited)


def _file_of(cls: type, texts: Texts, is_user: Callable[[str], bool]) -> str:
    """Give the file in which a class of the user's own stands."""
    for value in list(vars(cls).values()):
        code = getattr(getattr(value, "__func__", value), "__code__", None)
        if isinstance(code, CodeType) and code.co_qualname.startswith(f"{cls.__qualname__}.") and is_user(code.co_filename):
            return _known(code.co_filename, texts)
    filename = getattr(sys.modules.get(cls.__module__), "__file__", None)
    if not isinstance(filename, str) or not is_user(filename):
        raise _refused("not-yours", f"{cls.__qualname__} is not a class of your own files", "subclass it, or write a function")
    known = _known(filename, texts)
    if find_class(_newest_tree(known, texts), cls.__qualname__) is None:
        raise _refused("not-yours", f"{cls.__qualname__} stands in no file", "write the method by hand")
    return known


def _known(filename: str, texts: Texts) -> str:
    """Give the name under which a file of the program is known."""
    text = texts.newest_text(filename)
    if text is None:
        raise _refused("not-yours", f"{os.path.basename(filename)} is not one of the program's files")
    known: str = text.filename
    return known


def _newest_tree(filename: str, texts: Texts) -> ast.Module:
    source: bytes = texts.newest_text(filename).source
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError) as error:
        raise _refused("syntax-error", f"{filename} does not compile: {error}", "mend it first") from None


# A method that is left to the subclasses


def _override(stop: Stop, frame: Frame, texts: Texts, is_user: Callable[[str], bool]) -> Missing:
    instead = 'write its body and restart it ("fix", "restartframe")'
    variables = frame.code.co_varnames
    if not frame.is_user or not variables or frame.code.co_argcount == 0 or "." not in frame.function:
        raise _refused("exists", f"{frame.function} is there already", instead)
    receiver = _variables(frame.raw).get(variables[0])
    cls = receiver if isinstance(receiver, type) else type(receiver)
    name = frame.code.co_name
    owner = _defining(cls, name, frame.code)
    if owner is None or owner is cls:
        raise _refused("exists", f"{frame.function} is there already", instead)
    definition = find_definition(_newest_tree(_known(frame.filename, texts), texts), frame.function)
    if not isinstance(definition, _Function):
        raise _refused("nothing-missing", f"the text of {frame.function} is not known")
    caller = next((each for each in stop.frames[stop.selected + 1 :] if each.is_user), None)
    if caller is None:
        raise _refused("nothing-missing", f"no function of your own has called {frame.function}")
    kept = tuple(
        each.id
        for each in definition.decorator_list
        if isinstance(each, ast.Name) and each.id in ("property", "classmethod", "staticmethod")
    )
    kind = Kind.PROPERTY if "property" in kept else Kind.CLASS_METHOD if kept else Kind.METHOD
    stub = Stub(
        kind, _file_of(cls, texts, is_user), cls.__qualname__, name, ast.unparse(definition.args),
        is_async=isinstance(definition, ast.AsyncFunctionDef), decorators=kept,
    )  # fmt: skip
    return Missing(stub, caller)


def _defining(cls: type, name: str, code: CodeType) -> type | None:
    """Give the class whose function of this name runs `code`, or another version of it."""
    for each in cls.__mro__:
        value = vars(each).get(name)
        value = getattr(value, "fget", getattr(value, "__func__", value))
        found = getattr(value, "__code__", None)
        if isinstance(found, CodeType):
            is_same = (found.co_qualname, found.co_filename) == (code.co_qualname, code.co_filename)
            return each if is_same else None
    return None


def _raised_in(error: BaseException, frame: Frame) -> bool:
    """Tell whether an exception came up in a frame, not in something that it called."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    return place is not None and place.tb_frame is frame.raw


def _refused(code: str, sentence: str, instead: str = "") -> Refused:
    return Refused(Refusal(code, sentence, instead))
