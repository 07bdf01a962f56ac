"""Makes the text of a test: in a process of its own, where the newest version is imported, the arguments are built, and the function is called.

Standard input, output and files are the program's own matter there; the answer goes to a file.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import traceback as tracebacks
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, TypeVar

from fixcont.errors import Refusal, Refused
from fixcont.testcases import overlays
from fixcont.testcases.building import Builder, Unbuildable
from fixcont.testcases.calls import Call, Target, call_of, find
from fixcont.testcases.drawing import TooMuch, bounded
from fixcont.testcases.expecting import Outcome, expectation, unbuildable
from fixcont.testcases.graphs import Graph, describe, refusal_of
from fixcont.testcases.imports import Imports, resolve
from fixcont.testcases.layout import Doc, flat
from fixcont.testcases.matching import Differs, match

_Code = TypeVar("_Code")

_MOST: Final = 40  # attempts to build values
_LONG: Final = 40  # columns of an argument that stands in the call itself


class Made(NamedTuple):
    """Code that builds the arguments, and calls the function with them."""

    statements: list[str]
    call: Call
    imports: Imports


def main() -> None:
    """Read a request, and write the answer: the names of both files are the last two words of the command line."""
    request_path, answer_path = sys.argv[-2:]
    with open(request_path, encoding="utf-8") as stream:
        request = json.load(stream)
    sys.argv[1:] = []
    sys.path[:] = request["path"]
    overlays.put(request["overlay"])
    try:
        answer = make(request)
    except Refused as refused:
        answer = {"refusal": list(refused.refusal)}
    except SystemExit as error:
        answer = {
            "refusal": [
                "would-run",
                f"importing {request['module']} ends the process ({error})",
                "guard what it runs with __name__",
            ]
        }
    except BaseException as error:
        told = "".join(tracebacks.format_exception_only(error)).strip().splitlines()[-1]
        answer = {"refusal": ["not-made", f"the test cannot be made: {told}", ""]}
    with open(answer_path, "w", encoding="utf-8") as stream:
        json.dump(answer, stream)


def make(request: dict[str, Any]) -> dict[str, Any]:
    """Make the parts of a test.

    Args:
        request: see `fixcont.testcases.writing`.

    Returns:
        `own` and `standard`, the lines that import; `body`, the lines of the test; `roots`, the folders that modules of the program were found in.

    Raises:
        Refused: there can be none.
    """
    module = _import(request["module"], request["filename"])
    target = find(module, request["qualname"], request["filename"])
    graph = Graph(**request["graph"])
    made = _arguments(request["module"], target, graph)
    outcome = _call(made, request["qualname"])
    _check_outcome(outcome, request)
    try:
        lines = expectation(outcome, made.call, target.function.__qualname__, made.imports, _build, _run)
    except Unbuildable as error:
        raise unbuildable("", error.is_what, error.kind) from None
    if "asyncio." in flat(made.call.doc):
        made.imports.module("asyncio")
    standard, own = made.imports.lines()
    return {
        "standard": standard,
        "own": own,
        "body": [*made.statements, *made.call.before, *lines],
        "roots": _roots(made.imports.modules()),
        "outcome": None if outcome.error is None else type(outcome.error).__name__,
    }


def _import(name: str, filename: str) -> Any:
    try:
        module = importlib.import_module(name)
    except Exception as error:
        sentence = f"{name} cannot be imported in a process of its own: {type(error).__name__}: {error}"
        raise Refused(Refusal("not-importable", sentence, "a test has to import it")) from None
    found = getattr(module, "__file__", None) or ""
    if os.path.realpath(found) != os.path.realpath(filename):
        raise Refused(
            Refusal("not-importable", f'"import {name}" gives {found or "a built-in module"}, not {filename}', "rename the file")
        )
    return module


def _arguments(module: str, target: Target, graph: Graph) -> Made:
    """Make code for the call whose arguments, when it is run, are those of the graph."""

    def attempt(tried: dict[type, int]) -> tuple[Made, Callable[[], Graph]]:
        made, docs = _made(module, target, graph, tried)
        return made, lambda: _rebuilt(made, docs, graph)

    try:
        return _built(graph, attempt)
    except _NotBuilt as error:
        raise Refused(Refusal("argument-not-plain", error.sentence, "")) from None


class _NotBuilt(Exception):
    """No code was found that builds the values.

    Attributes:
        sentence: tells of arguments why.
    """

    def __init__(self, last: Exception | None = None) -> None:
        super().__init__(last)
        self.sentence = "the arguments cannot be built"
        if isinstance(last, (Differs, Refused)):
            self.sentence = "the arguments that were built are not those of the call"
        elif last is not None:
            self.sentence += f": {type(last).__name__}: {last}"


def _built(graph: Graph, attempt: Callable[[dict[type, int]], tuple[_Code, Callable[[], Graph]]]) -> _Code:
    """Find code that builds the values of a graph: objects of classes for which one way does not do get built in the next one.

    Args:
        attempt: gives code, and what runs it and notes what it has built. It is given how many of the ways of each class have failed.

    Raises:
        _NotBuilt: no way does.
    """
    tried: dict[type, int] = {}
    for _ in range(_MOST):
        code, run = attempt(tried)
        objects = _objects(graph)
        try:
            match(graph, run())
            return code
        except Exception as error:
            classes = _to_blame(error, objects)
            if not classes:
                raise _NotBuilt(error) from None
        for cls in classes:
            tried[cls] = tried.get(cls, 0) + 1
    raise _NotBuilt


def _to_blame(error: Exception, objects: dict[int, type]) -> list[type]:
    """Give the classes whose objects are to be built in another way: the one that is nearest to what went wrong, all where that cannot be told."""
    classes = set(objects.values())
    if isinstance(error, Differs):
        owners = [number for number in reversed(error.owners) if number in objects]
        return [objects[owners[0]]] if owners else list(classes)
    return list(classes) if isinstance(error, Refused) else _raised_in(error, classes)


def _raised_in(error: BaseException, classes: set[type]) -> list[type]:
    """Give the class in whose constructor it was raised; all where that cannot be told."""
    names = {cls.__qualname__: cls for cls in classes}
    traceback = error.__traceback__
    while traceback is not None:
        owner = traceback.tb_frame.f_code.co_qualname.rpartition(".")[0]
        if owner in names:
            return [names[owner]]
        traceback = traceback.tb_next
    return list(classes)


def _objects(graph: Graph) -> dict[int, type]:
    entries = ((number, graph.entries[number]) for number, _ in graph.indexes())
    return {number: resolve(*entry["type"]) for number, entry in entries if entry["t"] == "object"}


def _made(module: str, target: Target, graph: Graph, tried: dict[type, int]) -> tuple[Made, dict[str, Doc]]:
    imports = Imports()
    builder = Builder(graph, imports, tried)
    docs: dict[str, Doc] = {}

    def build(reference: Any, wanted: str) -> Doc:
        known = docs.get(json.dumps(reference))
        if known is not None:
            return known
        doc = builder.build(reference, wanted)
        if len(flat(doc)) > _LONG and not flat(doc).isidentifier():
            doc = builder.assign(builder.name_for(reference, wanted), doc)
        docs[json.dumps(reference)] = doc
        return doc

    try:
        call = call_of(target, module, graph, imports, build)
        builder.fill()
    except Unbuildable as error:
        raise Refused(refusal_of("argument", graph.path_to(error.index), error.is_what, error.kind)) from None
    return Made(builder.statements, call, imports), docs


def _rebuilt(made: Made, docs: dict[str, Doc], graph: Graph) -> Graph:
    """Run the code of the arguments, and note what it has built."""
    space = _space(made.statements, made.imports)

    def value(reference: Any) -> Any:
        doc = docs.get(json.dumps(reference))
        return _Same if doc is None else eval(flat(doc), space)

    named = {name: value(each) for name, each in graph.named.items()}
    values = [value(each) for each in graph.positional]
    words = {name: value(each) for name, each in graph.keywords.items()}
    found = describe({name: each for name, each in named.items() if each is not _Same}, tuple(values), words)
    # What the call no longer takes need not be built.
    for name, each in named.items():
        if each is _Same:
            del graph.named[name]
    return found


class _Same:
    """Stands for an argument that the newest version does not take."""


def _space(statements: list[str], imports: Imports) -> dict[str, Any]:
    standard, own = imports.lines()
    space: dict[str, Any] = {"__name__": "fixcont_testcase"}
    exec(compile("\n".join([*standard, *own, *statements]), "<testcase>", "exec", dont_inherit=True), space)
    return space


def _run(statements: list[str], imports: Imports, expression: str) -> Any:
    return eval(expression, _space(statements, imports))


def _call(made: Made, name: str) -> Outcome:
    space = _space(made.statements, made.imports)
    if "asyncio." in flat(made.call.doc):
        space["asyncio"] = importlib.import_module("asyncio")
    lines = bounded([*made.call.before, f"_outcome_ = {flat(made.call.doc)}"])
    code = compile("\n".join(lines), "<testcase>", "exec", dont_inherit=True)
    try:
        exec(code, space)
    except KeyboardInterrupt:
        raise
    except TooMuch as error:
        sentence = f"what {name} gives is {error}"
        raise Refused(Refusal("result-not-plain", sentence, "select its caller, and write the test for that")) from None
    except BaseException as error:
        return Outcome(None, error)
    return Outcome(space["_outcome_"], None)


def _build(graph: Graph, imports: Imports) -> tuple[list[str], Mapping[str, Doc]]:
    """Make code for what a function has returned, that builds the same."""
    mark = imports.mark()

    def attempt(tried: dict[type, int]) -> tuple[tuple[list[str], Mapping[str, Doc]], Callable[[], Graph]]:
        imports.back_to(mark)
        builder = Builder(graph, imports, tried)
        docs = {name: builder.build(each, "expected") for name, each in graph.named.items()}
        builder.fill()

        def run() -> Graph:
            space = _space(builder.statements, imports)
            return describe({name: eval(flat(doc), space) for name, doc in docs.items()}, what="result")

        return (builder.statements, docs), run

    try:
        return _built(graph, attempt)
    except _NotBuilt:
        sentence = "what the function returns cannot be built by code"
        raise Refused(Refusal("result-not-plain", sentence, "select a frame that returns plain values")) from None


def _check_outcome(outcome: Outcome, request: dict[str, Any]) -> None:
    error, was = outcome.error, request["error"]
    if error is not None and was is not None and [type(error).__qualname__, str(error)] == was:
        sentence = f"{request['qualname']} still raises {was[0]}{': ' if was[1] else ''}{was[1]} for these arguments"
        raise Refused(Refusal("still-fails", sentence, 'repair it with "fix" first'))


def _roots(modules: list[str]) -> list[str]:
    """Give the folders from which modules that are not Python's own are imported."""
    found = []
    for name in modules:
        top = sys.modules.get(name.partition(".")[0])
        file = getattr(top, "__file__", None)
        if name.partition(".")[0] in sys.stdlib_module_names or file is None:
            continue
        folder = os.path.dirname(os.path.abspath(file))
        found.append(os.path.dirname(folder) if os.path.basename(file).startswith("__init__.") else folder)
    return list(dict.fromkeys(found))
