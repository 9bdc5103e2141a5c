import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { Redis } from "ioredis";
import { fenceKey, type FenceInputs } from "@bluegreen/release";
import { startRedis, type RedisServer } from "../../local/services/redis";
import { failureOf } from "../support/look";
import { makeNamespace, type TestNamespace } from "../support/testNamespace";
import { startStep, type RunningStep } from "./stepProvider";

describe("The read-only fence, in Pulumi's provider process and on a real cluster", () => {
  let home: TestNamespace;
  let dir: string;
  let server: RedisServer;
  let redis: Redis;
  let fence: RunningStep;
  let fenceEnd: RunningStep;
  before(async () => {
    home = await makeNamespace();
    dir = await mkdtemp(join(tmpdir(), "bg-fence-"));
    await chmod(dir, 0o711);
    server = await startRedis({ dir: join(dir, "redis") });
    redis = new Redis(server.socket);
    const env = { KUBECONFIG: home.stage.kubeconfig };
    [fence, fenceEnd] = await Promise.all([startStep("fence", env), startStep("fenceEnd", env)]);
  });
  after(async () => {
    await Promise.all([fence.close(), fenceEnd.close()]);
    redis.disconnect();
    await server.stop();
    await rm(dir, { recursive: true });
    await home.remove();
  });

  const inputs = (part: Partial<FenceInputs> = {}): FenceInputs => ({ ...home.where, stack: home.namespace, color: "green", redisUrl: `unix://${server.socket}`, seconds: 60, settleMs: 10, ...part });
  const isUp = async () => (await redis.exists(fenceKey(home.namespace, "chatgpt-app"))) === 1;

  it("is not raised for the first release, which takes no traffic from anybody", async () => {
    expect(await fence.create(inputs())).to.include({ token: "" });
    expect(await isUp()).to.equal(false);
  });

  it("is raised whenever traffic is to move, even when the state says that it was", async () => {
    const body = { metadata: { name: "chatgpt-app-service" }, spec: { selector: { app: "chatgpt-app", version: "blue" }, ports: [{ port: 80 }] } };
    await home.cluster.core.createNamespacedService({ namespace: home.namespace, body });
    expect(await fence.changes(inputs(), inputs())).to.equal("some");
    const { token } = await fence.create(inputs());
    expect(token).to.be.a("string").and.not.equal("");
    expect(await isUp()).to.equal(true);
    expect(await fenceEnd.create({ stack: home.namespace, app: "chatgpt-app", redisUrl: inputs().redisUrl, token })).to.include({ lowered: true });
    expect(await isUp()).to.equal(false);
  });

  it("is not raised for the color that is live", async () => {
    const live = inputs({ color: "blue" });
    expect(await fence.changes(live, live)).to.equal("none");
    expect(await fence.create(live)).to.include({ token: "" });
    expect(await isUp()).to.equal(false);
  });

  it("stops the release without Redis, and says where live traffic is", async () => {
    const message = await failureOf(fence.create(inputs({ redisUrl: "redis://:hunter2@127.0.0.1:1" })));
    expect(message).to.contain("traffic did not move").and.contain("Live traffic stays on blue").and.not.contain("hunter2");
  });
});
