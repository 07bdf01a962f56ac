import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";

import { Document, editor, Session, settle, Uri } from "./standIn";

// It imports "vscode", so it must come after the stand-in.
import { activate } from "../src/extension";

const ALL_WAYS = ["restartFrame", "retry", "skip", "returnFromFrame", "useValue", "throw", "resume", "undo", "create"];
const REASON = "tabulate was entered before fixcont came; retry goes on in it";

/** A session that is stopped, in which a way can be gone unless it is named. */
async function stopped({ refused = [] as string[] } = {}): Promise<Session> {
    const session = editor.start("session");
    session.answers.set("fixcont/ways", {
        ways: ALL_WAYS.map((name) => ({
            name,
            label: name,
            enabled: !refused.includes(name),
            reason: refused.includes(name) ? REASON : "",
        })),
    });
    session.answers.set("stackTrace", { stackFrames: [{ id: 11, name: "tabulate", source: { path: "/code/app.py" } }] });
    await editor.select(session, 1, 11);
    session.requests.length = 0;
    return session;
}

/** The fields of an object of the editor's. */
function plain(value: unknown): unknown {
    return JSON.parse(JSON.stringify(value));
}

/** What was asked of the adapter but which ways there are. */
function wanted(session: Session): [string, unknown][] {
    return session.requests.filter(([request]) => request !== "fixcont/ways");
}

const remembered = new Map<string, unknown>();

before(() => {
    const globalState = {
        get: (key: string) => remembered.get(key),
        update: async (key: string, value: unknown) => void remembered.set(key, value),
    };
    activate({ subscriptions: [], globalState } as unknown as Parameters<typeof activate>[0]);
});
beforeEach(async () => {
    await editor.goOn();
    editor.shown.length = 0;
    editor.answers = [];
    editor.boxes.length = 0;
    editor.texts.length = 0;
    editor.settings.clear();
    editor.activeEditor = undefined;
});

it("every command of the manifest is there, and no other", () => {
    const manifest = JSON.parse(readFileSync(join(__dirname, "../../package.json"), "utf8")) as {
        contributes: { commands: { command: string }[] };
    };
    const contributed = manifest.contributes.commands.map(({ command }) => command);
    assert.deepEqual([...editor.commands.keys()].filter((name) => name !== "fixcont.refused.resume").sort(), contributed.sort());
});

describe("the selected frame", () => {
    it("decides which buttons there are", async () => {
        await stopped({ refused: ["retry"] });
        assert.equal(editor.context.get("fixcont.stopped"), true);
        assert.equal(editor.context.get("fixcont.can.restartFrame"), true);
        assert.equal(editor.context.get("fixcont.can.retry"), false);
        await editor.goOn();
        assert.equal(editor.context.get("fixcont.stopped"), false);
        assert.equal(editor.context.get("fixcont.can.restartFrame"), false);
    });

    it("fills the view, with the reason as tooltip", async () => {
        await stopped({ refused: ["retry"] });
        const items = (editor.view?.getChildren() ?? []).map((row) => editor.view?.getTreeItem(row) ?? {});
        assert.equal(items.length, ALL_WAYS.length);
        const retry = items.find(({ id }) => id === "retry");
        assert.match(String(retry?.["tooltip"]), new RegExp(`Retry Statement: ${REASON}`));
        assert.deepEqual(plain(retry?.["iconPath"]), { id: "debug-continue", color: { id: "disabledForeground" } });
        assert.deepEqual(plain(items.find(({ id }) => id === "skip")?.["iconPath"]), { id: "debug-step-over" });
    });

    it("opens the view, at the first stop of all", async () => {
        editor.reveals = 0;
        await stopped();
        assert.equal(editor.reveals, 0); // an earlier test has had the first
        remembered.clear();
        await stopped();
        await stopped();
        assert.equal(editor.reveals, 1);
    });

    it("is asked again after an install, and a late answer about an earlier frame is nobody's business", async () => {
        const session = await stopped({ refused: ["retry"] });
        let release: (ways: unknown) => void = () => undefined;
        const late = session.answers.get("fixcont/ways");
        session.answers.set("fixcont/ways", new Promise((resolve) => (release = resolve)));
        const first = editor.select(session, 1, 12);
        session.answers.set("fixcont/ways", { ways: [{ name: "retry", enabled: true }] });
        await editor.customEvent.fire({
            session,
            event: "hotcodereplace",
            body: { changeType: "END", message: "installed: tabulate" },
        });
        assert.equal(editor.context.get("fixcont.can.retry"), true);
        release(late);
        await first;
        await settle();
        assert.equal(editor.context.get("fixcont.can.retry"), true);
        assert.deepEqual(editor.shown, [["status", "$(check) installed: tabulate"]]);
    });

    it("may be of another debugger", async () => {
        const session = await stopped();
        Object.assign(session, { type: "debugpy" });
        await editor.select(session, 1, 11);
        assert.equal(editor.context.get("fixcont.stopped"), false);
        assert.deepEqual(session.requests, []);
    });
});

describe("a way", () => {
    it("is gone from the selected frame", async () => {
        const session = await stopped();
        await editor.run("fixcont.restartFrame");
        assert.deepEqual(wanted(session), [["fixcont/restart", { frameId: 11 }]]);
        assert.deepEqual(editor.shown, []);
    });

    it("is gone from a line of the view", async () => {
        const session = await stopped();
        await editor.run("fixcont.go", "skip");
        assert.deepEqual(wanted(session), [["fixcont/skip", { frameId: 11 }]]);
    });

    it("is gone from the frame that the call stack's menu was opened at", async () => {
        const session = await stopped();
        session.answers.set("stackTrace", { stackFrames: [{ id: 17, name: "main", source: { path: "/code/app.py" } }] });
        const thread = "thread:session:1";
        const place = { sessionId: "session", threadId: thread, frameId: `stackframe:${thread}:3:app.py` };
        await editor.run("fixcont.retry", "file:///code/app.py", place);
        assert.deepEqual(wanted(session), [
            ["stackTrace", { threadId: 1, startFrame: 3, levels: 1 }],
            ["fixcont/retry", { frameId: 17 }],
        ]);
    });

    for (const command of ["fixcont.retry", "fixcont.refused.retry"]) {
        it(`that is refused is told, and not gone (${command})`, async () => {
            const session = await stopped({ refused: ["retry"] });
            await editor.run(command);
            assert.deepEqual(wanted(session), []);
            assert.deepEqual(editor.shown, [["information", `Retry Statement: ${REASON}.`]]);
        });
    }

    it("is refused while the program runs", async () => {
        await editor.run("fixcont.refused.restartFrame");
        assert.deepEqual(editor.shown, [
            ["information", "Restart on New Code: The program is running: pause it, or wait until it stops."],
        ]);
    });

    it("asks for its expression, and offers the last one", async () => {
        const session = await stopped();
        editor.answers = [" {'a': 1} "];
        await editor.run("fixcont.returnFromFrame");
        assert.deepEqual(wanted(session), [["fixcont/returnFromFrame", { frameId: 11, expression: "{'a': 1}" }]]);
        await editor.run("fixcont.returnFromFrame");
        assert.equal(editor.boxes.at(-1)?.["value"], " {'a': 1} ");
    });

    it("is not gone if the question is not answered", async () => {
        const session = await stopped();
        for (const name of ["useValue", "throw", "undo"]) await editor.run(`fixcont.${name}`);
        assert.deepEqual(wanted(session), []);
    });

    it("that the adapter refuses after all is shown once", async () => {
        const session = await stopped();
        session.refusals.set("fixcont/retry", { format: "the stack has changed", showUser: true });
        session.refusals.set("fixcont/skip", { format: "the stack has changed" });
        await editor.run("fixcont.retry");
        assert.deepEqual(editor.shown, [["error by the editor", "the stack has changed"]]);
        await editor.run("fixcont.skip");
        assert.deepEqual(editor.shown.slice(1), [["error", "the stack has changed."]]);
    });

    it("saves files before new code runs, and then leaves it to the program whether it can be gone", async () => {
        const session = await stopped({ refused: ["retry"] });
        const [changed, other] = [new Document("/code/app.py", true), new Document("/code/notes.md", true, "markdown")];
        editor.texts.push(changed, other);
        await editor.run("fixcont.retry");
        assert.deepEqual([changed.saves, other.saves], [1, 0]);
        assert.deepEqual(wanted(session), [["fixcont/retry", { frameId: 11 }]]);
    });

    it("leaves files alone if it runs no new code, or the user does not want it", async () => {
        await stopped();
        const changed = new Document("/code/app.py", true);
        editor.texts.push(changed);
        editor.answers = ["0"];
        await editor.run("fixcont.returnFromFrame");
        editor.settings.set("saveBeforeGoingOn", false);
        await editor.run("fixcont.retry");
        assert.equal(changed.saves, 0);
    });
});

describe("resume at a line", () => {
    beforeEach(() => {
        editor.activeEditor = { document: new Document("/code/app.py"), selection: { active: { line: 41 } } };
    });

    it("goes on at the cursor's line, counted from one", async () => {
        const session = await stopped();
        await editor.run("fixcont.resume");
        assert.deepEqual(wanted(session).at(-1), ["fixcont/resume", { frameId: 11, line: 42 }]);
    });

    it("goes on at the line whose number was clicked", async () => {
        const session = await stopped();
        await editor.run("fixcont.resume", { lineNumber: 7 });
        assert.deepEqual(wanted(session).at(-1), ["fixcont/resume", { frameId: 11, line: 7 }]);
    });

    it("is refused in another file than the frame's", async () => {
        const session = await stopped();
        editor.activeEditor = { document: new Document("/code/b.py"), selection: { active: { line: 0 } } };
        await editor.run("fixcont.resume");
        assert.ok(!wanted(session).some(([request]) => request === "fixcont/resume"));
        assert.match(editor.shown[0]?.[1] ?? "", /The selected frame, tabulate, is in \/code\/app\.py/);
    });
});

describe("an edit", () => {
    it("is taken back where the user says, and what that did is shown", async () => {
        const session = await stopped();
        session.answers.set("fixcont/undo", { lines: ["undone: tabulate (version 1)"] });
        editor.answers = ["In the files too"];
        await editor.run("fixcont.undo");
        assert.deepEqual(wanted(session), [["fixcont/undo", { frameId: 11, files: true }]]);
        assert.deepEqual(editor.shown, [["information", "undone: tabulate (version 1)"]]);
    });

    it("is installed on demand, with what it did not run", async () => {
        const session = await stopped();
        session.answers.set("fixcont/install", {
            changed: ["tabulate"],
            warnings: ["a generator runs the old code"],
            unrun: [
                { number: 1, text: "LIMIT = 3" },
                { number: 2, text: "main()" },
            ],
        });
        editor.answers = [["LIMIT = 3"]];
        await editor.run("fixcont.install");
        assert.deepEqual(wanted(session), [
            ["fixcont/install", {}],
            ["fixcont/rerun", { number: 1 }],
        ]);
        assert.deepEqual(editor.shown, [
            ["status", "$(check) installed: tabulate"],
            ["warning", "a generator runs the old code."],
        ]);
    });
});

describe("a frame that has unwound", () => {
    async function dead(): Promise<Session> {
        const session = await stopped({ refused: ALL_WAYS });
        const ways = [...ALL_WAYS, "replay", "replayRetry"].map((name) => ({
            name,
            label: name,
            enabled: name.startsWith("replay"),
            reason: REASON,
        }));
        session.answers.set("fixcont/ways", { ways });
        await editor.select(session, 1, 11);
        session.requests.length = 0;
        return session;
    }

    it("has two more ways, which lead through one request", async () => {
        const session = await dead();
        assert.equal(editor.view?.getChildren().length, ALL_WAYS.length + 2);
        assert.equal(editor.context.get("fixcont.can.replay"), true);
        await editor.run("fixcont.replay");
        await editor.run("fixcont.go", "replayRetry");
        assert.deepEqual(wanted(session), [
            ["fixcont/replay", { frameId: 11 }],
            ["fixcont/replay", { frameId: 11, retry: true }],
        ]);
    });
});

describe("a saved stop", () => {
    const started = { name: "fixcont: crash.stop", type: "fixcont", request: "launch", openStop: "/code/crash.stop" };

    it("is chosen in a dialog, or where a menu was opened", async () => {
        editor.started.length = 0;
        editor.answers = [[new Uri("/code/crash.stop")]];
        await editor.run("fixcont.openSavedStop");
        await editor.run("fixcont.openSavedStop", new Uri("/code/crash.stop"));
        assert.deepEqual(editor.started, [started, started]);
    });

    it("is not opened if the user thinks better of it", async () => {
        editor.started.length = 0;
        await editor.run("fixcont.openSavedStop");
        assert.deepEqual(editor.started, []);
    });
});

describe("what is run", () => {
    let folder = "";
    before(() => (folder = mkdtempSync(join(tmpdir(), "fixcont-"))));
    after(() => rmSync(folder, { recursive: true }));

    /** An interpreter that answers the question for fixcont with yes or no. */
    function interpreter(hasFixcont: boolean): string {
        const path = join(folder, hasFixcont ? "with" : "without");
        const error = hasFixcont ? "" : "echo \"ModuleNotFoundError: No module named 'fixcont'\" >&2; exit 1\n";
        writeFileSync(path, `#!/bin/sh\necho 3.13\n${error}`, { mode: 0o755 });
        return path;
    }

    async function resolved(configuration: object): Promise<Record<string, unknown> | undefined> {
        const [provider] = editor.providers;
        const completed = provider?.["resolveDebugConfiguration"]?.(undefined, configuration);
        if (completed === undefined) return undefined;
        const checked = await provider?.["resolveDebugConfigurationWithSubstitutedVariables"]?.(undefined, completed);
        return checked as Record<string, unknown> | undefined;
    }

    it("is the editor's file, if there is nothing else, as the settings say", async () => {
        const program = join(folder, "app.py");
        writeFileSync(program, "");
        editor.activeEditor = { document: new Document(program), selection: { active: { line: 0 } } };
        editor.settings.set("autoInstall", "manual");
        const python = interpreter(true);
        const configuration = await resolved({ python });
        assert.equal(configuration?.["program"], program);
        assert.equal(configuration?.["cwd"], folder);
        assert.equal(configuration?.["autoInstall"], false);

        const session = editor.start("another");
        Object.assign(session.configuration, configuration);
        assert.deepEqual(plain(editor.descriptorFactory?.createDebugAdapterDescriptor(session)), {
            command: python,
            args: ["-m", "fixcont.dap"],
            options: {},
        });
    });

    it("is refused where fixcont is missing", async () => {
        const python = interpreter(false);
        assert.equal(await resolved({ type: "fixcont", request: "launch", name: "n", module: "m", python }), undefined);
        assert.deepEqual(editor.shown, [["error", `fixcont is not installed in ${python} (Python 3.13).`]]);
    });

    it("is refused where there is nothing", async () => {
        assert.equal(await resolved({}), undefined);
        assert.match(editor.shown[0]?.[1] ?? "", /^Open the Python file/);
    });
});
