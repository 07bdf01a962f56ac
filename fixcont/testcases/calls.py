"""How a test calls the function that failed: by which name it is found, and what it is given."""

from __future__ import annotations

import functools
import keyword
import os
import re
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType
from typing import Any, NamedTuple

from fixcont.bytecode import interpreter
from fixcont.errors import Refusal, Refused
from fixcont.postmortem.values import Reference
from fixcont.testcases.graphs import Graph, index_of
from fixcont.testcases.imports import Imports, resolve
from fixcont.testcases.layout import Doc, Led, Nested, flat

_INSTEAD = "select its caller, and write the test for that"


class Target(NamedTuple):
    """The function, as it is found in its module.

    Attributes:
        function: the newest version.
        owner: the class that it is found in, or None.
        how: what its name gives: "function", "method", "static", "class", "property", or "accessor".
        step: what leads from the name to the function: "", ".__wrapped__", ".func".
    """

    function: FunctionType
    owner: type | None
    how: str
    step: str


class Call(NamedTuple):
    """The expression of a call, and what makes a plain value of what it gives.

    Attributes:
        before: lines that must stand before it.
    """

    doc: Doc
    before: list[str]


def find(module: Any, qualname: str, filename: str) -> Target:
    """Find a function in its module.

    Raises:
        Refused: what its name gives is something else.
    """
    if "<" in qualname:
        last = qualname.rpartition(".")[2]
        what = (
            "a lambda or a comprehension has no name"
            if last.startswith("<")
            else f"{last} is made anew by each call of the function around it"
        )
        raise Refused(Refusal("not-importable", f"{what}, so no test can call it", _INSTEAD))
    *outer, name = qualname.split(".")
    owner: Any = module
    for each in outer:
        owner = vars(owner).get(each)
        if not isinstance(owner, type):
            raise _not_found(module, qualname)
    found = vars(owner).get(_mangled(name, outer))
    is_it = _judge(qualname, filename)
    for value, how, step in _inside(found, "function" if owner is module else "method"):
        function = _unwrapped(value, is_it)
        if function is not None:
            return Target(function[0], None if owner is module else owner, how, step + function[1])
    raise _not_found(module, qualname)


def _judge(qualname: str, filename: str) -> Callable[[Any], bool]:
    real = os.path.realpath(filename)

    def is_it(value: Any) -> bool:
        if not isinstance(value, FunctionType):
            return False
        code = value.__code__
        return code.co_qualname == qualname and os.path.realpath(code.co_filename) == real

    return is_it


def _inside(found: Any, how: str) -> Iterator[tuple[Any, str, str]]:
    """Give what may be, or lead to, the function in what its name gives."""
    if isinstance(found, staticmethod):
        yield found.__func__, "static", ""
    elif isinstance(found, classmethod):
        yield found.__func__, "class", ""
    elif isinstance(found, property):
        yield found.fget, "property", ".fget"
        yield from ((each, "accessor", step) for each, step in ((found.fset, ".fset"), (found.fdel, ".fdel")))
    elif isinstance(found, functools.cached_property):
        yield found.func, "accessor", ".func"
    else:
        yield found, how, ""


def _unwrapped(value: Any, is_it: Callable[[Any], bool]) -> tuple[FunctionType, str] | None:
    step = ""
    for _ in range(20):
        if is_it(value):
            return value, step
        value = getattr(value, "__dict__", {}).get("__wrapped__")
        step += ".__wrapped__"
    return None


def _not_found(module: Any, qualname: str) -> Refused:
    sentence = f"{qualname} of {module.__name__} is something else by now, such as what a decorator has made of it, and leads to no such function"
    return Refused(Refusal("not-importable", sentence, _INSTEAD))


def _mangled(name: str, outer: list[str]) -> str:
    is_private = outer and name.startswith("__") and not name.endswith("__")
    return f"_{outer[-1].lstrip('_')}{name}" if is_private else name


def call_of(target: Target, module: str, graph: Graph, imports: Imports, build: Callable[[Reference, str], Doc]) -> Call:
    """Give the expression of the call.

    Args:
        graph: the arguments. Those of a constructor are without the object; one that is inherited has the object's class there.
        build: gives the expression for one of them, with the name that a variable for it should have.

    Raises:
        Refused: the arguments do not fit the newest version.
    """
    function: Any = target.function
    code = function.__code__
    arguments = dict(graph.named)
    first = code.co_varnames[0] if code.co_argcount else ""
    if target.owner is not None and code.co_name == "__init__" and (first not in arguments or _is_class(graph, arguments[first])):
        is_inherited = first in arguments
        made = flat(build(arguments[first], "kind")) if is_inherited else imports.name(module, target.owner.__qualname__)
        return Call(Nested(f"{made}(", _given(code, function, graph, arguments, build, skips=1), ")"), [])
    name = imports.name(module, code.co_qualname if target.owner is None else target.owner.__qualname__)
    if target.owner is not None:
        name += f".{_mangled(code.co_name, target.owner.__qualname__.split('.'))}"
    skips = 0
    if target.how == "class" and not target.step:
        name, skips = f"{flat(build(arguments[first], 'kind'))}.{code.co_name}", 1
    elif target.how in ("method", "property") and not target.step.endswith("__wrapped__"):
        own = _bound(target, code, graph, arguments.get(first), build)
        if own is not None:
            name, skips = own, 1
        elif target.how == "property":
            name += target.step
    else:
        name += target.step
    if target.how == "property" and skips:
        return _consumed(code, name)
    return _consumed(code, Nested(f"{name}(", _given(code, function, graph, arguments, build, skips), ")"))


def _is_class(graph: Graph, reference: Reference) -> bool:
    number = index_of(reference)
    return number is not None and graph.entries[number]["t"] == "class"


def _bound(
    target: Target, code: CodeType, graph: Graph, reference: Reference, build: Callable[[Reference, str], Doc]
) -> str | None:
    """Give the expression for a method of its object, None where the object's class has another one by this name."""
    number = index_of(reference)
    entry = graph.entries[number] if number is not None else None
    if entry is None or entry["t"] not in ("object", "enum") or target.owner is None:
        return None
    cls = resolve(*entry["type"])
    name = _mangled(code.co_name, target.owner.__qualname__.split("."))
    holder = next((each for each in cls.__mro__ if name in vars(each)), None)
    if holder is not target.owner:
        return None
    owner = build(reference, _snake(entry["type"][1]))
    text = flat(owner)
    return f"{text}.{name}" if len(text) < 60 else None


def _snake(qualname: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", qualname.rpartition(".")[2]).lower().strip("_") or "value"


def _given(
    code: CodeType,
    function: Any,
    graph: Graph,
    named: dict[str, Reference],
    build: Callable[[Reference, str], Doc],
    skips: int,
) -> list[Doc]:
    """Give the arguments between the brackets, as the newest version's parameters want them."""
    keywords = dict(graph.keywords)
    positional = code.co_varnames[: code.co_argcount]
    defaults = set(positional[code.co_argcount - len(function.__defaults__ or ()) :]) | set(function.__kwdefaults__ or {})
    parts: list[Doc] = []
    words: list[Doc] = []
    by_word = False
    for number, name in enumerate(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]):
        reference = named.get(name, keywords.pop(name, Ellipsis))
        by_word = by_word or number >= code.co_argcount
        if number < skips:
            continue
        if reference is Ellipsis:
            if name not in defaults:
                sentence = f"{code.co_qualname} has a new parameter, {name}, for which the call that failed has no value"
                raise Refused(Refusal("parameters-differ", sentence, "give it a default value"))
            by_word = True
        elif by_word and (number < code.co_posonlyargcount or (number < code.co_argcount and graph.positional)):
            raise Refused(Refusal("parameters-differ", f"the parameters of {code.co_qualname} are others now", _INSTEAD))
        elif by_word:
            words.append(Led(name, "=", build(reference, name)))
        else:
            parts.append(build(reference, name))
    if code.co_flags & interpreter.VARARGS:
        parts += [build(each, "argument") for each in graph.positional]
    parts += words
    if code.co_flags & interpreter.VARKEYWORDS:
        collected = {name: build(each, name) for name, each in keywords.items()}
        parts += [Led(name, "=", doc) for name, doc in collected.items() if _is_word(name)]
        others: list[Doc] = [Led(repr(name), ": ", doc) for name, doc in collected.items() if not _is_word(name)]
        parts += [Nested("**{", others, "}")] if others else []
    return parts


def _is_word(name: str) -> bool:
    return name.isidentifier() and not keyword.iskeyword(name)


def _consumed(code: CodeType, doc: Doc) -> Call:
    """Give what runs a generator to its end, and a coroutine in a loop of its own."""
    flags = code.co_flags
    if flags & interpreter.ASYNC_GENERATOR:
        before = ["async def collected():", f"    return [each async for each in {flat(doc)}]", ""]
        return Call("asyncio.run(collected())", before)
    if flags & interpreter.COROUTINE:
        return Call(Nested("asyncio.run(", [doc], ")"), [])
    if flags & interpreter.GENERATOR:
        return Call(Nested("list(", [doc], ")"), [])
    return Call(doc, [])
