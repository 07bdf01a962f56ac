"""Arguments that the schema allows are taken, and others are refused by a sentence that names the place."""

from __future__ import annotations

import json
import timeit
from typing import Any

import pytest

from fixcont_ui.dap.checking import check_arguments
from fixcont_ui.dap.shapes import COMMANDS
from support.dap_fuzz import Fuzz, commands
from support.dap_schema import validator_of

SOURCE = {"path": "/a.py"}


@pytest.mark.parametrize(
    ("command", "arguments", "sentence"),
    [
        ("setBreakpoints", None, "arguments must be an object, not null"),
        ("setBreakpoints", [], "arguments must be an object, not an array"),
        ("setBreakpoints", {}, "arguments.source is missing"),
        ("setBreakpoints", {"source": "a.py"}, "arguments.source must be an object, not a string"),
        (
            "setBreakpoints",
            {"source": SOURCE, "breakpoints": [{"line": 1}, {"line": 2}, {"line": "3"}]},
            "arguments.breakpoints[2].line must be an integer, not a string",
        ),
        ("setBreakpoints", {"source": SOURCE, "breakpoints": {}}, "arguments.breakpoints must be an array, not an object"),
        ("setBreakpoints", {"source": SOURCE, "lines": [True]}, "arguments.lines[0] must be an integer, not a boolean"),
        ("setBreakpoints", {"source": SOURCE, "lines": [1.0]}, "arguments.lines[0] must be an integer, not a number"),
        ("setBreakpoints", {"source": SOURCE, "lines": [2**53]}, "arguments.lines[0] must be at most 9007199254740991"),
        ("variables", {"variablesReference": -1}, "arguments.variablesReference must be at least 0"),
        ("variables", {"variablesReference": 1, "filter": 1}, "arguments.filter must be a string, not an integer"),
        (
            "variables",
            {"variablesReference": 1, "filter": "all"},
            "arguments.filter must be 'indexed' or 'named', not 'all'",
        ),
        ("stackTrace", {"threadId": 1, "format": {"hex": 0}}, "arguments.format.hex must be a boolean, not an integer"),
        ("launch", {"python": 3}, "arguments.python must be an array or a string, not an integer"),
        ("launch", {"python": ["python", 3]}, "arguments.python[1] must be a string, not an integer"),
        ("launch", {"env": {"A": 1}}, "arguments.env['A'] must be a string or null, not an integer"),
        ("launch", {"evaluateTimeout": False}, "arguments.evaluateTimeout must be a number, not a boolean"),
        ("attach", {"connect": {"port": 70000}}, "arguments.connect.port must be at most 65535"),
        ("fixcont/resume", {"line": 3}, "arguments.frameId is missing"),
        ("fixcont/retry", None, "arguments must be an object, not null"),
    ],
)
def test_the_sentence_names_the_place(command: str, arguments: Any, sentence: str) -> None:
    assert check_arguments(command, arguments) == f"{command}: {sentence}"


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("threads", None),
        ("threads", {}),
        ("threads", "whatever"),
        ("configurationDone", None),
        ("disconnect", None),
        ("somebody/elsesRequest", [1]),
        ("stackTrace", {"threadId": 1, "unknown": {"a": None}}),
        ("evaluate", {"expression": "x", "context": "a context of its own"}),
        ("launch", {"program": "a.py", "python": "python3", "env": {"A": "1", "B": None}, "evaluateTimeout": 1}),
        ("launch", {"python": ["python3", "-X", "dev"], "name": "run", "type": "fixcont", "__sessionId": 5}),
        ("restart", {"arguments": {"program": "a.py"}}),
        ("attach", {"processId": "12"}),
        ("attach", {"processId": 12, "__restart": [None]}),
    ],
)
def test_what_the_protocol_does_not_know_is_let_through(command: str, arguments: Any) -> None:
    assert check_arguments(command, arguments) == ""


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_everything_that_the_schema_allows_is_taken(command: str) -> None:
    fuzz = Fuzz(hash_of(command))
    for _ in range(100):
        arguments = fuzz.arguments(command)
        assert check_arguments(command, arguments) == "", json.dumps(arguments)


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_what_is_not_refused_is_what_the_schema_allows(command: str) -> None:
    """As a validator of JSON schemas says, which knows nothing of ours."""
    fuzz = Fuzz(hash_of(command) + 1)
    schema, required = commands()[command]
    validator = validator_of(schema)
    refused = 0
    for _ in range(200):
        arguments = fuzz.spoiled(fuzz.arguments(command))
        said = check_arguments(command, arguments)
        fits = not schema or (arguments is None and not required) or validator.is_valid(arguments)
        assert (said == "") is fits, (said, json.dumps(arguments))
        assert not said or said.startswith(f"{command}: arguments")
        refused += said != ""

    assert refused or not schema


def test_no_json_makes_it_raise() -> None:
    fuzz = Fuzz(5)
    nested: Any = {}
    for _ in range(100_000):
        nested = {"sources": [nested]}
    values: list[Any] = [nested, [nested], {"source": nested}, {"arguments": nested}, 2**5000, float("inf"), "\ud800", [[]]]
    for command in COMMANDS:
        for value in values:
            check_arguments(command, value)
        for _ in range(50):
            check_arguments(command, fuzz.anything())

    assert check_arguments("source", {"sourceReference": 1, "source": nested}) == "source: arguments is too deeply nested"


def test_it_costs_next_to_nothing() -> None:
    """Far below what the request itself takes, on a slow machine too."""
    typical = {"source": {"path": "/tmp/a.py", "name": "a.py"}, "breakpoints": [{"line": 1}, {"line": 5, "condition": "x"}]}
    assert check_arguments("setBreakpoints", typical) == ""
    took = min(timeit.repeat(lambda: check_arguments("setBreakpoints", typical), number=1000, repeat=5)) / 1000

    assert took < 100e-6


def hash_of(text: str) -> int:
    """A number that is the same in each run."""
    return int.from_bytes(text.encode(), "big") % 1_000_003
