"""What a saved stop is to hold: how much of the values, and what never."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from fixcont.errors import Refusal, Refused


class Limits:  # not a dataclass: those take longer to load than all that a save needs else
    """How much is saved. What lies beyond a limit becomes a hole that says so.

    Attributes:
        depth: so many steps from a variable are followed.
        count: values that are saved in all, not counting short texts and numbers.
        items: of one container.
        text: characters of one text, bytes of one bytes object.
        size: bytes of values in all, before compression.
        seconds: of the processor, for going through the values.
        repr_seconds: for all `repr` and `str` of objects together; 0 calls none.
        frames: whose variables are saved: as many of the innermost as of the outermost, where there are more.
    """

    def __init__(
        self,
        *,
        depth: int = 8,
        count: int = 20_000,
        items: int = 1_000,
        text: int = 10_000,
        size: int = 8_000_000,
        seconds: float = 1.0,
        repr_seconds: float = 0.2,
        frames: int = 200,
    ) -> None:
        self.depth = depth
        self.count = count
        self.items = items
        self.text = text
        self.size = size
        self.seconds = seconds
        self.repr_seconds = repr_seconds
        self.frames = frames


_USUAL: Final = Limits()


class Wanted(NamedTuple):
    """All that can be asked for as a stop is saved.

    Attributes:
        redact: words besides the usual ones; the value of what has one of them in its name is left out.
        environment: save the environment variables too.
        pickles: give objects a pickle, which runs their own code now, and is loaded only where the reader asks for it.
    """

    limits: Limits = _USUAL
    redact: tuple[str, ...] = ()
    environment: bool = False
    pickles: bool = False


def with_limits(wanted: Wanted, settings: Sequence[str]) -> Wanted:
    """Give what is wanted with other limits, each written as "depth=4".

    Raises:
        Refused: "bad-limit": there is no such limit, or that is no number for it.
    """
    limits = wanted.limits
    known: dict[str, type[Any]] = {name: type(default) for name, default in vars(_USUAL).items()}
    for setting in settings:
        name, _, value = setting.partition("=")
        try:
            number = known[name](value)
            if not 0 <= number < 1e12:  # a NaN is not
                raise ValueError
        except (KeyError, ValueError):
            sentence = f"{setting!r} sets no limit of a saved stop"
            raise Refused(Refusal("bad-limit", sentence, f"write NAME=NUMBER, with one of {', '.join(known)}")) from None
        changed: dict[str, Any] = {name: number}
        limits = Limits(**(vars(limits) | changed))
    return wanted._replace(limits=limits)
