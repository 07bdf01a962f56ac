"""What a program prints, on its way to the client's console."""

from __future__ import annotations

import asyncio
import codecs
from collections.abc import Callable
from typing import Final

_PIECE: Final = 65536
_TOGETHER: Final = 0.005  # seconds in which what follows is shown together with what has come
_MUCH: Final = 4 * _PIECE  # characters that are shown without waiting for more


class Output:
    """Shows what comes from all streams of a program in the order in which it comes, in as few pieces as nobody notices.

    Args:
        show: called with each text and its category, "stdout" or "stderr".
    """

    def __init__(self, show: Callable[[str, str], None]) -> None:
        self._show = show
        self._waiting: list[tuple[str, str]] = []  # category and text
        self._size = 0
        self._timer: asyncio.TimerHandle | None = None

    async def take_from(self, stream: asyncio.StreamReader, category: str) -> None:
        """Take what comes from a stream until it ends."""
        decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
        while True:
            data = await stream.read(_PIECE)
            self._add(decoder.decode(data, final=not data), category)
            if not data:
                return

    def flush(self) -> None:
        """Show what has come: something follows that came later."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        waiting, self._waiting, self._size = self._waiting, [], 0
        for category, text in waiting:
            self._show(text, category)

    def _add(self, text: str, category: str) -> None:
        if not text:
            return
        self._size += len(text)
        if self._waiting and self._waiting[-1][0] == category:
            text = self._waiting.pop()[1] + text
        self._waiting.append((category, text))
        if self._size > _MUCH:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_TOGETHER, self.flush)
