// What the adapter's own requests and events carry, as far as it is read here. The adapter's reference is docs/ide.md.

/** The names of the ways to go on, as the adapter spells them. */
export const WAY_NAMES = [
    "restartFrame",
    "retry",
    "skip",
    "returnFromFrame",
    "useValue",
    "throw",
    "resume",
    "undo",
    "create",
    "replay",
    "replayRetry",
] as const;

export type WayName = (typeof WAY_NAMES)[number];

/** One of the answers to `fixcont/ways`: whether a way can be gone from a frame, and why not. */
export interface Way {
    readonly name: WayName;
    readonly enabled: boolean;
    /** Why not, in a sentence about this very case; where it can be gone, what will happen, or "". */
    readonly reason: string;
}

/** A statement of a module that an install has changed but not run. */
export interface Unrun {
    readonly number: number;
    readonly text: string;
}

/** The answer to `fixcont/install`. */
export interface Installed {
    readonly changed: readonly string[];
    readonly warnings: readonly string[];
    readonly unrun: readonly Unrun[];
}

/** Read the answer to `fixcont/ways`. Ways that are not known here are left out, so that an older extension works with a newer adapter. */
export function waysOf(body: unknown): Way[] {
    return itemsOf(body, "ways").flatMap((item) => {
        const name = WAY_NAMES.find((known) => known === fieldOf(item, "name"));
        if (name === undefined) return [];
        return [{ name, enabled: fieldOf(item, "enabled") === true, reason: textOf(fieldOf(item, "reason")) }];
    });
}

/** Read the answer to `fixcont/install`. */
export function installedOf(body: unknown): Installed {
    return {
        changed: textsOf(body, "changed"),
        warnings: textsOf(body, "warnings"),
        unrun: itemsOf(body, "unrun").flatMap((item) => {
            const number = fieldOf(item, "number");
            return typeof number === "number" ? [{ number, text: textOf(fieldOf(item, "text")) }] : [];
        }),
    };
}

/** Give a field's texts; anything else in it is left out. */
export function textsOf(body: unknown, field: string): string[] {
    return itemsOf(body, field).filter((item) => typeof item === "string");
}

/** Give a field of something that came over the wire, undefined where there is no such thing. */
export function fieldOf(value: unknown, name: string): unknown {
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function itemsOf(body: unknown, field: string): unknown[] {
    const value = fieldOf(body, field);
    return Array.isArray(value) ? value : [];
}

function textOf(value: unknown): string {
    return typeof value === "string" ? value : "";
}
