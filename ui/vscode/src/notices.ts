// Shows what was installed, or why not.

import * as vscode from "vscode";

import { DEBUG_TYPE } from "./model/configuration";
import { Failure, Notice, noticeOf } from "./model/notices";
import { sentence } from "./model/ways";

const STATUS_MILLISECONDS = 5000;

/** A view that a message leads to. */
interface Target {
    readonly label: string;
    readonly command: string;
}

export const WAYS_VIEW: Target = { label: "Show Ways to Go On", command: "fixcont.ways.focus" };
const CONSOLE: Target = { label: "Open Debug Console", command: "workbench.panel.repl.view.focus" };

/** Show a message with a button that leads to a view. The button also makes the editor show long messages whole. */
export async function offer(
    message: (text: string, ...labels: string[]) => Thenable<string | undefined>,
    text: string,
    { label, command }: Target,
): Promise<void> {
    if ((await message(text, label)) === label) await vscode.commands.executeCommand(command);
}

/** Show a notice in the place that suits its level. */
export function show({ level, text }: Notice): void {
    switch (level) {
        case "error":
            void offer(vscode.window.showErrorMessage, text, CONSOLE);
            break;
        case "warning":
            void offer(vscode.window.showWarningMessage, text, CONSOLE);
            break;
        case "status":
            vscode.window.setStatusBarMessage(`$(check) ${text}`, STATUS_MILLISECONDS);
    }
}

/** Show why a request failed, unless the editor has done so by itself. */
export function showFailure({ text, isShown }: Failure): void {
    if (!isShown) void offer(vscode.window.showErrorMessage, sentence(text), WAYS_VIEW);
}

/** Show what the adapter tells about files that were saved. */
export function showInstalls(): vscode.Disposable {
    return vscode.debug.onDidReceiveDebugSessionCustomEvent(({ session, event, body }) => {
        if (session.type !== DEBUG_TYPE || event !== "hotcodereplace") return;
        const notice = noticeOf(body);
        if (notice !== undefined) show(notice);
    });
}
