import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { names, otherColor, poll, type Color } from "@bluegreen/release";
import { repositoryDir } from "../../local/paths";
import { loadBundles } from "../../local/stage";
import { makeStack, type TestStack } from "../../local/testing/testStack";
import { startUsers } from "../../local/testing/users";
import { applyIn, makeNamespace, type TestNamespace } from "../support/testNamespace";

/**
 * A server whose version says how its metrics name the status of a request, and what it does to its users:
 * `code-fails`. What it does begins when it gets traffic: its gates see nothing of it. Pods of both colors depend on
 * another server.
 */
const server = `
const { createServer } = require("node:http");
const { appendFileSync, readFileSync } = require("node:fs");
const { APP_VERSION: version, BLUEGREEN_COLOR: color, DEPENDENCY_URL } = process.env;
const [label, does] = (version ?? "").split("-");
if (does === "late") {
  appendFileSync("/tmp/starts", ".");
  if (readFileSync("/tmp/starts").length < 3) process.exit(1);
}
const counts = new Map();
const labelOf = { class: "status", code: "code", status_code: "status_code", status: "status" };
const metrics = () => {
  if (label === "other")
    return [...counts].map(([key, n]) => 'shop_calls_total{result="' + key.split(" ")[0] + '"} ' + n).join("\\n") + "\\n";
  const name = "http_request_duration_seconds";
  const lines = [...counts].flatMap(([key, n]) => {
    const [status, path] = key.split(" ");
    const value = label === "class" ? status[0] + "xx" : status;
    const labels = 'path="' + path + '"' + (labelOf[label] ? "," + labelOf[label] + '="' + value + '"' : "");
    return [
      name + '_bucket{le="0.1",' + labels + "} " + n,
      name + '_bucket{le="+Inf",' + labels + "} " + n,
      name + "_sum{" + labels + "} " + n / 100,
      name + "_count{" + labels + "} " + n,
    ];
  });
  return "# TYPE " + name + " histogram\\n" + lines.join("\\n") + "\\n";
};
let asked = 0;
const statusNow = () => {
  if (++asked <= 20) return 200;
  if (does === "fails") return asked % 10 === 0 ? 200 : 500;
  if (does === "third") return asked % 3 === 0 ? 500 : 200;
  if (does === "refuses") return 403;
  return 200;
};
const isWell = () => fetch(DEPENDENCY_URL, { signal: AbortSignal.timeout(900) }).then(({ ok }) => ok, () => false);
createServer(async ({ url }, response) => {
  const answer = (status, text) => {
    const key = status + " " + url;
    counts.set(key, (counts.get(key) ?? 0) + 1);
    response.writeHead(status, { "content-type": "application/json", "x-app-color": color ?? "none" }).end(text);
  };
  if (url === "/healthz") return answer(200, "ok");
  if (url === "/readyz") return (await isWell()) ? answer(200, "ok") : answer(503, "away");
  if (url === "/metrics") return response.end(metrics());
  answer(statusNow(), JSON.stringify({ shop: "open", version }));
}).listen(8080);
if (does === "noisy" || does === "noisier")
  setInterval(() => console.log("ERROR upstream timed out, will retry"), does === "noisy" ? 500 : 50);
process.on("SIGTERM", () => process.exit(0));
`;

const workDir = join(repositoryDir, "examples", "shop");
const imageRepository = "bluegreen.local/analyzed";
const shop = { service: names.activeService("shop"), path: "/" };
/** An interval has 125 requests: a ratio of fewer than 100 says nothing of refused ones. */
const analysis = { durationSeconds: 40, intervalSeconds: 5 };

const labels = ["status_code", "code", "class"] as const;
const versions = [
  "status-well",
  ...labels.map((label) => `${label}-fails`),
  ...["none-fails", "other-fails", "status-refuses", "status-third", "status-fails", "status-again"],
  ...["status-noisy", "class-noisy", "status-noisier", "status-late"],
];

/**
 * What analyses have been wrong about: figures of any library, noise, what both colors share. What each sample
 * counts for: tests/unit/analysisScore.test.ts.
 */
describe("The analysis of apps that others have written, on a real cluster under load", () => {
  let dependencies: TestNamespace;
  let test: TestStack;
  /** What the update has said so far. */
  const lines: string[] = [];

  before(async () => {
    const folder = await mkdtemp(join(tmpdir(), "bg-analyzed-"));
    const bundle = join(folder, "server.js");
    await writeFile(bundle, server);
    await loadBundles(versions.map((tag) => ({ reference: `${imageRepository}:${tag}`, bundle })));
    await rm(folder, { recursive: true });
    dependencies = await makeNamespace();
    test = await makeStack([], { workDir });
    await test.stack.removeConfig(["databaseAdminUrl", "databaseAddress", "secretEnv", "env", "host"]);
    await test.set({
      imageRepository,
      env: { DEPENDENCY_URL: await startDependency() },
      readinessProbe: { periodSeconds: 1, timeoutSeconds: 2, failureThreshold: 1 },
      analysis,
      activeColor: "blue",
      blueTag: "status-well",
    });
    await test.stack.up();
  });
  after(async () => {
    await test.remove();
    await dependencies.remove();
  });

  const dependency = "dependency";
  /** @returns its address: what both colors ask whether they are ready */
  const startDependency = async (): Promise<string> => {
    const { cluster, namespace } = dependencies;
    const apply = applyIn(dependencies);
    const selector = { app: dependency };
    await apply({
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: dependency },
      spec: {
        replicas: 1,
        selector: { matchLabels: selector },
        template: {
          metadata: { labels: selector },
          spec: {
            terminationGracePeriodSeconds: 1,
            containers: [
              {
                name: dependency,
                image: `${imageRepository}:status-well`,
                readinessProbe: { httpGet: { path: "/healthz", port: 8080 }, periodSeconds: 1 },
              },
            ],
          },
        },
      },
    });
    await apply({
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: dependency },
      spec: { selector, ports: [{ port: 80, targetPort: 8080 }] },
    });
    const { spec } = await cluster.core.readNamespacedService({ name: dependency, namespace });
    return `http://${spec?.clusterIP ?? ""}/healthz`;
  };
  const scaleDependency = (replicas: number) =>
    dependencies.cluster.apps.replaceNamespacedDeploymentScale({
      name: dependency,
      namespace: dependencies.namespace,
      body: { metadata: { name: dependency, namespace: dependencies.namespace }, spec: { replicas } },
    });

  const live = async (): Promise<Color> => {
    const { spec } = await test.cluster.core.readNamespacedService({
      name: shop.service,
      namespace: test.cluster.namespace,
    });
    return spec?.selector?.["version"] as Color;
  };
  const readyPods = async (color: Color) => {
    const { status } = await test.cluster.apps.readNamespacedDeployment({
      name: names.deployment("shop", color),
      namespace: test.cluster.namespace,
    });
    return status?.readyReplicas ?? 0;
  };

  /** @returns what the update has said, and what it has failed with, undefined where the version has stayed */
  const release = async (
    tag: string,
    { users = true, settings = {} }: { users?: boolean; settings?: object } = {},
  ) => {
    lines.length = 0;
    const from = await live();
    const to = otherColor(from);
    const crowd = users ? await startUsers(test.cluster, shop) : undefined;
    // What is usual is counted of a hundred requests or more.
    await poll(() => Promise.resolve((crowd?.seen.requests ?? 300) >= 300 || undefined), {
      timeoutMs: 300_000,
    });
    const given = { ...analysis, ...settings };
    await test.set({ activeColor: to, [`${to}Tag`]: tag, analysis: given });
    try {
      await test.stack.up({ onOutput: (line) => lines.push(line) });
      return { said: lines.join("\n"), failure: undefined, from, to };
    } catch (error) {
      await test.set({ activeColor: from });
      return { said: lines.join("\n"), failure: error instanceof Error ? error.message : "", from, to };
    } finally {
      await crowd?.stop();
    }
  };
  const hears = (what: RegExp) =>
    poll(() => Promise.resolve(lines.some((line) => what.test(line)) || undefined), { timeoutMs: 600_000 });
  const isRolledBack = async (tag: string, why: RegExp, settings: object = {}) => {
    const { failure, said, from } = await release(tag, { settings });
    expect(failure, said).to.contain(`was rolled back: traffic is on ${from} again`).and.match(why);
    expect(await live()).to.equal(from);
    return said;
  };
  const stays = async (tag: string, options: Parameters<typeof release>[1] = {}) => {
    const { failure, said, to } = await release(tag, options);
    expect(failure, said).to.equal(undefined);
    expect(await live()).to.equal(to);
    return said;
  };

  for (const label of labels)
    it(`rolls back a version that fails nine of ten requests, as ${label === "class" ? "a class such as 5xx" : `label ${label}`} says`, async () => {
      await isRolledBack(`${label}-fails`, /requests? failed with 5xx/);
    });

  it("prints no error rate where no label tells them, and rolls back such a version where config says so", async () => {
    const settings = { noData: "fail" };
    const said = await isRolledBack("none-fails", /no data.*analysis\.noData is fail/, settings);
    expect(said)
      .to.contain("no data: errors (no label tells the status of a request)")
      .and.not.match(/analysis of (blue|green) .*% errors/);
  });

  it("finds requests under a name of the team's own, once config has it", async () => {
    const metrics = { name: "shop_calls_total", statusLabel: "result" };
    await isRolledBack("other-fails", /requests? failed with 5xx/, { metrics });
  });

  it("rolls back a version that refuses everybody with 403", async () => {
    await isRolledBack("status-refuses", /4xx/);
  });

  it("calls probes nobody's requests", async () => {
    const said = await stays("status-again", { users: false });
    expect(said)
      .to.contain("no data: nobody used it")
      .and.not.match(/analysis of (blue|green) .*% errors/);
  });

  it("lets a fix of a broken version stay, and rolls back one that is worse still", async () => {
    await stays("status-third", { settings: { durationSeconds: 0 } });
    await isRolledBack("status-fails", /requests? failed with 5xx/);
    await stays("status-well");
  });

  it("lets an app continue that always logs errors, and rolls back one that logs ten times as many", async () => {
    await stays("status-noisy", { settings: { durationSeconds: 0 } });
    await stays("class-noisy");
    await isRolledBack("status-noisier", /errors in the logs?/);
  });

  it("takes a version that crashes until what it needs is there", async () => {
    await stays("status-late");
  });

  it("holds an outage of what both colors share against nobody", async () => {
    const from = await live();
    const updating = release("status-again", { settings: { durationSeconds: 60, intervalSeconds: 5 } });
    const to = otherColor(from);
    const ended = updating.then(({ failure, said }) => Promise.reject(new Error(failure ?? said)));
    await Promise.race([hears(/2\/2 pods ready · score/), ended]);
    await scaleDependency(0);
    await Promise.race([hears(/0\/2 pods ready · score/), ended]);
    expect(await readyPods(from)).to.equal(0);
    await scaleDependency(1);
    const { failure, said } = await updating;
    expect(failure, said).to.equal(undefined);
    expect(await live()).to.equal(to);
  });
});
