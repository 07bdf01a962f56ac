"""The types and tables are those of the schema, and of nothing else."""

from __future__ import annotations

import ast
import subprocess
import sys

from fixcont_ui.dap import shapes
from support import dap_types

FRONT_ENDS = dap_types.PACKAGE.parent


def test_the_generated_modules_are_what_the_generator_makes() -> None:
    for name, text in dap_types.generate().items():
        assert (dap_types.PACKAGE / name).read_text(encoding="utf-8") == text, f"run python -m support.dap_types for {name}"


def test_every_message_of_the_schema_is_in_the_tables() -> None:
    left_out = dap_types.LEFT_OUT
    names = [name for name in dap_types.definitions() if not name.startswith(left_out)]
    requests = [name for name in names if name.endswith("Request") and name != "Request"]
    events = [name for name in names if name.endswith("Event") and name != "Event"]

    assert len(shapes.COMMANDS) == len(shapes.RESPONSES) == len(requests) > 50
    assert len(shapes.EVENTS) == len(events) > 15
    assert {"restartFrame", "gotoTargets", "fixcont/retry", "redefineClasses"} <= shapes.COMMANDS.keys()
    assert shapes.COMMANDS["threads"] is None
    assert shapes.RESPONSES["initialize"] == "Capabilities"


def test_every_shape_that_is_named_is_there() -> None:
    assert {name for name in shapes.COMMANDS.values() if name} <= shapes.SHAPES.keys()

    def named(expected: object) -> set[str]:
        if not isinstance(expected, tuple):
            return set()
        if expected[0] == "shape":
            return {expected[1]}
        return {name for each in expected[1:] if isinstance(each, tuple) for name in named(each) | named(("", *each))}

    for required, fields in shapes.SHAPES.values():
        assert set(required) <= fields.keys()
        for expected in fields.values():
            assert named(expected) <= shapes.SHAPES.keys()


def test_types_inherit_by_being_written_out() -> None:
    tree = ast.parse((dap_types.PACKAGE / "protocol.pyi").read_text(encoding="utf-8"))
    classes = {node.name: ast.unparse(node) for node in tree.body if isinstance(node, ast.ClassDef)}

    assert "hex: NotRequired[bool]" in classes["StackFrameFormat"]
    assert "includeAll: NotRequired[bool]" in classes["StackFrameFormat"]
    assert "seq: int" in classes["Response"] and "request_seq: int" in classes["Response"]
    assert "reason: str" in classes["StoppedEventBody"]  # an open enumeration
    assert "granularity: NotRequired[SteppingGranularity]" in classes["NextArguments"]


def test_the_types_are_for_the_type_checker_only() -> None:
    command = [sys.executable, "-c", "import fixcont_ui.dap.protocol"]
    assert "ModuleNotFoundError" in subprocess.run(command, capture_output=True, text=True).stderr


def test_what_a_program_loads_before_its_first_stop_is_quick_to_load() -> None:
    """These modules are loaded into other people's programs."""
    names = "starting handlers.lifecycle checking state".split()
    text = f"import sys\nfor name in {names}: __import__('fixcont_ui.dap.' + name)\nprint(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True).stdout.split()

    assert "fixcont_ui.dap.client" in loaded
    assert not {"asyncio", "prompt_toolkit", "hashlib", "difflib", "fixcont.editing.sources"} & set(loaded)
