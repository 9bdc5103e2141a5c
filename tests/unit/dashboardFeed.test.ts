import { expect } from "chai";
import { Board } from "../../cli/dashboard/board";
import { followCluster } from "../../cli/dashboard/clusterFeed";
import { colors, names, poll, type Color } from "@bluegreen/release";
import { startApiServer, type ApiServer } from "../support/apiServer";
import { startServer, type HttpServer } from "../support/httpServer";
import { forwardToPods, type PodTunnels } from "../support/podTunnels";
import { limits } from "./observations";

const app = "chatgpt-app";

/** With an hour between two polls: what is shown sooner of a change, a watch has told. */
describe("A cluster on the dashboard", () => {
  let api: ApiServer;
  let board: Board;
  let following: Promise<void>;
  let ended: AbortController;
  const kubeconfigBefore = process.env["KUBECONFIG"];

  beforeEach(async () => {
    api = await startApiServer();
    process.env["KUBECONFIG"] = api.kubeconfig;
    board = new Board({
      app,
      namespace: "shop",
      stack: "production",
      clusters: [{ name: null, release: null, away: null, samples: [], moves: [] }],
      gates: null,
      plan: null,
      jobs: {},
      isEnding: false,
    });
    api.change(...service("blue"));
    api.change(...weights(0));
    ended = new AbortController();
    const database = {
      strategy: "none" as const,
      runIn: "update" as const,
      allowDataLoss: false,
      rebuildCommand: [],
      rebuildTimeoutSeconds: 60,
      timeoutSeconds: 60,
    };
    const ref = {
      app,
      metrics: limits.metrics,
      activeColor: "blue" as const,
      context: "",
      namespace: "shop",
      namespacePerColor: false,
      database,
      databaseSecret: "db-credentials",
      folder: "migrations",
      schemaVersion: "",
      afterHours: 24,
      route: "traefik" as const,
      together: null,
    };
    following = followCluster({
      ref: () => ref,
      index: 0,
      board,
      historyGrew: () => undefined,
      signal: ended.signal,
      pollIntervalMs: 3_600_000,
    });
    await shows(["blue 100", "green 0"]);
  });
  afterEach(async () => {
    ended.abort();
    await following;
    await api.close();
    if (kubeconfigBefore === undefined) delete process.env["KUBECONFIG"];
    else process.env["KUBECONFIG"] = kubeconfigBefore;
  });

  const service = (version: Color) =>
    [
      `services/${names.activeService(app)}`,
      { metadata: { name: names.activeService(app) }, spec: { selector: { version } } },
    ] as const;
  const weights = (green: number) => {
    const services = colors.map((color) => ({
      name: names.colorService(app, color),
      weight: color === "green" ? green : 100 - green,
    }));
    return [
      `traefikservices/${names.weights(app)}`,
      { metadata: { name: names.weights(app) }, spec: { weighted: { services } } },
    ] as const;
  };
  const shown = () => board.state.clusters[0]?.release?.colors.map((each) => `${each.color} ${each.weight}`);
  const shows = (wanted: string[]) =>
    poll(() => Promise.resolve(shown()?.join() === wanted.join() ? true : undefined), {
      timeoutMs: 30_000,
      intervalMs: 5,
    });

  it("shows where all traffic is when a watch of the active Service says so", async () => {
    api.change(...service("green"));
    await shows(["blue 0", "green 100"]);
    expect(board.state.clusters[0]?.moves.map(({ to }) => to)).to.deep.equal(["green"]);
  });

  describe("with pods", () => {
    let counted: number;
    let pods: HttpServer;
    let tunnels: PodTunnels;

    beforeEach(async () => {
      counted = 0;
      // Kept longer than any pause of a busy machine.
      pods = await startServer(
        (_request, response) => {
          counted++;
          response.end("# TYPE http_requests_total counter\n");
        },
        { keepAliveTimeout: 600_000 },
      );
      tunnels = forwardToPods(api.server, pods.port);
    });
    afterEach(() => pods.close());

    const openPage = () => {
      const leave = board.listen(() => undefined);
      for (const name of ["one", "two"])
        api.objects.set(`pods/${name}`, {
          metadata: { namespace: "shop", name, labels: { app, version: "blue" } },
          spec: { containers: [{ name: "app", ports: [{ name: "http", containerPort: 3000 }] }] },
          status: { phase: "Running" },
        });
      return leave;
    };

    const until = (isSo: () => boolean) =>
      poll(() => Promise.resolve(isSo() ? true : undefined), { timeoutMs: 60_000, intervalMs: 5 });
    const open = () => [...tunnels.open.values()].sort().join();

    it("reads each through one connection while a page is open, and keeps none after it", async () => {
      const leave = openPage();
      await until(() => counted >= 6);
      expect(open()).to.equal("one,two");
      expect([...tunnels.asked].sort().join()).to.equal("one,two");
      api.objects.delete("pods/one");
      await until(() => open() === "two");
      leave();
      await until(() => open() === "");
    });

    it("keeps no connection once it has ended", async () => {
      openPage();
      await until(() => open() === "one,two");
      const shown = () => board.state.clusters[0]?.samples.length ?? 0;
      const before = shown();
      await until(() => shown() > before);
      ended.abort();
      await following;
      await until(() => open() === "");
    });
  });

  it("shows canary weights when a watch of the weights says so", async () => {
    for (const weight of [30, 0]) {
      api.change(...weights(weight));
      await shows([`blue ${100 - weight}`, `green ${weight}`]);
    }
    expect(board.state.clusters[0]?.moves).to.deep.equal([]);
  });
});
