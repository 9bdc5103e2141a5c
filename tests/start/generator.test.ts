import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { expect } from "chai";
import type { GeneratorOptions } from "../../local/load/generator";
import { generatorScript } from "../../local/load/job";
import { figuresOf } from "../../local/load/report";
import { readLines, type LoadLog } from "../../local/load/samples";

interface Seen {
  paths: Map<string, number>;
  connections: number;
  lastEventIds: string[];
}

interface Ended {
  code: number | null;
  errors: string;
  log: LoadLog;
  seen: Seen;
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

const user = '{"id":"load-user"}';

function answer(response: ServerResponse, status: number, body: string, color = "blue"): void {
  response.writeHead(status, { "x-app-color": color }).end(body);
}

function tick(response: ServerResponse, id: number): void {
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

/** Runs the generator, as it would run in the cluster, against a server of the test. */
async function runGenerator(options: Partial<GeneratorOptions>, handle: Handler = rightAnswer, stream: Handler = openStream): Promise<Ended> {
  const seen: Seen = { paths: new Map(), connections: 0, lastEventIds: [] };
  const server = createServer((request, response) => {
    const path = `${request.method ?? ""} ${request.url ?? ""}`;
    seen.paths.set(path, (seen.paths.get(path) ?? 0) + 1);
    request.resume();
    if (path === "POST /api/users") answer(response, 409, "{}");
    else if (path.startsWith("GET /stream")) {
      seen.lastEventIds.push(String(request.headers["last-event-id"] ?? ""));
      stream(request, response);
    } else handle(request, response);
  });
  server.on("connection", () => (seen.connections += 1));
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const load: GeneratorOptions = { target: `http://127.0.0.1:${String(port)}`, rate: 100, seconds: 1, timeoutMs: 2000, connections: 4, controlPort: 0, ...options };
  const child = spawn(process.execPath, ["-e", await generatorScript()], { env: { LOAD: JSON.stringify(load) }, stdio: ["ignore", "pipe", "pipe"] });
  try {
    const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close") as Promise<[number | null]>]);
    return { code, errors, log: readLines(output), seen };
  } finally {
    child.kill("SIGKILL");
    server.close();
    server.closeAllConnections();
  }
}

describe("The load generator", () => {
  it("sends as many requests as it was told, half by new connections, on both endpoints", async () => {
    const { code, log, seen } = await runGenerator({ rate: 100, seconds: 2 });
    const { requests, failures, total } = figuresOf(log, []);
    expect({ code, requests, failures, sent: log.sent }).to.deep.equal({ code: 0, requests: 200, failures: 0, sent: 200 });
    expect(total.map(({ client, answers }) => [client, answers.blue])).to.deep.equal([["short", 100], ["keep-alive", 100], ["stream", 1]]);
    expect([seen.paths.get("GET /api/users/load-user"), seen.paths.get("POST /mcp")]).to.deep.equal([100, 100]);
    // 100 short ones, 1 for the user, 1 for the stream, at most 4 that are kept.
    expect(seen.connections).to.be.within(103, 106);
  });

  it("counts answers by the header's color", async () => {
    let count = 0;
    const { log } = await runGenerator({}, (_request, response) => {
      answer(response, 200, user, (count += 1) <= 60 ? "blue" : "green");
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
    let count = 0;
    const { log } = await runGenerator({ rate: 50 }, (request, response) => {
      (wrong[count++] ?? rightAnswer)(request, response);
    });
    const { failures, failureTexts } = figuresOf(log, []);
    expect(failures).to.equal(5);
    const texts = new Map<string, number>();
    for (const { text: failure, count: times } of failureTexts) texts.set(failure, (texts.get(failure) ?? 0) + times);
    expect(Object.fromEntries(texts)).to.deep.equal({ "status 503": 1, "socket hang up": 1, "no x-app-color in the answer": 1, "an answer without the user": 2 });
  });

  it("counts a request without an answer in time as failed, and does not wait for ever", async () => {
    const { code, log } = await runGenerator({ rate: 20, timeoutMs: 300 }, () => undefined);
    expect(code).to.equal(0);
    expect(figuresOf(log, []).failureTexts.map(({ text: failure }) => failure)).to.deep.equal(["no answer within 300 ms", "no answer within 300 ms"]);
    expect(figuresOf(log, []).failures).to.equal(20);
  });

  it("measures from the moment a request was due, so that a stall counts for everybody it held up", async () => {
    let stalled = false;
    const { log } = await runGenerator({ rate: 100, connections: 1 }, (request, response) => {
      // One answer is late; with one connection all behind it wait.
      const late = !stalled && request.headers.connection === "keep-alive";
      stalled ||= late;
      setTimeout(() => {
        answer(response, 200, user);
      }, late ? 500 : 0);
    });
    const slow = log.samples.filter(({ client, latencyMs }) => client === "keep-alive" && (latencyMs ?? 0) > 100);
    expect(slow.length).to.be.greaterThan(10);
  });

  it("opens the stream again where it ended, and takes an announced end for no failure", async () => {
    let id = 0;
    const { log, seen } = await runGenerator({ seconds: 2 }, rightAnswer, (_request, response) => {
      response.writeHead(200, { "x-app-color": "green" });
      tick(response, (id += 1));
      response.end("event: end\nretry: 200\ndata: {}\n\n");
    });
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
        response.end();
      },
    ];
    let count = 0;
    const { log } = await runGenerator({ seconds: 2 }, rightAnswer, (request, response) => {
      (ends[count++] ?? openStream)(request, response);
    });
    expect(figuresOf(log, []).failureTexts.map(({ text: failure }) => failure)).to.have.members(["the stream ended in the middle of a message", "the stream ended without saying so"]);
  });

  it("stops early when it is told to, with every request accounted for", async () => {
    const controlPort = await freePort();
    let count = 0;
    const { log, code } = await runGenerator({ rate: 50, seconds: 60, controlPort }, (_request, response) => {
      answer(response, 200, user);
      if ((count += 1) === 20) void fetch(`http://127.0.0.1:${String(controlPort)}/stop`, { method: "POST" });
    });
    expect(code).to.equal(0);
    expect(log.sent).to.be.within(20, 500);
    expect(figuresOf(log, []).requests).to.equal(log.sent);
  });

  it("refuses what is beyond its bounds, all of it at once, and sends nothing", async () => {
    const { code, errors, seen } = await runGenerator({ rate: 100_000, seconds: 86_400 });
    expect(code).to.equal(2);
    expect(errors).to.include("rate 100000 must be from 1 to 2000").and.include("seconds 86400 must be from 1 to 600");
    expect(seen.paths.size).to.equal(0);
  });
});

/** A port that nobody listens on now. */
async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
