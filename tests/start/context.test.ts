import { expect } from "chai";
import { connect, orUndefined } from "@bluegreen/release";
import { makeForeignStart, runLocal, type ForeignStart } from "./support";

describe("npm start -- --context, refused", () => {
  let start: ForeignStart;
  before(async () => {
    start = await makeForeignStart();
  });
  after(() => start.remove());

  it("touches nothing when there is nobody to ask", async () => {
    const { context, namespace, args, env } = start;
    const { code, errors } = await runLocal("start.ts", args, env);
    expect(code).to.equal(1);
    expect(errors)
      .to.include("no terminal")
      .and.include(`make the namespace ${namespace}`)
      .and.include("--yes");
    expect(
      await orUndefined(
        connect({ context, namespace, namespacePerColor: false }).core.readNamespace({ name: namespace }),
      ),
    ).to.equal(undefined);
  });

  it("refuses a namespace that it has not made", async () => {
    const { code, errors } = await runLocal(
      "start.ts",
      [...start.args, "--namespace", "default", "--yes"],
      start.env,
    );
    expect(code).to.equal(1);
    expect(errors).to.include("Namespace default was refused");
  });
});
