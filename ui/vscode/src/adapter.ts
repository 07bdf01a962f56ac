// Starts the debug adapter.

import * as vscode from "vscode";

import { adapterArguments, choosePython } from "./model/python";

/** The adapter is a process of its own, whatever the program runs in or is connected by. */
export class AdapterFactory implements vscode.DebugAdapterDescriptorFactory {
    createDebugAdapterDescriptor(session: vscode.DebugSession): vscode.DebugAdapterDescriptor {
        const folder = session.workspaceFolder?.uri.fsPath;
        // The provider of configurations has put in which interpreter it is.
        const python = choosePython(session.configuration["python"], undefined, folder);
        return new vscode.DebugAdapterExecutable(
            python[0],
            adapterArguments(python),
            folder === undefined ? {} : { cwd: folder },
        );
    }
}
