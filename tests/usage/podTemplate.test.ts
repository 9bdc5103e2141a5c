import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { appContainer } from "@bluegreen/release/kubernetes/containers";
import { podsOfColor } from "@bluegreen/release/kubernetes/pods";
import { repositoryDir } from "../../local/paths";
import { loadBundles } from "../../local/stage";
import { failureOf } from "../support/read";
import { makeStack, type TestStack } from "../../local/testing/testStack";

/** Writes to /tmp, as most servers do, and ends twice before it stays, as one whose proxy is not up yet. */
const server = `
const { appendFileSync, readFileSync } = require("node:fs");
appendFileSync("/tmp/starts", "x");
if (readFileSync("/tmp/starts", "utf8").length < 3) process.exit(1);
const version = process.env.BLUEGREEN_VERSION;
const server = require("node:http").createServer((request, response) => {
  if (request.url === "/up") return response.end("ok");
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ shop: "open", version }));
});
server.listen(8000);
process.on("SIGTERM", () => server.close());
`;

const node = (code: string) => ({ command: ["/usr/bin/node", "-e", code] });
const needs = { requests: { cpu: "10m", memory: "32Mi" } };

const template = {
  metadata: { labels: { team: "shop" }, annotations: { "example.com/scrape": "true" } },
  spec: {
    initContainers: [
      { name: "wait", image: "bluegreen.local/shop:v0", resources: needs, ...node("0") },
      {
        name: "proxy",
        image: "bluegreen.local/shop:v0",
        restartPolicy: "Always",
        resources: needs,
        startupProbe: { exec: { command: ["/usr/bin/node", "-e", "0"] } },
        ...node("setInterval(() => 0, 1000); process.on('SIGTERM', () => process.exit())"),
      },
    ],
    containers: [
      {
        name: "shop",
        ports: [{ name: "web", containerPort: 8000 }],
        readinessProbe: { httpGet: { path: "/up", port: "web" }, periodSeconds: 1 },
        livenessProbe: { tcpSocket: { port: "web" }, periodSeconds: 5 },
        resources: needs,
      },
    ],
  },
};

describe("Pods of a user's template, on a real cluster", function () {
  let test: TestStack;

  before(async () => {
    const folder = await mkdtemp(join(tmpdir(), "pod-template-"));
    const bundle = join(folder, "server.js");
    await writeFile(bundle, server);
    await loadBundles(["v1", "v2"].map((tag) => ({ reference: `bluegreen.local/shop:${tag}`, bundle })));
    await rm(folder, { recursive: true });
    test = await makeStack([], { workDir: join(repositoryDir, "examples", "shop") });
    await test.stack.removeConfig([
      "databaseAdminUrl",
      "databaseAddress",
      "secretEnv",
      "env",
      "host",
      "resources",
    ]);
    await test.set({
      imageRepository: "bluegreen.local/shop",
      http: { port: 8000 },
      replicas: 1,
      activeColor: "blue",
      blueTag: "v1",
      podTemplate: template,
    });
  });
  after(() => test.remove());

  it("become ready with an init container, a sidecar, /tmp, and after two restarts", async () => {
    await test.stack.up();
    const [pod] = await podsOfColor(test.cluster, { app: "shop", color: "blue" });
    expect(pod?.metadata?.labels).to.include({ team: "shop", version: "blue" });
    expect(pod && appContainer(pod)?.ports?.map(({ name }) => name)).to.deep.equal(["http"]);
    expect(pod?.spec?.initContainers?.map(({ image }) => image)).to.deep.equal([
      "bluegreen.local/shop:v1",
      "bluegreen.local/shop:v1",
    ]);
    expect(pod?.status?.containerStatuses?.map(({ restartCount }) => restartCount)).to.deep.equal([2]);
  });

  it("that no node takes are said in the scheduler's words, while the update waits and at its end", async () => {
    await test.set({
      greenTag: "v2",
      progressDeadlineSeconds: 30,
      green: { podTemplate: { spec: { nodeSelector: { "example.com/pool": "none" } } } },
    });
    const shown: string[] = [];
    const message = await failureOf(test.stack.up({ onOutput: (text) => shown.push(text) }));
    expect(message)
      .to.contain("has no node: 0/1 nodes are available")
      .and.contain("didn't match Pod's node affinity/selector")
      .and.contain("Live traffic stays on blue");
    expect(shown.join("")).to.match(/green is not ready: .*has no node: 0\/1 nodes are available/);
  });

  it("that may not be made are refused for the admission's reason", async () => {
    const wait = { name: "wait", securityContext: { privileged: true } };
    await test.set({
      progressDeadlineSeconds: 60,
      green: { podTemplate: { spec: { initContainers: [wait] } } },
    });
    const message = await failureOf(test.stack.up());
    expect(message).to.contain("BG-PODS-NOT-CREATED").and.contain("privileged");
  });
});
