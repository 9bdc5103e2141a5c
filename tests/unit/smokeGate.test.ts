import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { refuseFailure } from "@bluegreen/release";
import { loadSuite, runMocha, type SuiteInputs, type SuiteResult } from "@bluegreen/release/gates/suite";
import { failsWith } from "../support/failsWith";
import { gone } from "../support/processes";

const gate: SuiteInputs = {
  color: "green",
  version: "v2",
  suite: "tests/smoke/**/*.ts",
  suiteEnv: [],
  budgetSeconds: 300,
};
const result = (part: Partial<SuiteResult>): SuiteResult => ({
  passed: [],
  failed: [],
  timedOut: false,
  exitCode: 0,
  stderr: "",
  ...part,
});
const refuse = (part: Partial<SuiteResult>) => () => {
  refuseFailure(gate, result(part));
};

describe("The smoke gate's verdict", () => {
  it("lets a suite pass that ran and passed whole", () => {
    expect(refuse({ passed: ["a", "b"] })).not.to.throw();
  });

  it("names every failing test", async () => {
    const failed = [
      { title: "The app serves traffic", error: "expected 500 to equal 200\n\n  ok" },
      { title: "The app is healthy", error: "no" },
    ];
    expect(await failsWith("BG-SMOKE-FAILED", refuse({ passed: ["a"], failed, exitCode: 2 }))).to.match(
      /green \(v2\) failed[\s\S]*2 of 3 tests failed[\s\S]*✗ The app serves traffic\n\s+expected 500 to equal 200\n +ok\n[\s\S]*✗ The app is healthy[\s\S]*greenTag/,
    );
  });

  it("does not take silence for success", async () => {
    const code = "BG-SMOKE-NO-TESTS";
    expect(await failsWith(code, refuse({}))).to.contain("0 tests ran");
    expect(await failsWith(code, refuse({ passed: ["a"], exitCode: 7, stderr: "Cannot find module" })))
      .to.contain("mocha ended with 7")
      .and.contain("Cannot find module");
    expect(await failsWith(code, refuse({ passed: ["a"], exitCode: null }))).to.contain("a signal");
  });

  it("says what had passed when the budget ran out", async () => {
    const late = refuse({ passed: ["a", "b"], timedOut: true, exitCode: null });
    expect(await failsWith("BG-SMOKE-TIMEOUT", late))
      .to.contain("300 s")
      .and.contain("2 tests had passed, 0 failed");
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
    return runMocha({
      cwd: process.cwd(),
      suite: `${folder}/*.ts`,
      env: { BASE_URL: "http://127.0.0.1:1" },
      budgetMs,
    });
  };

  it("tells passed and failed tests apart by their full names", async () => {
    const { passed, failed, exitCode } = await runSuite(`
      describe("app", () => {
        it("answers", () => { if (process.env["BASE_URL"] !== "http://127.0.0.1:1") throw new Error("no address"); });
        it("counts", () => { console.log("noise"); throw new Error("one is not two"); });
      });`);
    expect(passed).to.deep.equal(["app answers"]);
    const [{ title, error } = { title: "", error: "" }] = failed;
    expect(title).to.equal("app counts");
    expect(error).to.match(/^one is not two\nat .*suite\.ts:4:\d+\)$/);
    expect(exitCode).to.equal(1);
  });

  it("tells the whole of a failure: what was expected, and what came instead", async () => {
    const { failed } = await runSuite(`
      import { strict as assert } from "node:assert";
      import { expect } from "chai";
      it("asserts", () => { assert.equal("shut", "open"); });
      it("expects", () => { expect({ open: false, rest: "x".repeat(60) }).to.deep.equal({ open: true }); });`);
    expect(failed.map(({ error }) => error).join("\n"))
      .to.contain("'shut' !== 'open'")
      .and.contain("expected: { open: true }")
      .and.contain("open: false");
  });

  it("loads tests whatever the program's own tsconfig.json and package.json say", async () => {
    const source = `
      import { word } from "./support/words.js";
      import { other } from "./support/words";
      enum Shop { open = "open" }
      it("is open", () => { if (word !== Shop.open || other !== 1) throw new Error(word); });`;
    // Outside of this one, whose .mocharc.cjs has a compiler of its own.
    const program = await mkdtemp(join(tmpdir(), "bg-program-"));
    try {
      await symlink(join(process.cwd(), "node_modules"), join(program, "node_modules"));
      await mkdir(join(program, "support"));
      await writeFile(join(program, "support", "words.ts"), `export const word: string = "open", other = 1;`);
      await writeFile(join(program, "package.json"), `{ "type": "module" }`);
      await writeFile(join(program, "suite.ts"), source);
      for (const tsconfig of [
        `{ "compilerOptions": { "module": "commonjs", "target": "es5", "moduleResolution": "node", "outDir": "bin" } }`,
        `{ "compilerOptions": { "module": "nodenext", "verbatimModuleSyntax": true, "erasableSyntaxOnly": true } }`,
        `{ "files": ["index.ts"] }`,
      ]) {
        await writeFile(join(program, "tsconfig.json"), tsconfig);
        const { passed, stderr } = await runMocha({ cwd: program, suite: "*.ts", env: {}, budgetMs: 60_000 });
        expect(passed, `${tsconfig}\n${stderr}`).to.deep.equal(["is open"]);
      }
    } finally {
      await rm(program, { recursive: true });
    }
  });

  it("tells what has passed after each test, while others still run", async () => {
    const told: number[] = [];
    await writeFile(
      join(folder, "suite.ts"),
      `it("a", () => undefined); it("b", () => undefined); it("c", () => undefined);`,
    );
    await runMocha({
      cwd: process.cwd(),
      suite: `${folder}/*.ts`,
      env: {},
      budgetMs: 60_000,
      onTest: ({ passed }) => told.push(passed.length),
    });
    expect(told).to.deep.equal([1, 2, 3]);
  });

  it("gives the suite none of this process's variables", async () => {
    process.env["DATABASE_URL"] = "postgres://app:hunter2@db/app";
    try {
      const { passed } = await runSuite(
        `it("sees no secret", () => { if (process.env["DATABASE_URL"] !== undefined) throw new Error("seen"); });`,
      );
      expect(passed).to.deep.equal(["sees no secret"]);
    } finally {
      delete process.env["DATABASE_URL"];
    }
  });

  it("is ended when its budget runs out, and still tells what had passed", async () => {
    const run = await runSuite(
      `it("is quick", () => {}); it("hangs", function () { this.timeout(0); return new Promise(() => { setInterval(() => {}, 1000); }); });`,
      12_000,
    );
    expect(run).to.deep.include({ passed: ["is quick"], timedOut: true, exitCode: null });
  });

  for (const [how, then] of [
    ["runs out of its budget", "return new Promise(() => { setInterval(() => {}, 1000); });"],
    ["ends by itself", ""],
  ] as const) {
    it(`takes along what a test has started with its own output, when it ${how}`, async () => {
      const pidFile = join(process.cwd(), folder, "pid");
      await runSuite(
        `
        it("starts a server", function () {
          this.timeout(0);
          const { pid } = require("node:child_process").spawn("sleep", ["600"], { stdio: "inherit" });
          require("node:fs").writeFileSync(${JSON.stringify(pidFile)}, String(pid));
          ${then}
        });`,
        6_000,
      );
      const pid = Number(await readFile(pidFile, "utf8"));
      await gone(pid);
    });
  }

  it("is refused in a preview, before anything rolls out, when it does not load or has no test", async () => {
    const code = "BG-SMOKE-NO-TESTS";
    const at = (name: string) => ({ ...gate, suite: `${folder}/${name}.ts` });
    await writeFile(join(folder, "broken.ts"), `import "no-such-package"; it("is never run", () => {});`);
    expect(await failsWith(code, () => loadSuite(at("broken"))))
      .to.contain("no-such-package")
      .and.contain("nothing was touched");
    await writeFile(join(folder, "none.ts"), `export const nothing = 1;`);
    await failsWith(code, () => loadSuite(at("none")));
    await writeFile(
      join(folder, "well.ts"),
      `it("fails when it is run", () => { throw new Error("run"); });`,
    );
    await loadSuite(at("well"));
  });

  it("keeps the reason when a file does not even load", async () => {
    const { passed, exitCode, stderr } = await runSuite(`import "no-such-package";`);
    expect(passed).to.deep.equal([]);
    expect(exitCode).not.to.equal(0);
    expect(stderr).to.contain("no-such-package");
  });
});
