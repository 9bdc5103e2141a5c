import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect as connectHttp2 } from "node:http2";
import { connect as connectTls } from "node:tls";
import { NetworkingV1Api } from "@bluegreen/release/kubernetes/client";
import { expect } from "chai";
import { failureOf } from "../support/read";
import { makeColors, port, tlsSecret, type Colors } from "./support/colors";
import { User } from "./support/user";

const backend = (name: string) => ({ service: { name, port: { number: port } } });

describe("the edge, by an Ingress", function () {
  let test: Colors;
  let user: User;

  before(async () => {
    test = await makeColors();
    user = new User(test.edge, test.host);
    await test.apply({
      apiVersion: "networking.k8s.io/v1",
      kind: "Ingress",
      metadata: { name: "app" },
      spec: {
        ingressClassName: "traefik",
        tls: [{ hosts: [test.host], secretName: tlsSecret }],
        rules: [
          {
            host: test.host,
            http: {
              paths: [
                { path: "/", pathType: "Prefix", backend: backend("blue") },
                { path: "/green", pathType: "Prefix", backend: backend("green") },
                { path: "/only/this/one", pathType: "Exact", backend: backend("green") },
              ],
            },
          },
        ],
      },
    });
    await user.askUntil(({ color }) => color === "green", "/green");
  });

  after(async () => {
    user.close();
    await test.remove();
  });

  it("answers with the certificate of the host's Secret, which its authority has signed", async () => {
    expect(await user.ask("/")).to.include({ status: 200, color: "blue" });
    const shown = await certificateShown(test, test.host);
    expect(shown.subjectAltName).to.include(test.edge.host);
    expect(shown.verify(new X509Certificate(readFileSync(test.edge.ca)).publicKey)).to.equal(true);
  });

  it("has nothing to show that proves another name", async () => {
    const stranger = new User(test.edge, "elsewhere.example.org");
    expect(await failureOf(stranger.ask("/"))).to.match(/self-signed certificate|unable to verify|altnames/i);
    stranger.close();
  });

  it("speaks HTTP/2", async () => {
    const session = connectHttp2(`https://${test.host}`, {
      createConnection: () =>
        connectTls({
          host: "127.0.0.1",
          port: test.edge.port,
          servername: test.host,
          ca: readFileSync(test.edge.ca),
          ALPNProtocols: ["h2"],
        }),
    });
    const stream = session.request({ ":path": "/green/deep" });
    let text = "";
    stream.setEncoding("utf8").on("data", (part: string) => (text += part));
    await once(stream, "end");
    session.close();
    expect(JSON.parse(text)).to.include({ color: "green", url: "/green/deep" });
  });

  it("takes a prefix by whole path elements, and an exact path by itself", async () => {
    const answers = await Promise.all(
      ["/green", "/green/a?b=c", "/greenhouse", "/only/this/one", "/only/this/one/more"].map(
        async (path) => (await user.ask(path)).color,
      ),
    );
    expect(answers).to.deep.equal(["green", "green", "blue", "green", "blue"]);
  });

  it("answers 404 for a host that nobody has", async () => {
    const stranger = new User(test.edge, `nobody.${test.edge.host}`);
    expect(await stranger.ask("/")).to.include({ status: 404, color: undefined });
    stranger.close();
  });

  it("tells the app who has asked for what, and lets nobody make it up", async () => {
    const { arrived } = await user.ask("/", {
      "x-forwarded-host": "evil.example.org",
      "x-forwarded-for": "203.0.113.9",
    });
    expect(arrived.headers).to.include({
      host: test.host,
      "x-forwarded-host": test.host,
      "x-forwarded-proto": "https",
    });
    expect(arrived.headers["x-forwarded-for"]).to.not.include("203.0.113.9");
  });

  it("is where the Ingress says that it is", async () => {
    const networking = test.cluster.config.makeApiClient(NetworkingV1Api);
    const { status } = await networking.readNamespacedIngress({ name: "app", namespace: test.namespace });
    expect(status?.loadBalancer?.ingress?.map(({ ip }) => ip)).to.deep.equal([test.edge.address]);
  });
});

async function certificateShown({ edge }: Colors, servername: string): Promise<X509Certificate> {
  const socket = connectTls({ host: "127.0.0.1", port: edge.port, servername, rejectUnauthorized: false });
  await once(socket, "secureConnect");
  const shown = socket.getPeerX509Certificate();
  socket.destroy();
  if (shown === undefined) throw new Error(`The edge shows no certificate for ${servername}.`);
  return shown;
}
