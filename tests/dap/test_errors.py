"""Every refusal has a number of its own in the protocol."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from fixcont.errors import Refusal
from fixcont_ui.dap.errors import ERROR_IDS, GENERAL, error_id
from fixcont_ui.dap.messages import error, error_response, event, refused, request, response
from support.dap_types import definitions

ROOT = Path(__file__).resolve().parent.parent.parent
SOURCES = [*(ROOT / "fixcont").rglob("*.py"), *(ROOT / "ui").rglob("*.py")]
CODE = re.compile(r"[a-z]+(-[a-z]+)*")


def called(node: ast.Call) -> str:
    return node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")


def words(node: ast.expr) -> Iterator[str]:
    """Give the texts that an argument may be."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from words(node.body)
        yield from words(node.orelse)


def passes_its_code_on(function: ast.FunctionDef) -> bool:
    """Whether a function makes a refusal with the code that is its first argument."""
    made = [each for each in ast.walk(function) if isinstance(each, ast.Call) and called(each) == "Refusal" and each.args]
    first = [argument.arg for argument in function.args.args[:1]]
    return any(isinstance(each.args[0], ast.Name) and [each.args[0].id] == first for each in made)


def codes_in(trees: list[ast.Module]) -> Iterator[str]:
    """Give the codes of the refusals that are made, also by functions that take the code as their first argument."""
    functions = [(tree, node) for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    passing = [(tree, function.name) for tree, function in functions if passes_its_code_on(function)]
    for tree in trees:
        makers = {"Refusal", *(name for there, name in passing if there is tree or not name.startswith("_"))}
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and called(node) in makers and node.args:
                yield from words(node.args[0])


def test_all_codes_that_occur_have_a_number() -> None:
    found = set(codes_in([ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES]))

    assert {"not-trapped", "slots-changed", "nothing-missing", "blocks-differ", "unwound"} <= found
    assert found - ERROR_IDS.keys() == set()


def test_all_codes_that_are_documented_have_a_number() -> None:
    rows = re.findall(r"^\| (`.*?) \|", (ROOT / "docs" / "limitations.md").read_text(encoding="utf-8"), re.MULTILINE)
    found = {code for row in rows for code in re.findall(r"`([a-z]+(?:-[a-z]+)+)`", row)}

    assert len(found) > 70
    assert found - ERROR_IDS.keys() == set()


def test_numbers_are_unique() -> None:
    assert len(set(ERROR_IDS.values())) == len(ERROR_IDS)
    assert GENERAL not in ERROR_IDS.values()
    assert all(CODE.fullmatch(code) for code in ERROR_IDS)
    assert error_id("not-trapped") == 1200
    assert error_id("made-up") == GENERAL


def test_a_response_has_its_body_and_the_number_of_its_request() -> None:
    assert response({"seq": 7, "type": "request", "command": "threads"}, {"threads": []}) == {
        "seq": 0,
        "type": "response",
        "request_seq": 7,
        "success": True,
        "command": "threads",
        "body": {"threads": []},
    }
    assert "body" not in response({"seq": 7, "command": "next"})
    assert response({"seq": True, "command": 5})["request_seq"] == 0


def test_a_refusal_is_shown_with_what_can_be_done_instead() -> None:
    made = refused({"seq": 3, "command": "restartFrame"}, Refusal("not-trapped", "f is library code", "restart g"))

    assert made["success"] is False
    assert made["message"] == "f is library code; restart g"
    assert made["body"]["error"] == {
        "id": 1200,
        "format": "f is library code; restart g",
        "variables": {"code": "not-trapped"},
        "showUser": True,
    }


def test_braces_of_a_sentence_are_no_variables() -> None:
    made = error_response({"seq": 1, "command": "evaluate"}, error("evaluation-failed", "KeyError: {code}", show_user=False))

    assert made["message"] == "KeyError: {code}"
    assert made["body"]["error"]["format"] == "{text}"
    assert made["body"]["error"]["variables"]["text"] == "KeyError: {code}"
    assert made["body"]["error"]["showUser"] is False


def test_words_of_the_protocol_are_kept() -> None:
    words = definitions()["Response"]["allOf"][1]["properties"]["message"]["_enum"]

    for code, word in (("cancelled", "cancelled"), ("not-stopped", "notStopped")):
        assert word in words
        assert error_response({"seq": 1, "command": "next"}, error(code, "no"))["message"] == word


def test_events_and_requests() -> None:
    assert event("stopped", {"reason": "step", "threadId": 1}) == {
        "seq": 0,
        "type": "event",
        "event": "stopped",
        "body": {"reason": "step", "threadId": 1},
    }
    assert "body" not in event("initialized")
    assert request("runInTerminal", {"cwd": "", "args": []})["arguments"] == {"cwd": "", "args": []}
