import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { failureOf, noticeOf, noticesOf } from "../src/model/notices";
import { pythonProcesses } from "../src/model/processes";
import { installedOf } from "../src/model/wire";

describe("the event hotcodereplace", () => {
    const shown: [object, unknown][] = [
        [
            { changeType: "ERROR", message: "app.py: a syntax error in line 3" },
            { level: "error", text: "app.py: a syntax error in line 3." },
        ],
        [{ changeType: "ERROR" }, { level: "error", text: "the saved files were not installed." }],
        [
            { changeType: "WARNING", message: "1 frame still runs old code" },
            { level: "warning", text: "1 frame still runs old code." },
        ],
        [
            { changeType: "END", message: "installed: f (version 2)" },
            { level: "status", text: "installed: f (version 2)" },
        ],
        [{ changeType: "END" }, { level: "status", text: "installed" }],
        [{ changeType: "WARNING", message: " " }, undefined],
        [{ changeType: "STARTING", message: "app.py" }, undefined],
        [{ changeType: "BUILD_COMPLETE" }, undefined],
        [{}, undefined],
    ];
    for (const [body, expected] of shown) it(JSON.stringify(body), () => assert.deepEqual(noticeOf(body), expected));
});

describe("an install that was asked for", () => {
    it("tells what was installed, and what to mind", () => {
        const installed = installedOf({
            changed: ["f", "g"],
            warnings: ["a thread runs the old f"],
            unrun: [{ number: 2, text: "N = 3" }, {}],
        });
        assert.deepEqual(installed.unrun, [{ number: 2, text: "N = 3" }]);
        assert.deepEqual(noticesOf(installed), [
            { level: "status", text: "installed: f, g" },
            { level: "warning", text: "a thread runs the old f." },
        ]);
    });

    it("tells that there was nothing", () => {
        assert.deepEqual(noticesOf(installedOf(undefined)), [{ level: "status", text: "nothing has changed" }]);
    });
});

describe("a request that failed", () => {
    const refused = {
        type: "response",
        success: false,
        command: "fixcont/retry",
        message: "not-trapped",
        body: {
            error: {
                id: 3001,
                format: "{function} has no trap",
                showUser: true,
                variables: { function: "f", code: "not-trapped" },
            },
        },
    };

    it("is told by the adapter's sentence, which the editor has shown already", () => {
        assert.deepEqual(failureOf(refused), { request: "fixcont/retry", text: "f has no trap", isShown: true });
    });

    it("is to be shown here if the adapter does not want the editor to", () => {
        const silent = { ...refused, body: { error: { id: 1, format: "the frame is gone" } } };
        assert.deepEqual(failureOf(silent), { request: "fixcont/retry", text: "the frame is gone", isShown: false });
        assert.deepEqual(failureOf({ ...refused, body: {} }), { request: "fixcont/retry", text: "not-trapped", isShown: false });
    });

    it("is nobody's business if it is another one's, or succeeded", () => {
        assert.equal(failureOf({ ...refused, command: "evaluate" }), undefined);
        assert.equal(failureOf({ ...refused, success: true }), undefined);
        assert.equal(failureOf({ type: "event", event: "stopped" }), undefined);
        assert.equal(failureOf(undefined), undefined);
    });
});

it("the processes to attach to are Python's, the latest first", () => {
    const listing = [
        "    1 /sbin/init",
        "   77 /usr/bin/python3.14 server.py --port 1",
        "  802 /code/.venv/bin/python -m app",
        "  803 vim python.py",
        "  804 python3.14t worker.py",
        "",
    ].join("\n");
    assert.deepEqual(pythonProcesses(listing), [
        { id: 804, commandLine: "python3.14t worker.py" },
        { id: 802, commandLine: "/code/.venv/bin/python -m app" },
        { id: 77, commandLine: "/usr/bin/python3.14 server.py --port 1" },
    ]);
});
