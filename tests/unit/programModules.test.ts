import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect } from "chai";

const root = join(__dirname, "..", "..");

describe("The program", () => {
  it("loads no client of what only its steps talk to: every preview would pay for it", function () {
    this.timeout(60_000);
    const list = 'require("./components/release"); console.log(JSON.stringify(Object.keys(require.cache)))';
    const loaded = JSON.parse(execFileSync(process.execPath, ["-r", "ts-node/register/transpile-only", "-e", list], { cwd: root, encoding: "utf8" })) as string[];
    expect(loaded.filter((file) => /node_modules\/(@kubernetes\/client-node|pg|ioredis|libpg-query)\//.test(file))).to.deep.equal([]);
    expect(loaded.some((file) => file.includes("@pulumi/kubernetes"))).to.equal(true);
  });
});
