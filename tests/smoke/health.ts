import { expect } from "chai";
import { HEADERS, HEALTH_LIMIT_MS, PATHS } from "./support/app";
import { expected, request, TEST_LIMIT_MS } from "./support/target";

describe("Health", () => {
  it("is alive and sees its database and Redis", async () => {
    const response = await request(PATHS.health);
    const body: unknown = await response.json();
    expect(response.status).to.equal(200);
    expect(body).to.include.all.keys("status", "timestamp", "version", "environment", "checks", "uptime");
    expect(body).to.have.nested.property("checks.database", true);
    expect(body).to.have.nested.property("checks.redis", true);
    expect(body).to.have.property("status", "healthy");
  }).timeout(TEST_LIMIT_MS);

  it("is the color and the version that are about to be released", async () => {
    const response = await request(PATHS.health);
    const body: unknown = await response.json();
    expect(body).to.have.property("environment", expected("EXPECT_COLOR"));
    expect(body).to.have.property("version", expected("EXPECT_VERSION"));
    expect(response.headers.get(HEADERS.color)).to.equal(expected("EXPECT_COLOR"));
    expect(response.headers.get(HEADERS.version)).to.equal(expected("EXPECT_VERSION"));
  }).timeout(TEST_LIMIT_MS);

  it("is ready, on a schema that it can work with", async () => {
    const response = await request(PATHS.ready);
    const body: unknown = await response.json();
    expect(response.status, JSON.stringify(body)).to.equal(200);
    expect(body).to.have.property("ready", true);
    expect(body).to.have.nested.property("schema.needs").that.is.a("string");
    expect(body).to.have.nested.property("schema.knows").that.is.a("string");
    expect(body).to.have.nested.property("schema.applied").that.is.a("string");
  }).timeout(TEST_LIMIT_MS);

  it(`answers the liveness check within ${HEALTH_LIMIT_MS} ms, as the median of 5`, async () => {
    const durations: number[] = [];
    for (let round = 0; round < 5; round += 1) {
      const begin = performance.now();
      await (await request(PATHS.health)).text();
      durations.push(performance.now() - begin);
    }
    const median = durations.sort((a, b) => a - b)[2];
    expect(median).to.be.lessThan(HEALTH_LIMIT_MS);
  }).timeout(TEST_LIMIT_MS);
});
