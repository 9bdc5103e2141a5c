import { expect } from "chai";
import { connect, messageOf, names, poll, switchAnnotation, type Color } from "@bluegreen/release";
import { AdmissionregistrationV1Api } from "@bluegreen/release/kubernetes/client";
import { applyPatch } from "@bluegreen/release/kubernetes/patch";
import { orUndefined } from "@bluegreen/release/kubernetes/requests";
import { patience } from "@bluegreen/release/kubernetes/cluster";
import { finishRollback, rollBackRelease } from "@bluegreen/release/rollback/rollBackRelease";
import { readHistory } from "@bluegreen/release/state/history";
import {
  activeServiceOf,
  unblockImages,
  patchBlockedImages,
  readBlockedImages,
  withBlockedImage,
} from "@bluegreen/release/state/blockedImages";
import { readRelease, writeRelease } from "@bluegreen/release/state/record";
import { noBaseline } from "@bluegreen/release/analysis/baseline";
import type { Trouble } from "../../local/testing/trouble";
import { countRequests, type CountedApi } from "../../local/testing/countedApi";
import { liveColor } from "../support/read";
import { makeNamespace, type TestNamespace } from "../support/testNamespace";

const app = "chatgpt-app";
const blue = { color: "blue", image: "repo/app:v1", template: "a" } as const;
const green = { color: "green", image: "repo/app:v2", template: "b" } as const;
const quiet = () => undefined;

/** What tests/unit/lostAnswers.test.ts does to a simulated API server, done to answers of a real one. */
describe("A rollback whose answers are lost, on a real cluster", function () {
  let test: TestNamespace;
  let api: CountedApi;
  let id = 0;
  const { of } = patience;

  before(async () => {
    test = await makeNamespace();
    const { cluster, namespace } = test;
    await cluster.core.createNamespacedService({
      namespace,
      body: {
        metadata: { name: names.activeService(app) },
        spec: { selector: { app, version: "blue" }, ports: [{ port: 80 }] },
      },
    });
    // Ready, as far as anybody checks.
    await cluster.discovery.createNamespacedEndpointSlice({
      namespace,
      body: {
        metadata: {
          name: `${app}-blue-ready`,
          labels: { "kubernetes.io/service-name": names.colorService(app, "blue") },
        },
        addressType: "IPv4",
        ports: [{ name: "http", port: 3000, protocol: "TCP" }],
        endpoints: [{ addresses: ["10.255.255.1"], targetRef: { kind: "Pod", name: "blue", namespace } }],
      },
    });
    api = await countRequests(test.stage.kubeconfig);
    process.env["KUBECONFIG"] = api.kubeconfig;
    patience.of = () => AbortSignal.timeout(2000);
  });
  after(async () => {
    patience.of = of;
    process.env["KUBECONFIG"] = test.stage.kubeconfig;
    await api.close();
    await test.remove();
  });

  const switchTo = async (color: Color): Promise<string> => {
    const switchId = `s${++id}`;
    const target = activeServiceOf(test.cluster, app);
    const { metadata } = await target.read();
    const annotations = { ...metadata?.annotations, [switchAnnotation]: switchId };
    await target.send([
      { op: "add", path: "/metadata/annotations", value: annotations },
      { op: "replace", path: "/spec/selector/version", value: color },
    ]);
    await writeRelease(test.cluster, app, {
      id: switchId,
      kind: "switch",
      weight: 100,
      to: green,
      from: blue,
      who: "a test",
      why: "a test",
      at: new Date().toISOString(),
      state: "analyzing",
      baseline: noBaseline,
      contracts: { waiting: [] },
    });
    return switchId;
  };
  const back = (switchId: string) =>
    rollBackRelease(
      {
        where: test.where,
        undone: { id: switchId, to: green, from: blue, weight: 100 },
        settings: { route: null, database: null, connectionDrainSeconds: 0 },
        reason: `of ${switchId}`,
        evidence: [],
        by: "a test",
      },
      quiet,
    );
  const noted = async (switchId: string) =>
    (await readHistory(test.cluster, app)).filter(({ why }) => why === `of ${switchId}`).length;

  const cases: [string, Trouble & (number | "dropped" | "late")][] = [
    ["patch services", "dropped"],
    ["patch services", "late"],
    ["patch services", 500],
    ["patch services", 409],
    ["patch configmaps", "dropped"],
    ["patch configmaps", 503],
    ["update configmaps", 500],
    ["update configmaps", "late"],
    ["get services", "late"],
  ];
  for (const [request, trouble] of cases) {
    it(`is made and noted once where "${request}" meets ${trouble}`, async () => {
      const switchId = await switchTo("green");
      let left = 1;
      let met = 0;
      api.meddle = (asked) => {
        if (asked !== request || left-- <= 0) return undefined;
        met++;
        return trouble;
      };
      expect(await back(switchId)).to.equal(true);
      api.meddle = undefined;
      expect(met).to.equal(1);
      expect(await liveColor(test.cluster)).to.equal("blue");
      expect(await noted(switchId)).to.equal(1);
      expect((await readRelease(test.cluster, app))?.state).to.equal("rolledBack");
    });
  }

  it("is completed by whoever finds it", async () => {
    const switchId = await switchTo("green");
    const target = activeServiceOf(test.cluster, app);
    const service = await target.read();
    const blocked = {
      ...green,
      reason: `of ${switchId}`,
      evidence: [],
      at: new Date().toISOString(),
      by: "somebody who was killed",
      id: "m1",
      undone: switchId,
    };
    const moved = { op: "replace", path: "/spec/selector/version", value: "blue" } as const;
    await target.send([
      moved,
      ...patchBlockedImages(service, withBlockedImage(readBlockedImages(service), blocked)),
    ]);
    const finish = (graceMs: number) =>
      finishRollback(test.where, { route: null, hasDatabases: false, graceMs }, quiet);
    expect(await finish(60_000)).to.equal(false);
    expect(await finish(0)).to.equal(true);
    expect(await finish(0)).to.equal(false);
    expect(await noted(switchId)).to.equal(1);
    expect((await readRelease(test.cluster, app))?.state).to.equal("rolledBack");
  });

  it("does not write its blocked image over another first one", async () => {
    await unblockImages(test.cluster, app, "green");
    const target = activeServiceOf(test.cluster, app);
    for (const annotations of [undefined, { [switchAnnotation]: "s0" }]) {
      const path = "/metadata/annotations";
      const before = (await target.read()).metadata?.annotations;
      if (before !== undefined) await target.send([{ op: "remove", path }]);
      if (annotations !== undefined) await target.send([{ op: "add", path, value: annotations }]);
      const found = await target.read();
      const of = (image: string) =>
        patchBlockedImages(
          found,
          withBlockedImage([], { color: "green", image, reason: "", evidence: [], at: "", by: "" }),
        );
      expect(await applyPatch(target, of("one"))).to.equal(true);
      expect(await applyPatch(target, of("other"))).to.equal(false);
      expect(readBlockedImages(await target.read()).map(({ image }) => image)).to.deep.equal(["one"]);
    }
  });

  it("says what a policy says that is against it, and does not call that somebody else", async () => {
    const switchId = await switchTo("green");
    const { namespace, stage } = test;
    const name = `${namespace}-freeze`;
    process.env["KUBECONFIG"] = stage.kubeconfig;
    const policies = test.cluster.config.makeApiClient(AdmissionregistrationV1Api);
    await policies.createValidatingAdmissionPolicy({
      body: {
        metadata: { name },
        spec: {
          matchConstraints: {
            resourceRules: [
              { apiGroups: [""], apiVersions: ["v1"], operations: ["UPDATE"], resources: ["services"] },
            ],
          },
          validations: [{ expression: "false", message: "no changes before Monday" }],
        },
      },
    });
    try {
      await policies.createValidatingAdmissionPolicyBinding({
        body: {
          metadata: { name },
          spec: {
            policyName: name,
            validationActions: ["Deny"],
            matchResources: {
              namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } },
            },
          },
        },
      });
      const target = activeServiceOf(test.cluster, app);
      const probe = [{ op: "add", path: "/metadata/annotations/probe", value: "x" }] as const;
      await poll(
        () =>
          target.send([...probe]).then(
            () => undefined,
            () => true,
          ),
        { timeoutMs: 600_000 },
      );
      process.env["KUBECONFIG"] = api.kubeconfig;
      api.take();
      expect(messageOf(await back(switchId).catch((error: unknown) => error)))
        .to.contain("no changes before Monday")
        .and.contain("HTTP 422");
      expect(api.take()["patch services"]).to.equal(1);
      expect(await liveColor(test.cluster)).to.equal("green");
      expect(await noted(switchId)).to.equal(0);
    } finally {
      await orUndefined(policies.deleteValidatingAdmissionPolicyBinding({ name }));
      await orUndefined(policies.deleteValidatingAdmissionPolicy({ name }));
    }
    expect(connect(test.where).namespace).to.equal(namespace);
  });
});
