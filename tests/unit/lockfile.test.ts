import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect } from "chai";

/**
 * `npm install` writes a lockfile that lacks the packages it could not find for other platforms, and says
 * nothing; `npm ci` then refuses it on every clean checkout.
 */
describe("package-lock.json", () => {
  it("is accepted by `npm ci`", function () {
    const { status, stderr } = spawnSync("npm", ["ci", "--dry-run", "--offline", "--ignore-scripts"], {
      cwd: join(__dirname, "..", ".."),
      encoding: "utf8",
    });
    expect(status, stderr).to.equal(0);
  });
});
