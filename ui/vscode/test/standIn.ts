// A stand-in for the editor: of its interface just what the extension uses. Import it before anything that imports "vscode".

import Module from "node:module";

type Listener = (event: never) => unknown;
type Handler = (...args: unknown[]) => unknown;

class Disposable {
    constructor(private readonly call: () => void = () => undefined) {}

    static from(...all: { dispose(): void }[]): Disposable {
        return new Disposable(() => all.forEach((each) => each.dispose()));
    }

    dispose(): void {
        this.call();
    }
}

class EventEmitter {
    private readonly listeners = new Set<Listener>();
    readonly event = (listener: Listener): Disposable => {
        this.listeners.add(listener);
        return new Disposable(() => this.listeners.delete(listener));
    };

    async fire(event?: unknown): Promise<void> {
        await Promise.all([...this.listeners].map((listener) => listener(event as never)));
    }

    dispose(): void {
        this.listeners.clear();
    }
}

/** A file, as the editor names it. */
export class Uri {
    constructor(readonly fsPath: string) {}
}

class DebugStackFrame {
    constructor(
        readonly session: Session,
        readonly threadId: number,
        readonly frameId: number,
    ) {}
}

/** A session whose adapter answers as it is told to; a refusal is a text. */
export class Session {
    readonly type: string = "fixcont";
    readonly requests: [string, unknown][] = [];
    readonly configuration: Record<string, unknown> = {};
    // request -> what is answered
    readonly answers = new Map<string, unknown>();
    // request -> the error
    readonly refusals = new Map<string, { format: string; showUser?: boolean }>();
    tracker: { onDidSendMessage(message: unknown): void } | undefined;

    constructor(readonly id: string) {}

    async customRequest(command: string, args: unknown): Promise<unknown> {
        this.requests.push([command, args]);
        const error = this.refusals.get(command);
        if (error === undefined) return this.answers.get(command);
        this.tracker?.onDidSendMessage({ type: "response", success: false, command, body: { error } });
        if (error.showUser) editor.shown.push(["error by the editor", error.format]);
        throw new Error(error.format);
    }
}

/** A text that is open. */
export class Document {
    readonly uri: { scheme: string; fsPath: string };
    saves = 0;

    constructor(
        path: string,
        public isDirty = false,
        readonly languageId = "python",
    ) {
        this.uri = { scheme: "file", fsPath: path };
    }

    async save(): Promise<boolean> {
        this.isDirty = false;
        this.saves += 1;
        return true;
    }
}

/** What the tests see of the editor, and what its user does. */
export class Editor {
    readonly commands = new Map<string, Handler>();
    readonly context = new Map<string, unknown>();
    readonly settings = new Map<string, unknown>();
    readonly shown: [string, string][] = [];
    readonly texts: Document[] = [];
    /** How often the view was opened. */
    reveals = 0;
    /** The configurations that were started. */
    readonly started: unknown[] = [];
    /** The boxes that were shown for typing into. */
    readonly boxes: Record<string, unknown>[] = [];
    readonly stackItemChanged = new EventEmitter();
    readonly customEvent = new EventEmitter();
    readonly ended = new EventEmitter();
    readonly providers: Record<string, Handler>[] = [];
    /** What the user types into the next box, or chooses from the next list. */
    answers: unknown[] = [];
    view: { getChildren(): unknown[]; getTreeItem(row: unknown): Record<string, unknown> } | undefined;
    descriptorFactory: { createDebugAdapterDescriptor(session: Session): unknown } | undefined;
    activeEditor: { document: Document; selection: { active: { line: number } } } | undefined;
    activeStackItem: DebugStackFrame | undefined;
    activeSession: Session | undefined;
    private trackers: { createDebugAdapterTracker(session: Session): Session["tracker"] } | undefined;

    /** Start a session. */
    start(id: string): Session {
        const session = new Session(id);
        session.tracker = this.trackers?.createDebugAdapterTracker(session);
        this.activeSession = session;
        return session;
    }

    /** Select a frame of a session that is stopped. */
    async select(session: Session, threadId: number, frameId: number): Promise<void> {
        this.activeStackItem = new DebugStackFrame(session, threadId, frameId);
        await this.stackItemChanged.fire();
        await settle();
    }

    /** The program goes on: no frame is selected. */
    async goOn(): Promise<void> {
        this.activeStackItem = undefined;
        await this.stackItemChanged.fire();
    }

    /** Give a command, as a button or a menu does. */
    async run(command: string, ...args: unknown[]): Promise<unknown> {
        const handler = this.commands.get(command);
        if (handler === undefined) throw new Error(`there is no command ${command}`);
        return handler(...args);
    }

    /** The interface that the extension imports. */
    module(): object {
        const show = (level: string) => async (text: string) => void this.shown.push([level, text]);
        const editor = this;
        return {
            Disposable,
            EventEmitter,
            DebugStackFrame,
            Uri,
            DebugAdapterExecutable: class {
                constructor(
                    readonly command: string,
                    readonly args: string[],
                    readonly options: object,
                ) {}
            },
            DebugConfigurationProviderTriggerKind: { Initial: 1, Dynamic: 2 },
            ThemeIcon: class {
                constructor(
                    readonly id: string,
                    readonly color?: unknown,
                ) {}
            },
            ThemeColor: class {
                constructor(readonly id: string) {}
            },
            TreeItem: class {
                constructor(readonly label: string) {}
            },
            commands: {
                registerCommand: (name: string, handler: Handler) => {
                    this.commands.set(name, handler);
                    return new Disposable();
                },
                executeCommand: async (_name: string, key: string, value: unknown) => void this.context.set(key, value),
            },
            debug: {
                get activeStackItem() {
                    return editor.activeStackItem;
                },
                get activeDebugSession() {
                    return editor.activeSession;
                },
                onDidChangeActiveStackItem: this.stackItemChanged.event,
                onDidReceiveDebugSessionCustomEvent: this.customEvent.event,
                onDidTerminateDebugSession: this.ended.event,
                startDebugging: async (_folder: unknown, configuration: unknown) => this.started.push(configuration) > 0,
                registerDebugConfigurationProvider: (_type: string, provider: Record<string, Handler>) => {
                    this.providers.push(provider);
                    return new Disposable();
                },
                registerDebugAdapterDescriptorFactory: (_type: string, factory: Editor["descriptorFactory"]) => {
                    this.descriptorFactory = factory;
                    return new Disposable();
                },
                registerDebugAdapterTrackerFactory: (_type: string, factory: Editor["trackers"]) => {
                    this.trackers = factory;
                    return new Disposable();
                },
            },
            window: {
                get activeTextEditor() {
                    return editor.activeEditor;
                },
                createTreeView: (_id: string, { treeDataProvider }: { treeDataProvider: Editor["view"] }) => {
                    this.view = treeDataProvider;
                    return { message: "", reveal: async () => void (this.reveals += 1), dispose: () => undefined };
                },
                showErrorMessage: show("error"),
                showWarningMessage: show("warning"),
                showInformationMessage: show("information"),
                setStatusBarMessage: show("status"),
                showInputBox: async (options: Record<string, unknown>) => {
                    this.boxes.push(options);
                    return this.answers.shift();
                },
                showOpenDialog: async () => this.answers.shift(),
                showQuickPick: async (items: Record<string, unknown>[]) => {
                    const wanted = this.answers.shift();
                    return Array.isArray(wanted)
                        ? items.filter(({ label }) => wanted.includes(label))
                        : items.find(({ label }) => label === wanted);
                },
            },
            workspace: {
                textDocuments: this.texts,
                workspaceFolders: undefined,
                getWorkspaceFolder: () => undefined,
                getConfiguration: () => ({ get: (key: string, otherwise: unknown) => this.settings.get(key) ?? otherwise }),
            },
            extensions: { getExtension: () => undefined },
        };
    }
}

/** Let everything run that has been started and waits for nothing but its turn. */
export function settle(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
}

/** The editor of this process. */
export const editor = new Editor();

const loader = Module as unknown as { _load(name: string, ...others: unknown[]): unknown };
const load = loader._load;
const standIn = editor.module();
loader._load = (name, ...others) => (name === "vscode" ? standIn : load.call(loader, name, ...others));
