import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { expect } from "chai";
import { poll, type Cluster } from "@bluegreen/release";
import { KubeConfig, type V1Pod } from "@bluegreen/release/kubernetes/client";
import { KeptForwards } from "@bluegreen/release/kubernetes/keptForwards";
import type { AskPod } from "@bluegreen/release/kubernetes/pods";
import { NoAnswerError } from "@bluegreen/release/util/http";
import { startServer, type HttpServer } from "../support/httpServer";
import { forwardToPods, type PodTunnels } from "../support/podTunnels";

const bounds = { maxBytes: 1000, timeoutMs: 30_000 };
const pod = (name: string): V1Pod => ({
  metadata: { namespace: "shop", name },
  spec: { containers: [{ name: "app", ports: [{ name: "http", containerPort: 3000 }] }] },
  status: { phase: "Running" },
});

/** Longer than any pause of a busy machine. */
const kept = { keepAliveTimeout: 600_000 };

describe("Forwards that are kept", () => {
  let app: HttpServer;
  let api: ReturnType<typeof createServer>;
  let tunnels: PodTunnels;
  let cluster: Cluster;
  let forwards: KeptForwards;
  let ask: AskPod;

  const clusterAt = (): Cluster => {
    const config = new KubeConfig();
    const server = `http://127.0.0.1:${(api.address() as AddressInfo).port}`;
    config.loadFromClusterAndUser({ name: "api", server, skipTLSVerify: true }, { name: "user" });
    return { config } as Cluster;
  };
  const opened = (pods: string[]) =>
    poll(() => Promise.resolve([...tunnels.open.values()].sort().join() === pods.join() ? true : undefined), {
      timeoutMs: 30_000,
      intervalMs: 5,
    });

  beforeEach(async () => {
    app = await startServer(({ url }, response) => response.end(`answer of ${url ?? ""}`), kept);
    api = createServer();
    await new Promise<void>((done) => api.listen(0, "127.0.0.1", done));
    tunnels = forwardToPods(api, app.port);
    cluster = clusterAt();
    forwards = new KeptForwards();
    ask = async (...question) => {
      const answer = await forwards.through(cluster)(...question);
      // fetch lets a turn of the event loop pass before it uses a connection again.
      await turn();
      return answer;
    };
  });
  afterEach(async () => {
    forwards.close();
    await opened([]);
    api.close();
    await app.close();
  });

  it("lead all questions to a pod, whatever they ask for", async () => {
    for (const path of ["/metrics", "/metrics", "/ready"])
      expect(await ask(pod("a"), path, bounds)).to.equal(`answer of ${path}`);
    expect(tunnels.asked).to.deep.equal(["a"]);
  });

  it("are closed where a pod is asked no more", async () => {
    for (const name of ["a", "b"]) await ask(pod(name), "/", bounds);
    forwards.closeUnasked();
    await ask(pod("b"), "/", bounds);
    forwards.closeUnasked();
    await opened(["b"]);
    forwards.close();
    await opened([]);
    expect(tunnels.asked).to.deep.equal(["a", "b"]);
  });

  it("are opened again at the next question once they are broken, and once for each", async () => {
    await ask(pod("a"), "/", bounds);
    for (const tunnel of tunnels.open.keys()) tunnel.destroy();
    tunnels.refused.add("a");
    await opened([]);
    for (const before of [1, 2]) {
      const answer = await ask(pod("a"), "/", bounds).catch((error: unknown) => error);
      expect(answer).to.be.instanceOf(NoAnswerError);
      expect(tunnels.asked).to.have.length(before + 1);
    }
    tunnels.refused.clear();
    expect(await ask(pod("a"), "/", bounds)).to.equal("answer of /");
  });

  it("are not those of a kubeconfig that has changed", async () => {
    await ask(pod("a"), "/", bounds);
    await forwards.through(clusterAt())(pod("b"), "/", bounds);
    await opened(["b"]);
  });

  it("are no more for a thousand pods than for some", async () => {
    const names = Array.from({ length: 70 }, (_, index) => String(index).padStart(2, "0"));
    for (const name of names) expect(await ask(pod(name), "/", bounds)).to.equal("answer of /");
    await opened(names.slice(0, 64));
  });
});
