import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import type { Readable } from "node:stream";
import { expect } from "chai";

/** As Pulumi's provider process is: it says whatever nobody has caught. */
const child = `
  const { writeSync } = require("node:fs");
  const { starterGone } = require("@bluegreen/release/util/process");
  process.on("uncaughtException", ({ code }) => { writeSync(3, "uncaught " + code); process.exit(1); });
  starterGone().addEventListener("abort", () => {
    process.stdout.write("a word", () => process.stderr.write("another", () => setImmediate(() => { writeSync(3, "at its end"); process.exit(0); })));
  });
  process.stdin.on("end", () => undefined);
  setInterval(() => undefined, 1000);`;

describe("A step whose starter was killed", () => {
  it("continues, and what it says then is no error", async () => {
    const step = spawn(process.execPath, ["-e", child], { stdio: ["pipe", "pipe", "pipe", "pipe"] });
    const report = text(step.stdio[3] as Readable);
    await once(step, "spawn");
    step.stdout.destroy();
    step.stderr.destroy();
    step.stdin.destroy();
    expect(await report).to.equal("at its end");
  });
});
