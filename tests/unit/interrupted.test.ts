import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { poll } from "@bluegreen/release";
import { interruptAll, runBatch } from "../runner/runBatch";
import { Children } from "../support/children";

describe("Tests that are told to stop", () => {
  let folder: string;
  let log: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "bg-told-"));
    log = join(folder, "log");
    writeFileSync(log, "");
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const said = () => readFileSync(log, "utf8").trim().split("\n");
  const until = (word: string) =>
    poll(() => Promise.resolve(said().includes(word) || undefined), { timeoutMs: 300_000, intervalMs: 20 });

  /** A file of tests; its hook at the end ends once there is a file "go". */
  const suite = (waiting: string): string => {
    const file = join(folder, "it.test.cjs");
    writeFileSync(
      file,
      `const { appendFileSync, existsSync } = require("node:fs");
      const say = (word) => appendFileSync(${JSON.stringify(log)}, word + "\\n");
      const waits = () => { say("waits"); return new Promise(() => undefined); };
      describe("A suite", () => {
        after(async () => {
          say("cleans up");
          while (!existsSync(${JSON.stringify(join(folder, "go"))})) await new Promise((done) => setTimeout(done, 20));
          say("clean");
        });
        describe("of two", () => {
          ${waiting}
          it("the second", () => say("second"));
        });
      });`,
    );
    return file;
  };

  for (const [what, waiting, failing] of [
    ["a test", 'it("the first", waits);', "A suite › of two › the first"],
    ["a hook", "before(waits);", 'A suite › of two › "before all" hook'],
  ] as const)
    it(`clean up, however often they are told, where ${what} waits`, async () => {
      const batch = { suite: { name: "told" }, files: [suite(waiting)] };
      const running = runBatch(batch, () => undefined);
      await until("waits");
      interruptAll();
      await until("cleans up");
      interruptAll();
      writeFileSync(join(folder, "go"), "");
      const { passed, failed } = await running;
      expect(said()).to.deep.equal(["waits", "cleans up", "clean"]);
      expect([passed, failed.length]).to.deep.equal([0, 1]);
      expect(failed[0]?.title).to.include(failing);
      expect(failed[0]?.error).to.include("interrupted by SIGINT");
    });

  it("end the processes that they wait for, and let them clean up", async () => {
    const children = new Children();
    const marks = ["started", "ended"].map((name) => join(folder, name));
    const [started = "", ended = ""] = marks;
    const program = `const { writeFileSync } = require("node:fs");
      process.on("SIGINT", () => { writeFileSync(${JSON.stringify(ended)}, ""); process.exit(130); });
      setInterval(() => undefined, 1000);
      writeFileSync(${JSON.stringify(started)}, "");`;
    const run = children.run(process.execPath, ["-e", program]);
    await poll(() => Promise.resolve(existsSync(started) || undefined), {
      timeoutMs: 300_000,
      intervalMs: 20,
    });
    await children.end();
    expect(existsSync(ended)).to.equal(true);
    expect((await run).code).to.equal(130);
    await children.end();
  });
});
