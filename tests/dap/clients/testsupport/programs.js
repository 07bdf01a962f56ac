"use strict";
// Programs of tests/programs as files that a test may edit.

const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");

const PROGRAMS = path.resolve(__dirname, "../../../programs");

/** A copy of tests/programs/NAME.py in a folder of its own; lines are found by their labels: `# @label`. */
class Program {
  constructor(name) {
    this.folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "fixcont-client-")));
    this.path = path.join(this.folder, `${name}.py`);
    fs.copyFileSync(path.join(PROGRAMS, `${name}.py`), this.path);
  }

  line(label) {
    const lines = fs.readFileSync(this.path, "utf8").split("\n");
    const found = lines.flatMap((line, index) => (new RegExp(`# @${label}\\b`).test(line) ? [index + 1] : []));
    if (found.length !== 1) throw new Error(`label @${label} stands ${found.length} times in ${this.path}`);
    return found[0];
  }

  /** Save the file with `before`, which stands in it once, turned into `after`. */
  edit(before, after) {
    const parts = fs.readFileSync(this.path, "utf8").split(before);
    if (parts.length !== 2) throw new Error(`${before} stands ${parts.length - 1} times in ${this.path}`);
    fs.writeFileSync(this.path, parts.join(after));
  }

  remove() {
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}

module.exports = { Program };
