import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect } from "chai";
import { bluegreen } from "../../cli/commands";

const root = join(__dirname, "..", "..");

/** Which files a process has loaded once it has run a script. */
function loadedBy(script: string, ...preload: string[]): string[] {
  const list = `${script}; console.log(JSON.stringify(Object.keys(require.cache)))`;
  return JSON.parse(execFileSync(process.execPath, [...preload.flatMap((file) => ["-r", file]), "-e", list], { cwd: root, encoding: "utf8" })) as string[];
}

describe("The program", function () {
  this.timeout(60_000);

  it("loads no client of what only its steps talk to: every preview would pay for it", () => {
    const loaded = loadedBy('require("@bluegreen/components/release")');
    expect(loaded.filter((file) => /node_modules\/(@kubernetes\/client-node|pg|ioredis|libpg-query)\//.test(file))).to.deep.equal([]);
    expect(loaded.some((file) => file.includes("@pulumi/kubernetes"))).to.equal(true);
  });

  it("compiles nothing", () => {
    const loaded = loadedBy('require("@bluegreen/components")');
    expect(loaded.filter((file) => /node_modules\/(ts-node|@swc\/core)\//.test(file))).to.deep.equal([]);
    expect(loaded.some((file) => file.endsWith("components/dist/steps.js"))).to.equal(true);
  });
});

describe("The command line", function () {
  this.timeout(60_000);

  it("loads nothing of Pulumi's before something is run by it: a rollback at night would wait for it", () => {
    const loaded = loadedBy('require("./cli/commands").bluegreen()', "./local/typescript.cjs");
    expect(loaded.filter((file) => file.includes("@pulumi"))).to.deep.equal([]);
    expect(loaded.some((file) => file.endsWith("cli/pulumi/stack.ts"))).to.equal(true);
  });

  it("loads no other command than the one that is typed", () => {
    const loaded = loadedBy('require("./cli/commands").bluegreen("history")', "./local/typescript.cjs");
    expect(loaded.some((file) => file.endsWith("cli/history.ts"))).to.equal(true);
    expect(loaded.filter((file) => /cli\/(?:status|dashboard|init|lint|switch)\.ts$/.test(file))).to.deep.equal([]);
  });

  it("takes no word for a command that JavaScript knows and the program does not", () => {
    const every = bluegreen().commands.length;
    for (const word of ["constructor", "toString", "__proto__"]) expect(bluegreen(word).commands, word).to.have.length(every);
  });
});
