import { strict as assert } from "node:assert";

describe("The shop", () => {
  it("is open, in the version that was asked for", async () => {
    const answer = await fetch(new URL("/", process.env["BASE_URL"]));
    assert.deepEqual(await answer.json(), { shop: "open", version: process.env["EXPECT_VERSION"] });
  });
});
