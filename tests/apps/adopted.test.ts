import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { poll } from "@bluegreen/release";
import { NetworkingV1Api } from "@bluegreen/release/kubernetes/client";
import { Stack } from "../../cli/pulumi/stack";
import type { Edge } from "../../local/edge/edge";
import { repositoryDir } from "../../local/paths";
import { installPulumi } from "../../local/pulumi/installation";
import { loadBundles, makeTlsSecret } from "../../local/stage";
import { countUpdates } from "../../local/testing/updates";
import { Visitor } from "../routes/support/visitor";
import { bluegreen } from "../support/bluegreen";
import { endOf } from "../support/endOf";
import { edgeOf, makeNamespace, type TestNamespace } from "../support/testNamespace";

/** What a team has: a server that knows its image's version, and nothing of colors. */
const server = (version: string) => `
const server = require("node:http").createServer((request, response) => {
  if (request.url === "/up") return response.end("ok");
  // The pods of a color are told theirs.
  response.setHeader("x-app-color", process.env.BLUEGREEN_COLOR ?? "old");
  response.end(${JSON.stringify(version)} + " " + process.env.GREETING);
});
server.listen(8080);
process.on("SIGTERM", () => server.close());
`;

const imageRepository = "bluegreen.local/adopted";
const labels = { app: "shop" };

/** docs/guides/migrating.md, "From plain Deployments", step by step; its requests come in by the real Traefik. */
describe("A Deployment that runs, moved by the migrating guide, on a real cluster under load", function () {
  let test: TestNamespace;
  let folder: string;
  let env: Record<string, string>;
  let edge: Edge;
  let host: string;
  let users: Visitor;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "bg-adopted-"));
    const versions = ["v1", "v2"].map((tag) => ({ tag, bundle: join(folder, `${tag}.js`) }));
    for (const { tag, bundle } of versions) await writeFile(bundle, server(tag));
    await loadBundles(
      versions.map(({ tag, bundle }) => ({ reference: `${imageRepository}:${tag}`, bundle })),
    );
    test = await makeNamespace();
    const { kubeconfig } = test.stage;
    edge = edgeOf(test.stage);
    host = `${test.namespace}.${edge.host}`;
    users = new Visitor(edge, host);
    env = {
      KUBECONFIG: kubeconfig,
      PULUMI_BACKEND_URL: `file://${await mkdtemp(join(tmpdir(), "bg-state-"))}`,
      PULUMI_CONFIG_PASSPHRASE: "of a test",
    };
    await installPulumi(() => undefined);
    await runBefore();
  });
  after(async () => {
    users.close();
    await test.remove();
    const backend = new URL(env["PULUMI_BACKEND_URL"] ?? "").pathname;
    await countUpdates(backend);
    for (const each of [folder, backend]) await rm(each, { recursive: true, force: true });
  });

  const ingresses = () => test.cluster.config.makeApiClient(NetworkingV1Api);
  const backendOf = (name: string) => ({ service: { name, port: { number: 80 } } });

  /** As kubectl apply had made it. */
  async function runBefore(): Promise<void> {
    const { namespace, cluster } = test;
    await cluster.core.createNamespacedConfigMap({
      namespace,
      body: { metadata: { name: "shop" }, data: { GREETING: "hello" } },
    });
    const container = {
      name: "web",
      image: `${imageRepository}:v1`,
      ports: [{ name: "web", containerPort: 8080 }],
      envFrom: [{ configMapRef: { name: "shop" } }],
      readinessProbe: { httpGet: { path: "/up", port: "web" }, periodSeconds: 1 },
      resources: { requests: { cpu: "10m", memory: "32Mi" } },
    };
    await cluster.apps.createNamespacedDeployment({
      namespace,
      body: {
        metadata: { name: "shop" },
        spec: {
          replicas: 2,
          selector: { matchLabels: labels },
          template: { metadata: { labels }, spec: { containers: [container] } },
        },
      },
    });
    await cluster.core.createNamespacedService({
      namespace,
      body: {
        metadata: { name: "shop" },
        spec: { selector: labels, ports: [{ port: 80, targetPort: "web" }] },
      },
    });
    const paths = [{ path: "/", pathType: "Prefix", backend: backendOf("shop") }];
    await ingresses().createNamespacedIngress({
      namespace,
      body: {
        metadata: { name: "shop" },
        spec: { ingressClassName: "traefik", rules: [{ host, http: { paths } }] },
      },
    });
    await users.askUntil(({ color }) => color === "old", "/");
  }

  it("serves every request, through the first release, a switch, the move of its host, and without the old pods", async () => {
    const { namespace, cluster, stage } = test;
    const workDir = join(folder, "shop");
    const crowd = users.crowd();
    const ran = await endOf(
      spawn(
        process.execPath,
        [
          join(repositoryDir, "cli/bluegreen.mjs"),
          ...["init", "production", "--from", "deployment/shop", "--dir", workDir, "--yes"],
          ...["--namespace", namespace, "--context", stage.context],
        ],
        { cwd: folder, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] },
      ),
    );
    expect(ran.code, ran.output + ran.errors).to.be.oneOf([0, 1]);
    expect(ran.output).to.contain("the API server takes the Deployment of blue, by a dry run");
    expect(await readFile(join(workDir, "podTemplate.yaml"), "utf8")).to.contain("configMapRef");

    // In place of npm install.
    await symlink(join(repositoryDir, "node_modules"), join(workDir, "node_modules"));
    const stack = await Stack.create({ name: "production", workDir, env });
    const next = `next-${host}`;
    const set = (values: Record<string, unknown>) =>
      stack.setConfig(Object.fromEntries(Object.entries(values).map(([key, value]) => [key, { value }])));
    const short = { durationSeconds: 4, intervalSeconds: 1 };
    await makeTlsSecret({ name: "shop-app-tls", namespace });
    await set({ host: next, analysis: short, deletionProtection: false });
    await stack.up();
    const atNext = new Visitor(edge, next);
    await atNext.askUntil(({ color, body }) => color === "blue" && body === "v1 hello", "/");
    expect((await users.ask("/")).color, "traffic is where it was").to.equal("old");

    const desk = { name: "production", workDir, env };
    for (const args of [
      ["deploy", "v2", "--yes"],
      ["switch", "green", "--yes"],
    ]) {
      const typed = await bluegreen(desk, ...args);
      expect(typed.code, typed.said).to.equal(0);
    }
    await atNext.askUntil(({ color, body }) => color === "green" && body === "v2 hello", "/");
    atNext.close();
    expect((await users.ask("/")).body, "traffic is where it was").to.equal("v1 hello");

    await ingresses().patchNamespacedIngress({
      namespace,
      name: "shop",
      body: [
        {
          op: "replace",
          path: "/spec/rules/0/http/paths/0/backend",
          value: backendOf("shop-app-service"),
        },
      ],
    });
    await crowd.untilOnly("green");
    await set({ host });
    await stack.up();
    await ingresses().deleteNamespacedIngress({ namespace, name: "shop" });
    await crowd.untilOnly("green");
    await cluster.apps.deleteNamespacedDeployment({ namespace, name: "shop" });
    await poll(
      async () => {
        const { items } = await cluster.core.listNamespacedPod({ namespace, labelSelector: "app=shop" });
        return items.length === 0 || undefined;
      },
      { timeoutMs: 300_000 },
    );
    await crowd.untilOnly("green");
    await crowd.stop();
    expect(crowd.requests).to.be.greaterThan(500);
    expect(crowd.failures).to.deep.equal([]);
  });
});
