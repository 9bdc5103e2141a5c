import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { refuseFailure } from "@bluegreen/release";
import { runMocha, type SuiteResult } from "@bluegreen/release/gates/mochaRun";
import { gone } from "../support/processes";

const gate = { color: "green", version: "v2", suite: "tests/smoke/**/*.ts", budgetSeconds: 300 } as const;
const result = (part: Partial<SuiteResult>): SuiteResult => ({ passed: [], failed: [], timedOut: false, exitCode: 0, stderr: "", ...part });
const refuse = (part: Partial<SuiteResult>) => () => { refuseFailure(gate, result(part)); };

describe("The smoke gate's verdict", () => {
  it("lets a suite pass that ran and passed whole", () => {
    expect(refuse({ passed: ["a", "b"] })).not.to.throw();
  });

  it("names every failing test", () => {
    const failed = [{ title: "The app serves users", error: "expected 500 to equal 200\nstack" }, { title: "The app is healthy", error: "no" }];
    expect(refuse({ passed: ["a"], failed, exitCode: 2 })).to.throw(/green \(v2\) failed[\s\S]*2 of 3 tests failed[\s\S]*✗ The app serves users\n\s+expected 500 to equal 200\n[\s\S]*✗ The app is healthy[\s\S]*greenTag/);
  });

  it("does not take silence for success", () => {
    expect(refuse({})).to.throw(/proved nothing: 0 tests ran/);
    expect(refuse({ passed: ["a"], exitCode: 7, stderr: "Cannot find module" })).to.throw(/mocha ended with 7[\s\S]*Cannot find module/);
    expect(refuse({ passed: ["a"], exitCode: null })).to.throw(/a signal/);
  });

  it("says what had passed when the budget ran out", () => {
    expect(refuse({ passed: ["a", "b"], timedOut: true, exitCode: null })).to.throw(/ran out of its 300 s[\s\S]*2 tests had passed, 0 failed/);
  });
});

describe("A suite's run in a process of its own", () => {
  let folder: string;
  // Inside the project: mocha and ts-node are found from there.
  beforeEach(async () => {
    folder = await mkdtemp(join("tests", ".suite-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const runSuite = async (source: string, budgetMs = 60_000) => {
    await writeFile(join(folder, "suite.ts"), source);
    return runMocha({ cwd: process.cwd(), suite: `${folder}/*.ts`, env: { BASE_URL: "http://127.0.0.1:1" }, budgetMs });
  };

  it("tells passed and failed tests apart by their full names", async () => {
    const { passed, failed, exitCode } = await runSuite(`
      describe("app", () => {
        it("answers", () => { if (process.env["BASE_URL"] !== "http://127.0.0.1:1") throw new Error("no address"); });
        it("counts", () => { console.log("noise"); throw new Error("one is not two"); });
      });`);
    expect(passed).to.deep.equal(["app answers"]);
    expect(failed).to.deep.equal([{ title: "app counts", error: "one is not two" }]);
    expect(exitCode).to.equal(1);
  });

  it("tells what has passed after each test, while others still run", async () => {
    const told: number[] = [];
    await writeFile(join(folder, "suite.ts"), `it("a", () => undefined); it("b", () => undefined); it("c", () => undefined);`);
    await runMocha({ cwd: process.cwd(), suite: `${folder}/*.ts`, env: {}, budgetMs: 60_000, onTest: ({ passed }) => told.push(passed.length) });
    expect(told).to.deep.equal([1, 2, 3]);
  });

  it("gives the suite none of this process's variables", async () => {
    process.env["DATABASE_URL"] = "postgres://app:hunter2@db/app";
    try {
      const { passed } = await runSuite(`it("sees no secret", () => { if (process.env["DATABASE_URL"] !== undefined) throw new Error("seen"); });`);
      expect(passed).to.deep.equal(["sees no secret"]);
    } finally {
      delete process.env["DATABASE_URL"];
    }
  });

  it("is ended when its budget runs out, and still tells what had passed", async () => {
    const run = await runSuite(`it("is quick", () => {}); it("hangs", function () { this.timeout(0); return new Promise(() => { setInterval(() => {}, 1000); }); });`, 12_000);
    expect(run).to.deep.include({ passed: ["is quick"], timedOut: true, exitCode: null });
  });

  for (const [how, then] of [["runs out of its budget", "return new Promise(() => { setInterval(() => {}, 1000); });"], ["ends by itself", ""]] as const) {
    it(`takes along what a test has started with its own output, when it ${how}`, async () => {
      const pidFile = join(process.cwd(), folder, "pid");
      await runSuite(`
        it("starts a server", function () {
          this.timeout(0);
          const { pid } = require("node:child_process").spawn("sleep", ["600"], { stdio: "inherit" });
          require("node:fs").writeFileSync(${JSON.stringify(pidFile)}, String(pid));
          ${then}
        });`, 6_000);
      const pid = Number(await readFile(pidFile, "utf8"));
      await gone(pid);
    });
  }

  it("keeps the reason when a file does not even load", async () => {
    const { passed, exitCode, stderr } = await runSuite(`import "no-such-package";`);
    expect(passed).to.deep.equal([]);
    expect(exitCode).not.to.equal(0);
    expect(stderr).to.contain("no-such-package");
  });
});
