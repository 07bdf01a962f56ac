"""Tests that Hypothesis calls with examples of its own: which call is the one whose failure is the test's.

It calls the test with hundreds of examples, and when one fails with hundreds more, to find the smallest one that does. What these raise it
keeps. Then it calls the test with that one once more, for the user to see: there the test stops. What is in `@example` it calls like that at once.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import FrameType
from typing import Any, Final

import fixcont
import fixcont_ui

_MODULE: Final = "hypothesis.core"
_CALLS: Final = "execute_once"
_FLAG: Final = "is_final"


def is_rehearsed(frame: FrameType | None) -> bool:
    """Tell whether the call by Hypothesis that a frame runs in is one whose failure it keeps to itself."""
    return _is_final(frame) is False


def is_final(frame: FrameType | None) -> bool:
    """Tell whether it is the one that the user is to see."""
    return _is_final(frame) is True


def _is_final(frame: FrameType | None) -> bool | None:
    if _MODULE not in sys.modules:
        return None
    while frame is not None:
        if frame.f_code.co_name == _CALLS and frame.f_globals.get("__name__") == _MODULE:
            flag: Any = frame.f_locals.get(_FLAG)
            return flag if isinstance(flag, bool) else None
        frame = frame.f_back
    return None


def keep_from_explanations() -> None:
    """Let Hypothesis not explain a failure by lines of fixcont's own, which run where something fails."""
    explaining: Any = sys.modules.get("hypothesis.internal.scrutineer")
    known = getattr(explaining, "UNHELPFUL_LOCATIONS", None)
    own = tuple(f"{Path(each).parent.as_posix()}/**" for each in (fixcont.__file__, fixcont_ui.__file__) if each)
    if isinstance(known, tuple) and own[0] not in known:
        explaining.UNHELPFUL_LOCATIONS = known + own
