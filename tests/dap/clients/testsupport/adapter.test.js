"use strict";
// The adapter as the protocol's authors test adapters: with their own client, and first with what their own samples check.

const assert = require("node:assert/strict");
const { once } = require("node:events");
const { afterEach, beforeEach, describe, test } = require("node:test");
const { DebugClient } = require("@vscode/debugadapter-testsupport");
const { Program } = require("./programs");

const PYTHON = process.env.FIXCONT_PYTHON || "python3";
const DEADLINE = 1000 * Number(process.env.FIXCONT_TEST_DEADLINE || 30);
const MENDED = ["total / count  # @fails", "total / count if count else 0.0  # @fails"];

let client, ended, program, printed;

beforeEach(async () => {
  program = new Program("orders");
  client = new DebugClient(PYTHON, "-mfixcont.dap", "fixcont", { cwd: program.folder });
  client.defaultTimeout = DEADLINE;
  client.setMaxListeners(50);
  await client.start();
  ended = once(client._adapterProcess, "exit");
  printed = { stdout: "", stderr: "", console: "", important: "" };
  client.on("output", (event) => (printed[event.body.category ?? "console"] += event.body.output));
});

afterEach(async () => {
  // An adapter that has ended, as it does after a disconnect, answers no more: the client would wait for ever.
  await Promise.race([client.stop(), ended]);
  program.remove();
});

const launching = (more = {}) => ({ program: program.path, ...more });

/** Launch, and stop at the exception. Gives the stopped thread and its frames. */
async function failing(more = {}) {
  const [, , stack] = await Promise.all([
    client.configurationSequence(),
    client.launch(launching(more)),
    client.assertStoppedLocation("exception", { path: program.path, line: program.line("fails") }),
  ]);
  return stack.body.stackFrames;
}

/** Wait for the event of an install, of this type. Gives its message. */
function told(changeType) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no install told ${changeType}`)), DEADLINE);
    client.on("hotcodereplace", ({ body }) => {
      if (body.changeType !== changeType) return;
      clearTimeout(timer);
      resolve(body.message);
    });
  });
}

/** Save the repair, and wait until the adapter has told that it is installed. */
async function mend(...edit) {
  const installed = told("END");
  program.edit(...(edit.length ? edit : MENDED));
  return installed;
}

/** Let a request lead to the end of the program, and check that it ended well, in the process that it began in. */
async function endsWell(going) {
  const exited = client.waitForEvent("exited");
  const terminated = client.waitForEvent("terminated");
  await going();
  assert.equal((await exited).body.exitCode, 0);
  await terminated;
  const began = /^process (\d+)\n/.exec(printed.stdout);
  assert.ok(began, printed.stdout);
  assert.equal(printed.stdout, `process ${began[1]}\nnails: 0.03\nrope: 0.0\nglue: 2.5\n3 lines by process ${began[1]}\n`);
}

/** The error of a request that must fail. */
async function failure(request) {
  try {
    await request;
  } catch (error) {
    return error.message;
  }
  return assert.fail("the request did not fail");
}

describe("what every adapter must do", () => {
  test("an unknown request is an error", async () => {
    assert.match(await failure(client.send("illegal_request")), /illegal_request/);
  });

  test("initialize tells what the adapter can", async () => {
    const { body } = await client.initializeRequest();
    assert.equal(body.supportsConfigurationDoneRequest, true);
    assert.equal(body.supportsRestartFrame, true);
    assert.equal(body.supportsGotoTargetsRequest, true);
  });

  test("initialize refuses a format of paths that it does not know", async () => {
    const wrong = { adapterID: "fixcont", linesStartAt1: true, columnsStartAt1: true, pathFormat: "url" };
    assert.match(await failure(client.initializeRequest(wrong)), /url/);
  });

  test("a request before launch is an error, and the session goes on", async () => {
    await client.initializeRequest();
    assert.match(await failure(client.threadsRequest()), /launch/);
  });

  test("a program runs to its end", async () => {
    program.edit(...MENDED);
    await endsWell(() => Promise.all([client.configurationSequence(), client.launch(launching())]));
  });

  test("a program that is not there is an error that says so", async () => {
    const wrong = launching({ program: `${program.folder}/none.py` });
    await client.initializeRequest();
    assert.match(await failure(client.launchRequest(wrong)), /none\.py/);
  });

  test("it stops at the entry", async () => {
    await Promise.all([
      client.configurationSequence(),
      client.launch(launching({ stopOnEntry: true })),
      client.assertStoppedLocation("entry", { path: program.path, line: 1 }),
    ]);
    const { body } = await client.threadsRequest();
    assert.deepEqual(body.threads.map((each) => each.name), ["MainThread"]);
  });

  test("it stops at a breakpoint", async () => {
    await client.hitBreakpoint(
      launching(),
      { path: program.path, line: program.line("prints"), verified: false }, // the file is not loaded then
    );
  });

  test("a breakpoint that was set early is verified when the file is loaded", async () => {
    const bound = client.waitForEvent("breakpoint");
    await client.hitBreakpoint(launching(), { path: program.path, line: program.line("prints"), verified: false });
    const { body } = await bound;
    assert.equal(body.reason, "changed");
    assert.equal(body.breakpoint.verified, true);
    assert.equal(body.breakpoint.line, program.line("prints"));
  });

  test("steps in, over and out", async () => {
    await client.hitBreakpoint(launching(), { path: program.path, line: program.line("calls"), verified: false });
    const step = (how, label) =>
      Promise.all([client[how]({ threadId: 1 }), client.assertStoppedLocation("step", { line: program.line(label) })]);
    await step("stepInRequest", "fails");
    await step("nextRequest", "rounds");
    await step("stepOutRequest", "prints");
  });

  test("output comes as it is printed", async () => {
    await Promise.all([
      client.configurationSequence(),
      client.launch(launching()),
      client.assertOutput("stdout", "process "),
      client.waitForEvent("stopped"),
    ]);
  });

  test("scopes, variables, and setting one", async () => {
    const [frame] = await failing();
    const scopes = (await client.scopesRequest({ frameId: frame.id })).body.scopes;
    const locals = scopes.find((each) => each.presentationHint === "locals");
    const { variables } = (await client.variablesRequest({ variablesReference: locals.variablesReference })).body;
    assert.deepEqual(variables.map((each) => `${each.name}=${each.value}`), ["total=9.0", "count=0"]);
    const set = { variablesReference: locals.variablesReference, name: "count", value: "len('ab')" };
    assert.equal((await client.setVariableRequest(set)).body.value, "2");
    assert.equal((await client.evaluateRequest({ frameId: frame.id, expression: "total / count" })).body.result, "4.5");
  });

  test("the filters of exceptions are obeyed", async () => {
    const handled = "price = unit_price(total, count)  # @calls";
    program.edit(
      handled,
      `try:\n            ${handled}\n        except ZeroDivisionError:\n            price = 0.0`,
    );
    const initialized = client.waitForEvent("initialized");
    const stopped = client.assertStoppedLocation("exception", { line: program.line("fails") });
    const launched = client.launch(launching());
    await initialized;
    await client.setExceptionBreakpointsRequest({ filters: ["raised"] });
    await client.configurationDoneRequest();
    await Promise.all([launched, stopped]);
    await client.setExceptionBreakpointsRequest({ filters: ["unhandled"] });
    await endsWell(() => client.continueRequest({ threadId: 1 }));
  });

  test("no filter, no stop", async () => {
    const initialized = client.waitForEvent("initialized");
    const exited = client.waitForEvent("exited");
    const launched = client.launch(launching());
    await initialized;
    await client.setExceptionBreakpointsRequest({ filters: [] });
    await client.configurationDoneRequest();
    await launched;
    assert.equal((await exited).body.exitCode, 1);
    assert.match(printed.stderr, /ZeroDivisionError: (float )?division by zero\n$/);
  });

  test("exceptionInfo tells what was raised", async () => {
    await failing();
    const { body } = await client.exceptionInfoRequest({ threadId: 1 });
    assert.equal(body.exceptionId, "ZeroDivisionError");
    assert.match(body.description, /division by zero/);
    assert.equal(body.breakMode, "userUnhandled");
  });

  test("terminate ends the program", async () => {
    await failing();
    const terminated = client.waitForEvent("terminated");
    await client.terminateRequest({});
    await terminated;
  });

  test("disconnect without ending the program lets it go on", async () => {
    await failing();
    const exited = client.waitForEvent("exited");
    await client.disconnectRequest({ terminateDebuggee: false });
    assert.equal((await exited).body.exitCode, 1); // as if nobody had looked
  });
});

describe("fix and continue", () => {
  test("saving installs, restartFrame restarts on the new code", async () => {
    const [frame] = await failing();
    assert.equal(frame.canRestart, true);
    assert.match(await mend(), /unit_price/);
    await Promise.all([
      client.restartFrameRequest({ frameId: frame.id }),
      client.assertStoppedLocation("restart", { path: program.path, line: program.line("fails") }),
    ]);
    await endsWell(() => client.continueRequest({ threadId: 1 }));
  });

  test("goto leads into the edited code", async () => {
    await failing();
    await mend("    price = total", "    if not count:\n        return 0.0  # @new\n    price = total");
    const source = { path: program.path };
    const { targets } = (await client.gotoTargetsRequest({ source, line: program.line("new") })).body;
    assert.deepEqual(targets.map((each) => each.line), [program.line("new")]);
    await Promise.all([
      client.gotoRequest({ threadId: 1, targetId: targets[0].id }),
      client.assertStoppedLocation("goto", { path: program.path, line: program.line("new") }),
    ]);
    await endsWell(() => client.continueRequest({ threadId: 1 }));
  });

  test("goto to a line of no frame on the stack is refused", async () => {
    await failing();
    const refused = await failure(client.gotoTargetsRequest({ source: { path: __filename }, line: 2 }));
    assert.match(refused, /no frame of the stop can go on there/);
  });

  test("the caller's frame is restarted, and has its loop again", async () => {
    const frames = await failing();
    const caller = frames.find((each) => each.name === "report");
    await mend("for name, total, count in orders:", "for name, total, count in [each for each in orders if each[2]]:");
    await Promise.all([
      client.restartFrameRequest({ frameId: caller.id }),
      client.assertStoppedLocation("restart", { path: program.path }),
    ]);
    const exited = client.waitForEvent("exited");
    await client.continueRequest({ threadId: 1 });
    assert.equal((await exited).body.exitCode, 0);
    assert.match(printed.stdout, /^process \d+\nnails: 0.03\nnails: 0.03\nglue: 2.5\n2 lines/);
  });

  test("fixcont/retry goes on in the middle", async () => {
    const [frame] = await failing();
    await mend();
    await endsWell(() => client.customRequest("fixcont/retry", { frameId: frame.id }));
  });

  test("fixcont/useValue and fixcont/returnFromFrame", async () => {
    const [frame] = await failing();
    const { ways } = (await client.customRequest("fixcont/ways", { frameId: frame.id })).body;
    assert.ok(ways.find((each) => each.name === "useValue").enabled);
    await endsWell(() => client.customRequest("fixcont/useValue", { frameId: frame.id, expression: "total * count" }));
  });

  test("an edit that does not compile is told, and nothing is lost", async () => {
    const [frame] = await failing();
    const refused = told("ERROR");
    program.edit("price = total / count", "price = = total");
    assert.match(await refused, /orders\.py:7.*nothing was installed/s);
    assert.match(await failure(client.restartFrameRequest({ frameId: frame.id })), /does not compile/);
    assert.equal(printed.important.match(/does not compile/g).length, 1); // told once, however often it is tried
    await mend("price = = total", "price = total / count if count else 0.0");
    await endsWell(() => client.customRequest("fixcont/retry", { frameId: frame.id }));
  });

  test("commands typed into the debug console", async () => {
    const [frame] = await failing();
    await mend();
    const type = (expression) => client.evaluateRequest({ frameId: frame.id, context: "repl", expression });
    assert.equal((await type("p total, count")).body.result, "(9.0, 0)");
    await endsWell(() => type("retry"));
  });
});
