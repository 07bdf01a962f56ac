// The ways to go on as the buttons and the view show them: the table of what they are called, and what each row says.

import { Way, WayName } from "./wire";

/** What is asked before a way is gone. */
export interface Question {
    readonly prompt: string;
    readonly placeholder: string;
}

/** A way to go on. */
export interface WayKind {
    readonly name: WayName;
    readonly label: string;
    /** The name of one of the editor's own icons. */
    readonly icon: string;
    /** The adapter's request. */
    readonly request: string;
    /** What it does and what it does not undo. */
    readonly help: string;
    /** Whether code of the files runs afterwards, so that they should be saved before. */
    readonly runsNewCode: boolean;
    readonly question?: Question;
    /** What is sent besides the frame. */
    readonly sends?: Readonly<Record<string, unknown>>;
    /** Whether it is there only at frames for which the adapter names it: those that have unwound. */
    readonly isRare?: boolean;
}

/** All of them, in the order in which they are shown. Each is also the command `fixcont.` + name. */
export const WAY_KINDS: readonly WayKind[] = [
    {
        name: "restartFrame",
        label: "Restart on New Code",
        icon: "debug-restart-frame",
        request: "fixcont/restart",
        help: "Calls the function again, on its newest code, with its original arguments. What it has done so far is not undone.",
        runsNewCode: true,
    },
    {
        name: "retry",
        label: "Retry Statement",
        icon: "debug-continue",
        request: "fixcont/retry",
        help: "Goes on at the failing statement, on the newest code; variables, running loops and open with blocks are kept.",
        runsNewCode: true,
    },
    {
        name: "resume",
        label: "Resume at the Cursor's Line",
        icon: "debug-step-into",
        request: "fixcont/resume",
        help: "Goes on at the line of the cursor, on the newest code; variables, running loops and open with blocks are kept.",
        runsNewCode: true,
    },
    {
        name: "skip",
        label: "Skip Statement",
        icon: "debug-step-over",
        request: "fixcont/skip",
        help: "Goes on behind the failing statement, on the newest code.",
        runsNewCode: true,
    },
    {
        name: "returnFromFrame",
        label: "Return Value…",
        icon: "debug-step-out",
        request: "fixcont/returnFromFrame",
        help: "The function returns a value to its caller at once.",
        runsNewCode: false,
        question: { prompt: "The value that the function returns, as a Python expression", placeholder: "None" },
    },
    {
        name: "useValue",
        label: "Use Value…",
        icon: "replace",
        request: "fixcont/useValue",
        help: "Goes on at the failing statement, with a value in place of the expression that failed, this once.",
        runsNewCode: true,
        question: { prompt: "The value in place of the expression that failed, as a Python expression", placeholder: "0" },
    },
    {
        name: "throw",
        label: "Throw…",
        icon: "zap",
        request: "fixcont/throw",
        help: "Raises an exception at the frame's current statement; the program's handlers apply.",
        runsNewCode: false,
        question: { prompt: "The exception to raise, as a Python expression", placeholder: "ValueError('no such name')" },
    },
    {
        name: "create",
        label: "Create Missing…",
        icon: "add",
        request: "fixcont/create",
        help: "Makes the function, method or class that is missing, with parameters named from the call, and goes on into it.",
        runsNewCode: true,
    },
    {
        name: "undo",
        label: "Undo Last Edit",
        icon: "discard",
        request: "fixcont/undo",
        help: "Takes the last edit back in the process, and in the files if you say so.",
        runsNewCode: false,
    },
    {
        name: "replay",
        label: "Replay Call",
        icon: "debug-rerun",
        request: "fixcont/replay",
        help: "Calls the function of a frame that has unwound again, on its newest code, with its original arguments.",
        runsNewCode: true,
        isRare: true,
    },
    {
        name: "replayRetry",
        label: "Replay from Failing Statement",
        icon: "debug-continue",
        request: "fixcont/replay",
        help: "Makes a frame that has unwound anew from its variables, and goes on at its failing statement, on the newest code.",
        runsNewCode: true,
        sends: { retry: true },
        isRare: true,
    },
];

/** Find a way by its name. */
export function kindOf(name: WayName): WayKind {
    const kind = WAY_KINDS.find((each) => each.name === name);
    if (kind === undefined) throw new Error(`no way is called ${name}`);
    return kind;
}

/** What is known of the ways at this moment. */
export type Knowledge =
    | { readonly state: "running" }
    | { readonly state: "asking" }
    | { readonly state: "known"; readonly ways: readonly Way[] }
    | { readonly state: "failed"; readonly reason: string };

/** Tell why a way cannot be gone, or undefined if it can be. */
export function refusalOf(knowledge: Knowledge, name: WayName): string | undefined {
    switch (knowledge.state) {
        case "running":
            return "The program is running: pause it, or wait until it stops.";
        case "asking":
            return "The program has not answered yet which ways there are from this frame.";
        case "failed":
            return sentence(knowledge.reason);
        case "known": {
            const way = knowledge.ways.find((each) => each.name === name);
            if (way === undefined) return "The fixcont of this program does not know this way.";
            return way.enabled ? undefined : sentence(way.reason || "it is not possible from this frame");
        }
    }
}

/** One line of the view. */
export interface Row {
    readonly kind: WayKind;
    readonly isEnabled: boolean;
    /** Beside the label: "", or the reason. */
    readonly description: string;
    readonly tooltip: string;
}

/** Give the lines of the view; none while there is nothing to choose from. */
export function rowsOf(knowledge: Knowledge): Row[] {
    if (knowledge.state === "running" || knowledge.state === "asking") return [];
    const named = knowledge.state === "known" ? knowledge.ways.map(({ name }) => name) : [];
    return WAY_KINDS.filter(({ name, isRare }) => !isRare || named.includes(name)).map((kind) => {
        const refusal = refusalOf(knowledge, kind.name);
        if (refusal === undefined) {
            const told = knowledge.state === "known" ? knowledge.ways.find(({ name }) => name === kind.name)?.reason : undefined;
            return { kind, isEnabled: true, description: "", tooltip: told ? `${kind.help}\n\n${sentence(told)}` : kind.help };
        }
        return { kind, isEnabled: false, description: refusal, tooltip: `${kind.label}: ${refusal}` };
    });
}

/** Give what the view says in the place of lines, "" where it has some. */
export function messageOf(knowledge: Knowledge): string {
    return knowledge.state === "running" ? "The program is running." : "";
}

/** Give the context keys that the buttons' conditions read. */
export function contextOf(knowledge: Knowledge): Map<string, boolean> {
    const context = new Map([["fixcont.stopped", knowledge.state !== "running"]]);
    for (const kind of WAY_KINDS) context.set(`fixcont.can.${kind.name}`, refusalOf(knowledge, kind.name) === undefined);
    return context;
}

/** End what the program says with a full stop. How it begins is left alone: that may be a name of the program. */
export function sentence(text: string): string {
    const trimmed = text.trim();
    return trimmed === "" || /[.!?…]$/.test(trimmed) ? trimmed : `${trimmed}.`;
}
