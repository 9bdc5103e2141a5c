import { expect } from "chai";
import { repositoryDir } from "../../local/paths";
import { run } from "../../local/system/run";
import { App, stopAll } from "./support/app";
import type { Fault } from "./support/bundle";
import { Services } from "./support/services";
import { runSmoke } from "./support/smoke";

const TOOL_TESTS = [
  "MCP server executes the tool for a client of the protocol",
  "MCP server executes the tool for a plain JSON request",
];

describe("Fault builds under the smoke suite", function () {
  let services: Services;
  let database: string;

  before(async () => {
    services = await Services.start();
    database = await services.createDatabase(2);
  });

  after(async () => {
    await stopAll();
    await services.stop();
  });

  const start = async (fault: Fault, release: "v1" | "v2" = "v2"): Promise<App> => {
    const app = await App.start({
      fault,
      release,
      env: { DATABASE_URL: database, REDIS_URL: services.redisUrl },
    });
    await app.untilReady(true);
    return app;
  };

  const smoke = (app: App, version = "v2", color = "green") =>
    runSmoke({ BASE_URL: app.url, EXPECT_COLOR: color, EXPECT_VERSION: version });

  /** Users' traffic, sent in small groups; the statuses of the answers. */
  const traffic = async (app: App, requests: number): Promise<number[]> => {
    const statuses: number[] = [];
    while (statuses.length < requests) {
      const answers = await Promise.all(Array.from({ length: 20 }, () => app.get("/api/users/nobody")));
      statuses.push(...answers.map((answer) => answer.status));
    }
    return statuses;
  };

  for (const release of ["v1", "v2"] as const) {
    it(`${release} without a fault passes every test`, async () => {
      const app = await start("none", release);
      const { passed, failed } = await smoke(app, release);
      expect(failed).to.deep.equal([]);
      expect(passed).to.have.length(13);
    });
  }

  it("the suite fails a version and a color that are not the expected ones, and nothing else", async () => {
    const app = await start("none");
    const release = "Health is the color and the version that are about to be released";
    expect((await smoke(app, "v2", "blue")).failed).to.deep.equal([release]);
    expect((await smoke(app, "v3")).failed).to.have.members([
      release,
      "MCP server describes itself and its tools to plain requests",
    ]);
  });

  it("smoke fails the tests of the tool, and nothing else", async () => {
    const app = await start("smoke");
    const { passed, failed } = await smoke(app);
    expect(failed).to.have.members(TOOL_TESTS);
    expect(passed).to.have.length(11);
  });

  it("errors passes, then fails a third of the requests, with error logs, and stays ready", async () => {
    const app = await start("errors");
    for (let round = 0; round < 2; round += 1) expect((await smoke(app)).failed).to.deep.equal([]);
    await traffic(app, 300);
    const statuses = await traffic(app, 100);
    expect(statuses.filter((status) => status === 500).length / statuses.length).to.be.within(0.25, 0.4);
    expect(app.lines.filter((line) => line.includes('"level":"error"'))).to.have.length.greaterThan(20);
    expect((await app.get("/ready")).status).to.equal(200);
  });

  it("slow passes, then takes 2 s for an answer, but not for a probe", async () => {
    const app = await start("slow");
    expect((await smoke(app)).failed).to.deep.equal([]);
    await traffic(app, 300);
    const begin = performance.now();
    await app.get("/api/users/nobody");
    expect(performance.now() - begin).to.be.at.least(2000);
    // Half of what as many slow answers would take.
    const probes = 20;
    const probedFrom = performance.now();
    for (let probe = 0; probe < probes; probe += 1) expect((await app.get("/ready")).status).to.equal(200);
    expect(performance.now() - probedFrom).to.be.lessThan((probes * 2000) / 2);
  });

  it("leak passes, then keeps a mebibyte for each request", async () => {
    const app = await start("leak");
    expect((await smoke(app)).failed).to.deep.equal([]);
    await traffic(app, 300);
    const before = await residentBytes(app);
    await traffic(app, 100);
    expect((await residentBytes(app)) - before).to.be.greaterThan(80 * 2 ** 20);
  });

  it("crash ends with an error a second after its start", async () => {
    const begin = performance.now();
    const app = await App.start({
      fault: "crash",
      env: { DATABASE_URL: database, REDIS_URL: services.redisUrl },
    });
    expect(await app.exited).to.deep.equal({ code: 1, signal: null });
    expect(performance.now() - begin).to.be.at.least(1000);
    expect(app.log.at(-1)).to.include({ level: "error" });
  });

  it("late-crash passes, then ends with an error at a request", async () => {
    const app = await start("late-crash");
    expect((await smoke(app)).failed).to.deep.equal([]);
    await Promise.allSettled([traffic(app, 300)]);
    expect(await app.exited).to.deep.equal({ code: 1, signal: null });
    expect(app.log.at(-1)).to.include({ level: "error" });
  });

  it("a build with an unknown fault or release is refused with the ones there are", async () => {
    for (const [release, fault] of [
      ["v3", "none"],
      ["v2", "everything"],
    ] as const) {
      const error = await run(
        process.execPath,
        ["app/build.mjs", "--release", release, "--fault", fault, "--outfile", "/nowhere/app.cjs"],
        { cwd: repositoryDir },
      ).catch(String);
      expect(error).to.match(/is refused: it must be one of .*\nusage: node app\/build\.mjs/);
    }
  });
});

async function residentBytes(app: App): Promise<number> {
  const match = /^process_resident_memory_bytes (\d+)$/m.exec(await (await app.get("/metrics")).text());
  if (match === null) throw new Error("The metrics have no process_resident_memory_bytes");
  return Number(match[1]);
}
