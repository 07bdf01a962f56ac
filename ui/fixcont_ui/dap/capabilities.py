"""What this adapter can do, as `initialize` tells clients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from fixcont_ui.dap.failures import failure

if TYPE_CHECKING:
    from fixcont_ui.dap import protocol


FILTERS: Final[tuple[protocol.ExceptionBreakpointsFilter, ...]] = (
    {
        "filter": "unhandled",
        "label": "Exceptions that nobody will handle",
        "description": "Stop before anything unwinds. Handlers in libraries that catch everything do not count.",
        "default": True,
        "supportsCondition": True,
        "conditionDescription": "types, separated by commas; !Type leaves one out",
    },
    {
        "filter": "uncaught",
        "label": "Exceptions that no handler at all will catch",
        "description": "Handlers in libraries count too.",
        "default": False,
        "supportsCondition": True,
        "conditionDescription": "types, separated by commas; !Type leaves one out",
    },
    {
        "filter": "raised",
        "label": "Exceptions that leave the function that raised them",
        "description": "Whether somebody will handle them or not.",
        "default": False,
        "supportsCondition": True,
        "conditionDescription": "types, separated by commas; !Type leaves one out",
    },
)

CAPABILITIES: Final[protocol.Capabilities] = {
    "supportsConfigurationDoneRequest": True,
    "supportsFunctionBreakpoints": True,
    "supportsConditionalBreakpoints": True,
    "supportsHitConditionalBreakpoints": True,
    "supportsLogPoints": True,
    "supportsEvaluateForHovers": True,
    "exceptionBreakpointFilters": list(FILTERS),
    "supportsExceptionFilterOptions": True,
    "supportsExceptionInfoRequest": True,
    "supportsSetVariable": True,
    "supportsSetExpression": True,
    "supportsRestartFrame": True,
    "supportsGotoTargetsRequest": True,
    "supportsStepInTargetsRequest": True,
    "supportsCompletionsRequest": True,
    "completionTriggerCharacters": ["."],
    "supportsModulesRequest": True,
    "supportsLoadedSourcesRequest": True,
    "supportsValueFormattingOptions": True,
    "supportsDelayedStackTraceLoading": True,
    "supportsTerminateRequest": True,
    "supportTerminateDebuggee": True,
    "supportSuspendDebuggee": True,
    "supportsRestartRequest": True,
    "supportsClipboardContext": True,
    "supportsBreakpointLocationsRequest": True,
    "supportsCancelRequest": True,
}


def check_client(arguments: Mapping[str, Any]) -> None:
    """Raise `Failure` where a client names files in a way that is not understood here.

    Args:
        arguments: those of its `initialize`.
    """
    written = arguments.get("pathFormat", "path")
    if written != "path":
        raise failure("not-supported", f"paths in the format {written!r} are not understood", 'send them as "path"')
