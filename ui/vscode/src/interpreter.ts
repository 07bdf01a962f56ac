// The interpreter that is selected in the Python extension, and trying one out.

import { execFile } from "node:child_process";

import * as vscode from "vscode";

import { CheckRun, checkArguments, Python } from "./model/python";

const PYTHON_EXTENSION = "ms-python.python";
const CHECK_MILLISECONDS = 20_000;

// What is used of the Python extension's interface.
interface PythonExtension {
    readonly environments: {
        getActiveEnvironmentPath(resource?: vscode.Uri): { readonly path: string };
        resolveEnvironment(environment: {
            readonly path: string;
        }): Promise<{ readonly executable: { readonly uri?: vscode.Uri } } | undefined>;
    };
}

/** Tell whether the Python extension is there, which lets the user select an interpreter. */
export function hasPythonExtension(): boolean {
    return vscode.extensions.getExtension(PYTHON_EXTENSION) !== undefined;
}

/** Give the path of the interpreter that is selected in the Python extension, undefined where there is none. */
export async function selectedInterpreter(folder: vscode.Uri | undefined): Promise<string | undefined> {
    const extension = vscode.extensions.getExtension<PythonExtension>(PYTHON_EXTENSION);
    if (extension === undefined) return undefined;
    try {
        const { environments } = await extension.activate();
        const environment = await environments.resolveEnvironment(environments.getActiveEnvironmentPath(folder));
        return environment?.executable.uri?.fsPath;
    } catch {
        return undefined; // it could not start, or its interface is another one: then as if it were not there
    }
}

/** Run an interpreter to see whether it has fixcont. */
export function tryOut(python: Python, cwd: string | undefined): Promise<CheckRun> {
    return new Promise((resolve) => {
        const options = { cwd, timeout: CHECK_MILLISECONDS, encoding: "utf8" } as const;
        execFile(python[0], checkArguments(python), options, (error, output, errors) => {
            const code = error?.code;
            const isEnded = error?.killed === true;
            const failure = typeof code === "string" ? code : isEnded ? "it does not answer" : "";
            resolve({ failure, status: typeof code === "number" ? code : error === null ? 0 : 1, output, errors });
        });
    });
}
