import { spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect } from "chai";
import { poll, type Color } from "@bluegreen/release";
import { insideNetwork, loadBundles, makeTlsSecret } from "../../local/stage";
import { applyIn, edgeOf, makeNamespace, type TestNamespace } from "../support/testNamespace";

/** What a server does on SIGTERM. As the first process of a container it does not even end without a handler. */
type Stop = "finishes" | "ends" | "nothing";

type Protocol = "HTTP/1.1" | "HTTP/2";

/** Of the server below. HTTP/2 is without TLS there, as it is behind an ingress or in a cluster. */
const portOf = { "HTTP/1.1": 3000, "HTTP/2": 3001 };

/** Every answer takes a moment: a connection in use is in the middle of one nearly all the time. */
const server = `
const { STOP, COLOR } = process.env;
let isStopping = false;
const sessions = new Set();
const answer = (request, response) => {
  if (request.url === "/ready") return response.end();
  setTimeout(() => {
    if (isStopping && request.httpVersionMajor === 1) response.setHeader("connection", "close");
    response.end(COLOR);
  }, 200);
};
require("node:http").createServer(answer).listen(${portOf["HTTP/1.1"]});
require("node:http2").createServer(answer).listen(${portOf["HTTP/2"]}).on("session", (session) => {
  sessions.add(session);
  session.on("close", () => sessions.delete(session)).on("error", () => undefined);
});
if (STOP === "finishes") process.on("SIGTERM", () => {
  isStopping = true;
  // GOAWAY: what is open is answered, what comes later has to go elsewhere.
  for (const session of sessions) session.close();
  setTimeout(process.exit, 3000, 0);
});
if (STOP === "ends") process.on("SIGTERM", () => process.exit(0));
`;

/** Clients that each keep one connection, and ask on it again and again. A line in gives a report. */
const clients = `
const http = require("node:http");
const http2 = require("node:http2");
const tls = require("node:tls");
const { protocol, url, host, count, ca } = JSON.parse(process.argv[1]);
const report = { colors: Array.from({ length: count }, () => ""), answers: 0, failures: [] };
const body = (stream, resolve, reject) => {
  let text = "";
  stream.setEncoding("utf8").on("data", (part) => (text += part)).on("error", reject).on("end", () => resolve(text));
};
const byHttp1 = () => {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  return () => new Promise((resolve, reject) => {
    http.request(url, { agent, headers: { host } }, (response) =>
      response.statusCode === 200 ? body(response, resolve, reject) : reject(new Error(response.statusCode))
    ).on("error", reject).end();
  });
};
const byHttp2 = () => {
  let session;
  const open = () => {
    const secure = ca && {
      createConnection: () =>
        tls.connect({ host: new URL(url).hostname, port: 443, servername: host, ca, ALPNProtocols: ["h2"] }),
    };
    session = http2.connect(ca ? "https://" + host : url, secure).on("error", () => undefined);
    return session;
  };
  const ask = () => new Promise((resolve, reject) => {
    const stream = (session === undefined || session.closed || session.destroyed ? open() : session)
      .request({ ":path": "/", ":authority": host });
    let status;
    stream.on("response", (headers) => (status = headers[":status"]));
    stream.on("close", () => reject(Object.assign(new Error("closed"), { code: "closed, " + stream.rstCode })));
    body(stream, (text) => status === 200 ? resolve(text) : reject(new Error(status ?? "no answer")), reject);
  });
  return () => ask().catch((error) => {
    // What the server has named as not begun may be asked again: RFC 9113, 8.7.
    if (error.code === "ERR_HTTP2_GOAWAY_SESSION" || /REFUSED_STREAM/.test(error.message)) return ask();
    throw error;
  });
};
const live = async (index) => {
  const ask = protocol === "HTTP/2" ? byHttp2() : byHttp1();
  for (;;) {
    try {
      report.colors[index] = await ask();
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
const tlsSecret = "app-tls";
const graceSeconds = 5;

describe("Stopping the pods that clients of an app without draining stay on, on a real cluster", () => {
  let test: TestNamespace;
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
    test = await makeNamespace();
    host = `${test.namespace}.${edgeOf(test.stage).host}`;
  });
  afterEach(async () => {
    for (const crowd of crowds.splice(0)) crowd.stdin?.end();
    await test.remove();
  });

  const apply: ReturnType<typeof applyIn> = (object) => applyIn(test)(object);
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
        const { metadata, status } = await test.cluster.apps.readNamespacedDeployment({
          name: color,
          namespace: test.namespace,
        });
        const isSeen = (status?.observedGeneration ?? 0) >= (metadata?.generation ?? 0);
        return isSeen && status?.updatedReplicas === 2 && status.readyReplicas === 2 && status.replicas === 2
          ? true
          : undefined;
      },
      { timeoutMs: 300_000 },
    );
  };
  const select = (color: Color, protocol: Protocol) =>
    apply({
      apiVersion: "v1",
      kind: "Service",
      metadata: {
        name: "app",
        annotations: {
          "traefik.ingress.kubernetes.io/service.serversscheme": protocol === "HTTP/2" ? "h2c" : "http",
        },
      },
      spec: { selector: { color }, ports: [{ port: 80, targetPort: portOf[protocol] }] },
    });
  const gather = async (protocol: Protocol, url: string, ca?: string) => {
    const wanted = JSON.stringify({ protocol, url, host, count: clientsOfEach, ca });
    const [command = "", ...args] = await insideNetwork([process.execPath, "-e", clients, wanted]);
    const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
    crowds.push(child);
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    /** A Service made a moment ago refuses connections until its node knows it. */
    let early = 0;
    const report = async (): Promise<Report> => {
      child.stdin.write("\n");
      const { value } = (await lines.next()) as { value?: string };
      const all = JSON.parse(value ?? "null") as Report;
      return { ...all, failures: all.failures.slice(early) };
    };
    /** @returns after how many seconds */
    const allOn = async (color: Color) => {
      const since = performance.now();
      const isSo = async () => (await report()).colors.every((each) => each === color) || undefined;
      await poll(isSo, { timeoutMs: 300_000, intervalMs: 100 });
      return (performance.now() - since) / 1000;
    };
    await allOn("blue");
    early = (await report()).failures.length;
    return { report, allOn };
  };

  for (const { protocol, stop, cuts } of (["HTTP/1.1", "HTTP/2"] as const).flatMap((protocol) => [
    { protocol, stop: "finishes" as const, cuts: false },
    { protocol, stop: "ends" as const, cuts: true },
    { protocol, stop: "nothing" as const, cuts: true },
  ]))
    it(`${cuts ? "cuts answers" : "cuts nothing"} of a server of ${protocol} that on SIGTERM ${stop}`, async () => {
      const edge = edgeOf(test.stage);
      await makeTlsSecret({ name: tlsSecret, namespace: test.namespace });
      await Promise.all([deploy("blue", stop), deploy("green", stop), select("blue", protocol)]);
      await apply({
        apiVersion: "networking.k8s.io/v1",
        kind: "Ingress",
        metadata: { name: "app" },
        spec: {
          ingressClassName: "traefik",
          // With it, Traefik answers by HTTPS alone, as clients of HTTP/2 ask.
          ...(protocol === "HTTP/2" && { tls: [{ hosts: [host], secretName: tlsSecret }] }),
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
      const { spec } = await test.cluster.core.readNamespacedService({
        name: "app",
        namespace: test.namespace,
      });
      const byService = await gather(protocol, `http://${spec?.clusterIP ?? ""}`);
      const byIngress = await gather(
        protocol,
        `http://${edge.address}`,
        protocol === "HTTP/2" ? await readFile(edge.ca, "utf8") : undefined,
      );
      await select("green", protocol);
      const seconds = await byIngress.allOn("green");
      expect((await byIngress.report()).failures, "through the ingress").to.deep.equal([]);

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
        `      ${protocol}, ${stop}: ${clientsOfEach} clients of the ingress on green after ${seconds.toFixed(1)} s, those of the Service ${stayed.toFixed(1)} s after the restart began, ${failures.length} requests failed (${[...new Set(failures)].join(", ") || "none"})`,
      );
      if (cuts) expect(failures).not.to.deep.equal([]);
      else expect(failures).to.deep.equal([]);
    });
});
