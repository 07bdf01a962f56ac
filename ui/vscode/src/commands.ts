// The commands: buttons, menus, and the lines of the view.

import { execFile } from "node:child_process";
import { promisify } from "node:util";

import * as vscode from "vscode";

import { DEBUG_TYPE, savedStop } from "./model/configuration";
import { framesOf, placeOf, whyNotIn } from "./model/frames";
import { noticesOf } from "./model/notices";
import { LISTING, pythonProcesses } from "./model/processes";
import { kindOf, refusalOf, WAY_KINDS, WayKind } from "./model/ways";
import { fieldOf, installedOf, textsOf, WAY_NAMES, WayName } from "./model/wire";
import { offer, show, showFailure, WAYS_VIEW } from "./notices";
import { Sessions } from "./sessions";
import { FrameOfSession, Ways } from "./ways";

/** What is sent with a way's request besides the frame; undefined where the user thought better of it. */
type Arguments = Readonly<Record<string, unknown>> | undefined;

export class Commands implements vscode.Disposable {
    private readonly registered: vscode.Disposable;
    // name of a way -> the expression that was typed for it last
    private readonly typed = new Map<WayName, string>();

    constructor(
        private readonly sessions: Sessions,
        private readonly ways: Ways,
    ) {
        const { registerCommand } = vscode.commands;
        this.registered = vscode.Disposable.from(
            ...WAY_KINDS.flatMap(({ name, isRare }) => [
                registerCommand(`fixcont.${name}`, (...args: unknown[]) => this.go(name, args)),
                ...(isRare ? [] : [registerCommand(`fixcont.refused.${name}`, () => this.go(name, []))]),
            ]),
            registerCommand("fixcont.go", (name: unknown) => this.goFromView(name)),
            registerCommand("fixcont.install", () => this.install()),
            registerCommand("fixcont.pickProcess", () => pickProcess()),
            registerCommand("fixcont.openSavedStop", (clicked: unknown) => openSavedStop(clicked)),
        );
    }

    dispose(): void {
        this.registered.dispose();
    }

    private async goFromView(name: unknown): Promise<void> {
        const known = WAY_NAMES.find((each) => each === name);
        if (known !== undefined) await this.go(known, []);
    }

    /** Go a way from the frame that the menu was opened at, else from the selected one, or tell why it cannot be gone. */
    private async go(name: WayName, args: unknown[]): Promise<void> {
        const kind = kindOf(name);
        const frame = (await this.clickedFrame(args)) ?? this.ways.selected;
        if (frame === undefined) {
            refuse(kind, this.ways.refusalOf(name) ?? "No frame is selected.");
            return;
        }
        // What was saved just now may make possible what was not: then the request itself is the question.
        const isSaved = kind.runsNewCode && (await saveFiles());
        const refusal = isSaved ? undefined : refusalOf(await this.ways.waysFrom(frame), name);
        if (refusal !== undefined) {
            refuse(kind, refusal);
            return;
        }
        const given = await this.argumentsOf(kind, frame, args);
        if (given === undefined) return;
        const answer = await this.sessions.request(frame.session, kind.request, { frameId: frame.frameId, ...given });
        if ("failure" in answer) {
            showFailure(answer.failure);
        } else if (name === "undo") {
            const lines = textsOf(answer.body, "lines");
            if (lines.length > 0) void vscode.window.showInformationMessage(lines.join("\n"));
        }
    }

    private async argumentsOf(kind: WayKind, frame: FrameOfSession, args: unknown[]): Promise<Arguments> {
        if (kind.question !== undefined) return this.askExpression(kind);
        if (kind.name === "resume") return this.lineToResumeAt(kind, frame, args);
        if (kind.name === "undo") return askWhereToUndo();
        return kind.sends ?? {};
    }

    private async askExpression({ name, label, question }: WayKind): Promise<Arguments> {
        const before = this.typed.get(name);
        const expression = await vscode.window.showInputBox({
            title: label.replace("…", ""),
            ignoreFocusOut: true,
            validateInput: (text) => (text.trim() === "" ? "An expression is needed." : undefined),
            ...(question && { prompt: question.prompt, placeHolder: question.placeholder }),
            ...(before !== undefined && { value: before }),
        });
        if (expression === undefined) return undefined;
        this.typed.set(name, expression);
        return { expression: expression.trim() };
    }

    private async lineToResumeAt(kind: WayKind, frame: FrameOfSession, args: unknown[]): Promise<Arguments> {
        const editor = vscode.window.activeTextEditor;
        if (editor === undefined) {
            refuse(kind, "No editor is open.");
            return undefined;
        }
        const answer = await this.sessions.request(frame.session, "stackTrace", { threadId: frame.threadId });
        const frames = "body" in answer ? framesOf(answer.body) : [];
        const reason = whyNotIn(
            editor.document.uri.fsPath,
            frames.find(({ id }) => id === frame.frameId),
        );
        if (reason !== undefined) {
            refuse(kind, reason);
            return undefined;
        }
        const clicked = fieldOf(args[0], "lineNumber"); // the menu beside the text gives the line that was clicked
        return { line: typeof clicked === "number" ? clicked : editor.selection.active.line + 1 };
    }

    /** Find the frame that a menu of the call stack was opened at, undefined where the command comes from elsewhere. */
    private async clickedFrame(args: unknown[]): Promise<FrameOfSession | undefined> {
        const place = args.map(placeOf).find((each) => each !== undefined);
        const session = place && this.sessions.session(place.sessionId);
        if (place === undefined || session === undefined) return undefined;
        const { threadId, index } = place;
        const answer = await this.sessions.request(session, "stackTrace", { threadId, startFrame: index, levels: 1 });
        const [frame] = "body" in answer ? framesOf(answer.body) : [];
        return frame && { session, threadId, frameId: frame.id };
    }

    private async install(): Promise<void> {
        const session = vscode.debug.activeDebugSession;
        if (session?.type !== DEBUG_TYPE) {
            void vscode.window.showInformationMessage("No program runs under fixcont.");
            return;
        }
        await saveFiles();
        const answer = await this.sessions.request(session, "fixcont/install", {});
        if ("failure" in answer) {
            showFailure(answer.failure);
            return;
        }
        const installed = installedOf(answer.body);
        noticesOf(installed).forEach(show);
        if (installed.unrun.length === 0) return;
        const items = installed.unrun.map(({ number, text }) => ({ label: text, number }));
        const title = "Changed statements of modules were not run. Which ones are to be run now?";
        const chosen = await vscode.window.showQuickPick(items, { title, canPickMany: true });
        for (const { number } of chosen ?? []) {
            const rerun = await this.sessions.request(session, "fixcont/rerun", { number });
            if ("failure" in rerun) {
                showFailure(rerun.failure);
                return;
            }
        }
    }
}

function refuse({ label }: WayKind, reason: string): void {
    void offer(vscode.window.showInformationMessage, `${label.replace("…", "")}: ${reason}`, WAYS_VIEW);
}

/** Save the Python files that were changed, and tell whether there were any. */
async function saveFiles(): Promise<boolean> {
    const changed = vscode.workspace.textDocuments.filter(
        ({ isDirty, languageId, uri }) =>
            isDirty &&
            languageId === "python" &&
            uri.scheme === "file" &&
            vscode.workspace.getConfiguration("fixcont", uri).get<boolean>("saveBeforeGoingOn", true),
    );
    const saved = await Promise.all(changed.map((document) => document.save()));
    return saved.some(Boolean);
}

async function askWhereToUndo(): Promise<Arguments> {
    const items = [
        {
            label: "In the process only",
            detail: "The files stay as they are; they are not installed again until they are saved anew.",
            files: false,
        },
        { label: "In the files too", detail: "The files get their text from before the edit.", files: true },
    ];
    const chosen = await vscode.window.showQuickPick(items, { title: "Undo the last edit" });
    return chosen && { files: chosen.files };
}

/** Show a saved stop: that of the file that a menu was opened at, else the one that the user chooses. */
async function openSavedStop(clicked: unknown): Promise<void> {
    const [file] = clicked instanceof vscode.Uri ? [clicked] : ((await askForSavedStop()) ?? []);
    if (file === undefined) return;
    const folder = vscode.workspace.getWorkspaceFolder(file) ?? vscode.workspace.workspaceFolders?.[0];
    await vscode.debug.startDebugging(folder, savedStop(file.fsPath));
}

function askForSavedStop(): Thenable<vscode.Uri[] | undefined> {
    const filters = { "Saved stops": ["stop"], "All files": ["*"] };
    return vscode.window.showOpenDialog({ title: "Open Saved Stop", openLabel: "Open", filters });
}

/** Let the user choose a Python process; gives its id. */
async function pickProcess(): Promise<string | undefined> {
    try {
        const { stdout } = await promisify(execFile)(LISTING.command, LISTING.arguments, { maxBuffer: 1 << 26 });
        const items = pythonProcesses(stdout).map(({ id, commandLine }) => ({ label: String(id), description: commandLine }));
        const chosen = await vscode.window.showQuickPick(items, {
            title: "Attach to a process of Python 3.14 or newer",
            placeHolder: items.length === 0 ? "No Python process runs" : "Process",
            matchOnDescription: true,
        });
        return chosen?.label;
    } catch (error) {
        void vscode.window.showErrorMessage(`The processes could not be listed: ${String(error)}`);
        return undefined;
    }
}
