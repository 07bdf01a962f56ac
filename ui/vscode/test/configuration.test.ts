import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { checked, completed, Configuration, offered, Outcome, savedStop, Surroundings } from "../src/model/configuration";

const around: Surroundings = {
    folder: "/code",
    installsAtOnce: true,
    isFile: (path) =>
        path === "/code/app.py" || path === "/code/sub/app.py" || path === "/other/app.py" || path === "/code/sub/crash.stop",
    isFolder: (path) => path === "/code" || path === "/code/sub",
};

function launch(attributes: Record<string, unknown>): Configuration {
    return { type: "fixcont", request: "launch", name: "test", ...attributes };
}

function attach(attributes: Record<string, unknown>): Configuration {
    return { type: "fixcont", request: "attach", name: "test", ...attributes };
}

function made(outcome: Outcome): Configuration {
    assert.ok("configuration" in outcome, "refusal" in outcome ? outcome.refusal : "");
    return outcome.configuration;
}

function refusal(outcome: Outcome): string {
    assert.ok("refusal" in outcome, "it was accepted");
    return outcome.refusal;
}

describe("without a launch.json", () => {
    it("the file in the editor is run", () => {
        const { program, type, request } = made(completed({}, "/code/app.py"));
        assert.deepEqual([program, type, request], ["/code/app.py", "fixcont", "launch"]);
    });

    it("whether to debug is kept", () => assert.equal(made(completed({ noDebug: true }, "/code/app.py"))["noDebug"], true));

    it("something to run is needed", () => assert.match(refusal(completed({}, undefined)), /^Open the Python file/));

    it("what is offered can be used once its variables are put in", () => {
        for (const configuration of offered()) {
            const text = JSON.stringify(configuration)
                .replaceAll("${file}", "/code/app.py")
                .replaceAll("${command:pickProcess}", "77");
            made(checked(JSON.parse(text) as Configuration, around));
        }
    });
});

describe("a configuration that is there", () => {
    it("is kept", () => {
        const given = launch({ module: "app", args: ["1"] });
        assert.deepEqual(made(completed(given, "/code/other.py")), given);
    });
});

describe("a launch", () => {
    const programs: [string, Record<string, unknown>, string, string][] = [
        ["in the workspace", { program: "app.py" }, "/code/app.py", "/code"],
        ["in the configuration's folder", { program: "app.py", cwd: "sub" }, "/code/sub/app.py", "/code/sub"],
        ["by its full path", { program: "/other/app.py" }, "/other/app.py", "/code"],
    ];
    for (const [where, attributes, program, cwd] of programs) {
        it(`finds its program ${where}`, () => {
            const configuration = made(checked(launch(attributes), around));
            assert.deepEqual([configuration["program"], configuration["cwd"]], [program, cwd]);
        });
    }

    it("runs in the program's folder where there is no workspace", () => {
        const configuration = made(checked(launch({ program: "/other/app.py" }), { ...around, folder: undefined }));
        assert.equal(configuration["cwd"], "/other");
    });

    it("finds the saved stop that it is to show", () => {
        const configuration = made(checked(launch({ openStop: "crash.stop", cwd: "sub", unpickle: true }), around));
        assert.deepEqual([configuration["openStop"], configuration["cwd"]], ["/code/sub/crash.stop", "/code/sub"]);
        assert.deepEqual(made(checked(savedStop("/code/sub/crash.stop"), around))["openStop"], "/code/sub/crash.stop");
    });

    it("leaves out what is empty", () => {
        const configuration = made(checked(launch({ program: "", module: "app" }), around));
        assert.ok(!("program" in configuration));
    });

    const refused: [string, Record<string, unknown>, RegExp][] = [
        ["nothing to run", {}, /does not say what to run/],
        ["two things to run", { program: "app.py", module: "app" }, /has program and module/],
        ["a saved stop besides", { module: "app", openStop: "crash.stop" }, /has module and openStop/],
        ["a saved stop that is not there", { openStop: "gone.stop" }, /^There is no saved stop \/code\/gone\.stop\.$/],
        ["a program that is not there", { program: "gone.py" }, /^There is no file \/code\/gone\.py to run\.$/],
        ["a folder as its program", { program: "sub" }, /^There is no file \/code\/sub to run\.$/],
        ["a cwd that is not there", { module: "app", cwd: "gone" }, /cwd is no folder: \/code\/gone$/],
    ];
    for (const [what, attributes, expected] of refused) {
        it(`with ${what} is refused`, () => assert.match(refusal(checked(launch(attributes), around)), expected));
    }
});

describe("an attach", () => {
    it("writes ports and process ids as numbers", () => {
        assert.deepEqual(made(checked(attach({ connect: { host: "h", port: "5678" } }), around))["connect"], {
            host: "h",
            port: 5678,
        });
        assert.equal(made(checked(attach({ port: "5678" }), around))["port"], 5678);
        assert.equal(made(checked(attach({ processId: "77" }), around))["processId"], 77);
    });

    it("does not touch what it was given", () => {
        const given = attach({ connect: { port: "5678" } });
        checked(given, around);
        assert.deepEqual(given["connect"], { port: "5678" });
    });

    const refused: [string, Record<string, unknown>, RegExp][] = [
        ["nothing", {}, /does not say what to attach to/],
        ["a port and a process", { port: 1, processId: 2 }, /has port and processId/],
        ["a port that cannot be", { port: 70000 }, /port is no number that can be: 70000$/],
        ["a process that is no number", { processId: "python" }, /processId is no number that can be: "python"$/],
        ["no port to connect to", { connect: { host: "h" } }, /connect has no port/],
        ["an address as a text", { connect: "h:5678" }, /connect is to be written as/],
    ];
    for (const [what, attributes, expected] of refused) {
        it(`to ${what} is refused`, () => assert.match(refusal(checked(attach(attributes), around)), expected));
    }
});

describe("autoInstall", () => {
    for (const setting of [true, false]) {
        it(`is the setting's (${setting}) where the configuration has none`, () => {
            const here = { ...around, installsAtOnce: setting };
            assert.equal(made(checked(launch({ module: "app" }), here))["autoInstall"], setting);
            assert.equal(made(checked(attach({ port: 1 }), here))["autoInstall"], setting);
            assert.equal(made(checked(attach({ port: 1, autoInstall: !setting }), here))["autoInstall"], !setting);
        });
    }
});

it("another request is refused", () => {
    assert.match(refusal(checked({ ...launch({ module: "app" }), request: "test" }, around)), /"launch" or "attach", not "test"/);
});
