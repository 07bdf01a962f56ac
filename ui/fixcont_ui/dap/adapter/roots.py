"""Where the two packages lie, for interpreters in which they are not installed."""

from __future__ import annotations

import os
from typing import Final

import fixcont
import fixcont_ui


def _folder(package: object) -> str:
    place = str(getattr(package, "__file__", ""))
    return os.path.dirname(os.path.dirname(os.path.abspath(place)))


#: Folders to find `fixcont` and `fixcont_ui` in.
ROOTS: Final = [_folder(fixcont), _folder(fixcont_ui)]
