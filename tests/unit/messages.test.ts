import { ApiException } from "@bluegreen/release/kubernetes/client";
import { expect } from "chai";
import { messageOf } from "@bluegreen/release";

describe("What is said of an error", () => {
  it("is the API server's own sentence, without the rest of its answer", () => {
    const headers = { "x-kubernetes-pf-flowschema-uid": "a1" };
    const said = (body: unknown, code = 403) =>
      messageOf(new ApiException(code, "Unknown API Status Code!", body, headers));
    const status = {
      kind: "Status",
      message: 'services is forbidden: User "anna" cannot list resource "services"',
      code: 403,
    };
    const expected = `the API server refused it: ${status.message} (HTTP 403)`;
    expect(said(JSON.stringify(status))).to.equal(expected);
    expect(said(status)).to.equal(expected);
    for (const nothing of ["", "<html>", "null", "{}", '{"message":7}', undefined])
      expect(said(nothing, 502)).to.equal("the API server refused it: without a reason (HTTP 502)");
  });

  it("is what kept a request from being answered", async () => {
    const closed = await fetch("http://127.0.0.1:1").then(String, messageOf);
    expect(closed).to.equal("no answer: bad port");
    const several = new TypeError("fetch failed", {
      cause: Object.assign(new AggregateError([]), { code: "ETIMEDOUT" }),
    });
    expect(messageOf(several)).to.equal("no answer: ETIMEDOUT");
    expect(
      messageOf(new TypeError("fetch failed", { cause: new Error("getaddrinfo ENOTFOUND api.example.com") })),
    ).to.equal("no answer: getaddrinfo ENOTFOUND api.example.com");
  });

  it("is its text otherwise, whatever it is", () => {
    for (const [thrown, text] of [
      [new Error("no room"), "no room"],
      ["a text", "a text"],
      [undefined, "undefined"],
      [new TypeError("fetch failed"), "fetch failed"],
    ] as const)
      expect(messageOf(thrown)).to.equal(text);
  });
});
