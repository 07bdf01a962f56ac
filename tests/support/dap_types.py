"""Makes the types and the run-time tables of the debug adapter's messages from the JSON schemas in tests/dap.

The types are a stub, which the program cannot import: 160 typed dictionaries take 17 ms, and the front end lives in other people's
processes. What is looked at at run time is plain data.

Run it in `tests/` with `python -m support.dap_types` after a change of a schema; it writes both modules anew.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

TESTS: Final = Path(__file__).resolve().parent.parent
SCHEMAS: Final = (TESTS / "dap" / "debugAdapterProtocol.json", TESTS / "dap" / "fixcontProtocol.json")
PACKAGE: Final = TESTS.parent / "ui" / "fixcont_ui" / "dap"

#: Definitions of messages about machine code and memory, which no Python debugger sends or takes.
LEFT_OUT: Final = ("ReadMemory", "WriteMemory", "Disassemble", "SetInstructionBreakpoints", "Memory")

_WARNING: Final = "Generated from the protocol's schema by tests/support/dap_types.py: do not edit."
_SCALARS: Final = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
_ANYTHING: Final = 7  # so many types has a property that may be anything

Schema = Mapping[str, Any]
# name of a class -> (names of the required fields, field -> schema)
Classes = dict[str, tuple[list[str], dict[str, Schema]]]


@cache
def definitions() -> dict[str, Any]:
    """Give the definitions of all schemas by name; fixcont's take the place of the protocol's."""
    found: dict[str, Any] = {}
    for path in SCHEMAS:
        found.update(json.loads(path.read_text(encoding="utf-8"))["definitions"])
    return found


def flattened(schema: Schema) -> tuple[list[str], dict[str, Schema]]:
    """Give the required names and the properties of an object's schema together with all that it inherits."""
    required: list[str] = []
    properties: dict[str, Schema] = {}
    for part in (*schema.get("allOf", ()), schema):
        if "$ref" in part:
            inherited, own = flattened(definitions()[reference(part)])
        else:
            inherited, own = list(part.get("required", ())), part.get("properties", {})
        required += [name for name in inherited if name not in required]
        properties |= own
    return required, properties


def reference(schema: Schema) -> str:
    """Give the name of the definition that a `$ref` leads to."""
    return str(schema["$ref"]).rpartition("/")[2]


def messages(kind: str) -> Iterator[tuple[str, str, Schema, bool]]:
    """Go through the messages of a kind ("Request", "Response", "Event").

    Gives the command's or event's name, the name of the definition, the schema of its arguments or body (empty where there
    is none), and whether they are required.
    """
    key, part = {"Request": ("command", "arguments"), "Response": ("", "body"), "Event": ("event", "body")}[kind]
    for name, schema in definitions().items():
        if not name.endswith(kind) or name == kind or name == "ErrorResponse" or name.startswith(LEFT_OUT):
            continue
        required, properties = flattened(schema)
        if key:
            word = properties[key]["enum"][0]
        else:
            word = flattened(definitions()[name.removesuffix(kind) + "Request"])[1]["command"]["enum"][0]
        payload = properties.get(part, {})
        anything = isinstance(payload.get("type"), list)
        yield word, name, {} if anything else payload, part in required and not anything


def collect() -> tuple[Classes, dict[str, Schema], dict[str, dict[str, tuple[str, bool]]]]:
    """Give the classes, the enumerations with a name, and for each kind of message: name -> (class or "", whether required)."""
    classes: Classes = {}
    enumerations: dict[str, Schema] = {}
    tables: dict[str, dict[str, tuple[str, bool]]] = {}

    def add(name: str, schema: Schema) -> None:
        if name in classes or name in enumerations:
            return
        if schema.get("type") == "string":
            enumerations[name] = schema
            return
        classes[name] = flattened(schema)
        for each in classes[name][1].values():
            follow(each)

    def follow(schema: Any) -> None:
        if isinstance(schema, Mapping):
            if "$ref" in schema:
                add(reference(schema), definitions()[reference(schema)])
            for each in schema.values():
                follow(each)
        elif isinstance(schema, list):
            for each in schema:
                follow(each)

    for name in ("Request", "Event", "Response"):
        add(name, definitions()[name])
    add("ErrorResponseBody", flattened(definitions()["ErrorResponse"])[1]["body"])
    for kind in ("Request", "Response", "Event"):
        tables[kind] = {}
        for word, name, payload, required in messages(kind):
            if "$ref" in payload:
                made = reference(payload)
            else:
                made = f"{name}Body" if payload else ""
            if made:
                add(made, definitions()[made] if "$ref" in payload else payload)
            tables[kind][word] = (made, required)
    return classes, enumerations, tables


def annotation(schema: Schema) -> str:
    """Write the type of a property as Python does."""
    if "$ref" in schema:
        return reference(schema)
    if "oneOf" in schema:
        return " | ".join(annotation(each) for each in schema["oneOf"])
    if "enum" in schema:
        return f"Literal[{', '.join(json.dumps(each) for each in schema['enum'])}]"
    kinds = schema.get("type")
    if isinstance(kinds, list):
        if len(kinds) == _ANYTHING:
            return "Any"
        return " | ".join(annotation({**schema, "type": each}) for each in kinds)
    if kinds == "array":
        return f"list[{annotation(schema['items'])}]"
    if kinds == "object":
        values = schema.get("additionalProperties", True)
        return f"dict[str, {annotation(values) if isinstance(values, Mapping) else 'Any'}]"
    return _SCALARS[kinds] if kinds else "Any"


def shape(schema: Schema) -> Any:
    """Write what may be in a property as the tuples that fixcont_ui.dap.checking reads."""
    if "$ref" in schema:
        target = definitions()[reference(schema)]
        return shape(target) if target.get("type") == "string" else ("shape", reference(schema))
    if "oneOf" in schema:
        return ("either", tuple(shape(each) for each in schema["oneOf"]))
    if "enum" in schema:
        return ("enum", tuple(schema["enum"]))
    kinds = schema.get("type")
    if isinstance(kinds, list):
        if len(kinds) == _ANYTHING:
            return "any"
        return ("either", tuple(shape({**schema, "type": each}) for each in kinds))
    if kinds == "array":
        return ("array", shape(schema["items"]))
    if kinds == "object":
        values = schema.get("additionalProperties", True)
        return ("map", shape(values)) if isinstance(values, Mapping) else "object"
    if kinds == "integer" and ("minimum" in schema or "maximum" in schema):
        return ("range", schema.get("minimum"), schema.get("maximum"))
    return kinds or "any"


def reached(names: list[str], classes: Classes) -> set[str]:
    """Give the classes that an instance of one of `names` may hold, and these themselves."""
    found: set[str] = set()
    left = [name for name in names if name]
    while left:
        name = left.pop()
        if name in classes and name not in found:
            found.add(name)
            text = json.dumps(list(classes[name][1].values()))
            left += [each for each in classes if f'"#/definitions/{each}"' in text]
    return found


def protocol_source() -> str:
    """Give the text of fixcont_ui/dap/protocol.pyi, before formatting."""
    classes, enumerations, tables = collect()
    lines = [
        f"# The types of the Debug Adapter Protocol's messages: import them under TYPE_CHECKING.\n# {_WARNING}\n",
        "from typing import Any, Literal, NotRequired, Protocol, TypeAlias, TypedDict, overload\n",
    ]
    for name, schema in sorted(enumerations.items()):
        lines.append(f"{name}: TypeAlias = {annotation(schema) if 'enum' in schema else 'str'}")
    for name, (required, fields) in sorted(classes.items()):
        types = {
            field: annotation(schema) if field in required else f"NotRequired[{annotation(schema)}]"
            for field, schema in fields.items()
        }
        if not types:
            lines.append(f"class {name}(TypedDict):\n    pass")
        elif name == "LaunchRequestArguments" or name == "AttachRequestArguments":
            # a name with two underscores in front would be mangled in a class
            body = ", ".join(f"{json.dumps(field)}: {kind}" for field, kind in types.items())
            lines.append(f"{name} = TypedDict({json.dumps(name)}, {{{body},}})")
        else:
            lines.append(f"class {name}(TypedDict):\n" + "\n".join(f"    {field}: {kind}" for field, kind in types.items()))
    lines.append("class MakeEvent(Protocol):")
    for word, (made, needed) in sorted(tables["Event"].items()):
        body = f", body: {made}{'' if needed else ' | None = None'}" if made else ""
        lines.append(f"    @overload\n    def __call__(self, event: Literal[{json.dumps(word)}]{body}) -> Event: ...")
    return "\n\n".join(lines) + "\n"


def shapes_source() -> str:
    """Give the text of fixcont_ui/dap/shapes.py, before formatting."""
    classes, _, tables = collect()
    incoming = [name for name, _ in tables["Request"].values()] + ["RunInTerminalResponseBody"]
    optional = sorted(word for word, (_, required) in tables["Request"].items() if not required)
    lines = [
        f'"""What the Debug Adapter Protocol\'s messages hold, as data. {_WARNING}"""\n',
        "from __future__ import annotations\n",
        "from collections.abc import Mapping",
        "from typing import Any, Final\n",
    ]
    for kind, name, text in (
        ("Request", "COMMANDS", "command -> the name of its arguments' shape, or None where it has none"),
        ("Response", "RESPONSES", "command -> the type of its response's body in protocol.pyi, or None where it has none"),
        ("Event", "EVENTS", "event -> the type of its body in protocol.pyi, or None where it has none"),
    ):
        table = {word: made or None for word, (made, _) in sorted(tables[kind].items())}
        lines.append(f"# {text}\n{name}: Final[Mapping[str, str | None]] = {table!r}\n")
    lines.append("# commands that may come without arguments")
    lines.append(f"WITHOUT_ARGUMENTS: Final = frozenset({optional!r})\n")
    lines.append("# name of a shape -> (required fields, field -> what it may be): those of what comes in")
    lines.append("# fmt: off\nSHAPES: Final[Mapping[str, tuple[tuple[str, ...], Mapping[str, Any]]]] = {")
    for name in sorted(reached(incoming, classes)):
        required, fields = classes[name]
        table = {field: shape(schema) for field, schema in fields.items()}
        lines.append(f"    {name!r}: ({tuple(required)!r}, {table!r}),")
    return "\n".join([*lines, "}"]) + "\n"


def formatted(source: str, name: str) -> str:
    """Give a module's text as the project's formatter lays it out."""
    command = [sys.executable, "-m", "ruff", "format", "--stdin-filename", str(PACKAGE / name), "-"]
    return subprocess.run(command, input=source, capture_output=True, text=True, check=True, cwd=TESTS.parent).stdout


def generate() -> dict[str, str]:
    """Give the name and the text of each generated module."""
    return {name: formatted(make(), name) for name, make in (("protocol.pyi", protocol_source), ("shapes.py", shapes_source))}


if __name__ == "__main__":
    for name, text in generate().items():
        (PACKAGE / name).write_text(text, encoding="utf-8")
        print(f"{name}: {text.count(chr(10))} lines")
