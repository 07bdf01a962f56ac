import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, it } from "node:test";

import { adapterArguments, checkArguments, CheckRun, choosePython, Python, whyNotWith } from "../src/model/python";

const FOLDER = "/home/someone/project";

describe("the interpreter", () => {
    const chosen: [string, unknown, string | undefined, Python][] = [
        ["is the configuration's", "/usr/bin/python3.13", "/selected/python", ["/usr/bin/python3.13"]],
        ["may have options", ["python3", "-X", "dev"], "/selected/python", ["python3", "-X", "dev"]],
        ["is looked up in the workspace if its path is relative", ".venv/bin/python", undefined, [`${FOLDER}/.venv/bin/python`]],
        ["is looked up on the path if it is a name", "python3.14", undefined, ["python3.14"]],
        ["is the selected one if there is none in the configuration", undefined, "/selected/python", ["/selected/python"]],
        ["is the selected one if the configuration's is empty", "", "/selected/python", ["/selected/python"]],
        ["is python3 if there is nothing else", undefined, undefined, ["python3"]],
        ["is python3 if what is configured is no name", 3, undefined, ["python3"]],
    ];
    for (const [what, configured, selected, expected] of chosen) {
        it(what, () => assert.deepEqual(choosePython(configured, selected, FOLDER), expected));
    }

    it("is started with its options and the adapter's module", () => {
        assert.deepEqual(adapterArguments(["python3", "-X", "dev"]), ["-X", "dev", "-m", "fixcont.dap"]);
    });
});

describe("an interpreter without fixcont", () => {
    const ran = (status: number, output: string, errors = ""): CheckRun => ({ failure: "", status, output, errors });
    const python: Python = ["/opt/my python/bin/python"];

    it("is told with the command that installs it", () => {
        const traceback = 'Traceback (most recent call last):\n  File "<string>", line 1\n';
        const run = ran(1, "3.13\n", `${traceback}ModuleNotFoundError: No module named 'fixcont'\n`);
        assert.deepEqual(whyNotWith(python, run), {
            sentence: "fixcont is not installed in /opt/my python/bin/python (Python 3.13).",
            remedy: "'/opt/my python/bin/python' -m pip install fixcont",
        });
    });

    it("is found out by running it", () => {
        // -S and -I: neither site-packages nor the folder of these tests can have it.
        const here: Python = ["python3", "-I", "-S"];
        const run = spawnSync(here[0], checkArguments(here), { encoding: "utf8" });
        const cannot = whyNotWith(here, ran(run.status ?? -1, run.stdout, run.stderr));
        assert.match(cannot?.sentence ?? "", /^fixcont (is not installed in python3|needs Python 3\.11 or newer)/);
    });

    const others: [string, CheckRun, RegExp][] = [
        [
            "too old",
            ran(1, "3.10\n", "ModuleNotFoundError: No module named 'fixcont'\n"),
            /needs Python 3\.11 or newer; .* is Python 3\.10/,
        ],
        [
            "broken",
            ran(1, "3.13\n", "ImportError: cannot import name 'x'\n"),
            /cannot be imported .*: ImportError: cannot import name 'x'$/,
        ],
        ["not Python", ran(127, "", "no such option\n"), /could not be started as a Python interpreter: no such option$/],
        ["not there", { ...ran(1, ""), failure: "ENOENT" }, /^There is no Python interpreter \/opt\/my python/],
        ["not executable", { ...ran(1, ""), failure: "EACCES" }, /could not be started: EACCES\.$/],
    ];
    for (const [what, run, expected] of others) {
        it(`is told without such a command where it is ${what}`, () => {
            const cannot = whyNotWith(python, run);
            assert.match(cannot?.sentence ?? "", expected);
            assert.equal(cannot?.remedy, "");
        });
    }

    it("is no matter where fixcont is there", () => assert.equal(whyNotWith(python, ran(0, "3.14\n")), undefined));
});
