import { strict as assert } from "node:assert";

const at = (path: string) => new URL(path, process.env["BASE_URL"]);

describe("Verdaccio", () => {
  it("answers", async () => {
    assert.equal((await fetch(at("/-/ping"))).status, 200);
  });

  it("reads its storage: a package that nobody has published is not found", async () => {
    const answer = await fetch(at("/nobody-has-published-this"));
    assert.equal(answer.status, 404);
    assert.match(await answer.text(), /no such package|not found/i);
  });
});
