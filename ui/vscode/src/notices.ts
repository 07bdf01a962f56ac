// Shows what was installed, or why not.

import * as vscode from "vscode";

import { DEBUG_TYPE } from "./model/configuration";
import { Failure, Notice, noticeOf } from "./model/notices";
import { sentence } from "./model/ways";

const STATUS_MILLISECONDS = 5000;

/** Show a notice in the place that suits its level. */
export function show({ level, text }: Notice): void {
    switch (level) {
        case "error":
            void vscode.window.showErrorMessage(text);
            break;
        case "warning":
            void vscode.window.showWarningMessage(text);
            break;
        case "status":
            vscode.window.setStatusBarMessage(`$(check) ${text}`, STATUS_MILLISECONDS);
    }
}

/** Show why a request failed, unless the editor has done so by itself. */
export function showFailure({ text, isShown }: Failure): void {
    if (!isShown) void vscode.window.showErrorMessage(sentence(text));
}

/** Show what the adapter tells about files that were saved. */
export function showInstalls(): vscode.Disposable {
    return vscode.debug.onDidReceiveDebugSessionCustomEvent(({ session, event, body }) => {
        if (session.type !== DEBUG_TYPE || event !== "hotcodereplace") return;
        const notice = noticeOf(body);
        if (notice !== undefined) show(notice);
    });
}
