"""What a test asserts of the value that the repaired function gives, or of what it raises."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from fixcont.errors import Refusal, Refused
from fixcont.postmortem.objects import fields
from fixcont.postmortem.values import Entry
from fixcont.testcases.calls import Call
from fixcont.testcases.graphs import Graph, describe, index_of, refusal_of
from fixcont.testcases.imports import Imports
from fixcont.testcases.layout import Doc, Nested, flat, lines_of
from fixcont.testcases.leaves import quoted

#: Builds a graph: gives the statements, and the expressions for its named values.
Build = Callable[[Graph, Imports], tuple[list[str], Mapping[str, Doc]]]
#: Runs statements, and gives the value of an expression behind them.
Run = Callable[[list[str], Imports, str], Any]

_LONGEST = 1_000  # characters of a message that a test expects
_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{4,}")


class Outcome(NamedTuple):
    """What came of the call on the newest version.

    Attributes:
        value: what it returned.
        error: what it raised instead, or None.
    """

    value: Any
    error: BaseException | None


def expectation(outcome: Outcome, call: Call, name: str, imports: Imports, build: Build, run: Run) -> list[str]:
    """Give the lines that call the function and assert what came of it.

    Args:
        name: of the function, for people.
        build: makes code for a graph, which builds the same values.

    Raises:
        Refused: the value cannot be compared with one that a test could build.
    """
    if outcome.error is not None:
        return _raising(outcome.error, call, imports)
    value = outcome.value
    if value is None or type(value) is bool:
        return lines_of(call.doc, "assert ", f" is {value}")
    if type(value) is float and value != value:
        imports.module("math")
        return lines_of(Nested("math.isnan(", [call.doc], ")"), "assert ")
    graph = describe({"value": value}, what="result")
    return _equal(value, graph, call, imports, build, run) or _alike(value, graph, call, name, imports, build, run)


def _raising(error: BaseException, call: Call, imports: Imports) -> list[str]:
    cls = type(error)
    expected = imports.name(cls.__module__, cls.__qualname__)
    message = str(error)
    parts: list[Doc] = [expected]
    if message and len(message) <= _LONGEST and "\n" not in message and not _ADDRESS.search(message):
        escaped = re.escape(message).replace(r"\ ", " ")
        parts.append(f"match={quoted(message) if escaped == message else raw(escaped)}")
    return [f"with {imports.module('pytest')}.{flat(Nested('raises(', parts, ')'))}:", *lines_of(call.doc, indent=4)]


def raw(text: str) -> str:
    """Give a text with backslashes as a literal."""
    if '"' not in text and not text.endswith("\\") and text.isprintable():
        return f'r"{text}"'
    return quoted(text)


def _equal(value: Any, graph: Graph, call: Call, imports: Imports, build: Build, run: Run) -> list[str]:
    """Give a comparison with `==`, [] where that is not true."""
    statements, docs = build(graph, imports)
    doc = docs["value"]
    try:
        is_equal = run(statements, imports, flat(doc)) == value
        if is_equal is not True:
            return []
    except Exception:  # of an `__eq__`, or where the result has no truth
        return []
    if not statements and len(flat(doc)) + len(flat(call.doc)) < 80:
        return [f"assert {flat(call.doc)} == {flat(doc)}"]
    variable = imports.variable("result")
    before = lines_of(call.doc, f"{variable} = ")
    return [*before, *statements, *lines_of(doc, f"assert {variable} == ")]


def _alike(value: Any, graph: Graph, call: Call, name: str, imports: Imports, build: Build, run: Run) -> list[str]:
    """Give comparisons of an object's attributes, where it has no `==` of its own."""
    number = index_of(graph.named["value"])
    entry: Entry = graph.entries[number] if number is not None else {"t": ""}
    if entry["t"] != "object" or "base" in entry:
        raise _not_comparable(name, value)
    inner = Graph(graph.entries, entry["attributes"])
    statements, docs = build(inner, imports)
    own = fields(value)
    result = imports.variable("result")
    lines = [*lines_of(call.doc, f"{result} = "), f"assert type({result}) is {imports.name(*entry['type'])}", *statements]
    for attribute, doc in docs.items():
        try:
            is_equal = run(statements, imports, flat(doc)) == own[attribute]
        except Exception:
            is_equal = False
        if is_equal is not True or not attribute.isidentifier():
            raise _not_comparable(f"{name}().{attribute}", own[attribute])
        comparison = "is" if own[attribute] is None or type(own[attribute]) is bool else "=="
        lines += lines_of(doc, f"assert {result}.{attribute} {comparison} ")
    return lines


def _not_comparable(name: str, value: Any) -> Refused:
    kind = type(value).__qualname__
    article = "an" if kind[:1].lower() in tuple("aeiou") else "a"
    sentence = f"what {name} returns is {article} {kind} which is not equal to one built alike, so nothing can be asserted of it"
    return Refused(
        Refusal("result-not-comparable", sentence, "give its class an __eq__, or select a frame that returns plain values")
    )


def unbuildable(path: str, is_what: str, kind: Any) -> Refused:
    """Say that what the function returns cannot be written."""
    where = path.removeprefix("value")
    return Refused(refusal_of("result", where, is_what, kind))
