// Completes and checks debug configurations.

import { statSync } from "node:fs";

import * as vscode from "vscode";

import { hasPythonExtension, selectedInterpreter, tryOut } from "./interpreter";
import { checked, completed, Configuration, offered, Surroundings } from "./model/configuration";
import { CannotStart, choosePython, whyNotWith } from "./model/python";

const COPY = "Copy pip Command";
const SELECT = "Select Interpreter";

export class ConfigurationProvider implements vscode.DebugConfigurationProvider {
    provideDebugConfigurations(): vscode.DebugConfiguration[] {
        return offered();
    }

    resolveDebugConfiguration(
        _folder: vscode.WorkspaceFolder | undefined,
        given: vscode.DebugConfiguration,
    ): vscode.DebugConfiguration | undefined {
        const editorsDocument = vscode.window.activeTextEditor?.document;
        const isRunnable = editorsDocument?.languageId === "python" && editorsDocument.uri.scheme === "file";
        const outcome = completed(given, isRunnable ? editorsDocument.uri.fsPath : undefined);
        if ("configuration" in outcome) return outcome.configuration;
        void vscode.window.showErrorMessage(outcome.refusal);
        return undefined;
    }

    async resolveDebugConfigurationWithSubstitutedVariables(
        folder: vscode.WorkspaceFolder | undefined,
        given: vscode.DebugConfiguration,
    ): Promise<vscode.DebugConfiguration | undefined> {
        const outcome = checked(given as Configuration, surroundings(folder));
        if ("refusal" in outcome) {
            void vscode.window.showErrorMessage(outcome.refusal);
            return undefined;
        }
        const { configuration } = outcome;
        const configured = configuration["python"];
        const selected = configured ? undefined : await selectedInterpreter(folder?.uri);
        const python = choosePython(configured, selected, folder?.uri.fsPath);
        const cannot = whyNotWith(python, await tryOut(python, folder?.uri.fsPath));
        if (cannot !== undefined) {
            void offerRemedy(cannot);
            return undefined;
        }
        return { ...configuration, python: python.length === 1 ? python[0] : python };
    }
}

function surroundings(folder: vscode.WorkspaceFolder | undefined): Surroundings {
    const setting = vscode.workspace.getConfiguration("fixcont", folder?.uri).get<string>("autoInstall");
    return {
        folder: folder?.uri.fsPath ?? vscode.workspace.workspaceFolders?.[0]?.uri.fsPath,
        installsAtOnce: setting !== "manual",
        isFile: (path) => statSync(path, { throwIfNoEntry: false })?.isFile() === true,
        isFolder: (path) => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true,
    };
}

async function offerRemedy({ sentence, remedy }: CannotStart): Promise<void> {
    const offers = [...(remedy === "" ? [] : [COPY]), ...(hasPythonExtension() ? [SELECT] : [])];
    const chosen = await vscode.window.showErrorMessage(sentence, ...offers);
    if (chosen === COPY) {
        await vscode.env.clipboard.writeText(remedy);
        vscode.window.setStatusBarMessage(`Copied: ${remedy}`, 5000);
    } else if (chosen === SELECT) {
        await vscode.commands.executeCommand("python.setInterpreter");
    }
}
