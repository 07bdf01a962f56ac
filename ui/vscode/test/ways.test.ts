import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";

import { contextOf, Knowledge, messageOf, refusalOf, rowsOf, sentence, WAY_KINDS } from "../src/model/ways";
import { WAY_NAMES, waysOf } from "../src/model/wire";

/** As the adapter answers at the failing frame of a generator that has been entered before. */
const known: Knowledge = {
    state: "known",
    ways: waysOf({
        ways: [
            { name: "retry", label: "retry", enabled: true, reason: "resume f at line 3, inside 2 loops" },
            {
                name: "restartFrame",
                label: "restart",
                enabled: false,
                reason: "f was entered before fixcont came; retry goes on in it",
            },
            { name: "undo", label: "undo", enabled: false },
            { name: "somethingNewer", label: "newer", enabled: true, reason: "" },
        ],
    }),
};

describe("what the adapter answers", () => {
    it("is read without the ways that are not known here", () => {
        assert.ok(known.state === "known");
        assert.deepEqual(
            known.ways.map(({ name }) => name),
            ["retry", "restartFrame", "undo"],
        );
    });

    for (const body of [undefined, null, 3, "ways", [], { ways: 3 }, { ways: [null, 3, {}, { name: 3 }] }]) {
        it(`gives no ways where it is ${JSON.stringify(body)}`, () => assert.deepEqual(waysOf(body), []));
    }
});

describe("a way", () => {
    it("can be gone where the adapter says so", () => assert.equal(refusalOf(known, "retry"), undefined));

    it("cannot be gone for the adapter's reason, word for word", () => {
        assert.equal(refusalOf(known, "restartFrame"), "f was entered before fixcont came; retry goes on in it.");
    });

    it("cannot be gone even if the adapter gives no reason", () => assert.match(refusalOf(known, "undo") ?? "", /not possible/));

    it("cannot be gone if the adapter does not know it", () => assert.match(refusalOf(known, "create") ?? "", /does not know/));

    it("cannot be gone while the program runs", () => assert.match(refusalOf({ state: "running" }, "retry") ?? "", /is running/));

    it("cannot be gone before the adapter has answered", () => {
        assert.match(refusalOf({ state: "asking" }, "retry") ?? "", /not answered yet/);
    });

    it("cannot be gone where the adapter failed", () => {
        assert.equal(refusalOf({ state: "failed", reason: "the frame is gone" }, "retry"), "the frame is gone.");
    });
});

describe("the view", () => {
    it("has a line for each way, with the reason in it where it cannot be gone", () => {
        const rows = rowsOf(known);
        assert.deepEqual(
            rows.map(({ kind }) => kind.name),
            WAY_KINDS.filter(({ isRare }) => !isRare).map(({ name }) => name),
        );
        for (const { kind, isEnabled, description, tooltip } of rows) {
            const refusal = refusalOf(known, kind.name);
            assert.equal(isEnabled, refusal === undefined);
            assert.equal(description, refusal ?? "");
            assert.ok(tooltip.includes(refusal ?? kind.help));
            assert.equal(tooltip.endsWith("\n\nresume f at line 3, inside 2 loops."), kind.name === "retry");
        }
    });

    it("has a line for a rare way where the adapter names it", () => {
        const ways = waysOf({ ways: [{ name: "replay", enabled: false, reason: "there is no program" }] });
        const row = rowsOf({ state: "known", ways }).find(({ kind }) => kind.name === "replay");
        assert.equal(row?.description, "there is no program.");
    });

    it("is empty while the program runs, and says so", () => {
        assert.deepEqual(rowsOf({ state: "running" }), []);
        assert.match(messageOf({ state: "running" }), /is running/);
        assert.equal(messageOf(known), "");
    });
});

describe("the context keys", () => {
    it("say for each way whether it can be gone", () => {
        const context = contextOf(known);
        assert.equal(context.get("fixcont.stopped"), true);
        for (const name of WAY_NAMES) assert.equal(context.get(`fixcont.can.${name}`), name === "retry", name);
    });

    it("are all off while the program runs", () => {
        assert.ok([...contextOf({ state: "running" }).values()].every((value) => !value));
    });
});

describe("a sentence", () => {
    const written = [
        ["the frame is gone ", "the frame is gone."],
        ["unit_price is obsolete", "unit_price is obsolete."],
        ["f() has ended!", "f() has ended!"],
        ["", ""],
    ] as const;
    for (const [text, expected] of written) it(JSON.stringify(text), () => assert.equal(sentence(text), expected));
});

describe("the manifest", () => {
    interface Item {
        command?: string;
        when?: string;
    }
    interface Manifest {
        contributes: { commands: { command: string; title: string }[]; menus: Record<string, Item[]> };
    }
    const manifest = JSON.parse(readFileSync(join(__dirname, "../../package.json"), "utf8")) as Manifest;
    const { commands, menus } = manifest.contributes;
    const names = new Set(commands.map(({ command }) => command));

    it("has a command for each way, with the same name but for what tells more, and one that tells why it is refused", () => {
        for (const { name, label, isRare } of WAY_KINDS) {
            const title = commands.find(({ command }) => command === `fixcont.${name}`)?.title;
            assert.ok(title === label || name === "resume", name);
            assert.ok(names.has(`fixcont.refused.${name}`) || name === "resume" || isRare, name);
        }
    });

    it("names no command in its menus that it does not have, and no context key that is not set", () => {
        const keys = new Set(contextOf(known).keys());
        for (const { command, when } of Object.values(menus).flat()) {
            assert.ok(command === undefined || names.has(command), command);
            for (const [key] of (when ?? "").matchAll(/fixcont\.(can\.\w+|stopped)/g)) assert.ok(keys.has(key), key);
        }
    });

    it("shows in the toolbar either a button or the one that tells why it is refused", () => {
        const bar = menus["debug/toolBar"] ?? [];
        assert.equal(bar.length, 8);
        for (const { command, when } of bar) {
            const name = command?.split(".").at(-1);
            const isRefused = command?.startsWith("fixcont.refused.");
            assert.equal(when, `debugType == 'fixcont' && ${isRefused ? "!" : ""}fixcont.can.${name}`);
        }
    });
});
