import { createServer, type AddressInfo, type Server } from "node:net";
import { expect } from "chai";
import { connect, switchAnnotation, takeLease, analysis } from "@bluegreen/release";
import { readIncidents } from "@bluegreen/release/alerts/pagerDuty";
import { readDrain } from "@bluegreen/release/drain/step";
import { turnDrain } from "@bluegreen/release/drain/step";
import type { AnalysisSettings } from "@bluegreen/release/config/analysisSettings";
import { readRelease } from "@bluegreen/release/state/record";
import { runController } from "@bluegreen/release/releases/controller";
import { analysisLimits } from "@bluegreen/release/config/schema/analysis";
import { noBaseline } from "@bluegreen/release/analysis/baseline";
import { secretOf, startApiServer, type ApiServer } from "../support/apiServer";
import { failsWith } from "../support/failsWith";

const app = "chatgpt-app";

/** Whoever may write objects of the namespace writes what is to be run, asked, waited for and let pass. */
describe("What stands in the cluster", () => {
  let api: ApiServer;
  let stranger: Server;
  let connections: number;
  const kubeconfig = process.env["KUBECONFIG"];
  const where = { context: "", namespace: "shop", namespacePerColor: false, app } as const;
  const settings: AnalysisSettings = {
    limits: { ...analysisLimits.parse({}), durationSeconds: 1, intervalSeconds: 1 },
    route: null,
    database: null,
    connectionDrainSeconds: 60,
    standbyHours: 24,
  };

  beforeEach(async () => {
    api = await startApiServer();
    process.env["KUBECONFIG"] = api.kubeconfig;
    connections = 0;
    stranger = createServer((socket) => {
      connections += 1;
      socket.destroy();
    });
    await new Promise<void>((done) => stranger.listen(0, "127.0.0.1", done));
    const { port } = stranger.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}`;
    const release = {
      id: "s1",
      kind: "switch",
      weight: 100,
      route: "nginx",
      who: "a stranger",
      why: "",
      at: new Date().toISOString(),
      state: "analyzing",
      baseline: noBaseline,
      to: { color: "green", image: "app:v2", template: "bbb" },
      from: { color: "blue", image: "app:v1", template: "aaa" },
      limits: {
        ...analysisLimits.parse({}),
        durationSeconds: 3600,
        intervalSeconds: 1,
        standbyHours: 48,
        prometheusUrl: url,
        prometheusQueries: [{ name: "any", query: "up", max: 1 }],
        webhookUrl: url,
      },
      database: {
        strategy: "streamingReplica",
        allowDataLoss: true,
        rebuildCommand: ["sh", "-c", "id"],
        timeoutSeconds: 1,
        preStopDelaySeconds: 0,
      },
      contracts: { waiting: ["0005"], afterHours: 48 },
    };
    const drained = { id: "s1", color: "blue", seconds: 3600, until: new Date().toISOString(), over: true };
    api.objects.set(`configmaps/${app}-release`, {
      data: { current: JSON.stringify(release), drain: JSON.stringify(drained) },
    });
    api.objects.set(`services/${app}-service`, {
      metadata: { annotations: { [switchAnnotation]: "s1" } },
      spec: { selector: { app, version: "green" } },
    });
    const leadingAway = secretOf({
      url: `postgres://app@127.0.0.1:${port}/app`,
      "admin-url": `postgres://admin@127.0.0.1:${port}/app`,
      "peer-url": `postgres://peer@127.0.0.1:${port}/app`,
    });
    for (const color of ["blue", "green"]) api.objects.set(`secrets/db-credentials-${color}`, leadingAway);
  });
  afterEach(async () => {
    stranger.close();
    await api.close();
    if (kubeconfig === undefined) delete process.env["KUBECONFIG"];
    else process.env["KUBECONFIG"] = kubeconfig;
  });

  it("is a record of what was done, and of nothing that is to be done", async () => {
    expect(await readRelease(connect(where), app)).to.have.all.keys(
      "id",
      "kind",
      "weight",
      "to",
      "from",
      "who",
      "why",
      "at",
      "state",
      "baseline",
      "contracts",
    );
    expect((await readRelease(connect(where), app))?.contracts).to.deep.equal({ waiting: ["0005"] });
    expect(await readDrain(connect(where), app)).to.have.all.keys("id", "color", "until", "over");
  });

  it("gives an update neither an address nor a limit: config alone does", async () => {
    const inputs = {
      ...where,
      ...settings,
      together: null,
      color: "green",
      weight: 100,
      switchId: "s1",
      controller: false,
    } as const;
    // No pod is ready anywhere: traffic would have to be rolled back, and cannot. It ends by the time that config
    // gives it.
    await failsWith("BG-ROLLBACK-FAILED", () => analysis.run(inputs, () => undefined));
    expect(connections).to.equal(0);
  });

  it("gives the analysis controller none either: its Deployment does", async () => {
    const ended = new AbortController();
    const said: string[] = [];
    const say = (line: string) => {
      said.push(line);
      if (line.includes("NOTHING WAS SWITCHED")) ended.abort();
    };
    const { limits, standbyHours, route, connectionDrainSeconds } = settings;
    await runController(where, {
      settings: {
        limits,
        standbyHours,
        route,
        connectionDrainSeconds,
        database: null,
        canaryStepSeconds: 60,
        contractDelayHours: 24,
      },
      holder: "a test",
      say,
      signal: ended.signal,
      polled: () => undefined,
    });
    expect(said.join("\n")).to.contain("analyzing green (app:v2)");
    expect(connections).to.equal(0);
  });

  it("does not say for how long clients are drained", async () => {
    const now = new Date("2026-01-02T03:04:05.000Z");
    await turnDrain(connect(where), app, { back: "blue", now, seconds: 60 }, () => undefined);
    expect(await readDrain(connect(where), app)).to.deep.equal({
      id: "s1",
      color: "green",
      until: "2026-01-02T03:05:05.000Z",
      over: true,
    });
  });

  it("does not say for how long a Lease keeps everybody out", async () => {
    api.objects.set("leases/any", {
      metadata: { name: "any", resourceVersion: "1", annotations: { "bluegreen.dev/lease-id": "other" } },
      spec: { holderIdentity: "a stranger", leaseDurationSeconds: 1_000_000 },
    });
    const answer = await takeLease(connect(where), "any", { holder: "a test", seconds: 1, waitMs: 0 });
    expect(answer).to.have.property("held");
    if ("held" in answer) await answer.held.release();
  });

  it("names no incident of another app that a switch of this one would resolve", async () => {
    api.objects.set(`configmaps/${app}-incidents`, {
      data: { [`shop.${app}.green.0123`]: "app:v2", "shop.payments.blue.4567": "payments:v7" },
    });
    expect(await readIncidents(connect(where), app)).to.deep.equal([`shop.${app}.green.0123`]);
  });
});
