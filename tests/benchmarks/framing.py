"""What taking messages apart costs: in proportion to the bytes, however they come and however broken they are."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from time import process_time

from fixcont_ui.dap.stream import Decoder, encode
from tests.benchmarks.measuring import Figure, Size

_UNITS = {
    "messages": encode({"seq": 1, "type": "request", "command": "threads"}),
    "lengths without messages": b"Content-Length: 9999999\r\n\r\n",
    "lengths that hold lengths": b"Content-Length: 30\r\n\r\n",
    "two lengths": b"Content-Length: 1\r\nContent-Length: 2\r\n",
    "beginnings of a header": b"content-length",
    "headers without end": b"content-length: ",
    "letters": b"x",
    "brackets": b"{",
    "empty lines": b"\r\n",
    "other headers": b"x: y\r\n",
    "lengths in texts": b'Content-Length: 40\r\n\r\n{"a": "Content-Length: 40\r\n\r\n',
}
_TIMES = 10


def measure(size: Size) -> Iterator[Figure]:
    """Yield how many times as long ten times as much takes, where in proportion is 10 and square is 100."""
    whole = 10_000 if size.is_smoke else 300_000
    for what, small, piece in (("in one piece", whole, 10 * whole), ("byte by byte", whole // 10, 1)):
        for name, unit in _UNITS.items():
            rounds = 1 if size.is_smoke else 5
            ratio = _seconds(unit, small * _TIMES, piece, rounds) / max(_seconds(unit, small, piece, rounds), 1e-6)
            yield Figure(f"{name}, {what}", ratio, "times", target=30)


def _seconds(unit: bytes, size: int, piece: int, rounds: int) -> float:
    """Return the least of some times, in seconds."""
    data = (unit * (size // len(unit) + 1))[:size]
    times = []
    for _ in range(rounds):
        gc.collect()
        began, decoder = process_time(), Decoder()
        for at in range(0, size, piece):
            decoder.feed(data[at : at + piece])
        times.append(process_time() - began)
    return min(times)
