// Which frame a command is about.

import { fieldOf } from "./wire";

/** A place in the call stack view. */
export interface StackPlace {
    readonly sessionId: string;
    readonly threadId: number;
    /** 0 is the innermost frame. */
    readonly index: number;
}

/**
 * Read what the call stack's menu tells its commands about the frame that was clicked, undefined where it is no frame.
 *
 * It gives names of its own rather than the adapter's ids: `thread:SESSION:THREAD` and `stackframe:thread:SESSION:THREAD:INDEX:SOURCE`.
 */
export function placeOf(context: unknown): StackPlace | undefined {
    const sessionId = fieldOf(context, "sessionId");
    const thread = fieldOf(context, "threadId");
    const frame = fieldOf(context, "frameId");
    if (typeof sessionId !== "string" || typeof thread !== "string" || typeof frame !== "string") return undefined;
    const threadId = /:(\d+)$/.exec(thread)?.[1];
    const start = `stackframe:${thread}:`;
    const index = frame.startsWith(start) ? /^\d+(?=:)/.exec(frame.slice(start.length))?.[0] : undefined;
    if (threadId === undefined || index === undefined) return undefined;
    return { sessionId, threadId: Number(threadId), index: Number(index) };
}

/** A frame as far as it is read from the answer to `stackTrace`. */
export interface Frame {
    readonly id: number;
    readonly name: string;
    /** "" where its source is no file. */
    readonly path: string;
}

/** Read the answer to `stackTrace`. */
export function framesOf(body: unknown): Frame[] {
    const frames = fieldOf(body, "stackFrames");
    if (!Array.isArray(frames)) return [];
    return frames.flatMap((item: unknown) => {
        const id = fieldOf(item, "id");
        const name = fieldOf(item, "name");
        const path = fieldOf(fieldOf(item, "source"), "path");
        if (typeof id !== "number" || typeof name !== "string") return [];
        return [{ id, name, path: typeof path === "string" ? pathOf(path) : "" }];
    });
}

/** Give the path in an address: where the editor's window is on another machine, it makes addresses of the adapter's paths. */
function pathOf(given: string): string {
    return /^[a-z][a-z\d+.-]+:\/\//i.test(given) ? decodeURIComponent(new URL(given).pathname) : given;
}

/** Tell why a frame cannot go on at a line of a file, as far as it can be seen from here; undefined where the program is to be asked. */
export function whyNotIn(file: string, frame: Frame | undefined): string | undefined {
    if (frame === undefined) return "The selected frame is not there any more.";
    if (frame.path === file) return undefined;
    const where = frame.path === "" ? "has no file" : `is in ${frame.path}`;
    return `The selected frame, ${frame.name}, ${where}. Select a frame of this file in the call stack first.`;
}
