import { expect } from "chai";
import { names, poll } from "@bluegreen/release";
import { takeLease } from "@bluegreen/release/kubernetes/lease";
import { mergeData } from "@bluegreen/release/kubernetes/jsonConfigMap";
import { appLabels } from "@bluegreen/release/app/names";
import { labelRecords } from "@bluegreen/release/state/releaseLock";
import { makeNamespace, type TestNamespace } from "../support/testNamespace";

const app = "chatgpt-app";

/** What ReleaseUnlock does at the end of an update, while another update may have the lock already. */
describe("Labels and annotations of config on what steps have written, on a real cluster", function () {
  let test: TestNamespace;
  before(async () => {
    test = await makeNamespace();
  });
  after(() => test.remove());

  const label = (labels: Record<string, string>, annotations: Record<string, string> = {}) =>
    labelRecords(test.cluster, app, { labels, annotations });
  const release = async () =>
    test.cluster.core.readNamespacedConfigMap({ name: names.release(app), namespace: test.namespace });
  const lease = async () =>
    test.cluster.coordination.readNamespacedLease({
      name: names.releaseLease(app),
      namespace: test.namespace,
    });

  it("make no object that is not there", async () => {
    await label({ team: "checkout" });
    const { items } = await test.cluster.coordination.listNamespacedLease({ namespace: test.namespace });
    expect(items).to.deep.equal([]);
  });

  it("come, change and go with config, beside the program's own and those of others", async () => {
    await mergeData(test.cluster, names.release(app), appLabels(app), { key: "value" });
    await label({ team: "checkout" }, { "example.com/owner": "checkout" });
    const { metadata, data } = await release();
    expect(data).to.deep.equal({ key: "value" });
    expect(metadata?.labels).to.deep.equal({ ...appLabels(app), team: "checkout" });
    expect(metadata?.annotations).to.include({ "example.com/owner": "checkout" });
    await label({ team: "payments" });
    expect((await release()).metadata?.labels).to.include({ team: "payments" });
    await label({});
    const bare = await release();
    expect(bare.metadata?.labels).to.deep.equal(appLabels(app));
    expect(bare.metadata?.annotations ?? {}).to.deep.equal({});
  });

  it("take no lock from who has it", async () => {
    const options = { holder: "somebody", seconds: 3, waitMs: 0 };
    const answer = await takeLease(test.cluster, names.releaseLease(app), options);
    if (!("held" in answer)) throw new Error(`held by ${answer.heldBy}`);
    await label({ team: "checkout" });
    const { metadata, spec } = await lease();
    expect(metadata?.labels).to.include({ team: "checkout" });
    const renewed = await poll(
      async () => {
        const now = await lease();
        return String(now.spec?.renewTime) === String(spec?.renewTime) ? undefined : now;
      },
      { timeoutMs: 300_000 },
    );
    expect(renewed.metadata?.labels).to.include({ team: "checkout" });
    expect(renewed.spec?.holderIdentity).to.equal("somebody");
    expect(answer.held.lost.aborted).to.equal(false);
    await answer.held.release();
    expect((await lease()).spec?.holderIdentity ?? "").to.equal("");
  });
});
