import { hashSync } from "bcryptjs";
import { expect } from "chai";
import type { JsonObject } from "../../local/cluster/rawObjects";
import { askInside } from "./support/askInside";
import { makeColors, port, tlsSecret, type Colors } from "./support/colors";
import { User } from "./support/user";

const nginx = (annotations: Record<string, string>): JsonObject =>
  Object.fromEntries(
    Object.entries(annotations).map(([name, value]) => [`nginx.ingress.kubernetes.io/${name}`, value]),
  );

describe("the edge, by an Ingress with annotations for nginx", function () {
  let test: Colors;
  let user: User;

  const ingress = async (
    name: string,
    annotations: Record<string, string>,
    path: { path: string; pathType: string; color: string },
  ): Promise<void> =>
    test.apply({
      apiVersion: "networking.k8s.io/v1",
      kind: "Ingress",
      metadata: { name, annotations: nginx(annotations) },
      spec: {
        ingressClassName: "nginx",
        tls: [{ hosts: [test.host], secretName: tlsSecret }],
        rules: [
          {
            host: test.host,
            http: {
              paths: [
                {
                  path: path.path,
                  pathType: path.pathType,
                  backend: { service: { name: path.color, port: { number: port } } },
                },
              ],
            },
          },
        ],
      },
    });
  const canary = async (annotations: Record<string, string>): Promise<void> =>
    ingress("canary", { canary: "true", ...annotations }, { path: "/", pathType: "Prefix", color: "green" });

  before(async () => {
    test = await makeColors();
    user = new User(test.edge, test.host);
    await ingress("app", {}, { path: "/", pathType: "Prefix", color: "blue" });
    await user.askUntil(({ color }) => color === "blue", "/");
  });

  after(async () => {
    user.close();
    await test.remove();
  });

  it("sends users of HTTP to HTTPS", async () => {
    expect(await askInside(test.edge.address, test.host, "/some?path")).to.deep.equal({
      status: 308,
      location: `https://${test.host}/some?path`,
    });
  });

  it("rewrites the path of a color, for those who have the password", async () => {
    const password = "correct horse";
    await test.apply({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "testers" },
      stringData: { auth: `tester:${hashSync(password, 4)}` },
    });
    await ingress(
      "green",
      { "use-regex": "true", "rewrite-target": "/$2", "auth-type": "basic", "auth-secret": "testers" },
      { path: "/green(/|$)(.*)", pathType: "ImplementationSpecific", color: "green" },
    );
    const authorization = `Basic ${Buffer.from(`tester:${password}`).toString("base64")}`;
    const letIn = await user.askUntil(({ color }) => color === "green", "/green/api/users?limit=1", {
      authorization,
    });
    expect(letIn.arrived.url).to.equal("/api/users?limit=1");
    expect(await user.ask("/green/api/users")).to.include({ status: 401, color: undefined });
    expect(
      await user.ask("/green", { authorization: `Basic ${Buffer.from("tester:wrong").toString("base64")}` }),
    ).to.include({ status: 401, color: undefined });
    expect((await user.ask("/greenhouse")).color).to.equal("blue");
  });

  it("shows a canary to those with its header or cookie, whatever the weight", async () => {
    await canary({ "canary-weight": "0", "canary-by-header": "x-preview", "canary-by-cookie": "preview" });
    await user.askUntil(({ color }) => color === "green", "/", { "x-preview": "always" });
    expect(await user.count(50, "/")).to.deep.equal({ blue: 50 });
    expect((await user.ask("/", { cookie: "a=b; preview=always" })).color).to.equal("green");
    expect((await user.ask("/", { cookie: "preview=never" })).color).to.equal("blue");
    expect((await user.ask("/", { cookie: "preview=sometimes" })).color).to.equal("blue");
  });

  it("sends a canary its weight of the requests", async () => {
    await canary({ "canary-weight": "25" });
    await user.askUntil(({ color }) => color === "green", "/");
    expect((await user.count(400, "/"))["green"]).to.be.closeTo(100, 1);
  });

  it("keeps a user of a cookie with one color while both have a weight, and no longer", async () => {
    await ingress(
      "app",
      { affinity: "cookie", "session-cookie-name": "color" },
      { path: "/", pathType: "Prefix", color: "blue" },
    );
    await canary({ "canary-weight": "50" });
    const first = await user.askUntil(
      ({ color, headers }) => color === "green" && headers["set-cookie"] !== undefined,
      "/",
    );
    const cookie = (first.headers["set-cookie"] ?? []).map((each) => each.split(";")[0]).join("; ");
    const again = await Promise.all(
      Array.from({ length: 20 }, async () => (await user.ask("/", { cookie })).color),
    );
    expect(new Set(again)).to.deep.equal(new Set(["green"]));
    await canary({ "canary-weight": "0" });
    await user.askUntil(({ color }) => color === "blue", "/", { cookie });
  });
});
