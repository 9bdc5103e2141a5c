import { expect } from "chai";
import type { LiveLockInputs } from "@bluegreen/release";
import { startStep, type RunningStep } from "./stepProvider";
import { makeNamespace, type TestNamespace } from "../support/testNamespace";

describe("The live lock, in Pulumi's provider process and on a real cluster", () => {
  let home: TestNamespace;
  let lock: RunningStep;
  before(async () => {
    home = await makeNamespace();
    lock = await startStep("liveLock", { KUBECONFIG: home.stage.kubeconfig });
  });
  after(async () => {
    await lock.close();
    await home.remove();
  });

  const inputs = (part: Partial<LiveLockInputs> = {}): LiveLockInputs => ({
    ...home.where,
    activeColor: "blue",
    templates: { blue: "aaa", green: "bbb" },
    configs: { blue: ["chatgpt-app-blue-1"], green: ["chatgpt-app-green-1"] },
    allowLiveChange: false,
    ...part,
  });
  const reasons = async (part?: Partial<LiveLockInputs>) => (await lock.check(inputs(part))).map(({ property, reason }) => `${property}: ${reason}`);

  it("lets the first release of an empty namespace through", async () => {
    expect(await reasons()).to.deep.equal([]);
  });

  it("stops everything when the live color is unknown", async () => {
    const { core } = home.cluster;
    const metadata = { name: "chatgpt-app-service", namespace: home.namespace };
    await core.createNamespacedService({ namespace: home.namespace, body: { metadata, spec: { selector: { app: "chatgpt-app", version: "purple" }, ports: [{ port: 80 }] } } });
    const [reason] = await reasons();
    expect(reason).to.contain("activeColor: The live color of Service").and.contain('version="purple"').and.contain("kubectl");
  });

  it("lets the idle color change and refuses that the live one does", async () => {
    const { core, apps } = home.cluster;
    await core.replaceNamespacedService({
      name: "chatgpt-app-service",
      namespace: home.namespace,
      body: { metadata: { name: "chatgpt-app-service" }, spec: { selector: { app: "chatgpt-app", version: "blue" }, ports: [{ port: 80 }] } },
    });
    const labels = { app: "chatgpt-app", version: "blue" };
    await apps.createNamespacedDeployment({
      namespace: home.namespace,
      body: {
        metadata: { name: "chatgpt-app-blue" },
        spec: {
          replicas: 0,
          selector: { matchLabels: labels },
          template: { metadata: { labels, annotations: { "bluegreen/template": "aaa" } }, spec: { containers: [{ name: "mcp-server", image: "repo/app:v1" }] } },
        },
      },
    });
    expect(await reasons({ templates: { blue: "aaa", green: "changed" } })).to.deep.equal([]);
    const [reason] = await reasons({ templates: { blue: "changed", green: "bbb" } });
    expect(reason).to.contain("blueTag: blue serves users with repo/app:v1").and.contain("aaa → changed").and.contain("allowLiveChange");
  });

  it("lets the live color change when that is asked for, or when traffic leaves it first", async () => {
    const templates = { blue: "changed", green: "bbb" };
    expect(await reasons({ templates, allowLiveChange: true })).to.deep.equal([]);
    expect(await reasons({ templates, activeColor: "green" })).to.deep.equal([]);
  });

  it("names the context that does not exist, and those that do", async () => {
    const [reason] = await reasons({ context: "nowhere" });
    expect(reason).to.contain('context "nowhere" was refused').and.contain(home.stage.context);
  });

  it("is an update when the color or a template changes, and nothing otherwise", async () => {
    expect(await lock.changes(inputs(), inputs())).to.equal("none");
    expect(await lock.changes(inputs(), inputs({ activeColor: "green" }))).to.equal("some");
    expect(await lock.changes(inputs(), inputs({ templates: { blue: "aaa", green: "c" } }))).to.equal("some");
  });
});
