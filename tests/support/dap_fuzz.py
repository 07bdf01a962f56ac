"""Messages for the debug adapter made from the schemas at random: right ones, slightly wrong ones, and broken ones."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

from fixcont_ui.dap.stream import encode
from support.dap_types import definitions, flattened, messages, reference

_WORDS: Final = (
    "",
    "x",
    "a.py",
    "/tmp/a b.py",
    "ä→\U0001f40d",
    "\ud800",
    "{x}",
    'a"b\\c\r\n',
    "1 / 0",
    "Content-Length: 5\r\n\r\n",
)
_NUMBERS: Final = (0, 1, 2, 7, 1000, 2**31 - 1)
_ANYTHING: Final[tuple[Any, ...]] = (None, True, 0, -1, 1.5, 2**70, "", "word", [], [1], {}, {"a": []})


class Fuzz:
    """A source of messages. The same seed gives the same ones, in the same order."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    # What fits

    def value(self, schema: Mapping[str, Any], depth: int = 0) -> Any:
        """Make a value that fits a schema."""
        choice = self.random
        if "$ref" in schema:
            return self.value(definitions()[reference(schema)], depth)
        if "oneOf" in schema:
            return self.value(choice.choice(schema["oneOf"]), depth)
        if "enum" in schema:
            return choice.choice(schema["enum"])
        if "_enum" in schema and choice.random() < 0.8:
            return choice.choice(schema["_enum"])
        kinds = schema.get("type")
        if isinstance(kinds, list):
            return self.value({"items": {}, **schema, "type": choice.choice(kinds)}, depth)
        if "allOf" in schema or kinds == "object":
            return self._object(schema, depth)
        if kinds == "array":
            count = choice.randrange(4) if depth < 3 else 0
            return [self.value(schema["items"], depth + 1) for _ in range(count)]
        if kinds == "integer":
            least, most = schema.get("minimum", -3), schema.get("maximum", 2**31)
            return choice.choice([number for number in (least, *_NUMBERS, most) if least <= number <= most])
        if kinds == "number":
            return choice.choice((0, 2, 0.5, -1.25, 1e9))
        if kinds == "boolean":
            return choice.random() < 0.5
        return choice.choice(_WORDS) if kinds == "string" else None if kinds == "null" else self.anything()

    def _object(self, schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
        required, properties = flattened(schema)
        made = {}
        for name, each in properties.items():
            if name in required or (depth < 4 and self.random.random() < 0.5):
                made[name] = self.value(each, depth + 1)
        extra = schema.get("additionalProperties", True)
        if isinstance(extra, Mapping):
            made |= {word: self.value(extra, depth + 1) for word in self.random.sample(_WORDS, 2)}
        elif extra and self.random.random() < 0.2:
            made["somethingElse"] = self.anything()  # clients send more than the schema names
        return made

    def anything(self) -> Any:
        """Make any JSON."""
        return copy.deepcopy(self.random.choice(_ANYTHING))

    def arguments(self, command: str) -> Any:
        """Make arguments that fit a command; None for none."""
        schema, required = commands()[command]
        if not schema or (not required and self.random.random() < 0.3):
            return None
        return self.value(schema)

    def request(self, seq: int, command: str | None = None) -> dict[str, Any]:
        """Make a right request: of `command`, or of any."""
        chosen = command or self.random.choice(sorted(commands()))
        made: dict[str, Any] = {"seq": seq, "type": "request", "command": chosen}
        arguments = self.arguments(chosen)
        if arguments is not None:
            made["arguments"] = arguments
        return made

    # What does not quite fit

    def spoiled(self, value: Any) -> Any:
        """Give a copy of a JSON value with one thing changed: another value, or one less, or one more."""
        value = copy.deepcopy(value)
        holder, key = self.random.choice(list(places({"": value})))
        kind = self.random.randrange(4)
        if key == "":
            return self.anything()
        if kind == 0 and isinstance(holder, dict):
            del holder[key]
        elif kind == 1 and isinstance(holder, list):
            holder.append(self.anything())
        else:
            holder[key] = self.anything()
        return value

    def wrong_request(self, seq: int, command: str | None = None) -> Any:
        """Make a request that is a JSON object, with one thing wrong, perhaps."""
        made = self.spoiled(self.request(seq, command))
        return made if isinstance(made, dict) else {"seq": seq, "type": "request", "command": made}

    # What is no message

    def broken_bytes(self) -> bytes:
        """Make bytes that are no message. The next whole message behind them is to be understood all the same."""
        body = json.dumps(self.request(1)).encode()
        size = len(body)
        return self.random.choice(
            [
                b"Content-Length: -5\r\n\r\n",
                b"Content-Length: nine\r\n\r\n" + body,
                b"Content-Type: text\r\n\r\n" + body,
                b"Content-Length: 99999999999999\r\n\r\n",
                b"Content-Length: %d\r\nContent-Length: %d\r\n\r\n" % (size, size + 1) + body + b" ",
                b"Content-Length: %d\r\n\r\n" % size + b"{" * size,
                b"Content-Length: %d\r\n\r\n" % (size - 3) + body,
                b"Content-Length: 2\r\n\r\n[]",
                b"Content-Length: 4\r\n\r\nnull",
                b"Content-Length: 4\r\n\r\n\xff\xfe\xfd\xfc",
                b"Content-Length: 9\r\n\r\n" + b'{"a":NaN}',
                b"Content-Length: 100002\r\n\r\n" + b"[" * 50001 + b"]" * 50001,
                body + b"\n",
                b"hello world\r\n\r\n",
                b"\x00\xff" * 20,
                b"x" * 9000,
            ]
        )

    def stream(self, count: int) -> Iterator[bytes]:
        """Make `count` pieces of what a bad client may send: mostly right requests, and all the rest."""
        for seq in range(1, count + 1):
            kind = self.random.random()
            if kind < 0.6:
                yield encode(self.request(seq))
            elif kind < 0.9:
                yield encode(self.wrong_request(seq))
            else:
                yield self.broken_bytes()


@cache
def commands() -> dict[str, tuple[Mapping[str, Any], bool]]:
    """Give, for each command, the schema of its arguments (empty where it has none) and whether they are required."""
    return {word: (schema, required) for word, _, schema, required in messages("Request")}


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Go through all places in a JSON value, as an object or array and a key or index."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inside:
        yield value, key
        yield from places(each)
