import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { Redis } from "ioredis";
import { freezeKey, type WriteFreezeInputs } from "@bluegreen/release";
import { startRedis, type RedisServer } from "../../local/services/redis";
import { failureOf } from "../support/read";
import { makeNamespace, type TestNamespace } from "../support/testNamespace";
import { startStep, type RunningStep } from "./stepProvider";

describe("The write freeze, in Pulumi's provider process and on a real cluster", () => {
  let test: TestNamespace;
  let dir: string;
  let server: RedisServer;
  let redis: Redis;
  let freeze: RunningStep;
  let writeFreezeEnd: RunningStep;
  before(async () => {
    test = await makeNamespace();
    dir = await mkdtemp(join(tmpdir(), "bg-write-freeze-"));
    await chmod(dir, 0o711);
    server = await startRedis({ dir: join(dir, "redis") });
    redis = new Redis(server.socket);
    const env = { KUBECONFIG: test.stage.kubeconfig };
    [freeze, writeFreezeEnd] = await Promise.all([
      startStep("writeFreeze", env),
      startStep("writeFreezeEnd", env),
    ]);
  });
  after(async () => {
    await Promise.all([freeze.close(), writeFreezeEnd.close()]);
    redis.disconnect();
    await server.stop();
    await rm(dir, { recursive: true });
    await test.remove();
  });

  const inputs = (part: Partial<WriteFreezeInputs> = {}): WriteFreezeInputs => ({
    ...test.where,
    stack: test.namespace,
    color: "green",
    redisUrl: `unix://${server.socket}`,
    seconds: 60,
    gracePeriodMs: 10,
    ...part,
  });
  const isUp = async () => (await redis.exists(freezeKey(test.namespace, "chatgpt-app"))) === 1;

  it("is not raised for the first release, which takes no traffic from anybody", async () => {
    expect(await freeze.create(inputs())).to.include({ token: "" });
    expect(await isUp()).to.equal(false);
  });

  it("is raised whenever traffic is to move, even when the state says that it was", async () => {
    const body = {
      metadata: { name: "chatgpt-app-service" },
      spec: { selector: { app: "chatgpt-app", version: "blue" }, ports: [{ port: 80 }] },
    };
    await test.cluster.core.createNamespacedService({ namespace: test.namespace, body });
    expect(await freeze.changes(inputs(), inputs())).to.equal("some");
    const { token } = await freeze.create(inputs());
    expect(token).to.be.a("string").and.not.equal("");
    expect(await isUp()).to.equal(true);
    expect(
      await writeFreezeEnd.create({
        stack: test.namespace,
        app: "chatgpt-app",
        redisUrl: inputs().redisUrl,
        token,
      }),
    ).to.include({ lowered: true });
    expect(await isUp()).to.equal(false);
  });

  it("is not raised for the color that is live", async () => {
    const live = inputs({ color: "blue" });
    expect(await freeze.changes(live, live)).to.equal("none");
    expect(await freeze.create(live)).to.include({ token: "" });
    expect(await isUp()).to.equal(false);
  });

  it("stops the release without Redis, and says where live traffic is", async () => {
    const message = await failureOf(freeze.create(inputs({ redisUrl: "redis://:hunter2@127.0.0.1:1" })));
    expect(message)
      .to.contain("traffic did not move")
      .and.contain("Live traffic stays on blue")
      .and.not.contain("hunter2");
  });
});
