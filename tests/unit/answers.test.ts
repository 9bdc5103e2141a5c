import { createServer, type Server } from "node:http";
import { expect } from "chai";
import {
  connect,
  DeadlineError,
  messageOf,
  poll,
  readyPodsBehind,
  takeLease,
  type Cluster,
} from "@bluegreen/release";
import type { V1Service } from "@bluegreen/release/kubernetes/client";
import {
  applyPatch,
  asJsonPatch,
  isAsTested,
  UnknownOutcomeError,
  type Patched,
} from "@bluegreen/release/kubernetes/patch";
import { followObject } from "@bluegreen/release/kubernetes/followObject";
import type { JsonPatch } from "@bluegreen/release/kubernetes/jsonPointer";
import { mayPass, UnansweredError } from "@bluegreen/release/util/mayPass";
import { untilAnswered } from "@bluegreen/release/util/poll";
import {
  activeServiceOf,
  unblockImages,
  blockedImagesAnnotation,
  patchBlockedImages,
  readBlockedImages,
  withBlockedImage,
  type BlockedImage,
} from "@bluegreen/release/state/blockedImages";
import { unnotedBlock } from "@bluegreen/release/rollback/rollBackRelease";
import { routers } from "@bluegreen/release/routers/routers";
import { allOn } from "@bluegreen/release/routers/weights";
import { refusedText, type Trouble } from "../../local/testing/trouble";
import { startApiServer, type ApiServer } from "../support/apiServer";
import { simulateTime } from "../support/lateAnswers";

const where = { context: "", namespace: "shop", namespacePerColor: false } as const;
const app = "shop";
const key = `services/${app}-service`;

/** Simulated: what an API server does to one request, and what is made of that. */
describe("An answer of the API server", function () {
  let api: ApiServer;
  let cluster: Cluster;
  let asked: string[];
  let realTime: () => void;
  const kubeconfig = process.env["KUBECONFIG"];

  beforeEach(async () => {
    api = await startApiServer();
    process.env["KUBECONFIG"] = api.kubeconfig;
    cluster = connect(where);
    asked = [];
    realTime = simulateTime([api]);
  });
  afterEach(async () => {
    realTime();
    if (kubeconfig === undefined) delete process.env["KUBECONFIG"];
    else process.env["KUBECONFIG"] = kubeconfig;
    await api.close();
  });

  /** To the first requests that begin so, in turn. */
  const meddle = (start: string, ...troubles: Trouble[]) => {
    api.meddle = (request) => {
      asked.push(request);
      return request.startsWith(start) ? troubles.shift() : undefined;
    };
  };
  const always = (start: string, trouble: Trouble) => {
    api.meddle = (request) => {
      asked.push(request);
      return request.startsWith(start) ? trouble : undefined;
    };
  };
  const failureOf = (work: Promise<unknown>): Promise<unknown> =>
    work.then(
      () => undefined,
      (error: unknown) => error,
    );

  describe("to what is only read", () => {
    const read = () => cluster.core.readNamespacedService({ name: `${app}-service`, namespace: "shop" });
    beforeEach(() => {
      api.change(key, { metadata: { name: `${app}-service` } });
    });

    it("is asked for again where it may come", async () => {
      for (const trouble of [500, 503, 429, "lost", "dropped", "late"] satisfies Trouble[]) {
        meddle("GET", trouble);
        expect((await read()).metadata?.name, String(trouble)).to.equal(`${app}-service`);
      }
    });

    it("is asked for three times at the most, and is what it is then", async () => {
      always("GET", 503);
      expect(messageOf(await failureOf(read())))
        .to.contain(refusedText)
        .and.contain("HTTP 503");
      expect(asked).to.have.length(3);
      asked = [];
      always("GET", 403);
      expect(messageOf(await failureOf(read()))).to.contain("HTTP 403");
      expect(asked).to.have.length(1);
    });

    it("is not waited for without end", async () => {
      always("GET", "nothing");
      const failure = await failureOf(read());
      expect(failure).to.be.instanceOf(UnansweredError);
      expect(messageOf(failure)).to.equal("the API server did not answer in time");
    });

    it("may end in the middle", async () => {
      const half = createServer((_request, response) => {
        response.writeHead(200, { "content-type": "application/json", "content-length": 100 });
        response.write("{");
        response.socket?.end();
      });
      const failure = await withServer(half, () => failureOf(read()));
      expect(mayPass(failure)).to.equal(true);
    });
  });

  /** On the port of the simulated one, which is away meanwhile. */
  const withServer = async <T>(server: Server, work: () => Promise<T>): Promise<T> => {
    const port = Number(new URL(cluster.config.getCurrentCluster()?.server ?? "").port);
    await api.close();
    await new Promise<void>((done) => server.listen(port, "127.0.0.1", done));
    try {
      return await work();
    } finally {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
      api = await startApiServer();
    }
  };

  describe("to a patch", () => {
    const body: JsonPatch = [
      { op: "test", path: "/spec/selector/version", value: "green" },
      { op: "replace", path: "/spec/selector/version", value: "blue" },
    ];
    const target = (): Patched<V1Service> => {
      const at = { name: `${app}-service`, namespace: "shop" };
      return {
        read: () => cluster.core.readNamespacedService(at),
        send: (patch) => cluster.core.patchNamespacedService({ ...at, body: patch }, asJsonPatch),
      };
    };
    const color = () =>
      (api.objects.get(key) as { spec: { selector: { version: string } } }).spec.selector.version;
    beforeEach(() => {
      api.change(key, { metadata: { name: `${app}-service` }, spec: { selector: { version: "green" } } });
    });

    it("leaves nothing open where the object tells", async () => {
      for (const trouble of [500, 503, "lost", "dropped", "late", "slow", 409, 429] satisfies Trouble[]) {
        api.change(key, { metadata: { name: `${app}-service` }, spec: { selector: { version: "green" } } });
        meddle("PATCH", trouble);
        expect(await applyPatch(target(), body), String(trouble)).to.equal(true);
        expect(color()).to.equal("blue");
      }
    });

    it("says that somebody else was quicker only where a tested value is another one", async () => {
      api.change(key, { metadata: { name: `${app}-service` }, spec: { selector: { version: "red" } } });
      expect(await applyPatch(target(), body)).to.equal(false);
      meddle("PATCH", "lost");
      expect(await applyPatch(target(), body)).to.equal(false);
      expect(color()).to.equal("red");
    });

    it("gives the server's own sentence where it refuses by a rule of its own", async () => {
      always("PATCH", 422);
      expect(messageOf(await failureOf(applyPatch(target(), body))))
        .to.contain(refusedText)
        .and.contain("HTTP 422");
      expect(asked).to.deep.equal([`PATCH ${key}`, `GET ${key}`]);
    });

    it("is unknown where neither it nor the object can be had, and says so", async () => {
      api.meddle = () => 500;
      const failure = await failureOf(applyPatch(target(), body, 1500));
      expect(failure).to.be.instanceOf(UnknownOutcomeError);
      expect(messageOf(failure)).to.contain("is not known").and.contain(refusedText);
    });

    it("is known not to have come where the server had too much to do", async () => {
      always("PATCH", 429);
      const failure = await failureOf(applyPatch(target(), body, 1500));
      expect(failure).not.to.be.instanceOf(UnknownOutcomeError);
      expect(messageOf(failure)).to.contain("HTTP 429");
      expect(asked.length).to.be.lessThan(12);
    });
  });

  describe("to a poll of a wait", () => {
    const unanswered = () => Promise.reject(new UnansweredError("the API server did not answer: ECONNRESET"));

    it("ends it only when there is none for long, and says for how long and why", async () => {
      let checks = 0;
      const passing = poll(() => (++checks < 3 ? unanswered() : Promise.resolve(checks)), { timeoutMs: 0 });
      expect(await passing).to.equal(3);
      const lasting = failureOf(poll(unanswered, { timeoutMs: 60_000, awayMs: 1500 }));
      expect(messageOf(await lasting)).to.match(/^for [12] s: the API server did not answer: ECONNRESET$/);
    });

    it("does not hide that what is waited for did not come", async () => {
      expect(await failureOf(poll(() => Promise.resolve(undefined), { timeoutMs: 100 }))).to.be.instanceOf(
        DeadlineError,
      );
    });

    it("ends it at once where it says no", async () => {
      const refused = new Error("refused");
      expect(await failureOf(poll(() => Promise.reject(refused), { timeoutMs: 60_000 }))).to.equal(refused);
      expect(await failureOf(untilAnswered(() => Promise.reject(refused)))).to.equal(refused);
    });
  });

  describe("to a list of endpoints", () => {
    it("holds a pod once that stands in two slices", async () => {
      for (const slice of ["ipv4", "ipv6"])
        api.change(`endpointslices/${app}-${slice}`, {
          metadata: { labels: { "kubernetes.io/service-name": `${app}-blue` } },
          ports: [{ port: 3000 }],
          endpoints: ["one", "two"].map((name) => ({ targetRef: { kind: "Pod", name } })),
        });
      const pods = await readyPodsBehind(cluster, { namespace: "shop", name: `${app}-blue` });
      expect(pods.map(({ name }) => name)).to.deep.equal(["one", "two"]);
    });
  });

  describe("to the taking of a lease", () => {
    it("that was lost keeps nobody out, least of all who has taken it", async () => {
      meddle("POST leases", "dropped");
      const answer = await takeLease(cluster, "any", { holder: "a test", seconds: 3600, waitMs: 0 });
      expect(answer).to.have.property("held");
      if ("held" in answer) await answer.held.release();
    });
  });

  describe("to a watch", () => {
    it("that ends at once is not the beginning of the next one", async () => {
      always("WATCH", "dropped");
      const ended = new AbortController();
      const following = followObject(
        where,
        { group: "", version: "v1", plural: "services", name: "any" },
        () => undefined,
        ended.signal,
      );
      const started = performance.now();
      await poll(() => Promise.resolve(asked.length >= 4 ? true : undefined), {
        timeoutMs: 60_000,
        intervalMs: 10,
      });
      // 250 ms, 500 ms and a second.
      expect(performance.now() - started).to.be.greaterThan(1700);
      ended.abort();
      await following;
    });
  });
});

/** The contract of WeightsIn: a patch holds only while its object is as it was found. */
describe("Weights of nginx", () => {
  it("are not moved over what somebody else has moved meanwhile", () => {
    const ingress = (service: string, annotations: Record<string, string>) => ({
      metadata: { annotations },
      spec: { rules: [{ http: { paths: [{ backend: { service: { name: `${app}-${service}` } } }] } }] },
    });
    const weight = "nginx.ingress.kubernetes.io/canary-weight";
    const found = [ingress("blue", {}), ingress("green-canary", { [weight]: "10" })];
    const [production, canary] = routers.nginx.weights?.patches(app, found, allOn("blue"), "blue") ?? [];
    expect(isAsTested(found[0], production ?? [])).to.equal(true);
    expect(isAsTested(found[1], canary ?? [])).to.equal(true);
    expect(isAsTested(ingress("green", {}), production ?? [])).to.equal(false);
    expect(isAsTested(ingress("green-canary", { [weight]: "20" }), canary ?? [])).to.equal(false);
    expect(isAsTested(ingress("blue-canary", { [weight]: "10" }), canary ?? [])).to.equal(false);
  });
});

describe("Blocked images", () => {
  const blocked = (image: string): BlockedImage =>
    ({
      color: "green",
      image,
      reason: "",
      evidence: [],
      at: "2026-01-02T03:04:05.000Z",
      by: "anna",
    }) as const;
  let api: ApiServer;
  const kubeconfig = process.env["KUBECONFIG"];
  beforeEach(async () => {
    api = await startApiServer();
    process.env["KUBECONFIG"] = api.kubeconfig;
  });
  afterEach(async () => {
    if (kubeconfig === undefined) delete process.env["KUBECONFIG"];
    else process.env["KUBECONFIG"] = kubeconfig;
    await api.close();
  });

  it("of two who write the first one at once do not take each other's place", async () => {
    for (const metadata of [{}, { annotations: {} }]) {
      api.change(key, { metadata });
      const target = activeServiceOf(connect(where), app);
      const found = await target.read();
      const [one, other] = ["app:v2", "app:v3"].map((image) =>
        patchBlockedImages(found, withBlockedImage([], blocked(image))),
      );
      expect(await applyPatch(target, one ?? [])).to.equal(true);
      expect(await applyPatch(target, other ?? [])).to.equal(false);
      expect(readBlockedImages(await target.read()).map(({ image }) => image)).to.deep.equal(["app:v2"]);
    }
  });

  it("are not cleared in a loop where a policy is against it", async () => {
    api.change(key, {
      metadata: { annotations: { [blockedImagesAnnotation]: JSON.stringify([blocked("app:v2")]) } },
    });
    let patches = 0;
    api.meddle = (request) => {
      if (!request.startsWith("PATCH")) return undefined;
      patches++;
      return 422;
    };
    const failure = await unblockImages(connect(where), app, "green").catch((error: unknown) => error);
    expect(messageOf(failure)).to.contain(refusedText);
    expect(patches).to.equal(1);
  });

  it("tell of a rollback that its record does not know of", () => {
    const release = {
      id: "s1",
      kind: "switch",
      weight: 100,
      to: { color: "green", image: "app:v2", template: "b" },
      from: { color: "blue", image: "app:v1", template: "a" },
      who: "anna",
      why: "",
      at: "2026-01-02T03:04:05.000Z",
      state: "analyzing",
      baseline: {
        observation: { pods: [], logs: { errors: 0, samples: [], cutPods: 0, unreadPods: 0 }, queries: [] },
      },
      contracts: { waiting: [] },
    } as const;
    const service = (version: string, undone: string) => ({
      metadata: {
        annotations: { [blockedImagesAnnotation]: JSON.stringify([{ ...blocked("app:v2"), undone }]) },
      },
      spec: { selector: { version } },
    });
    const open = { ...release, contracts: { waiting: [] as string[] }, baseline: release.baseline as never };
    expect(unnotedBlock(open, service("blue", "s1"))?.image).to.equal("app:v2");
    expect(unnotedBlock({ ...open, state: "kept" }, service("blue", "s1"))?.image).to.equal("app:v2");
    expect(unnotedBlock({ ...open, state: "rolledBack" }, service("blue", "s1"))).to.equal(undefined);
    expect(unnotedBlock(open, service("green", "s1"))).to.equal(undefined);
    expect(unnotedBlock(open, service("blue", "s0"))).to.equal(undefined);
  });
});
