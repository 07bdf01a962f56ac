"""What a program prints is shown in the order in which it comes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from fixcont_ui.dap.adapter.output import Output


def shown(pieces: Sequence[tuple[str, bytes]], *, at_once: bool = False) -> list[tuple[str, str]]:
    """Give what is shown of pieces of "stdout" and "stderr" that come one after the other."""
    told: list[tuple[str, str]] = []
    wanted = len(b"".join(piece for _, piece in pieces))

    async def run() -> None:
        all_shown = asyncio.Event()

        def show(text: str, category: str) -> None:
            told.append((category, text))
            if sum(len(each.encode()) for _, each in told) == wanted:
                all_shown.set()

        output = Output(show)
        streams = {category: asyncio.StreamReader() for category in ("stdout", "stderr")}
        readers = [asyncio.ensure_future(output.take_from(stream, category)) for category, stream in streams.items()]
        for category, piece in pieces:
            streams[category].feed_data(piece)
            await asyncio.sleep(0)  # lets it be read
            await asyncio.sleep(0)
        for stream in streams.values():
            stream.feed_eof()
        await asyncio.gather(*readers)
        if at_once:
            output.flush()
        await all_shown.wait()

    asyncio.run(asyncio.wait_for(run(), 10))
    return told


def test_streams_do_not_overtake_each_other() -> None:
    pieces = [("stdout", b"nails\n"), ("stderr", b"Traceback\n"), ("stderr", b"  File\n"), ("stdout", b"rope\n")]
    expected = [("stdout", "nails\n"), ("stderr", "Traceback\n  File\n"), ("stdout", "rope\n")]
    assert shown(pieces) == expected
    assert shown(pieces, at_once=True) == expected


def test_a_character_comes_whole() -> None:
    first, second = "ä".encode()[:1], "ä".encode()[1:]
    assert shown([("stdout", b"x" + first), ("stdout", second + b"y")]) == [("stdout", "xäy")]


def test_much_is_not_held_back() -> None:
    told = shown([("stdout", b"x" * 65536)] * 9)
    assert sum(len(text) for _, text in told) == 9 * 65536
    assert len(told) > 1
