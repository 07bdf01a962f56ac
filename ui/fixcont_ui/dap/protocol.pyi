# The types of the Debug Adapter Protocol's messages: import them under TYPE_CHECKING.
# Generated from the protocol's schema by tests/support/dap_types.py: do not edit.

from typing import Any, Literal, NotRequired, Protocol, TypeAlias, TypedDict, overload

BreakpointModeApplicability: TypeAlias = str

ChecksumAlgorithm: TypeAlias = Literal["MD5", "SHA1", "SHA256", "timestamp"]

CompletionItemType: TypeAlias = Literal[
    "method",
    "function",
    "constructor",
    "field",
    "variable",
    "class",
    "interface",
    "module",
    "property",
    "unit",
    "value",
    "enum",
    "keyword",
    "snippet",
    "text",
    "color",
    "file",
    "reference",
    "customcolor",
]

DataBreakpointAccessType: TypeAlias = Literal["read", "write", "readWrite"]

ExceptionBreakMode: TypeAlias = Literal["never", "always", "unhandled", "userUnhandled"]

InvalidatedAreas: TypeAlias = str

SteppingGranularity: TypeAlias = Literal["statement", "line", "instruction"]

AttachRequestArguments = TypedDict(
    "AttachRequestArguments",
    {
        "__restart": NotRequired[Any],
        "connect": NotRequired[FixcontAddress],
        "host": NotRequired[str],
        "port": NotRequired[int],
        "token": NotRequired[str],
        "processId": NotRequired[int | str],
        "stop": NotRequired[Literal["unhandled", "uncaught", "raised", "never"]],
        "scope": NotRequired[list[str] | str],
        "catch": NotRequired[list[str] | str],
        "ignore": NotRequired[list[str] | str],
        "migrate": NotRequired[Literal["now", "lazily"]],
        "justMyCode": NotRequired[bool],
        "autoInstall": NotRequired[bool],
        "evaluateTimeout": NotRequired[float],
        "showReturnValue": NotRequired[bool],
    },
)

class Breakpoint(TypedDict):
    id: NotRequired[int]
    verified: bool
    message: NotRequired[str]
    source: NotRequired[Source]
    line: NotRequired[int]
    column: NotRequired[int]
    endLine: NotRequired[int]
    endColumn: NotRequired[int]
    instructionReference: NotRequired[str]
    offset: NotRequired[int]
    reason: NotRequired[Literal["pending", "failed"]]

class BreakpointEventBody(TypedDict):
    reason: str
    breakpoint: Breakpoint

class BreakpointLocation(TypedDict):
    line: int
    column: NotRequired[int]
    endLine: NotRequired[int]
    endColumn: NotRequired[int]

class BreakpointLocationsArguments(TypedDict):
    source: Source
    line: int
    column: NotRequired[int]
    endLine: NotRequired[int]
    endColumn: NotRequired[int]

class BreakpointLocationsResponseBody(TypedDict):
    breakpoints: list[BreakpointLocation]

class BreakpointMode(TypedDict):
    mode: str
    label: str
    description: NotRequired[str]
    appliesTo: list[BreakpointModeApplicability]

class CancelArguments(TypedDict):
    requestId: NotRequired[int]
    progressId: NotRequired[str]

class Capabilities(TypedDict):
    supportsConfigurationDoneRequest: NotRequired[bool]
    supportsFunctionBreakpoints: NotRequired[bool]
    supportsConditionalBreakpoints: NotRequired[bool]
    supportsHitConditionalBreakpoints: NotRequired[bool]
    supportsEvaluateForHovers: NotRequired[bool]
    exceptionBreakpointFilters: NotRequired[list[ExceptionBreakpointsFilter]]
    supportsStepBack: NotRequired[bool]
    supportsSetVariable: NotRequired[bool]
    supportsRestartFrame: NotRequired[bool]
    supportsGotoTargetsRequest: NotRequired[bool]
    supportsStepInTargetsRequest: NotRequired[bool]
    supportsCompletionsRequest: NotRequired[bool]
    completionTriggerCharacters: NotRequired[list[str]]
    supportsModulesRequest: NotRequired[bool]
    additionalModuleColumns: NotRequired[list[ColumnDescriptor]]
    supportedChecksumAlgorithms: NotRequired[list[ChecksumAlgorithm]]
    supportsRestartRequest: NotRequired[bool]
    supportsExceptionOptions: NotRequired[bool]
    supportsValueFormattingOptions: NotRequired[bool]
    supportsExceptionInfoRequest: NotRequired[bool]
    supportTerminateDebuggee: NotRequired[bool]
    supportSuspendDebuggee: NotRequired[bool]
    supportsDelayedStackTraceLoading: NotRequired[bool]
    supportsLoadedSourcesRequest: NotRequired[bool]
    supportsLogPoints: NotRequired[bool]
    supportsTerminateThreadsRequest: NotRequired[bool]
    supportsSetExpression: NotRequired[bool]
    supportsTerminateRequest: NotRequired[bool]
    supportsDataBreakpoints: NotRequired[bool]
    supportsReadMemoryRequest: NotRequired[bool]
    supportsWriteMemoryRequest: NotRequired[bool]
    supportsDisassembleRequest: NotRequired[bool]
    supportsCancelRequest: NotRequired[bool]
    supportsBreakpointLocationsRequest: NotRequired[bool]
    supportsClipboardContext: NotRequired[bool]
    supportsSteppingGranularity: NotRequired[bool]
    supportsInstructionBreakpoints: NotRequired[bool]
    supportsExceptionFilterOptions: NotRequired[bool]
    supportsSingleThreadExecutionRequests: NotRequired[bool]
    supportsDataBreakpointBytes: NotRequired[bool]
    breakpointModes: NotRequired[list[BreakpointMode]]
    supportsANSIStyling: NotRequired[bool]

class CapabilitiesEventBody(TypedDict):
    capabilities: Capabilities

class Checksum(TypedDict):
    algorithm: ChecksumAlgorithm
    checksum: str

class ColumnDescriptor(TypedDict):
    attributeName: str
    label: str
    format: NotRequired[str]
    type: NotRequired[Literal["string", "number", "boolean", "unixTimestampUTC"]]
    width: NotRequired[int]

class CompletionItem(TypedDict):
    label: str
    text: NotRequired[str]
    sortText: NotRequired[str]
    detail: NotRequired[str]
    type: NotRequired[CompletionItemType]
    start: NotRequired[int]
    length: NotRequired[int]
    selectionStart: NotRequired[int]
    selectionLength: NotRequired[int]

class CompletionsArguments(TypedDict):
    frameId: NotRequired[int]
    text: str
    column: int
    line: NotRequired[int]

class CompletionsResponseBody(TypedDict):
    targets: list[CompletionItem]

class ConfigurationDoneArguments(TypedDict):
    pass

class ContinueArguments(TypedDict):
    threadId: int
    singleThread: NotRequired[bool]

class ContinueResponseBody(TypedDict):
    allThreadsContinued: NotRequired[bool]

class ContinuedEventBody(TypedDict):
    threadId: int
    allThreadsContinued: NotRequired[bool]

class DataBreakpoint(TypedDict):
    dataId: str
    accessType: NotRequired[DataBreakpointAccessType]
    condition: NotRequired[str]
    hitCondition: NotRequired[str]

class DataBreakpointInfoArguments(TypedDict):
    variablesReference: NotRequired[int]
    name: str
    frameId: NotRequired[int]
    bytes: NotRequired[int]
    asAddress: NotRequired[bool]
    mode: NotRequired[str]

class DataBreakpointInfoResponseBody(TypedDict):
    dataId: str | None
    description: str
    accessTypes: NotRequired[list[DataBreakpointAccessType]]
    canPersist: NotRequired[bool]

class DisconnectArguments(TypedDict):
    restart: NotRequired[bool]
    terminateDebuggee: NotRequired[bool]
    suspendDebuggee: NotRequired[bool]

class ErrorResponseBody(TypedDict):
    error: NotRequired[Message]

class EvaluateArguments(TypedDict):
    expression: str
    frameId: NotRequired[int]
    line: NotRequired[int]
    column: NotRequired[int]
    source: NotRequired[Source]
    context: NotRequired[str]
    format: NotRequired[ValueFormat]

class EvaluateResponseBody(TypedDict):
    result: str
    type: NotRequired[str]
    presentationHint: NotRequired[VariablePresentationHint]
    variablesReference: int
    namedVariables: NotRequired[int]
    indexedVariables: NotRequired[int]
    memoryReference: NotRequired[str]
    valueLocationReference: NotRequired[int]

class Event(TypedDict):
    seq: int
    type: Literal["event"]
    event: str
    body: NotRequired[Any]

class ExceptionBreakpointsFilter(TypedDict):
    filter: str
    label: str
    description: NotRequired[str]
    default: NotRequired[bool]
    supportsCondition: NotRequired[bool]
    conditionDescription: NotRequired[str]

class ExceptionDetails(TypedDict):
    message: NotRequired[str]
    typeName: NotRequired[str]
    fullTypeName: NotRequired[str]
    evaluateName: NotRequired[str]
    stackTrace: NotRequired[str]
    innerException: NotRequired[list[ExceptionDetails]]

class ExceptionFilterOptions(TypedDict):
    filterId: str
    condition: NotRequired[str]
    mode: NotRequired[str]

class ExceptionInfoArguments(TypedDict):
    threadId: int

class ExceptionInfoResponseBody(TypedDict):
    exceptionId: str
    description: NotRequired[str]
    breakMode: ExceptionBreakMode
    details: NotRequired[ExceptionDetails]

class ExceptionOptions(TypedDict):
    path: NotRequired[list[ExceptionPathSegment]]
    breakMode: ExceptionBreakMode

class ExceptionPathSegment(TypedDict):
    negate: NotRequired[bool]
    names: list[str]

class ExitedEventBody(TypedDict):
    exitCode: int

class FixcontAddress(TypedDict):
    host: NotRequired[str]
    port: int

class FixcontCreateResponseBody(TypedDict):
    path: str
    line: int

class FixcontFrameArguments(TypedDict):
    frameId: int

class FixcontInstallArguments(TypedDict):
    pass

class FixcontInstallResponseBody(TypedDict):
    changed: list[str]
    warnings: list[str]
    unrun: list[FixcontUnrun]

class FixcontReplayArguments(TypedDict):
    frameId: int
    retry: NotRequired[bool]
    line: NotRequired[int]
    arguments: NotRequired[dict[str, str]]
    outward: NotRequired[bool]
    withHoles: NotRequired[bool]

class FixcontRerunArguments(TypedDict):
    number: int

class FixcontRerunResponseBody(TypedDict):
    ran: FixcontUnrun
    unrun: list[FixcontUnrun]

class FixcontResumeArguments(TypedDict):
    frameId: int
    line: NotRequired[int]

class FixcontReturnFromFrameArguments(TypedDict):
    frameId: int
    expression: str

class FixcontThrowArguments(TypedDict):
    frameId: int
    expression: str

class FixcontUndoArguments(TypedDict):
    files: NotRequired[bool]

class FixcontUndoResponseBody(TypedDict):
    lines: list[str]

class FixcontUnrun(TypedDict):
    number: int
    text: str
    path: str
    line: int

class FixcontUseValueArguments(TypedDict):
    frameId: int
    expression: str

class FixcontWay(TypedDict):
    name: Literal[
        "restartFrame",
        "retry",
        "skip",
        "returnFromFrame",
        "useValue",
        "throw",
        "resume",
        "undo",
        "create",
        "replay",
        "replayRetry",
    ]
    label: str
    enabled: bool
    reason: NotRequired[str]

class FixcontWaysResponseBody(TypedDict):
    ways: list[FixcontWay]

class FunctionBreakpoint(TypedDict):
    name: str
    condition: NotRequired[str]
    hitCondition: NotRequired[str]

class GotoArguments(TypedDict):
    threadId: int
    targetId: int

class GotoTarget(TypedDict):
    id: int
    label: str
    line: int
    column: NotRequired[int]
    endLine: NotRequired[int]
    endColumn: NotRequired[int]
    instructionPointerReference: NotRequired[str]

class GotoTargetsArguments(TypedDict):
    source: Source
    line: int
    column: NotRequired[int]

class GotoTargetsResponseBody(TypedDict):
    targets: list[GotoTarget]

class HotcodereplaceEventBody(TypedDict):
    changeType: Literal["STARTING", "END", "ERROR", "WARNING"]
    message: NotRequired[str]

class InitializeRequestArguments(TypedDict):
    clientID: NotRequired[str]
    clientName: NotRequired[str]
    adapterID: str
    locale: NotRequired[str]
    linesStartAt1: NotRequired[bool]
    columnsStartAt1: NotRequired[bool]
    pathFormat: NotRequired[str]
    supportsVariableType: NotRequired[bool]
    supportsVariablePaging: NotRequired[bool]
    supportsRunInTerminalRequest: NotRequired[bool]
    supportsMemoryReferences: NotRequired[bool]
    supportsProgressReporting: NotRequired[bool]
    supportsInvalidatedEvent: NotRequired[bool]
    supportsMemoryEvent: NotRequired[bool]
    supportsArgsCanBeInterpretedByShell: NotRequired[bool]
    supportsStartDebuggingRequest: NotRequired[bool]
    supportsANSIStyling: NotRequired[bool]

class InvalidatedEventBody(TypedDict):
    areas: NotRequired[list[InvalidatedAreas]]
    threadId: NotRequired[int]
    stackFrameId: NotRequired[int]

LaunchRequestArguments = TypedDict(
    "LaunchRequestArguments",
    {
        "noDebug": NotRequired[bool],
        "__restart": NotRequired[Any],
        "program": NotRequired[str],
        "module": NotRequired[str],
        "openStop": NotRequired[str],
        "unpickle": NotRequired[bool],
        "roots": NotRequired[list[str] | str],
        "args": NotRequired[list[str]],
        "cwd": NotRequired[str],
        "env": NotRequired[dict[str, str | None]],
        "python": NotRequired[list[str] | str],
        "console": NotRequired[Literal["internalConsole", "integratedTerminal", "externalTerminal"]],
        "stopOnEntry": NotRequired[bool],
        "stop": NotRequired[Literal["unhandled", "uncaught", "raised", "never"]],
        "scope": NotRequired[list[str] | str],
        "catch": NotRequired[list[str] | str],
        "ignore": NotRequired[list[str] | str],
        "migrate": NotRequired[Literal["now", "lazily"]],
        "justMyCode": NotRequired[bool],
        "autoInstall": NotRequired[bool],
        "evaluateTimeout": NotRequired[float],
        "showReturnValue": NotRequired[bool],
    },
)

class LoadedSourceEventBody(TypedDict):
    reason: Literal["new", "changed", "removed"]
    source: Source

class LoadedSourcesArguments(TypedDict):
    pass

class LoadedSourcesResponseBody(TypedDict):
    sources: list[Source]

class LocationsArguments(TypedDict):
    locationReference: int

class LocationsResponseBody(TypedDict):
    source: Source
    line: int
    column: NotRequired[int]
    endLine: NotRequired[int]
    endColumn: NotRequired[int]

class Message(TypedDict):
    id: int
    format: str
    variables: NotRequired[dict[str, str]]
    sendTelemetry: NotRequired[bool]
    showUser: NotRequired[bool]
    url: NotRequired[str]
    urlLabel: NotRequired[str]

class Module(TypedDict):
    id: int | str
    name: str
    path: NotRequired[str]
    isOptimized: NotRequired[bool]
    isUserCode: NotRequired[bool]
    version: NotRequired[str]
    symbolStatus: NotRequired[str]
    symbolFilePath: NotRequired[str]
    dateTimeStamp: NotRequired[str]
    addressRange: NotRequired[str]

class ModuleEventBody(TypedDict):
    reason: Literal["new", "changed", "removed"]
    module: Module

class ModulesArguments(TypedDict):
    startModule: NotRequired[int]
    moduleCount: NotRequired[int]

class ModulesResponseBody(TypedDict):
    modules: list[Module]
    totalModules: NotRequired[int]

class NextArguments(TypedDict):
    threadId: int
    singleThread: NotRequired[bool]
    granularity: NotRequired[SteppingGranularity]

class OutputEventBody(TypedDict):
    category: NotRequired[str]
    output: str
    group: NotRequired[Literal["start", "startCollapsed", "end"]]
    variablesReference: NotRequired[int]
    source: NotRequired[Source]
    line: NotRequired[int]
    column: NotRequired[int]
    data: NotRequired[Any]
    locationReference: NotRequired[int]

class PauseArguments(TypedDict):
    threadId: int

class ProcessEventBody(TypedDict):
    name: str
    systemProcessId: NotRequired[int]
    isLocalProcess: NotRequired[bool]
    startMethod: NotRequired[Literal["launch", "attach", "attachForSuspendedLaunch"]]
    pointerSize: NotRequired[int]

class ProgressEndEventBody(TypedDict):
    progressId: str
    message: NotRequired[str]

class ProgressStartEventBody(TypedDict):
    progressId: str
    title: str
    requestId: NotRequired[int]
    cancellable: NotRequired[bool]
    message: NotRequired[str]
    percentage: NotRequired[float]

class ProgressUpdateEventBody(TypedDict):
    progressId: str
    message: NotRequired[str]
    percentage: NotRequired[float]

class RedefineClassesArguments(TypedDict):
    pass

class RedefineClassesResponseBody(TypedDict):
    changedClasses: list[str]
    errorMessage: NotRequired[str]

class Request(TypedDict):
    seq: int
    type: Literal["request"]
    command: str
    arguments: NotRequired[Any]

class Response(TypedDict):
    seq: int
    type: Literal["response"]
    request_seq: int
    success: bool
    command: str
    message: NotRequired[str]
    body: NotRequired[Any]

class RestartArguments(TypedDict):
    arguments: NotRequired[LaunchRequestArguments | AttachRequestArguments]

class RestartFrameArguments(TypedDict):
    frameId: int

class ReverseContinueArguments(TypedDict):
    threadId: int
    singleThread: NotRequired[bool]

class RunInTerminalRequestArguments(TypedDict):
    kind: NotRequired[Literal["integrated", "external"]]
    title: NotRequired[str]
    cwd: str
    args: list[str]
    env: NotRequired[dict[str, str | None]]
    argsCanBeInterpretedByShell: NotRequired[bool]

class RunInTerminalResponseBody(TypedDict):
    processId: NotRequired[int]
    shellProcessId: NotRequired[int]

class Scope(TypedDict):
    name: str
    presentationHint: NotRequired[str]
    variablesReference: int
    namedVariables: NotRequired[int]
    indexedVariables: NotRequired[int]
    expensive: bool
    source: NotRequired[Source]
    line: NotRequired[int]
    column: NotRequired[int]
    endLine: NotRequired[int]
    endColumn: NotRequired[int]

class ScopesArguments(TypedDict):
    frameId: int

class ScopesResponseBody(TypedDict):
    scopes: list[Scope]

class SetBreakpointsArguments(TypedDict):
    source: Source
    breakpoints: NotRequired[list[SourceBreakpoint]]
    lines: NotRequired[list[int]]
    sourceModified: NotRequired[bool]

class SetBreakpointsResponseBody(TypedDict):
    breakpoints: list[Breakpoint]

class SetDataBreakpointsArguments(TypedDict):
    breakpoints: list[DataBreakpoint]

class SetDataBreakpointsResponseBody(TypedDict):
    breakpoints: list[Breakpoint]

class SetExceptionBreakpointsArguments(TypedDict):
    filters: list[str]
    filterOptions: NotRequired[list[ExceptionFilterOptions]]
    exceptionOptions: NotRequired[list[ExceptionOptions]]

class SetExceptionBreakpointsResponseBody(TypedDict):
    breakpoints: NotRequired[list[Breakpoint]]

class SetExpressionArguments(TypedDict):
    expression: str
    value: str
    frameId: NotRequired[int]
    format: NotRequired[ValueFormat]

class SetExpressionResponseBody(TypedDict):
    value: str
    type: NotRequired[str]
    presentationHint: NotRequired[VariablePresentationHint]
    variablesReference: NotRequired[int]
    namedVariables: NotRequired[int]
    indexedVariables: NotRequired[int]
    memoryReference: NotRequired[str]
    valueLocationReference: NotRequired[int]

class SetFunctionBreakpointsArguments(TypedDict):
    breakpoints: list[FunctionBreakpoint]

class SetFunctionBreakpointsResponseBody(TypedDict):
    breakpoints: list[Breakpoint]

class SetVariableArguments(TypedDict):
    variablesReference: int
    name: str
    value: str
    format: NotRequired[ValueFormat]

class SetVariableResponseBody(TypedDict):
    value: str
    type: NotRequired[str]
    variablesReference: NotRequired[int]
    namedVariables: NotRequired[int]
    indexedVariables: NotRequired[int]
    memoryReference: NotRequired[str]
    valueLocationReference: NotRequired[int]

class Source(TypedDict):
    name: NotRequired[str]
    path: NotRequired[str]
    sourceReference: NotRequired[int]
    presentationHint: NotRequired[Literal["normal", "emphasize", "deemphasize"]]
    origin: NotRequired[str]
    sources: NotRequired[list[Source]]
    adapterData: NotRequired[Any]
    checksums: NotRequired[list[Checksum]]

class SourceArguments(TypedDict):
    source: NotRequired[Source]
    sourceReference: int

class SourceBreakpoint(TypedDict):
    line: int
    column: NotRequired[int]
    condition: NotRequired[str]
    hitCondition: NotRequired[str]
    logMessage: NotRequired[str]
    mode: NotRequired[str]

class SourceResponseBody(TypedDict):
    content: str
    mimeType: NotRequired[str]

class StackFrame(TypedDict):
    id: int
    name: str
    source: NotRequired[Source]
    line: int
    column: int
    endLine: NotRequired[int]
    endColumn: NotRequired[int]
    canRestart: NotRequired[bool]
    instructionPointerReference: NotRequired[str]
    moduleId: NotRequired[int | str]
    presentationHint: NotRequired[Literal["normal", "label", "subtle"]]

class StackFrameFormat(TypedDict):
    hex: NotRequired[bool]
    parameters: NotRequired[bool]
    parameterTypes: NotRequired[bool]
    parameterNames: NotRequired[bool]
    parameterValues: NotRequired[bool]
    line: NotRequired[bool]
    module: NotRequired[bool]
    includeAll: NotRequired[bool]

class StackTraceArguments(TypedDict):
    threadId: int
    startFrame: NotRequired[int]
    levels: NotRequired[int]
    format: NotRequired[StackFrameFormat]

class StackTraceResponseBody(TypedDict):
    stackFrames: list[StackFrame]
    totalFrames: NotRequired[int]

class StartDebuggingRequestArguments(TypedDict):
    configuration: dict[str, Any]
    outputPresentation: NotRequired[Literal["separate", "mergeWithParent"]]
    request: Literal["launch", "attach"]

class StepBackArguments(TypedDict):
    threadId: int
    singleThread: NotRequired[bool]
    granularity: NotRequired[SteppingGranularity]

class StepInArguments(TypedDict):
    threadId: int
    singleThread: NotRequired[bool]
    targetId: NotRequired[int]
    granularity: NotRequired[SteppingGranularity]

class StepInTarget(TypedDict):
    id: int
    label: str
    line: NotRequired[int]
    column: NotRequired[int]
    endLine: NotRequired[int]
    endColumn: NotRequired[int]

class StepInTargetsArguments(TypedDict):
    frameId: int

class StepInTargetsResponseBody(TypedDict):
    targets: list[StepInTarget]

class StepOutArguments(TypedDict):
    threadId: int
    singleThread: NotRequired[bool]
    granularity: NotRequired[SteppingGranularity]

class StoppedEventBody(TypedDict):
    reason: str
    description: NotRequired[str]
    threadId: NotRequired[int]
    preserveFocusHint: NotRequired[bool]
    text: NotRequired[str]
    allThreadsStopped: NotRequired[bool]
    hitBreakpointIds: NotRequired[list[int]]

class TerminateArguments(TypedDict):
    restart: NotRequired[bool]

class TerminateThreadsArguments(TypedDict):
    threadIds: NotRequired[list[int]]

class TerminatedEventBody(TypedDict):
    restart: NotRequired[Any]

class Thread(TypedDict):
    id: int
    name: str

class ThreadEventBody(TypedDict):
    reason: str
    threadId: int

class ThreadsResponseBody(TypedDict):
    threads: list[Thread]

class ValueFormat(TypedDict):
    hex: NotRequired[bool]

class Variable(TypedDict):
    name: str
    value: str
    type: NotRequired[str]
    presentationHint: NotRequired[VariablePresentationHint]
    evaluateName: NotRequired[str]
    variablesReference: int
    namedVariables: NotRequired[int]
    indexedVariables: NotRequired[int]
    memoryReference: NotRequired[str]
    declarationLocationReference: NotRequired[int]
    valueLocationReference: NotRequired[int]

class VariablePresentationHint(TypedDict):
    kind: NotRequired[str]
    attributes: NotRequired[list[str]]
    visibility: NotRequired[str]
    lazy: NotRequired[bool]

class VariablesArguments(TypedDict):
    variablesReference: int
    filter: NotRequired[Literal["indexed", "named"]]
    start: NotRequired[int]
    count: NotRequired[int]
    format: NotRequired[ValueFormat]

class VariablesResponseBody(TypedDict):
    variables: list[Variable]

class MakeEvent(Protocol):
    @overload
    def __call__(self, event: Literal["breakpoint"], body: BreakpointEventBody) -> Event: ...
    @overload
    def __call__(self, event: Literal["capabilities"], body: CapabilitiesEventBody) -> Event: ...
    @overload
    def __call__(self, event: Literal["continued"], body: ContinuedEventBody) -> Event: ...
    @overload
    def __call__(self, event: Literal["exited"], body: ExitedEventBody) -> Event: ...
    @overload
    def __call__(self, event: Literal["hotcodereplace"], body: HotcodereplaceEventBody) -> Event: ...
    @overload
    def __call__(self, event: Literal["initialized"]) -> Event: ...
    @overload
    def __call__(self, event: Literal["invalidated"], body: InvalidatedEventBody) -> Event: ...
    @overload
    def __call__(self, event: Literal["loadedSource"], body: LoadedSourceEventBody) -> Event: ...
    @overload
    def __call__(self, event: Literal["module"], body: ModuleEventBody) -> Event: ...
    @overload
    def __call__(self, event: Literal["output"], body: OutputEventBody) -> Event: ...
    @overload
    def __call__(self, event: Literal["process"], body: ProcessEventBody) -> Event: ...
    @overload
    def __call__(self, event: Literal["progressEnd"], body: ProgressEndEventBody) -> Event: ...
    @overload
    def __call__(self, event: Literal["progressStart"], body: ProgressStartEventBody) -> Event: ...
    @overload
    def __call__(self, event: Literal["progressUpdate"], body: ProgressUpdateEventBody) -> Event: ...
    @overload
    def __call__(self, event: Literal["stopped"], body: StoppedEventBody) -> Event: ...
    @overload
    def __call__(self, event: Literal["terminated"], body: TerminatedEventBody | None = None) -> Event: ...
    @overload
    def __call__(self, event: Literal["thread"], body: ThreadEventBody) -> Event: ...
