// The view "Ways to Go On", and the context keys that the buttons read: both show what the adapter says about the selected frame.

import * as vscode from "vscode";

import { DEBUG_TYPE } from "./model/configuration";
import { contextOf, Knowledge, messageOf, refusalOf, Row, rowsOf } from "./model/ways";
import { WayName, waysOf } from "./model/wire";
import { Sessions } from "./sessions";

const WAS_SHOWN = "waysWereShown";

/** A frame of a session that is stopped. */
export interface FrameOfSession {
    readonly session: vscode.DebugSession;
    readonly threadId: number;
    readonly frameId: number;
}

/** Follows the selection in the call stack. */
export class Ways implements vscode.TreeDataProvider<Row>, vscode.Disposable {
    private readonly changed = new vscode.EventEmitter<void>();
    readonly onDidChangeTreeData = this.changed.event;
    private readonly view: vscode.TreeView<Row>;
    private readonly registered: vscode.Disposable;
    private knowledge: Knowledge = { state: "running" };
    private rows: Row[] = [];
    private asked = 0;

    /**
     * @param memory what lasts from one run of the editor to the next
     */
    constructor(
        private readonly sessions: Sessions,
        private readonly memory: vscode.Memento,
    ) {
        this.view = vscode.window.createTreeView("fixcont.ways", { treeDataProvider: this });
        this.registered = vscode.Disposable.from(
            this.view,
            this.changed,
            vscode.debug.onDidChangeActiveStackItem(() => void this.ask()),
            // After an install other ways are there, while the selected frame may be the same.
            vscode.debug.onDidReceiveDebugSessionCustomEvent(({ session }) => {
                if (session === vscode.debug.activeStackItem?.session) void this.ask();
            }),
        );
        void this.ask();
    }

    /** The frame that is selected in the call stack, undefined where none of ours is. */
    get selected(): FrameOfSession | undefined {
        const item = vscode.debug.activeStackItem;
        if (!(item instanceof vscode.DebugStackFrame) || item.session.type !== DEBUG_TYPE) return undefined;
        return { session: item.session, threadId: item.threadId, frameId: item.frameId };
    }

    /** Tell why a way cannot be gone from the selected frame, or undefined if it can be. */
    refusalOf(name: WayName): string | undefined {
        return refusalOf(this.knowledge, name);
    }

    /** Ask the adapter which ways there are from a frame. */
    async waysFrom({ session, frameId }: FrameOfSession): Promise<Knowledge> {
        const answer = await this.sessions.request(session, "fixcont/ways", { frameId });
        if ("failure" in answer) return { state: "failed", reason: answer.failure.text };
        return { state: "known", ways: waysOf(answer.body) };
    }

    getChildren(row?: Row): Row[] {
        return row === undefined ? this.rows : [];
    }

    /** The editor wants it for `reveal`: there is one level only. */
    getParent(): undefined {
        return undefined;
    }

    getTreeItem({ kind, isEnabled, description, tooltip }: Row): vscode.TreeItem {
        const item = new vscode.TreeItem(kind.label);
        item.id = kind.name;
        item.description = description;
        item.tooltip = tooltip;
        item.iconPath = new vscode.ThemeIcon(kind.icon, isEnabled ? undefined : new vscode.ThemeColor("disabledForeground"));
        item.command = { command: "fixcont.go", title: kind.label, arguments: [kind.name] };
        item.accessibilityInformation = { label: tooltip };
        return item;
    }

    dispose(): void {
        this.registered.dispose();
    }

    private async ask(): Promise<void> {
        const number = ++this.asked;
        const frame = this.selected;
        if (frame === undefined) {
            this.learn({ state: "running" });
            return;
        }
        if (this.knowledge.state === "running") this.learn({ state: "asking" });
        const knowledge = await this.waysFrom(frame);
        // Meanwhile another frame may have been selected, or the program gone on.
        if (number === this.asked) this.learn(knowledge);
    }

    private learn(knowledge: Knowledge): void {
        this.knowledge = knowledge;
        this.rows = rowsOf(knowledge);
        this.view.message = messageOf(knowledge);
        for (const [key, value] of contextOf(knowledge)) void vscode.commands.executeCommand("setContext", key, value);
        this.changed.fire();
        void this.showOnce();
    }

    /** The editor keeps a view of the debug side bar folded until it has been opened: open it at the first stop of all. */
    private async showOnce(): Promise<void> {
        const [first] = this.rows;
        if (first === undefined || this.memory.get(WAS_SHOWN) === true) return;
        await this.memory.update(WAS_SHOWN, true);
        await this.view.reveal(first, { select: false, focus: false });
    }
}
