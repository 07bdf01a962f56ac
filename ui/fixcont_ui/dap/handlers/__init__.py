"""The requests, and what carries each of them out: one table. A module of handlers is loaded with its first request."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from fixcont_ui.dap.client import Client
    from fixcont_ui.dap.later import Body, Later

#: Called in the loop's thread with the arguments, which fit the schema. Raises `Failure` or `Refused` where the request cannot be carried out.
Handler = Callable[["Client", Mapping[str, Any]], "Body | Later"]

#: Request -> where its handler is.
_HANDLERS: Final = {
    "initialize": "lifecycle.initialize",
    "launch": "lifecycle.launch",
    "attach": "lifecycle.attach",
    "configurationDone": "lifecycle.configuration_done",
    "disconnect": "lifecycle.disconnect",
    "terminate": "lifecycle.terminate",
    "cancel": "lifecycle.cancel",
    "threads": "stack.threads",
    "stackTrace": "stack.stack_trace",
    "scopes": "stack.scopes",
    "source": "sources.source",
    "modules": "sources.modules",
    "loadedSources": "sources.loaded_sources",
    "variables": "values.variables",
    "setVariable": "values.set_variable",
    "setExpression": "values.set_expression",
    "evaluate": "values.evaluate",
    "completions": "values.completions",
    "exceptionInfo": "exceptions.exception_info",
    "setExceptionBreakpoints": "exceptions.set_exception_breakpoints",
    "setBreakpoints": "breakpoints.set_breakpoints",
    "setFunctionBreakpoints": "breakpoints.set_function_breakpoints",
    "breakpointLocations": "breakpoints.breakpoint_locations",
    "continue": "run.go_on",
    "next": "run.step_over",
    "stepIn": "run.step_in",
    "stepOut": "run.step_out",
    "stepInTargets": "run.step_in_targets",
    "pause": "run.pause",
    "restartFrame": "edit.restart_frame",
    "gotoTargets": "edit.goto_targets",
    "goto": "edit.goto",
    "redefineClasses": "edit.redefine_classes",
    "fixcont/ways": "edit.ways",
    "fixcont/restart": "edit.restart",
    "fixcont/retry": "edit.retry",
    "fixcont/skip": "edit.skip",
    "fixcont/resume": "edit.resume",
    "fixcont/returnFromFrame": "edit.return_from_frame",
    "fixcont/useValue": "edit.use_value",
    "fixcont/throw": "edit.throw",
    "fixcont/replay": "replay.replay",
    "fixcont/install": "edit.install",
    "fixcont/undo": "edit.undo",
    "fixcont/rerun": "edit.rerun",
    "fixcont/create": "edit.create",
}


def find_handler(command: str) -> Handler | None:
    """Find what carries a request out, None where there is no such request."""
    place = _HANDLERS.get(command)
    if place is None:
        return None
    module, _, name = place.partition(".")
    handler: Handler = getattr(importlib.import_module(f"{__name__}.{module}"), name)
    return handler
