// Debug configurations: those that are offered, and what is made of one before it goes to the adapter.

import { homedir } from "node:os";
import { basename, dirname, isAbsolute, join } from "node:path";

export const DEBUG_TYPE = "fixcont";

/** A debug configuration, as it stands in launch.json. */
export interface Configuration {
    type: string;
    request: string;
    name: string;
    [attribute: string]: unknown;
}

/** What is made of a configuration, or why it cannot be used, in a sentence. */
export type Outcome = { readonly configuration: Configuration } | { readonly refusal: string };

/** What a configuration is read against. */
export interface Surroundings {
    /** The workspace's folder, if there is one. */
    readonly folder: string | undefined;
    /** The setting fixcont.autoInstall. */
    readonly installsAtOnce: boolean;
    isFile(path: string): boolean;
    isFolder(path: string): boolean;
}

const WHAT_TO_RUN = ["program", "module", "openStop"] as const;

/** The configuration that runs a file. */
export function currentFile(file: string): Configuration {
    return { name: "fixcont: current file", type: DEBUG_TYPE, request: "launch", program: file, console: "integratedTerminal" };
}

/** The configuration that shows a saved stop. */
export function savedStop(file: string): Configuration {
    return { name: `fixcont: ${basename(file)}`, type: DEBUG_TYPE, request: "launch", openStop: file };
}

/** The configurations that need no launch.json. */
export function offered(): Configuration[] {
    return [
        currentFile("${file}"),
        {
            name: "fixcont: pytest on this file",
            type: DEBUG_TYPE,
            request: "launch",
            module: "pytest",
            args: ["${file}", "-p", "no:cacheprovider"],
            console: "integratedTerminal",
        },
        {
            name: "fixcont: attach to process",
            type: DEBUG_TYPE,
            request: "attach",
            processId: "${command:pickProcess}",
        },
    ];
}

/**
 * Make a configuration of what the editor has, before variables are put in.
 *
 * Without a launch.json there is none: then the file in the editor is run.
 */
export function completed(given: Partial<Configuration>, editorsFile: string | undefined): Outcome {
    const { type, request, name } = given;
    if (type || request || name) {
        return {
            configuration: { ...given, type: type ?? DEBUG_TYPE, request: request ?? "launch", name: name ?? "fixcont" },
        };
    }
    if (editorsFile === undefined) return { refusal: "Open the Python file that is to be run, or write a launch.json." };
    return { configuration: { ...given, ...currentFile(editorsFile) } };
}

/** Check a configuration whose variables have been put in, and write paths, numbers and settings into it as the adapter takes them. */
export function checked(given: Configuration, around: Surroundings): Outcome {
    const configuration = { ...given, autoInstall: given["autoInstall"] ?? around.installsAtOnce };
    switch (given.request) {
        case "launch":
            return checkedLaunch(configuration, around);
        case "attach":
            return checkedAttach(configuration);
        default:
            return { refusal: `The request of a fixcont configuration is "launch" or "attach", not "${given.request}".` };
    }
}

function checkedLaunch(configuration: Configuration, around: Surroundings): Outcome {
    const named = WHAT_TO_RUN.filter((attribute) => isSaid(configuration[attribute]));
    if (named.length === 0)
        return { refusal: "The configuration does not say what to run: it needs a program, a module or openStop." };
    if (named.length > 1) return { refusal: `The configuration has ${named.join(" and ")}: one of them is to be run.` };
    const program = configuration["program"];
    const cwd = textOf(configuration["cwd"]);
    const { folder } = around;
    const made: Configuration = { ...configuration };
    for (const attribute of WHAT_TO_RUN) if (!isSaid(made[attribute])) delete made[attribute];
    if (cwd !== undefined) {
        made["cwd"] = absolute(cwd, folder);
        if (!around.isFolder(absolute(cwd, folder)))
            return { refusal: `The configuration's cwd is no folder: ${absolute(cwd, folder)}` };
    } else if (folder !== undefined) {
        made["cwd"] = folder;
    }
    if (typeof program === "string" && isSaid(program)) {
        const path = absolute(program, textOf(made["cwd"]) ?? folder);
        if (!around.isFile(path)) return { refusal: `There is no file ${path} to run.` };
        made["program"] = path;
        made["cwd"] ??= dirname(path);
    }
    const stop = textOf(made["openStop"]);
    if (stop !== undefined) {
        const path = absolute(stop, textOf(made["cwd"]) ?? folder);
        if (!around.isFile(path)) return { refusal: `There is no saved stop ${path}.` };
        made["openStop"] = path;
    }
    return { configuration: made };
}

function checkedAttach(configuration: Configuration): Outcome {
    const named = ["connect", "port", "processId"].filter((attribute) => isSaid(configuration[attribute]));
    if (named.length === 0) {
        return { refusal: "The configuration does not say what to attach to: it needs connect with a port, or a processId." };
    }
    if (named.length > 1) return { refusal: `The configuration has ${named.join(" and ")}: one of them is to be attached to.` };
    const made: Configuration = { ...configuration };
    const { connect } = made as { connect?: unknown };
    const numbers: [Record<string, unknown>, string][] = [
        [made, "port"],
        [made, "processId"],
    ];
    if (typeof connect === "object" && connect !== null) {
        const copied = { ...(connect as Record<string, unknown>) };
        made["connect"] = copied;
        if (!isSaid(copied["port"])) return { refusal: "The configuration's connect has no port." };
        numbers.push([copied, "port"]);
    } else if (isSaid(connect)) {
        return { refusal: 'The configuration\'s connect is to be written as { "host": …, "port": … }.' };
    }
    for (const [holder, attribute] of numbers) {
        if (!isSaid(holder[attribute])) {
            delete holder[attribute];
            continue;
        }
        const number = Number(holder[attribute]);
        const most = attribute === "port" ? 65535 : Number.MAX_SAFE_INTEGER;
        if (!Number.isInteger(number) || number < 1 || number > most) {
            return { refusal: `The configuration's ${attribute} is no number that can be: ${JSON.stringify(holder[attribute])}` };
        }
        holder[attribute] = number;
    }
    return { configuration: made };
}

function isSaid(value: unknown): boolean {
    return value !== undefined && value !== null && value !== "";
}

function textOf(value: unknown): string | undefined {
    return typeof value === "string" && value !== "" ? value : undefined;
}

function absolute(path: string, folder: string | undefined): string {
    if (path === "~" || path.startsWith("~/")) return join(homedir(), path.slice(1));
    return isAbsolute(path) || folder === undefined ? path : join(folder, path);
}
