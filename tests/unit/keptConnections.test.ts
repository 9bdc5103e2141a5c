import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { expect } from "chai";
import { connect, type Cluster } from "@bluegreen/release";
import { patience } from "@bluegreen/release/kubernetes/cluster";
import { makeCertificate, type CertificateFiles } from "../support/certificate";

/** The API server is simulated: what it says of connections, a real one says to nobody. */
describe("Connections to the API server", function () {
  let folder: string;
  let server: Server;
  let files: CertificateFiles;
  let protocols: (string | false | null)[];
  /** Told of the next request instead of its being answered. */
  let unanswered: (() => void) | undefined;
  const kubeconfig = process.env["KUBECONFIG"];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "bg-connections-"));
    files = await makeCertificate(folder, "127.0.0.1");
  });
  after(() => rm(folder, { recursive: true }));

  beforeEach(async () => {
    protocols = [];
    unanswered = undefined;
    const [cert, key] = await Promise.all([readFile(files.certificate), readFile(files.key)]);
    server = createServer({ cert, key, ALPNProtocols: ["h2", "http/1.1"] }, (_request, response) => {
      const tell = unanswered;
      unanswered = undefined;
      if (tell !== undefined) {
        tell();
        return;
      }
      response.writeHead(200, { "content-type": "application/json" }).end("{}");
    });
    server.on("secureConnection", (socket: TLSSocket) => protocols.push(socket.alpnProtocol));
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    process.env["KUBECONFIG"] = await writeKubeconfig();
  });
  afterEach(async () => {
    if (kubeconfig === undefined) delete process.env["KUBECONFIG"];
    else process.env["KUBECONFIG"] = kubeconfig;
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  });

  /** With a login command that brings the certificate of whatever its file holds. */
  async function writeKubeconfig(): Promise<string> {
    const path = join(folder, "kubeconfig");
    const { port } = server.address() as AddressInfo;
    await writeLogin("first");
    const config = {
      clusters: [
        {
          name: "test",
          cluster: { server: `https://127.0.0.1:${port}`, "certificate-authority": files.certificate },
        },
      ],
      users: [
        {
          name: "test",
          user: {
            exec: {
              apiVersion: "client.authentication.k8s.io/v1",
              command: "cat",
              args: [join(folder, "login.json")],
              interactiveMode: "Never",
            },
          },
        },
      ],
      contexts: [{ name: "test", context: { cluster: "test", user: "test" } }],
      "current-context": "test",
    };
    await writeFile(path, JSON.stringify(config));
    return path;
  }

  /** Over before it is used, so that each call logs in anew. */
  async function writeLogin(token: string, certificate?: CertificateFiles): Promise<void> {
    const pair = certificate && {
      clientCertificateData: await readFile(certificate.certificate, "utf8"),
      clientKeyData: await readFile(certificate.key, "utf8"),
    };
    const status = { token, expirationTimestamp: "2020-01-01T00:00:00Z", ...pair };
    await writeFile(join(folder, "login.json"), JSON.stringify({ kind: "ExecCredential", status }));
  }

  const open = () => connect({ context: "", namespace: "shop", namespacePerColor: false });
  const read = (cluster: Cluster) => cluster.core.readNamespacedService({ name: "shop", namespace: "shop" });

  it("are kept from call to call, with a new token too", async () => {
    const cluster = open();
    await read(cluster);
    await writeLogin("second");
    await read(cluster);
    await cluster.apps.readNamespacedDeployment({ name: "shop", namespace: "shop" });
    // Another step of the same update.
    await read(open());
    expect(protocols).to.deep.equal(["http/1.1"]);
  });

  it("are others where the login brings another certificate", async () => {
    const cluster = open();
    await read(cluster);
    await writeLogin("first", files);
    await read(cluster);
    await read(cluster);
    expect(protocols).to.have.length(2);
  });

  it("that gave no answer in time are not asked again", async () => {
    const { of } = patience;
    const cluster = open();
    await read(cluster);
    const late = new AbortController();
    patience.of = () => late.signal;
    unanswered = () => {
      patience.of = of;
      late.abort();
    };
    try {
      await read(cluster);
    } finally {
      patience.of = of;
    }
    expect(protocols).to.have.length(2);
  });
});
