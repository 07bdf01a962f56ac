// Which interpreter runs the adapter, and whether fixcont is installed in it.

import { isAbsolute, join } from "node:path";

/** An interpreter with the options that it is started with. */
export type Python = readonly [command: string, ...options: string[]];

/**
 * Choose the interpreter.
 *
 * @param configured the configuration's `python`
 * @param selected the one that is selected in the Python extension, if that is there
 * @param folder what a relative path starts from
 */
export function choosePython(configured: unknown, selected: string | undefined, folder: string | undefined): Python {
    const words = (Array.isArray(configured) ? configured : [configured]).filter(
        (word): word is string => typeof word === "string" && word !== "",
    );
    const [command, ...options] = words;
    if (command === undefined) return [selected || "python3"];
    const isRelativePath = command.includes("/") && !isAbsolute(command);
    return [isRelativePath && folder !== undefined ? join(folder, command) : command, ...options];
}

/** The arguments that start the adapter. */
export function adapterArguments(python: Python): string[] {
    return [...python.slice(1), "-m", "fixcont.dap"];
}

/** The arguments that tell whether fixcont is there; the output is the version of Python. */
export function checkArguments(python: Python): string[] {
    return [...python.slice(1), "-c", "import sys; print('%d.%d' % sys.version_info[:2], flush=True); import fixcont"];
}

/** How that ended. */
export interface CheckRun {
    /** Why it could not be started or was ended, as Node names it, such as "ENOENT"; "" if it ran to its end. */
    readonly failure: string;
    readonly status: number;
    readonly output: string;
    readonly errors: string;
}

/** Why the adapter cannot be started. */
export interface CannotStart {
    readonly sentence: string;
    /** The command that would install fixcont; "" where that would not help. */
    readonly remedy: string;
}

/** Tell why the adapter cannot be started with this interpreter, or undefined if it can. */
export function whyNotWith(python: Python, run: CheckRun): CannotStart | undefined {
    const [command] = python;
    if (run.failure === "ENOENT") return { sentence: `There is no Python interpreter ${command}.`, remedy: "" };
    if (run.failure !== "")
        return { sentence: `The Python interpreter ${command} could not be started: ${run.failure}.`, remedy: "" };
    if (run.status === 0) return undefined;
    const version = /^(\d+)\.(\d+)\s/.exec(run.output);
    if (version === null) {
        return { sentence: `${command} could not be started as a Python interpreter: ${lastLine(run.errors)}`, remedy: "" };
    }
    const [major, minor] = [Number(version[1]), Number(version[2])];
    if (major < 3 || (major === 3 && minor < 11)) {
        return { sentence: `fixcont needs Python 3.11 or newer; ${command} is Python ${major}.${minor}.`, remedy: "" };
    }
    if (/^ModuleNotFoundError: No module named 'fixcont'$/m.test(run.errors)) {
        return {
            sentence: `fixcont is not installed in ${command} (Python ${major}.${minor}).`,
            remedy: `${quoted(command)} -m pip install fixcont`,
        };
    }
    return { sentence: `fixcont cannot be imported in ${command}: ${lastLine(run.errors)}`, remedy: "" };
}

function lastLine(text: string): string {
    return text.trimEnd().split("\n").at(-1)?.trim() || "it says nothing";
}

/** Write a word so that a shell takes it as one. */
function quoted(word: string): string {
    return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
