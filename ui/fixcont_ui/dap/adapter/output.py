"""What a program prints, on its way to the client's console."""

from __future__ import annotations

import asyncio
import codecs
from collections.abc import Callable
from typing import Final

_PIECE: Final = 65536
_TOGETHER: Final = 0.005  # seconds in which what follows is shown together with what has come


async def pass_output(stream: asyncio.StreamReader, category: str, show: Callable[[str, str], None]) -> None:
    """Show what comes from a stream until it ends, in as few pieces as nobody notices.

    Args:
        category: "stdout" or "stderr".
        show: called with each text and its category.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
    while True:
        data = await stream.read(_PIECE)
        text = decoder.decode(data, final=not data)
        if text and len(data) < _PIECE:
            text += decoder.decode(await _what_follows(stream))
        if text:
            show(text, category)
        if not data:
            return


async def _what_follows(stream: asyncio.StreamReader) -> bytes:
    """Give what comes from a stream in the next moment."""
    try:
        return await asyncio.wait_for(stream.read(_PIECE), _TOGETHER)
    except TimeoutError:
        return b""
