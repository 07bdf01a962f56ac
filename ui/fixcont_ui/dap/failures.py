"""Why a request is not carried out."""

from __future__ import annotations

from fixcont.errors import Refusal


class Failure(Exception):
    """A request fails. Raised by handlers; the client gets it as the response.

    Attributes:
        refusal: the reason. Its code is that of docs/limitations.md, or of `fixcont_ui.dap.errors`.
        is_shown: whether the client should show it to the user; not where the user sees it anyway, or has asked for nothing.
    """

    def __init__(self, refusal: Refusal, *, is_shown: bool = True) -> None:
        super().__init__(str(refusal))
        self.refusal = refusal
        self.is_shown = is_shown


def failure(code: str, sentence: str, instead: str = "", *, is_shown: bool = False) -> Failure:
    """Make a failure of the protocol's own."""
    return Failure(Refusal(code, sentence, instead), is_shown=is_shown)
