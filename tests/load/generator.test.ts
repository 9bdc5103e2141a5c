import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { constants, createSecureServer, Http2ServerRequest, type ServerHttp2Stream } from "node:http2";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import type { AddressInfo, Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { readOptions, type GeneratorOptions } from "../../local/load/generator/options";
import { Histogram } from "../../local/load/histogram";
import { generatorScript } from "../../local/load/job";
import { figuresOf } from "../../local/load/report";
import { readLines, requestsIn, type LoadLog } from "../../local/load/samples";
import { makeCertificate, type CertificateFiles } from "../support/certificate";
import { endOf, type Ended } from "../support/endOf";

interface Seen {
  paths: Map<string, number>;
  /** Requests by the version of HTTP, the host and the name in TLS that they asked for. */
  ways: Map<string, number>;
  connections: number;
  lastEventIds: string[];
}

interface EndedLoad extends Ended {
  log: LoadLog;
  seen: Seen;
}

/** What requests and responses of both versions of HTTP have. */
interface Request {
  method?: string | undefined;
  url?: string | undefined;
  headers: NodeJS.Dict<string | string[]>;
  httpVersion: string;
  authority?: string | undefined;
  socket: { destroy(): unknown; servername?: unknown };
  resume(): unknown;
}
interface Response {
  writeHead(status: number, headers: Record<string, string>): unknown;
  write(part: string): unknown;
  end(part: string): unknown;
}

type Handler = (request: Request, response: Response) => void;

const user = '{"id":"load-user"}';
const host = "app.example.com";

function answer(response: Response, status: number, body: string, color = "blue"): void {
  response.writeHead(status, { "x-app-color": color });
  response.end(body);
}

function tick(response: Response, id: number): void {
  response.write(`id: ${String(id)}\nevent: tick\ndata: {}\n\n`);
}

/** A stream that stays open. */
const openStream: Handler = (_request, response) => {
  response.writeHead(200, { "x-app-color": "blue" });
  tick(response, 1);
};

const rightAnswer: Handler = (_request, response) => {
  answer(response, 200, user);
};

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

/**
 * Runs the generator, as it would run in the cluster, against a server of the test; with a certificate by
 * TLS, for both versions of HTTP.
 */
async function runGenerator(
  options: Partial<GeneratorOptions>,
  handle: Handler = rightAnswer,
  stream: Handler = openStream,
  certificate?: CertificateFiles,
): Promise<EndedLoad> {
  const seen: Seen = { paths: new Map(), ways: new Map(), connections: 0, lastEventIds: [] };
  const serve: Handler = (request, response) => {
    const path = `${request.method ?? ""} ${request.url ?? ""}`;
    count(seen.paths, path);
    request.resume();
    if (path === "POST /api/users") answer(response, 409, "{}");
    else if (path.startsWith("GET /stream")) {
      seen.lastEventIds.push(String(request.headers["last-event-id"] ?? ""));
      stream(request, response);
    } else {
      count(
        seen.ways,
        [request.httpVersion, request.authority ?? request.headers["host"], request.socket.servername].join(
          " ",
        ),
      );
      handle(request, response);
    }
  };
  const open = new Set<{ destroy(): unknown }>();
  const server: Server =
    certificate === undefined
      ? createServer(serve)
      : createSecureServer(
          {
            key: await readFile(certificate.key),
            cert: await readFile(certificate.certificate),
            allowHTTP1: true,
          },
          serve,
        );
  server.on("connection", (socket) => {
    seen.connections += 1;
    open.add(socket);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const load: GeneratorOptions = {
    target: `${certificate === undefined ? "http" : "https"}://127.0.0.1:${String(port)}`,
    ...(certificate !== undefined && { host, caFile: certificate.certificate }),
    clients: ["short", "keep-alive"],
    toolCallEvery: 2,
    output: "answers",
    rate: 100,
    seconds: 1,
    timeoutMs: 2000,
    connections: 4,
    controlPort: 0,
    ...options,
  };
  const child = spawn(process.execPath, ["-e", await generatorScript()], {
    env: { LOAD: JSON.stringify(load) },
    stdio: ["ignore", "pipe", "pipe"],
  });
  try {
    const ended = await endOf(child);
    return { ...ended, log: readLines(ended.output), seen };
  } finally {
    child.kill("SIGKILL");
    server.close();
    for (const socket of open) socket.destroy();
  }
}

describe("The load generator", () => {
  it("sends as many requests as it was told, half by new connections, on both endpoints", async () => {
    const { code, log, seen } = await runGenerator({ rate: 100, seconds: 2 });
    const { requests, failures, total } = figuresOf(log, []);
    expect({ code, requests, failures, sent: log.sent }).to.deep.equal({
      code: 0,
      requests: 200,
      failures: 0,
      sent: 200,
    });
    expect(total.map(({ client, answers }) => [client, answers.blue])).to.deep.equal([
      ["short", 100],
      ["keep-alive", 100],
      ["stream", 1],
    ]);
    expect([seen.paths.get("GET /api/users/load-user"), seen.paths.get("POST /mcp")]).to.deep.equal([
      100, 100,
    ]);
    // 100 short ones, 1 for the user, 1 for the stream, at most 4 that are kept.
    expect(seen.connections).to.be.within(103, 106);
  });

  it("calls a tool as often as it was told, by each kind of client", async () => {
    const { seen, log } = await runGenerator({ rate: 200, toolCallEvery: 10 });
    expect([seen.paths.get("GET /api/users/load-user"), seen.paths.get("POST /mcp")]).to.deep.equal([
      180, 20,
    ]);
    expect(figuresOf(log, []).failures).to.equal(0);
  });

  it("counts answers by the header's color", async () => {
    let asked = 0;
    const { log } = await runGenerator({}, (_request, response) => {
      answer(response, 200, user, (asked += 1) <= 60 ? "blue" : "green");
    });
    const [short, keepAlive] = figuresOf(log, []).total;
    expect((short?.answers.blue ?? 0) + (keepAlive?.answers.blue ?? 0)).to.equal(60);
    expect((short?.answers.green ?? 0) + (keepAlive?.answers.green ?? 0)).to.equal(40);
  });

  it("counts as failed whatever is not the user that was asked for", async () => {
    const wrong: Handler[] = [
      (_request, response) => {
        answer(response, 503, user);
      },
      (request) => {
        request.socket.destroy();
      },
      (_request, response) => {
        response.end(user);
      },
      (_request, response) => {
        answer(response, 200, "{}");
      },
      (_request, response) => {
        answer(response, 200, `{"result":{"isError":true,"text":"load-user"}}`);
      },
    ];
    let asked = 0;
    const { log } = await runGenerator({ rate: 50 }, (request, response) => {
      (wrong[asked++] ?? rightAnswer)(request, response);
    });
    const { failures, failureTexts } = figuresOf(log, []);
    expect(failures).to.equal(5);
    const texts = new Map<string, number>();
    for (const { text: failure, count: times } of failureTexts)
      texts.set(failure, (texts.get(failure) ?? 0) + times);
    expect(Object.fromEntries(texts)).to.deep.equal({
      "status 503": 1,
      "socket hang up": 1,
      "no x-app-color in the answer": 1,
      "an answer without the user": 2,
    });
  });

  it("counts a request without an answer in time as failed, and does not wait for ever", async () => {
    const { code, log } = await runGenerator({ rate: 20, timeoutMs: 2000 }, () => undefined);
    expect(code).to.equal(0);
    expect(figuresOf(log, []).failureTexts.map(({ text: failure }) => failure)).to.deep.equal([
      "no answer within 2000 ms",
      "no answer within 2000 ms",
    ]);
    expect(figuresOf(log, []).failures).to.equal(20);
  });

  it("measures from the moment a request was due, so that a stall counts for everybody it held up", async () => {
    let stalled = false;
    const { log } = await runGenerator({ rate: 100, connections: 1 }, (request, response) => {
      // One answer is late; with one connection all behind it wait.
      const late = !stalled && request.headers["connection"] === "keep-alive";
      stalled ||= late;
      setTimeout(
        () => {
          answer(response, 200, user);
        },
        late ? 500 : 0,
      );
    });
    const slow = log.samples.filter(
      ({ client, latencyMs }) => client === "keep-alive" && (latencyMs ?? 0) > 100,
    );
    expect(slow.length).to.be.greaterThan(10);
  });

  it("opens the stream again where it ended, and takes an announced end for no failure", async () => {
    const controlPort = await freePort();
    let id = 0;
    const { log, seen } = await runGenerator(
      { seconds: 60, controlPort },
      rightAnswer,
      (_request, response) => {
        response.writeHead(200, { "x-app-color": "green" });
        tick(response, (id += 1));
        response.end("event: end\nretry: 200\ndata: {}\n\n");
        if (id === 6) stop(controlPort);
      },
    );
    const { stream, failures } = figuresOf(log, []);
    expect(failures).to.equal(0);
    expect(stream.reconnects).to.be.greaterThan(3);
    expect(seen.lastEventIds.slice(0, 3)).to.deep.equal(["", "1", "2"]);
  });

  it("takes a stream that breaks off for cut", async () => {
    const ends: Handler[] = [
      (_request, response) => {
        response.writeHead(200, { "x-app-color": "blue" });
        response.write("retry: 100\n\n");
        response.end("id: 1\nevent: ti");
      },
      (_request, response) => {
        response.writeHead(200, { "x-app-color": "blue" });
        tick(response, 1);
        response.end("");
      },
    ];
    const controlPort = await freePort();
    let asked = 0;
    const { log } = await runGenerator({ seconds: 60, controlPort }, rightAnswer, (request, response) => {
      (ends[asked++] ?? openStream)(request, response);
      if (asked === 3) stop(controlPort);
    });
    expect(figuresOf(log, []).failureTexts.map(({ text: failure }) => failure)).to.have.members([
      "the stream ended in the middle of a message",
      "the stream ended without saying so",
    ]);
  });

  it("stops early when it is told to, with every request accounted for", async () => {
    const controlPort = await freePort();
    let asked = 0;
    const { log, code } = await runGenerator({ rate: 50, seconds: 60, controlPort }, (_request, response) => {
      answer(response, 200, user);
      if ((asked += 1) === 20) stop(controlPort);
    });
    expect(code).to.equal(0);
    expect(log.sent, "of 3000").to.be.within(20, 1500);
    expect(figuresOf(log, []).requests).to.equal(log.sent);
  });

  describe("that counts answers by the second", () => {
    it("says of all requests what the other says of each, in little", async () => {
      let asked = 0;
      const { log, output } = await runGenerator(
        { output: "seconds", rate: 200, seconds: 3 },
        (_request, response) => {
          asked += 1;
          answer(response, asked <= 10 ? 503 : 200, user, asked <= 400 ? "blue" : "green");
        },
      );
      const sum = (cells: LoadLog["cells"]): number => cells.reduce((total, each) => total + each.count, 0);
      expect([log.sent, requestsIn(log)]).to.deep.equal([600, 600]);
      expect(sum(log.cells.filter(({ failure }) => failure === "status 503"))).to.equal(10);
      expect(sum(log.cells.filter(({ color, client }) => color === "green" && client !== "stream"))).to.equal(
        200,
      );
      expect(sum(log.cells.filter(({ client }) => client === "keep-alive"))).to.equal(300);
      expect(log.cells.filter(({ client }) => client === "stream")).not.to.be.empty;
      expect(
        new Set(log.cells.filter(({ client }) => client !== "stream").map(({ second }) => second)).size,
      ).to.be.within(3, 4);
      expect(output.length).to.be.lessThan(10_000);
    });

    it("counts a stall for everybody it held up, in the seconds in which they were due", async () => {
      let stalled = false;
      const { log } = await runGenerator(
        { output: "seconds", rate: 100, seconds: 2, connections: 1, clients: ["keep-alive"] },
        (_request, response) => {
          const late = !stalled;
          stalled = true;
          setTimeout(
            () => {
              answer(response, 200, user);
            },
            late ? 500 : 0,
          );
        },
      );
      const latencies = new Histogram();
      for (const { buckets } of log.cells) latencies.add(buckets);
      expect(latencies.size).to.equal(200);
      expect(latencies.quantile(0.9)).to.be.greaterThan(200);
    });
  });

  describe("by TLS", () => {
    let folder: string;
    let certificate: CertificateFiles;

    before(async () => {
      folder = await mkdtemp(join(tmpdir(), "bg-load-"));
      certificate = await makeCertificate(folder, host);
    });

    after(async () => {
      await rm(folder, { recursive: true });
    });

    it("asks for the host by its name, by all kinds of clients in turn", async () => {
      const { code, log, seen, errors } = await runGenerator(
        { output: "seconds", rate: 90, seconds: 2, clients: ["short", "keep-alive", "http2"] },
        rightAnswer,
        openStream,
        certificate,
      );
      expect(code, errors).to.equal(0);
      expect(Object.fromEntries(seen.ways)).to.deep.equal({
        [`1.1 ${host} ${host}`]: 120,
        [`2.0 ${host} ${host}`]: 60,
      });
      expect([seen.paths.get("GET /api/users/load-user"), seen.paths.get("POST /mcp")]).to.deep.equal([
        90, 90,
      ]);
      expect(log.cells.filter(({ failure }) => failure !== "")).to.deep.equal([]);
      // 60 short ones, 1 for the user, 1 for the stream, at most 4 each that are kept.
      expect(seen.connections).to.be.within(64, 70);
    });

    it("continues by another connection where one of HTTP/2 breaks, and counts what was lost with it", async () => {
      const controlPort = await freePort();
      let asked = 0;
      const { log, seen } = await runGenerator(
        { rate: 20, seconds: 60, clients: ["http2"], connections: 1, controlPort },
        (request, response) => {
          asked += 1;
          if (asked === 10) streamOf(request).session?.destroy();
          else answer(response, 200, user);
          if (asked === 30) stop(controlPort);
        },
        openStream,
        certificate,
      );
      expect(log.samples.filter(({ client }) => client === "http2").length).to.equal(log.sent);
      const failed = log.samples.filter(({ failure }) => failure !== undefined).length;
      expect(failed).to.be.at.least(1);
      expect(seen.connections).to.be.within(4, 5);
    });

    it("counts an answer of HTTP/2 that is cut off, or comes too late, as failed", async () => {
      const { log } = await runGenerator(
        { rate: 20, timeoutMs: 2000, clients: ["http2"] },
        (request, response) => {
          if (request.method === "GET") return;
          response.writeHead(200, { "x-app-color": "blue" });
          response.write(user);
          setTimeout(() => {
            streamOf(request).close(constants.NGHTTP2_INTERNAL_ERROR);
          }, 20);
        },
        openStream,
        certificate,
      );
      const failures = log.samples
        .filter(({ client }) => client === "http2")
        .map(({ failure = "" }) => failure);
      expect(failures.filter((failure) => failure === "no answer within 2000 ms").length).to.equal(10);
      expect(
        failures.filter((failure) => failure !== "no answer within 2000 ms" && failure !== "").length,
      ).to.equal(10);
    });
  });

  it("can send a million requests and more, where it counts them by the second, and no more than it can keep", () => {
    const long: GeneratorOptions = {
      target: "http://127.0.0.1:1",
      clients: ["short"],
      toolCallEvery: 2,
      output: "seconds",
      rate: 800,
      seconds: 2500,
      timeoutMs: 1000,
      connections: 1,
      controlPort: 0,
    };
    expect(readOptions(JSON.stringify(long))).to.deep.equal(long);
    expect(() => readOptions(JSON.stringify({ ...long, seconds: 2501 }))).to.throw("must be at most 2000000");
    expect(() => readOptions(JSON.stringify({ ...long, output: "answers", seconds: 500 }))).to.throw(
      "must be at most 200000",
    );
  });

  it("refuses HTTP/2 without TLS, and TLS without a certificate to believe", () => {
    const given: GeneratorOptions = {
      target: "http://127.0.0.1:1",
      clients: ["http2"],
      toolCallEvery: 2,
      output: "seconds",
      rate: 1,
      seconds: 1,
      timeoutMs: 1000,
      connections: 1,
      controlPort: 0,
    };
    expect(() => readOptions(JSON.stringify(given))).to.throw("http2 only with https");
    expect(() => readOptions(JSON.stringify({ ...given, target: "https://127.0.0.1:1" }))).to.throw(
      "caFile undefined must be given",
    );
    expect(() => readOptions(JSON.stringify({ ...given, clients: ["telepathy"] }))).to.throw(
      "must be some of short, keep-alive, http2",
    );
  });

  it("refuses what is beyond its bounds, all of it at once, and sends nothing", async () => {
    const { code, errors, seen } = await runGenerator({ rate: 100_000, seconds: 86_400 });
    expect(code).to.equal(2);
    expect(errors)
      .to.include("rate 100000 must be from 1 to 2000")
      .and.include("seconds 86400 must be from 1 to 600");
    expect(seen.paths.size).to.equal(0);
  });
});

/** The stream of HTTP/2 that a request came by. */
function streamOf(request: Request): ServerHttp2Stream {
  if (request instanceof Http2ServerRequest) return request.stream;
  throw new Error(`the request came by HTTP/${request.httpVersion}`);
}

/** Tells a generator with this control port to stop. */
function stop(controlPort: number): void {
  void fetch(`http://127.0.0.1:${String(controlPort)}/stop`, { method: "POST" });
}

/** A port that nobody listens on now. */
async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
