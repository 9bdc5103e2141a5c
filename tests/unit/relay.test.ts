import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { expect } from "chai";
import { openClient, RelayedSocket } from "@bluegreen/release/postgres/client";
import { ifReachable } from "@bluegreen/release/postgres/reachable";
import { onRoute, withoutAsking } from "@bluegreen/release/postgres/route";
import { listens, programText, type ProgramOptions } from "@bluegreen/release/relay/program";
import { throughCluster } from "@bluegreen/release/relay/throughCluster";
import { failureOf } from "../support/read";
import { startApiServer, type ApiServer } from "../support/apiServer";

interface Program {
  port: number;
  child: ChildProcess;
  /** Its code, when it has ended. */
  ended: Promise<number | null>;
}

async function start(part: Partial<ProgramOptions>): Promise<Program> {
  const options = { port: 0, destinations: [], idleMs: 60_000, patienceMs: 5000, ...part };
  const child = spawn(process.execPath, ["-e", programText(options)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "exit").then(([code]) => code as number | null);
  const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  return { port: Number(line.slice(listens.length)), child, ended };
}

/** @param answer given what a connection has said until its end of it */
async function startServer(answer: (said: string) => string): Promise<{ server: Server; port: number }> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    let said = "";
    socket.on("data", (part) => (said += part.toString()));
    socket.on("end", () => socket.end(answer(said)));
    socket.on("error", () => socket.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, port: (server.address() as AddressInfo).port };
}

async function connected(program: Program, host: string, port: number): Promise<RelayedSocket> {
  const socket = new RelayedSocket();
  await socket.connectTo(program.port, { host, port });
  return socket;
}

async function allOf(socket: Socket): Promise<string> {
  let text = "";
  socket.on("data", (part: Buffer) => (text += part.toString()));
  await once(socket, "close");
  return text;
}

describe("The relay to a database", () => {
  let server: Server;
  let port: number;
  let connections: number;
  let programs: Program[];
  const host = "127.0.0.1";
  beforeEach(async () => {
    programs = [];
    connections = 0;
    ({ server, port } = await startServer((said) => `you said ${said}`));
    server.on("connection", () => connections++);
  });
  afterEach(async () => {
    for (const { child, ended } of programs) {
      child.kill();
      await ended;
    }
    server.close();
  });
  const relay = async (part: Partial<ProgramOptions> = {}) => {
    const program = await start({ destinations: [{ host, port }], ...part });
    programs.push(program);
    return program;
  };

  it("forwards to its destination, and one side that has ended leaves the other", async () => {
    const socket = await connected(await relay(), host, port);
    socket.end("hello");
    expect(await allOf(socket)).to.equal("you said hello");
  });

  it("forwards nowhere else, not even to another port or name of the same server", async () => {
    const program = await relay();
    const other = await startServer(() => "no");
    for (const [name, at] of [
      [host, other.port],
      ["localhost", port],
      [`${host} ${port}`, port],
    ] as const)
      expect(await failureOf(connected(program, name, at)), `${name} ${at}`).to.contain(
        "this relay does not forward there",
      );
    other.server.close();
    expect(connections).to.equal(0);
  });

  it("says what kept it from a server, by its code", async () => {
    const away = await startServer(() => "no");
    away.server.close();
    await once(away.server, "close");
    const program = await relay({ destinations: [{ host, port: away.port }] });
    const error = await connected(program, host, away.port).catch((reason: unknown) => reason);
    expect(error).to.deep.include({ code: "ECONNREFUSED" });
    const said: string[] = [];
    const ask = () => connected(program, host, away.port);
    expect(await ifReachable(ask, (line) => said.push(line))).to.equal(undefined);
    expect(said.join()).to.contain(`${host}:${away.port}, asked from a pod: connect ECONNREFUSED`);
  });

  it("ends a connection that does not say where it goes", async () => {
    const { port: at } = await relay({ patienceMs: 100 });
    for (const said of ["", "x".repeat(1000)]) {
      const socket = connect(at, host);
      socket.on("error", () => undefined);
      socket.write(said);
      expect(await allOf(socket)).to.equal("");
    }
    expect(connections).to.equal(0);
  });

  it("ends the way to a server whose client is gone", async () => {
    const closed = new Promise<void>((resolve) => {
      server.once("connection", (found: Socket) => {
        found.once("close", () => {
          resolve();
        });
      });
    });
    const socket = await connected(await relay(), host, port);
    socket.destroy();
    await closed;
  });

  it("listens to its own machine's loopback alone", async () => {
    const { port: at } = await relay();
    const socket = connect(at, "127.0.0.2");
    const [error] = (await once(socket, "error")) as [NodeJS.ErrnoException];
    expect(error.code).to.equal("ECONNREFUSED");
  });

  it("ends by itself when nobody is connected, and not before", async () => {
    const used = await relay({ idleMs: 200 });
    const socket = await connected(used, host, port);
    const unused = await relay({ idleMs: 200 });
    expect(await unused.ended).to.equal(0);
    expect(used.child.exitCode).to.equal(null);
    socket.end("still there");
    expect(await allOf(socket)).to.equal("you said still there");
    expect(await used.ended).to.equal(0);
  });

  it("is used by what is opened within its route, beside connections that are not", async () => {
    const { port: at } = await relay();
    const asked: string[] = [];
    const url = `postgres://app@${host}:${port}/app`;
    const route = {
      portTo: (to: { host: string; port: number }) => {
        asked.push(`${to.host}:${to.port}`);
        return Promise.resolve(at);
      },
    };
    // No PostgreSQL answers there: the connection ends. That one was made is what counts.
    const open = () => failureOf(openClient(url, "test"));
    const ending = () =>
      server.once("connection", (socket: Socket) => socket.once("data", () => socket.destroy()));
    ending();
    await onRoute(route, open);
    ending();
    await open();
    expect(asked).to.deep.equal([`${host}:${port}`]);
    expect(connections).to.equal(2);
    expect(await withoutAsking(open)).to.contain("only an update makes the relay pod");
    expect(connections).to.equal(2);
  });
});

describe("A step that asks its database through the cluster", () => {
  let api: ApiServer;
  let kubeconfig: string | undefined;
  let requests: string[];
  let server: Server;
  let url: string;
  let connections: number;
  before(async () => {
    api = await startApiServer();
    kubeconfig = process.env["KUBECONFIG"];
    process.env["KUBECONFIG"] = api.kubeconfig;
    const started = await startServer(() => "");
    server = started.server;
    url = `postgres://app@127.0.0.1:${started.port}/app`;
    server.on("connection", (socket: Socket) => {
      connections++;
      socket.destroy();
    });
  });
  after(async () => {
    process.env["KUBECONFIG"] = kubeconfig;
    server.close();
    await api.close();
  });
  beforeEach(() => {
    requests = [];
    connections = 0;
    api.meddle = (request) => {
      requests.push(request);
      // As a quota or Pod Security would refuse it.
      return request.startsWith("POST jobs") ? 403 : undefined;
    };
  });

  const where = { context: "test", namespace: "shop", namespacePerColor: false };
  const relay = {
    app: "shop",
    namespace: "shop",
    image: "ghcr.io/you/analysis-controller:1",
    imagePullSecrets: [],
    labels: {},
    annotations: {},
  };
  const ask = async () => {
    await (await openClient(url, "test")).end();
    return true;
  };
  const asks = throughCluster<typeof where, { done: boolean }>(() =>
    Promise.resolve({
      check: async () => {
        await ask();
        return [];
      },
      isNeeded: ask,
      isGone: ask,
      run: async () => {
        await ask();
        return { done: true };
      },
    }),
  );

  it("makes no pod and asks nobody but in its run", async () => {
    const step = await asks();
    const inputs = { ...where, relay };
    const attempts = [
      step.check(inputs, {}, () => undefined),
      step.isNeeded(inputs, inputs),
      step.isGone?.(inputs) ?? Promise.resolve(),
    ];
    for (const failing of attempts.map(failureOf))
      expect(await failing).to.contain("database.runIn is cluster, and only an update makes the relay pod");
    expect([requests, connections]).to.deep.equal([[], 0]);
  });

  it("says in its run why there is no pod, and asks nobody then", async () => {
    const step = await asks();
    const failure = await failureOf(step.run({ ...where, relay }, () => undefined));
    expect(failure)
      .to.contain("BG-RELAY-NOT-STARTED")
      .and.contain("did not start in namespace shop")
      .and.contain("HTTP 403");
    expect(requests.filter((each) => each.startsWith("POST"))).to.deep.equal(["POST jobs"]);
    expect(connections).to.equal(0);
  });

  it("asks directly without a relay", async () => {
    const step = await asks();
    await failureOf(step.isNeeded(where, where));
    await failureOf(step.run(where, () => undefined));
    expect([requests, connections]).to.deep.equal([[], 2]);
  });
});
