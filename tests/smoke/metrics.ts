import { expect } from "chai";
import { HISTOGRAM, PATHS } from "./support/app";
import { request, TEST_LIMIT_MS } from "./support/target";

describe("Metrics", () => {
  it("measures the duration of requests by route in a histogram", async () => {
    await (await request(PATHS.health)).text();
    const response = await request(PATHS.metrics);
    const lines = (await response.text()).split("\n");
    expect(response.status).to.equal(200);
    const buckets = lines.filter((line) => line.startsWith(`${HISTOGRAM.name}_bucket{`));
    expect(buckets.join("\n")).to.include(HISTOGRAM.healthRoute);
  }).timeout(TEST_LIMIT_MS);
});
