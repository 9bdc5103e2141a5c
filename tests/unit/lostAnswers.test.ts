import { delimiter } from "node:path";
import { expect } from "chai";
import {
  connect,
  messageOf,
  holderName,
  names,
  approvalAnnotation,
  switchAnnotation,
  takeLease,
  type Color,
} from "@bluegreen/release";
import { separate } from "@bluegreen/release/replication/separateInputs";
import { UnknownOutcomeError } from "@bluegreen/release/kubernetes/patch";
import { patience } from "@bluegreen/release/kubernetes/cluster";
import { mapBounded } from "@bluegreen/release/util/mapBounded";
import type { RollbackSettings } from "@bluegreen/release/config/analysisSettings";
import { finishRollback, newMoveId, rollBackRelease } from "@bluegreen/release/rollback/rollBackRelease";
import { readHistory } from "@bluegreen/release/state/history";
import { readBlockedImages } from "@bluegreen/release/state/blockedImages";
import { readRelease, type Release } from "@bluegreen/release/state/record";
import { rollback, rollBackShift } from "@bluegreen/release/rollback/rollback";
import { switchGate } from "@bluegreen/release/gates/switchGate";
import { takeAnalysis } from "@bluegreen/release/state/analysisLease";
import { readGiven } from "@bluegreen/release/traffic/move";
import { routers } from "@bluegreen/release/routers/routers";
import { analysisLimits } from "@bluegreen/release/config/schema/analysis";
import { noBaseline } from "@bluegreen/release/analysis/baseline";
import { refusedText, type Trouble } from "../../local/testing/trouble";
import { secretOf, startApiServer, type ApiServer } from "../support/apiServer";
import { simulateTime } from "../support/lateAnswers";
import { startReceiver, type HttpReceiver } from "../support/receiver";

const namespace = "shop";
const blue = { color: "blue", image: "app:v1", template: "aaa" } as const;
const green = { color: "green", image: "app:v2", template: "bbb" } as const;
const id = "s1";
const saying =
  ({ said }: World) =>
  (line: string) => {
    said.push(line);
  };

/** What becomes of one request of a move, in turn. */
const readTroubles: Trouble[] = [500, "dropped", "late"];
const writeTroubles: Trouble[] = [500, 503, "lost", "dropped", "late", "slow", 409, 422, 429];
/** Those after which the same request may be made again, and helps. */
const passing = new Set<Trouble>([500, 503, "lost", "dropped", "late", "slow", 429]);

/** A cluster, with an app of its own, of which everything is known. */
interface World {
  api: ApiServer;
  app: string;
  where: { context: string; namespace: string; namespacePerColor: false; app: string; together: null };
  /** Which color's database takes writes, in the eyes of a simulated strategy; absent where there is one. */
  writable?: Record<Color, boolean>;
  /** What must never be, and was. */
  wrong: string[];
  /** What was said of it, for whoever looks into a failure. */
  said: string[];
}

interface Scenario {
  name: string;
  prepare?: (world: World) => void;
  /** @returns whether it has done what it was to do */
  run: (world: World) => Promise<unknown>;
  /** Once more, without trouble, by whoever comes next. */
  again: (world: World) => Promise<unknown>;
  check: (world: World, receiver: HttpReceiver) => Promise<void>;
}

const settings = (part: Partial<RollbackSettings> = {}): RollbackSettings => ({
  route: null,
  database: null,
  connectionDrainSeconds: 0,
  ...part,
});
const database: RollbackSettings["database"] = {
  strategy: "logicalReplication",
  databaseSecret: "db-credentials",
  allowDataLoss: false,
  rebuildCommand: [],
  rebuildTimeoutSeconds: 1,
  timeoutSeconds: 1,
  preStopDelaySeconds: 0,
};

/**
 * Simulated API servers: for every request of a move in turn, and for everything that can become of
 * one, traffic is where it can be served, and whoever is to know is told.
 */
describe("A lost or late answer of the API server (simulated)", function () {
  const kubeconfig = process.env["KUBECONFIG"];
  let realTime: () => void;
  const strategies = { ...separate };
  let servers: ApiServer[];
  let receiver: HttpReceiver;
  let runs = 0;

  before(async () => {
    servers = await Promise.all(Array.from({ length: 8 }, (_, index) => startApiServer(`cluster-${index}`)));
    process.env["KUBECONFIG"] = servers.map((server) => server.kubeconfig).join(delimiter);
    receiver = await startReceiver();
    realTime = simulateTime(servers);
  });
  after(async () => {
    realTime();
    Object.assign(separate, strategies);
    if (kubeconfig === undefined) delete process.env["KUBECONFIG"];
    else process.env["KUBECONFIG"] = kubeconfig;
    await Promise.all([...servers, receiver].map((server) => server.close()));
  });

  const release = (part: Partial<Release> = {}): Release => ({
    id,
    kind: "switch",
    weight: 100,
    to: green,
    from: blue,
    who: "anna",
    why: "",
    at: new Date().toISOString(),
    state: "analyzing",
    baseline: noBaseline,
    contracts: { waiting: [] },
    ...part,
  });

  /** Traffic is on green, and blue could take it. */
  const makeWorld = (api: ApiServer, context: string): World => {
    const app = `app${runs++}`;
    const where = { context, namespace, namespacePerColor: false, app, together: null } as const;
    const world: World = { api, app, where, wrong: [], said: [] };
    api.objects.clear();
    api.meddle = undefined;
    const change: ApiServer["change"] = (key, object) => {
      api.change(key, object);
    };
    for (const { color, image, template } of [blue, green]) {
      change(`deployments/${app}-${color}`, {
        metadata: { name: `${app}-${color}` },
        spec: {
          replicas: 1,
          template: {
            metadata: { annotations: { "bluegreen.dev/pod-template-hash": template } },
            spec: { containers: [{ name: "mcp-server", image }] },
          },
        },
        status: { readyReplicas: 1 },
      });
      change(`endpointslices/${app}-${color}`, {
        metadata: { labels: { "kubernetes.io/service-name": `${app}-${color}` } },
        ports: [{ port: 3000 }],
        endpoints: [{ targetRef: { kind: "Pod", name: `${app}-${color}-1` } }],
      });
      change(`secrets/db-credentials-${color}`, secretOf({ "admin-url": "none", "peer-url": "none" }));
    }
    change(`services/${app}-service`, serviceOf(app, "green", id));
    change(`configmaps/${app}-release`, {
      metadata: { name: `${app}-release`, resourceVersion: "1" },
      data: { current: JSON.stringify(release()) },
    });
    change(`configmaps/${app}-history`, { metadata: { name: `${app}-history` }, data: {} });
    change(
      `secrets/${app}-alerts`,
      secretOf({ "webhook-url": `${receiver.url}/${app}`, "webhook-secret": "hunter2-hunter2-hunter2" }),
    );
    api.changed = (key, object) => {
      if (key !== `services/${app}-service` || world.writable === undefined) return;
      const live = (object as { spec: { selector: { version: Color } } }).spec.selector.version;
      if (!world.writable[live]) world.wrong.push(`traffic came to ${live}, whose database refuses writes`);
    };
    return world;
  };
  const serviceOf = (app: string, version: Color, switchId: string) => ({
    metadata: { name: `${app}-service`, annotations: { [switchAnnotation]: switchId } },
    spec: { selector: { app, version } },
  });
  const liveIn = ({ api, app }: World) =>
    (api.objects.get(`services/${app}-service`) as ReturnType<typeof serviceOf>).spec.selector.version;
  const blockedIn = ({ api, app }: World) =>
    readBlockedImages(api.objects.get(`services/${app}-service`) ?? {});
  const toldOf = ({ app }: World) => [
    ...new Set(
      receiver.received
        .filter(({ path }) => path === `/${app}`)
        .map(({ body }) => (JSON.parse(body) as { kind: string; id: string }).kind),
    ),
  ];

  const expectRolledBack = async (world: World, entry: { weight: number }) => {
    const { app, where } = world;
    expect(liveIn(world)).to.equal("blue");
    expect(blockedIn(world).map(({ color, image }) => `${color} ${image}`)).to.deep.equal(["green app:v2"]);
    const history = await readHistory(connect(where), app);
    expect(history.map(({ kind, to, from, weight }) => ({ kind, to, from, weight }))).to.deep.equal([
      { kind: "rollback", to: blue, from: green, ...entry },
    ]);
    expect((await readRelease(connect(where), app))?.state).to.equal("rolledBack");
    expect(toldOf(world)).to.deep.equal(["rolledBack"]);
    if (world.writable !== undefined) expect(world.writable).to.deep.equal({ blue: true, green: false });
  };
  const finish = (world: World, route: RollbackSettings["route"] = null) =>
    finishRollback(world.where, { route, graceMs: 0, hasDatabases: false }, saying(world));

  /** What could not be noted is noted by whoever comes next. */
  const complete = async (world: World, route: RollbackSettings["route"]) => {
    if ((await readRelease(connect(world.where), world.app))?.state !== "rolledBack")
      await finish(world, route);
  };

  /** By its own strategy, so that many runs at once do not meet. */
  const simulateDatabases = () => {
    const worlds = new Map<string, World>();
    let opened = 0;
    const of = (url: string) => worlds.get(url);
    separate.logicalReplication = {
      ...strategies.logicalReplication,
      handover: (pair) => {
        const world = of(pair.live.adminUrl);
        const { live, idle } = { live: pair.live.color, idle: pair.idle.color };
        opened++;
        if (world?.writable !== undefined) world.writable[idle] = true;
        return Promise.resolve({
          confirm: () => Promise.resolve(),
          complete: () => {
            if (world?.writable !== undefined) world.writable[live] = false;
            return Promise.resolve();
          },
          cancel: () => {
            if (world?.writable === undefined) return Promise.resolve();
            world.writable[idle] = false;
            if (liveIn(world) === idle) world.wrong.push("the handover was undone under users");
            return Promise.resolve();
          },
        });
      },
      reconcile: (pair) => {
        const world = of(pair.live.adminUrl);
        if (world?.writable !== undefined)
          Object.assign(world.writable, { [pair.live.color]: true, [pair.idle.color]: false });
        return Promise.resolve();
      },
    };
    return {
      join: (world: World) => {
        world.writable = { blue: false, green: true };
        const url = `postgres://${world.app}`;
        worlds.set(url, world);
        for (const color of ["blue", "green"])
          world.api.change(
            `secrets/db-credentials-${color}`,
            secretOf({ "admin-url": url, "peer-url": url }),
          );
      },
      opened: () => opened,
    };
  };

  const requestsOf = async (scenario: Scenario): Promise<string[]> => {
    const [api] = servers;
    if (api === undefined) throw new Error("there is no server");
    const world = makeWorld(api, "cluster-0");
    scenario.prepare?.(world);
    const requests: string[] = [];
    api.meddle = (request) => {
      requests.push(request);
      return undefined;
    };
    await scenario.run(world);
    api.meddle = undefined;
    await scenario.check(world, receiver);
    return requests;
  };

  const everyTrouble = async (scenario: Scenario) => {
    const requests = await requestsOf(scenario);
    expect(requests).to.have.length.greaterThan(3);
    const cases = requests.flatMap((request, at) =>
      (request.startsWith("GET") ? readTroubles : writeTroubles).map((trouble) => ({ at, trouble })),
    );
    const free = servers.map((api, index) => ({ api, context: `cluster-${index}` }));
    const failures = await mapBounded(cases, servers.length, async ({ at, trouble }) => {
      const server = free.pop();
      if (server === undefined) throw new Error("there is no server");
      const world = makeWorld(server.api, server.context);
      scenario.prepare?.(world);
      let count = 0;
      let met = "no request";
      server.api.meddle = (request) => {
        const isRefusedWrite = typeof trouble === "number" && !passing.has(trouble);
        // What goes wrong may change what comes later.
        if (count++ !== at || (isRefusedWrite && request.startsWith("GET"))) return undefined;
        met = request;
        return trouble;
      };
      try {
        const failure = await scenario.run(world).then(
          () => undefined,
          (error: unknown) => messageOf(error),
        );
        server.api.meddle = undefined;
        if (failure !== undefined) {
          // What passes has no business to end anything.
          if (passing.has(trouble)) throw new Error(`it failed: ${failure}`);
          expect(failure).to.contain(refusedText).and.contain(`HTTP ${trouble}`);
          await scenario.again(world);
        }
        await scenario.check(world, receiver);
        expect(world.wrong).to.deep.equal([]);
        return [];
      } catch (error) {
        return [
          `${met} (${at}), ${trouble}: ${error instanceof Error ? error.message : String(error)} ${world.said.join("; ")}`,
        ];
      } finally {
        // What is late by then changes nothing that anybody reads.
        server.api.objects.clear();
        free.push(server);
      }
    });
    expect(failures.flat().join("\n")).to.equal("");
  };

  const asRolledBack = (
    part: Partial<RollbackSettings> = {},
    weight = 100,
  ): Pick<Scenario, "run" | "again"> => {
    const moves = new Map<World, string>();
    const run = async (world: World) => {
      const moveId = moves.get(world) ?? newMoveId();
      moves.set(world, moveId);
      const back = await rollBackRelease(
        {
          where: world.where,
          undone: { id, to: green, from: blue, weight },
          settings: settings(part),
          reason: "12 points, 10 end it",
          evidence: ["12 points: errors"],
          by: "a test",
          moveId,
        },
        saying(world),
      );
      if (!back) throw new Error("somebody else has moved traffic");
      await complete(world, part.route ?? null);
    };
    return { run, again: run };
  };

  it("keeps no user on a version that has to go, and nobody from knowing it", async () => {
    await everyTrouble({
      name: "a rollback of the analysis",
      ...asRolledBack(),
      check: (world) => expectRolledBack(world, { weight: 100 }),
    });
  });

  it("leaves users with a database that takes writes", async () => {
    const databases = simulateDatabases();
    await everyTrouble({
      name: "a rollback with a database per color",
      prepare: databases.join,
      ...asRolledBack({ database }),
      check: (world) => expectRolledBack(world, { weight: 100 }),
    });
  });

  it("undoes no handover of databases under users who may have moved", async () => {
    const [api] = servers;
    if (api === undefined) throw new Error("there is no server");
    const { patchMs } = patience;
    const databases = simulateDatabases();
    const rollingBack = asRolledBack({ database });
    patience.patchMs = 1000;
    try {
      for (const isMoved of [true, false]) {
        const world = makeWorld(api, "cluster-0");
        databases.join(world);
        const before = databases.opened();
        let isAway = false;
        api.meddle = (request) => {
          if (isAway) return 503;
          if (!request.startsWith("PATCH services")) return undefined;
          isAway = true;
          return isMoved ? "dropped" : "lost";
        };
        const failure = await rollingBack.run(world).catch((error: unknown) => error);
        expect(failure).to.be.instanceOf(UnknownOutcomeError);
        expect(liveIn(world)).to.equal(isMoved ? "blue" : "green");
        // The writers of green wait, and blue's database has all that they wrote.
        expect(world.writable).to.deep.equal({ blue: true, green: true });
        api.meddle = undefined;
        await rollingBack.run(world);
        await expectRolledBack(world, { weight: 100 });
        expect(world.wrong).to.deep.equal([]);
        expect(databases.opened() - before, "by the handover that was begun").to.equal(1);
      }
    } finally {
      patience.patchMs = patchMs;
    }
  });

  it("leaves no user of the edge behind", async () => {
    await everyTrouble({
      name: "a rollback with weights",
      prepare: (world) => {
        addRoute(world, { blue: 0, green: 100 }, "green");
      },
      ...asRolledBack({ route: "nginx" }),
      check: async (world) => {
        await expectRolledBack(world, { weight: 100 });
        const given = await readGiven(connect(world.where), world.app, "nginx");
        expect(given?.weights).to.deep.equal({ blue: 100, green: 0 });
      },
    });
  });

  const addRoute = ({ api, app, where }: World, weights: Record<Color, number>, active: Color) => {
    const objects = routers.nginx
      .objects({
        ...where,
        host: "app.example.com",
        moreHosts: [],
        tlsSecret: "chatgpt-app-tls",
        otherPaths: [],
        servicePort: 80,
        readinessPath: "/ready",
        internalHost: undefined,
        ingressClass: undefined,
        clusterIssuer: undefined,
        gateway: undefined,
        strategy: "weighted",
        affinity: "none",
        active,
        weights,
        token: "hunter2",
        interpolate: (literals, ...values) => String.raw({ raw: literals }, ...values),
      })
      .filter(({ roles }) => roles.includes("weights"));
    for (const { name, annotations, spec } of objects)
      api.change(`ingresses/${name}`, {
        metadata: { name, annotations: { ...annotations, [switchAnnotation]: id } },
        spec,
      });
    expect(objects.length, app).to.be.greaterThan(0);
  };

  it("ends a shift with all traffic on one color", async () => {
    const back = async (world: World) => {
      const { where, app } = world;
      const answer = await takeLease(connect(where), names.shiftLease(app), {
        holder: holderName(),
        seconds: 15,
        waitMs: 0,
      });
      if (!("held" in answer)) throw new Error(`${answer.heldBy} shifts`);
      try {
        await rollBackShift(
          where,
          { active: "blue", route: "nginx", settings: settings({ route: "nginx" }), why: "shift: it failed" },
          saying(world),
        );
      } finally {
        await answer.held.release();
      }
    };
    await everyTrouble({
      name: "the end of a shift",
      prepare: (world) => {
        world.api.change(`services/${world.app}-service`, serviceOf(world.app, "blue", "s0"));
        world.api.change(`configmaps/${world.app}-release`, {
          metadata: { name: `${world.app}-release`, resourceVersion: "1" },
          data: { current: JSON.stringify(release({ kind: "shift", weight: 10 })) },
        });
        addRoute(world, { blue: 90, green: 10 }, "blue");
      },
      run: back,
      again: async (world) => {
        const given = await readGiven(connect(world.where), world.app, "nginx");
        if (given?.weights.green !== 0 && !(await finish(world, "nginx"))) await back(world);
        await finish(world, "nginx");
      },
      check: async (world) => {
        await complete(world, "nginx");
        await expectRolledBack(world, { weight: 10 });
        const given = await readGiven(connect(world.where), world.app, "nginx");
        expect(given?.weights).to.deep.equal({ blue: 100, green: 0 });
      },
    });
  });

  it("lets no switch through that nobody has noted", async () => {
    const gate = async (world: World) => {
      const { where, app } = world;
      const cluster = connect(where);
      try {
        await switchGate.run(
          {
            ...where,
            color: "blue",
            weight: 100,
            route: null,
            image: "app:v3",
            template: "aaa",
            limits: analysisLimits.parse({ durationSeconds: 0 }),
            controller: false,
            autoscaled: true,
            contractsWaiting: [],
          },
          saying(world),
        );
      } finally {
        // Of this try, which the analysis would take over.
        await (await takeAnalysis(cluster, app, holderName()))?.release();
      }
    };
    await everyTrouble({
      name: "a switch gate",
      run: gate,
      again: gate,
      check: async (world) => {
        const { app, where, api } = world;
        const noted = await readRelease(connect(where), app);
        const deployment = api.objects.get(`deployments/${app}-blue`) as {
          metadata: { annotations?: Record<string, string> };
        };
        expect(noted).to.deep.include({ state: "approved" });
        expect(deployment.metadata.annotations?.[approvalAnnotation]).to.equal(noted?.id);
        expect(liveIn(world)).to.equal("green");
      },
    });
  });

  it("does not let a person believe that nothing has happened", async () => {
    await everyTrouble({
      name: "a rollback by hand",
      run: (world) =>
        rollback(
          world.where,
          {
            from: "green",
            why: "it is slow",
            strategy: "none",
            databaseSecret: "db-credentials",
            runIn: "update",
            settings: settings(),
            fewer: false,
          },
          saying(world),
        ),
      again: async (world) => {
        if (liveIn(world) === "green")
          await rollback(
            world.where,
            {
              from: "green",
              why: "it is slow",
              strategy: "none",
              databaseSecret: "db-credentials",
              runIn: "update",
              settings: settings(),
              fewer: false,
            },
            saying(world),
          );
        else await finish(world);
      },
      check: async (world) => {
        await complete(world, null);
        await expectRolledBack(world, { weight: 100 });
      },
    });
  });
});
