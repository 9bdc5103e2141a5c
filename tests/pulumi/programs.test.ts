import { join } from "node:path";
import { expect } from "chai";
import { repositoryDir } from "../../local/paths";
import { run } from "../../local/system/run";

/** Their own tests, with the flags of the build: what that has compiled is not compiled again. */
describe("The language host and the random provider", function () {
  const go = (...args: string[]) =>
    run("go", args, {
      cwd: join(repositoryDir, "local", "programs"),
      env: { ...process.env, CGO_ENABLED: "0" },
    });

  for (const program of ["pulumi-language-nodejs", "pulumi-resource-random"]) {
    it(`${program} passes its tests`, async () => {
      const said = await go("test", "-trimpath", "-buildvcs=false", "-count=1", "-v", `./${program}`);
      expect(said.match(/^--- PASS: Test/gm), said).to.have.length.greaterThan(5);
      expect(said).not.to.match(/^\s*--- SKIP/m);
    });
  }
});
