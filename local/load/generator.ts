/**
 * Sends a bounded number of requests to one address and prints what came back, a line of JSON four
 * times a second. It runs alone in a container of the app's image, so it is one file with nothing
 * but Node.js; everything else of this folder only starts it and reads its lines.
 *
 * Requests go out by the clock, whether or not earlier ones are answered, and the latency of each
 * counts from the moment it was due: a server that stalls cannot hide that by slowing its client.
 */
import { Agent, createServer, request, type IncomingMessage } from "node:http";

/** What the environment variable LOAD holds, as JSON. */
export interface GeneratorOptions {
  /** Base URL without a path. */
  target: string;
  /** Requests per second, both kinds of clients together. */
  rate: number;
  /** The longest that it sends. */
  seconds: number;
  /** When a request counts as failed, from the moment it was due. */
  timeoutMs: number;
  /** Connections that the keep-alive clients share. */
  connections: number;
  /** Where POST /stop ends it early. 0: any free port. */
  controlPort: number;
}

/** short: a new connection for each request; keep-alive: connections are used again. */
export type RequestClient = "short" | "keep-alive";

/** [answered at, latency, client, value of x-app-color or "", failure or ""]; milliseconds, the first since the line's `from`. */
export type AnswerTuple = [at: number, latency: number, client: RequestClient, color: string, failure: string];

/** [received at, value of x-app-color], of each event of the open stream. */
export type EventTuple = [at: number, color: string];

/** What is printed: one `ready`, any number of `batch`, one `end`. */
export type Line =
  | { type: "ready"; from: number }
  | { type: "batch"; seq: number; from: number; answers: AnswerTuple[]; events: EventTuple[]; cuts: string[]; reconnects: number }
  | { type: "end"; seq: number; from: number; sent: number };

const bounds = { rate: 2000, seconds: 600, requests: 200_000 };
const flushMs = 250;
const tickMs = 4;
/** The stream sends twice a second; this long without anything is a stream that is dead. */
const streamSilenceMs = 5000;
/** A Service made a moment ago refuses connections until the nodes know it; this long is more than that. */
const newServiceMs = 15_000;

const options = readOptions();
const userId = "load-user";
const epoch = performance.timeOrigin;
const agents = {
  short: new Agent({ keepAlive: false }),
  "keep-alive": new Agent({ keepAlive: true, maxSockets: options.connections }),
};
let stopping = false;
let answers: AnswerTuple[] = [];
let events: EventTuple[] = [];
let cuts: string[] = [];
let reconnects = 0;
let from = now();
let seq = 0;

void main();

async function main(): Promise<void> {
  const control = createServer((incoming, response) => {
    if (incoming.method === "POST" && incoming.url === "/stop") stopping = true;
    response.writeHead(stopping ? 202 : 404).end();
  }).listen(options.controlPort);
  for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => (stopping = true));
  await seed();
  const flusher = setInterval(flush, flushMs);
  const closeStream = openStream();
  print({ type: "ready", from: now() });
  const sent = await sendAll();
  closeStream();
  clearInterval(flusher);
  flush();
  print({ type: "end", seq, from: now(), sent });
  control.close();
  control.closeAllConnections();
  for (const agent of Object.values(agents)) agent.destroy();
}

function readOptions(): GeneratorOptions {
  const given = JSON.parse(process.env["LOAD"] ?? "{}") as GeneratorOptions; // checked below
  const { target, rate, seconds, timeoutMs, connections, controlPort } = given;
  const within = (value: number, min: number, max: number): boolean => Number.isInteger(value) && value >= min && value <= max;
  const rules: [boolean, string][] = [
    [/^http:\/\/[^/]+$/.test(target), `target ${JSON.stringify(target)} must be http://HOST:PORT`],
    [within(rate, 1, bounds.rate), `rate ${String(rate)} must be from 1 to ${String(bounds.rate)}`],
    [within(seconds, 1, bounds.seconds), `seconds ${String(seconds)} must be from 1 to ${String(bounds.seconds)}`],
    [rate * seconds <= bounds.requests, `rate × seconds is ${String(rate * seconds)} and must be at most ${String(bounds.requests)}`],
    [within(timeoutMs, 1, 60_000), `timeoutMs ${String(timeoutMs)} must be from 1 to 60000`],
    [within(connections, 1, 1000), `connections ${String(connections)} must be from 1 to 1000`],
    [within(controlPort, 0, 65_535), `controlPort ${String(controlPort)} must be a port`],
  ];
  const broken = rules.filter(([holds]) => !holds).map(([, rule]) => rule);
  if (broken.length > 0) {
    console.error(`LOAD was refused: ${broken.join("; ")}`);
    process.exit(2);
  }
  return given;
}

/**
 * Makes the user that the requests ask for; that it is there already is as good. Nothing is measured
 * yet, so a refused connection is asked again: the first request of the load has to meet a Service
 * that every node knows, and each one after it counts.
 */
async function seed(): Promise<void> {
  const { status, body } = await firstAnswer(performance.now() + newServiceMs);
  if (status === 201 || status === 409) return;
  console.error(`The user of the load could not be made: POST ${options.target}/api/users answered ${String(status)}: ${body}`);
  process.exit(1);
}

async function firstAnswer(deadline: number): Promise<Answer> {
  for (;;) {
    try {
      return await exchange("short", "POST", "/api/users", { id: userId, email: "load@example.com", name: "Load" }, options.timeoutMs);
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/** Sends by the clock until the time is over or someone says stop, and returns how many after the last answer. */
async function sendAll(): Promise<number> {
  const total = options.rate * options.seconds;
  const started = performance.now();
  let sent = 0;
  let open = 0;
  return new Promise((resolve) => {
    const ticker = setInterval(() => {
      const due = Math.min(total, Math.floor(((performance.now() - started) * options.rate) / 1000) + 1);
      for (; sent < due && !stopping; sent += 1) {
        open += 1;
        void send(sent, started + (sent * 1000) / options.rate).finally(() => (open -= 1));
      }
      if ((stopping || sent === total) && open === 0) {
        clearInterval(ticker);
        resolve(sent);
      }
    }, tickMs);
  });
}

async function send(index: number, dueAt: number): Promise<void> {
  const client = index % 2 === 0 ? "short" : "keep-alive";
  const left = Math.max(1, options.timeoutMs - (performance.now() - dueAt));
  let color = "";
  let failure = "";
  try {
    const answer = await (index % 4 < 2 ? exchange(client, "GET", `/api/users/${userId}`, undefined, left) : exchange(client, "POST", "/mcp", toolCall(index), left));
    color = answer.color;
    failure = whatIsWrong(answer);
  } catch (error) {
    failure = describe(error);
  }
  answers.push([round(now() - from), round(performance.now() - dueAt), client, color, failure]);
}

function toolCall(id: number): object {
  return { jsonrpc: "2.0", id, method: "tools/call", params: { name: "get_user_info", arguments: { userId } } };
}

interface Answer {
  status: number;
  color: string;
  body: string;
}

/** A 200 that says something else than the user asked for is a failure too. */
function whatIsWrong({ status, color, body }: Answer): string {
  if (status < 200 || status > 299) return `status ${String(status)}`;
  if (color === "") return "no x-app-color in the answer";
  // Both calls answer with the user; an error of the protocol comes with status 200 as well.
  return body.includes(userId) && !body.includes('"isError":true') ? "" : "an answer without the user";
}

async function exchange(client: RequestClient, method: "GET" | "POST", path: string, content: object | undefined, timeoutMs: number): Promise<Answer> {
  const payload = content === undefined ? undefined : JSON.stringify(content);
  return new Promise((resolve, reject) => {
    const outgoing = request(
      options.target + path,
      {
        method,
        agent: agents[client],
        headers: { accept: "application/json", ...(payload !== undefined && { "content-type": "application/json", "content-length": Buffer.byteLength(payload) }) },
      },
      (response) => {
        let body = "";
        response.setEncoding("utf8");
        response.on("data", (text: string) => (body += text));
        response.on("end", () => {
          clearTimeout(timer);
          resolve({ status: response.statusCode ?? 0, color: colorOf(response), body });
        });
        response.on("error", fail);
      },
    );
    const timer = setTimeout(() => {
      fail(new Error(`no answer within ${String(options.timeoutMs)} ms`));
      outgoing.destroy();
    }, timeoutMs);
    function fail(error: Error): void {
      clearTimeout(timer);
      reject(error);
    }
    outgoing.on("error", fail);
    outgoing.end(payload);
  });
}

/**
 * Keeps one stream of server-sent events open, as a client of the protocol would: it comes back
 * after the time that the server hints at. A stream that breaks off without a word was cut.
 */
function openStream(): () => void {
  let lastEventId = "";
  let retryMs = 1000;
  let closed = false;
  let current: { destroy(): void } | undefined;
  let again: NodeJS.Timeout | undefined;

  const connect = (): void => {
    let text = "";
    let announced = false;
    let over = false;
    const ended = (cut: string): void => {
      if (over || closed) return;
      over = true;
      if (cut !== "") cuts.push(cut);
      reconnects += 1;
      again = setTimeout(connect, retryMs);
    };
    const outgoing = request(
      `${options.target}/stream?period=500`,
      { agent: false, timeout: streamSilenceMs, headers: { accept: "text/event-stream", ...(lastEventId !== "" && { "last-event-id": lastEventId }) } },
      (response) => {
        if (response.statusCode !== 200) outgoing.destroy(new Error(`status ${String(response.statusCode)}`));
        const color = colorOf(response);
        response.setEncoding("utf8");
        response.on("data", (part: string) => {
          const blocks = (text + part).split("\n\n");
          text = blocks.pop() ?? "";
          for (const block of blocks) {
            const fields = new Map(block.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()]));
            lastEventId = fields.get("id") ?? lastEventId;
            retryMs = Number(fields.get("retry") ?? retryMs);
            announced ||= fields.get("event") === "end";
            if (fields.get("event") === "tick") events.push([round(now() - from), color]);
          }
        });
        response.on("end", () => {
          if (text !== "") ended("the stream ended in the middle of a message");
          else ended(announced ? "" : "the stream ended without saying so");
        });
        response.on("error", (error) => {
          ended(describe(error));
        });
      },
    );
    outgoing.on("timeout", () => outgoing.destroy(new Error(`nothing for ${String(streamSilenceMs)} ms`)));
    outgoing.on("error", (error) => {
      ended(describe(error));
    });
    outgoing.end();
    current = outgoing;
  };
  connect();
  return () => {
    closed = true;
    clearTimeout(again);
    current?.destroy();
  };
}

function flush(): void {
  if (answers.length === 0 && events.length === 0 && cuts.length === 0) return;
  seq += 1;
  print({ type: "batch", seq, from, answers, events, cuts, reconnects });
  from = now();
  answers = [];
  events = [];
  cuts = [];
}

function print(line: Line): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function colorOf(response: IncomingMessage): string {
  const color = response.headers["x-app-color"];
  return typeof color === "string" ? color : "";
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return "code" in error && error.message === "" ? String(error.code) : error.message;
}

/** Milliseconds since 1970, finer than Date.now() and never going back. */
function now(): number {
  return epoch + performance.now();
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
