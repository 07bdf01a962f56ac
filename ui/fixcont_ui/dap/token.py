"""What an adapter and the program that it has started know each other by."""

from __future__ import annotations

from typing import Final

#: The variable that tells a program which the adapter has started how to prove that it is the one.
TOKEN: Final = "FIXCONT_DAP_TOKEN"
