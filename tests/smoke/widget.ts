import { expect } from "chai";
import { PATHS } from "./support/app";
import { request, TEST_LIMIT_MS } from "./support/target";

describe("Widget", () => {
  it("serves a page that ChatGPT can render as a component", async () => {
    const response = await request(PATHS.widget);
    const page = await response.text();
    expect(response.status).to.equal(200);
    expect(response.headers.get("content-type")).to.match(/^text\/html/);
    expect(page).to.include("window.openai");
    expect(page).to.include("text/html+skybridge");
  }).timeout(TEST_LIMIT_MS);
});
