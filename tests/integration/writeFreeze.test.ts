import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { Redis } from "ioredis";
import { writeFreezeEnd, freezeKey, poll, type WriteFreezeInputs } from "@bluegreen/release";
import { raise } from "@bluegreen/release/freeze/step";
import { startRedis, type RedisServer } from "../../local/services/redis";
import { failureOf } from "../support/read";

/** Raises the write freeze in a process of its own, and stays there for as long as it is let. */
const child = `
  const { inputs, owner } = JSON.parse(process.env.RUN);
  require("@bluegreen/release/freeze/step").raise(inputs, owner, "blue", () => console.log("raised"));
`;

describe("The write freeze, on a real Redis", () => {
  let dir: string;
  let server: RedisServer;
  let redis: Redis;
  let said: string[];
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "bg-write-freeze-"));
    await chmod(dir, 0o711);
    server = await startRedis({ dir: join(dir, "redis") });
    redis = new Redis(server.socket);
  });
  after(async () => {
    redis.disconnect();
    await server.stop();
    await rm(dir, { recursive: true });
  });
  beforeEach(async () => {
    said = [];
    await redis.flushall();
  });

  const key = freezeKey("acme/chatgpt-app/production", "chatgpt-app");
  const owner = "stack acme/chatgpt-app/production in cluster 1";
  const say = (line: string) => void said.push(line);
  const inputs = (part: Partial<WriteFreezeInputs> = {}): WriteFreezeInputs => ({
    context: "production",
    namespace: "chatgpt-production",
    namespacePerColor: false,
    app: "chatgpt-app",
    stack: "acme/chatgpt-app/production",
    color: "green",
    redisUrl: `unix://${server.socket}`,
    seconds: 30,
    gracePeriodMs: 50,
    ...part,
  });
  const end = (token: string, part: Partial<WriteFreezeInputs> = {}) => {
    const { stack, app, redisUrl } = inputs(part);
    return writeFreezeEnd.run({ stack, app, redisUrl, token }, say);
  };

  it("is a flag with a reason, which ends by itself", async () => {
    expect(key).to.equal("bluegreen:read-only:acme/chatgpt-app/production/chatgpt-app");
    const startedAt = Date.now();
    await raise(inputs({ gracePeriodMs: 300 }), owner, "blue", say);
    // A timer may be a little early.
    expect(Date.now() - startedAt, "requests under way get their time").to.be.at.least(295);
    const flag = JSON.parse((await redis.get(key)) ?? "") as { since: string; reason: string };
    expect(flag.reason).to.equal("a release moves traffic from blue to green");
    expect(Date.parse(flag.since)).to.be.within(startedAt - 1, Date.now());
    expect(await redis.pttl(key)).to.be.within(1, 30_000);
    expect(said).to.deep.equal(["the write freeze of chatgpt-app is set, for 30 s at most"]);
  });

  it("is lowered by the release that raised it, once", async () => {
    const token = await raise(inputs(), owner, "blue", say);
    expect(await end(token)).to.deep.equal({ lowered: true });
    expect(await redis.exists(key)).to.equal(0);
    expect(await end(token)).to.deep.equal({ lowered: false });
  });

  it("is not read where no release has raised it", async () => {
    await raise(inputs(), owner, "blue", say);
    expect(await end("", { redisUrl: "unix:///nowhere" })).to.deep.equal({ lowered: false });
    expect(await redis.exists(key)).to.equal(1);
  });

  it("is raised again by the next run of a release that was killed; what is left of that one cannot lower it", async () => {
    const killed = await raise(inputs({ seconds: 20 }), owner, "blue", say);
    const next = await raise(inputs({ seconds: 3600 }), owner, "blue", say);
    expect(await redis.pttl(key)).to.be.greaterThan(20_000);
    expect(await end(killed)).to.deep.equal({ lowered: false });
    expect(await redis.exists(key)).to.equal(1);
    expect(await end(next)).to.deep.equal({ lowered: true });
  });

  it("belongs to one of two stacks of one name, in two clusters with one Redis: the other one's release does not move traffic", async () => {
    await raise(inputs(), owner, "blue", say);
    const before = await redis.get(key);
    expect(
      await failureOf(raise(inputs(), "stack acme/chatgpt-app/production in cluster 2", "blue", say)),
    ).to.match(
      /traffic did not move[^]*a stack of the same name in another cluster has bluegreen:read-only:acme\/chatgpt-app\/production\/chatgpt-app[^]*ends by itself within ([12]?\d|30) s[^]*then pulumi up/,
    );
    expect(await redis.get(key)).to.equal(before);
  });

  it("is of one stack: another one's app continues writing and releasing on the same Redis, in a namespace and a context of the same names", async () => {
    await raise(inputs(), owner, "blue", say);
    const other = { stack: "acme/chatgpt-app/staging" };
    expect(
      await end(
        await raise(inputs(other), "stack acme/chatgpt-app/staging in cluster 1", "blue", say),
        other,
      ),
    ).to.deep.equal({ lowered: true });
    expect(await redis.exists(key)).to.equal(1);
  });

  it("is raised by one of many stacks that try at once", async () => {
    const tries = await Promise.allSettled(
      Array.from({ length: 20 }, (_, number) => raise(inputs(), `${owner}${number}`, "blue", say)),
    );
    expect(tries.filter(({ status }) => status === "fulfilled")).to.have.length(1);
  });

  it("leaves what somebody else has put there alone", async () => {
    for (const strange of ["not JSON", "7", "null", '"production/chatgpt-production"']) {
      await redis.set(key, strange, "PX", 9000);
      expect(await failureOf(raise(inputs(), owner, "blue", say)), strange).to.match(/within [1-9] s/);
      await end("token");
      expect(await redis.get(key)).to.equal(strange);
    }
    await redis.set(key, "for ever");
    expect(await failureOf(raise(inputs(), owner, "blue", say)))
      .to.contain(`without an end`)
      .and.contain(`redis-cli DEL ${key}`);
  });

  it("stops the release when the flag is gone before traffic moves", async () => {
    const raised = raise(inputs({ gracePeriodMs: 3000 }), owner, "blue", say);
    await poll(async () => ((await redis.del(key)) === 1 ? true : undefined), {
      timeoutMs: 300_000,
      intervalMs: 10,
    });
    expect(await failureOf(raised)).to.contain("it was gone after 3000 ms");
  });

  it("is gone in time when the release is killed", async function () {
    const run = spawn(process.execPath, ["-e", child], {
      env: {
        ...process.env,
        RUN: JSON.stringify({ inputs: inputs({ seconds: 6, gracePeriodMs: 60_000 }), owner }),
      },
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(run.stdout, "data");
    const exit = once(run, "exit");
    run.kill("SIGKILL");
    await exit;
    expect(await redis.exists(key)).to.equal(1);
    await poll(async () => ((await redis.exists(key)) === 0 ? true : undefined), { timeoutMs: 300_000 });
  });

  for (const [what, redisUrl, why] of [
    ["refuses connections", "redis://:hunter2@127.0.0.1:1", "ECONNREFUSED"],
    ["has no such name", "redis://user:hunter2@redis.invalid:6379", "ENOTFOUND|EAI_AGAIN"],
    ["has no such socket", "unix:///hunter2/redis.sock", "ENOENT"],
  ] as const) {
    it(`stops the release when Redis ${what}, and tells neither address nor password`, async () => {
      const message = await failureOf(raise(inputs({ redisUrl }), owner, "blue", say));
      expect(message).to.match(
        new RegExp(`traffic did not move[^]*Redis cannot be asked: (${why})\n[^]*writeFreeze\\.maxSeconds 0`),
      );
      expect(await end("token", { redisUrl })).to.deep.equal({ lowered: false });
      expect(said.join()).to.match(new RegExp(`was not ended \\((${why})\\); it ends by itself`));
      expect(message + said.join()).not.to.match(/hunter2|127\.0\.0\.1|redis\.invalid|:\/\//);
    });
  }

  it("stops the release when Redis does not know it, and tells no password", async () => {
    await redis.config("SET", "requirepass", "hunter2");
    try {
      const message = await failureOf(raise(inputs(), owner, "blue", say));
      expect(message)
        .to.contain("Redis cannot be asked: NOAUTH")
        .and.not.contain("hunter2")
        .and.not.contain(server.socket);
    } finally {
      await redis.config("SET", "requirepass", "");
    }
  });

  it("ends again for another token alone", async () => {
    const last = {
      stack: "acme/chatgpt-app/production",
      app: "chatgpt-app",
      redisUrl: inputs().redisUrl,
      token: "a",
    };
    expect(await writeFreezeEnd.isNeeded(last, { ...last, redisUrl: "redis://elsewhere" })).to.equal(false);
    expect(await writeFreezeEnd.isNeeded(last, { ...last, token: "b" })).to.equal(true);
  });
});
