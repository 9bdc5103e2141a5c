import { expect } from "chai";
import type { JsonObject } from "../../local/cluster/rawObjects";
import { makeColors, port, tlsSecret, type Colors } from "./support/colors";
import { User } from "./support/user";

describe("the edge, by Traefik's own resources", function () {
  let test: Colors;
  let user: User;

  const weigh = async (blue: number, green: number, sticky: JsonObject = {}): Promise<void> =>
    test.apply({
      apiVersion: "traefik.io/v1alpha1",
      kind: "TraefikService",
      metadata: { name: "app" },
      spec: {
        weighted: {
          services: [
            { name: "blue", port, weight: blue },
            { name: "green", port, weight: green },
          ],
          ...sticky,
        },
      },
    });
  const middleware = async (name: string, spec: JsonObject): Promise<void> =>
    test.apply({ apiVersion: "traefik.io/v1alpha1", kind: "Middleware", metadata: { name }, spec });

  before(async () => {
    test = await makeColors();
    user = new User(test.edge, test.host);
    await weigh(100, 0);
    await middleware("without-color", { stripPrefix: { prefixes: ["/green"] } });
    const green = [{ name: "green", port }];
    const host = `Host(\`${test.host}\`)`;
    await test.apply({
      apiVersion: "traefik.io/v1alpha1",
      kind: "IngressRoute",
      metadata: { name: "app" },
      spec: {
        entryPoints: ["websecure"],
        routes: [
          { kind: "Rule", match: host, services: [{ kind: "TraefikService", name: "app" }] },
          {
            kind: "Rule",
            match: `${host} && PathPrefix(\`/green\`)`,
            services: green,
            middlewares: [{ name: "without-color" }],
          },
          { kind: "Rule", match: `${host} && Header(\`X-Preview\`, \`green\`)`, services: green },
          {
            kind: "Rule",
            match: `${host} && HeaderRegexp(\`Cookie\`, \`(^|; )preview=green(;|$)\`)`,
            services: green,
          },
        ],
        tls: { secretName: tlsSecret },
      },
    });
    await user.askUntil(({ color }) => color === "blue", "/");
  });

  after(async () => {
    user.close();
    await test.remove();
  });

  it("divides requests by the weights of a TraefikService", async () => {
    await weigh(90, 10);
    await user.askUntil(({ color }) => color === "green", "/");
    // Whatever changes at this edge meanwhile, other tests' routes too, begins its round robin anew.
    expect((await user.count(400, "/"))["green"]).to.be.closeTo(40, 5);
  });

  it("strips the color from a path", async () => {
    expect((await user.ask("/green/deep?a=b")).arrived.url).to.equal("/deep?a=b");
  });

  it("shows a color to those with a header or a cookie", async () => {
    await weigh(100, 0);
    const askedBy = async (headers: Record<string, string>) => (await user.ask("/", headers)).color;
    await user.askUntil(({ color }) => color === "blue", "/");
    expect(await askedBy({ "x-preview": "green" })).to.equal("green");
    expect(await askedBy({ cookie: "theme=dark; preview=green" })).to.equal("green");
    expect(await askedBy({ cookie: "notpreview=green" })).to.equal("blue");
    expect(await askedBy({ cookie: "preview=greenish" })).to.equal("blue");
  });

  it("keeps a user of a cookie with one color while that has a weight, and no longer", async () => {
    const sticky = { sticky: { cookie: { name: "color", secure: true, httpOnly: true } } };
    await weigh(50, 50, sticky);
    const first = await user.askUntil(
      ({ color, headers }) => color === "green" && headers["set-cookie"] !== undefined,
      "/",
    );
    const cookie = (first.headers["set-cookie"] ?? []).map((each) => each.split(";")[0]).join("; ");
    await weigh(99, 1, sticky);
    const others = await user.askUntil(({ color }) => color === "blue", "/");
    expect(others.headers["set-cookie"]?.join()).to.match(/^color=.*HttpOnly; Secure/);
    const again = await Promise.all(
      Array.from({ length: 20 }, async () => (await user.ask("/", { cookie })).color),
    );
    expect(new Set(again)).to.deep.equal(new Set(["green"]));
    await weigh(100, 0, sticky);
    await user.askUntil(({ color }) => color === "blue", "/", { cookie });
  });
});
