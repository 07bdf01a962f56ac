"""What a program prints, on its way to the client's console."""

from __future__ import annotations

import asyncio
import codecs
from collections.abc import Callable
from typing import Final

_PIECE: Final = 65536


async def pass_output(stream: asyncio.StreamReader, category: str, show: Callable[[str, str], None]) -> None:
    """Show what comes from a stream until it ends.

    Args:
        category: "stdout" or "stderr".
        show: called with each text and its category.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
    while True:
        data = await stream.read(_PIECE)
        text = decoder.decode(data, final=not data)
        if text:
            show(text, category)
        if not data:
            return
