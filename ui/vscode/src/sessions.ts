// The debug sessions of this type, and requests to their adapters.

import * as vscode from "vscode";

import { DEBUG_TYPE } from "./model/configuration";
import { Failure, failureOf } from "./model/notices";

/** What became of a request. */
export type Answer = { readonly body: unknown } | { readonly failure: Failure };

/** Knows the sessions that run, and listens to what their adapters answer. */
export class Sessions implements vscode.DebugAdapterTrackerFactory, vscode.Disposable {
    // id of a session -> the session, and why its latest request of each kind failed
    private readonly running = new Map<string, { session: vscode.DebugSession; failures: Map<string, Failure> }>();
    private readonly registered: vscode.Disposable;

    constructor() {
        this.registered = vscode.Disposable.from(
            vscode.debug.registerDebugAdapterTrackerFactory(DEBUG_TYPE, this),
            vscode.debug.onDidTerminateDebugSession((session) => this.running.delete(session.id)),
        );
    }

    createDebugAdapterTracker(session: vscode.DebugSession): vscode.DebugAdapterTracker {
        const failures = new Map<string, Failure>();
        this.running.set(session.id, { session, failures });
        return {
            // A rejected request of the editor's tells the sentence only, not whether the editor has shown it already.
            onDidSendMessage: (message: unknown) => {
                const failure = failureOf(message);
                if (failure !== undefined) failures.set(failure.request, failure);
            },
        };
    }

    /** Find a session by its id. */
    session(id: string): vscode.DebugSession | undefined {
        return this.running.get(id)?.session;
    }

    /** Send a request to a session's adapter. */
    async request(session: vscode.DebugSession, request: string, args: object): Promise<Answer> {
        const failures = this.running.get(session.id)?.failures;
        failures?.delete(request);
        try {
            return { body: (await session.customRequest(request, args)) as unknown };
        } catch (error) {
            const text = error instanceof Error ? error.message : String(error);
            return { failure: failures?.get(request) ?? { text, isShown: false } };
        }
    }

    dispose(): void {
        this.registered.dispose();
    }
}
