// The processes that can be attached to.

export interface Process {
    readonly id: number;
    readonly commandLine: string;
}

/** The command that lists all processes, on Linux and macOS alike. */
export const LISTING = { command: "ps", arguments: ["-axww", "-o", "pid=,args="] } as const;

/** Give the processes of a listing that look like Python's, the latest first. */
export function pythonProcesses(listing: string): Process[] {
    return listing
        .split("\n")
        .flatMap((line) => {
            const [, id, commandLine] = /^\s*(\d+)\s+(.*\S)\s*$/.exec(line) ?? [];
            return id !== undefined && commandLine !== undefined ? [{ id: Number(id), commandLine }] : [];
        })
        .filter(({ commandLine }) => /(^|\/)python[\d.]*t?d?$/i.test(commandLine.split(" ", 1)[0] ?? ""))
        .sort((a, b) => b.id - a.id);
}
