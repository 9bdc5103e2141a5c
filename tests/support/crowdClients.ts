/**
 * Clients of the active Service that keep what they have opened, in a process of their own inside the
 * cluster's network: node -r ./local/typescript.cjs FILE URL OPTIONS. Commands come by stdin,
 * a line each, and each is answered by a line of JSON on stdout: what every client has seen so far.
 */
import { Agent, request, type ClientRequest, type IncomingMessage } from "node:http";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";

export interface CrowdOptions {
  /** Event streams, each opened again when it ends. */
  streams: number;
  /** Clients that ask again and again on one connection. */
  busy: number;
  /** Clients that ask now and then, until they are told to rest. */
  idle: number;
  /** Requests whose body comes to its end when they are told to. */
  slow: number;
}

export type ClientKind = keyof CrowdOptions;

export interface ClientReport {
  kind: ClientKind;
  /** Of its last answer; "" before the first. */
  color: string;
  /** When this color has answered it for the first time in a row, in milliseconds since 1970. */
  since: number;
}

export interface CrowdReport {
  clients: ClientReport[];
  /** Answers and events that came whole. */
  answers: number;
  failures: string[];
}

/**
 * rest: idle clients keep their connection, and ask no more. ask: they ask once more. finish: slow requests
 * come to their end. report: nothing else.
 */
export type CrowdCommand = "rest" | "ask" | "finish" | "report";

const [url = "", optionsText = "{}"] = process.argv.slice(2);
const options = JSON.parse(optionsText) as CrowdOptions;
const busyEveryMs = 500;
/** More often than a server closes connections that nobody uses. */
const idleEveryMs = 10_000;
const answerMs = 10_000;
/** It stops by itself: a test that dies must not leave it running. */
const maxMs = 900_000;

const report: CrowdReport = { clients: [], answers: 0, failures: [] };
const idle: (() => Promise<void>)[] = [];
const slow: ClientRequest[] = [];
let isResting = false;

function addClient(kind: ClientKind): ClientReport {
  const client = { kind, color: "", since: 0 };
  report.clients.push(client);
  return client;
}

function answered(client: ClientReport, response: IncomingMessage): void {
  const color = String(response.headers["x-app-color"]);
  report.answers += 1;
  if (client.color !== color) Object.assign(client, { color, since: Date.now() });
}

function failed(client: ClientReport, what: string): void {
  report.failures.push(`${client.kind} of ${client.color}: ${what}`);
}

/** One connection at a time, kept as a browser or a proxy does. */
function keeping(): Agent {
  return new Agent({ keepAlive: true, maxSockets: 1 });
}

function openStream(): void {
  const client = addClient("streams");
  const agent = keeping();
  let lastId = 0;
  const open = (): void => {
    let text = "";
    let retryMs = 1000;
    let isAnnounced = false;
    let hasBegun = false;
    const again = (failure: string): void => {
      if (failure !== "") failed(client, failure);
      setTimeout(open, retryMs);
    };
    const outgoing = request(
      `${url}/stream?period=1000`,
      { agent, headers: { accept: "text/event-stream", "last-event-id": String(lastId) } },
      (response) => {
        hasBegun = true;
        response.setEncoding("utf8");
        response.on("data", (part: string) => {
          const blocks = (text + part).split("\n\n");
          text = blocks.pop() ?? "";
          for (const block of blocks) {
            const fields = new Map(
              block
                .split("\n")
                .map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()]),
            );
            retryMs = Number(fields.get("retry") ?? retryMs);
            isAnnounced ||= fields.get("event") === "end";
            if (fields.get("event") !== "tick") continue;
            const id = Number(fields.get("id"));
            if (id !== lastId + 1) failed(client, `event ${String(id)} after ${String(lastId)}`);
            lastId = id;
            answered(client, response);
          }
        });
        response.on("end", () => {
          again(text !== "" ? "cut in mid-message" : isAnnounced ? "" : "ended without a word");
        });
        response.on("error", (error) => {
          again(error.message);
        });
      },
    );
    outgoing.on("error", (error) => {
      // Once its answer has begun, the answer says so itself.
      if (!hasBegun) again(error.message);
    });
    outgoing.end();
  };
  open();
}

/** @returns one whole request and answer */
function asking(client: ClientReport): () => Promise<void> {
  const agent = keeping();
  return () =>
    new Promise((done) => {
      const end = (failure: string): void => {
        clearTimeout(timer);
        if (failure !== "") failed(client, failure);
        done();
      };
      // Nobody has this name: the answer is a 404 out of the database.
      const outgoing = request(`${url}/api/users/nobody`, { agent }, (response) => {
        response.resume();
        response.on("error", (error) => {
          end(error.message);
        });
        response.on("end", () => {
          answered(client, response);
          end(response.statusCode === 404 ? "" : `status ${String(response.statusCode)}`);
        });
      });
      const timer = setTimeout(
        () => outgoing.destroy(new Error(`no answer within ${String(answerMs)} ms`)),
        answerMs,
      );
      outgoing.on("error", (error) => {
        end(error.message);
      });
      outgoing.end();
    });
}

async function stayBusy(): Promise<void> {
  const ask = asking(addClient("busy"));
  await delay(Math.random() * busyEveryMs);
  for (;;) {
    await ask();
    await delay(busyEveryMs);
  }
}

async function stayIdle(): Promise<void> {
  const ask = asking(addClient("idle"));
  idle.push(ask);
  while (!isResting) {
    await ask();
    await delay(idleEveryMs);
  }
}

function beginSlow(): void {
  const client = addClient("slow");
  const outgoing = request(
    `${url}/api/users`,
    {
      method: "POST",
      agent: keeping(),
      headers: { "content-type": "application/json", "content-length": 2 },
    },
    (response) => {
      response.resume();
      response.on("end", () => {
        answered(client, response);
      });
      response.on("error", (error) => {
        failed(client, error.message);
      });
    },
  );
  outgoing.on("error", (error) => {
    failed(client, error.message);
  });
  outgoing.write("{");
  slow.push(outgoing);
}

async function obey(command: CrowdCommand): Promise<void> {
  if (command === "rest") isResting = true;
  if (command === "ask") await Promise.all(idle.map((ask) => ask()));
  if (command === "finish") for (const each of slow) each.end("}");
  process.stdout.write(`${JSON.stringify(report)}\n`);
}

async function arrive(): Promise<void> {
  // A Service made a moment ago refuses connections until every node knows it: users come after that.
  const isOpen = () =>
    fetch(url, { headers: { connection: "close" } }).then(
      async (answer) => {
        await answer.arrayBuffer();
        return true;
      },
      () => false,
    );
  while (!(await isOpen())) await delay(100);
  for (let index = 0; index < options.streams; index += 1) openStream();
  for (let index = 0; index < options.busy; index += 1) void stayBusy();
  for (let index = 0; index < options.slow; index += 1) beginSlow();
  for (let index = 0; index < options.idle; index += 1) void stayIdle();
}

void arrive();
createInterface({ input: process.stdin })
  .on("line", (line) => void obey(line as CrowdCommand))
  .on("close", () => process.exit(0));
setTimeout(() => process.exit(1), maxMs).unref();
