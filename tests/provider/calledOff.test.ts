import { PatchStrategy, setHeaderOptions } from "@bluegreen/release/kubernetes/client";
import { expect } from "chai";
import { otherColor, switchAnnotation, analysis, type Color } from "@bluegreen/release";
import { failTogether } from "@bluegreen/release/rollback/rollBackClusters";
import type { Together } from "@bluegreen/release/config/clusters";
import { beginRelease, endRelease } from "@bluegreen/release/state/releaseLock";
import type { AnalysisSettings } from "@bluegreen/release/config/analysisSettings";
import { refuseUnapproved, writeApproval } from "@bluegreen/release/state/approval";
import { readRelease, writeRelease } from "@bluegreen/release/state/record";
import { analysisLimits } from "@bluegreen/release/config/schema/analysis";
import { noBaseline } from "@bluegreen/release/analysis/baseline";
import { failureOf, liveColor } from "../support/read";
import { makeNamespace, type TestNamespace } from "../support/testNamespace";

const app = "chatgpt-app";

/** At once, one cluster may fail before the other has moved anybody. One namespace plays that other one. */
describe("A release that another cluster calls off before traffic moves, on a real cluster", function () {
  let test: TestNamespace;
  let release: string;
  const to = { color: "green", image: "repo/app:v2", template: "green" } as const;
  const settings: AnalysisSettings = {
    limits: analysisLimits.parse({}),
    route: null,
    database: null,
    connectionDrainSeconds: 30,
    standbyHours: 24,
  };
  const quiet = () => undefined;

  before(async () => {
    test = await makeNamespace();
    const { cluster, namespace } = test;
    for (const color of ["blue", "green"] satisfies Color[]) {
      const labels = { app, version: color };
      const template = {
        metadata: { labels, annotations: { "bluegreen.dev/pod-template-hash": color } },
        spec: { containers: [{ name: "mcp-server", image: "repo/app:v2" }] },
      };
      await cluster.apps.createNamespacedDeployment({
        namespace,
        body: {
          metadata: { name: `${app}-${color}` },
          spec: { replicas: 0, selector: { matchLabels: labels }, template },
        },
      });
    }
    const body = {
      metadata: { name: `${app}-service`, annotations: { [switchAnnotation]: "s0" } },
      spec: { selector: { app, version: "blue" }, ports: [{ port: 80 }] },
    };
    await cluster.core.createNamespacedService({ namespace, body });
    release = await beginRelease(cluster, app, { waitSeconds: 0, say: quiet });
    await writeRelease(cluster, app, {
      id: "s1",
      kind: "switch",
      weight: 100,
      to,
      from: { ...to, color: otherColor(to.color), template: "blue" },
      who: "a test",
      why: "a test",
      at: new Date().toISOString(),
      state: "approved",
      baseline: noBaseline,
      contracts: { waiting: [] },
    });
    await writeApproval(cluster, app, to.color, "s1");
  });
  after(async () => {
    await endRelease(test.cluster, app, release);
    await test.remove();
  });

  const together = (onFailure: Together["onFailure"]): Together => ({
    name: "eu",
    others: [{ name: "us", context: test.stage.context }],
    onFailure,
  });
  const fail = (onFailure: Together["onFailure"]) =>
    failTogether(
      { ...test.where, ...settings, together: together(onFailure) },
      { color: to.color, reason: "it crashes", evidence: [], by: "a test" },
      new Error("eu has failed"),
      quiet,
    );
  const move = () =>
    refuseUnapproved({
      ...test.where,
      templates: { blue: "blue", green: "green" },
      service: {
        metadata: { annotations: { [switchAnnotation]: "s1" } },
        spec: { selector: { app, version: "green" } },
      },
      preview: false,
    });

  it("may continue where config says that each stays as it is", async () => {
    expect((await fail("stop")).message)
      .to.contain("eu has failed")
      .and.contain("Traffic is on: blue in eu, blue in us.");
    await move();
  });

  it("moves no traffic any more otherwise", async () => {
    expect((await fail("rollback")).message).to.contain("eu has failed");
    expect((await readRelease(test.cluster, app))?.state).to.equal("rolledBack");
    expect(await failureOf(move()))
      .to.contain("The move of traffic to green was refused")
      .and.contain("have let no switch");
  });

  it("rolls back traffic that has moved in that very moment", async () => {
    const body = {
      metadata: { annotations: { [switchAnnotation]: "s1" } },
      spec: { selector: { version: "green" } },
    };
    await test.cluster.core.patchNamespacedService(
      { name: `${app}-service`, namespace: test.namespace, body },
      setHeaderOptions("Content-Type", PatchStrategy.StrategicMergePatch),
    );
    const inputs = {
      ...test.where,
      ...settings,
      color: to.color,
      weight: 100,
      switchId: "s1",
      controller: false,
    };
    // Blue has no pods here: what matters is that it is tried.
    expect(await failureOf(analysis.run({ ...inputs, together: together("rollback") }, quiet)))
      .to.contain("NOTHING WAS SWITCHED")
      .and.contain("called off");
    expect(await analysis.run({ ...inputs, together: null }, quiet)).to.deep.equal({ verdict: "" });
    expect(await liveColor(test.cluster)).to.equal("green");
  });
});
