import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { expect } from "chai";
import { build } from "esbuild";
import { Redis } from "ioredis";
import { names, poll } from "@bluegreen/release";
import type { ReleaseStatus } from "@bluegreen/release/releases/status";
import { workersStop } from "@bluegreen/release/releases/workers";
import { repositoryDir } from "../../local/paths";
import { loadBundles } from "../../local/stage";
import { makeStack, type TestStack } from "../../local/testing/testStack";
import { bluegreen } from "../support/bluegreen";
import { failureOf } from "../support/read";

/** The shop, and told so a worker of it: it notes each job with its version when it takes it and when it is done. */
const program = (shop: string) => `
const { Redis } = require("ioredis");
const { BLUEGREEN_VERSION: version, JOBS_REDIS: url, JOBS_QUEUE: queue } = process.env;
if (process.argv[2] === "worker") work();
else serve();

function serve() {
  const server = require("node:http").createServer((request, response) => {
    if (request.url === "/healthz" || request.url === "/readyz") return response.end("ok");
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ shop: "${shop}", version }));
  });
  server.listen(8080);
  process.on("SIGTERM", () => server.close());
}

async function work() {
  let isOver = false;
  process.on("SIGTERM", () => { isOver = true; });
  const pause = () => new Promise((resolve) => setTimeout(resolve, 20));
  const redis = new Redis(url);
  for (; !isOver; await pause()) {
    const job = await redis.lmove(queue, queue + ":working", "RIGHT", "LEFT");
    if (job === null) continue;
    await redis.rpush(queue + ":taken", version);
    await pause();
    await redis.multi().rpush(queue + ":done", job).lrem(queue + ":working", 1, job).exec();
  }
  await redis.quit();
}
`;

/** Jobs of each of the six stretches of the story: so that all of them are four hundred at least. */
const least = 70;

describe("Workers and a queue on a real Redis, through a refused release, a switch and a rollback", function () {
  this.timeout(1_800_000);
  let test: TestStack;
  let redis: Redis;
  let queue: string;

  before(async () => {
    const folder = await mkdtemp(join(tmpdir(), "jobs-"));
    const versions = { v1: "open", v2: "open", "v2-shut": "shut" };
    const bundles = Object.entries(versions).map(async ([tag, shop]) => {
      const bundle = join(folder, `${tag}.js`);
      const stdin = { contents: program(shop), resolveDir: repositoryDir };
      await build({ stdin, outfile: bundle, bundle: true, platform: "node" });
      return { reference: `bluegreen.local/jobs:${tag}`, bundle };
    });
    await loadBundles(await Promise.all(bundles));
    await rm(folder, { recursive: true });
    test = await makeStack([], { workDir: join(repositoryDir, "examples", "shop") });
    redis = new Redis(test.stage.redis.socket);
    queue = test.cluster.namespace;
    await test.stack.removeConfig(["databaseAdminUrl", "databaseAddress", "secretEnv", "env", "host"]);
    await test.set({
      imageRepository: "bluegreen.local/jobs",
      env: { JOBS_REDIS: test.stage.redis.url, JOBS_QUEUE: queue },
      workers: [{ name: "jobs", args: ["worker"], replicas: 2 }],
      activeColor: "blue",
      blueTag: "v1",
    });
    await test.stack.up();
  });
  after(async () => {
    await redis.del(...["", ":working", ":taken", ":done"].map((end) => `${queue}${end}`));
    redis.disconnect();
    await test.remove();
  });

  let made = 0;
  /** Jobs come for as long as the work lasts, and at least so many. */
  const meanwhile = async <T>(work: Promise<T>): Promise<T> => {
    const over = new AbortController();
    const produce = async () => {
      const enough = made + least;
      while (!over.signal.aborted || made < enough) {
        await redis.lpush(queue, String(++made));
        await pause(100);
      }
    };
    const produced = produce();
    try {
      return await work;
    } finally {
      over.abort();
      await produced;
    }
  };
  const taken = () => redis.lrange(`${queue}:taken`, 0, -1);
  const takenBy = (version: string) =>
    poll(async () => ((await taken()).at(-1) === version ? true : undefined), { timeoutMs: 300_000 });

  it("loses no job, and lets no version that is not active take one", async () => {
    await meanwhile(takenBy("v1"));
    await test.set({ greenTag: "v2-shut", activeColor: "green" });
    expect(await meanwhile(failureOf(test.stack.up()))).to.contain("BG-SMOKE-FAILED");
    await test.set({ greenTag: "v2" });
    await meanwhile(test.stack.up());
    await meanwhile(takenBy("v2"));
    const back = await meanwhile(bluegreen(test, "rollback", "--reason", "a test", "--yes"));
    expect(back.code, back.said).to.equal(0);
    await meanwhile(takenBy("v1"));
    const doneAll = async () => ((await redis.llen(`${queue}:done`)) >= made ? true : undefined);
    await poll(doneAll, { timeoutMs: 300_000 });
    const done = await redis.lrange(`${queue}:done`, 0, -1);
    expect(made).to.be.at.least(400);
    expect(new Set(done).size, "jobs done, each once").to.equal(made).and.equal(done.length);
    expect(await redis.llen(`${queue}:working`), "jobs begun and not done").to.equal(0);
    const turns = (await taken()).filter((version, index, all) => version !== all[index - 1]);
    expect(turns, "who has taken jobs, one after the other").to.deep.equal(["v1", "v2", "v1"]);
  });

  it("is told by status, and by the pods that there are", async () => {
    const { workers, attention } = await poll(
      async () => {
        const { out } = await bluegreen(test, "status", "--json");
        const status = JSON.parse(out) as ReleaseStatus & { attention: string[] };
        return status.workers?.every(({ ready, wanted }) => ready === wanted) === true ? status : undefined;
      },
      { timeoutMs: 300_000 },
    );
    expect(workers).to.deep.equal([
      { color: "blue", name: "jobs", ready: 2, wanted: 2, planned: 2 },
      { color: "green", name: "jobs", ready: 0, wanted: 0, planned: 0 },
    ]);
    expect(attention.filter((line) => line.includes("Worker"))).to.deep.equal([]);
  });

  it("does not switch while a worker's pod does not go, and starts the others again", async () => {
    const { core, apps, namespace } = test.cluster;
    const name = "that-nobody-ends";
    await core.createNamespacedPod({
      namespace,
      body: {
        metadata: {
          name,
          labels: { "app.kubernetes.io/name": "shop", version: "blue", "bluegreen.dev/worker": "jobs" },
        },
        spec: {
          nodeSelector: { nowhere: "true" },
          terminationGracePeriodSeconds: 1,
          securityContext: {
            runAsNonRoot: true,
            runAsUser: 10001,
            seccompProfile: { type: "RuntimeDefault" },
          },
          containers: [
            {
              name: "worker",
              image: "nowhere.invalid/worker:v1",
              resources: { requests: { cpu: "1m", memory: "1Mi" } },
              securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
            },
          ],
        },
      },
    });
    const jobsOf = { name: "jobs", replicas: 2, overlap: false };
    const failure = await failureOf(
      workersStop.run(
        {
          context: test.stage.context,
          namespace,
          namespacePerColor: false,
          app: "shop",
          activeColor: "green",
          workers: { blue: [jobsOf], green: [jobsOf] },
        },
        () => undefined,
      ),
    );
    expect(failure)
      .to.match(/BG-WORKERS-NOT-STOPPED/)
      .and.contain(name)
      .and.contain("Live traffic stays on blue");
    const deployment = await apps.readNamespacedDeployment({
      name: names.worker("shop", "blue", "jobs"),
      namespace,
    });
    expect(deployment.spec?.replicas).to.equal(2);
    await core.deleteNamespacedPod({ name, namespace, gracePeriodSeconds: 0 });
  });
});
