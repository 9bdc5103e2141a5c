import { expect } from "chai";
import { PATHS } from "./support/app";
import { request, TEST_LIMIT_MS } from "./support/target";

describe("Stream", () => {
  it("sends numbered events and a hint when to come back", async () => {
    const response = await request(PATHS.stream);
    expect(response.status).to.equal(200);
    expect(response.headers.get("content-type")).to.match(/^text\/event-stream/);
    const text = await readUntil(response, /^id: \d+\n(.+\n)*data: .+\n\n/m);
    expect(text).to.match(/^retry: \d+$/m);
  }).timeout(TEST_LIMIT_MS);
});

/** Reads from the stream until `pattern` has come, then lets go of it. */
async function readUntil(response: Response, pattern: RegExp): Promise<string> {
  let text = "";
  for await (const part of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += part;
    if (pattern.test(text)) return text;
  }
  throw new Error(`The stream ended before ${String(pattern)} was in it. It sent: ${text}`);
}
