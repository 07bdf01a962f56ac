// What an install that the adapter did by itself, after a file was saved, tells the user.

import { sentence } from "./ways";
import { fieldOf, Installed } from "./wire";

export interface Notice {
    readonly level: "error" | "warning" | "status";
    readonly text: string;
}

/** Give what the event `hotcodereplace` says, undefined where that is nothing to show. */
export function noticeOf(body: unknown): Notice | undefined {
    const message = fieldOf(body, "message");
    const text = typeof message === "string" ? message.trim() : "";
    switch (fieldOf(body, "changeType")) {
        case "ERROR":
            return { level: "error", text: sentence(text || "the saved files were not installed") };
        case "WARNING":
            return text === "" ? undefined : { level: "warning", text: sentence(text) };
        case "END":
            return { level: "status", text: text || "installed" };
        default:
            return undefined;
    }
}

/** Give what an install that was asked for says. */
export function noticesOf(installed: Installed): Notice[] {
    const { changed, warnings } = installed;
    const text = changed.length === 0 ? "nothing has changed" : `installed: ${changed.join(", ")}`;
    return [{ level: "status", text }, ...warnings.map((each): Notice => ({ level: "warning", text: sentence(each) }))];
}

/** Why the adapter did not do what it was asked for. */
export interface Failure {
    readonly text: string;
    /** Whether the editor has shown it by itself. */
    readonly isShown: boolean;
}

/** Read why the adapter did not do what it was asked for, undefined where the message is something else. */
export function failureOf(message: unknown): (Failure & { readonly request: string }) | undefined {
    const request = fieldOf(message, "command");
    if (fieldOf(message, "type") !== "response" || fieldOf(message, "success") !== false) return undefined;
    if (typeof request !== "string" || !request.startsWith("fixcont/")) return undefined;
    const error = fieldOf(fieldOf(message, "body"), "error");
    const format = fieldOf(error, "format");
    const short = fieldOf(message, "message");
    const text =
        typeof format === "string" ? filled(format, fieldOf(error, "variables")) : typeof short === "string" ? short : request;
    return { request, text, isShown: fieldOf(error, "showUser") === true && typeof format === "string" && format !== "" };
}

function filled(format: string, variables: unknown): string {
    return format.replace(/\{([^{}]+)\}/g, (whole, name: string) => {
        const value = fieldOf(variables, name);
        return typeof value === "string" ? value : whole;
    });
}
