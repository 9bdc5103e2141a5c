import { strict as assert } from "node:assert";

const at = (path: string) => new URL(path, process.env["BASE_URL"]);

describe("The orders", () => {
  it("are taken by the version that was asked for", async () => {
    const answer = await fetch(at("/version"));
    assert.deepEqual(await answer.json(), { version: process.env["EXPECT_VERSION"] });
  });

  it("are read with all columns that it knows: an order that nobody has placed is not found", async () => {
    assert.equal((await fetch(at("/orders/nobody"))).status, 404);
  });
});
