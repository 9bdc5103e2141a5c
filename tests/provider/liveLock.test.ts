import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { LiveLockInputs } from "@bluegreen/release";
import { allOn } from "@bluegreen/release/routers/weights";
import { startStep, type RunningStep } from "./stepProvider";
import { failureOf } from "../support/read";
import { writeOtherWay } from "../support/otherWay";
import { makeNamespace, type TestNamespace } from "../support/testNamespace";

describe("The live lock, in Pulumi's provider process and on a real cluster", function () {
  let test: TestNamespace;
  let lock: RunningStep;
  before(async () => {
    test = await makeNamespace();
    lock = await startStep("liveLock", { KUBECONFIG: test.stage.kubeconfig });
  });
  after(async () => {
    await lock.close();
    await test.remove();
  });

  const inputs = (part: Partial<LiveLockInputs> = {}): LiveLockInputs => ({
    ...test.where,
    activeColor: "blue",
    weights: allOn(part.activeColor ?? "blue"),
    route: null,
    templates: { blue: "aaa", green: "bbb" },
    configs: { blue: ["chatgpt-app-blue-1"], green: ["chatgpt-app-green-1"] },
    allowInPlaceUpdate: false,
    lockWaitSeconds: 0,
    ...part,
  });
  const reasons = async (part?: Partial<LiveLockInputs>) =>
    (await lock.check(inputs(part))).map(({ property, reason }) => `${property}: ${reason}`);

  it("lets the first release of an empty namespace through", async () => {
    expect(await reasons()).to.deep.equal([]);
  });

  it("stops everything when the live color is unknown, whatever config allows", async () => {
    const { core } = test.cluster;
    const metadata = { name: "chatgpt-app-service", namespace: test.namespace };
    await core.createNamespacedService({
      namespace: test.namespace,
      body: { metadata, spec: { ports: [{ port: 80 }] } },
    });
    for (const [selector, shown] of [
      [undefined, "null"],
      [{}, "null"],
      [{ app: "chatgpt-app" }, "null"],
      [{ app: "chatgpt-app", version: "" }, '""'],
      [{ app: "chatgpt-app", version: "purple" }, '"purple"'],
      [{ app: "chatgpt-app", version: "Blue" }, '"Blue"'],
    ] as const) {
      await core.replaceNamespacedService({
        name: metadata.name,
        namespace: test.namespace,
        body: { metadata, spec: { ...(selector && { selector }), ports: [{ port: 80 }] } },
      });
      for (const allowInPlaceUpdate of [false, true]) {
        const found = await reasons({ allowInPlaceUpdate });
        expect(found, shown).to.have.length(1);
        expect(found[0])
          .to.contain("activeColor: The live color of Service")
          .and.contain(`version=${shown}`)
          .and.contain("kubectl");
      }
    }
  });

  it("lets the idle color change and refuses that the live one does", async () => {
    const { core, apps } = test.cluster;
    await core.replaceNamespacedService({
      name: "chatgpt-app-service",
      namespace: test.namespace,
      body: {
        metadata: { name: "chatgpt-app-service" },
        spec: { selector: { app: "chatgpt-app", version: "blue" }, ports: [{ port: 80 }] },
      },
    });
    const labels = { app: "chatgpt-app", version: "blue" };
    await apps.createNamespacedDeployment({
      namespace: test.namespace,
      body: {
        metadata: { name: "chatgpt-app-blue" },
        spec: {
          replicas: 0,
          selector: { matchLabels: labels },
          template: {
            metadata: { labels, annotations: { "bluegreen.dev/pod-template-hash": "aaa" } },
            spec: { containers: [{ name: "mcp-server", image: "repo/app:v1" }] },
          },
        },
      },
    });
    expect(await reasons({ templates: { blue: "aaa", green: "changed" } })).to.deep.equal([]);
    const [reason] = await reasons({ templates: { blue: "changed", green: "bbb" } });
    expect(reason)
      .to.contain("blueTag: blue serves traffic with repo/app:v1")
      .and.contain("aaa → changed")
      .and.contain("allowInPlaceUpdate");
  });

  it("lets the live color change when that is asked for, or when traffic leaves it first", async () => {
    const templates = { blue: "changed", green: "bbb" };
    expect(await reasons({ templates, allowInPlaceUpdate: true })).to.deep.equal([]);
    expect(
      await reasons({ templates, configs: { blue: [], green: [] }, activeColor: "green" }),
    ).to.deep.equal([]);
  });

  it("refuses that a switch takes the config of the color that it leaves along, unless that was decided before", async () => {
    const { apps } = test.cluster;
    const deployment = (color: string, template: string, config: string[]) => {
      const labels = { app: "chatgpt-app", version: color };
      const envFrom = config.map((name) =>
        name.endsWith("s") ? { secretRef: { name } } : { configMapRef: { name } },
      );
      return {
        metadata: { name: `chatgpt-app-${color}` },
        spec: {
          replicas: 0,
          selector: { matchLabels: labels },
          template: {
            metadata: { labels, annotations: { "bluegreen.dev/pod-template-hash": template } },
            spec: { containers: [{ name: "mcp-server", image: "repo/app:v1", envFrom }] },
          },
        },
      };
    };
    await apps.replaceNamespacedDeployment({
      name: "chatgpt-app-blue",
      namespace: test.namespace,
      body: deployment("blue", "aaa", ["blue-1", "blue-s"]),
    });
    const toGreen = (blue: string[], part: Partial<LiveLockInputs> = {}) =>
      reasons({
        activeColor: "green",
        templates: { blue: "changed", green: "bbb" },
        configs: { blue, green: [] },
        ...part,
      });
    for (const config of [["blue-2", "blue-s"], ["blue-1", "blue-t"], ["blue-1"], []]) {
      const [reason] = await toGreen(config);
      expect(reason)
        .to.contain(
          "green.env: the switch to green would change the variables of blue as well (blue-1, blue-s →",
        )
        .and.contain("green.secretEnv.NAME");
    }
    expect(await toGreen(["blue-1", "blue-s"]), "another image only").to.deep.equal([]);
    expect(await toGreen(["blue-2"], { allowInPlaceUpdate: true })).to.deep.equal([]);
    expect(
      await toGreen(["blue-2"], { templates: { blue: null, green: "bbb" } }),
      "it is given up",
    ).to.deep.equal([]);
    await apps.createNamespacedDeployment({
      namespace: test.namespace,
      body: deployment("green", "older", []),
    });
    expect(await toGreen(["blue-2"]), "green has to be rolled out first").to.have.length(1);
    await apps.replaceNamespacedDeployment({
      name: "chatgpt-app-green",
      namespace: test.namespace,
      body: deployment("green", "bbb", []),
    });
    expect(await toGreen(["blue-2"]), "green stands ready, as for a rollback").to.deep.equal([]);
  });

  it("names the context that does not exist, and those that do", async () => {
    const [reason] = await reasons({ context: "nowhere" });
    expect(reason).to.contain('context "nowhere" was refused').and.contain(test.stage.context);
  });

  it("names the cluster that does not answer, and what kept it from that", async () => {
    const folder = await mkdtemp(join(tmpdir(), "bg-live-lock-"));
    const kubeconfig = join(folder, "kubeconfig");
    const way = await writeOtherWay(test.stage.kubeconfig, kubeconfig);
    way.close();
    const there = await startStep("liveLock", { KUBECONFIG: kubeconfig });
    try {
      const [violation] = await there.check(inputs());
      expect(violation?.reason).to.equal(
        `The cluster (context ${test.stage.context}) was not reached\n  why:  the API server did not answer: connect ECONNREFUSED 127.0.0.1:${way.port}\n  next: kubectl --context ${test.stage.context} -n ${test.namespace} get services; then the command again\n  code: BG-CLUSTER-UNREACHABLE`,
      );
    } finally {
      await there.close();
      await rm(folder, { recursive: true });
    }
  });

  it("is not taken in a cluster without the namespace: that is another one, or somebody has deleted it", async () => {
    const failure = await failureOf(lock.create(inputs({ namespace: "bg-nowhere" })));
    expect(failure)
      .to.contain("there is no namespace bg-nowhere in the cluster of context")
      .and.contain("pulumi config set context NAME")
      .and.contain("pulumi up --refresh");
    expect(failure).not.to.contain("HTTP-Code");
  });

  it("refuses a namespace that has taken the place of the one it knows, and a refresh forgets it", async () => {
    const { core } = test.cluster;
    const uid = (await core.readNamespace({ name: test.namespace })).metadata?.uid;
    const known = { ...inputs(), namespaceUid: uid };
    expect(await lock.changes(known, inputs())).to.equal("none");
    expect(await lock.read(known), "the code stays").to.deep.equal({ ...known, __provider: lock.text });
    expect(await lock.read(inputs()), "from a version that kept none").not.to.equal(undefined);
    const elsewhere = { ...inputs(), namespaceUid: "9f8e7d6c-0000-4000-8000-000000000001" };
    expect(await failureOf(lock.changes(elsewhere, inputs())))
      .to.contain(`its uid is ${uid?.slice(0, 8)}…, and that one's was 9f8e7d6c…`)
      .and.contain("pulumi up --refresh");
    expect(lock.shown.join("\n"), "a stack trace").not.to.match(/^\s+at /m);
    expect(await lock.read(elsewhere)).to.equal(undefined);
  });

  it("is an update when the color or a template changes, and nothing otherwise", async () => {
    expect(await lock.changes(inputs(), inputs())).to.equal("none");
    expect(await lock.changes(inputs(), inputs({ activeColor: "green" }))).to.equal("some");
    expect(await lock.changes(inputs(), inputs({ templates: { blue: "aaa", green: "c" } }))).to.equal("some");
  });
});
