import { rm } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { connect, orUndefined } from "@bluegreen/release";
import { repositoryDir } from "../../local/paths";
import {
  expectRelease,
  makeForeignStart,
  runLocal,
  runTimeoutMs,
  testRate,
  type ForeignStart,
} from "../start/support";

describe("npm start -- --context", () => {
  let start: ForeignStart;
  before(async () => {
    start = await makeForeignStart();
  });
  after(() => start.remove());

  it("does the same in a cluster that it has not made, and can be taken away again", async () => {
    const { context, namespace, args, env } = start;
    const ended = await runLocal("start.ts", [...args, "--yes", "--json", "--rate", testRate], env);
    expectRelease(ended);
    const { errors } = ended;
    expect(errors)
      .to.include("export PULUMI_STACK=")
      .and.include(
        `kubectl --context ${context} --namespace ${namespace} port-forward service/chatgpt-app-service 8080:80`,
      )
      .and.not.include("/?token=");
    const exported = Object.fromEntries(
      [...errors.matchAll(/^ {2}export (\w+)=(.*)$/gm)].map(([, name = "", value = ""]) => [name, value]),
    );
    const destroyed = await runLocal("pulumi.ts", ["destroy", "--yes"], exported);
    expect(destroyed.code, destroyed.errors + destroyed.output).to.equal(0);
    expect(
      await orUndefined(
        connect({ context, namespace, namespacePerColor: false }).core.readNamespace({ name: namespace }),
      ),
    ).to.equal(undefined);
    await rm(join(repositoryDir, `Pulumi.${exported["PULUMI_STACK"] ?? "unknown"}.yaml`));
  }).timeout(runTimeoutMs);
});
