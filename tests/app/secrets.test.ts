import { expect } from "chai";
import { App, stopAll } from "./support/app";

const PASSWORD = "pass/word 1";
const ENCODED = encodeURIComponent(PASSWORD);
const REDIS_PASSWORD = "redis-password-2";
const KEY = "sk-key-3";
const SECRETS = [PASSWORD, ENCODED, REDIS_PASSWORD, KEY];

// Nothing listens on these ports: every use of the URLs is an error.
const unreachable = {
  DATABASE_URL: `postgres://app:${ENCODED}@127.0.0.1:1/app`,
  REDIS_URL: `redis://:${REDIS_PASSWORD}@127.0.0.1:1`,
  OPENAI_API_KEY: KEY,
};

describe("Secrets and errors", function () {
  afterEach(stopAll);

  const expectNoSecret = (text: string): void => {
    for (const secret of SECRETS) expect(text).not.to.include(secret);
  };

  it("tells clients nothing about an error inside, and logs it as one line of level error", async () => {
    const app = await App.start({ env: unreachable });
    const response = await app.get("/api/users/ada");
    expect(response.status).to.equal(500);
    expect(await response.text()).to.equal(
      '{"error":"internal_error","message":"The request failed; it was logged"}',
    );
    await app.stop();
    const failures = app.log.filter((line) => JSON.stringify(line).includes("a request failed"));
    expect(failures).to.have.length(1);
    expect(failures[0]).to.deep.include({
      level: "error",
      method: "GET",
      path: "/api/users/ada",
      color: "green",
      version: "v2",
    });
    expect(failures[0]).to.have.nested.property("error.code", "ECONNREFUSED");
    expect(app.stderr).to.equal("");
  });

  it("keeps secrets out of logs and answers, even where an error or a request carries one", async () => {
    const app = await App.start({ env: unreachable });
    const answers: string[] = [];
    for (const path of ["/ready", "/health", "/metrics", "/mcp", `/api/users/${REDIS_PASSWORD}`]) {
      answers.push(await (await app.get(path)).text());
    }
    await app.stop();
    expect(app.output).to.include('"path":"/api/users/[redacted]"');
    expectNoSecret(app.output);
    expectNoSecret(answers.join("\n"));
  });

  it("refuses to start with every wrong variable named, and the values that are no secrets", async () => {
    const app = await App.spawn({
      env: {
        DATABASE_URL: `mysql://app:${ENCODED}@db/app`,
        REDIS_URL: REDIS_PASSWORD,
        ENVIRONMENT: "purple",
        PORT: "http",
        DRAIN_SECONDS: "11",
      },
    });
    expect(await app.exited).to.deep.equal({ code: 1, signal: null });
    for (const part of [
      "DATABASE_URL must",
      "REDIS_URL must",
      "ENVIRONMENT must be blue or green, not purple",
      "PORT must be a number, not http",
    ]) {
      expect(app.output).to.include(part);
    }
    expect(app.log).to.have.length(1);
    expect(app.log[0]).to.include({ level: "error" });
    expectNoSecret(app.output);
    // The log would take them out, but the message itself must not have them: it may go elsewhere.
    expect(app.output).not.to.include("[redacted]");
  });

  it("refuses a drain time that the grace time does not leave room for", async () => {
    const app = await App.spawn({
      env: { ...unreachable, DRAIN_SECONDS: "11", SHUTDOWN_GRACE_SECONDS: "10" },
    });
    expect(await app.exited).to.deep.equal({ code: 1, signal: null });
    expect(app.output).to.include("DRAIN_SECONDS must be less than SHUTDOWN_GRACE_SECONDS");
  });

  it("refuses to be asked to drain where requests come in", async () => {
    const app = await App.spawn({ env: { ...unreachable, PORT: "3000", BLUEGREEN_DRAIN_PORT: "3000" } });
    expect(await app.exited).to.deep.equal({ code: 1, signal: null });
    expect(app.output).to.include("BLUEGREEN_DRAIN_PORT must be another port than PORT");
  });

  it("logs an outage once, not with every probe", async () => {
    const app = await App.start({ env: unreachable });
    for (let probe = 0; probe < 10; probe += 1) await app.get("/ready");
    await app.stop();
    for (const part of ["database", "redis"]) {
      expect(
        app.lines.filter((line) => line.includes(`"${part} is unavailable"`)),
        app.output,
      ).to.have.length(1);
    }
  });

  it("says why when its port is taken", async () => {
    const first = await App.start({ env: unreachable });
    const second = await App.spawn({ env: { ...unreachable, PORT: String(first.port) } });
    expect(await second.exited).to.deep.equal({ code: 1, signal: null });
    expect(second.log.at(-1)).to.have.nested.property("error.code", "EADDRINUSE");
  });
});
