import { spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect } from "chai";
import { poll, type Color } from "@bluegreen/release";
import { insideNetwork, loadBundles } from "../../local/stage";
import { applyIn, edgeOf, makeNamespace, type TestNamespace } from "../support/testNamespace";

/** What a server does on SIGTERM. As the first process of a container it does not even end without a handler. */
type Stop = "finishes" | "ends" | "nothing";

/** Every answer takes a moment: a connection in use is in the middle of one nearly all the time. */
const server = `
const { STOP, COLOR } = process.env;
let isStopping = false;
require("node:http").createServer((request, response) => {
  if (request.url === "/ready") return response.end();
  setTimeout(() => {
    if (isStopping) response.setHeader("connection", "close");
    response.end(COLOR);
  }, 200);
}).listen(3000);
if (STOP === "finishes") process.on("SIGTERM", () => { isStopping = true; setTimeout(process.exit, 3000, 0); });
if (STOP === "ends") process.on("SIGTERM", () => process.exit(0));
`;

/** Clients that each keep one connection, and ask on it again and again. A line in gives a report. */
const clients = `
const { Agent, request } = require("node:http");
const [url, host, count] = process.argv.slice(1);
const report = { colors: Array.from({ length: Number(count) }, () => ""), answers: 0, failures: [] };
const ask = (agent) => new Promise((resolve, reject) => {
  request(url, { agent, headers: { host } }, (response) => {
    let text = "";
    response.setEncoding("utf8").on("data", (part) => (text += part)).on("error", reject);
    response.on("end", () => response.statusCode === 200 ? resolve(text) : reject(new Error(response.statusCode)));
  }).on("error", reject).end();
});
const live = async (index) => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  for (;;) {
    try {
      report.colors[index] = await ask(agent);
      report.answers++;
    } catch (error) {
      report.failures.push(error.code ?? error.message);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
};
for (const index of report.colors.keys()) live(index);
require("node:readline").createInterface({ input: process.stdin })
  .on("line", () => console.log(JSON.stringify(report))).on("close", () => process.exit(0));
`;

interface Report {
  colors: string[];
  answers: number;
  failures: string[];
}

const clientsOfEach = 10;
const graceSeconds = 5;

describe("Stopping the pods that clients of an app without draining stay on, on a real cluster", function () {
  let home: TestNamespace;
  let image: string;
  let host: string;
  const crowds: ChildProcess[] = [];

  before(async () => {
    const folder = await mkdtemp(join(tmpdir(), "stopped-"));
    const bundle = join(folder, "server.js");
    await writeFile(bundle, server);
    [image = ""] = await loadBundles([{ reference: "bluegreen.local/stopped:v1", bundle }]);
    await rm(folder, { recursive: true });
  });
  beforeEach(async () => {
    home = await makeNamespace();
    host = `${home.namespace}.${edgeOf(home.stage).host}`;
  });
  afterEach(async () => {
    for (const crowd of crowds.splice(0)) crowd.stdin?.end();
    await home.remove();
  });

  const apply: ReturnType<typeof applyIn> = (object) => applyIn(home)(object);
  /** @param restart another one replaces the pods, one after the other, as kubectl rollout restart does */
  const deploy = async (color: Color, stop: Stop, restart = "0") => {
    await apply({
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: color },
      spec: {
        replicas: 2,
        strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
        selector: { matchLabels: { color } },
        template: {
          metadata: { labels: { color }, annotations: { restart } },
          spec: {
            terminationGracePeriodSeconds: graceSeconds,
            containers: [
              {
                name: "app",
                image,
                env: Object.entries({ STOP: stop, COLOR: color }).map(([name, value]) => ({ name, value })),
                readinessProbe: { httpGet: { path: "/ready", port: 3000 }, periodSeconds: 1 },
              },
            ],
          },
        },
      },
    });
    await poll(
      async () => {
        const { metadata, status } = await home.cluster.apps.readNamespacedDeployment({
          name: color,
          namespace: home.namespace,
        });
        const isSeen = (status?.observedGeneration ?? 0) >= (metadata?.generation ?? 0);
        return isSeen && status?.updatedReplicas === 2 && status.readyReplicas === 2 && status.replicas === 2
          ? true
          : undefined;
      },
      { timeoutMs: 300_000 },
    );
  };
  const select = (color: Color) =>
    apply({
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "app" },
      spec: { selector: { color }, ports: [{ port: 80, targetPort: 3000 }] },
    });
  const gather = async (url: string) => {
    const [command = "", ...args] = await insideNetwork([
      process.execPath,
      "-e",
      clients,
      url,
      host,
      String(clientsOfEach),
    ]);
    const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
    crowds.push(child);
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const report = async (): Promise<Report> => {
      child.stdin.write("\n");
      const { value } = (await lines.next()) as { value?: string };
      return JSON.parse(value ?? "null") as Report;
    };
    /** @returns after how many seconds */
    const allOn = async (color: Color) => {
      const since = performance.now();
      const isSo = async () => (await report()).colors.every((each) => each === color) || undefined;
      await poll(isSo, { timeoutMs: 300_000, intervalMs: 100 });
      return (performance.now() - since) / 1000;
    };
    await allOn("blue");
    return { report, allOn };
  };

  for (const { stop, cuts } of [
    { stop: "finishes", cuts: false },
    { stop: "ends", cuts: true },
    { stop: "nothing", cuts: true },
  ] as const)
    it(`${cuts ? "cuts answers of" : "cuts nothing of"} a server that on SIGTERM ${stop}`, async () => {
      await Promise.all([deploy("blue", stop), deploy("green", stop), select("blue")]);
      await apply({
        apiVersion: "networking.k8s.io/v1",
        kind: "Ingress",
        metadata: { name: "app" },
        spec: {
          ingressClassName: "traefik",
          rules: [
            {
              host,
              http: {
                paths: [
                  {
                    path: "/",
                    pathType: "Prefix",
                    backend: { service: { name: "app", port: { number: 80 } } },
                  },
                ],
              },
            },
          ],
        },
      });
      const { spec } = await home.cluster.core.readNamespacedService({
        name: "app",
        namespace: home.namespace,
      });
      const byService = await gather(`http://${spec?.clusterIP ?? ""}`);
      const byIngress = await gather(`http://${edgeOf(home.stage).address}`);
      const { failures: early } = await byIngress.report();
      await select("green");
      const seconds = await byIngress.allOn("green");
      expect((await byIngress.report()).failures, "through the ingress").to.deep.equal(early);

      const { answers } = await byService.report();
      const later = await poll(
        async () => {
          const now = await byService.report();
          return now.answers > answers + 10 * clientsOfEach ? now : undefined;
        },
        { timeoutMs: 300_000 },
      );
      expect(new Set(later.colors), "through the Service they stay").to.deep.equal(new Set(["blue"]));
      expect(later.failures).to.deep.equal([]);

      const restarted = deploy("blue", stop, "1");
      const stayed = await byService.allOn("green");
      await restarted;
      const { failures } = await byService.report();
      console.log(
        `      ${stop}: ${clientsOfEach} clients of the ingress on green after ${seconds.toFixed(1)} s, those of the Service ${stayed.toFixed(1)} s after the restart began, ${failures.length} requests failed (${[...new Set(failures)].join(", ") || "none"})`,
      );
      if (cuts) expect(failures).not.to.deep.equal([]);
      else expect(failures).to.deep.equal([]);
    });
});
