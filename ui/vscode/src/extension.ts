// The door: registers everything when the first debug session of this type, or its view, is wanted.

import * as vscode from "vscode";

import { AdapterFactory } from "./adapter";
import { Commands } from "./commands";
import { ConfigurationProvider } from "./configuration";
import { DEBUG_TYPE } from "./model/configuration";
import { showInstalls } from "./notices";
import { Sessions } from "./sessions";
import { Ways } from "./ways";

export function activate(context: vscode.ExtensionContext): void {
    const provider = new ConfigurationProvider();
    const { Initial, Dynamic } = vscode.DebugConfigurationProviderTriggerKind;
    const sessions = new Sessions();
    const ways = new Ways(sessions, context.globalState);
    context.subscriptions.push(
        vscode.debug.registerDebugConfigurationProvider(DEBUG_TYPE, provider, Initial),
        // Only what it offers: each provider that could resolve configurations would be asked to.
        vscode.debug.registerDebugConfigurationProvider(
            DEBUG_TYPE,
            { provideDebugConfigurations: () => provider.provideDebugConfigurations() },
            Dynamic,
        ),
        vscode.debug.registerDebugAdapterDescriptorFactory(DEBUG_TYPE, new AdapterFactory()),
        sessions,
        ways,
        new Commands(sessions, ways),
        showInstalls(),
    );
}
