import { randomBytes } from "node:crypto";
import { CustomObjectsApi } from "@bluegreen/release/kubernetes/client";
import { poll } from "@bluegreen/release";
import { expect } from "chai";
import { digList, digText, type JsonObject } from "../../local/cluster/rawObjects";
import { makeColors, port, type Colors } from "./support/colors";
import { User } from "./support/user";

describe("the edge, by an HTTPRoute", function () {
  let test: Colors;
  let user: User;

  const route = async (
    rules: JsonObject[],
    where: { name: string; namespace?: string } = { name: "app" },
  ): Promise<void> =>
    test.apply({
      apiVersion: "gateway.networking.k8s.io/v1",
      kind: "HTTPRoute",
      metadata: where,
      spec: { parentRefs: [{ ...test.edge.gateway, sectionName: "https" }], hostnames: [test.host], rules },
    });
  const to = (blue: number, green: number): JsonObject => ({
    backendRefs: [
      { name: "blue", port, weight: blue },
      { name: "green", port, weight: green },
    ],
  });
  /** The condition of a route as the edge reports it. */
  const condition = async (namespace: string, type: string): Promise<JsonObject | undefined> => {
    const custom = test.cluster.config.makeApiClient(CustomObjectsApi);
    const read: unknown = await custom.getNamespacedCustomObject({
      group: "gateway.networking.k8s.io",
      version: "v1",
      namespace,
      plural: "httproutes",
      name: "app",
    });
    const [parent] = digList(read as JsonObject, "status", "parents"); // the library's answer is plain JSON
    return digList(parent, "conditions").find((each) => digText(each, "type") === type);
  };

  before(async () => {
    test = await makeColors();
    user = new User(test.edge, test.host);
    await route([to(100, 0)]);
    await user.askUntil(({ color }) => color === "blue", "/");
  });

  after(async () => {
    user.close();
    await test.remove();
  });

  it("takes routes from any namespace, and says so", async () => {
    expect(await condition(test.namespace, "Accepted")).to.include({ status: "True" });
    expect(await condition(test.namespace, "ResolvedRefs")).to.include({ status: "True" });
  });

  it("shows a color by a header, a cookie, and a path that it rewrites", async () => {
    const header = (type: string, name: string, value: string): JsonObject => ({
      headers: [{ type, name, value }],
    });
    await route([
      {
        matches: [
          header("Exact", "X-Preview", "green"),
          header("RegularExpression", "Cookie", "(^|; )preview=green(;|$)"),
        ],
        ...to(0, 1),
      },
      {
        matches: [{ path: { type: "PathPrefix", value: "/green" } }],
        filters: [
          {
            type: "URLRewrite",
            urlRewrite: { path: { type: "ReplacePrefixMatch", replacePrefixMatch: "/" } },
          },
        ],
        ...to(0, 1),
      },
      to(100, 0),
    ]);
    const askedBy = async (headers: Record<string, string>) => (await user.ask("/", headers)).color;
    await user.askUntil(({ color }) => color === "green", "/", { "x-preview": "green" });
    expect(await askedBy({ cookie: "theme=dark; preview=green" })).to.equal("green");
    expect(await askedBy({ cookie: "preview=greenish" })).to.equal("blue");
    expect(await askedBy({ "x-preview": "blue" })).to.equal("blue");
    expect((await user.ask("/green/deep?a=b")).arrived.url).to.equal("/deep?a=b");
    expect(await user.ask("/greenhouse")).to.deep.include({ color: "blue" });
  });

  it("divides requests by the weights of its backends", async () => {
    await route([to(90, 10)]);
    await user.askUntil(({ color }) => color === "green", "/");
    // Whatever changes at this edge meanwhile, other tests' routes too, begins its round robin anew.
    expect((await user.count(400, "/"))["green"]).to.be.closeTo(40, 5);
  });

  it("reaches another namespace's Service where that has granted it, and not before", async () => {
    const entry = `bg-test-${randomBytes(3).toString("hex")}`;
    await test.cluster.core.createNamespace({ body: { metadata: { name: entry } } });
    try {
      await route(
        [
          {
            matches: [{ path: { type: "PathPrefix", value: "/from-afar" } }],
            backendRefs: [{ name: "green", namespace: test.namespace, port }],
          },
        ],
        { name: "app", namespace: entry },
      );
      const refused = await poll(async () => await condition(entry, "ResolvedRefs"), { timeoutMs: 300_000 });
      expect(refused).to.include({ status: "False", reason: "RefNotPermitted" });
      await user.askUntil(({ status }) => status === 500, "/from-afar");
      await test.apply({
        apiVersion: "gateway.networking.k8s.io/v1beta1",
        kind: "ReferenceGrant",
        metadata: { name: "entry" },
        spec: {
          from: [{ group: "gateway.networking.k8s.io", kind: "HTTPRoute", namespace: entry }],
          to: [{ group: "", kind: "Service" }],
        },
      });
      await user.askUntil(({ color }) => color === "green", "/from-afar");
    } finally {
      await test.cluster.core.deleteNamespace({ name: entry });
    }
  });
});
