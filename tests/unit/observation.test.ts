import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { V1Pod } from "@bluegreen/release/kubernetes/client";
import { connect, templateAnnotation, type Cluster } from "@bluegreen/release";
import { NoAnswerError } from "@bluegreen/release/util/http";
import type { AskPod } from "@bluegreen/release/kubernetes/pods";
import { mapBounded } from "@bluegreen/release/util/mapBounded";
import { readEndpointState } from "@bluegreen/release/analysis/observation";
import { maxMetricsBytes } from "@bluegreen/release/analysis/requestMetrics";
import { workerLabel } from "@bluegreen/release/app/names";
import { readBeside, takeObservation, type ObservationOptions } from "@bluegreen/release/analysis/observe";
import { observationBounds } from "@bluegreen/release/analysis/readPods";
import { takeBaseline } from "@bluegreen/release/analysis/baseline";
import { startServer, type HttpServer } from "../support/httpServer";
import { held, limits, metricsText, observation } from "./observations";

const target = {
  app: "chatgpt-app",
  color: "green" as const,
  template: "t2",
  service: { namespace: "n", name: "chatgpt-app-service" },
};

interface FakePod {
  name: string;
  color?: string;
  /** Whether it is a pod of a worker. */
  works?: boolean;
  template?: string;
  phase?: string;
  ready?: boolean;
  restarts?: number;
  end?: { reason: string; exitCode: number };
  waiting?: string;
  leaving?: boolean;
  log?: string;
  previousLog?: string;
}

function asPod({
  name,
  color = "green",
  template = "t2",
  phase = "Running",
  ready = true,
  restarts = 0,
  end,
  waiting,
  leaving = false,
}: FakePod) {
  return {
    metadata: {
      namespace: "n",
      name,
      labels: { app: "chatgpt-app", version: color },
      annotations: { [templateAnnotation]: template },
      ...(leaving && { deletionTimestamp: "2026-03-01T10:00:00Z" }),
    },
    spec: {
      containers: [
        {
          name: "mcp-server",
          ports: [{ name: "http", containerPort: 3000 }],
          // Period and time-out are Kubernetes' own: 10 s and 1 s.
          readinessProbe: { httpGet: { path: "/ready", port: "http" } },
        },
      ],
    },
    status: {
      phase,
      conditions: [{ type: "Ready", status: ready ? "True" : "False" }],
      containerStatuses: [
        {
          name: "mcp-server",
          image: "i",
          imageID: "",
          ready,
          restartCount: restarts,
          state: waiting === undefined ? {} : { waiting: { reason: waiting } },
          lastState: end === undefined ? {} : { terminated: end },
        },
      ],
    },
  };
}

/** An error at a second of one minute, as the kubelet writes it. */
const line = (second: number, text: string) =>
  `2026-03-01T10:00:${String(second).padStart(2, "0")}.000000000Z ${text}\n`;

describe("An observation of a color", () => {
  let api: HttpServer;
  let cluster: Cluster;
  let folder: string;
  let pods: FakePod[];
  let endpoints: string[][];
  let asked: URL[];
  let answerLog: (response: ServerResponse, pod: FakePod, query: URLSearchParams) => void;
  const kubeconfigBefore = process.env["KUBECONFIG"];

  before(async () => {
    api = await startServer((request, response) => {
      const url = new URL(request.url ?? "", "http://api");
      asked.push(url);
      const json = (items: unknown[]) =>
        response.setHeader("content-type", "application/json").end(JSON.stringify({ items }));
      const log = /\/pods\/([^/]+)\/log$/.exec(url.pathname)?.[1];
      if (log !== undefined) {
        const pod = pods.find(({ name }) => name === log);
        response.setHeader("content-type", "text/plain");
        if (pod === undefined) response.writeHead(404).end();
        else answerLog(response, pod, url.searchParams);
      } else if (url.pathname.endsWith("/pods")) {
        json(
          pods
            .filter(({ color = "green", works = false }) => {
              const selector = url.searchParams.get("labelSelector") ?? "";
              return selector.includes(`version=${color}`) && selector.includes(workerLabel) === works;
            })
            .map(asPod),
        );
      } else {
        json(
          endpoints.map((names) => ({
            addressType: "IPv4",
            ports: [{ port: 3000 }],
            endpoints: names.map((name) => ({ addresses: ["10.0.0.1"], targetRef: { kind: "Pod", name } })),
          })),
        );
      }
    });
    folder = mkdtempSync(join(tmpdir(), "bluegreen-observation-"));
    const kubeconfig = {
      clusters: [{ name: "c", cluster: { server: api.url, "insecure-skip-tls-verify": true } }],
      contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
      users: [{ name: "u", user: {} }],
      "current-context": "x",
    };
    process.env["KUBECONFIG"] = join(folder, "config");
    writeFileSync(process.env["KUBECONFIG"], JSON.stringify(kubeconfig));
    cluster = connect({ context: "", namespace: "n", namespacePerColor: false });
  });
  after(async () => {
    if (kubeconfigBefore === undefined) delete process.env["KUBECONFIG"];
    else process.env["KUBECONFIG"] = kubeconfigBefore;
    rmSync(folder, { recursive: true });
    await api.close();
  });
  beforeEach(() => {
    asked = [];
    endpoints = [];
    pods = [{ name: "a" }, { name: "b" }];
    answerLog = (response, pod, query) =>
      void response.end((query.get("previous") === "true" ? pod.previousLog : pod.log) ?? "");
  });

  const requests = (end: string) => asked.filter(({ pathname }) => pathname.endsWith(end));
  const healthy: AskPod = () => Promise.resolve(metricsText([{ requests: 10 }]));
  const take = (options: Partial<ObservationOptions> = {}) =>
    takeObservation(cluster, target, {
      limits,
      ask: healthy,
      before: observation([]),
      elapsedSeconds: 30,
      ...options,
    });

  it("is of the pods that run this version, without those that are over or on their way out", async () => {
    pods = [
      { name: "a" },
      { name: "old", template: "t1" },
      { name: "evicted", phase: "Failed" },
      { name: "leaving", leaving: true },
      { name: "blue", color: "blue" },
    ];
    const { pods: read } = await take();
    expect(read.map(({ name }) => name)).to.deep.equal(["a"]);
    expect(read[0]).to.deep.include({ ready: true, restarts: 0, backsOff: false, answered: true });
    expect(read[0]?.counters).to.include({ requests: 10 });
  });

  const withWorkers = { ...limits, workers: true } as const;

  it("is of the workers that run this version, too: how often they have restarted", async () => {
    expect(await take({ limits: withWorkers })).not.to.have.property("workers");
    pods = [
      { name: "a" },
      { name: "mailer", works: true, restarts: 2 },
      { name: "mailer-old", works: true, template: "t1" },
      { name: "mailer-blue", works: true, color: "blue" },
    ];
    const { pods: read, workers } = await take({ limits: withWorkers });
    expect(read.map(({ name }) => name)).to.deep.equal(["a"]);
    expect(workers?.map(({ name, restarts }) => [name, restarts])).to.deep.equal([["mailer", 2]]);
  });

  it("says how often a pod has restarted, how it ended last, and whether it waits to start again", async () => {
    pods = [
      {
        name: "a",
        ready: false,
        restarts: 4,
        end: { reason: "OOMKilled", exitCode: 137 },
        waiting: "CrashLoopBackOff",
      },
    ];
    expect((await take()).pods[0]).to.deep.include({
      ready: false,
      restarts: 4,
      lastEnd: { reason: "OOMKilled", exitCode: 137 },
      backsOff: true,
    });
  });

  it("keeps what a pod had counted when it does not answer, and says that it did not", async () => {
    const before = await take();
    const ask: AskPod = (pod) =>
      pod.metadata?.name === "b"
        ? Promise.reject(new NoAnswerError("no"))
        : healthy(pod, "", { maxBytes: 1, timeoutMs: 1 });
    const now = await take({ ask, before });
    expect(now.pods.map(({ answered }) => answered)).to.deep.equal([true, false]);
    expect(now.pods[1]?.counters).to.deep.equal(before.pods[1]?.counters);
  });

  it("takes a page that is no metrics for no answer", async () => {
    const { pods: read } = await take({ ask: () => Promise.resolve("<html>") });
    expect(read.map(({ answered, counters }) => [answered, counters])).to.deep.equal([
      [false, undefined],
      [false, undefined],
    ]);
  });

  it("does not hide a mistake of its own as a pod that does not answer", async () => {
    const failure = await take({ ask: () => Promise.reject(new TypeError("mistake")) }).catch(
      (error: unknown) => error,
    );
    expect(failure).to.be.instanceOf(TypeError);
  });

  it("asks one list of pods for each color and one of workers, and each pod once for its metrics and once for its log, of 1,000 pods", async () => {
    pods = Array.from({ length: 1000 }, (_, index) => ({ name: `p${index}`, log: line(1, "ERROR x") }));
    let atOnce = 0;
    let most = 0;
    const begin = () => {
      most = Math.max(most, ++atOnce);
    };
    const ask: AskPod = async (_pod, path, { maxBytes }) => {
      expect([path, maxBytes]).to.deep.equal(["/metrics", maxMetricsBytes]);
      begin();
      await new Promise((done) => setImmediate(done));
      atOnce--;
      return metricsText([{ requests: 10 }]);
    };
    answerLog = (response, pod, query) => {
      begin();
      expect(Number(query.get("limitBytes")) * 1000).to.be.at.most(observationBounds.allLogBytes);
      setImmediate(() => {
        atOnce--;
        response.end(pod.log);
      });
    };
    // All are to answer, however busy this machine is.
    const bounds = { ...observationBounds, totalMs: 600_000, timeoutMs: 600_000 };
    const now = await take({ ask, bounds, limits: withWorkers });
    expect(now.pods.filter(({ answered }) => answered)).to.have.length(1000);
    expect(requests("/pods"), "of each color, and of the workers").to.have.length(3);
    expect(asked).to.have.length(1003);
    expect(most, "all that is asked at a time").to.be.within(2, observationBounds.atOnce);
    expect(now.logs.samples).to.have.length(3);
    expect(Buffer.byteLength(JSON.stringify(now)), "a ConfigMap holds a megabyte").to.be.below(900_000);
    expect(JSON.parse(JSON.stringify(now))).to.deep.equal(now);
  });

  it("asks for no workers where the app has none", async () => {
    await take();
    expect(requests("/pods"), "of each color").to.have.length(2);
    asked = [];
    await takeBaseline(cluster, target, { ask: healthy, limits });
    expect(requests("/pods")).to.have.length(1);
  });

  it("ends when its time is over, with what has answered until then", async () => {
    const ask: AskPod = (pod, _path, { signal }) =>
      pod.metadata?.name === "a"
        ? Promise.resolve(metricsText([{ requests: 10 }]))
        : new Promise((_done, fail) => {
            signal?.addEventListener("abort", () => {
              fail(new NoAnswerError("no time"));
            });
          });
    const { pods: read, logs } = await take({
      ask,
      bounds: { ...observationBounds, totalMs: 4000, timeoutMs: 60_000 },
    });
    expect(read.map(({ answered }) => answered)).to.deep.equal([true, false]);
    expect(logs.unreadPods).to.equal(1);
  });

  it("fails when it is told to stop: half an observation is none", async () => {
    const controller = new AbortController();
    const ask: AskPod = () => {
      controller.abort(new Error("SIGINT"));
      return Promise.reject(new NoAnswerError("stopped"));
    };
    const failure: unknown = await take({ ask, signal: controller.signal }).catch((error: unknown) => error);
    expect(failure).to.be.instanceOf(Error).with.property("message", "SIGINT");
  });

  describe("looks at logs and", () => {
    it("counts what came after the baseline, each line once, by the node's clock alone", async () => {
      pods = [{ name: "a", log: line(1, "ERROR before") }];
      const baseline = await takeBaseline(cluster, target, { ask: healthy, limits });
      expect(baseline.observation.logs.errors).to.equal(0);
      expect(requests("/log")[0]?.searchParams.get("tailLines")).to.equal("1");
      pods = [{ name: "a", log: line(1, "ERROR before") + line(2, "ERROR after") }];
      const first = await take({ before: baseline.observation });
      expect(first.logs).to.deep.include({ errors: 1, samples: ["a: ERROR after"] });
      expect((await take({ before: first })).logs.errors).to.equal(0);
    });

    it("asks for a span of time, not for a time: as long as it has not read them", async () => {
      pods = [{ name: "a" }];
      const span = () => Number(requests("/log").at(-1)?.searchParams.get("sinceSeconds"));
      const before = await take({ elapsedSeconds: 30 });
      expect(span()).to.be.within(31, 59);
      answerLog = (response) => void response.writeHead(500).end();
      const failed = await take({ before, elapsedSeconds: 30 });
      expect(failed.logs).to.deep.include({ unreadPods: 1, errors: 0 });
      answerLog = (response) => void response.end(line(1, "ERROR x"));
      const now = await take({ before: failed, elapsedSeconds: 30 });
      expect(span()).to.be.at.least(60);
      expect(now.logs).to.deep.include({ unreadPods: 0, errors: 1 });
      await take({ before: now, elapsedSeconds: 30 });
      expect(span()).to.be.within(30, 59);
    });

    it("reads the last words of a process that has ended, once, though they may be in both logs", async () => {
      pods = [{ name: "a", log: line(1, "fine") }];
      const before = await take();
      const words = line(1, "fine") + line(2, "FATAL out of luck");
      pods = [{ name: "a", restarts: 1, previousLog: words, log: words }];
      const now = await take({ before });
      expect(now.logs).to.deep.include({ errors: 1, samples: ["a: FATAL out of luck"] });
      asked = [];
      await take({ before: now });
      expect(requests("/log")).to.have.length(1);
    });

    it("says of how many pods there was more, and how many have none yet", async () => {
      pods = [
        {
          name: "a",
          log: line(1, `ERROR ${"x".repeat(observationBounds.logBytes)}`).slice(
            0,
            observationBounds.logBytes,
          ),
        },
        { name: "b", phase: "Pending", ready: false },
      ];
      const { logs } = await take();
      expect(logs).to.deep.equal({ errors: 0, samples: [], cutPods: 1, unreadPods: 0 });
      expect(requests("/log")).to.have.length(1);
    });
  });

  describe("as a baseline", () => {
    it("knows what is usual from the live color now, whatever version that is", async () => {
      pods = [
        { name: "a" },
        { name: "blue-1", color: "blue", template: "t1" },
        { name: "blue-2", color: "blue", template: "t1" },
      ];
      const ask: AskPod = ({ metadata }) =>
        Promise.resolve(
          metricsText(metadata?.name === "a" ? [] : [{ requests: 90 }, { status: 500, requests: 10 }]),
        );
      const { observation: read, usual } = await takeBaseline(cluster, target, {
        ask,
        limits,
        live: "blue",
      });
      expect(read.pods.map(({ name }) => name)).to.deep.equal(["a"]);
      expect(usual).to.include({ pods: 2, requests: 200, serverErrors: 20 });
    });

    it("asks Prometheus for nothing that nobody compares with it", async () => {
      const queries: (string | null)[] = [];
      const prometheus = await startServer((request, response) => {
        queries.push(new URL(request.url ?? "", "http://server").searchParams.get("query"));
        response.end(JSON.stringify({ status: "success", data: { resultType: "scalar", result: [0, "3"] } }));
      });
      const within = {
        ...limits,
        prometheusUrl: prometheus.url,
        prometheusQueries: [
          { ...held, name: "idle", query: "of_idle", maxTimes: 2, comparedWith: "idle" as const },
          { ...held, name: "limit", query: "of_limit", max: 2 },
          { ...held, name: "before", query: 'of_before{color="{{color}}"}', maxTimes: 2 },
        ],
      };
      const { usualQueries } = await takeBaseline(cluster, target, {
        ask: healthy,
        limits: within,
        live: "blue",
      });
      await prometheus.close();
      expect(queries).to.deep.equal(['of_before{color="blue"}']);
      expect(usualQueries?.map(({ name }) => name)).to.deep.equal(["before"]);
    });

    it("tells what the color that keeps a canary weight got, by whoever config believes", async () => {
      pods = [{ name: "a" }, { name: "blue-1", color: "blue", template: "t1" }];
      let requests = 100;
      const router = await startServer((_request, response) => {
        response.end(`routed_count{code="200",service="blue"} ${requests}\n`);
      });
      const within = {
        ...limits,
        requestsFrom: "router" as const,
        routerMetricsUrl: router.url,
        series: {
          name: "routed",
          statusLabel: "code",
          labels: { blue: { service: "blue" }, green: { service: "green" } },
        },
      };
      const of = { ask: healthy, signal: new AbortController().signal };
      const before = await takeBaseline(cluster, target, { ask: healthy, limits: within, live: "blue" });
      const beside = (from: typeof limits = within) =>
        readBeside(cluster, { app: target.app, color: "blue" }, before, { ...of, limits: from });
      requests = 130;
      expect(await beside()).to.equal(30);
      await router.close();
      expect(await beside(), "nobody can tell").to.equal(null);
      expect(await beside({ ...within, requestsFrom: "pods" }), "of the pods").to.equal(0);
    });

    it("knows nothing of that at the first release, and stays what it is in JSON", async () => {
      const baseline = await takeBaseline(cluster, target, { ask: healthy, limits });
      expect(baseline).not.to.have.property("usual");
      expect(JSON.parse(JSON.stringify(baseline))).to.deep.equal(baseline);
    });
  });

  describe("at a glance", () => {
    it("asks only for endpoints while there is one, however many slices there are", async () => {
      endpoints = [
        ["a", "b"],
        ["b", "c"],
      ];
      expect(await readEndpointState(cluster, target)).to.deep.equal({
        readyEndpoints: 3,
        emptyForSeconds: 0,
        isShared: false,
        graceSeconds: 0,
        pods: [],
      });
      expect(asked).to.have.length(1);
    });

    it("asks for the pods of both colors, too, where there is none, and says for how long", async () => {
      const first = await readEndpointState(cluster, target);
      expect(first).to.deep.include({ readyEndpoints: 0, emptyForSeconds: 0 });
      expect(first.pods.map(({ name }) => name)).to.deep.equal(["a", "b"]);
      expect(asked).to.have.length(3);
      const second = await readEndpointState(cluster, target, { state: first, elapsedSeconds: 1.5 });
      expect(second.emptyForSeconds).to.equal(1.5);
      expect(
        (await readEndpointState(cluster, target, { state: second, elapsedSeconds: 1 })).emptyForSeconds,
      ).to.equal(2.5);
      endpoints = [["a"]];
      const served = await readEndpointState(cluster, target, { state: second, elapsedSeconds: 1 });
      endpoints = [];
      expect(
        (await readEndpointState(cluster, target, { state: served, elapsedSeconds: 9 })).emptyForSeconds,
      ).to.equal(0);
    });

    it("counts no second in which the other color was away as well, and then the time that a probe takes", async () => {
      pods = [
        { name: "a", ready: false },
        { name: "old", color: "blue", ready: false },
      ];
      const first = await readEndpointState(cluster, target);
      expect(first).to.deep.include({ isShared: true, emptyForSeconds: 0, graceSeconds: 11 });
      const second = await readEndpointState(cluster, target, { state: first, elapsedSeconds: 30 });
      expect(second).to.deep.include({ isShared: true, emptyForSeconds: 0 });
      pods = [
        { name: "a", ready: false },
        { name: "old", color: "blue" },
      ];
      const third = await readEndpointState(cluster, target, { state: second, elapsedSeconds: 1 });
      expect(third).to.deep.include({ isShared: false, emptyForSeconds: 0, graceSeconds: 11 });
      const fourth = await readEndpointState(cluster, target, { state: third, elapsedSeconds: 2 });
      expect(fourth).to.deep.include({ isShared: false, emptyForSeconds: 2, graceSeconds: 11 });
    });
  });
});

describe("Work on many things", () => {
  it("is done in order of the results, and no more at a time than allowed", async () => {
    const open = new Set<number>();
    const results = await mapBounded([...Array(50).keys()], 4, async (item) => {
      open.add(item);
      expect(open.size).to.be.at.most(4);
      for (let turns = item % 5; turns >= 0; turns--) await new Promise((done) => setImmediate(done));
      open.delete(item);
      return item * 2;
    });
    expect(results).to.deep.equal([...Array(50).keys()].map((item) => item * 2));
    expect(await mapBounded([] as V1Pod[], 4, () => Promise.resolve(1))).to.deep.equal([]);
  });

  it("ends with the first failure", async () => {
    const failure: unknown = await mapBounded([1, 2, 3], 2, (item) =>
      item === 2 ? Promise.reject(new Error("two")) : Promise.resolve(item),
    ).catch((error: unknown) => error);
    expect(failure).to.be.instanceOf(Error).with.property("message", "two");
  });
});
