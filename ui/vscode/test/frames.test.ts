import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { framesOf, placeOf, whyNotIn } from "../src/model/frames";

const SESSION = "0e2b8a50-57a2-4f3e-b1d6-c1c3f5fa9b11";

describe("the frame that a menu of the call stack was opened at", () => {
    const thread = `thread:${SESSION}:140`;
    const context = { sessionId: SESSION, threadId: thread, frameId: `stackframe:${thread}:12:a:b.py`, frameName: "f" };

    it("is read from the editor's names", () =>
        assert.deepEqual(placeOf(context), { sessionId: SESSION, threadId: 140, index: 12 }));

    const others: [string, unknown][] = [
        ["the file of a frame", "file:///code/app.py"],
        ["a thread", { sessionId: SESSION, threadId: thread }],
        ["a frame of another thread", { ...context, threadId: `thread:${SESSION}:141` }],
        ["names that are written otherwise", { ...context, frameId: `stackframe:${thread}:x` }],
        ["nothing", undefined],
    ];
    for (const [what, value] of others) it(`is not read from ${what}`, () => assert.equal(placeOf(value), undefined));
});

describe("the stack", () => {
    it("is read as far as it is used", () => {
        const body = {
            stackFrames: [
                { id: 1, name: "f", line: 3, source: { path: "/code/app.py" } },
                { id: 2, name: "<string>", source: { sourceReference: 7 } },
                { name: "no id" },
            ],
        };
        assert.deepEqual(framesOf(body), [
            { id: 1, name: "f", path: "/code/app.py" },
            { id: 2, name: "<string>", path: "" },
        ]);
        assert.deepEqual(framesOf(undefined), []);
    });

    it("has the paths of the machine that it runs on, even where the editor has made addresses of them", () => {
        const addresses: [string, string][] = [
            ["vscode-remote://127.0.0.1:8123/code/a%20b/app.py", "/code/a b/app.py"],
            ["vscode-remote://ssh-remote%2Bbox/code/app.py", "/code/app.py"],
            ["file:///code/app.py", "/code/app.py"],
            ["/code/100%/app.py", "/code/100%/app.py"],
        ];
        for (const [path, expected] of addresses) {
            assert.equal(framesOf({ stackFrames: [{ id: 1, name: "f", source: { path } }] })[0]?.path, expected);
        }
    });

    it("goes on at a line of the selected frame's file only", () => {
        const frame = { id: 1, name: "f", path: "/code/app.py" };
        assert.equal(whyNotIn("/code/app.py", frame), undefined);
        assert.match(
            whyNotIn("/code/b.py", frame) ?? "",
            /^The selected frame, f, is in \/code\/app\.py\. Select a frame of this file/,
        );
        assert.match(whyNotIn("/code/b.py", { ...frame, path: "" }) ?? "", /has no file/);
        assert.match(whyNotIn("/code/b.py", undefined) ?? "", /not there any more/);
    });
});
