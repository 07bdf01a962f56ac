"""Lets modules be imported from other texts than their files have: the program as it was before the repair."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.machinery import SourceFileLoader
from typing import Any


def put(texts: Mapping[str, str]) -> None:
    """Let each of these files have another text for the import system, in this process, from now on.

    Args:
        texts: name of a file -> its bytes, as Latin-1.
    """
    if not texts:
        return
    known = {os.path.realpath(name): text.encode("latin-1") for name, text in texts.items()}
    loader: Any = SourceFileLoader
    plain_data, plain_stats = loader.get_data, loader.path_stats

    def get_data(self: Any, path: str) -> Any:
        found = known.get(os.path.realpath(path))
        return plain_data(self, path) if found is None else found

    def path_stats(self: Any, path: str) -> Any:
        if os.path.realpath(path) in known:
            raise OSError("no cached bytecode is of this text")
        return plain_stats(self, path)

    loader.get_data, loader.path_stats = get_data, path_stats
