"""What the program sends, of which the adapter reads no more than it must know: reading and writing a large answer again takes longer than
making it.
"""

from __future__ import annotations

import re
from typing import Any, Final

from fixcont_ui.dap.stream import Broken, Decoder, Head

# As `Channel` of a program sends them; whatever else comes is read as a whole. What the events "process" and "breakpoint" say is needed here.
_HEAD: Final = re.compile(
    rb'\{"seq":([0-9]{1,15}),"type":"(?:(response)","request_seq":([0-9]{1,15})(?=,"success":(?:true|false),"command":")'
    rb'|event","event":"(?!process"|breakpoint")([A-Za-z/]{1,40})"(?=[,}]))'
)
#: How one without a body ends, behind its head.
_NO_BODY: Final = re.compile(rb'(?:,"success":(?:true|false),"command":"[^"\\]*")?\}')


class HeadDecoder(Decoder):
    """Takes what a program sends that is known to be one of ours. Its responses and events come as a `Head`, what else comes as usual."""

    def _parsed(self, body: bytes) -> dict[str, Any] | Broken:
        head = _HEAD.match(body)
        if head is None or not (body.endswith(b"}}") or _NO_BODY.fullmatch(body, head.end())):
            return super()._parsed(body)
        body.decode("utf-8")  # raises where it is none
        if head[2]:
            return Head({"seq": int(head[1]), "type": "response", "request_seq": int(head[3])}, body[head.end() :])
        return Head({"seq": int(head[1]), "type": "event", "event": head[4].decode()}, body[head.end() :])
